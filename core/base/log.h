/* log.h - one line for each thing worth telling, on standard error.
 *
 * Every line passes through redact.h.  Levels are those of syslog(3).
 * Lines are "herald: text" on a terminal or by default, logfmt or JSON
 * where asked for.  Any thread may log.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LOG_H
#define HERALD_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level {
  LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO,
  LOG_LEVEL_DEBUG
};

enum log_format { LOG_PLAIN, LOG_LOGFMT, LOG_JSON };

/* Lines above level are dropped.  The default: LOG_LEVEL_NOTICE, PLAIN. */
void log_setup (enum log_level level, enum log_format format);

/* What auto means here: plain on a terminal, logfmt otherwise. */
enum log_format log_format_auto (void);

/* Lines go to systemd's journal: whether standard error does is found out
 * here.  There they begin with their level in the way of syslog ("<4>"),
 * and without the time, which the journal has. */
bool log_is_journal (void);
void log_for_journal (bool is_journal);

/* The process of a daemon: "intake", "worker-0".  NULL: not told.  The
 * string must live on. */
void log_process (const char *name);

/* At most burst lines of one kind (of one call in the source, about one
 * integration) in each within_ms; those held back are counted, and the
 * last of them told with their number.  burst 0: no limit, as at first. */
void log_limit (unsigned burst, int64_t within_ms);
/* Tell what was held back and is over; is_all: at once, at the end.
 * Every line that is logged does so as well. */
void log_settle (bool is_all);

/* What is being worked on: added to each line until cleared with NULLs.
 * The strings must live that long. */
void log_context (const char *integration, const char *delivery);

/* fmt is one line without a full stop: what, which, why, what to do. */
void log_error (const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 1, 2)));
void log_warning (const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 1, 2)));
void log_notice (const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 1, 2)));
void log_info (const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 1, 2)));
void log_debug (const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 1, 2)));
void log_at (enum log_level level, const char *fmt, va_list args)
  __attribute__ ((__format__ (__printf__, 2, 0)));

/* A test or the progress bar takes the finished lines (without newline)
 * instead of standard error; NULL gives them back. */
typedef void log_sink_fn (void *data, enum log_level level,
                          const char *line);
void log_to (log_sink_fn *sink, void *data);

#endif
