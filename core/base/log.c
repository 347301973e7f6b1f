/* log.c - one line for each thing worth telling, on standard error.
 *
 * A line is at most PIPE_BUF bytes, so that one write (2) puts it whole
 * into a pipe that several processes share.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/redact.h"
#include "base/text.h"

enum {
  LINE_LEN = PIPE_BUF,
  MESSAGE_CHARS = 3000,         /* the first try; halved while too long */
  VALUE_CHARS = 200             /* of what is being worked on */
};

static struct {
  enum log_level level;
  enum log_format format;
  const char *integration, *delivery;
  log_sink_fn *sink;
  void *data;
} settings = { LOG_LEVEL_NOTICE, LOG_PLAIN, NULL, NULL, NULL, NULL };

static const char *
level_word (enum log_level level)
{
  switch (level) {
  case LOG_LEVEL_ERROR: return "error";
  case LOG_LEVEL_WARNING: return "warning";
  case LOG_LEVEL_NOTICE: return "notice";
  case LOG_LEVEL_INFO: return "info";
  default: return "debug";
  }
}

void
log_setup (enum log_level level, enum log_format format)
{
  settings.level = level;
  settings.format = format;
}

void
log_context (const char *integration, const char *delivery)
{
  settings.integration = integration;
  settings.delivery = delivery;
}

void
log_to (log_sink_fn *sink, void *data)
{
  settings.sink = sink;
  settings.data = data;
}

/* The two things that may be worked on; NULL values are left out. */
struct context {
  const char *name, *value;
};

static void
add_plain (struct buf *line, enum log_level level, const char *message,
           const struct context *context)
{
  const char *separator = " [";

  buf_add_text (line, "herald: ");
  if (level <= LOG_LEVEL_WARNING)
    buf_printf (line, "%s: ", level_word (level));
  buf_add_text (line, message);
  for (; context->name != NULL; context++)
    if (context->value != NULL) {
      buf_printf (line, "%s%s=%s", separator, context->name, context->value);
      separator = " ";
    }
  if (*separator == ' ' && separator[1] == '\0')
    buf_add_char (line, ']');
}

/* Quoted unless it is a plain word. */
static void
add_logfmt_value (struct buf *line, const char *value)
{
  if (*value == '\0' || strpbrk (value, " =\"\\") != NULL)
    text_add_json (line, value, strlen (value));
  else
    buf_add_text (line, value);
}

static void
add_logfmt (struct buf *line, enum log_level level, const char *message,
            const struct context *context)
{
  buf_add_text (line, "ts=");
  date_add_rfc3339 (line, date_now_ms ());
  buf_printf (line, " level=%s msg=", level_word (level));
  text_add_json (line, message, strlen (message));
  for (; context->name != NULL; context++)
    if (context->value != NULL) {
      buf_printf (line, " %s=", context->name);
      add_logfmt_value (line, context->value);
    }
}

static void
add_json (struct buf *line, enum log_level level, const char *message,
          const struct context *context)
{
  buf_add_text (line, "{\"ts\":\"");
  date_add_rfc3339 (line, date_now_ms ());
  buf_printf (line, "\",\"level\":\"%s\",\"msg\":", level_word (level));
  text_add_json (line, message, strlen (message));
  for (; context->name != NULL; context++)
    if (context->value != NULL) {
      buf_printf (line, ",\"%s\":", context->name);
      text_add_json (line, context->value, strlen (context->value));
    }
  buf_add_char (line, '}');
}

/* A signal may cut a write short; what is left follows at once. */
static void
write_line (struct buf *line)
{
  const char *p;
  size_t left;

  buf_add_char (line, '\n');
  p = line->data;               /* only now: adding may have moved it */
  for (left = line->len; left > 0;) {
    ssize_t n = write (STDERR_FILENO, p, left);

    if (n < 0 && errno != EINTR)
      return;                   /* nobody listens, and whom to tell? */
    if (n > 0) {
      p += n;
      left -= (size_t) n;
    }
  }
}

static void
log_line (enum log_level level, const char *text, size_t len)
{
  struct buf message = BUF_INIT (0), integration = BUF_INIT (0);
  struct buf delivery = BUF_INIT (0), line = BUF_INIT (0);
  struct context context[3] = { { NULL, NULL } };
  size_t n = 0, max_chars = MESSAGE_CHARS;

  if (settings.integration != NULL) {
    redact_add (&integration, settings.integration,
                strlen (settings.integration), VALUE_CHARS);
    context[n++] = (struct context) { "integration", integration.data };
  }
  if (settings.delivery != NULL) {
    redact_add (&delivery, settings.delivery, strlen (settings.delivery),
                VALUE_CHARS);
    context[n++] = (struct context) { "delivery", delivery.data };
  }
  do {
    buf_clear (&message);
    buf_clear (&line);
    redact_add (&message, text, len, max_chars);
    if (settings.format == LOG_LOGFMT)
      add_logfmt (&line, level, message.data, context);
    else if (settings.format == LOG_JSON)
      add_json (&line, level, message.data, context);
    else
      add_plain (&line, level, message.data, context);
    max_chars /= 2;
  } while (line.len >= LINE_LEN && max_chars > 0);
  if (settings.sink != NULL)
    settings.sink (settings.data, level, line.data);
  else
    write_line (&line);
  buf_done (&message);
  buf_done (&integration);
  buf_done (&delivery);
  buf_done (&line);
}

void
log_at (enum log_level level, const char *fmt, va_list args)
{
  struct buf text = BUF_INIT (0);
  int saved = errno;

  if (level > settings.level)
    return;
  buf_vprintf (&text, fmt, args);
  log_line (level, text.data, text.len);
  buf_done (&text);
  errno = saved;
}

void
log_error (const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  log_at (LOG_LEVEL_ERROR, fmt, args);
  va_end (args);
}

void
log_warning (const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  log_at (LOG_LEVEL_WARNING, fmt, args);
  va_end (args);
}

void
log_notice (const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  log_at (LOG_LEVEL_NOTICE, fmt, args);
  va_end (args);
}

void
log_info (const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  log_at (LOG_LEVEL_INFO, fmt, args);
  va_end (args);
}

void
log_debug (const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  log_at (LOG_LEVEL_DEBUG, fmt, args);
  va_end (args);
}
