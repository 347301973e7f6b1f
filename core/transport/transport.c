/* transport.c - requests out, replies in (only here: libcurl).
 *
 * A transfer and its easy handle stay together and are used again: what
 * all requests share is set once, what a request brings is set each time
 * and points into the request.  libcurl's callbacks only note what they
 * are told; done is called when libcurl has returned, so it may send,
 * cancel, and do what it likes.
 *
 * SPDX-License-Identifier: MIT
 */

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "transport.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assembly.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/memory.h"
#include "failure.h"
#include "mail_text.h"
#include "smtp_dialogue.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif
#ifndef HERALD_CA_BUNDLE
#define HERALD_CA_BUNDLE ""
#endif

/* 8.17 renamed it; the old name may go. */
#ifndef CURLUSESSL_ALL
#define CURLUSESSL_ALL 3L
#endif

enum {
  TRANSPORT_CONNECT_MS = 10000, TRANSPORT_TOTAL_MS = 60000,
  TRANSPORT_KEPT = 64 * 1024,   /* a buffer worth keeping */
  TRANSPORT_CA_CACHE_S = 24 * 3600,
  TRANSPORT_QUIT_S = 1,         /* libcurl blocks while it says goodbye */
  TRANSPORT_EXPECT = 1024,      /* from here it would ask to continue */
  TRANSPORT_UPLOAD_BUFFER = 16 * 1024
};

enum transfer_kind { TRANSFER_HTTP, TRANSFER_SMTP, TRANSFER_KINDS };

struct transfer {
  struct transport *transport;
  struct transfer *next, *prev; /* in the list it is on */
  CURL *easy;
  enum transfer_kind kind;
  bool is_prepared;             /* the common options are set */
  bool is_added;                /* libcurl has it */
  const struct transport_request *request;
  transport_done_fn *done;
  void *data;
  int64_t started_us;
  const char *fault;            /* why it can't be sent at all */
  struct assembly reply;
  struct smtp_dialogue dialogue;
  bool is_stopped;              /* SMTP: ended by us */
  curl_socket_t fd;             /* the connection it was last seen on */
  unsigned n_opened;            /* connections tried */
  char guard_reason[200];
  char detail[CURL_ERROR_SIZE];
  struct buf lines;             /* header lines, addresses */
  struct curl_slist *nodes;     /* what libcurl walks, in our memory */
  size_t n_nodes;
  curl_mime *mime;
};

struct transport {
  struct loop *loop;
  CURLM *multi;
  CURLSH *share;
  struct loop_timer *timer;     /* libcurl's */
  struct loop_timer *fault_timer;       /* for those that never started */
  const struct guard *guard;
  char *ca_file, *proxy;
  size_t max_reply;
  struct transfer *busy;        /* all on their way */
  struct transfer *idle[TRANSFER_KINDS];
  size_t in_flight;
  bool *is_open;                /* by descriptor: a connection of ours */
  size_t n_open;                /* its size */
  struct buf error;
  struct transport_header headers[ASSEMBLY_MAX_HEADERS];
};

static void transport_collect (struct transport *transport);

/* What curl_easy_setopt and its kin return matters only for options a
 * libcurl may be built without; those that must hold are checked. */
#define SET(easy, option, value) \
  ((void) curl_easy_setopt ((easy), (option), (value)))

/* Sockets and time. */

static void
transport_ready (void *data, int fd, unsigned ready)
{
  struct transport *transport = data;
  int mask = (ready & LOOP_READ ? CURL_CSELECT_IN : 0)
             | (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
  int running;

  curl_multi_socket_action (transport->multi, fd, mask, &running);
  transport_collect (transport);
}

/* A kept connection says something while nothing was asked: mostly that
 * the other end closed it.  libcurl 7.88 only notices a connection that is
 * closed both ways, and would lose the next request on this one. */
static void
transport_idle_ready (void *data, int fd, unsigned ready)
{
  struct transport *transport = data;
  struct pollfd state = { .fd = fd };

  (void) ready;
#ifdef POLLRDHUP
  state.events = POLLRDHUP;
#endif
  if (poll (&state, 1, 0) > 0 && state.revents)
    shutdown (fd, SHUT_RDWR);
  loop_want (transport->loop, fd, 0, transport_idle_ready, transport);
}

static bool
transport_is_open (const struct transport *transport, int fd)
{
  return fd >= 0 && (size_t) fd < transport->n_open && transport->is_open[fd];
}

static void
transport_mark_open (struct transport *transport, int fd, bool is_open)
{
  size_t n = (size_t) fd + 1;

  if (n > transport->n_open) {
    n = n < 64 ? 64 : n * 2;
    transport->is_open
      = memory_resize (transport->is_open, n, sizeof *transport->is_open);
    memset (transport->is_open + transport->n_open, 0,
            (n - transport->n_open) * sizeof *transport->is_open);
    transport->n_open = n;
  }
  transport->is_open[fd] = is_open;
}

static int
on_socket (CURL *easy, curl_socket_t fd, int what, void *data, void *unused)
{
  struct transport *transport = data;
  unsigned wanted = (what & CURL_POLL_IN ? LOOP_READ : 0)
                    | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
  char *private = NULL;

  (void) unused;
  if (what != CURL_POLL_REMOVE) {
    loop_want (transport->loop, fd, wanted, transport_ready, transport);
    curl_easy_getinfo (easy, CURLINFO_PRIVATE, &private);
    if (private && transport_is_open (transport, fd))
      ((struct transfer *) (void *) private)->fd = fd;
    return 0;
  }
  /* A connection stays known until it is closed: asking for it again is
   * then free.  Others (the resolver's) are gone after this. */
  if (transport_is_open (transport, fd))
    loop_want (transport->loop, fd, LOOP_READ, transport_idle_ready,
               transport);
  else
    loop_forget (transport->loop, fd);
  return 0;
}

static curl_socket_t
on_open_socket (void *data, curlsocktype purpose,
                struct curl_sockaddr *address)
{
  struct transfer *transfer = data;
  struct transport *transport = transfer->transport;
  int fd;

  (void) purpose;
  if (transport->guard && !transport->proxy
      && guard_check (transport->guard, &address->addr,
                      (socklen_t) address->addrlen, transfer->guard_reason)
           < 0)
    return CURL_SOCKET_BAD;
  transfer->n_opened++;
  fd = socket (address->family, address->socktype | SOCK_CLOEXEC,
               address->protocol);
  if (fd >= 0)
    transport_mark_open (transport, fd, true);
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int
on_close_socket (void *data, curl_socket_t fd)
{
  struct transport *transport = data;

  loop_forget (transport->loop, fd);
  transport_mark_open (transport, fd, false);
  return close (fd);
}

static int
on_timer (CURLM *multi, long after_ms, void *data)
{
  struct transport *transport = data;

  (void) multi;
  if (after_ms < 0)
    loop_timer_stop (transport->timer);
  else if (after_ms == 0)
    loop_timer_set (transport->timer, 0);
  else
    loop_timer_set (transport->timer,
                    date_monotonic_us () + after_ms * 1000);
  return 0;
}

static void
transport_timeout (void *data)
{
  struct transport *transport = data;
  int running;

  curl_multi_socket_action (transport->multi, CURL_SOCKET_TIMEOUT, 0,
                            &running);
  transport_collect (transport);
}

/* What arrives. */

static size_t
on_header (char *line, size_t size, size_t n, void *data)
{
  struct transfer *transfer = data;

  if (transfer->kind == TRANSFER_SMTP)
    return transfer->is_stopped ? 0 : size * n;
  return assembly_header (&transfer->reply, line, size * n) < 0 ? 0
                                                                : size * n;
}

static size_t
on_body (char *piece, size_t size, size_t n, void *data)
{
  struct transfer *transfer = data;

  if (transfer->kind == TRANSFER_SMTP)
    return size * n;            /* the dialogue has the lines already */
  return assembly_body (&transfer->reply, piece, size * n) < 0 ? 0 : size * n;
}

static bool
mail_needs_utf8 (const struct transport_mail *mail, size_t *ret_recipient)
{
  for (size_t i = 0; i < mail->n_to; i++)
    for (const char *c = mail->to[i]; *c; c++)
      if ((unsigned char) *c >= 0x80) {
        *ret_recipient = i;
        return true;
      }
  return false;
}

/* libcurl sends SMTPUTF8 if the server offers it, and the bare bytes if
 * not; the server would have to guess. */
static void
transfer_check_utf8 (struct transfer *transfer)
{
  struct smtp_dialogue *dialogue = &transfer->dialogue;
  const struct transport_mail *mail = transfer->request->mail;

  if (!mail || dialogue->stage != TRANSPORT_STAGE_SENDER
      || dialogue->has_utf8 || transfer->is_stopped
      || !mail_needs_utf8 (mail, &dialogue->recipient))
    return;
  transfer->is_stopped = true;
  dialogue->is_over = true;
  dialogue->status = 553;
  dialogue->stage = TRANSPORT_STAGE_RECIPIENT;
  buf_clear (&dialogue->text);
  buf_add_text (&dialogue->text, "the server does not offer SMTPUTF8, which "
                "an address with letters beyond ASCII needs");
}

/* libcurl waits, with the whole loop, for the answer to QUIT when it gives
 * up a connection.  Nobody needs that answer. */
static void
transfer_quit (struct transfer *transfer)
{
  if (transport_is_open (transfer->transport, transfer->fd))
    shutdown (transfer->fd, SHUT_RD);
  SET (transfer->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT,
       (long) TRANSPORT_QUIT_S);
}

static int
on_dialogue (CURL *easy, curl_infotype type, char *text, size_t len,
             void *data)
{
  struct transfer *transfer = data;

  (void) easy;
  if (type == CURLINFO_HEADER_OUT) {
    bool is_quit = len >= 4 && strncasecmp (text, "QUIT", 4) == 0;

    smtp_dialogue_command (&transfer->dialogue, text, len);
    transfer_check_utf8 (transfer);
    if (is_quit && transfer->dialogue.is_over)
      transfer_quit (transfer);
  } else if (type == CURLINFO_HEADER_IN)
    smtp_dialogue_reply (&transfer->dialogue, text, len);
  return 0;
}

/* Setting up. */

static void
transfer_prepare_smtp (struct transfer *transfer)
{
  CURL *easy = transfer->easy;

  SET (easy, CURLOPT_VERBOSE, 1L);
  SET (easy, CURLOPT_DEBUGFUNCTION, on_dialogue);
  SET (easy, CURLOPT_DEBUGDATA, transfer);
  /* Left out: mechanisms that ask other machines (GSSAPI, NTLM). */
  SET (easy, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5");
}

static void
transfer_prepare_http (struct transfer *transfer)
{
  CURL *easy = transfer->easy;

  SET (easy, CURLOPT_USERAGENT, "herald/" PACKAGE_VERSION);
  SET (easy, CURLOPT_PATH_AS_IS, 1L);
  SET (easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  /* For a mail connection that is given up in favour of this one. */
  SET (easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long) TRANSPORT_QUIT_S);
}

/* The options that all requests share. */
static void
transfer_prepare (struct transfer *transfer)
{
  struct transport *transport = transfer->transport;
  CURL *easy = transfer->easy;

  curl_easy_reset (easy);
  SET (easy, CURLOPT_NOSIGNAL, 1L);
  SET (easy, CURLOPT_PRIVATE, transfer);
  SET (easy, CURLOPT_ERRORBUFFER, transfer->detail);
  SET (easy, CURLOPT_SHARE, transport->share);
  SET (easy, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
  SET (easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET (easy, CURLOPT_FOLLOWLOCATION, 0L);
  SET (easy, CURLOPT_PROXY, transport->proxy ? transport->proxy : "");
  SET (easy, CURLOPT_NOPROXY, "");
  SET (easy, CURLOPT_TCP_KEEPALIVE, 1L);
  SET (easy, CURLOPT_UPLOAD_BUFFERSIZE, (long) TRANSPORT_UPLOAD_BUFFER);
  SET (easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
  /* A directory of CAs turns the cache of the certificate store off: 27 ms
   * a connection instead of 0.8. */
  SET (easy, CURLOPT_CAPATH, NULL);
  if (transport->ca_file)
    SET (easy, CURLOPT_CAINFO, transport->ca_file);
#if LIBCURL_VERSION_NUM >= 0x075700
  SET (easy, CURLOPT_CA_CACHE_TIMEOUT, (long) TRANSPORT_CA_CACHE_S);
#endif
  SET (easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  SET (easy, CURLOPT_OPENSOCKETDATA, transfer);
  SET (easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
  SET (easy, CURLOPT_CLOSESOCKETDATA, transport);
  SET (easy, CURLOPT_HEADERFUNCTION, on_header);
  SET (easy, CURLOPT_HEADERDATA, transfer);
  SET (easy, CURLOPT_WRITEFUNCTION, on_body);
  SET (easy, CURLOPT_WRITEDATA, transfer);
  if (transfer->kind == TRANSFER_SMTP)
    transfer_prepare_smtp (transfer);
  else
    transfer_prepare_http (transfer);
  transfer->is_prepared = true;
}

/* Room for n list nodes and len bytes of lines, so that neither moves
 * while it is filled. */
static void
transfer_reserve (struct transfer *transfer, size_t n, size_t len)
{
  buf_clear (&transfer->lines);
  buf_reserve (&transfer->lines, len);
  if (n <= transfer->n_nodes)
    return;
  transfer->n_nodes = n + 8;
  transfer->nodes = memory_resize (transfer->nodes, transfer->n_nodes,
                                   sizeof *transfer->nodes);
}

static struct curl_slist *
nodes_link (struct curl_slist *nodes, size_t n)
{
  for (size_t i = 0; i < n; i++)
    nodes[i].next = i + 1 < n ? &nodes[i + 1] : NULL;
  return n > 0 ? nodes : NULL;
}

static bool
has_line_end (const char *text, size_t len)
{
  return memchr (text, '\n', len) || memchr (text, '\r', len);
}

/* "Name: value", or what libcurl wants for a header without a value. */
static void
lines_add_header (struct buf *lines, const char *name, size_t name_len,
                  const char *value, size_t value_len)
{
  buf_add (lines, name, name_len);
  buf_add (lines, value_len > 0 ? ": " : ";", value_len > 0 ? 2 : 1);
  buf_add (lines, value, value_len);
  buf_add (lines, "", 1);
}

static int
transfer_set_headers (struct transfer *transfer, bool has_body)
{
  static char no_type[] = "Content-Type:", no_expect[] = "Expect:";
  const struct transport_request *request = transfer->request;
  const struct transport_header *headers = request->headers;
  size_t len = 0, n = 0;
  bool has_type = false;

  for (size_t i = 0; i < request->n_headers; i++)
    len += strlen (headers[i].name) + strlen (headers[i].value) + 3;
  transfer_reserve (transfer, request->n_headers + 2, len);
  for (size_t i = 0; i < request->n_headers; i++) {
    size_t name_len = strlen (headers[i].name);
    size_t value_len = strlen (headers[i].value);

    if (name_len == 0 || has_line_end (headers[i].name, name_len)
        || has_line_end (headers[i].value, value_len)) {
      transfer->fault = "a header has a line end in it";
      return -1;
    }
    if (name_len == 12 && strcasecmp (headers[i].name, "Content-Type") == 0)
      has_type = true;
    else if (name_len == 14
             && strcasecmp (headers[i].name, "Content-Length") == 0)
      continue;                 /* libcurl counts for itself */
    transfer->nodes[n++].data = transfer->lines.data + transfer->lines.len;
    lines_add_header (&transfer->lines, headers[i].name, name_len,
                      headers[i].value, value_len);
  }
  if (has_body && !has_type)
    transfer->nodes[n++].data = no_type;
  if (request->body_len >= TRANSPORT_EXPECT)
    transfer->nodes[n++].data = no_expect;
  SET (transfer->easy, CURLOPT_HTTPHEADER, nodes_link (transfer->nodes, n));
  return 0;
}

static int
transfer_set_http (struct transfer *transfer)
{
  const struct transport_request *request = transfer->request;
  const char *method = request->method;
  CURL *easy = transfer->easy;
  bool is_post = strcmp (method, "POST") == 0;
  bool has_body = request->body || is_post || strcmp (method, "PUT") == 0
                  || strcmp (method, "PATCH") == 0;

  if (transfer_set_headers (transfer, has_body) < 0)
    return -1;
  if (has_body) {
    SET (easy, CURLOPT_POST, 1L);
    SET (easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len);
    SET (easy, CURLOPT_POSTFIELDS,
         request->body ? (const char *) request->body : "");
  } else if (strcmp (method, "HEAD") == 0)
    SET (easy, CURLOPT_NOBODY, 1L);
  else
    SET (easy, CURLOPT_HTTPGET, 1L);
  SET (easy, CURLOPT_CUSTOMREQUEST, is_post ? NULL : method);
  SET (easy, CURLOPT_HTTP_VERSION,
       (long) (request->http2 ? CURL_HTTP_VERSION_2TLS
                              : CURL_HTTP_VERSION_1_1));
  SET (easy, CURLOPT_PIPEWAIT, request->http2 ? 1L : 0L);
  return 0;
}

/* One text as a part; its own buffer, because libcurl copies it. */
static void
mime_add_text (curl_mime *mime, const char *text, const char *type)
{
  struct buf crlf = BUF_INIT (0);
  curl_mimepart *part = curl_mime_addpart (mime);

  mail_text_add (&crlf, text);
  curl_mime_data (part, crlf.data, crlf.len);
  curl_mime_type (part, type);
  curl_mime_encoder (part, mail_text_encoding (crlf.data, crlf.len));
  buf_done (&crlf);
}

static int
transfer_set_mail_headers (struct transfer *transfer,
                           struct curl_slist *nodes)
{
  static char alternative[] = "Content-Type: multipart/alternative";
  const struct transport_mail *mail = transfer->request->mail;
  struct buf *lines = &transfer->lines;
  size_t n = 0;

  for (size_t i = 0; i < mail->n_headers; i++) {
    const char *name = mail->headers[i].name;
    size_t name_len = strlen (name);

    nodes[n++].data = lines->data + lines->len;
    buf_add (lines, name, name_len);
    buf_add (lines, ": ", 2);
    if (name_len == 0 || has_line_end (name, name_len)
        || mail_text_add_header (lines, mail->headers[i].value) < 0) {
      transfer->fault = "a header of the mail has a line end in it";
      return -1;
    }
    buf_add (lines, "", 1);
  }
  if (mail->text && mail->html)
    nodes[n++].data = alternative;
  SET (transfer->easy, CURLOPT_HTTPHEADER, nodes_link (nodes, n));
  return 0;
}

static int
transfer_set_mail (struct transfer *transfer)
{
  const struct transport_mail *mail = transfer->request->mail;
  CURL *easy = transfer->easy;
  size_t len = 0;

  for (size_t i = 0; i < mail->n_to; i++) {
    if (has_line_end (mail->to[i], strlen (mail->to[i]))) {
      transfer->fault = "a recipient has a line end in it";
      return -1;
    }
    len += strlen (mail->to[i]) + 1;
  }
  if (has_line_end (mail->from, strlen (mail->from))) {
    transfer->fault = "the sender has a line end in it";
    return -1;
  }
  /* A line end may become two bytes. */
  for (size_t i = 0; i < mail->n_headers; i++)
    len += strlen (mail->headers[i].name)
           + 2 * strlen (mail->headers[i].value) + 3;
  transfer_reserve (transfer, mail->n_to + mail->n_headers + 1, len);
  for (size_t i = 0; i < mail->n_to; i++) {
    transfer->nodes[i].data = transfer->lines.data + transfer->lines.len;
    buf_add (&transfer->lines, mail->to[i], strlen (mail->to[i]) + 1);
  }
  SET (easy, CURLOPT_MAIL_FROM, mail->from);
  SET (easy, CURLOPT_MAIL_RCPT, nodes_link (transfer->nodes, mail->n_to));
  if (transfer_set_mail_headers (transfer, transfer->nodes + mail->n_to) < 0)
    return -1;
  transfer->mime = curl_mime_init (easy);
  if (mail->text || !mail->html)
    mime_add_text (transfer->mime, mail->text ? mail->text : "",
                   "text/plain; charset=utf-8");
  if (mail->html)
    mime_add_text (transfer->mime, mail->html, "text/html; charset=utf-8");
  SET (easy, CURLOPT_MIMEPOST, transfer->mime);
  return 0;
}

static int
transfer_set_smtp (struct transfer *transfer)
{
  static const long use_ssl[] = {
    CURLUSESSL_ALL, CURLUSESSL_ALL, CURLUSESSL_TRY, CURLUSESSL_NONE
  };
  const struct transport_request *request = transfer->request;
  CURL *easy = transfer->easy;
  unsigned tls = request->tls;

  smtp_dialogue_clear (&transfer->dialogue);
  SET (easy, CURLOPT_USE_SSL, use_ssl[tls <= TRANSPORT_TLS_NEVER ? tls : 0]);
  if (request->user) {
    SET (easy, CURLOPT_USERNAME, request->user);
    SET (easy, CURLOPT_PASSWORD, request->password ? request->password : "");
  }
  if (request->mail)
    return transfer_set_mail (transfer);
  /* To log in is what is asked for: not on a connection that has. */
  SET (easy, CURLOPT_FRESH_CONNECT, 1L);
  SET (easy, CURLOPT_NOBODY, 1L);
  SET (easy, CURLOPT_CUSTOMREQUEST, "NOOP");
  return 0;
}

static int64_t
limit_or (int64_t limit_ms, int64_t otherwise)
{
  return limit_ms > 0 ? limit_ms : otherwise;
}

static int
transfer_set (struct transfer *transfer)
{
  const struct transport_request *request = transfer->request;
  CURL *easy = transfer->easy;

  if (!transfer->is_prepared)
    transfer_prepare (transfer);
  SET (easy, CURLOPT_URL, request->url);
  SET (easy, CURLOPT_CONNECTTIMEOUT_MS,
       (long) limit_or (request->connect_ms, TRANSPORT_CONNECT_MS));
  SET (easy, CURLOPT_TIMEOUT_MS,
       (long) limit_or (request->total_ms, TRANSPORT_TOTAL_MS));
  return transfer->kind == TRANSFER_SMTP ? transfer_set_smtp (transfer)
                                         : transfer_set_http (transfer);
}

/* From the start to the end of a transfer. */

static void
transfer_free (struct transfer *transfer)
{
  curl_easy_cleanup (transfer->easy);
  curl_mime_free (transfer->mime);
  assembly_done (&transfer->reply);
  smtp_dialogue_done (&transfer->dialogue);
  buf_done (&transfer->lines);
  free (transfer->nodes);
  free (transfer);
}

static struct transfer *
transfer_take (struct transport *transport, enum transfer_kind kind)
{
  struct transfer *transfer = transport->idle[kind];

  if (transfer) {
    transport->idle[kind] = transfer->next;
  } else {
    transfer = memory_zeroed (1, sizeof *transfer);
    transfer->transport = transport;
    transfer->kind = kind;
    assembly_init (&transfer->reply, transport->max_reply);
    buf_init (&transfer->lines, 0);
    transfer->easy = curl_easy_init ();
    if (!transfer->easy)
      memory_exhausted ();
  }
  transfer->prev = NULL;
  transfer->next = transport->busy;
  if (transport->busy)
    transport->busy->prev = transfer;
  transport->busy = transfer;
  transport->in_flight++;
  return transfer;
}

/* Off the busy list and away from libcurl; its memory is still there. */
static void
transfer_detach (struct transfer *transfer)
{
  struct transport *transport = transfer->transport;

  if (transfer->prev)
    transfer->prev->next = transfer->next;
  else
    transport->busy = transfer->next;
  if (transfer->next)
    transfer->next->prev = transfer->prev;
  transport->in_flight--;
  if (transfer->is_added)
    curl_multi_remove_handle (transport->multi, transfer->easy);
  transfer->is_added = false;
}

static void
transfer_give_back (struct transfer *transfer)
{
  struct transport *transport = transfer->transport;

  if (transfer->kind == TRANSFER_SMTP) {
    curl_easy_reset (transfer->easy);   /* it holds the password */
    curl_mime_free (transfer->mime);
    transfer->mime = NULL;
    transfer->is_prepared = false;
  } else
    assembly_clear (&transfer->reply);
  if (transfer->lines.size > TRANSPORT_KEPT)
    buf_done (&transfer->lines);
  transfer->request = NULL;
  transfer->next = transport->idle[transfer->kind];
  transport->idle[transfer->kind] = transfer;
}

/* Why there is no answer. */

static enum failure_cause
cause_of_certificate (CURL *easy)
{
  long verdict = 0;

  curl_easy_getinfo (easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
  switch (verdict) {            /* X509_V_ERR_... of OpenSSL */
  case 2: case 18: case 19: case 20: case 21: case 27:
    return FAILURE_CA_UNKNOWN;
  case 9: case 10:
    return FAILURE_CERTIFICATE_EXPIRED;
  case 0: case 62: case 64:
    return FAILURE_CERTIFICATE_NAME;
  default:
    return FAILURE_CERTIFICATE;
  }
}

/* A tunnel that the proxy refuses, or any other break. */
static enum failure_cause
cause_of_break (CURL *easy)
{
  long status = 0;

  curl_easy_getinfo (easy, CURLINFO_HTTP_CONNECTCODE, &status);
  if (status == 407)
    return FAILURE_PROXY_LOGIN;
  return status >= 300 ? FAILURE_PROXY : FAILURE_RESET;
}

/* Whether the connection stood, TLS included. */
static bool
was_connected (CURL *easy)
{
  curl_off_t at_us = 0;

  curl_easy_getinfo (easy, CURLINFO_PRETRANSFER_TIME_T, &at_us);
  return at_us > 0;
}

static enum failure_cause
transfer_cause (const struct transfer *transfer, CURLcode code)
{
  switch (code) {
  case CURLE_URL_MALFORMAT:
    return FAILURE_URL;
  case CURLE_UNSUPPORTED_PROTOCOL:      /* HTTP/0.9 is reported so, too */
    return was_connected (transfer->easy) ? FAILURE_NO_PROTOCOL
                                          : FAILURE_URL;
  case CURLE_COULDNT_RESOLVE_HOST:
    return FAILURE_RESOLVE;
  case CURLE_COULDNT_RESOLVE_PROXY:
    return FAILURE_RESOLVE_PROXY;
  case CURLE_COULDNT_CONNECT:
    return transfer->guard_reason[0] && transfer->n_opened == 0
             ? FAILURE_GUARD : FAILURE_CONNECT;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_ISSUER_ERROR:
    return cause_of_certificate (transfer->easy);
  case CURLE_SSL_CACERT_BADFILE:
    return FAILURE_CA_FILE;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_CIPHER:
    return FAILURE_TLS;
  case CURLE_USE_SSL_FAILED:
    return FAILURE_NO_STARTTLS;
  case CURLE_LOGIN_DENIED:
    return transfer->kind == TRANSFER_SMTP ? FAILURE_NO_LOGIN : FAILURE_URL;
  case CURLE_OPERATION_TIMEDOUT:
    return was_connected (transfer->easy) ? FAILURE_TIMEOUT
                                          : FAILURE_CONNECT_TIMEOUT;
  case CURLE_WEIRD_SERVER_REPLY:
    return FAILURE_NO_PROTOCOL;
  case CURLE_PROXY:
    return FAILURE_PROXY;
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
    return FAILURE_STREAM;
  case CURLE_GOT_NOTHING:
  case CURLE_RECV_ERROR:
  case CURLE_SEND_ERROR:
  case CURLE_PARTIAL_FILE:
    return cause_of_break (transfer->easy);
  default:
    return FAILURE_OTHER;
  }
}

static void
transfer_describe (struct transfer *transfer, CURLcode code,
                   struct transport_reply *reply)
{
  const struct transport_request *request = transfer->request;
  struct transport *transport = transfer->transport;
  struct failure failure = { .cause = FAILURE_REQUEST, .url = request->url };
  bool is_sent = false;
  long os_error = 0;

  buf_clear (&transport->error);
  failure.proxy = transport->proxy;
  failure.ca_file = transport->ca_file;
  failure.detail = transfer->fault;
  if (!transfer->fault) {
    failure.cause = transfer_cause (transfer, code);
    failure.detail = curl_easy_strerror (code);
    if (failure.cause == FAILURE_GUARD)
      failure.detail = transfer->guard_reason;
    else if (failure.cause == FAILURE_TLS && transfer->detail[0])
      failure.detail = transfer->detail;
    curl_easy_getinfo (transfer->easy, CURLINFO_OS_ERRNO, &os_error);
    is_sent = transfer->kind == TRANSFER_SMTP
                ? transfer->dialogue.has_message
                : was_connected (transfer->easy);
  }
  failure.os_error = (int) os_error;
  failure.limit_ms = limit_or (request->total_ms, TRANSPORT_TOTAL_MS);
  if (failure.cause == FAILURE_CONNECT_TIMEOUT) {
    int64_t connect_ms = limit_or (request->connect_ms, TRANSPORT_CONNECT_MS);

    if (connect_ms < failure.limit_ms)
      failure.limit_ms = connect_ms;
  }
  reply->result = failure_add (&transport->error, &failure);
  reply->error = transport->error.data;
  reply->is_maybe_sent = is_sent && reply->result == TRANSPORT_NO_ANSWER;
}

static void
transfer_fill_smtp (struct transfer *transfer, CURLcode code,
                    struct transport_reply *reply)
{
  const struct smtp_dialogue *dialogue = &transfer->dialogue;
  bool is_login_lost = code == CURLE_OK && transfer->request->user
                       && !transfer->request->mail && !dialogue->has_login;

  if (is_login_lost)
    code = CURLE_LOGIN_DENIED;
  else if (code == CURLE_OK || transfer->is_stopped
           || smtp_dialogue_is_refused (dialogue)) {
    reply->status = dialogue->status;
    reply->stage = code == CURLE_OK ? TRANSPORT_STAGE_DONE : dialogue->stage;
    if (dialogue->stage == TRANSPORT_STAGE_RECIPIENT)
      reply->recipient = dialogue->recipient;
    reply->body = dialogue->text.data;
    reply->body_len = dialogue->text.len;
    return;
  }
  transfer_describe (transfer, code, reply);
}

static void
transfer_fill_http (struct transfer *transfer, CURLcode code,
                    struct transport_reply *reply)
{
  struct assembly *assembly = &transfer->reply;

  /* Once a status came there is an answer, however it ended: error 92 of
   * libcurl 7.88 comes after a complete one. */
  if (assembly->status == 0) {
    transfer_describe (transfer, code, reply);
    return;
  }
  reply->status = assembly->status;
  reply->body = assembly->body.data;
  reply->body_len = assembly->body.len;
  reply->is_truncated = assembly->is_truncated || !assembly->is_block_over
                        || code != CURLE_OK;
  reply->headers = transfer->transport->headers;
  reply->n_headers
    = assembly_headers (assembly, transfer->transport->headers);
}

static void
transfer_finish (struct transfer *transfer, CURLcode code, bool is_cancelled)
{
  struct transport_reply reply = {
    .result = TRANSPORT_ANSWERED, .body = "", .error = ""
  };

  reply.elapsed_us = date_monotonic_us () - transfer->started_us;
  if (is_cancelled)
    reply.result = TRANSPORT_CANCELLED;
  else if (transfer->fault)
    transfer_describe (transfer, code, &reply);
  else if (transfer->kind == TRANSFER_SMTP)
    transfer_fill_smtp (transfer, code, &reply);
  else
    transfer_fill_http (transfer, code, &reply);
  transfer_detach (transfer);
  transfer->done (transfer->data, &reply);
  transfer_give_back (transfer);
}

static void
transport_collect (struct transport *transport)
{
  CURLMsg *message;
  int left;

  while ((message = curl_multi_info_read (transport->multi, &left))) {
    char *private = NULL;

    if (message->msg != CURLMSG_DONE)
      continue;
    curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, &private);
    transfer_finish ((struct transfer *) (void *) private,
                     message->data.result, false);
  }
}

/* Those that could not be sent; done must not be called from send. */
static void
transport_faults (void *data)
{
  struct transport *transport = data;
  struct transfer *transfer = transport->busy;

  while (transfer) {
    if (transfer->fault) {
      transfer_finish (transfer, CURLE_OK, false);
      transfer = transport->busy;       /* done may have changed the list */
    } else
      transfer = transfer->next;
  }
}

struct transfer *
transport_send (struct transport *transport,
                const struct transport_request *request,
                transport_done_fn *done, void *data)
{
  bool is_smtp = strncasecmp (request->url, "smtp", 4) == 0;
  struct transfer *transfer
    = transfer_take (transport, is_smtp ? TRANSFER_SMTP : TRANSFER_HTTP);

  transfer->request = request;
  transfer->done = done;
  transfer->data = data;
  transfer->started_us = date_monotonic_us ();
  transfer->fault = NULL;
  transfer->is_stopped = false;
  transfer->fd = CURL_SOCKET_BAD;
  transfer->n_opened = 0;
  transfer->guard_reason[0] = '\0';
  transfer->detail[0] = '\0';
  if (transfer_set (transfer) == 0) {
    if (curl_multi_add_handle (transport->multi, transfer->easy) == CURLM_OK)
      transfer->is_added = true;
    else
      transfer->fault = "libcurl does not take it";
  }
  if (transfer->fault)
    loop_timer_set (transport->fault_timer, 0);
  return transfer;
}

void
transport_cancel (struct transport *transport, struct transfer *transfer)
{
  (void) transport;
  transfer_finish (transfer, CURLE_OK, true);
}

size_t
transport_in_flight (const struct transport *transport)
{
  return transport->in_flight;
}

static int
ca_file_check (const char *path, char *ret_reason)
{
  FILE *file = fopen (path, "re");
  int c = file ? getc (file) : EOF;

  if (file)
    fclose (file);
  if (c != EOF)
    return 0;
  snprintf (ret_reason, 200, "the certificate authorities in %.80s can't be "
            "read: set <tls ca-file=\"...\"/> in herald.xml", path);
  return -1;
}

struct transport *
transport_new (struct loop *loop, const struct transport_config *config,
               char ret_reason[200])
{
  const char *ca_file = config->ca_file ? config->ca_file : HERALD_CA_BUNDLE;
  struct transport *transport;

  if (ca_file[0] && ca_file_check (ca_file, ret_reason) < 0)
    return NULL;
  if (curl_global_init (CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    snprintf (ret_reason, 200, "%s", "libcurl does not start");
    return NULL;
  }
  transport = memory_zeroed (1, sizeof *transport);
  transport->loop = loop;
  transport->guard = config->guard;
  transport->ca_file = ca_file[0] ? memory_strdup (ca_file) : NULL;
  if (config->proxy && config->proxy[0])
    transport->proxy = memory_strdup (config->proxy);
  transport->max_reply = config->max_reply;
  buf_init (&transport->error, 1024);
  transport->timer = loop_timer_new (loop, transport_timeout, transport);
  transport->fault_timer = loop_timer_new (loop, transport_faults, transport);
  transport->share = curl_share_init ();
  curl_share_setopt (transport->share, CURLSHOPT_SHARE,
                     CURL_LOCK_DATA_SSL_SESSION);
  transport->multi = curl_multi_init ();
  if (!transport->multi || !transport->share)
    memory_exhausted ();
  curl_multi_setopt (transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt (transport->multi, CURLMOPT_SOCKETDATA, transport);
  curl_multi_setopt (transport->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt (transport->multi, CURLMOPT_TIMERDATA, transport);
  curl_multi_setopt (transport->multi, CURLMOPT_MAXCONNECTS,
                     (long) config->max_connections);
  curl_multi_setopt (transport->multi, CURLMOPT_PIPELINING,
                     (long) CURLPIPE_MULTIPLEX);
  return transport;
}

void
transport_free (struct transport *transport)
{
  if (!transport)
    return;
  while (transport->busy)
    transport_cancel (transport, transport->busy);
  /* QUIT goes out, but nobody waits for what is said to it. */
  for (size_t fd = 0; fd < transport->n_open; fd++)
    if (transport->is_open[fd])
      shutdown ((int) fd, SHUT_RD);
  for (int kind = 0; kind < TRANSFER_KINDS; kind++)
    while (transport->idle[kind]) {
      struct transfer *transfer = transport->idle[kind];

      transport->idle[kind] = transfer->next;
      transfer_free (transfer);
    }
  curl_multi_cleanup (transport->multi);
  curl_share_cleanup (transport->share);
  loop_timer_free (transport->timer);
  loop_timer_free (transport->fault_timer);
  buf_done (&transport->error);
  free (transport->is_open);
  free (transport->ca_file);
  free (transport->proxy);
  free (transport);
  curl_global_cleanup ();
}
