/* request_body.c - what a request carries: JSON, parameters, a mail.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "host_table.h"
#include "job_state.h"

/* For the bodies checked: one at a time. */
static struct json_index body_index;

bool
request_is_kind (struct herald_request *request, enum request_body kind)
{
  if (request == NULL || request->job == NULL)
    return false;
  if (request->is_sealed) {
    job_spoil (request->job, "it wrote to a request after its callback");
    return false;
  }
  if (request->kind != REQUEST_NO_BODY && request->kind != kind) {
    job_spoil (request->job, "a request has bodies of two kinds");
    return false;
  }
  request->kind = kind;
  return true;
}

void
request_append (struct herald_request *request, const char *fmt, ...)
{
  va_list args;

  if (fmt == NULL || !request_is_kind (request, REQUEST_JSON))
    return;
  va_start (args, fmt);
  /* A record as it is: nearly every request has one, and vsnprintf would
   * go over it twice. */
  if (fmt[0] == '%' && fmt[1] == 's' && fmt[2] == '\0') {
    const char *text = va_arg (args, const char *);

    buf_add_text (&request->body, text != NULL ? text : "null");
  } else
    buf_vprintf (&request->body, fmt, args);
  va_end (args);
}

/* What stands before a member, or an item if there is no name. */
static void
add_name (struct buf *body, const char *name)
{
  if (body->len > 0 && strchr ("{[", body->data[body->len - 1]) == NULL)
    buf_add_char (body, ',');
  if (name == NULL)
    return;
  text_add_json (body, name, strlen (name));
  buf_add_char (body, ':');
}

void
request_append_member (struct herald_request *request, const char *name,
                       const char *text)
{
  if (text == NULL || *text == '\0'
      || !request_is_kind (request, REQUEST_JSON))
    return;
  add_name (&request->body, name);
  text_add_json (&request->body, text, strlen (text));
}

void
request_append_values (struct herald_request *request, const char *name,
                       const char *setting)
{
  const struct herald_settings *settings;
  const char *text;

  if (!request_is_kind (request, REQUEST_JSON))
    return;
  settings = request->job->integration->settings;
  if (host_text (settings, setting) == NULL)
    return;
  add_name (&request->body, name);
  buf_add_char (&request->body, '[');
  for (size_t k = 0; (text = host_text_at (settings, setting, k)) != NULL; k++)
    request_append_member (request, NULL, text);
  buf_add_char (&request->body, ']');
}

void
request_body (struct herald_request *request, const char *content_type,
              const void *data, size_t len)
{
  if (request != NULL && request->kind == REQUEST_BYTES
      && !request->is_sealed) {
    job_spoil (request->job, "a request has two bodies");
    return;
  }
  if (!request_is_kind (request, REQUEST_BYTES))
    return;
  if (content_type != NULL)
    request_header (request, "Content-Type", content_type);
  if (data != NULL)
    buf_add (&request->body, data, len);
}

void
request_param (struct herald_request *request, const char *name,
               const char *value)
{
  struct buf *body;

  if (name == NULL || value == NULL
      || !request_is_kind (request, REQUEST_PARAMS))
    return;
  body = &request->body;
  if (body->len > 0)
    buf_add_char (body, '&');
  text_add_url (body, name, strlen (name));
  buf_add_char (body, '=');
  text_add_url (body, value, strlen (value));
}

void
request_message (struct herald_request *request, size_t i,
                 const struct herald_mailbox *from)
{
  const struct slot *slot;
  struct job *job;

  if (!request_is_kind (request, REQUEST_MESSAGE))
    return;
  job = request->job;
  if (i >= job_shown (job)) {
    job_spoil (job, "it sends the mail of delivery %zu of %zu", i,
               job_shown (job));
    return;
  }
  slot = job_slot (job, i);
  if (slot->mail == NULL) {
    job_spoil (job, "it sends a mail and is no mailer");
    return;
  }
  request->message = message_new (job->arena, slot->mail, from,
                                  slot->delivery.id, date_now_ms ());
  if (request->message == NULL)
    job_spoil (job, "it sends a mail without sender or text");
}

const char *
request_body_text (const struct herald_request *request, size_t *ret_len)
{
  const char *text = "";
  size_t len = 0;

  if (request != NULL && request->kind == REQUEST_FORM
      && !request->is_sealed) {
    struct buf out = BUF_INIT (REQUEST_MAX_BODY);
    char boundary[40];

    request_write_form (request, boundary, &out);
    text = arena_strndup (request->job->arena, out.data, out.len);
    len = out.len;
    buf_done (&out);
  } else if (request != NULL) {
    text = request->body.data;
    len = request->body.len;
  }
  if (ret_len != NULL)
    *ret_len = len;
  return text;
}

/* "application/json; charset=utf-8", "application/problem+json" */
static bool
is_json_type (const char *type)
{
  char name[100];
  size_t len = strcspn (type, "; \t");

  if (len >= sizeof name)
    return false;
  memcpy (name, type, len);
  name[len] = '\0';
  return text_equal_fold (name, "application/json")
         || (len > 5 && text_equal_fold (name + len - 5, "+json"));
}

static const char *
type_of (const struct herald_request *request)
{
  for (size_t k = 0; k < request->n_headers; k++)
    if (text_equal_fold (request->headers[k].name, "Content-Type"))
      return request->headers[k].value;
  return "";
}

/* What the host wrote itself and the plugin left as it was. */
static bool
body_is_known (const struct herald_request *request)
{
  const struct buf *body = &request->body;
  const struct job *job = request->job;
  const struct slot *slot = job_shown (job) == 1 ? job_slot (job, 0) : NULL;

  if (body->len > 0 && body->len == request->merged_len)
    return true;
  return slot != NULL && slot->record != NULL
         && body->len == slot->record_len
         && memcmp (body->data, slot->record, body->len) == 0;
}

void
request_check_body (struct herald_request *request)
{
  const struct buf *body = &request->body;
  bool is_json = request->kind == REQUEST_JSON;
  struct json_error error;

  if (body->is_over) {
    job_spoil (request->job, "the body of a request is larger than 32 MiB");
    return;
  }
  if (request->kind == REQUEST_BYTES) {
    const char *type = type_of (request);

    is_json = is_json_type (type);
    if (strncmp (type, "text/", 5) == 0
        && !text_is_utf8 (body->data, body->len))
      job_spoil (request->job, "the body of a request is not UTF-8");
  }
  if (request->kind == REQUEST_FORM && !text_is_utf8 (body->data, body->len))
    job_spoil (request->job, "the body of a request is not UTF-8");
  if (is_json && !body_is_known (request)
      && json_index_read (&body_index, body->data, body->len,
                          REQUEST_MAX_DEPTH, 0, &error)
           < 0)
    job_spoil (request->job,
               "the body of a request is no JSON: %s at byte "
               "%zu",
               error.reason, error.offset);
}
