/* problem.c - what is wrong with a configuration, all of it at once.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/redact.h"

/* A file of a megabyte could have an error in each of its bytes: beyond
 * so many problems they are counted and no longer kept. */
enum { MOST_KEPT = 500, MOST_CHARS = 1000, MOST_BYTES = 8192 };

struct problems {
  struct arena *arena;
  struct problem *items;
  size_t n, size;
  size_t n_errors, n_warnings;  /* those not kept as well */
};

struct problems *
problems_new (void)
{
  struct problems *problems = memory_zeroed (1, sizeof *problems);

  problems->arena = arena_new (0);
  return problems;
}

void
problems_free (struct problems *problems)
{
  if (problems == NULL)
    return;
  arena_free (problems->arena);
  free (problems->items);
  free (problems);
}

static struct problem *
problems_push (struct problems *problems)
{
  if (problems->n == problems->size) {
    problems->size = problems->size > 0 ? 2 * problems->size : 16;
    problems->items = memory_resize (problems->items, problems->size,
                                     sizeof *problems->items);
  }
  return &problems->items[problems->n++];
}

static const char * __attribute__ ((__format__ (__printf__, 2, 0)))
redacted (struct problems *problems, const char *fmt, va_list args)
{
  struct buf raw = BUF_INIT (MOST_BYTES);
  struct buf clean = BUF_INIT (0);
  const char *text;

  buf_vprintf (&raw, fmt, args);
  redact_add (&clean, raw.data, raw.len, MOST_CHARS);
  text = arena_strndup (problems->arena, clean.data, clean.len);
  memory_wipe (raw.data, raw.len);
  buf_done (&raw);
  buf_done (&clean);
  return text;
}

void
problems_vadd (struct problems *problems, enum problem_severity severity,
               const char *file, unsigned line, const char *integration,
               const char *fmt, va_list args)
{
  struct problem *problem;

  if (severity == PROBLEM_ERROR)
    problems->n_errors++;
  else
    problems->n_warnings++;
  if (problems->n > MOST_KEPT)
    return;
  problem = problems_push (problems);
  problem->severity = severity;
  problem->file = arena_strdup (problems->arena, file != NULL ? file : "");
  problem->line = line;
  problem->integration = arena_strdup (problems->arena,
                                       integration != NULL ? integration
                                                           : "");
  if (problems->n <= MOST_KEPT)
    problem->text = redacted (problems, fmt, args);
  else
    problem->text = "there are more problems than are shown; mend those "
                    "above first";
}

void
problems_add (struct problems *problems, enum problem_severity severity,
              const char *file, unsigned line, const char *integration,
              const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  problems_vadd (problems, severity, file, line, integration, fmt, args);
  va_end (args);
}

size_t
problems_count (const struct problems *problems)
{
  return problems->n;
}

size_t
problems_errors (const struct problems *problems)
{
  return problems->n_errors;
}

size_t
problems_warnings (const struct problems *problems)
{
  return problems->n_warnings;
}

const struct problem *
problems_at (const struct problems *problems, size_t k)
{
  return k < problems->n ? &problems->items[k] : NULL;
}

void
problem_log (const struct problem *problem)
{
  char where[512] = "";

  if (*problem->file != '\0' && problem->line > 0)
    snprintf (where, sizeof where, "%s:%u: ", problem->file, problem->line);
  else if (*problem->file != '\0')
    snprintf (where, sizeof where, "%s: ", problem->file);
  if (*problem->integration != '\0')
    log_context (problem->integration, NULL);
  if (problem->severity == PROBLEM_ERROR)
    log_error ("%s%s", where, problem->text);
  else
    log_warning ("%s%s", where, problem->text);
  log_context (NULL, NULL);
}

bool
problems_log (const struct problems *problems, bool has_warnings)
{
  for (size_t i = 0; i < problems_count (problems); i++)
    if (has_warnings || problems_at (problems, i)->severity == PROBLEM_ERROR)
      problem_log (problems_at (problems, i));
  return problems_errors (problems) > 0;
}
