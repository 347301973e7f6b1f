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
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/log_kinds.h"
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
  const char *process;
  bool is_journal;
  unsigned burst;
  int64_t within_us;
  log_sink_fn *sink;
  void *data;
} settings = { .level = LOG_LEVEL_NOTICE };

/* Of this thread: what it works on. */
static _Thread_local struct {
  const char *integration, *delivery;
} context_of;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

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
  context_of.integration = integration;
  context_of.delivery = delivery;
}

void
log_to (log_sink_fn *sink, void *data)
{
  settings.sink = sink;
  settings.data = data;
}

enum log_format
log_format_auto (void)
{
  return isatty (STDERR_FILENO) ? LOG_PLAIN : LOG_LOGFMT;
}

/* systemd.exec(5): JOURNAL_STREAM is the device and inode of what it gave
 * us; standard error may be something else by now. */
bool
log_is_journal (void)
{
  const char *stream = getenv ("JOURNAL_STREAM");
  char own[64];
  struct stat st;

  if (stream == NULL || fstat (STDERR_FILENO, &st) != 0)
    return false;
  snprintf (own, sizeof own, "%llu:%llu", (unsigned long long) st.st_dev,
            (unsigned long long) st.st_ino);
  return strcmp (stream, own) == 0;
}

void
log_for_journal (bool is_journal)
{
  settings.is_journal = is_journal;
}

void
log_process (const char *name)
{
  settings.process = name;
}

/* What a line is about; NULL values are left out. */
struct context {
  const char *name, *value;
};

static void
add_plain (struct buf *line, enum log_level level, const char *message,
           const struct context *context)
{
  const char *separator = " [";

  buf_add_text (line, "herald");
  if (settings.process != NULL)
    buf_printf (line, " %s", settings.process);
  buf_add_text (line, ": ");
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
  if (!settings.is_journal) {
    buf_add_text (line, "ts=");
    date_add_rfc3339 (line, date_now_ms ());
    buf_add_char (line, ' ');
  }
  buf_printf (line, "level=%s msg=", level_word (level));
  text_add_json (line, message, strlen (message));
  if (settings.process != NULL)
    buf_printf (line, " process=%s", settings.process);
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
  buf_add_char (line, '{');
  if (!settings.is_journal) {
    buf_add_text (line, "\"ts\":\"");
    date_add_rfc3339 (line, date_now_ms ());
    buf_add_text (line, "\",");
  }
  buf_printf (line, "\"level\":\"%s\",\"msg\":", level_word (level));
  text_add_json (line, message, strlen (message));
  if (settings.process != NULL)
    buf_printf (line, ",\"process\":\"%s\"", settings.process);
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
log_line (enum log_level level, const char *integration,
          const char *delivery, const char *text, size_t len)
{
  struct buf message = BUF_INIT (0), line = BUF_INIT (0);
  struct buf values[2] = { BUF_INIT (0), BUF_INIT (0) };
  struct context context[3] = { { NULL, NULL } };
  size_t n = 0, max_chars = MESSAGE_CHARS;

  if (integration != NULL) {
    redact_add (&values[n], integration, strlen (integration), VALUE_CHARS);
    context[n] = (struct context) { "integration", values[n].data };
    n++;
  }
  if (delivery != NULL) {
    redact_add (&values[n], delivery, strlen (delivery), VALUE_CHARS);
    context[n] = (struct context) { "delivery", values[n].data };
    n++;
  }
  do {
    buf_clear (&message);
    buf_clear (&line);
    if (settings.is_journal)
      buf_printf (&line, "<%d>", (int) level);
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
  buf_done (&values[0]);
  buf_done (&values[1]);
  buf_done (&line);
}

void
log_limit (unsigned burst, int64_t within_ms)
{
  pthread_mutex_lock (&mutex);
  settings.burst = burst;
  settings.within_us = within_ms * 1000;
  pthread_mutex_unlock (&mutex);
}

static void
tell_held (enum log_level level, const char *integration, const char *text,
           size_t len)
{
  log_line (level, integration, NULL, text, len);
}

void
log_settle (bool is_all)
{
  pthread_mutex_lock (&mutex);
  log_kinds_settle (is_all ? 0 : settings.within_us, tell_held);
  pthread_mutex_unlock (&mutex);
}

void
log_at (enum log_level level, const char *fmt, va_list args)
{
  struct buf text = BUF_INIT (0);
  int saved = errno;

  if (level > settings.level)
    return;
  buf_vprintf (&text, fmt, args);
  pthread_mutex_lock (&mutex);
  if (settings.burst > 0) {
    const struct log_kinds_line line = {
      .level = level, .fmt = fmt, .integration = context_of.integration,
      .text = text.data,
    };

    log_kinds_settle (settings.within_us, tell_held);
    if (log_kinds_hold (&line, settings.burst, tell_held))
      level = LOG_LEVEL_DEBUG + 1;
  }
  if (level <= LOG_LEVEL_DEBUG)
    log_line (level, context_of.integration, context_of.delivery, text.data,
              text.len);
  pthread_mutex_unlock (&mutex);
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
