/* test-exposition.c - what /metrics says of boards and a store.
 *
 * Whether it is OpenMetrics is for another's parser to say, in
 * tests/e2e/test-operating.py.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "metrics/exposition.h"
#include "metrics/figures.h"
#include "metrics/openmetrics.h"

enum { NOW_MS = 1700000000 };

static char home[64], run[96];
static char reason[256];
static struct buf out = BUF_INIT (0);

/* The value of the line that begins with sample, which is there once. */
static const char *
value_of (const char *sample)
{
  static char value[32];
  const char *found = NULL;
  size_t len = strlen (sample);

  for (const char *line = out.data; *line != '\0';
       line = strchr (line, '\n') + 1)
    if (strncmp (line, sample, len) == 0 && line[len] == ' ') {
      assert_null (found);
      found = line + len + 1;
    }
  if (found == NULL)
    fail_msg ("no %s in:\n%s", sample, out.data);
  snprintf (value, sizeof value, "%.*s", (int) strcspn (found, "\n"), found);
  return value;
}

static struct board *
open_board (enum board_role role, unsigned index)
{
  struct board *board = board_open (run, role, index, reason, sizeof reason);

  assert_non_null (board);
  assert_string_equal (reason, "");
  board_beat (board, NOW_MS);
  return board;
}

static void
write_now (struct queue *queue)
{
  buf_clear (&out);
  exposition_write (&out, run, queue, NOW_MS + 1000);
}

static void
test_nothing_yet (void **state)
{
  (void) state;
  snprintf (run, sizeof run, "%s/empty", home);
  write_now (NULL);
  assert_string_equal (value_of ("herald_events_accepted_total"), "0");
  assert_string_equal (value_of ("herald_build_info{version=\""
                                 PACKAGE_VERSION "\"}"), "1");
  assert_null (strstr (out.data, "herald_lane_waiting"));
  assert_string_equal (out.data + out.len - 6, "# EOF\n");
}

/* A lane that was moved from one worker to another is one lane. */
static void
test_lanes_are_joined (void **state)
{
  struct board *old, *worker;
  struct board_lane *lane;
  const struct figures_lane *figures_one;
  struct figures *figures;

  (void) state;
  snprintf (run, sizeof run, "%s/joined", home);
  old = open_board (BOARD_WORKER, 0);
  lane = board_lane (old, "crm", "hubspot");
  board_add (&lane->delivered, 3);
  board_add (&lane->retried[FAILURE_SERVER], 2);
  histogram_add (&lane->latency, 1500);
  board_set (&lane->in_flight, 7);
  board_text_set (&lane->failure, "older");
  board_set (&lane->failed_ms, 5);
  board_lane_leave (lane);
  worker = open_board (BOARD_WORKER, 1);
  lane = board_lane (worker, "crm", "hubspot");
  board_add (&lane->delivered, 4);
  board_set (&lane->in_flight, 2);
  board_text_set (&lane->failure, "newer");
  board_set (&lane->failed_ms, 6);
  board_lane_say (lane, BOARD_PARKED, 0, "the token was refused");
  histogram_add (&lane->latency, 2000000);

  write_now (NULL);
#define CRM "{integration=\"crm\",provider=\"hubspot\""
  assert_string_equal (value_of ("herald_deliveries_delivered_total"
                                 CRM "}"), "7");
  assert_string_equal (value_of ("herald_deliveries_retried_total"
                                 CRM ",class=\"server\"}"), "2");
  assert_string_equal (value_of ("herald_deliveries_dead_total"
                                 CRM ",class=\"other\"}"), "0");
  assert_null (strstr (out.data, "class=\"none\""));
  assert_string_equal (value_of ("herald_lane_in_flight" CRM "}"), "2");
  assert_string_equal (value_of ("herald_attempt_seconds_bucket"
                                 CRM ",le=\"0.002\"}"), "1");
  assert_string_equal (value_of ("herald_attempt_seconds_bucket"
                                 CRM ",le=\"1.0\"}"), "1");
  assert_string_equal (value_of ("herald_attempt_seconds_bucket"
                                 CRM ",le=\"+Inf\"}"), "2");
  assert_string_equal (value_of ("herald_attempt_seconds_count" CRM "}"),
                       "2");
  assert_string_equal (value_of ("herald_attempt_seconds_sum" CRM "}"),
                       "2.0015");
#define STATE(name) "herald_lane_state" CRM ",herald_lane_state=\"" name "\"}"
  assert_string_equal (value_of (STATE ("parked")), "1");
  assert_string_equal (value_of (STATE ("open")), "0");
  assert_string_equal (value_of (STATE ("unowned")), "0");

  figures = figures_read (run, NOW_MS);
  assert_int_equal (figures->n_lanes, 1);
  figures_one = figures_lane (figures, "crm");
  assert_int_equal (figures_one->worker, 1);
  assert_string_equal (figures_one->reason, "the token was refused");
  assert_string_equal (figures_one->failure, "newer");
  assert_int_equal (figures_total (figures_one->retried), 2);
  assert_null (figures_lane (figures, "other"));
  figures_free (figures);
  board_close (old);
  board_close (worker);
}

static void
test_processes (void **state)
{
  struct board *intake, *dead, *ended;
  struct board_lane *lane;

  (void) state;
  snprintf (run, sizeof run, "%s/processes", home);
  intake = open_board (BOARD_INTAKE, 0);
  board_add (&board_intake (intake)->accepted, 9);
  board_add (&board_intake (intake)->refused[BOARD_TOO_LARGE], 1);
  board_add (&board_intake (intake)->requests[2], 5);
  histogram_add (&board_process (intake)->commit, 1);
  dead = open_board (BOARD_WORKER, 0);
  lane = board_lane (dead, "crm", "hubspot");
  board_set (&lane->in_flight, 5);
  board_beat (dead, NOW_MS + 1000 - BOARD_UP_MS);
  ended = open_board (BOARD_WORKER, 1);
  board_close (ended);

  write_now (NULL);
  assert_string_equal (value_of ("herald_process_up{process=\"intake\"}"),
                       "1");
  assert_string_equal (value_of ("herald_process_up{process=\"worker-0\"}"),
                       "0");
  assert_null (strstr (out.data, "herald_process_up{process=\"worker-1\"}"));
  assert_string_equal (value_of ("herald_process_starts_total"
                                 "{process=\"worker-1\"}"), "1");
  assert_string_equal (value_of ("herald_events_accepted_total"), "9");
  assert_string_equal (value_of ("herald_events_refused_total"
                                 "{reason=\"too_large\"}"), "1");
  assert_string_equal (value_of ("herald_intake_requests_total"
                                 "{code=\"2xx\"}"), "5");
  assert_string_equal (value_of ("herald_store_commit_seconds_sum"
                                 "{process=\"intake\"}"), "0.000001");
  /* Nobody has the lane of a worker that is gone. */
  assert_string_equal (value_of ("herald_lane_in_flight" CRM "}"), "0");
  assert_string_equal (value_of (STATE ("unowned")), "1");
  assert_string_equal (value_of (STATE ("open")), "0");
  board_close (intake);
  board_close (dead);
}

static void
test_depths (void **state)
{
  const struct queue_config config = { .engine = "memory", .where = "",
                                       .window_ms = 1000,
                                       .history_ms = 1000,
                                       .history_rows = 10 };
  struct queue *queue = queue_open (&config, reason, sizeof reason);
  uint32_t lanes[2];
  struct queue_event event = { .source = "s", .id = "1", .body = "{}",
                               .len = 2, .lanes = lanes, .n_lanes = 2 };
  enum queue_answer answer;

  (void) state;
  assert_non_null (queue);
  snprintf (run, sizeof run, "%s/depths", home);
  lanes[0] = queue_lane (queue, "crm");
  lanes[1] = queue_lane (queue, "mails");
  assert_int_equal (queue_put (queue, &event, 1, &answer), QUEUE_OK);
  assert_int_equal (queue_pause (queue, lanes[1], true), QUEUE_OK);
  write_now (queue);
  assert_string_equal (value_of ("herald_lane_waiting{integration=\"crm\"}"),
                       "1");
  assert_string_equal (value_of ("herald_lane_dead_letters"
                                 "{integration=\"crm\"}"), "0");
  assert_string_equal (value_of ("herald_lane_paused"
                                 "{integration=\"crm\"}"), "0");
  assert_string_equal (value_of ("herald_lane_paused"
                                 "{integration=\"mails\"}"), "1");
  /* Accepted just now, which is long after the test's NOW_MS: a clock that
     was set back makes no age below 0. */
  assert_string_equal (value_of ("herald_lane_oldest_age_seconds"
                                 "{integration=\"crm\"}"), "0.0");
  value_of ("herald_store_bytes");
  queue_close (queue);
}

static void
test_spelling (void **state)
{
  (void) state;
  buf_clear (&out);
  openmetrics_labels (&out, "a",
                      (const char *[]) { "x", "\\ \" \n \xff \xc3\xa9", "y",
                                         "", NULL });
  openmetrics_seconds (&out, 0);
  openmetrics_seconds (&out, 120);
  openmetrics_seconds (&out, INT64_C (3600) * 1000000);
  assert_string_equal (out.data,
                       "a{x=\"\\\\ \\\" \\n ? \xc3\xa9\",y=\"\"} 0.0\n"
                       " 0.00012\n 3600.0\n");
}

static int
make_home (void **state)
{
  (void) state;
  snprintf (home, sizeof home, "/tmp/test-exposition-XXXXXX");
  return mkdtemp (home) != NULL ? 0 : -1;
}

static int
remove_home (void **state)
{
  char command[128];

  (void) state;
  buf_done (&out);
  snprintf (command, sizeof command, "rm -rf '%s'", home);
  return system (command) == 0 ? 0 : -1;
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_nothing_yet),
    cmocka_unit_test (test_lanes_are_joined),
    cmocka_unit_test (test_processes),
    cmocka_unit_test (test_depths),
    cmocka_unit_test (test_spelling),
  };

  return cmocka_run_group_tests (tests, make_home, remove_home);
}
