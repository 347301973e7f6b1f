/* log.h - one line for each thing worth telling, on standard error.
 *
 * Every line passes through redact.h.  Levels are those of syslog(3).
 * Lines are "herald: text" on a terminal or by default, logfmt or JSON
 * where asked for.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LOG_H
#define HERALD_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
  LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO,
  LOG_LEVEL_DEBUG
};

enum log_format { LOG_PLAIN, LOG_LOGFMT, LOG_JSON };

/* Lines above level are dropped.  The default: LOG_LEVEL_NOTICE, PLAIN. */
void log_setup (enum log_level level, enum log_format format);

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
