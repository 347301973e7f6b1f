/* test-queue-care.c - dead letters, history, forgetting, housekeeping.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"

/* Events first to first + n - 1, all of which die one after the other, at
 * the time of their number. */
static void
bury (struct queue_fixture *fixture, uint32_t lane, size_t first, size_t n)
{
  char id[24], reason[32];

  assert_true (queue_own (fixture->queue, lane));
  for (size_t i = first; i < first + n; i++) {
    struct queue_settlement settlement = {
      .lane = lane, .end = QUEUE_DEAD, .attempts = (uint32_t) i,
      .at_ms = (int64_t) i, .reason = reason, .reference = "", .via = "" };

    snprintf (id, sizeof id, "%zu", i);
    snprintf (reason, sizeof reason, "reason %zu", i);
    fixture_put (fixture->queue, id, id, lane, 0);
    settlement.seq = fixture_take_one (fixture, lane, 1);
    assert_int_equal (queue_settle (fixture->queue, &settlement, 1),
                      QUEUE_OK);
  }
}

struct deaths {
  int64_t at_ms[16];
  uint64_t seqs[16];
  size_t n, most;
};

static bool
deaths_add (void *data, const struct queue_dead *dead)
{
  struct deaths *deaths = data;
  char text[32];

  snprintf (text, sizeof text, "%u", dead->attempts);
  assert_int_equal (dead->len, strlen (text));
  assert_memory_equal (dead->body, text, dead->len);
  snprintf (text, sizeof text, "reason %u", dead->attempts);
  assert_string_equal (dead->reason, text);
  deaths->seqs[deaths->n] = dead->seq;
  deaths->at_ms[deaths->n] = dead->died_ms;
  return ++deaths->n < deaths->most;
}

static size_t
count_dead (struct queue *queue, const struct queue_filter *filter)
{
  struct deaths deaths = { .most = 16 };

  assert_int_equal (queue_dead_each (queue, filter, deaths_add, &deaths),
                    QUEUE_OK);
  return deaths.n;
}

static void
test_dead (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t one = queue_lane (queue, "one"), two = queue_lane (queue, "two");
  struct deaths deaths = { .most = 3 };
  uint64_t n = 99;

  assert_int_equal (count_dead (queue, NULL), 0);
  assert_int_equal (queue_dead_replay (queue, NULL, &n), QUEUE_OK);
  assert_int_equal (n, 0);
  bury (fixture, one, 1, 5);
  bury (fixture, two, 6, 5);
  assert_int_equal (count_dead (queue, NULL), 10);
  assert_int_equal (queue_dead_each (queue, NULL, deaths_add, &deaths),
                    QUEUE_OK);
  assert_int_equal (deaths.n, 3);
  assert_int_equal (deaths.at_ms[0], 1);
  assert_int_equal (deaths.at_ms[2], 3);
  assert_int_equal (count_dead (queue, &(struct queue_filter) {
    .lane = two }), 5);
  assert_int_equal (count_dead (queue, &(struct queue_filter) {
    .seq = deaths.seqs[1] }), 1);
  assert_int_equal (count_dead (queue, &(struct queue_filter) {
    .reason = "son 1" }), 2);
  assert_int_equal (count_dead (queue, &(struct queue_filter) {
    .before_ms = 5 }), 4);
  assert_int_equal (count_dead (queue, &(struct queue_filter) {
    .before_ms = 8, .lane = two, .reason = "6" }), 1);
  assert_int_equal (queue_dead_purge (queue, &(struct queue_filter) {
    .lane = one, .before_ms = 3 }, &n), QUEUE_OK);
  assert_int_equal (n, 2);
  fixture_assert_counts (queue, one, 0, 0, 3);
  assert_int_equal (queue_dead_replay (queue, &(struct queue_filter) {
    .reason = "reason 1" }, &n), QUEUE_OK);
  assert_int_equal (n, 1);
  fixture_assert_counts (queue, two, 1, 0, 4);
  fixture_take_one (fixture, two, 1);
  fixture_assert_body (fixture, 0, "10");
  assert_int_equal (fixture->items[0].attempts, 0);
  assert_int_equal (fixture->items[0].first_ms, 0);
}

/* More than one step of a replay, with younger ones waiting. */
static void
test_replay_many (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  uint64_t n, last = 0;
  size_t taken = 0;

  bury (fixture, lane, 1, 1200);
  fixture_put (queue, "last", "last", lane, 0);
  fixture_take_one (fixture, lane, 1);
  assert_int_equal (queue_dead_replay (queue, NULL, &n), QUEUE_OK);
  assert_int_equal (n, 1200);
  fixture_assert_counts (queue, lane, 1201, 0, 0);
  while (fixture_take (fixture, lane, 1, 64) > 0)
    for (size_t i = 0; i < fixture->n; i++, taken++) {
      assert_true (fixture->items[i].seq > last);
      last = fixture->items[i].seq;
    }
  assert_int_equal (taken, 1200);
}

static bool
count_one (void *data, const struct queue_dead *dead)
{
  size_t *n = data;

  assert_int_equal (dead->attempts % 1000, 999);
  *n += 1;
  return true;
}

/* Few of many match: none is missed between the steps of a search. */
static void
test_few_of_many (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  struct queue_filter filter = { .reason = "rare" };
  struct queue_event events[FIXTURE_MOST];
  struct queue_settlement settlements[FIXTURE_MOST];
  enum queue_answer answers[FIXTURE_MOST];
  char ids[FIXTURE_MOST][24];
  size_t n_dead = 0, n_rare = 0;
  uint64_t n;

  assert_true (queue_own (queue, lane));
  while (n_dead < 200 * FIXTURE_MOST) {
    for (size_t i = 0; i < FIXTURE_MOST; i++) {
      snprintf (ids[i], sizeof ids[i], "%zu", n_dead + i);
      events[i] = (struct queue_event) { .source = "", .id = ids[i],
                                         .body = "b", .len = 1,
                                         .lanes = &lane, .n_lanes = 1 };
    }
    assert_int_equal (queue_put (queue, events, FIXTURE_MOST, answers),
                      QUEUE_OK);
    fixture_take (fixture, lane, 1, FIXTURE_MOST);
    assert_int_equal (fixture->n, FIXTURE_MOST);
    for (size_t i = 0; i < FIXTURE_MOST; i++, n_dead++)
      settlements[i] = (struct queue_settlement) {
        .lane = lane, .seq = fixture->items[i].seq, .end = QUEUE_DEAD,
        .attempts = (uint32_t) n_dead, .at_ms = 1,
        .reason = n_dead % 1000 == 999 ? "a rare one" : "common",
        .reference = "", .via = "" };
    assert_int_equal (queue_settle (queue, settlements, FIXTURE_MOST),
                      QUEUE_OK);
  }
  assert_int_equal (queue_dead_each (queue, &filter, count_one, &n_rare),
                    QUEUE_OK);
  assert_int_equal (n_rare, 12);
  assert_int_equal (queue_dead_replay (queue, &filter, &n), QUEUE_OK);
  assert_int_equal (n, 12);
  assert_int_equal (fixture_take (fixture, lane, 1, FIXTURE_MOST), 12);
  filter.reason = "common";
  assert_int_equal (queue_dead_purge (queue, &filter, &n), QUEUE_OK);
  assert_int_equal (n, n_dead - 12);
  fixture_assert_counts (queue, lane, 12, 0, 0);
}

/* ------------------------------------------------------------------ */

struct trace {
  struct queue_settlement rows[8];
  char words[8][48];
  size_t n, most;
};

static bool
trace_add (void *data, uint32_t lane, const struct queue_settlement *one)
{
  struct trace *trace = data;

  assert_int_equal (lane, one->lane);
  snprintf (trace->words[trace->n], sizeof trace->words[0], "%s|%s|%s",
            one->reason, one->reference, one->via);
  trace->rows[trace->n] = *one;
  return ++trace->n < trace->most;
}

static void
test_trace (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t one = queue_lane (queue, "one"), two = queue_lane (queue, "two");
  struct queue_settlement settlement = {
    .lane = one, .end = QUEUE_RETRY, .due_ms = 5, .first_ms = 3,
    .attempts = 1, .at_ms = 4, .status = 503, .key = 8, .reason = "slow",
    .reference = "r1", .via = "spare" };
  struct trace trace = { .most = 8 }, first = { .most = 1 };
  size_t n = 9;

  assert_int_equal (queue_trace (queue, "1", trace_add, &trace, &n),
                    QUEUE_OK);
  assert_int_equal (n, 0);
  fixture_put (queue, "1", "one", one, two);
  assert_int_equal (queue_trace (queue, "1", trace_add, &trace, &n),
                    QUEUE_OK);
  assert_int_equal (n, 1);
  assert_true (queue_own (queue, one) && queue_own (queue, two));
  settlement.seq = fixture_take_one (fixture, one, 1);
  assert_int_equal (queue_settle (queue, &settlement, 1), QUEUE_OK);
  fixture_take_one (fixture, one, 5);
  settlement.end = QUEUE_DELIVERED;
  settlement.attempts = 2;
  settlement.reference = settlement.via = settlement.reason = "";
  assert_int_equal (queue_settle (queue, &settlement, 1), QUEUE_OK);
  fixture_settle (queue, two, fixture_take_one (fixture, two, 1), QUEUE_DEAD,
                  0);
  fixture_reopen (fixture);
  queue = fixture->queue;
  assert_int_equal (queue_trace (queue, "1", trace_add, &trace, &n),
                    QUEUE_OK);
  assert_int_equal (n, 1);
  assert_int_equal (trace.n, 3);
  assert_string_equal (trace.words[0], "slow|r1|spare");
  assert_int_equal (trace.rows[0].status, 503);
  assert_int_equal (trace.rows[0].end, QUEUE_RETRY);
  assert_int_equal (trace.rows[0].at_ms, 4);
  assert_int_equal (trace.rows[0].due_ms, 0);
  assert_int_equal (trace.rows[0].key, 0);
  assert_int_equal (trace.rows[1].attempts, 2);
  assert_string_equal (trace.words[1], "||");
  assert_int_equal (trace.rows[2].lane, two);
  assert_int_equal (trace.rows[2].end, QUEUE_DEAD);
  assert_int_equal (queue_trace (queue, "1", trace_add, &first, &n),
                    QUEUE_OK);
  assert_int_equal (first.n, 1);
  assert_int_equal (n, 1);
}

static bool
has_word (void *data, const char *body, size_t len)
{
  return memmem (body, len, data, strlen (data)) != NULL;
}

static void
test_forget (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t one = queue_lane (queue, "one"), two = queue_lane (queue, "two");
  static char ada[] = "ada@";
  struct trace trace = { .most = 8 };
  uint64_t n, seqs[3];
  size_t known;

  fixture_put (queue, "1", "{ada@x}", one, two);
  fixture_put (queue, "2", "{bob@x}", one, two);
  fixture_put (queue, "3", "{ada@x, bob@x}", one, 0);
  fixture_put (queue, "4", "{ada@y}", one, 0);
  fixture_put (queue, "5", "{eve@y}", one, 0);
  assert_true (queue_own (queue, one) && queue_own (queue, two));
  assert_int_equal (fixture_take (fixture, one, 1, 3), 3);
  for (size_t i = 0; i < 3; i++)
    seqs[i] = fixture->items[i].seq;
  fixture_settle (queue, one, seqs[1], QUEUE_RETRY, 1);
  fixture_settle (queue, one, seqs[2], QUEUE_DEAD, 0);
  fixture_settle (queue, two, fixture_take (fixture, two, 1, 1)
                  ? fixture->items[0].seq : 0, QUEUE_RETRY, 1);
  assert_int_equal (queue_mark (queue, one, seqs, 1), QUEUE_OK);
  assert_int_equal (queue_forget (queue, has_word, ada, &n), QUEUE_OK);
  assert_int_equal (n, 3);
  if (fixture_survives (fixture))
    fixture_assert_whole (fixture->store);
  /* Taken, and now settled. */
  fixture_settle (queue, one, seqs[0], QUEUE_RETRY, 1);
  fixture_assert_counts (queue, one, 1, 1, 0);
  fixture_assert_counts (queue, two, 1, 0, 0);
  assert_int_equal (count_dead (queue, NULL), 0);
  assert_int_equal (fixture_take (fixture, one, 1, 10), 2);
  fixture_assert_body (fixture, 0, "{bob@x}");
  fixture_assert_body (fixture, 1, "{eve@y}");
  assert_int_equal (fixture_put (queue, "1", "{ada@x}", one, 0), QUEUE_SEEN);
  assert_int_equal (queue_trace (queue, "3", trace_add, &trace, &known),
                    QUEUE_OK);
  assert_int_equal (known, 1);
  assert_int_equal (trace.n, 1);
  assert_string_equal (trace.words[0], "||");
  assert_int_equal (trace.rows[0].status, 200);
  assert_int_equal (queue_forget (queue, has_word, ada, &n), QUEUE_OK);
  assert_int_equal (n, 0);
}

/* ------------------------------------------------------------------ */

static size_t
known (struct queue *queue, const char *id, size_t *ret_rows)
{
  struct trace trace = { .most = 8 };
  size_t n;

  assert_int_equal (queue_trace (queue, id, trace_add, &trace, &n),
                    QUEUE_OK);
  *ret_rows = trace.n;
  return n;
}

static void
test_tidy (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");
  int64_t start_ms = 1700000000000, window_ms = fixture->config.window_ms;
  struct queue_settlement settlement = {
    .lane = lane, .end = QUEUE_DELIVERED, .at_ms = start_ms, .reason = "",
    .reference = "", .via = "" };
  size_t n_rows;

  date_set_now (start_ms);
  fixture_put (fixture->queue, "done", "x", lane, 0);
  assert_true (queue_own (fixture->queue, lane));
  settlement.seq = fixture_take_one (fixture, lane, 1);
  assert_int_equal (queue_settle (fixture->queue, &settlement, 1), QUEUE_OK);
  fixture_put (fixture->queue, "none", "x", 0, 0);
  fixture_put (fixture->queue, "waits", "x", lane, 0);
  fixture_tidy (fixture->queue, start_ms + 1);
  assert_int_equal (known (fixture->queue, "done", &n_rows), 1);
  assert_int_equal (n_rows, 1);
  date_set_now (start_ms + 2 * window_ms);
  fixture_put (fixture->queue, "none 2", "x", 0, 0);
  fixture_put (fixture->queue, "last", "x", 0, 0);
  fixture_tidy (fixture->queue, start_ms + 2 * window_ms);
  assert_int_equal (known (fixture->queue, "done", &n_rows), 0);
  assert_int_equal (known (fixture->queue, "none", &n_rows), 0);
  assert_int_equal (known (fixture->queue, "waits", &n_rows), 1);
  assert_int_equal (known (fixture->queue, "last", &n_rows), 1);
  /* Numbers go on, though all the others are gone. */
  fixture_tidy (fixture->queue, start_ms + 9 * window_ms);
  assert_int_equal (known (fixture->queue, "none 2", &n_rows), 0);
  fixture_reopen (fixture);
  date_set_now (start_ms + 9 * window_ms);
  fixture_put (fixture->queue, "next", "y", lane, 0);
  queue_disown (fixture->queue, lane);
  assert_true (queue_own (fixture->queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 2), 2);
  assert_true (fixture->items[1].seq == fixture->items[0].seq + 3);
}

/* An id is known as long as there is history of its time. */
static void
test_history_reach (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane;
  int64_t start_ms = 1700000000000, window_ms = fixture->config.window_ms;
  struct queue_settlement settlement = {
    .end = QUEUE_DELIVERED, .at_ms = start_ms, .reason = "",
    .reference = "", .via = "" };
  size_t n_rows;

  fixture->config.history_ms = 10 * window_ms;
  queue_close (fixture->queue);
  fixture->queue = fixture_open (fixture);
  lane = queue_lane (fixture->queue, "crm");
  date_set_now (start_ms - 1);
  fixture_put (fixture->queue, "before", "x", 0, 0);
  date_set_now (start_ms);
  fixture_put (fixture->queue, "done", "x", lane, 0);
  fixture_put (fixture->queue, "last", "x", 0, 0);
  assert_true (queue_own (fixture->queue, lane));
  settlement.lane = lane;
  settlement.seq = fixture_take_one (fixture, lane, 1);
  assert_int_equal (queue_settle (fixture->queue, &settlement, 1), QUEUE_OK);
  fixture_tidy (fixture->queue, start_ms + 9 * window_ms);
  assert_int_equal (known (fixture->queue, "before", &n_rows), 0);
  assert_int_equal (known (fixture->queue, "done", &n_rows), 1);
  assert_int_equal (n_rows, 1);
  date_set_now (start_ms + 9 * window_ms);
  assert_int_equal (fixture_put (fixture->queue, "done", "x", 0, 0),
                    QUEUE_ACCEPTED);
  fixture_tidy (fixture->queue, start_ms + 11 * window_ms);
  assert_int_equal (known (fixture->queue, "done", &n_rows), 1);
  assert_int_equal (n_rows, 0);
}

static void
test_history_rows (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");
  size_t n_rows;

  fixture->config.history_rows = 5;
  queue_close (fixture->queue);
  fixture->queue = fixture_open (fixture);
  lane = queue_lane (fixture->queue, "crm");
  bury (fixture, lane, 1, 12);
  fixture_tidy (fixture->queue, 1);
  for (size_t i = 1; i <= 12; i++) {
    char id[24];

    snprintf (id, sizeof id, "%zu", i);
    assert_int_equal (known (fixture->queue, id, &n_rows), 1);
    assert_int_equal (n_rows, i > 7);
  }
}

/* Nothing more is accepted, all else goes on, and it ends by itself. */
static void
test_most_bytes (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane;
  char id[24], body[5001];
  enum queue_error error = QUEUE_OK;
  struct queue_event event = { .source = "", .id = id, .body = body,
                               .len = 5000, .lanes = &lane, .n_lanes = 1 };
  enum queue_answer answer;
  size_t n;

  fixture->config.most_bytes = 2 << 20;
  queue_close (fixture->queue);
  fixture->queue = fixture_open (fixture);
  lane = queue_lane (fixture->queue, "crm");
  memset (body, 'x', sizeof body);
  for (n = 0; n < 10000; n++) {
    snprintf (id, sizeof id, "%zu", n);
    error = queue_put (fixture->queue, &event, 1, &answer);
    if (error != QUEUE_OK)
      break;
  }
  assert_int_equal (error, QUEUE_FULL);
  assert_in_range (n, 200, 500);
  assert_true (strlen (queue_reason (fixture->queue)) > 0);
  fixture_assert_counts (fixture->queue, lane, n, 0, 0);
  assert_true (queue_own (fixture->queue, lane));
  for (size_t i = 0; i < n / 2; i++) {
    fixture_take (fixture, lane, 1, 1);
    fixture_settle (fixture->queue, lane, fixture->items[0].seq,
                    QUEUE_DELIVERED, 0);
  }
  assert_int_equal (queue_put (fixture->queue, &event, 1, &answer), QUEUE_OK);
  assert_int_equal (answer, QUEUE_ACCEPTED);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    FOR_BOTH (test_dead),
    FOR_BOTH (test_replay_many),
    FOR_SQLITE (test_few_of_many),
    FOR_BOTH (test_trace),
    FOR_BOTH (test_forget),
    FOR_BOTH (test_tidy),
    FOR_BOTH (test_history_reach),
    FOR_BOTH (test_history_rows),
    FOR_BOTH (test_most_bytes),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
