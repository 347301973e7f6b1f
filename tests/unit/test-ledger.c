/* test-ledger.c - the store's thread, on both engines.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/date.h"
#include "queue/queue_engine.h"
#include "serve/ledger.h"

enum { MOST = 4096, PATIENCE_MS = 10000 };

/* What the loop has heard of one lane. */
struct seen {
  struct ledger_lane *lane;
  unsigned n_owned, n_waiting, n_unwanted, n_paused;
  bool is_paused;
  uint32_t number;
  struct ledger_key keys[8];
  size_t n_keys;
  struct queue_item items[MOST];        /* without their bodies */
  char bodies[MOST][16];
  size_t n_items;
};

static struct loop *loop;
static struct ledger *ledger;
static struct histogram commits;
static unsigned n_troubles, n_mended;
static enum queue_error trouble;
static char trouble_reason[200];

static void
on_trouble (void *data, enum queue_error error, const char *reason)
{
  (void) data;
  trouble = error;
  if (error == QUEUE_OK)
    n_mended++;
  else
    n_troubles++;
  snprintf (trouble_reason, sizeof trouble_reason, "%s", reason);
}

static void
on_owned (void *data, uint32_t number, const struct ledger_key *keys,
          size_t n)
{
  struct seen *seen = data;

  seen->n_owned++;
  seen->number = number;
  assert_true (n <= 8);
  seen->n_keys = n;
  if (n > 0)
    memcpy (seen->keys, keys, n * sizeof *keys);
}

static void
on_waiting (void *data)
{
  ((struct seen *) data)->n_waiting++;
}

static void
on_taken (void *data, const struct queue_item *items, size_t n)
{
  struct seen *seen = data;

  assert_true (n > 0);
  assert_true (seen->n_items + n <= MOST);
  for (size_t i = 0; i < n; i++) {
    size_t len = items[i].len < 15 ? items[i].len : 15;

    seen->items[seen->n_items] = items[i];
    memcpy (seen->bodies[seen->n_items], items[i].body, len);
    seen->bodies[seen->n_items++][len] = '\0';
  }
}

static void
on_unwanted (void *data)
{
  ((struct seen *) data)->n_unwanted++;
}

static void
on_paused (void *data, bool is_paused)
{
  struct seen *seen = data;

  seen->n_paused++;
  seen->is_paused = is_paused;
}

static const struct ledger_client client = {
  on_owned, on_waiting, on_taken, on_unwanted, on_paused
};

/* Of what crashed; NULL where nothing did. */
static struct flight *flight;

static void
start (struct queue_fixture *fixture, int64_t commit_ms)
{
  struct ledger_config config = {
    .queue = fixture->queue, .commit_ms = commit_ms, .commit_most = 100,
    .is_tidier = true, .commits = &commits, .flight = flight,
    .trouble = on_trouble
  };

  n_troubles = n_mended = 0;
  memset (&commits, 0, sizeof commits);
  config.loop = loop = loop_new ();
  ledger = ledger_new (&config);
}

static size_t
stop (void)
{
  size_t n_lost = ledger_free (ledger);

  loop_free (loop);
  return n_lost;
}

/* Turn until it holds. */
#define UNTIL(condition)                                                  \
  do {                                                                    \
    int64_t until_us = date_monotonic_us () + PATIENCE_MS * 1000;         \
    while (!(condition)) {                                                \
      if (date_monotonic_us () > until_us)                                \
        fail_msg ("%s did not come true", #condition);                    \
      loop_turn (loop, 20);                                               \
    }                                                                     \
  } while (0)

static void
turn_for (int64_t ms)
{
  int64_t until_us = date_monotonic_us () + ms * 1000;

  while (date_monotonic_us () < until_us)
    loop_turn (loop, 10);
}

static struct seen *
own (const char *name)
{
  struct seen *seen = calloc (1, sizeof *seen);

  assert_non_null (seen);
  seen->lane = ledger_own (ledger, name, &client, seen);
  return seen;
}

static struct seen *
owned (const char *name)
{
  struct seen *seen = own (name);

  UNTIL (seen->n_owned == 1);
  return seen;
}

static void
disown (struct seen *seen)
{
  ledger_disown (seen->lane);
  free (seen);
}

static void
settle (struct seen *seen, size_t k, enum queue_end end, int64_t due_ms)
{
  struct queue_settlement settlement = {
    .seq = seen->items[k].seq, .end = end, .due_ms = due_ms,
    .first_ms = 1, .attempts = 1, .at_ms = date_now_ms (), .status = 200,
    .key = 77, .reason = "why", .reference = "r", .via = ""
  };

  ledger_settle (seen->lane, &settlement);
}

static uint32_t
put (struct queue *queue, const char *lane, size_t n)
{
  uint32_t number = queue_lane (queue, lane);
  char id[64], body[16];
  static unsigned serial;

  assert_true (number > 0);
  for (size_t i = 0; i < n; i++) {
    snprintf (id, sizeof id, "%s-%u", lane, serial++);
    snprintf (body, sizeof body, "{\"n\":%zu}", i);
    assert_int_equal (fixture_put (queue, id, body, number, 0),
                      QUEUE_ACCEPTED);
  }
  return number;
}

/* ------------------------------------------------------------------ */

static void
test_through (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t number = put (fixture->queue, "a", 1000);
  struct seen *seen;

  start (fixture, 2);
  seen = owned ("a");
  assert_int_equal (seen->number, number);
  ledger_want (seen->lane, 2000, 1 << 20);
  UNTIL (seen->n_items == 1000);
  for (size_t i = 0; i < 1000; i++) {
    char body[16];

    snprintf (body, sizeof body, "{\"n\":%zu}", i);
    assert_string_equal (seen->bodies[i], body);
    settle (seen, i, QUEUE_DELIVERED, 0);
  }
  assert_true (ledger_unsettled (ledger) > 0);
  UNTIL (ledger_is_idle (ledger));
  /* In groups, of a hundred at most. */
  assert_in_range (histogram_count (&commits), 10, 40);
  disown (seen);
  assert_false (ledger_is_idle (ledger));
  UNTIL (ledger_is_idle (ledger));
  assert_int_equal (stop (), 0);
  assert_int_equal (fixture_state (fixture->queue, number).waiting, 0);
}

/* As many as were wanted, whenever they come. */
static void
test_wanted (void **state)
{
  struct queue_fixture *fixture = *state;
  struct seen *seen;

  put (fixture->queue, "a", 10);
  start (fixture, 2);
  seen = owned ("a");
  turn_for (30);
  assert_int_equal (seen->n_items, 0);
  ledger_want (seen->lane, 2, 1 << 20);
  ledger_want (seen->lane, 1, 1 << 20);
  UNTIL (seen->n_items == 3);
  turn_for (30);
  assert_int_equal (seen->n_items, 3);
  ledger_want (seen->lane, 100, 1 << 20);
  UNTIL (seen->n_items == 10);
  ledger_unwant (seen->lane);
  UNTIL (seen->n_unwanted == 1);
  settle (seen, 4, QUEUE_BACK, 0);
  turn_for (30);
  assert_int_equal (seen->n_items, 10);
  ledger_want (seen->lane, 1, 1);
  UNTIL (seen->n_items == 11);
  assert_true (seen->items[10].seq == seen->items[4].seq);
  assert_int_equal (seen->items[10].attempts, 0);
  /* Bytes that are used up end it as well. */
  settle (seen, 0, QUEUE_BACK, 0);
  settle (seen, 1, QUEUE_BACK, 0);
  settle (seen, 2, QUEUE_BACK, 0);
  UNTIL (ledger_is_idle (ledger));
  ledger_want (seen->lane, 3, 12);
  UNTIL (seen->n_items == 13);
  turn_for (30);
  assert_int_equal (seen->n_items, 13);
  disown (seen);
  stop ();
}

/* The machine may stand still for a moment: the quickest of a few tells. */
enum { QUICKEST_OF = 4 };

static void
test_retry (void **state)
{
  struct queue_fixture *fixture = *state;
  struct seen *seen;
  int64_t due_ms, late_ms, least_ms = INT64_MAX;

  put (fixture->queue, "a", 2);
  start (fixture, 2);
  seen = owned ("a");
  ledger_want (seen->lane, 10, 1 << 20);
  UNTIL (seen->n_items == 2);
  for (int i = 1; i <= QUICKEST_OF; i++) {
    due_ms = date_now_ms () + 120;
    settle (seen, (size_t) i, QUEUE_RETRY, due_ms);
    UNTIL (seen->n_items == (size_t) i + 2);
    late_ms = date_now_ms () - due_ms;
    assert_true (late_ms >= 0);
    if (late_ms < least_ms)
      least_ms = late_ms;
    assert_true (seen->items[i + 1].seq == seen->items[1].seq);
    assert_int_equal (seen->items[i + 1].attempts, 1);
    assert_int_equal (seen->items[i + 1].first_ms, 1);
  }
  /* Not as late as somebody looks anyway. */
  assert_true (least_ms < 300);
  disown (seen);
  stop ();
}

static char flight_directory[40], flight_path[64];

/* A worker crashes with these in its hands, and left that to this one. */
static void
crash_with (const struct flight_mark *marks, size_t n)
{
  char reason[200];
  int status;
  pid_t pid;

  snprintf (flight_directory, sizeof flight_directory,
            "/tmp/herald-flight-XXXXXX");
  assert_non_null (mkdtemp (flight_directory));
  snprintf (flight_path, sizeof flight_path, "%s/flight", flight_directory);
  pid = fork ();
  assert_true (pid >= 0);
  if (pid == 0) {
    struct flight *mine = flight_open (flight_path, reason, sizeof reason);

    flight_watch (mine);
    flight_enter (mine, "a", FLIGHT_WORK);
    for (size_t i = 0; i < n; i++)
      flight_add (mine, marks[i].lane, marks[i].seq);
    exit (0);
  }
  assert_int_equal (waitpid (pid, &status, 0), pid);
  flight = flight_open (flight_path, reason, sizeof reason);
  assert_non_null (flight);
}

static void
forget_crash (void)
{
  flight_close (flight);
  flight = NULL;
  unlink (flight_path);
  rmdir (flight_directory);
}

static size_t
marks_left (void)
{
  size_t n;

  free (flight_marks (flight, &n));
  return n;
}

/* What the owner before has left: times, keys, and what it crashed with. */
static void
test_heritage (void **state)
{
  struct queue_fixture *fixture = *state;
  struct flight_mark marks[3] = { { 0 } };
  uint32_t number = put (fixture->queue, "a", 3);
  struct seen *seen;

  assert_true (queue_own (fixture->queue, number));
  assert_int_equal (fixture_take (fixture, number, date_now_ms (), 10), 3);
  marks[0] = (struct flight_mark) { .lane = number,
                                    .seq = fixture->items[1].seq };
  marks[1] = (struct flight_mark) { .lane = number + 1,
                                    .seq = fixture->items[2].seq };
  marks[2] = (struct flight_mark) { .lane = number, .seq = 1ull << 50 };
  queue_disown (fixture->queue, number);

  crash_with (marks, 3);
  start (fixture, 2);
  seen = own ("a");
  UNTIL (seen->n_owned == 1);
  assert_int_equal (marks_left (), 1);          /* of the other lane */
  assert_int_equal (seen->n_keys, 0);
  ledger_want (seen->lane, 10, 1 << 20);
  UNTIL (seen->n_items == 3);
  assert_int_equal (seen->items[0].crashes, 0);
  assert_int_equal (seen->items[1].crashes, 1);
  assert_int_equal (seen->items[2].crashes, 0);
  settle (seen, 0, QUEUE_RETRY, date_now_ms () + 60000);
  disown (seen);
  UNTIL (ledger_is_idle (ledger));

  seen = owned ("a");
  assert_int_equal (seen->n_keys, 1);
  assert_int_equal (seen->keys[0].key, 77);
  ledger_want (seen->lane, 10, 1 << 20);
  UNTIL (seen->n_items == 2);
  assert_int_equal (seen->items[0].crashes, 1);
  disown (seen);
  stop ();
  forget_crash ();
}

/* What is marked is noted there and then: a worker that is killed before
 * its loop has turned leaves nothing that would be marked a second time. */
static void
test_marks_are_noted_at_once (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t number = put (fixture->queue, "a", 1);
  struct flight_mark mark = { .lane = number, .seq = 1 };
  int64_t end_us = date_monotonic_us () + PATIENCE_MS * 1000;
  struct seen *seen, *next;

  crash_with (&mark, 1);
  assert_int_equal (marks_left (), 1);
  start (fixture, 2);
  seen = own ("a");
  next = own ("a");             /* after a reload, say */
  while (marks_left () > 0 && date_monotonic_us () < end_us)
    usleep (1000);
  assert_int_equal (marks_left (), 0);
  assert_int_equal (seen->n_owned, 0);  /* the loop has not turned */
  UNTIL (seen->n_owned + next->n_owned == 1);
  if (next->n_owned == 1) {
    struct seen *first = next;

    next = seen;
    seen = first;
  }
  ledger_want (seen->lane, 10, 1 << 20);
  UNTIL (seen->n_items == 1);
  assert_int_equal (seen->items[0].crashes, 1);
  disown (seen);
  /* Nor does who has waited for the lane mark it again. */
  UNTIL (next->n_owned == 1);
  ledger_want (next->lane, 10, 1 << 20);
  UNTIL (next->n_items == 1);
  assert_int_equal (next->items[0].crashes, 1);
  disown (next);
  stop ();
  forget_crash ();
}

static void
test_pause (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t number = put (fixture->queue, "a", 3);
  struct queue *other = fixture_open (fixture);
  struct seen *seen;

  start (fixture, 2);
  seen = owned ("a");
  assert_int_equal (seen->n_paused, 0);
  assert_int_equal (queue_pause (other, number, true), QUEUE_OK);
  UNTIL (seen->is_paused);
  ledger_want (seen->lane, 10, 1 << 20);
  turn_for (100);
  assert_int_equal (seen->n_items, 0);
  assert_int_equal (queue_pause (other, number, false), QUEUE_OK);
  UNTIL (seen->n_items == 3);
  assert_false (seen->is_paused);
  assert_int_equal (seen->n_paused, 2);
  /* Let go though it was not paused; and both, quicker than it looks. */
  assert_int_equal (queue_pause (other, number, false), QUEUE_OK);
  UNTIL (seen->n_paused == 3);
  assert_int_equal (queue_pause (other, number, true), QUEUE_OK);
  assert_int_equal (queue_pause (other, number, false), QUEUE_OK);
  UNTIL (seen->n_paused >= 4 && !seen->is_paused);
  disown (seen);
  UNTIL (ledger_is_idle (ledger));
  /* What was before its time is none of the next owner's. */
  seen = owned ("a");
  turn_for (600);
  assert_int_equal (seen->n_paused, 0);
  disown (seen);
  stop ();
  queue_close (other);
}

/* What another process puts is heard of at once. */
static void
test_heard (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *other = fixture_open (fixture);
  int64_t began_us, gone_us, least_us = INT64_MAX;
  struct seen *seen;

  start (fixture, 2);
  seen = owned ("a");
  ledger_want (seen->lane, 10, 1 << 20);
  for (size_t i = 1; i <= QUICKEST_OF; i++) {
    turn_for (50);
    began_us = date_monotonic_us ();
    put (other, "a", 1);
    UNTIL (seen->n_items == i);
    gone_us = date_monotonic_us () - began_us;
    if (gone_us < least_us)
      least_us = gone_us;
  }
  assert_true (least_us < 400 * 1000);
  disown (seen);
  stop ();
  queue_close (other);
}

static void
test_owner (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t number = put (fixture->queue, "a", 1);
  struct queue *other = fixture_open (fixture);
  struct seen *seen;

  assert_true (queue_own (other, number));
  start (fixture, 2);
  seen = own ("a");
  UNTIL (seen->n_waiting == 1);
  turn_for (50);
  assert_int_equal (seen->n_owned, 0);
  queue_disown (other, number);
  UNTIL (seen->n_owned == 1);
  assert_int_equal (seen->n_waiting, 1);
  assert_false (queue_own (other, number));
  ledger_want (seen->lane, 1, 1);
  UNTIL (seen->n_items == 1);
  /* What is settled before is on disk when another may own it. */
  settle (seen, 0, QUEUE_DELIVERED, 0);
  disown (seen);
  UNTIL (ledger_is_idle (ledger));
  assert_true (queue_own (other, number));
  assert_int_equal (fixture_state (other, number).waiting, 0);
  /* One that never gets it can be given up as well. */
  disown (own ("a"));
  UNTIL (ledger_is_idle (ledger));
  stop ();
  queue_close (other);
}

/* ------------------------------------------------------------------ */
/* An engine that fails as it is told to. */

static struct queue_engine faulty;
static const struct queue_engine *sound;
static _Atomic int fault;
static _Atomic unsigned n_tried;

static enum queue_error
faulty_settle (struct queue *queue,
               const struct queue_settlement *settlements, size_t n)
{
  n_tried++;
  if (fault == 0)
    return sound->settle (queue, settlements, n);
  snprintf (queue->reason, sizeof queue->reason, "the disk is full");
  return (enum queue_error) fault;
}

static void
make_faulty (struct queue *queue)
{
  sound = queue->engine;
  faulty = *sound;
  faulty.settle = faulty_settle;
  queue->engine = &faulty;
  fault = 0;
  n_tried = 0;
}

static void
test_trouble (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t number = put (fixture->queue, "a", 3);
  struct seen *seen;

  make_faulty (fixture->queue);
  start (fixture, 1);
  seen = owned ("a");
  ledger_want (seen->lane, 10, 1 << 20);
  UNTIL (seen->n_items == 3);
  fault = QUEUE_FULL;
  settle (seen, 0, QUEUE_DELIVERED, 0);
  UNTIL (n_troubles == 1);
  assert_int_equal (trouble, QUEUE_FULL);
  assert_string_equal (trouble_reason, "the disk is full");
  settle (seen, 1, QUEUE_DELIVERED, 0);
  /* Nothing more is taken until then. */
  settle (seen, 2, QUEUE_BACK, 0);
  ledger_want (seen->lane, 5, 1 << 20);
  n_tried = 0;
  UNTIL (n_tried >= 2);
  assert_int_equal (seen->n_items, 3);
  /* Told once, and nothing is lost. */
  assert_int_equal (n_troubles, 1);
  assert_int_equal (ledger_unsettled (ledger), 3);
  fault = 0;
  UNTIL (n_mended == 1);
  UNTIL (ledger_is_idle (ledger));
  assert_int_equal (trouble, QUEUE_OK);
  UNTIL (seen->n_items == 4);

  /* At the end there is one more try. */
  fault = QUEUE_BUSY;
  settle (seen, 3, QUEUE_DELIVERED, 0);
  UNTIL (n_troubles == 2);
  disown (seen);
  assert_int_equal (stop (), 1);
  fixture->queue->engine = sound;
  assert_int_equal (fixture_state (fixture->queue, number).waiting, 1);
}

static void
test_broken (void **state)
{
  struct queue_fixture *fixture = *state;
  struct seen *seen;

  put (fixture->queue, "a", 3);
  make_faulty (fixture->queue);
  start (fixture, 1);
  seen = owned ("a");
  ledger_want (seen->lane, 1, 1 << 20);
  UNTIL (seen->n_items == 1);
  fault = QUEUE_BROKEN;
  settle (seen, 0, QUEUE_DELIVERED, 0);
  UNTIL (n_troubles == 1);
  assert_int_equal (trouble, QUEUE_BROKEN);
  ledger_want (seen->lane, 2, 1 << 20);
  turn_for (50);
  assert_int_equal (seen->n_items, 1);
  assert_int_equal (n_troubles, 1);
  disown (seen);
  assert_int_equal (stop (), 1);
  fixture->queue->engine = sound;
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    FOR_BOTH (test_through),  FOR_BOTH (test_wanted),
    FOR_BOTH (test_retry),    FOR_BOTH (test_heritage),
    FOR_BOTH (test_marks_are_noted_at_once),
    FOR_BOTH (test_trouble),  FOR_BOTH (test_broken),
    FOR_SQLITE (test_pause),  FOR_SQLITE (test_heard),
    FOR_SQLITE (test_owner),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
