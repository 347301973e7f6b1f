/* log_kinds.h - lines of one kind, counted, so that a flood of them is
 * told once.  log.c's own; it holds the lock.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LOG_KINDS_H
#define HERALD_LOG_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

struct log_kinds_line {
  enum log_level level;
  const char *fmt;              /* lines of one fmt are of one kind, unless
                                   it has no words of its own */
  const char *integration;      /* or NULL */
  const char *text;
};

typedef void log_kinds_fn (enum log_level level, const char *integration,
                           const char *text, size_t len);

/* True if this is one more than burst of its kind; it is kept then, and
 * told later. */
bool log_kinds_hold (const struct log_kinds_line *line, unsigned burst,
                     log_kinds_fn *tell);

/* Tell of what was held back, and forget all that began within_us ago or
 * before. */
void log_kinds_settle (int64_t within_us, log_kinds_fn *tell);

#endif
