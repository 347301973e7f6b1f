/* answer.c - what the intake says: problem documents and plain texts.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/answer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/text.h"

/* RFC 9110, 15, and RFC 6585. */
static const struct {
  unsigned status;
  const char *title;
} answer_titles[] = {
  { 400, "Bad Request" },
  { 401, "Unauthorized" },
  { 403, "Forbidden" },
  { 404, "Not Found" },
  { 405, "Method Not Allowed" },
  { 408, "Request Timeout" },
  { 413, "Content Too Large" },
  { 415, "Unsupported Media Type" },
  { 417, "Expectation Failed" },
  { 429, "Too Many Requests" },
  { 500, "Internal Server Error" },
  { 501, "Not Implemented" },
  { 503, "Service Unavailable" },
};

const char *
answer_title (unsigned status)
{
  for (size_t i = 0; i < sizeof answer_titles / sizeof answer_titles[0]; i++)
    if (answer_titles[i].status == status)
      return answer_titles[i].title;
  return "Error";
}

void
answer_problem (struct http_answer *ret_answer, unsigned status,
                const char *fmt, ...)
{
  struct buf out = BUF_INIT (0);
  char detail[400];
  va_list args;

  va_start (args, fmt);
  vsnprintf (detail, sizeof detail, fmt, args);
  va_end (args);
  buf_printf (&out, "{\"type\":\"about:blank\",\"title\":\"%s\","
              "\"status\":%u,\"detail\":", answer_title (status), status);
  text_add_json (&out, detail, strlen (detail));
  buf_add_text (&out, "}\n");
  *ret_answer = (struct http_answer) {
    .status = status, .type = "application/problem+json", .len = out.len,
  };
  ret_answer->body = buf_steal (&out);
}

void
answer_field (struct http_answer *answer, const char *name,
              const char *value)
{
  for (size_t i = 0; i < HTTP_MAX_FIELDS; i++)
    if (answer->fields[i].name == NULL) {
      answer->fields[i] = (struct http_field) { name, value };
      return;
    }
}

void
answer_text (struct http_answer *ret_answer, unsigned status,
             const char *text)
{
  struct buf out = BUF_INIT (0);

  buf_printf (&out, "%s\n", text);
  *ret_answer = (struct http_answer) {
    .status = status, .type = "text/plain; charset=utf-8", .len = out.len,
  };
  ret_answer->body = buf_steal (&out);
}

void
answer_add_bytes (const struct http_answer *answer, const char *phrase,
                  struct buf *out)
{
  time_t now = (time_t) (date_now_ms () / 1000);
  struct tm parts;
  char date[40];

  gmtime_r (&now, &parts);
  strftime (date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  buf_printf (out, "HTTP/1.1 %u %s\r\nDate: %s\r\nConnection: close\r\n"
              "Content-Length: %zu\r\n", answer->status, phrase, date,
              answer->len);
  if (answer->type != NULL)
    buf_printf (out, "Content-Type: %s\r\n", answer->type);
  for (size_t i = 0; i < HTTP_MAX_FIELDS && answer->fields[i].name != NULL;
       i++)
    buf_printf (out, "%s: %s\r\n", answer->fields[i].name,
                answer->fields[i].value);
  buf_add_text (out, "\r\n");
  buf_add (out, answer->body, answer->len);
}
