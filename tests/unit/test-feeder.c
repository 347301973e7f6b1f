/* test-feeder.c - from the store to a lane and back, the network and the
 * clock played.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include <time.h>

#include "base/date.h"
#include "base/memory.h"
#include "lane-world.h"
#include "mock.h"
#include "queue/queue.h"
#include "serve/feeder.h"

enum { PATIENCE = 2000 };       /* turns */

struct world {
  const char *directory;
  struct mock mock;
  struct configuration configuration;
  struct descriptor others[3];
  struct loop *loop;
  struct queue *queue;
  struct queue *other;          /* who puts while the thread has the queue */
  struct feeding feeding;
  struct feeder *feeders[3];
  size_t n_feeders;
  bool may_take;
  unsigned serial;
};

static int verdict;             /* of .verify */

static int
post_one (void *instance, struct herald_job *job)
{
  (void) instance;
  herald->append (herald->request (job, "POST", "https://a.example/", NULL),
                  "{}");
  return 0;
}

static int
verified (void *instance, struct herald_job *job,
          const struct herald_reply *reply)
{
  (void) instance;
  (void) reply;
  if (verdict != 0)
    herald->verified (job, verdict, "as it is");
  else
    herald->settle (job, reply, HERALD_BLOCKED, "still no");
  return 0;
}

static int
verify (void *instance, struct herald_job *job)
{
  (void) instance;
  herald->request (job, "GET", "https://a.example/me", verified);
  return 0;
}

static void
on_trouble (void *data, enum queue_error error, const char *reason)
{
  (void) data;
  (void) error;
  fail_msg ("%s", reason);
}

static struct queue *
open_queue (const struct world *w, const char *engine)
{
  struct queue_config config = { .engine = engine, .window_ms = 1000,
                                 .history_ms = 1000, .history_rows = 100 };
  char where[300], reason[300];
  struct queue *queue;

  snprintf (where, sizeof where, "%s/store", w->directory);
  config.where = where;
  queue = queue_open (&config, reason, sizeof reason);
  if (queue == NULL)
    fail_msg ("%s", reason);
  return queue;
}

static struct world *
begin_on (const char *engine)
{
  static const int64_t schedule[] = { 100, 100 };
  struct world *w = memory_zeroed (1, sizeof *w);
  char reason[300];

  n_flights = 0;
  w->directory = fixture_directory ();
  mock_open (&w->mock, HERALD_WEBHOOK, 0);
  w->mock.provider.plugin.build = post_one;
  w->mock.provider.plugin.verify = verify;
  w->mock.integration.in_flight = 8;
  w->mock.integration.batch_max = 1;
  w->mock.integration.retry_ms = schedule;
  w->mock.integration.n_retries = 2;
  w->loop = loop_new ();
  w->queue = open_queue (w, engine);
  w->other = strcmp (engine, "memory") != 0 ? open_queue (w, engine) : NULL;
  w->feeding = (struct feeding) {
    .loop = w->loop, .reader = event_reader_new (NULL),
    .state_directory = w->directory, .bytes_each = 1 << 20,
    .board = board_open (w->directory, BOARD_WORKER, 0, reason,
                         sizeof reason),
  };
  assert_non_null (w->feeding.board);
  w->may_take = true;
  w->configuration.n_holds = 100;       /* nobody frees it */
  return w;
}

static struct world *
begin (void)
{
  return begin_on ("memory");
}

/* Of so many bytes, if that is enough. */
static void
put_sized (struct world *w, const char *lane, size_t n, size_t len)
{
  struct queue *queue = w->other != NULL ? w->other : w->queue;
  uint32_t number = queue_lane (queue, lane);
  enum queue_answer answer;
  char *body = memory_alloc (len + 300);

  for (size_t i = 0; i < n; i++) {
    char id[40];
    struct queue_event event = { .source = "/s", .id = id, .body = body,
                                 .lanes = &number, .n_lanes = 1 };

    snprintf (id, sizeof id, "e%u", w->serial++);
    event.len = (size_t) snprintf (
      body, 300,
      "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"/s\","
      "\"type\":\"t\",\"workspace\":\"acme\","
      "\"data\":{\"email\":\"p@example.org\"}}", id);
    while (event.len < len)
      body[event.len++] = ' ';
    assert_int_equal (queue_put (queue, &event, 1, &answer), QUEUE_OK);
  }
  free (body);
}

static void
put (struct world *w, const char *lane, size_t n)
{
  put_sized (w, lane, n, 0);
}

/* From now on the thread has the queue. */
static void
run (struct world *w)
{
  struct ledger_config ledger = { .queue = w->queue, .loop = w->loop,
                                  .commit_ms = 1, .commit_most = 100,
                                  .trouble = on_trouble };

  w->feeding.ledger = ledger_new (&ledger);
}

/* The mock's integration by that name, or one that can't be used. */
static struct feeder *
add (struct world *w, const char *name, bool is_open)
{
  struct descriptor *descriptor = &w->others[w->n_feeders];
  struct integration *integration = NULL;
  struct feeder *feeder;

  *descriptor = w->mock.descriptor;
  descriptor->name = name;
  descriptor->provider = "mock";
  if (is_open) {
    integration = memory_alloc (sizeof *integration);
    *integration = w->mock.integration;
    integration->name = name;
    integration->descriptor = descriptor;
    integration->arena = arena_new (0);
  }
  feeder = feeder_new (&w->feeding, &w->configuration, descriptor,
                       integration, "it is broken");
  w->feeders[w->n_feeders++] = feeder;
  return feeder;
}

static void
turn (struct world *w)
{
  loop_turn (w->loop, 1);
  for (size_t i = 0; i < w->n_feeders; i++)
    feeder_tend (w->feeders[i], w->may_take);
}

#define UNTIL(w, condition)                                               \
  do {                                                                    \
    unsigned n_turns = 0;                                                 \
    while (!(condition)) {                                                \
      if (n_turns++ > PATIENCE)                                           \
        fail_msg ("%s did not come true", #condition);                    \
      turn (w);                                                           \
    }                                                                     \
  } while (0)

static void
turns (struct world *w, unsigned n)
{
  while (n-- > 0)
    turn (w);
}

static struct queue_lane_state
state_of (struct world *w, const char *name)
{
  struct queue *queue = w->other != NULL ? w->other : w->queue;
  struct queue_lane_state state;
  uint32_t lane;

  for (size_t k = 0; queue_lane_state (queue, k, &lane, &state); k++)
    if (strcmp (state.name, name) == 0)
      return state;
  fail_msg ("there is no lane %s", name);
  return state;
}

/* All leave; the queue is the test's again. */
static void
end (struct world *w)
{
  for (size_t i = 0; i < w->n_feeders; i++)
    feeder_leave (w->feeders[i]);
  while (n_flights > 0)
    flight_answer (0, 200);
  for (size_t i = 0; i < w->n_feeders; i++)
    UNTIL (w, feeder_is_gone (w->feeders[i]));
  UNTIL (w, ledger_is_idle (w->feeding.ledger));
  assert_int_equal (ledger_free (w->feeding.ledger), 0);
  for (size_t i = 0; i < w->n_feeders; i++)
    feeder_free (w->feeders[i]);
  w->n_feeders = 0;
}

static void
close_world (struct world *w)
{
  board_close (w->feeding.board);
  event_reader_free (w->feeding.reader);
  queue_close (w->queue);
  queue_close (w->other);
  loop_free (w->loop);
  mock_close (&w->mock);
  fixture_remove (w->directory);
  free (w);
}

/* ------------------------------------------------------------------ */

static void
test_through (void **state)
{
  struct world *w = begin ();
  struct board_lane *board;
  struct feeder *feeder;

  (void) state;
  put (w, "crm", 20);
  run (w);
  feeder = add (w, "crm", true);
  UNTIL (w, n_flights == 8);
  UNTIL (w, feeder_out (feeder) == 20);
  flight_answer (0, 200);
  flight_answer (0, 503);       /* goes to the store, and comes back */
  flight_answer (0, 422);
  UNTIL (w, n_flights == 8);
  for (unsigned i = 0; i < 17; i++) {
    UNTIL (w, n_flights > 0);
    flight_answer (0, 200);
  }
  turns (w, 20);
  assert_int_equal (n_flights, 0);
  clock_pass (150 * 1000);
  UNTIL (w, n_flights == 1);
  assert_int_equal (job_outcome (flights[0].job, 0)->kind, OUTCOME_NONE);
  flight_answer (0, 200);
  UNTIL (w, ledger_is_idle (w->feeding.ledger));
  board = board_lane (w->feeding.board, "crm", "mock");
  assert_int_equal (board_get (&board->delivered), 19);
  assert_int_equal (board_get (&board->requests), 21);
  assert_int_equal (board_get (&board->retried[FAILURE_SERVER]), 1);
  assert_int_equal (board_get (&board->rejected[FAILURE_CLIENT]), 1);
  assert_int_equal (histogram_count (&board->age), 19);
  assert_int_equal (histogram_count (&board->latency), 21);
  end (w);
  assert_int_equal (state_of (w, "crm").waiting, 0);
  assert_int_equal (state_of (w, "crm").retrying, 0);
  assert_int_equal (state_of (w, "crm").dead, 1);
  close_world (w);
}

/* What was taken and not tried is as it was. */
static void
test_leave (void **state)
{
  struct world *w = begin ();
  struct feeder *feeder;

  (void) state;
  put (w, "crm", 50);
  run (w);
  feeder = add (w, "crm", true);
  UNTIL (w, feeder_out (feeder) == 50);
  feeder_leave (feeder);
  turns (w, 5);
  assert_int_equal (feeder_out (feeder), 8);
  assert_false (feeder_is_gone (feeder));
  flight_answer (0, 503);
  end (w);
  assert_int_equal (state_of (w, "crm").waiting, 42);
  assert_int_equal (state_of (w, "crm").retrying, 1);
  close_world (w);
}

static void
test_bounds (void **state)
{
  struct world *w = begin ();
  struct feeder *feeder;

  (void) state;
  put (w, "crm", 2000);
  run (w);
  /* The ledger is behind: nothing is taken. */
  w->may_take = false;
  w->feeding.bytes_each = 10000;
  feeder = add (w, "crm", true);
  turns (w, 30);
  assert_int_equal (feeder_out (feeder), 0);
  w->may_take = true;
  UNTIL (w, n_flights == 8);
  turns (w, 30);
  assert_in_range (feeder_out (feeder), 8, 100);
  end (w);
  close_world (w);
  /* What is larger than all that may be goes alone. */
  w = begin ();
  put (w, "crm", 3);
  run (w);
  w->feeding.bytes_each = 1;
  feeder = add (w, "crm", true);
  for (unsigned i = 0; i < 3; i++) {
    UNTIL (w, n_flights == 1);
    turns (w, 5);
    assert_int_equal (feeder_out (feeder), 1);
    flight_answer (0, 200);
  }
  end (w);
  close_world (w);
}

static struct {
  struct world *world;
  size_t n;                     /* that went */
} racing;

static void
put_before_it_asks (const struct job *job)
{
  static const struct timespec nap = { 0, 300 * 1000 * 1000 };

  (void) job;
  if (++racing.n != 256)
    return;
  put_sized (racing.world, "crm", 1, 30000);
  nanosleep (&nap, NULL);
}

/* The last bytes that were wanted are taken, so the number that was left is
 * void, while more is asked for.  What the one side believes to have asked
 * for is what the other believes to be asked. */
static void
test_asks_while_it_is_given (void **state)
{
  struct world *w = begin_on ("sqlite");

  (void) state;
  w->feeding.bytes_each = 1 << 20;
  put_sized (w, "crm", 256, 4040);
  run (w);
  add (w, "crm", true);
  answers_at_once = true;
  on_flight = put_before_it_asks;
  racing.world = w;
  racing.n = 0;
  UNTIL (w, racing.n == 257);
  for (size_t n = 257; n < 700; n += 256) {
    put (w, "crm", 256);
    UNTIL (w, racing.n == n + 256);
  }
  answers_at_once = false;
  on_flight = NULL;
  end (w);
  close_world (w);
}

static void
test_crashes (void **state)
{
  struct world *w = begin ();
  uint32_t lane;
  struct queue_item items[4];
  uint64_t seqs[2];
  size_t n;

  (void) state;
  put (w, "crm", 4);
  lane = queue_lane (w->queue, "crm");
  assert_true (queue_own (w->queue, lane));
  assert_int_equal (queue_take (w->queue, lane, date_now_ms (), 4, items, &n),
                    QUEUE_OK);
  assert_int_equal (n, 4);
  seqs[0] = items[1].seq;
  seqs[1] = items[2].seq;
  queue_mark (w->queue, lane, seqs, 2);
  queue_mark (w->queue, lane, seqs + 1, 1);
  queue_disown (w->queue, lane);
  w->mock.integration.batch_max = 4;
  w->mock.integration.batch_wait_ms = 100;
  run (w);
  add (w, "crm", true);
  /* One has crashed twice; one goes alone; two together. */
  UNTIL (w, n_flights == 1);
  clock_pass (1000 * 1000);
  UNTIL (w, n_flights == 2);
  assert_int_equal (job_count (flights[0].job)
                    + job_count (flights[1].job), 3);
  assert_true (job_count (flights[0].job) == 1
               || job_count (flights[1].job) == 1);
  end (w);
  assert_int_equal (state_of (w, "crm").dead, 1);
  assert_int_equal (state_of (w, "crm").waiting, 0);
  close_world (w);
}

/* ------------------------------------------------------------------ */
/* Parked lanes. */

static struct feeder *
blocked (struct world *w)
{
  struct feeder *feeder;

  put (w, "crm", 20);
  run (w);
  feeder = add (w, "crm", true);
  UNTIL (w, n_flights == 8);
  while (n_flights > 0)
    flight_answer (0, 401);
  turns (w, 10);
  assert_int_equal (lane_state (feeder_lane (feeder)), LANE_BLOCKED);
  assert_int_equal (feeder_out (feeder), 0);
  assert_int_equal (n_flights, 0);
  return feeder;
}

static void
pass (struct world *w, int64_t seconds)
{
  clock_pass (seconds * 1000 * 1000);
  turns (w, 10);
}

static void
test_proven (void **state)
{
  struct world *w = begin ();

  (void) state;
  verdict = HERALD_PROVEN;
  blocked (w);
  pass (w, 59);
  assert_int_equal (n_flights, 0);
  pass (w, 2);
  assert_int_equal (n_flights, 1);
  assert_int_equal (job_kind (flights[0].job), JOB_VERIFY);
  flight_answer (0, 200);
  UNTIL (w, n_flights == 8);
  assert_int_equal (job_kind (flights[0].job), JOB_DELIVER);
  end (w);
  close_world (w);
}

static void
test_still_blocked (void **state)
{
  struct world *w = begin ();

  (void) state;
  verdict = 0;
  blocked (w);
  /* 1, 2, 4, 8, 15, 15 minutes. */
  for (int64_t minutes = 1; minutes < 60; minutes *= 2) {
    int64_t wait = minutes > 15 ? 15 : minutes;

    pass (w, wait * 60 - 1);
    assert_int_equal (n_flights, 0);
    pass (w, 2);
    assert_int_equal (n_flights, 1);
    flight_answer (0, 200);
    turns (w, 5);
  }
  end (w);
  assert_int_equal (state_of (w, "crm").waiting, 20);
  close_world (w);
}

static void
test_unproven (void **state)
{
  struct world *w = begin ();

  (void) state;
  verdict = HERALD_UNPROVEN;
  blocked (w);
  pass (w, 61);
  flight_answer (0, 200);
  /* One goes to see, and it is no better. */
  UNTIL (w, n_flights == 1);
  turns (w, 10);
  assert_int_equal (n_flights, 1);
  assert_int_equal (job_kind (flights[0].job), JOB_DELIVER);
  flight_answer (0, 401);
  turns (w, 10);
  pass (w, 119);
  assert_int_equal (n_flights, 0);
  pass (w, 2);
  flight_answer (0, 200);
  UNTIL (w, n_flights == 1);
  flight_answer (0, 200);
  UNTIL (w, n_flights == 8);
  end (w);
  close_world (w);
}

/* What a parked lane is asked may be under way when it must go. */
static void
test_leave_parked (void **state)
{
  struct world *w = begin ();
  struct feeder *feeder;

  (void) state;
  verdict = HERALD_PROVEN;
  feeder = blocked (w);
  pass (w, 61);
  assert_int_equal (n_flights, 1);
  feeder_leave (feeder);
  turns (w, 5);
  assert_false (feeder_is_gone (feeder));
  flight_answer (0, 200);
  UNTIL (w, feeder_is_gone (feeder));
  end (w);
  close_world (w);
}

/* ------------------------------------------------------------------ */

struct via {
  unsigned n;
  char name[20];
};

static bool
note_via (void *data, uint32_t lane, const struct queue_settlement *one)
{
  struct via *via = data;

  (void) lane;
  via->n++;
  snprintf (via->name, sizeof via->name, "%s", one->via);
  return true;
}

static void
test_fallback (void **state)
{
  struct world *w = begin ();
  struct feeder *own, *other, *broken;
  struct via via = { 0, "" };
  size_t n;

  (void) state;
  put (w, "crm", 3);
  put (w, "broken", 1);
  run (w);
  own = add (w, "crm", true);
  other = add (w, "backup", true);
  broken = add (w, "broken", false);
  feeder_set_fallback (own, other);
  feeder_set_fallback (broken, own);
  lane_park (feeder_lane (own), "it is out of order");
  for (unsigned i = 0; i < 4; i++) {
    UNTIL (w, n_flights > 0);
    assert_string_equal (job_integration (flights[0].job)->name, "backup");
    flight_answer (0, 200);
  }
  UNTIL (w, ledger_is_idle (w->feeding.ledger));
  /* It takes back what is its own. */
  lane_resume (feeder_lane (own));
  turns (w, 10);
  end (w);
  assert_int_equal (state_of (w, "crm").waiting, 0);
  assert_int_equal (queue_trace (w->queue, "e0", note_via, &via, &n),
                    QUEUE_OK);
  assert_int_equal (via.n, 1);
  assert_string_equal (via.name, "backup");
  close_world (w);
}

/* One that is paused, or leaves, keeps what another has not sent yet. */
static void
test_recalled_from_a_fallback (void **state)
{
  struct world *w = begin_on ("sqlite");
  struct feeder *own, *other;
  uint32_t crm;

  (void) state;
  put (w, "crm", 30);
  run (w);
  own = add (w, "crm", true);
  other = add (w, "backup", true);
  feeder_set_fallback (own, other);
  lane_park (feeder_lane (own), "it is out of order");
  UNTIL (w, feeder_out (own) == 30 && n_flights == 8);
  put (w, "backup", 10);
  UNTIL (w, feeder_out (other) == 10);
  crm = queue_lane (w->other, "crm");
  assert_int_equal (queue_pause (w->other, crm, true), QUEUE_OK);
  UNTIL (w, feeder_out (own) == 8);
  while (n_flights > 0) {
    flight_answer (0, 200);
    turns (w, 5);
  }
  UNTIL (w, ledger_is_idle (w->feeding.ledger)
            && state_of (w, "backup").waiting == 0);
  assert_int_equal (state_of (w, "crm").waiting, 22);
  /* The same when it leaves. */
  assert_int_equal (queue_pause (w->other, crm, false), QUEUE_OK);
  UNTIL (w, n_flights == 1);            /* of its own, to see */
  flight_answer (0, 401);
  UNTIL (w, feeder_out (own) == 22 && n_flights == 8);
  feeder_leave (own);
  assert_int_equal (feeder_out (own), 8);
  while (n_flights > 0)
    flight_answer (0, 200);
  UNTIL (w, feeder_is_gone (own) && ledger_is_idle (w->feeding.ledger));
  assert_int_equal (state_of (w, "crm").waiting, 14);
  end (w);
  close_world (w);
}

/* What was asked for while another stood in does not come all at once to
 * the lane that is to see whether it is mended. */
static void
test_one_sees_after_a_fallback (void **state)
{
  struct world *w = begin_on ("sqlite");
  struct feeder *own, *other;

  (void) state;
  run (w);
  own = add (w, "crm", true);
  other = add (w, "backup", true);
  feeder_set_fallback (own, other);
  put (w, "crm", 1);
  UNTIL (w, n_flights == 1);
  flight_answer (0, 401);
  /* It is asked for by the time that this one goes. */
  put (w, "crm", 1);
  for (unsigned i = 0; i < 2; i++) {
    UNTIL (w, n_flights > 0);
    assert_string_equal (job_integration (flights[0].job)->name, "backup");
    flight_answer (0, 200);
  }
  turns (w, 20);
  assert_int_equal (queue_pause (w->other, queue_lane (w->other, "crm"),
                                 false), QUEUE_OK);
  UNTIL (w, lane_state (feeder_lane (own)) == LANE_OPEN);
  turns (w, 20);
  put (w, "crm", 10);
  UNTIL (w, n_flights > 0);
  turns (w, 50);
  assert_int_equal (n_flights, 1);
  assert_string_equal (job_integration (flights[0].job)->name, "crm");
  flight_answer (0, 200);
  UNTIL (w, n_flights == 8);
  end (w);
  close_world (w);
}

static void
test_no_lane (void **state)
{
  struct world *w = begin ();
  struct board_lane *board;
  struct feeder *feeder;
  char text[BOARD_TEXT];

  (void) state;
  put (w, "crm", 3);
  run (w);
  feeder = add (w, "crm", false);
  turns (w, 30);
  assert_int_equal (feeder_out (feeder), 0);
  board = board_lane (w->feeding.board, "crm", "mock");
  turns (w, 1);
  feeder_look (feeder);
  turns (w, 1);
  assert_int_equal (board_get (&board->state), BOARD_PARKED);
  board_text_get (&board->reason, text);
  assert_string_equal (text, "it is broken");
  end (w);
  assert_int_equal (state_of (w, "crm").waiting, 3);
  close_world (w);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_through),
    cmocka_unit_test (test_leave),
    cmocka_unit_test (test_bounds),
    cmocka_unit_test (test_asks_while_it_is_given),
    cmocka_unit_test (test_crashes),
    cmocka_unit_test (test_proven),
    cmocka_unit_test (test_still_blocked),
    cmocka_unit_test (test_unproven),
    cmocka_unit_test (test_leave_parked),
    cmocka_unit_test (test_fallback),
    cmocka_unit_test (test_recalled_from_a_fallback),
    cmocka_unit_test (test_one_sees_after_a_fallback),
    cmocka_unit_test (test_no_lane),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
