/* test-outcome.c - statuses and what they mean.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provider/outcome.h"

static enum outcome_kind
http (int status)
{
  bool splits;

  return outcome_from_status (status, false, &splits);
}

static enum outcome_kind
smtp (int status)
{
  bool splits;
  enum outcome_kind kind = outcome_from_status (status, true, &splits);

  assert_false (splits);
  return kind;
}

static void
test_http (void **state)
{
  static const int retried[] = { 408, 425, 429, 500, 502, 503, 504, 599 };
  static const int blocked[]
    = { 300, 301, 302, 304, 308, 399, 401, 403, 404, 405, 407, 410 };

  (void) state;
  assert_int_equal (http (200), OUTCOME_DELIVERED);
  assert_int_equal (http (202), OUTCOME_DELIVERED);
  assert_int_equal (http (299), OUTCOME_DELIVERED);
  for (size_t i = 0; i < sizeof retried / sizeof retried[0]; i++)
    assert_int_equal (http (retried[i]), OUTCOME_RETRY);
  for (size_t i = 0; i < sizeof blocked / sizeof blocked[0]; i++)
    assert_int_equal (http (blocked[i]), OUTCOME_BLOCKED);
}

static void
test_http_splits (void **state)
{
  static const int split[]
    = { 400, 402, 406, 409, 411, 413, 415, 422, 451, 0, 100, 600, -1 };

  (void) state;
  for (size_t i = 0; i < sizeof split / sizeof split[0]; i++) {
    bool splits = false;

    assert_int_equal (outcome_from_status (split[i], false, &splits),
                      OUTCOME_REJECTED);
    assert_true (splits);
  }
}

static void
test_smtp (void **state)
{
  (void) state;
  assert_int_equal (smtp (250), OUTCOME_DELIVERED);
  assert_int_equal (smtp (354), OUTCOME_RETRY);
  assert_int_equal (smtp (421), OUTCOME_RETRY);
  assert_int_equal (smtp (452), OUTCOME_RETRY);
  assert_int_equal (smtp (530), OUTCOME_BLOCKED);
  assert_int_equal (smtp (535), OUTCOME_BLOCKED);
  assert_int_equal (smtp (550), OUTCOME_REJECTED);
  assert_int_equal (smtp (554), OUTCOME_REJECTED);
}

static void
test_names (void **state)
{
  (void) state;
  assert_string_equal (outcome_name (OUTCOME_DELIVERED), "delivered");
  assert_string_equal (outcome_name (OUTCOME_AGAIN), "again");
  assert_string_equal (outcome_name ((enum outcome_kind) 99), "none");
}

int
main (void)
{
  const struct CMUnitTest tests[]
    = { cmocka_unit_test (test_http), cmocka_unit_test (test_http_splits),
        cmocka_unit_test (test_smtp), cmocka_unit_test (test_names) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
