/* problem.h - what is wrong with a configuration, all of it at once.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_PROBLEM_H
#define HERALD_PROBLEM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum problem_severity { PROBLEM_ERROR, PROBLEM_WARNING };

struct problem {
  enum problem_severity severity;
  const char *file;             /* "" if it concerns none */
  unsigned line;                /* 0: none */
  const char *integration;      /* "" if it concerns none or all */
  const char *text;             /* what, why, what to do; redacted */
};

struct problems;

struct problems *problems_new (void);
void problems_free (struct problems *problems);
void problems_add (struct problems *problems,
                   enum problem_severity severity, const char *file,
                   unsigned line, const char *integration,
                   const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 6, 7)));
void problems_vadd (struct problems *problems,
                    enum problem_severity severity, const char *file,
                    unsigned line, const char *integration,
                    const char *fmt, va_list args)
  __attribute__ ((__format__ (__printf__, 6, 0)));
/* Beyond 500 problems the rest is not kept, so there may be more errors
 * and warnings than problems to look at. */
size_t problems_count (const struct problems *problems);
size_t problems_errors (const struct problems *problems);
size_t problems_warnings (const struct problems *problems);
const struct problem *problems_at (const struct problems *problems,
                                   size_t k);   /* NULL past the last */
/* A line of the log. */
void problem_log (const struct problem *problem);
/* One line of the log each, errors alone or warnings too; true if there
 * were errors. */
bool problems_log (const struct problems *problems, bool has_warnings);

#endif
