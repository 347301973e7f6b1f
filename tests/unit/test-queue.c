/* test-queue.c - what a queue promises, of every engine.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue-fixture.h"

#include <string.h>

static void
test_in_and_out (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");

  assert_int_not_equal (lane, 0);
  assert_int_equal (fixture_put (queue, "1", "one", lane, 0), QUEUE_ACCEPTED);
  assert_int_equal (fixture_put (queue, "2", "two", lane, 0), QUEUE_ACCEPTED);
  assert_int_equal (fixture_put (queue, "1", "one", lane, 0), QUEUE_SEEN);
  assert_true (queue_own (queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 10), 2);
  fixture_assert_body (fixture, 0, "one");
  fixture_assert_body (fixture, 1, "two");
  assert_int_equal (fixture_take (fixture, lane, 1, 10), 0);
}

static void
test_ends (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  uint64_t seq;

  fixture_put (queue, "1", "one", lane, 0);
  assert_true (queue_own (queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 10), 1);
  seq = fixture->items[0].seq;
  fixture_settle (queue, lane, seq, QUEUE_BACK, 0);
  assert_int_equal (fixture_take (fixture, lane, 1, 10), 1);
  fixture_settle (queue, lane, seq, QUEUE_RETRY, 100);
  assert_int_equal (queue_due_ms (queue, lane), 100);
  assert_int_equal (fixture_take (fixture, lane, 99, 10), 0);
  assert_int_equal (fixture_take (fixture, lane, 100, 10), 1);
  assert_int_equal (fixture->items[0].attempts, 1);
  fixture_settle (queue, lane, seq, QUEUE_DEAD, 0);
  assert_int_equal (fixture_state (queue, lane).dead, 1);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    FOR_BOTH (test_in_and_out),
    FOR_BOTH (test_ends),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
