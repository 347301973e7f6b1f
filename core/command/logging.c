/* logging.c - how this run logs.
 *
 * SPDX-License-Identifier: MIT
 */

#include "logging.h"

#include <string.h>

#include "base/log.h"

enum {                          /* of one kind of line, of a daemon */
  BURST = 20,
  WITHIN_MS = 30 * 1000
};

/* In the order of enum herald_log_format. */
static const char *const formats[] = { "auto", "plain", "logfmt", "json" };

static int
logging_read (const char *text)
{
  for (int i = 0; i < 4; i++)
    if (strcmp (text, formats[i]) == 0)
      return i;
  return -1;
}

bool
logging_is_format (const char *text)
{
  return logging_read (text) >= 0;
}

static enum log_format
logging_format (int format)
{
  switch (format) {
  case HERALD_LOG_PLAIN: return LOG_PLAIN;
  case HERALD_LOG_LOGFMT: return LOG_LOGFMT;
  case HERALD_LOG_JSON: return LOG_JSON;
  default: return log_format_auto ();
  }
}

static enum log_level
logging_level (const struct command_globals *globals, enum log_level level)
{
  if (globals->verbosity == 0)
    return level;
  return globals->verbosity == 1 ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

void
logging_begin (const struct command_globals *globals)
{
  log_setup (logging_level (globals, LOG_LEVEL_NOTICE),
             globals->log_format == NULL
               ? LOG_PLAIN
               : logging_format (logging_read (globals->log_format)));
}

void
logging_daemon (const struct command_globals *globals, const char *process,
                const struct herald_log *log)
{
  int format = log != NULL ? (int) log->format : HERALD_LOG_AUTO;

  if (globals->log_format != NULL)
    format = logging_read (globals->log_format);
  log_setup (logging_level (globals, log != NULL ? log->level
                                                 : LOG_LEVEL_NOTICE),
             logging_format (format));
  log_for_journal (log_is_journal ());
  log_process (process);
  log_limit (BURST, WITHIN_MS);
}
