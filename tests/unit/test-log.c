/* test-log.c - base/log writes whole lines, and nothing it should not.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/json_doc.h"
#include "base/log.h"
#include "base/redact.h"

static char last_line[8192];
static enum log_level last_level;
static int n_lines;

static void
keep_line (void *data, enum log_level level, const char *line)
{
  assert_string_equal (data, "sink");
  snprintf (last_line, sizeof last_line, "%s", line);
  last_level = level;
  n_lines++;
}

static char sink_data[] = "sink";

static int
set_up (void **state)
{
  (void) state;
  log_to (keep_line, sink_data);
  log_setup (LOG_LEVEL_NOTICE, LOG_PLAIN);
  log_context (NULL, NULL);
  date_set_now (INT64_C (1795421730123));
  n_lines = 0;
  return 0;
}

static int
tear_down (void **state)
{
  (void) state;
  log_settle (true);
  log_limit (0, 0);
  log_process (NULL);
  log_for_journal (false);
  log_to (NULL, NULL);
  log_context (NULL, NULL);
  redact_forget_all ();
  date_set_now (-1);
  return 0;
}

static void
test_plain (void **state)
{
  (void) state;
  log_notice ("%d of %s", 3, "ten");
  assert_string_equal (last_line, "herald: 3 of ten");
  assert_int_equal (last_level, LOG_LEVEL_NOTICE);
  log_warning ("disk is slow");
  assert_string_equal (last_line, "herald: warning: disk is slow");
  log_error ("disk is full");
  assert_string_equal (last_line, "herald: error: disk is full");
  log_context ("crm", "42");
  log_warning ("late");
  assert_string_equal (last_line,
                       "herald: warning: late [integration=crm delivery=42]");
  log_context (NULL, "42");
  log_notice ("late");
  assert_string_equal (last_line, "herald: late [delivery=42]");
  log_context ("crm", NULL);
  log_notice ("late");
  assert_string_equal (last_line, "herald: late [integration=crm]");
}

static void
test_levels (void **state)
{
  (void) state;
  log_info ("no");
  log_debug ("no");
  assert_int_equal (n_lines, 0);
  log_setup (LOG_LEVEL_DEBUG, LOG_PLAIN);
  log_debug ("yes");
  assert_string_equal (last_line, "herald: yes");
  assert_int_equal (last_level, LOG_LEVEL_DEBUG);
  log_setup (LOG_LEVEL_ERROR, LOG_PLAIN);
  log_warning ("no");
  assert_int_equal (n_lines, 1);
  log_error ("yes");
  assert_int_equal (n_lines, 2);
}

static void
test_logfmt (void **state)
{
  (void) state;
  log_setup (LOG_LEVEL_NOTICE, LOG_LOGFMT);
  log_context ("crm", NULL);
  log_warning ("said \"no\"");
  assert_string_equal (last_line,
                       "ts=2026-11-23T08:15:30.123Z level=warning"
                       " msg=\"said \\\"no\\\"\" integration=crm");
  log_context ("a b", "");
  log_notice ("x");
  assert_string_equal (last_line,
                       "ts=2026-11-23T08:15:30.123Z level=notice msg=\"x\""
                       " integration=\"a b\" delivery=\"\"");
}

static void
test_json (void **state)
{
  struct json_doc *doc;
  char reason[160];

  (void) state;
  log_setup (LOG_LEVEL_INFO, LOG_JSON);
  log_context ("crm", "42");
  log_info ("said \"no\"\\ \xff}");
  doc = json_doc_read (last_line, strlen (last_line), reason);
  assert_non_null (doc);
  assert_string_equal (json_doc_as_text (json_doc_get (doc, "ts")),
                       "2026-11-23T08:15:30.123Z");
  assert_string_equal (json_doc_as_text (json_doc_get (doc, "level")), "info");
  assert_string_equal (json_doc_as_text (json_doc_get (doc, "msg")),
                       "said \"no\"\\ ?}");
  assert_string_equal (json_doc_as_text (json_doc_get (doc, "integration")),
                       "crm");
  assert_string_equal (json_doc_as_text (json_doc_get (doc, "delivery")),
                       "42");
  json_doc_free (doc);
}

static void
test_redacted (void **state)
{
  (void) state;
  redact_secret ("s3cr3t", 6);
  log_context ("crm-s3cr3t", "ann@example.org");
  log_notice ("key s3cr3t of ann@example.org\nherald: forged");
  assert_string_equal (last_line,
                       "herald: key *** of *@example.org herald: forged"
                       " [integration=crm-*** delivery=*@example.org]");
}

static void
test_long_lines (void **state)
{
  static const enum log_format formats[] = { LOG_PLAIN, LOG_LOGFMT, LOG_JSON };
  char *text = malloc (100001);

  (void) state;
  text[100000] = '\0';
  for (size_t i = 0; i < 3; i++) {
    log_setup (LOG_LEVEL_NOTICE, formats[i]);
    memset (text, '"', 100000);         /* the worst to quote */
    log_notice ("%s", text);
    assert_true (strlen (last_line) < PIPE_BUF);
    assert_true (strlen (last_line) > 1000);
    for (size_t k = 0; k < 100000; k++)
      text[k] = "\xf0\x9f\x98\x80"[k % 4];      /* the widest */
    log_notice ("%s", text);
    assert_true (strlen (last_line) < PIPE_BUF);
    assert_true (strlen (last_line) > 1000);
  }
  free (text);
}

static void
test_errno_is_kept (void **state)
{
  (void) state;
  errno = ENOENT;
  log_notice ("x");
  assert_int_equal (errno, ENOENT);
  log_debug ("x");
  assert_int_equal (errno, ENOENT);
}

static void
test_process (void **state)
{
  (void) state;
  log_process ("worker-0");
  log_context ("crm", NULL);
  log_warning ("late");
  assert_string_equal (last_line, "herald worker-0: warning: late"
                                  " [integration=crm]");
  log_setup (LOG_LEVEL_NOTICE, LOG_LOGFMT);
  log_notice ("late");
  assert_string_equal (last_line,
                       "ts=2026-11-23T08:15:30.123Z level=notice msg=\"late\""
                       " process=worker-0 integration=crm");
  log_setup (LOG_LEVEL_NOTICE, LOG_JSON);
  log_notice ("late");
  assert_string_equal (last_line,
                       "{\"ts\":\"2026-11-23T08:15:30.123Z\","
                       "\"level\":\"notice\",\"msg\":\"late\","
                       "\"process\":\"worker-0\",\"integration\":\"crm\"}");
}

/* The journal reads "<4>", and has a clock of its own. */
static void
test_journal (void **state)
{
  char stream[64];
  struct stat st;

  (void) state;
  log_for_journal (true);
  log_warning ("late");
  assert_string_equal (last_line, "<4>herald: warning: late");
  log_setup (LOG_LEVEL_NOTICE, LOG_LOGFMT);
  log_notice ("late");
  assert_string_equal (last_line, "<5>level=notice msg=\"late\"");
  log_setup (LOG_LEVEL_NOTICE, LOG_JSON);
  log_error ("late");
  assert_string_equal (last_line, "<3>{\"level\":\"error\",\"msg\":\"late\"}");
  unsetenv ("JOURNAL_STREAM");
  assert_false (log_is_journal ());
  setenv ("JOURNAL_STREAM", "1:1", 1);          /* of another stream */
  assert_false (log_is_journal ());
  assert_int_equal (fstat (STDERR_FILENO, &st), 0);
  snprintf (stream, sizeof stream, "%llu:%llu",
            (unsigned long long) st.st_dev, (unsigned long long) st.st_ino);
  setenv ("JOURNAL_STREAM", stream, 1);
  assert_true (log_is_journal ());
  unsetenv ("JOURNAL_STREAM");
}

static void
flood (int n)
{
  for (int i = 0; i < n; i++)
    log_warning ("line %d of a flood", i);
}

static void
test_limit (void **state)
{
  (void) state;
  flood (100);
  assert_int_equal (n_lines, 100);      /* nothing is held back at first */
  log_limit (5, 3600 * 1000);
  n_lines = 0;
  flood (100);
  assert_int_equal (n_lines, 5);
  log_notice ("another kind");
  assert_int_equal (n_lines, 6);
  log_context ("crm", NULL);
  flood (10);                   /* about one of its own */
  assert_int_equal (n_lines, 11);
  log_context (NULL, NULL);
  log_settle (false);
  assert_int_equal (n_lines, 11);
  log_settle (true);
  assert_int_equal (n_lines, 13);
  log_settle (true);
  assert_int_equal (n_lines, 13);
  flood (5);                    /* counted anew */
  assert_int_equal (n_lines, 18);
}

static void
test_limit_is_told (void **state)
{
  (void) state;
  log_limit (2, 40);
  log_context ("crm", "42");
  flood (3);
  assert_string_equal (last_line,
                       "herald: warning: line 1 of a flood"
                       " [integration=crm delivery=42]");
  log_context (NULL, NULL);
  usleep (50 * 1000);
  n_lines = 0;
  log_settle (false);
  assert_int_equal (n_lines, 1);
  assert_string_equal (last_line, "herald: warning: line 2 of a flood"
                                  " [integration=crm]");
  flood (6);
  usleep (50 * 1000);
  n_lines = 0;
  log_notice ("anything");      /* tells what is over, then itself */
  assert_int_equal (n_lines, 2);
  assert_string_equal (last_line, "herald: anything");
  flood (6);
  log_settle (true);
  assert_int_equal (strncmp (last_line, "herald: warning: line 5 of a flood "
                             "(and 3 more like this in ", 60), 0);
}

/* A format without words is not what makes lines alike. */
static void
test_limit_without_words (void **state)
{
  char text[20];

  (void) state;
  log_limit (1, 3600 * 1000);
  for (int i = 0; i < 10; i++) {
    snprintf (text, sizeof text, "problem %d", i);
    log_error ("%s: %s", "herald.xml", text);
  }
  assert_int_equal (n_lines, 10);
  for (int i = 0; i < 10; i++)
    log_error ("%s: %s", "herald.xml", text);
  assert_int_equal (n_lines, 10);
}

static void *
log_on_thread (void *data)
{
  (void) data;
  log_notice ("of a thread");
  return NULL;
}

/* What one thread works on is nobody else's. */
static void
test_thread (void **state)
{
  pthread_t thread;

  (void) state;
  log_context ("crm", NULL);
  assert_int_equal (pthread_create (&thread, NULL, log_on_thread, NULL), 0);
  assert_int_equal (pthread_join (thread, NULL), 0);
  assert_string_equal (last_line, "herald: of a thread");
}

/* Standard error itself: one write, one line. */
static void
test_standard_error (void **state)
{
  int ends[2], saved = dup (STDERR_FILENO);
  char said[100] = "";

  (void) state;
  log_to (NULL, NULL);
  assert_int_equal (pipe (ends), 0);
  dup2 (ends[1], STDERR_FILENO);
  log_warning ("line %d", 1);
  log_debug ("not this");
  log_notice ("line %d", 2);
  dup2 (saved, STDERR_FILENO);
  close (saved);
  close (ends[1]);
  assert_true (read (ends[0], said, sizeof said - 1) > 0);
  assert_string_equal (said, "herald: warning: line 1\nherald: line 2\n");
  close (ends[0]);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_plain, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_levels, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_logfmt, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_json, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_redacted, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_long_lines, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_errno_is_kept, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_process, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_journal, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_limit, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_limit_is_told, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_limit_without_words, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_thread, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_standard_error, set_up, tear_down),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
