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

  return outcome_from_status (status, &splits);
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

    assert_int_equal (outcome_from_status (split[i], &splits),
                      OUTCOME_REJECTED);
    assert_true (splits);
  }
}

static void
assert_smtp (int status, const char *stage, enum outcome_kind kind,
             const char *text)
{
  const char *means = NULL;

  assert_int_equal (outcome_from_smtp (status, stage, &means), kind);
  assert_string_equal (means, text);
}

static void
test_smtp (void **state)
{
  (void) state;
  assert_smtp (250, "message", OUTCOME_DELIVERED, "");
  assert_smtp (299, "", OUTCOME_DELIVERED, "");
  assert_smtp (354, "message", OUTCOME_RETRY, "");
  assert_smtp (421, "connect", OUTCOME_RETRY, "");
  assert_smtp (452, "recipient", OUTCOME_RETRY, "");
  assert_smtp (454, "login", OUTCOME_RETRY, "");
  assert_smtp (0, "", OUTCOME_RETRY, "");
  assert_smtp (199, "", OUTCOME_RETRY, "");
  assert_smtp (499, "sender", OUTCOME_RETRY, "");
  assert_smtp (600, "sender", OUTCOME_RETRY, "");
}

static void
test_smtp_refusals (void **state)
{
  const char *login = "the server refuses this login";
  const char *large = "the mail is too large for the server";

  (void) state;
  assert_smtp (530, "sender", OUTCOME_BLOCKED,
               "the server wants a login or TLS first");
  assert_smtp (534, "login", OUTCOME_BLOCKED, login);
  assert_smtp (535, "message", OUTCOME_BLOCKED, login);
  assert_smtp (538, "login", OUTCOME_BLOCKED, login);
  assert_smtp (504, "login", OUTCOME_BLOCKED, login);
  assert_smtp (554, "connect", OUTCOME_BLOCKED,
               "the server refuses this host");
  assert_smtp (550, "sender", OUTCOME_BLOCKED,
               "the server refuses the sender");
  assert_smtp (552, "sender", OUTCOME_REJECTED, large);
  assert_smtp (552, "message", OUTCOME_REJECTED, large);
  assert_smtp (552, "recipient", OUTCOME_REJECTED,
               "the server refuses the recipient");
  assert_smtp (550, "recipient", OUTCOME_REJECTED,
               "the server refuses the recipient");
  assert_smtp (550, "bcc", OUTCOME_BLOCKED,
               "the server refuses the BCC address");
  assert_smtp (554, "message", OUTCOME_REJECTED,
               "the server refuses the mail");
  assert_smtp (599, "", OUTCOME_REJECTED, "the server refuses the mail");
}

static void
test_names (void **state)
{
  (void) state;
  assert_string_equal (outcome_name (OUTCOME_DELIVERED), "delivered");
  assert_string_equal (outcome_name (OUTCOME_AGAIN), "again");
  assert_string_equal (outcome_name ((enum outcome_kind) 99), "none");
}

static enum failure_class
class_of (enum outcome_kind kind, int status)
{
  struct outcome outcome = { .kind = kind, .status = status };

  return outcome_class (&outcome);
}

static void
test_classes (void **state)
{
  struct outcome no_answer
    = { .kind = OUTCOME_RETRY, .class = FAILURE_TIMEOUT };

  (void) state;
  assert_int_equal (class_of (OUTCOME_DELIVERED, 200), FAILURE_NONE);
  assert_int_equal (class_of (OUTCOME_AGAIN, 422), FAILURE_NONE);
  assert_int_equal (class_of (OUTCOME_RETRY, 429), FAILURE_LIMITED);
  assert_int_equal (class_of (OUTCOME_RETRY, 503), FAILURE_SERVER);
  assert_int_equal (class_of (OUTCOME_RETRY, 421), FAILURE_SERVER);
  assert_int_equal (class_of (OUTCOME_RETRY, 450), FAILURE_OTHER);
  assert_int_equal (class_of (OUTCOME_RETRY, 0), FAILURE_OTHER);
  assert_int_equal (outcome_class (&no_answer), FAILURE_TIMEOUT);
  assert_int_equal (class_of (OUTCOME_REJECTED, 400), FAILURE_CLIENT);
  assert_int_equal (class_of (OUTCOME_BLOCKED, 401), FAILURE_CREDENTIALS);
  assert_int_equal (class_of (OUTCOME_FAULT, 0), FAILURE_PLUGIN);
  assert_string_equal (failure_class_name (FAILURE_TIMEOUT), "timeout");
}

int
main (void)
{
  const struct CMUnitTest tests[]
    = { cmocka_unit_test (test_http), cmocka_unit_test (test_http_splits),
        cmocka_unit_test (test_smtp), cmocka_unit_test (test_smtp_refusals),
        cmocka_unit_test (test_classes), cmocka_unit_test (test_names) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
