/* request.c - one exchange as a plugin writes it: all but its body.
 *
 * SPDX-License-Identifier: MIT
 */

#include "request.h"

#include <string.h>

#include "base/crypto.h"
#include "base/redact.h"
#include "base/text.h"
#include "host.h"
#include "job_state.h"

/* Given when the job has no more to give; nothing is written to it. */
static struct herald_request stub = { .method = "",
                                      .url = BUF_INIT (0),
                                      .body = BUF_INIT (0),
                                      .is_sealed = true,
                                      .is_sent = true,
                                      .is_answered = true };

/* A token of RFC 9110 section 5.6.2: names of methods and headers. */
static bool
is_token (const char *text)
{
  static const char others[] = "!#$%&'*+-.^_`|~";

  if (text == NULL || *text == '\0')
    return false;
  for (; *text != '\0'; text++)
    if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')
          || (*text >= '0' && *text <= '9') || strchr (others, *text) != NULL))
      return false;
  return true;
}

/* False, and a fault, if it is sent already; stubs are silent. */
static bool
is_open (struct herald_request *request)
{
  if (request == NULL || request->job == NULL)
    return false;
  if (request->is_sealed)
    job_spoil (request->job, "it wrote to a request after its callback");
  return !request->is_sealed;
}

static bool
has_scheme (const char *url, const char *scheme)
{
  size_t len = strlen (scheme);
  char start[10];

  if (strlen (url) <= len)
    return false;
  memcpy (start, url, len);
  start[len] = '\0';
  return text_equal_fold (start, scheme);
}

/* Kept without its fragment, which is nobody's business but a browser's. */
static void
set_url (struct herald_request *request, const char *url)
{
  size_t len = url != NULL ? strcspn (url, "#") : 0;

  if (url == NULL || *url == '\0') {
    job_spoil (request->job, "a request has no URL");
    return;
  }
  request->is_smtp
    = has_scheme (url, "smtp://") || has_scheme (url, "smtps://");
  if (!request->is_smtp && !has_scheme (url, "https://")
      && !has_scheme (url, "http://"))
    job_spoil (request->job,
               "the URL of a request is none of http, https, smtp, smtps");
  for (size_t i = 0; i < len; i++)
    if ((unsigned char) url[i] <= ' ' || url[i] == 0x7f) {
      job_spoil (request->job,
                 "the URL of a request has a space or control character");
      break;
    }
  buf_add (&request->url, url, len);
}

struct herald_request *
request_new (struct job *job, const char *method, const char *url,
             herald_reply_fn *on_reply)
{
  struct herald_request *request;
  size_t most = JOB_MAX_REQUESTS;

  if (job == NULL)
    return &stub;
  if (job_shown (job) > 1)
    most *= job_shown (job);
  if (job->n_requests >= most) {
    job_spoil (job, "it makes requests without end, more than %zu", most);
    return &stub;
  }
  job->n_requests++;
  request = arena_zeroed (job->arena, 1, sizeof *request);
  request->job = job;
  request->on_reply = on_reply;
  request->tls = HERALD_TLS_ALWAYS;
  request->method = arena_strdup (job->arena, method != NULL ? method : "");
  buf_init (&request->url, REQUEST_MAX_URL);
  buf_init (&request->body, REQUEST_MAX_BODY);
  if (!is_token (method))
    job_spoil (job, "the method of a request is no word");
  set_url (request, url);
  if (job->last != NULL)
    job->last->next = request;
  else
    job->first = request;
  job->last = request;
  if (job->made == NULL)
    job->made = request;
  return request;
}

void
request_done (struct herald_request *request)
{
  buf_done (&request->url);
  buf_done (&request->body);
}

void
request_covers (struct herald_request *request, size_t i)
{
  struct job *job;

  if (!is_open (request))
    return;
  job = request->job;
  if (i >= job_shown (job)) {
    job_spoil (job, "a request covers delivery %zu of %zu", i,
               job_shown (job));
    return;
  }
  if (request->n_covers == request->covers_size) {
    size_t size = request->covers_size > 0 ? request->covers_size * 2 : 4;
    size_t *covers = arena_alloc (job->arena, size * sizeof *covers);

    if (request->n_covers > 0)
      memcpy (covers, request->covers, request->n_covers * sizeof *covers);
    request->covers = covers;
    request->covers_size = size;
  }
  request->covers[request->n_covers++] = i;
}

void
request_tag (struct herald_request *request, void *tag)
{
  if (is_open (request))
    request->tag = tag;
}

void
request_query (struct herald_request *request, const char *name,
               const char *value)
{
  struct buf *url;

  if (!is_open (request) || name == NULL || value == NULL)
    return;
  url = &request->url;
  if (strchr (url->data, '?') == NULL)
    buf_add_char (url, '?');
  else if (url->data[url->len - 1] != '?' && url->data[url->len - 1] != '&')
    buf_add_char (url, '&');
  text_add_url (url, name, strlen (name));
  buf_add_char (url, '=');
  text_add_url (url, value, strlen (value));
}

static size_t
find_header (const struct herald_request *request, const char *name)
{
  size_t k = 0;

  while (k < request->n_headers
         && !text_equal_fold (request->headers[k].name, name))
    k++;
  return k;
}

static void
remove_header (struct herald_request *request, size_t k)
{
  if (k == request->n_headers)
    return;
  request->n_headers--;
  memmove (&request->headers[k], &request->headers[k + 1],
           (request->n_headers - k) * sizeof *request->headers);
}

/* name and value are checked and live as long as the job. */
static void
put_header (struct herald_request *request, const char *name,
            const char *value)
{
  size_t k = find_header (request, name);

  if (k == REQUEST_MAX_HEADERS) {
    job_spoil (request->job, "a request has more than %d headers",
               REQUEST_MAX_HEADERS);
    return;
  }
  if (k == request->headers_size) {
    size_t size = request->headers_size > 0 ? request->headers_size * 2 : 8;
    struct request_header *headers
      = arena_alloc (request->job->arena, size * sizeof *headers);

    if (k > 0)
      memcpy (headers, request->headers, k * sizeof *headers);
    request->headers = headers;
    request->headers_size = size;
  }
  request->headers[k].name = name;
  request->headers[k].value = value;
  if (k == request->n_headers)
    request->n_headers++;
}

void
request_header (struct herald_request *request, const char *name,
                const char *value)
{
  struct arena *arena;

  if (!is_open (request))
    return;
  if (!is_token (name)) {
    job_spoil (request->job, "the name of a header is no word: %s",
               name != NULL ? name : "none");
    return;
  }
  if (value == NULL) {
    if (text_equal_fold (name, "Content-Type"))
      request->has_no_type = true;
    remove_header (request, find_header (request, name));
    return;
  }
  if (strpbrk (value, "\r\n") != NULL) {
    job_spoil (request->job, "the header %s has a line break", name);
    return;
  }
  arena = request->job->arena;
  put_header (request, arena_strdup (arena, name),
              arena_strdup (arena, value));
}

void
request_header_line (struct herald_request *request, const char *line)
{
  const char *colon, *value;
  char *name;

  if (!is_open (request) || line == NULL)
    return;
  colon = strchr (line, ':');
  if (colon == NULL) {
    job_spoil (request->job, "a header line has no colon");
    return;
  }
  name = arena_strndup (request->job->arena, line, (size_t) (colon - line));
  value = colon + 1;
  value += strspn (value, " \t");
  request_header (request, name, value);
}

/* What is made of secrets is a secret of its own.  This comes with every
 * request, and to look whether it is known costs less than to register it
 * again. */
static void
keep_secret (const char *text, size_t len)
{
  struct buf *out = host_scratch ();

  redact_add_secrets_only (out, text, len);
  if (strcmp (out->data, "***") != 0)
    redact_secret (text, len);
}

void
request_basic_auth (struct herald_request *request, const char *user,
                    const char *password)
{
  struct arena *arena;
  struct buf *out;
  const char *pair;
  char *value;

  if (!is_open (request))
    return;
  arena = request->job->arena;
  user = user != NULL ? user : "";
  password = password != NULL ? password : "";
  if (request->is_smtp) {
    request->user = arena_strdup (arena, user);
    request->password = arena_strdup (arena, password);
    return;
  }
  pair = arena_printf (arena, "%s:%s", user, password);
  out = host_scratch ();
  buf_add_text (out, "Basic ");
  crypto_add_base64 (out, pair, strlen (pair));
  value = arena_strndup (arena, out->data, out->len);
  keep_secret (value + 6, strlen (value + 6));
  put_header (request, "Authorization", value);
}

/* Without a token yet (explain shows requests that are not sent) there is
 * a word in its place: job_wants_token () keeps it from going out. */
void
request_bearer_auth (struct herald_request *request, const char *token)
{
  const struct integration *integration;

  if (!is_open (request))
    return;
  integration = request->job->integration;
  if (token == NULL) {
    if (integration->provider->plugin.token == NULL)
      job_spoil (request->job, "it has no .token and asks for its token");
    request->uses_token = true;
    token = integration->token.value != NULL ? integration->token.value
                                             : "(token)";
  }
  request_header (request, "Authorization",
                  arena_printf (request->job->arena, "Bearer %s", token));
}

void
request_tls (struct herald_request *request, int tls)
{
  if (!is_open (request))
    return;
  if (tls < HERALD_TLS_ALWAYS || tls > HERALD_TLS_NEVER)
    job_spoil (request->job, "tls () was given %d", tls);
  else
    request->tls = tls;
}

static void
seal_method (struct herald_request *request)
{
  bool is_mail = strcmp (request->method, "MAIL") == 0;

  if (!request->is_smtp) {
    if (request->kind == REQUEST_MESSAGE)
      job_spoil (request->job, "a message goes by smtp only");
  } else if (!is_mail && strcmp (request->method, "NOOP") != 0)
    job_spoil (request->job, "the method of smtp is MAIL or NOOP");
  else if (is_mail != (request->kind == REQUEST_MESSAGE)
           || (!is_mail && request->kind != REQUEST_NO_BODY))
    job_spoil (request->job,
               is_mail ? "MAIL needs a message ()" : "NOOP has no body");
}

void
request_seal (struct herald_request *request)
{
  static const char *const types[]
    = { [REQUEST_JSON] = "application/json",
        [REQUEST_BYTES] = "application/octet-stream",
        [REQUEST_PARAMS] = "application/x-www-form-urlencoded" };
  const char *type = NULL;

  if (request->is_sealed)
    return;
  seal_method (request);
  if (request->kind == REQUEST_FORM) {
    request_write_form (request, request->boundary, &request->body);
    type
      = arena_printf (request->job->arena, "multipart/form-data; boundary=%s",
                      request->boundary);
  } else if (request->kind < sizeof types / sizeof types[0])
    type = types[request->kind];
  request_check_body (request);
  if (request->url.is_over)
    job_spoil (request->job, "the URL of a request is longer than 16 KiB");
  if (type != NULL && !request->has_no_type
      && find_header (request, "Content-Type") == request->n_headers)
    put_header (request, "Content-Type", type);
  request->job->body_bytes += request->body.len;
  request->is_sealed = true;
}

static void
add_message (struct buf *out, const struct message *message)
{
  buf_printf (out, "\nMAIL FROM:<%s>\n", message->from);
  for (size_t k = 0; k < message->n_to; k++)
    buf_printf (out, "RCPT TO:<%s>\n", message->to[k]);
  buf_add_char (out, '\n');
  for (size_t k = 0; k < message->n_headers; k++) {
    buf_add_text (out, message->headers[k].name);
    buf_add_text (out, ": ");
    buf_add_text (out, message->headers[k].value);
    buf_add_char (out, '\n');
  }
  if (message->text != NULL) {
    buf_add_text (out, "\n-- text/plain\n");
    buf_add_text (out, message->text);
  }
  if (message->html != NULL) {
    buf_add_text (out, "\n-- text/html\n");
    buf_add_text (out, message->html);
  }
}

void
request_add_text (const struct herald_request *request, struct buf *out)
{
  buf_add_text (out, request->method);
  buf_add_char (out, ' ');
  buf_add (out, request->url.data, request->url.len);
  buf_add_char (out, '\n');
  for (size_t k = 0; k < request->n_headers; k++) {
    buf_add_text (out, request->headers[k].name);
    buf_add_text (out, ": ");
    buf_add_text (out, request->headers[k].value);
    buf_add_char (out, '\n');
  }
  if (request->user != NULL)
    buf_printf (out, "login: %s\n", request->user);
  if (request->message != NULL)
    add_message (out, request->message);
  else if (request->body.len > 0) {
    buf_add_char (out, '\n');
    buf_add (out, request->body.data, request->body.len);
  }
}
