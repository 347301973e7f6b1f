/* test-queue-model.c - thousands of random steps beside a plain model.
 *
 * The model is arrays that are searched from end to end.  Half of what any
 * process may do is done by a second opener of the store, where there can
 * be one.  A run is repeated with QUEUE_SEED=n, its seed being printed.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"

enum {
  STEPS = 8000,
  LANES = 3,
  IDS = 300,
  EVENTS_MOST = 20000,
  WINDOW_MS = 60 * 1000,
  SLACK_MS = 2000               /* the clock never goes back so far */
};

enum state { GONE, WAITING, RETRYING, DEAD };

struct delivery {
  enum state state;
  bool is_taken;
  int64_t due_ms, first_ms, died_ms;
  uint32_t attempts, crashes;
  uint64_t key, death;
};

struct event {
  int id;
  uint64_t seq;                 /* as the queue told; 0: not yet */
  int64_t accepted_ms;
  bool is_forgotten;
  struct delivery to[LANES];
};

struct history {
  size_t event, lane;
  enum queue_end end;
  uint32_t attempts;
};

static struct model {
  struct event events[EVENTS_MOST];
  size_t n_events;
  struct history history[EVENTS_MOST * 4];
  size_t n_history;
  uint64_t n_deaths;
  bool is_paused[LANES];
  uint64_t n_resumed[LANES];
  int64_t now_ms;
} model;

static struct queue *other;     /* the second opener, or the first again */
static uint32_t lanes[LANES];

static size_t
pick (size_t n)
{
  return (size_t) random () % n;
}

/* ------------------------------------------------------------------ */
/* In. */

static void
body_of (const struct event *event, char text[64])
{
  snprintf (text, 64, "{\"id\":%d,\"%.*s\":0}", event->id,
            event->id % 40, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnop");
}

/* Within a window of that length. */
static bool
model_has_seen (int id, int64_t window_ms)
{
  for (size_t i = 0; i < model.n_events; i++)
    if (model.events[i].id == id
        && model.events[i].accepted_ms > model.now_ms - window_ms
        && model.events[i].accepted_ms <= model.now_ms + window_ms)
      return true;
  return false;
}

static void
model_accept (int id, const bool *is_for)
{
  struct event *event = &model.events[model.n_events++];

  *event = (struct event) { .id = id, .accepted_ms = model.now_ms };
  for (size_t k = 0; k < LANES; k++)
    if (is_for[k])
      event->to[k].state = WAITING;
}

static void
step_put (struct queue_fixture *fixture)
{
  enum { GROUP = 5 };
  struct queue_event events[GROUP];
  enum queue_answer answers[GROUP];
  uint32_t to[GROUP][LANES];
  char ids[GROUP][16], bodies[GROUP][64];
  bool is_for[GROUP][LANES];
  size_t n = 1 + pick (GROUP);

  for (size_t i = 0; i < n; i++) {
    struct event event = { .id = (int) pick (IDS) };

    events[i] = (struct queue_event) { .source = "/s", .id = ids[i],
                                       .body = bodies[i], .lanes = to[i] };
    snprintf (ids[i], sizeof ids[i], "%d", event.id);
    body_of (&event, bodies[i]);
    events[i].len = strlen (bodies[i]);
    for (size_t k = 0; k < LANES; k++) {
      is_for[i][k] = pick (2) == 0;
      if (is_for[i][k])
        to[i][events[i].n_lanes++] = lanes[k];
    }
  }
  assert_int_equal (queue_put (pick (2) ? fixture->queue : other, events, n,
                               answers), QUEUE_OK);
  for (size_t i = 0; i < n; i++) {
    int id = atoi (ids[i]);

    /* The clock goes back now and then: what the window had left behind
     * may be in it again, and is not known any more. */
    if (model_has_seen (id, WINDOW_MS - SLACK_MS))
      assert_int_equal (answers[i], QUEUE_SEEN);
    else if (!model_has_seen (id, WINDOW_MS))
      assert_int_equal (answers[i], QUEUE_ACCEPTED);
    if (answers[i] == QUEUE_ACCEPTED)
      model_accept (id, is_for[i]);
  }
}

/* ------------------------------------------------------------------ */
/* Out. */

static struct event *
model_next (size_t lane, enum state state, int64_t now_ms)
{
  struct event *next = NULL;

  for (size_t i = 0; i < model.n_events; i++) {
    struct event *event = &model.events[i];
    const struct delivery *one = &event->to[lane];

    if (one->state == state && !one->is_taken
        && (state == WAITING || one->due_ms <= now_ms)
        && (next == NULL
            || (state == RETRYING && one->due_ms < next->to[lane].due_ms)))
      next = event;
  }
  return next;
}

static void
step_take (struct queue_fixture *fixture)
{
  size_t lane = pick (LANES), most = 1 + pick (12), n = 0;
  char body[64];

  queue_heard (fixture->queue);
  fixture_take (fixture, lanes[lane], model.now_ms, most);
  while (n < most && !model.is_paused[lane]) {
    struct event *event = model_next (lane, RETRYING, model.now_ms);
    const struct queue_item *item = &fixture->items[n];

    if (event == NULL)
      event = model_next (lane, WAITING, 0);
    if (event == NULL)
      break;
    assert_true (n < fixture->n);
    if (event->seq == 0)
      event->seq = item->seq;
    assert_true (item->seq == event->seq);
    assert_true (item->accepted_ms == event->accepted_ms);
    assert_int_equal (item->attempts, event->to[lane].attempts);
    assert_int_equal (item->crashes, event->to[lane].crashes);
    assert_true (item->first_ms == event->to[lane].first_ms);
    body_of (event, body);
    fixture_assert_body (fixture, n++, body);
    event->to[lane].is_taken = true;
  }
  assert_int_equal (fixture->n, n);
}

static struct queue_settlement
random_settlement (size_t lane, const struct event *event)
{
  return (struct queue_settlement) {
    .lane = lanes[lane], .seq = event->seq,
    .end = (enum queue_end) pick (4),
    .due_ms = model.now_ms - 5000 + (int64_t) pick (20000),
    .first_ms = 1 + (int64_t) pick (9), .attempts = (uint32_t) pick (9),
    .at_ms = model.now_ms, .key = pick (3), .reason = event->id % 2
      ? "odd" : "even", .reference = "r", .via = ""
  };
}

static void
model_settle (size_t lane, struct event *event,
              const struct queue_settlement *from)
{
  struct delivery *one = &event->to[lane];

  if (one->state == GONE || !one->is_taken)
    return;
  one->is_taken = false;
  if (from->end == QUEUE_BACK)
    return;
  model.history[model.n_history++] = (struct history) {
    (size_t) (event - model.events), lane, from->end, from->attempts };
  *one = (struct delivery) { .state = GONE };
  if (from->end == QUEUE_RETRY)
    *one = (struct delivery) { .state = RETRYING, .due_ms = from->due_ms,
                               .first_ms = from->first_ms,
                               .attempts = from->attempts,
                               .key = from->key };
  if (from->end == QUEUE_DEAD)
    *one = (struct delivery) { .state = DEAD, .attempts = from->attempts,
                               .died_ms = from->at_ms,
                               .death = ++model.n_deaths };
}

static void
step_settle (struct queue_fixture *fixture)
{
  enum { GROUP = 12 };
  struct queue_settlement settlements[GROUP];
  struct event *events[GROUP];
  size_t on[GROUP], n = 0, start = pick (model.n_events + 1);

  for (size_t i = 0; i < model.n_events && n < GROUP; i++) {
    struct event *event = &model.events[(start + i) % model.n_events];
    size_t lane = pick (LANES);

    if (event->seq == 0 || (!event->to[lane].is_taken && pick (50) > 0))
      continue;
    settlements[n] = random_settlement (lane, event);
    events[n] = event;
    on[n++] = lane;
  }
  assert_int_equal (queue_settle (fixture->queue, settlements, n), QUEUE_OK);
  for (size_t i = 0; i < n; i++)
    model_settle (on[i], events[i], &settlements[i]);
}

/* Of some that are there, and of some that are not. */
static void
step_mark (struct queue_fixture *fixture)
{
  size_t lane = pick (LANES);
  uint64_t seqs[3];

  if (model.n_events == 0)
    return;
  for (size_t i = 0; i < 3; i++) {
    struct event *event = &model.events[pick (model.n_events)];
    struct delivery *one = &event->to[lane];

    seqs[i] = event->seq;
    if (event->seq != 0 && (one->state == WAITING || one->state == RETRYING))
      one->crashes++;
  }
  assert_int_equal (queue_mark (fixture->queue, lanes[lane], seqs, 3),
                    QUEUE_OK);
}

static void
model_disown (size_t lane)
{
  for (size_t i = 0; i < model.n_events; i++)
    model.events[i].to[lane].is_taken = false;
}

static void
step_own (struct queue_fixture *fixture)
{
  size_t lane = pick (LANES);

  if (other != fixture->queue)
    assert_false (queue_own (other, lanes[lane]));
  queue_disown (fixture->queue, lanes[lane]);
  if (other != fixture->queue) {
    assert_true (queue_own (other, lanes[lane]));
    assert_false (queue_own (fixture->queue, lanes[lane]));
    queue_disown (other, lanes[lane]);
  }
  assert_true (queue_own (fixture->queue, lanes[lane]));
  model_disown (lane);
}

static void
step_pause (struct queue_fixture *fixture)
{
  size_t lane = pick (LANES);

  model.is_paused[lane] = !model.is_paused[lane] && pick (3) == 0;
  model.n_resumed[lane] += !model.is_paused[lane];
  assert_int_equal (queue_pause (pick (2) ? fixture->queue : other,
                                 lanes[lane], model.is_paused[lane]),
                    QUEUE_OK);
}

/* ------------------------------------------------------------------ */
/* Looks. */

static bool
key_add (void *data, uint64_t seq, uint64_t key, int64_t due_ms)
{
  uint64_t *sum = data;

  *sum += seq * 3 + key * 7 + (uint64_t) due_ms;
  return true;
}

static void
step_look (struct queue_fixture *fixture)
{
  size_t lane = pick (LANES);
  struct queue_lane_state state = fixture_state (other, lanes[lane]);
  const struct event *next = model_next (lane, RETRYING, INT64_MAX);
  uint64_t counts[4] = { 0 }, sum = 0, expected = 0;
  int64_t oldest_ms = 0;
  struct queue_hold hold;

  for (size_t i = 0; i < model.n_events; i++) {
    const struct event *event = &model.events[i];
    const struct delivery *one = &event->to[lane];

    counts[one->state]++;
    if ((one->state == WAITING || one->state == RETRYING) && oldest_ms == 0)
      oldest_ms = event->accepted_ms;
    if (one->state == RETRYING && one->key != 0)
      expected += event->seq * 3 + one->key * 7 + (uint64_t) one->due_ms;
  }
  assert_int_equal (state.waiting, counts[WAITING]);
  assert_int_equal (state.retrying, counts[RETRYING]);
  assert_int_equal (state.dead, counts[DEAD]);
  assert_true (state.oldest_ms == oldest_ms);
  assert_int_equal (state.is_paused, model.is_paused[lane]);
  assert_true (queue_look (other, lanes[lane], &hold));
  assert_int_equal (hold.is_paused, state.is_paused);
  assert_int_equal (hold.n_resumed, model.n_resumed[lane]);
  assert_int_equal (queue_keys (fixture->queue, lanes[lane], key_add, &sum),
                    QUEUE_OK);
  assert_true (sum == expected);
  queue_heard (fixture->queue);
  fixture_take (fixture, lanes[lane], INT64_MIN, 1);
  if (fixture->n == 1)
    fixture_settle (fixture->queue, lanes[lane], fixture->items[0].seq,
                    QUEUE_BACK, 0);
  if (model.is_paused[lane] || next == NULL)
    assert_true (queue_due_ms (fixture->queue, lanes[lane]) == INT64_MAX);
  else
    assert_true (queue_due_ms (fixture->queue, lanes[lane])
                 == next->to[lane].due_ms);
}

struct tracing {
  int id;
  size_t at;                    /* in history */
};

static bool
trace_check (void *data, uint32_t lane,
             const struct queue_settlement *settlement)
{
  struct tracing *tracing = data;
  const struct history *one = &model.history[tracing->at];

  while (tracing->at < model.n_history
         && model.events[one->event].seq != settlement->seq)
    one = &model.history[++tracing->at];
  assert_true (tracing->at < model.n_history);
  assert_int_equal (model.events[one->event].id, tracing->id);
  assert_int_equal (lane, lanes[one->lane]);
  assert_int_equal (settlement->end, one->end);
  assert_int_equal (settlement->attempts, one->attempts);
  if (model.events[one->event].is_forgotten)
    assert_string_equal (settlement->reason, "");
  else
    assert_string_equal (settlement->reason,
                         tracing->id % 2 ? "odd" : "even");
  tracing->at++;
  /* Each event's history begins anew. */
  for (size_t i = tracing->at; i < model.n_history; i++)
    if (model.history[i].event == one->event)
      return true;
  tracing->at = 0;
  return true;
}

static void
step_trace (struct queue_fixture *fixture)
{
  struct tracing tracing = { (int) pick (IDS), 0 };
  size_t n, known = 0, ever = 0;
  char id[16];

  (void) fixture;
  for (size_t i = 0; i < model.n_events; i++)
    if (model.events[i].id == tracing.id) {
      ever++;
      known
        += model.events[i].accepted_ms > model.now_ms - WINDOW_MS + SLACK_MS
        || (model.n_history > 0 && model.events[i].accepted_ms
              >= model.events[model.history[0].event].accepted_ms
                   + 3600 * 1000);
    }
  snprintf (id, sizeof id, "%d", tracing.id);
  assert_int_equal (queue_trace (other, id, trace_check, &tracing, &n),
                    QUEUE_OK);
  assert_true (n >= known && n <= ever);
}

static bool
left_check (void *data, const struct queue_left *left)
{
  size_t *n = data;

  ++*n;
  for (size_t i = 0; i < model.n_events; i++)
    for (size_t k = 0; k < LANES; k++) {
      const struct delivery *one = &model.events[i].to[k];

      if (model.events[i].seq != left->seq || lanes[k] != left->lane)
        continue;
      assert_int_not_equal (one->state, GONE);
      assert_int_equal (left->is_dead, one->state == DEAD);
      assert_int_equal (left->attempts, one->attempts);
      assert_true (left->due_ms
                   == (one->state == RETRYING ? one->due_ms : 0));
      assert_true (left->accepted_ms == model.events[i].accepted_ms);
    }
  return true;
}

static void
step_left (struct queue_fixture *fixture)
{
  int id = (int) pick (IDS);
  size_t n = 0, expected = 0;
  char text[16];

  (void) fixture;
  for (size_t i = 0; i < model.n_events; i++)
    for (size_t k = 0; k < LANES; k++)
      expected += model.events[i].id == id
        && model.events[i].to[k].state != GONE;
  snprintf (text, sizeof text, "%d", id);
  assert_int_equal (queue_left (other, text, left_check, &n), QUEUE_OK);
  assert_int_equal (n, expected);
}

/* ------------------------------------------------------------------ */
/* Looking after it. */

static struct queue_filter
random_filter (void)
{
  struct queue_filter filter = { 0 };

  if (pick (2))
    filter.lane = lanes[pick (LANES)];
  if (pick (2))
    filter.reason = pick (2) ? "od" : "eve";
  if (pick (3) == 0)
    filter.before_ms = model.now_ms - (int64_t) pick (5000);
  return filter;
}

static bool
filter_takes (const struct queue_filter *filter, const struct event *event,
              size_t lane)
{
  const struct delivery *one = &event->to[lane];

  return one->state == DEAD
    && (filter->lane == 0 || filter->lane == lanes[lane])
    && (filter->reason == NULL || (filter->reason[0] == 'o')
          == (event->id % 2 == 1))
    && (filter->before_ms == 0 || one->died_ms < filter->before_ms);
}

struct deaths {
  const struct queue_filter *filter;
  uint64_t last, n, most;
};

static bool
dead_check (void *data, const struct queue_dead *dead)
{
  struct deaths *deaths = data;
  char body[64];

  for (size_t i = 0; i < model.n_events; i++) {
    const struct event *event = &model.events[i];

    for (size_t k = 0; k < LANES; k++)
      if (event->seq == dead->seq && lanes[k] == dead->lane) {
        assert_true (filter_takes (deaths->filter, event, k));
        assert_true (event->to[k].death > deaths->last);
        deaths->last = event->to[k].death;
        assert_int_equal (event->to[k].attempts, dead->attempts);
        assert_true (event->to[k].died_ms == dead->died_ms);
        body_of (event, body);
        assert_int_equal (dead->len, strlen (body));
        assert_memory_equal (dead->body, body, dead->len);
        return ++deaths->n < deaths->most;
      }
  }
  fail_msg ("a dead letter that never was");
  return false;
}

static void
step_dead (struct queue_fixture *fixture)
{
  struct queue *by = pick (2) ? fixture->queue : other;
  struct queue_filter filter = random_filter ();
  struct deaths deaths = { .filter = &filter, .most = UINT64_MAX };
  uint64_t n, expected = 0;
  size_t what = pick (4);

  for (size_t i = 0; i < model.n_events; i++)
    for (size_t k = 0; k < LANES; k++)
      expected += filter_takes (&filter, &model.events[i], k);
  if (what < 2) {
    assert_int_equal (queue_dead_each (by, &filter, dead_check, &deaths),
                      QUEUE_OK);
    assert_int_equal (deaths.n, expected);
    return;
  }
  assert_int_equal ((what == 2 ? queue_dead_replay : queue_dead_purge) (
                      by, &filter, &n), QUEUE_OK);
  assert_int_equal (n, expected);
  for (size_t i = 0; i < model.n_events; i++)
    for (size_t k = 0; k < LANES; k++)
      if (filter_takes (&filter, &model.events[i], k))
        model.events[i].to[k] = (struct delivery) {
          .state = what == 2 ? WAITING : GONE };
}

static bool
is_of_id (void *data, const char *body, size_t len)
{
  const char *head = data;

  return len > strlen (head) && memcmp (body, head, strlen (head)) == 0;
}

static void
step_forget (struct queue_fixture *fixture)
{
  int id = (int) pick (IDS);
  char head[24];
  uint64_t n, expected = 0;

  snprintf (head, sizeof head, "{\"id\":%d,", id);
  assert_int_equal (queue_forget (pick (2) ? fixture->queue : other,
                                  is_of_id, head, &n), QUEUE_OK);
  for (size_t i = 0; i < model.n_events; i++) {
    struct event *event = &model.events[i];
    bool is_there = false;

    for (size_t k = 0; k < LANES && event->id == id; k++)
      is_there = is_there || event->to[k].state != GONE;
    if (!is_there)
      continue;
    expected++;
    event->is_forgotten = true;
    memset (event->to, 0, sizeof event->to);
  }
  assert_int_equal (n, expected);
}

static void
step_tidy (struct queue_fixture *fixture)
{
  fixture_tidy (pick (2) ? fixture->queue : other, model.now_ms);
}

static void
step_reopen (struct queue_fixture *fixture)
{
  if (!fixture_survives (fixture))
    return;
  if (pick (2)) {
    queue_close (other);
    other = fixture_open (fixture);
    return;
  }
  fixture_reopen (fixture);
  fixture_assert_whole (fixture->store);
  for (size_t k = 0; k < LANES; k++) {
    assert_true (queue_own (fixture->queue, lanes[k]));
    model_disown (k);
  }
}

static const struct {
  void (*step) (struct queue_fixture *fixture);
  size_t weight;
} steps[] = {
  { step_put, 30 }, { step_take, 30 }, { step_settle, 30 },
  { step_look, 10 }, { step_mark, 3 }, { step_own, 2 }, { step_pause, 4 },
  { step_trace, 3 }, { step_left, 3 }, { step_dead, 5 }, { step_forget, 2 },
  { step_tidy, 3 }, { step_reopen, 2 }
};

static void
step_any (struct queue_fixture *fixture)
{
  size_t weights = 0, k, chosen;

  for (k = 0; k < sizeof steps / sizeof *steps; k++)
    weights += steps[k].weight;
  chosen = pick (weights);
  for (k = 0; chosen >= steps[k].weight; k++)
    chosen -= steps[k].weight;
  steps[k].step (fixture);
}

static void
test_model (void **state)
{
  struct queue_fixture *fixture = *state;
  const char *wanted = getenv ("QUEUE_SEED");
  unsigned seed = wanted != NULL
    ? (unsigned) strtoul (wanted, NULL, 10)
    : (unsigned) date_monotonic_us () ^ ((unsigned) getpid () << 16);
  static const char *const names[] = { "one", "two", "three" };

  print_message ("# QUEUE_SEED=%u\n", seed);
  srandom (seed);
  memset (&model, 0, sizeof model);
  model.now_ms = 1700000000000;
  date_set_now (model.now_ms);
  fixture->config.history_ms = INT64_C (1000) * 3600 * 1000;
  fixture->config.history_rows = INT64_MAX;
  queue_close (fixture->queue);
  fixture->queue = fixture_open (fixture);
  other = fixture_survives (fixture) ? fixture_open (fixture)
                                     : fixture->queue;
  for (size_t k = 0; k < LANES; k++) {
    lanes[k] = queue_lane (fixture->queue, names[k]);
    assert_true (queue_own (fixture->queue, lanes[k]));
  }
  for (size_t i = 0; i < STEPS; i++) {
    model.now_ms += (int64_t) pick (100) * (pick (10) ? 1 : -1);
    date_set_now (model.now_ms);
    step_any (fixture);
  }
  if (other != fixture->queue)
    queue_close (other);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    FOR_BOTH (test_model),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
