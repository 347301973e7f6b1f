/* test-problem.c - problems are kept in order, counted and redacted.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/redact.h"

static void
test_kept (void **state)
{
  struct problems *problems = problems_new ();
  const struct problem *problem;

  (void) state;
  assert_int_equal (problems_count (problems), 0);
  assert_null (problems_at (problems, 0));
  problems_add (problems, PROBLEM_WARNING, "a.xml", 3, "crm", "is %d", 7);
  problems_add (problems, PROBLEM_ERROR, NULL, 0, NULL, "second");
  assert_int_equal (problems_count (problems), 2);
  assert_int_equal (problems_errors (problems), 1);
  problem = problems_at (problems, 0);
  assert_int_equal (problem->severity, PROBLEM_WARNING);
  assert_string_equal (problem->file, "a.xml");
  assert_int_equal (problem->line, 3);
  assert_string_equal (problem->integration, "crm");
  assert_string_equal (problem->text, "is 7");
  problem = problems_at (problems, 1);
  assert_string_equal (problem->file, "");
  assert_string_equal (problem->integration, "");
  assert_null (problems_at (problems, 2));
  problems_free (problems);
  problems_free (NULL);
}

static void
test_redacted (void **state)
{
  struct problems *problems = problems_new ();

  (void) state;
  redact_secret ("tops3cret", 9);
  problems_add (problems, PROBLEM_ERROR, "a.xml", 1, "",
                "has tops3cret\nin %s", "it");
  assert_string_equal (problems_at (problems, 0)->text, "has *** in it");
  problems_free (problems);
  redact_forget_all ();
}

static void
test_many (void **state)
{
  struct problems *problems = problems_new ();

  (void) state;
  for (int i = 0; i < 5000; i++)
    problems_add (problems, PROBLEM_ERROR, "a.xml", 1, "", "no %d", i);
  problems_add (problems, PROBLEM_WARNING, "a.xml", 1, "", "hm");
  assert_int_equal (problems_errors (problems), 5000);
  assert_int_equal (problems_warnings (problems), 1);
  assert_int_equal (problems_count (problems), 501);
  assert_string_equal (problems_at (problems, 499)->text, "no 499");
  assert_string_equal (problems_at (problems, 500)->text,
                       "there are more problems than are shown; mend those "
                       "above first");
  problems_free (problems);
}

static void
sink (void *data, enum log_level level, const char *line)
{
  buf_printf (data, "%d %s\n", (int) level, line);
}

/* Each with its file, line and integration, or as much as there is. */
static void
test_log (void **state)
{
  struct problems *problems = problems_new ();
  struct buf lines = BUF_INIT (0);

  (void) state;
  problems_add (problems, PROBLEM_WARNING, "a.xml", 3, "crm", "first");
  log_to (sink, &lines);
  assert_false (problems_log (problems, true));
  problems_add (problems, PROBLEM_ERROR, "b.xml", 0, "", "second");
  problems_add (problems, PROBLEM_ERROR, "", 0, "", "third");
  assert_true (problems_log (problems, false));
  log_to (NULL, NULL);
  assert_non_null (strstr (lines.data, "a.xml:3: first"));
  assert_non_null (strstr (lines.data, "crm"));
  assert_null (strstr (strstr (lines.data, "first") + 1, "first"));
  assert_non_null (strstr (lines.data, "b.xml: second"));
  assert_non_null (strstr (lines.data, "third"));
  buf_done (&lines);
  problems_free (problems);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_kept),
    cmocka_unit_test (test_redacted),
    cmocka_unit_test (test_many),
    cmocka_unit_test (test_log),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
