/* test-condition.c - event/condition lets through what was asked for.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "event/condition.h"

static const char line[]
  = "{\"country\":\"FR\",\"score\":12.50,\"levelsPlayed\":\"7\","
    "\"optinNewsletter\":true,\"town\":null,\"cp\":\"\","
    "\"firstName\":\"J\\u00e9\",\"customText\":[1],\"played\":1e2}";

struct fixture {
  struct arena *arena;
  struct catalogue *catalogue;
  struct event *event;
};

static int
setup (void **state)
{
  static struct fixture fixture;
  struct event_reader *reader = event_reader_new ("acme");
  struct event_error error;

  fixture.arena = arena_new (0);
  fixture.catalogue = catalogue_new ();
  assert_int_equal (event_reader_read (reader, line, sizeof line - 1,
                                       &fixture.event, &error), 0);
  event_reader_free (reader);
  *state = &fixture;
  return 0;
}

static int
teardown (void **state)
{
  struct fixture *fixture = *state;

  event_release (fixture->event);
  catalogue_free (fixture->catalogue);
  arena_free (fixture->arena);
  return 0;
}

static bool
holds (void **state, const char *source, const char *name,
       const char *value)
{
  struct fixture *fixture = *state;
  struct condition_test test = { name, value };
  char reason[200] = "";
  struct condition *condition
    = condition_new (fixture->arena, source, &test, 1, fixture->catalogue,
                     reason);

  assert_string_equal (reason, "");
  return condition_holds (condition, fixture->event);
}

static void
test_equality (void **state)
{
  assert_true (holds (state, "country", "is", "FR"));
  assert_false (holds (state, "country", "is", "F"));
  assert_false (holds (state, "country", "is", "FRA"));
  assert_false (holds (state, "country", "is", ""));
  assert_true (holds (state, "score", "is", "12.50"));
  assert_false (holds (state, "score", "is", "12.5"));
  assert_true (holds (state, "optinNewsletter", "is", "true"));
  assert_true (holds (state, "firstName", "is", "J\xc3\xa9"));
  assert_true (holds (state, "customText", "is", "[1]"));
  assert_true (holds (state, "cp", "is", ""));
  assert_false (holds (state, "town", "is", ""));
  assert_false (holds (state, "town", "is", "null"));
  assert_false (holds (state, "country", "not", "FR"));
  assert_true (holds (state, "country", "not", "DE"));
  assert_true (holds (state, "town", "not", "DE"));
  assert_true (holds (state, "gender", "not", ""));
}

static void
test_present (void **state)
{
  assert_true (holds (state, "country", "present", "true"));
  assert_false (holds (state, "country", "present", "false"));
  assert_false (holds (state, "town", "present", "true"));
  assert_true (holds (state, "town", "present", "false"));
  assert_false (holds (state, "cp", "present", "true"));
  assert_true (holds (state, "cp", "present", "false"));
  assert_true (holds (state, "gender", "present", "false"));
  assert_true (holds (state, "score", "present", "true"));
}

static void
test_one_of (void **state)
{
  assert_true (holds (state, "country", "one-of", "FR"));
  assert_true (holds (state, "country", "one-of", "DE|FR|BE"));
  assert_true (holds (state, "country", "one-of", "DE|FR"));
  assert_false (holds (state, "country", "one-of", "DE|FRA|F"));
  assert_false (holds (state, "country", "one-of", "DE|FR "));
  assert_false (holds (state, "town", "one-of", "|a"));
  assert_true (holds (state, "cp", "one-of", "a|"));
  assert_false (holds (state, "gender", "one-of", "|"));
}

static void
test_numbers (void **state)
{
  assert_true (holds (state, "score", "above", "12.4"));
  assert_false (holds (state, "score", "above", "12.5"));
  assert_true (holds (state, "score", "at-least", "12.5"));
  assert_false (holds (state, "score", "at-least", "12.6"));
  assert_true (holds (state, "score", "below", "13"));
  assert_false (holds (state, "score", "below", "12.5"));
  assert_true (holds (state, "score", "at-most", "12.5"));
  assert_false (holds (state, "score", "at-most", "-1"));
  assert_true (holds (state, "levelsPlayed", "above", "6"));
  assert_true (holds (state, "played", "at-least", "100"));
  /* 7 is less than 12: by value, not as text. */
  assert_true (holds (state, "levelsPlayed", "below", "12"));
  assert_false (holds (state, "country", "below", "12"));
  assert_false (holds (state, "country", "above", "-12"));
  assert_false (holds (state, "cp", "at-least", "0"));
  assert_false (holds (state, "optinNewsletter", "at-least", "0"));
  assert_false (holds (state, "gender", "below", "1"));
  assert_false (holds (state, "town", "at-most", "1"));
}

static void
test_all_of_several (void **state)
{
  struct fixture *fixture = *state;
  struct condition_test tests[] = { { "at-least", "10" },
                                    { "below", "12" } };
  struct buf out = BUF_INIT (0);
  char reason[200];
  struct condition *condition;

  condition = condition_new (fixture->arena, "score", tests, 2,
                             fixture->catalogue, reason);
  assert_false (condition_holds (condition, fixture->event));
  condition_add_text (condition, &out);
  assert_string_equal (out.data, "score is at least 10 and is below 12");
  tests[1].value = "20";
  condition = condition_new (fixture->arena, "score", tests, 2,
                             fixture->catalogue, reason);
  assert_true (condition_holds (condition, fixture->event));
  buf_done (&out);
}

static void
assert_reads (void **state, const char *name, const char *value,
              const char *expected)
{
  struct fixture *fixture = *state;
  struct condition_test test = { name, value };
  struct buf out = BUF_INIT (0);
  char reason[200];
  struct condition *condition
    = condition_new (fixture->arena, "country", &test, 1,
                     fixture->catalogue, reason);

  condition_add_text (condition, &out);
  assert_string_equal (out.data, expected);
  buf_done (&out);
}

static void
test_text (void **state)
{
  assert_reads (state, "is", "true", "country is true");
  assert_reads (state, "not", "FR", "country is not FR");
  assert_reads (state, "not", "", "country is not empty");
  assert_reads (state, "present", "true", "country is present");
  assert_reads (state, "present", "false", "country is not present");
  assert_reads (state, "one-of", "FR|DE", "country is one of FR, DE");
  assert_reads (state, "above", "1", "country is above 1");
  assert_reads (state, "at-most", "1", "country is at most 1");
}

static void
assert_refused (void **state, const char *source, const char *name,
                const char *value, const char *expected)
{
  struct fixture *fixture = *state;
  struct condition_test test = { name, value };
  char reason[200] = "";

  assert_null (condition_new (fixture->arena, source, &test, 1,
                              fixture->catalogue, reason));
  assert_string_equal (reason, expected);
}

static void
test_refused (void **state)
{
  struct fixture *fixture = *state;
  char reason[200] = "";

  assert_refused (state, "county", "is", "x",
                  "unknown source field county; did you mean country?");
  assert_refused (state, "score", "atleast", "1",
                  "unknown test atleast; did you mean at-least?");
  assert_refused (state, "score", "present", "yes",
                  "present must be true or false");
  assert_refused (state, "score", "above", "ten", "above must be a number");
  assert_refused (state, "score", "at-most", "", "at-most must be a number");
  assert_null (condition_new (fixture->arena, "score", NULL, 0,
                              fixture->catalogue, reason));
  assert_non_null (strstr (reason, "score has no test"));
}

static void
test_names (void **state)
{
  size_t n = 0;

  (void) state;
  while (condition_test_names[n] != NULL)
    n++;
  assert_int_equal (n, 8);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_equality),
    cmocka_unit_test (test_present),
    cmocka_unit_test (test_one_of),
    cmocka_unit_test (test_numbers),
    cmocka_unit_test (test_all_of_several),
    cmocka_unit_test (test_text),
    cmocka_unit_test (test_refused),
    cmocka_unit_test (test_names),
  };

  return cmocka_run_group_tests (tests, setup, teardown);
}
