/* test-queue-left.c - what is still to be done of an event.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue-fixture.h"

#include "base/date.h"

struct seen {
  struct queue_left rows[8];
  size_t n, most;
};

static bool
note (void *data, const struct queue_left *left)
{
  struct seen *seen = data;

  assert_true (seen->n < seen->most);
  seen->rows[seen->n++] = *left;
  return seen->n < seen->most;
}

static struct seen
look (struct queue *queue, const char *id, size_t most)
{
  struct seen seen = { .most = most };

  assert_int_equal (queue_left (queue, id, note, &seen), QUEUE_OK);
  return seen;
}

static void
test_left (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t a = queue_lane (queue, "a"), b = queue_lane (queue, "b");
  int64_t now_ms = date_now_ms ();
  struct seen seen;
  uint64_t seq;

  assert_true (a != 0 && b != 0);
  assert_int_equal (look (queue, "1", 8).n, 0);
  fixture_put (queue, "1", "{}", a, b);
  fixture_put (queue, "2", "{}", a, 0);

  seen = look (queue, "1", 8);
  assert_int_equal (seen.n, 2);
  seq = seen.rows[0].seq;
  assert_int_equal (seen.rows[0].lane, a);
  assert_int_equal (seen.rows[1].lane, b);
  assert_int_equal (seen.rows[1].seq, seq);
  assert_false (seen.rows[0].is_dead);
  assert_int_equal (seen.rows[0].due_ms, 0);
  assert_int_equal (seen.rows[0].attempts, 0);
  assert_in_range (seen.rows[0].accepted_ms, now_ms - 1000, now_ms + 60000);
  assert_int_equal (look (queue, "1", 1).n, 1);

  assert_true (queue_own (queue, a) && queue_own (queue, b));
  assert_int_equal (fixture_take (fixture, a, now_ms, 1), 1);
  assert_int_equal (fixture_take (fixture, b, now_ms, 1), 1);
  fixture_settle (queue, a, seq, QUEUE_RETRY, now_ms + 5000);
  fixture_settle (queue, b, seq, QUEUE_DEAD, 0);
  fixture_reopen (fixture);
  queue = fixture->queue;
  seen = look (queue, "1", 8);
  assert_int_equal (seen.n, 2);
  assert_int_equal (seen.rows[0].lane, a);
  assert_int_equal (seen.rows[0].due_ms, now_ms + 5000);
  assert_false (seen.rows[0].is_dead);
  assert_int_equal (seen.rows[1].lane, b);
  assert_true (seen.rows[1].is_dead);
  assert_int_equal (look (queue, "2", 8).n, 1);

  assert_true (queue_own (queue, a));
  assert_int_equal (fixture_take (fixture, a, now_ms + 5000, 8), 2);
  fixture_settle (queue, a, seq, QUEUE_DELIVERED, 0);
  seen = look (queue, "1", 8);
  assert_int_equal (seen.n, 1);
  assert_int_equal (seen.rows[0].lane, b);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    FOR_BOTH (test_left),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
