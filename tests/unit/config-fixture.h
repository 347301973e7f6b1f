/* config-fixture.h - what the tests of core/config share: a directory of
 * their own, and a close look at problems.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/problem.h"

enum { FIXTURE_PATH = 512 };

/* A directory that only this process uses.  fixture_remove () goes no
 * deeper than one directory in it. */
static inline char *
fixture_directory (void)
{
  static char path[FIXTURE_PATH];
  const char *tmp = getenv ("TMPDIR");

  snprintf (path, sizeof path, "%s/herald-test.XXXXXX",
            tmp != NULL ? tmp : "/tmp");
  assert_non_null (mkdtemp (path));
  return path;
}

static inline void
fixture_remove (const char *directory)
{
  char command[FIXTURE_PATH + 20];

  snprintf (command, sizeof command, "rm -rf '%s'", directory);
  assert_int_equal (system (command), 0);
}

static inline const char *
fixture_path (const char *directory, const char *name)
{
  static char paths[4][FIXTURE_PATH];
  static unsigned next;
  char *path = paths[next++ % 4];
  int len = snprintf (path, FIXTURE_PATH, "%s/%s", directory, name);

  assert_in_range (len, 1, FIXTURE_PATH - 1);
  return path;
}

static inline const char *
fixture_write_bytes (const char *directory, const char *name,
                     const char *text, size_t len, mode_t mode)
{
  const char *path = fixture_path (directory, name);
  FILE *file = fopen (path, "wb");

  assert_non_null (file);
  assert_int_equal (fwrite (text, 1, len, file), len);
  assert_int_equal (fclose (file), 0);
  assert_int_equal (chmod (path, mode), 0);
  return path;
}

static inline const char *
fixture_write (const char *directory, const char *name, const char *text,
               mode_t mode)
{
  return fixture_write_bytes (directory, name, text, strlen (text), mode);
}

static inline void
fixture_print (const struct problems *problems)
{
  for (size_t k = 0; k < problems_count (problems); k++) {
    const struct problem *problem = problems_at (problems, k);

    print_error ("# %s %s:%u: %s\n",
                 problem->severity == PROBLEM_ERROR ? "error" : "warning",
                 problem->file, problem->line, problem->text);
  }
}

/* There is a problem of that kind in that line with exactly that text. */
static inline void
fixture_expect (const struct problems *problems,
                enum problem_severity severity, unsigned line,
                const char *text)
{
  for (size_t k = 0; k < problems_count (problems); k++) {
    const struct problem *problem = problems_at (problems, k);

    if (problem->severity == severity && problem->line == line
        && strcmp (problem->text, text) == 0)
      return;
  }
  fixture_print (problems);
  fail_msg ("no such problem: line %u: %s", line, text);
}

static inline void
fixture_expect_none (const struct problems *problems)
{
  if (problems_count (problems) == 0)
    return;
  fixture_print (problems);
  fail_msg ("there are %zu problems", problems_count (problems));
}

/* No problem holds that text. */
static inline void
fixture_expect_silence (const struct problems *problems, const char *text)
{
  for (size_t k = 0; k < problems_count (problems); k++)
    assert_null (strstr (problems_at (problems, k)->text, text));
}

#endif
