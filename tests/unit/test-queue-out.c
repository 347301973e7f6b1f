/* test-queue-out.c - what a queue promises of what goes out.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue-fixture.h"

#include <stdio.h>
#include <string.h>

static void
put_many (struct queue *queue, uint32_t lane, size_t first, size_t n)
{
  char id[24];

  for (size_t i = first; i < first + n; i++) {
    snprintf (id, sizeof id, "%zu", i);
    fixture_put (queue, id, id, lane, 0);
  }
}

static void
test_ends (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  uint64_t seq;

  put_many (queue, lane, 1, 1);
  assert_true (queue_own (queue, lane));
  seq = fixture_take_one (fixture, lane, 1);
  assert_int_equal (fixture->items[0].attempts, 0);
  assert_int_equal (fixture->items[0].first_ms, 0);
  assert_true (fixture->items[0].accepted_ms > 0);
  fixture_settle (queue, lane, seq, QUEUE_BACK, 0);
  fixture_take_one (fixture, lane, 1);
  assert_int_equal (fixture->items[0].attempts, 0);
  fixture_settle (queue, lane, seq, QUEUE_RETRY, 100);
  fixture_assert_counts (queue, lane, 0, 1, 0);
  assert_int_equal (queue_due_ms (queue, lane), 100);
  assert_int_equal (fixture_take (fixture, lane, 99, 10), 0);
  fixture_take_one (fixture, lane, 100);
  assert_true (queue_due_ms (queue, lane) == INT64_MAX);
  assert_int_equal (fixture->items[0].attempts, 1);
  assert_int_equal (fixture->items[0].first_ms, 11);
  fixture_settle (queue, lane, seq, QUEUE_BACK, 0);
  assert_int_equal (queue_due_ms (queue, lane), 100);
  fixture_take_one (fixture, lane, 100);
  assert_int_equal (fixture->items[0].attempts, 1);
  fixture_settle (queue, lane, seq, QUEUE_DEAD, 0);
  fixture_assert_counts (queue, lane, 0, 0, 1);
  assert_int_equal (fixture_take (fixture, lane, 1000, 10), 0);
}

static void
test_order (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  static const int64_t due_ms[] = { 30, 10, 20, 10, 50 };
  static const char *const bodies[] = { "2", "4", "3", "1", "6", "7" };

  put_many (queue, lane, 1, 7);
  assert_true (queue_own (queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 5), 5);
  for (size_t i = 0; i < 5; i++)
    fixture_settle (queue, lane, fixture->items[i].seq, QUEUE_RETRY,
                    due_ms[i]);
  fixture_reopen (fixture);
  queue_disown (fixture->queue, lane);
  assert_true (queue_own (fixture->queue, lane));
  assert_int_equal (queue_due_ms (fixture->queue, lane), 10);
  for (size_t i = 0; i < 6; i++) {
    fixture_take (fixture, lane, 40, 1);
    fixture_assert_body (fixture, 0, bodies[i]);
  }
  assert_int_equal (fixture_take (fixture, lane, 40, 1), 0);
  assert_int_equal (queue_due_ms (fixture->queue, lane), 50);
}

/* A delivery that is due before what was taken last is not missed. */
static void
test_earlier (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  uint64_t seqs[3];

  put_many (queue, lane, 1, 3);
  assert_true (queue_own (queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 3), 3);
  for (size_t i = 0; i < 3; i++)
    seqs[i] = fixture->items[i].seq;
  fixture_settle (queue, lane, seqs[0], QUEUE_RETRY, 1000);
  fixture_take_one (fixture, lane, 1000);
  /* The clock steps back. */
  fixture_settle (queue, lane, seqs[1], QUEUE_RETRY, 500);
  fixture_settle (queue, lane, seqs[2], QUEUE_RETRY, 1000);
  assert_int_equal (queue_due_ms (queue, lane), 500);
  assert_int_equal (fixture_take (fixture, lane, 400, 3), 0);
  assert_true (fixture_take_one (fixture, lane, 600) == seqs[1]);
  assert_int_equal (queue_due_ms (queue, lane), 1000);
  fixture_settle (queue, lane, seqs[1], QUEUE_RETRY, 0);
  fixture_settle (queue, lane, seqs[0], QUEUE_BACK, 0);
  assert_int_equal (fixture_take (fixture, lane, 2000, 10), 3);
  assert_true (fixture->items[0].seq == seqs[1]);
  assert_true (fixture->items[1].seq == seqs[0]);
  assert_true (fixture->items[2].seq == seqs[2]);
}

static void
test_handed_back (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  uint64_t third;

  put_many (queue, lane, 1, 10);
  assert_true (queue_own (queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 5), 5);
  third = fixture->items[2].seq;
  fixture_settle (queue, lane, fixture->items[1].seq, QUEUE_DELIVERED, 0);
  fixture_settle (queue, lane, fixture->items[4].seq, QUEUE_BACK, 0);
  fixture_settle (queue, lane, third, QUEUE_BACK, 0);
  assert_int_equal (fixture_take (fixture, lane, 1, 3), 3);
  fixture_assert_body (fixture, 0, "3");
  fixture_assert_body (fixture, 1, "5");
  fixture_assert_body (fixture, 2, "6");
  assert_int_equal (fixture_take (fixture, lane, 1, 10), 4);
  fixture_assert_counts (queue, lane, 9, 0, 0);
}

/* What was not taken, or is settled already, is passed over. */
static void
test_passed_over (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  struct queue_settlement settlements[3] = {
    { .lane = lane, .end = QUEUE_RETRY, .due_ms = 7, .reason = "",
      .reference = "", .via = "" }
  };
  uint64_t seq;

  put_many (queue, lane, 1, 2);
  fixture_settle (queue, lane, 1, QUEUE_DELIVERED, 0);
  fixture_settle (queue, lane, 77, QUEUE_DEAD, 0);
  fixture_settle (queue, 77, 1, QUEUE_DEAD, 0);
  fixture_assert_counts (queue, lane, 2, 0, 0);
  assert_true (queue_own (queue, lane));
  fixture_take (fixture, lane, 1, 1);
  seq = fixture->items[0].seq;
  fixture_settle (queue, lane, seq + 1, QUEUE_DELIVERED, 0);
  fixture_assert_counts (queue, lane, 2, 0, 0);
  settlements[0].seq = seq;
  settlements[1] = settlements[2] = settlements[0];
  settlements[1].end = QUEUE_DELIVERED;
  settlements[2].end = QUEUE_DEAD;
  assert_int_equal (queue_settle (queue, settlements, 3), QUEUE_OK);
  assert_int_equal (queue_settle (queue, settlements, 0), QUEUE_OK);
  fixture_assert_counts (queue, lane, 1, 1, 0);
}

/* An event stays until the last of its deliveries has ended, and a dead
 * letter keeps it. */
static void
test_shared (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t one = queue_lane (queue, "one"), two = queue_lane (queue, "two");
  uint64_t seq, n;

  fixture_put (queue, "1", "body", one, two);
  assert_true (queue_own (queue, one) && queue_own (queue, two));
  seq = fixture_take_one (fixture, one, 1);
  fixture_settle (queue, one, seq, QUEUE_DELIVERED, 0);
  assert_true (fixture_take_one (fixture, two, 1) == seq);
  fixture_assert_body (fixture, 0, "body");
  fixture_settle (queue, two, seq, QUEUE_DEAD, 0);
  fixture_reopen (fixture);
  queue = fixture->queue;
  assert_int_equal (queue_dead_replay (queue, NULL, &n), QUEUE_OK);
  assert_int_equal (n, 1);
  assert_true (queue_own (queue, two));
  fixture_take_one (fixture, two, 1);
  fixture_assert_body (fixture, 0, "body");
  fixture_settle (queue, two, seq, QUEUE_DELIVERED, 0);
  fixture_assert_counts (queue, one, 0, 0, 0);
  fixture_assert_counts (queue, two, 0, 0, 0);
  assert_int_equal (fixture_state (queue, two).oldest_ms, 0);
}

struct keys {
  uint64_t keys[8];
  int64_t due_ms[8];
  size_t n, most;
};

static bool
keys_add (void *data, uint64_t seq, uint64_t key, int64_t due_ms)
{
  struct keys *keys = data;

  keys->keys[seq % 8] = key;
  keys->due_ms[seq % 8] = due_ms;
  return ++keys->n < keys->most;
}

static void
test_keys (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");
  struct queue_settlement settlement = {
    .lane = lane, .end = QUEUE_RETRY, .reason = "", .reference = "",
    .via = "" };
  struct keys keys = { .most = 8 }, first = { .most = 1 };

  put_many (fixture->queue, lane, 1, 4);
  assert_true (queue_own (fixture->queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 3), 3);
  for (size_t i = 0; i < 3; i++) {
    settlement.seq = fixture->items[i].seq;
    settlement.due_ms = 100 + (int64_t) i;
    settlement.key = i == 1 ? 0 : UINT64_MAX - i;
    assert_int_equal (queue_settle (fixture->queue, &settlement, 1),
                      QUEUE_OK);
  }
  fixture_reopen (fixture);
  queue_disown (fixture->queue, lane);
  assert_true (queue_own (fixture->queue, lane));
  assert_int_equal (queue_keys (fixture->queue, lane, keys_add, &keys),
                    QUEUE_OK);
  assert_int_equal (keys.n, 2);
  settlement.seq = fixture->items[0].seq;
  assert_true (keys.keys[settlement.seq % 8] == UINT64_MAX);
  assert_int_equal (keys.due_ms[settlement.seq % 8], 100);
  assert_true (keys.keys[(settlement.seq + 2) % 8] == UINT64_MAX - 2);
  assert_int_equal (queue_keys (fixture->queue, lane, keys_add, &first),
                    QUEUE_OK);
  assert_int_equal (first.n, 1);
  /* Nothing is left open by that. */
  put_many (fixture->queue, lane, 5, 1);
  fixture_assert_counts (fixture->queue, lane, 2, 3, 0);
}

static void
test_marks (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");
  uint64_t seqs[3] = { 0, 0, 7777 };

  put_many (fixture->queue, lane, 1, 3);
  assert_true (queue_own (fixture->queue, lane));
  fixture_take (fixture, lane, 1, 2);
  seqs[0] = fixture->items[0].seq;
  seqs[1] = fixture->items[1].seq;
  fixture_settle (fixture->queue, lane, seqs[1], QUEUE_RETRY, 1);
  for (uint32_t crashes = 1; crashes <= 2; crashes++) {
    fixture_reopen (fixture);
    queue_disown (fixture->queue, lane);
    assert_true (queue_own (fixture->queue, lane));
    assert_int_equal (queue_mark (fixture->queue, lane, seqs, 3), QUEUE_OK);
    fixture_reopen (fixture);
    assert_true (queue_own (fixture->queue, lane));
    assert_int_equal (fixture_take (fixture, lane, 1, 10), 3);
    assert_int_equal (fixture->items[0].crashes, crashes);
    assert_true (fixture->items[0].seq == seqs[1]);
    assert_int_equal (fixture->items[1].crashes, crashes);
    assert_int_equal (fixture->items[2].crashes, 0);
    for (size_t i = 0; i < 3; i++)
      fixture_settle (fixture->queue, lane, fixture->items[i].seq,
                      QUEUE_BACK, 0);
  }
  assert_int_equal (fixture_take (fixture, lane, 1, 10), 3);
  fixture_settle (fixture->queue, lane, seqs[0], QUEUE_RETRY, 1);
  fixture_settle (fixture->queue, lane, seqs[1], QUEUE_DEAD, 1);
  fixture_take_one (fixture, lane, 1);
  assert_int_equal (fixture->items[0].crashes, 0);
  /* A dead letter is in nobody's hands. */
  assert_int_equal (queue_mark (fixture->queue, lane, &seqs[1], 1), QUEUE_OK);
  assert_int_equal (queue_dead_replay (fixture->queue, NULL,
                                       &(uint64_t) { 0 }), QUEUE_OK);
  fixture_take_one (fixture, lane, 1);
  assert_int_equal (fixture->items[0].crashes, 0);
}

/* More than a take holds, and more than fits in a table of claims at
 * first: each exactly once. */
static void
test_many (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  size_t n = 0;
  uint64_t last = 0;

  put_many (queue, lane, 1, 500);
  assert_true (queue_own (queue, lane));
  while (fixture_take (fixture, lane, 1, 64) > 0)
    for (size_t i = 0; i < fixture->n; i++, n++) {
      assert_true (fixture->items[i].seq > last);
      last = fixture->items[i].seq;
    }
  assert_int_equal (n, 500);
  for (uint64_t seq = last; seq > last - 500; seq--)
    fixture_settle (queue, lane, seq, seq % 2 ? QUEUE_BACK : QUEUE_RETRY, 3);
  for (n = 0; fixture_take (fixture, lane, 3, 64) > 0; n += fixture->n)
    ;
  assert_int_equal (n, 500);
  fixture_assert_counts (queue, lane, 250, 250, 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    FOR_BOTH (test_ends),
    FOR_BOTH (test_order),
    FOR_BOTH (test_earlier),
    FOR_BOTH (test_handed_back),
    FOR_BOTH (test_passed_over),
    FOR_BOTH (test_shared),
    FOR_BOTH (test_keys),
    FOR_BOTH (test_marks),
    FOR_BOTH (test_many),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
