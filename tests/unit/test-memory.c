/* test-memory.c - base/memory keeps its promises.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

static void
test_nothing_is_something (void **state)
{
  void *p = memory_alloc (0);

  (void) state;
  assert_non_null (p);
  p = memory_resize (p, 0, 8);
  assert_non_null (p);
  free (p);
  p = memory_zeroed (0, 8);
  assert_non_null (p);
  free (p);
}

static void
test_zeroed_and_resized (void **state)
{
  unsigned char *p = memory_zeroed (7, 3);

  (void) state;
  for (size_t i = 0; i < 21; i++)
    assert_int_equal (p[i], 0);
  memset (p, 5, 21);
  p = memory_resize (p, 100, 3);
  for (size_t i = 0; i < 21; i++)
    assert_int_equal (p[i], 5);
  free (p);
}

static void
test_copies (void **state)
{
  static const char bytes[] = { 'a', 'b', 'c' };        /* no NUL */
  char *copy = memory_strdup ("");

  (void) state;
  assert_string_equal (copy, "");
  free (copy);
  copy = memory_strndup (bytes, 3);
  assert_string_equal (copy, "abc");
  free (copy);
  copy = memory_strndup ("ab\0cd", 5);
  assert_string_equal (copy, "ab");
  free (copy);
  copy = memory_strndup (NULL, 0);
  assert_string_equal (copy, "");
  free (copy);
}

static void
test_wipe (void **state)
{
  char secret[] = "secret";

  (void) state;
  memory_wipe (secret, 4);
  assert_memory_equal (secret, "\0\0\0\0et", 7);
  memory_wipe (NULL, 0);
}

/* What the process says and how it ends if die () runs in it. */
static void
assert_exhausted (void (*die) (void))
{
  char said[64] = "";
  int ends[2], status;
  pid_t child;

  assert_int_equal (pipe (ends), 0);
  child = fork ();
  if (child == 0) {
    dup2 (ends[1], STDERR_FILENO);
    die ();
    _exit (0);
  }
  close (ends[1]);
  assert_true (read (ends[0], said, sizeof said - 1) >= 0);
  close (ends[0]);
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_true (WIFEXITED (status));
  assert_int_equal (WEXITSTATUS (status), 71);
  assert_string_equal (said, "herald: out of memory\n");
}

static void
resize_past_all (void)
{
  free (memory_resize (NULL, SIZE_MAX / 2, 3));
}

static void
test_exhausted (void **state)
{
  (void) state;
  assert_exhausted (memory_exhausted);
  assert_exhausted (resize_past_all);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_nothing_is_something),
    cmocka_unit_test (test_zeroed_and_resized),
    cmocka_unit_test (test_copies),
    cmocka_unit_test (test_wipe),
    cmocka_unit_test (test_exhausted),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
