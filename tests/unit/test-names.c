/* test-names.c - a sorted set of names against a plain one.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "config/names.h"

enum { MOST = 200 };

static void
test_few (void **state)
{
  const char *names[3] = { NULL };
  size_t n = 0;

  (void) state;
  assert_false (names_have (names, 0, "a"));
  assert_true (names_insert (names, &n, "b"));
  assert_true (names_insert (names, &n, "a"));
  assert_false (names_insert (names, &n, "b"));
  assert_true (names_insert (names, &n, ""));
  assert_int_equal (n, 3);
  assert_string_equal (names[0], "");
  assert_string_equal (names[1], "a");
  assert_string_equal (names[2], "b");
  assert_true (names_have (names, n, ""));
  assert_false (names_have (names, n, "c"));
  assert_false (names_have (names, n, "aa"));
}

static void
test_many (void **state)
{
  static char texts[MOST][8];
  const char *names[MOST] = { NULL };
  size_t n = 0;

  (void) state;
  /* 7 and MOST have no common divisor, so this is every number once. */
  for (size_t k = 0; k < MOST; k++) {
    snprintf (texts[k], sizeof texts[k], "%zu", 7 * k % MOST);
    assert_true (names_insert (names, &n, texts[k]));
    for (size_t i = 0; i < MOST; i++)
      assert_true (texts[i][0] == '\0'
                   || names_have (names, n, texts[i]) == (i <= k));
  }
  for (size_t k = 1; k < n; k++)
    assert_true (strcmp (names[k - 1], names[k]) < 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_few), cmocka_unit_test (test_many),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
