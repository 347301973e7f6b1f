/* test-queue.c - what a queue promises of what comes in, of every engine.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue-fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"

static void
test_in_and_out (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");

  assert_int_not_equal (lane, 0);
  assert_int_equal (fixture_put (queue, "1", "one", lane, 0), QUEUE_ACCEPTED);
  assert_int_equal (fixture_put (queue, "2", "two", lane, 0), QUEUE_ACCEPTED);
  assert_true (queue_own (queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 10), 2);
  fixture_assert_body (fixture, 0, "one");
  fixture_assert_body (fixture, 1, "two");
  assert_true (fixture->items[0].seq < fixture->items[1].seq);
  assert_int_equal (fixture_take (fixture, lane, 1, 10), 0);
}

static void
test_seen (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");
  struct queue_event events[] = {
    { .source = "/a", .id = "1", .body = "a", .len = 1, .lanes = &lane,
      .n_lanes = 1 },
    { .source = "/b", .id = "1", .body = "b", .len = 1, .lanes = &lane,
      .n_lanes = 1 },
    { .source = "/a", .id = "1", .body = "c", .len = 1, .lanes = &lane,
      .n_lanes = 1 },
    { .source = "/a1", .id = "", .body = "d", .len = 1 }
  };
  enum queue_answer answers[4];

  assert_int_equal (queue_put (fixture->queue, NULL, 0, NULL), QUEUE_OK);
  assert_int_equal (queue_put (fixture->queue, events, 4, answers), QUEUE_OK);
  assert_int_equal (answers[0], QUEUE_ACCEPTED);
  assert_int_equal (answers[1], QUEUE_ACCEPTED);
  assert_int_equal (answers[2], QUEUE_SEEN);
  assert_int_equal (answers[3], QUEUE_ACCEPTED);
  for (int i = 0; i < 2; i++) {
    assert_int_equal (queue_put (fixture->queue, events, 4, answers),
                      QUEUE_OK);
    for (size_t k = 0; k < 4; k++)
      assert_int_equal (answers[k], QUEUE_SEEN);
    fixture_reopen (fixture);
  }
  fixture_assert_counts (fixture->queue, lane, 2, 0, 0);
}

static void
test_window (void **state)
{
  struct queue_fixture *fixture = *state;
  int64_t start_ms = 1700000000000, window_ms = fixture->config.window_ms;
  static const struct {
    int64_t after_windows_percent;
    enum queue_answer answer;
  } times[] = {
    { 0, QUEUE_ACCEPTED }, { 99, QUEUE_SEEN }, { 100, QUEUE_ACCEPTED },
    { 199, QUEUE_SEEN }, { 201, QUEUE_ACCEPTED },
    { 150, QUEUE_SEEN },        /* the clock steps back */
  };

  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    date_set_now (start_ms
                  + times[i].after_windows_percent * window_ms / 100);
    fixture_reopen (fixture);
    assert_int_equal (fixture_put (fixture->queue, "1", "one", 0, 0),
                      times[i].answer);
    assert_int_equal (fixture_put (fixture->queue, "1", "one", 0, 0),
                      QUEUE_SEEN);
  }
}

/* A clock that was wrong for one event neither forgets the others, nor
 * keeps that one for ever. */
static void
test_wrong_clock (void **state)
{
  struct queue_fixture *fixture = *state;
  int64_t start_ms = 1700000000000;

  date_set_now (start_ms);
  fixture_put (fixture->queue, "1", "", 0, 0);
  date_set_now (1000);
  fixture_put (fixture->queue, "2", "", 0, 0);
  date_set_now (start_ms * 2);
  fixture_put (fixture->queue, "3", "", 0, 0);
  date_set_now (start_ms + 1);
  fixture_tidy (fixture->queue, start_ms + 1);
  fixture_reopen (fixture);
  assert_int_equal (fixture_put (fixture->queue, "1", "", 0, 0), QUEUE_SEEN);
  assert_int_equal (fixture_put (fixture->queue, "3", "", 0, 0),
                    QUEUE_ACCEPTED);
}

static void
test_put_is_whole (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm"), none = 99;
  struct queue_event events[] = {
    { .source = "/a", .id = "1", .body = "a", .len = 1, .lanes = &lane,
      .n_lanes = 1 },
    { .source = "/a", .id = "2", .body = "a", .len = 1, .lanes = &none,
      .n_lanes = 1 },
  };
  enum queue_answer answers[2];

  for (int i = 0; i < 3; i++) {
    assert_int_equal (queue_put (fixture->queue, events, 2, answers),
                      QUEUE_BROKEN);
    assert_true (strlen (queue_reason (fixture->queue)) > 0);
  }
  fixture_assert_counts (fixture->queue, lane, 0, 0, 0);
  assert_int_equal (queue_put (fixture->queue, events, 1, answers), QUEUE_OK);
  assert_int_equal (answers[0], QUEUE_ACCEPTED);
  assert_int_equal (queue_put (fixture->queue, events, 1, answers), QUEUE_OK);
  assert_int_equal (answers[0], QUEUE_SEEN);
}

static void
test_misuse (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm"), twice[] = { 1, 1 };
  struct queue_event event = { .source = "/a", .id = "1", .lanes = twice,
                               .n_lanes = 2, .body = "" };
  struct queue_settlement settlement = { .lane = lane, .reason = "" };
  enum queue_answer answer;
  char reason[100] = "";

  assert_int_equal (queue_put (fixture->queue, &event, 1, &answer),
                    QUEUE_BROKEN);
  event.n_lanes = 0;
  event.source = NULL;
  assert_int_equal (queue_put (fixture->queue, &event, 1, &answer),
                    QUEUE_BROKEN);
  assert_int_equal (queue_settle (fixture->queue, &settlement, 1),
                    QUEUE_BROKEN);
  fixture->config.engine = "paper";
  assert_null (queue_open (&fixture->config, reason, sizeof reason));
  assert_non_null (strstr (reason, "paper"));
}

static void
test_bodies (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  const size_t large_len = 5 << 20;
  char *large = malloc (large_len);
  struct queue_event events[] = {
    { .source = "", .id = "1", .body = large, .len = large_len,
      .lanes = &lane, .n_lanes = 1 },
    { .source = "", .id = "2", .body = "\0a\xff\0", .len = 4,
      .lanes = &lane, .n_lanes = 1 },
    { .source = "", .id = "3", .body = NULL, .len = 0,
      .lanes = &lane, .n_lanes = 1 },
  };
  enum queue_answer answers[3];
  size_t n = 0;

  assert_non_null (large);
  for (size_t i = 0; i < large_len; i++)
    large[i] = (char) (i % 251);
  assert_int_equal (queue_put (queue, events, 3, answers), QUEUE_OK);
  assert_true (queue_own (queue, lane));
  while (fixture_take (fixture, lane, 1, 10) > 0)
    for (size_t i = 0; i < fixture->n; i++, n++) {
      assert_true (n < 3);
      assert_int_equal (fixture->items[i].len, events[n].len);
      if (events[n].len > 0)
        assert_memory_equal (fixture->items[i].body, events[n].body,
                             events[n].len);
    }
  assert_int_equal (n, 3);
  free (large);
}

/* ------------------------------------------------------------------ */

static void
test_lanes (void **state)
{
  struct queue_fixture *fixture = *state;
  char name[66];
  uint32_t lanes[30], number;
  struct queue_lane_state lane;

  for (size_t i = 0; i < 30; i++) {
    memset (name, (int) ('a' + i % 26), sizeof name);
    name[1 + i * 63 / 29] = '\0';
    lanes[i] = queue_lane (fixture->queue, name);
    assert_int_not_equal (lanes[i], 0);
    for (size_t k = 0; k < i; k++)
      assert_int_not_equal (lanes[i], lanes[k]);
    assert_int_equal (queue_lane (fixture->queue, name), lanes[i]);
  }
  memset (name, 'x', sizeof name - 1);
  name[65] = '\0';
  assert_int_equal (queue_lane (fixture->queue, name), 0);
  assert_true (strlen (queue_reason (fixture->queue)) > 0);
  assert_int_equal (queue_lane (fixture->queue, ""), 0);
  fixture_reopen (fixture);
  for (size_t i = 0; i < 30; i++) {
    assert_true (queue_lane_state (fixture->queue, i, &number, &lane));
    assert_int_equal (queue_lane (fixture->queue, lane.name), number);
    assert_int_equal (strlen (lane.name), 1 + i * 63 / 29);
    assert_int_equal (number, lanes[i]);
  }
  assert_false (queue_lane_state (fixture->queue, 30, &number, &lane));
}

static void
test_owners (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  struct queue_item item;
  size_t n;

  assert_false (queue_own (queue, 0));
  assert_false (queue_own (queue, lane + 1));
  assert_int_equal (queue_take (queue, lane, 1, 1, &item, &n), QUEUE_BROKEN);
  assert_true (queue_own (queue, lane));
  assert_true (queue_own (queue, lane));
  fixture_put (queue, "1", "one", lane, 0);
  fixture_take_one (fixture, lane, 1);
  queue_disown (queue, lane);
  assert_int_equal (queue_take (queue, lane, 1, 1, &item, &n), QUEUE_BROKEN);
  /* Settled by one who has it no more. */
  fixture_settle (queue, lane, fixture->items[0].seq, QUEUE_DELIVERED, 0);
  assert_true (queue_own (queue, lane));
  fixture_take_one (fixture, lane, 1);
  fixture_assert_body (fixture, 0, "one");
  fixture_reopen (fixture);
  queue_disown (fixture->queue, lane);
  assert_true (queue_own (fixture->queue, lane));
  fixture_take_one (fixture, lane, 1);
}

static void
test_pause (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");
  struct queue_hold hold;

  fixture_put (fixture->queue, "1", "one", lane, 0);
  fixture_put (fixture->queue, "2", "two", lane, 0);
  assert_true (queue_own (fixture->queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 1), 1);
  fixture_settle (fixture->queue, lane, fixture->items[0].seq, QUEUE_RETRY,
                  5);
  assert_int_equal (queue_pause (fixture->queue, 99, true), QUEUE_BROKEN);
  assert_int_equal (queue_pause (fixture->queue, lane, true), QUEUE_OK);
  assert_int_equal (fixture_take (fixture, lane, 9, 10), 0);
  assert_true (queue_due_ms (fixture->queue, lane) == INT64_MAX);
  fixture_reopen (fixture);
  assert_true (queue_own (fixture->queue, lane));
  assert_true (queue_look (fixture->queue, lane, &hold));
  assert_true (hold.is_paused);
  assert_int_equal (hold.n_resumed, 0);
  assert_true (fixture_state (fixture->queue, lane).is_paused);
  fixture_assert_counts (fixture->queue, lane, 1, 1, 0);
  fixture_put (fixture->queue, "3", "three", lane, 0);
  assert_int_equal (fixture_take (fixture, lane, 9, 10), 0);
  assert_int_equal (queue_pause (fixture->queue, lane, false), QUEUE_OK);
  for (uint64_t i = 1; i <= 2; i++) {
    assert_true (queue_look (fixture->queue, lane, &hold));
    assert_false (hold.is_paused);
    assert_int_equal (hold.n_resumed, i);
    assert_int_equal (queue_pause (fixture->queue, lane, false), QUEUE_OK);
  }
  assert_false (queue_look (fixture->queue, 99, &hold));
  assert_int_equal (queue_due_ms (fixture->queue, lane), 5);
  assert_int_equal (fixture_take (fixture, lane, 9, 10), 3);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    FOR_BOTH (test_in_and_out),
    FOR_BOTH (test_seen),
    FOR_BOTH (test_window),
    FOR_BOTH (test_wrong_clock),
    FOR_BOTH (test_put_is_whole),
    FOR_BOTH (test_misuse),
    FOR_BOTH (test_bodies),
    FOR_BOTH (test_lanes),
    FOR_BOTH (test_owners),
    FOR_BOTH (test_pause),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
