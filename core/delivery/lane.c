/* lane.c - one integration's line of deliveries, with its own limits.
 *
 *   admit -> (order key free?) -> shelf -> run -> settle
 *                  ^                ^       |
 *                  |                +-- retries, groups of a split
 *                  +-- the next of a key, when the one before has ended
 *
 * SPDX-License-Identifier: MIT
 */

#include "lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "keyring.h"
#include "limiter.h"
#include "retries.h"
#include "shelf.h"

enum {
  LANE_MIN_HELD = 1024,         /* deliveries a lane holds before it is full */
  LANE_MAX_HELD = 16384,
  LANE_MAX_FAULTS = 2           /* crashes or silence of a plugin */
};

/* A century: longer is as good as without end, and can be reckoned with. */
static const int64_t lane_max_patience_ms = 100LL * 366 * 24 * 3600 * 1000;

/* A job on its way, with the deliveries it is made of. */
struct run {
  struct run *next;             /* free, or waiting to go */
  struct lane *lane;
  struct job *job;
  size_t n, size;
  struct delivery **deliveries;
  unsigned renewals;
  int64_t since_us;
};

struct lane {
  struct integration *integration;
  struct exchanger *exchanger;
  struct loop *loop;
  struct loop_timer *timer;
  int64_t patience_us;          /* -1: without end */
  bool has_store;
  lane_settled_fn *settled;
  lane_changed_fn *changed;
  void *data;

  enum lane_state state;
  char *state_reason;
  char *blocked;                /* the reason, or NULL */
  bool is_held, is_stopped;
  int64_t latency_us;           /* of the run being settled */
  int64_t gate_us;              /* nothing goes before; 0: open */
  struct limiter limiter;
  struct keyring *keyring;      /* NULL: no order to keep */
  struct shelf *shelf;
  struct retries retries;
  struct run *again;            /* groups that go at once */
  struct run *free_runs;
  struct arena *scratch;
  size_t n_runs;                /* in flight */
  size_t n_held;                /* deliveries admitted and not settled */
  uint64_t n_admitted;
  struct {                      /* what was drawn last, see lane_delay_ms */
    uint32_t attempts;
    int64_t after_ms, delay_ms;
  } drawn;
  size_t max_held;
  bool is_pumping;
  bool is_pump_wanted;
  struct stats stats;
};

static void lane_pump (struct lane *lane);

static void
lane_tell (struct lane *lane)
{
  if (lane->changed != NULL)
    lane->changed (lane->data, lane);
}

static void
lane_on_timer (void *data)
{
  lane_pump (data);
}

struct lane *
lane_new (const struct lane_config *config)
{
  struct integration *integration = config->integration;
  struct loop *loop = config->loop;
  int64_t patience_ms = config->patience_ms;
  struct lane *lane = memory_zeroed (1, sizeof *lane);
  size_t wanted = (size_t) integration->in_flight * integration->batch_max;

  lane->integration = integration;
  lane->exchanger = config->exchanger;
  lane->loop = loop;
  lane->timer = loop_timer_new (loop, lane_on_timer, lane);
  if (patience_ms > lane_max_patience_ms)
    patience_ms = lane_max_patience_ms;
  lane->patience_us = patience_ms < 0 ? -1 : patience_ms * 1000;
  lane->has_store = config->has_store;
  lane->settled = config->settled;
  lane->changed = config->changed;
  lane->data = config->data;
  limiter_set (&lane->limiter, integration->rate_limit,
               integration->rate_ms, loop_now_us (loop));
  if (integration->order_key != NULL)
    lane->keyring = keyring_new ();
  lane->shelf = shelf_new (integration->batch_max,
                           integration->batch_wait_ms * 1000);
  lane->scratch = arena_new (0);
  /* A few wait behind those on their way; with an order key many may not
   * go yet. */
  wanted += integration->order_key != NULL ? wanted : wanted / 8;
  lane->max_held = wanted < LANE_MIN_HELD   ? LANE_MIN_HELD
                   : wanted > LANE_MAX_HELD ? LANE_MAX_HELD
                                            : wanted;
  return lane;
}

void
lane_free (struct lane *lane)
{
  if (lane == NULL)
    return;
  while (lane->free_runs != NULL) {
    struct run *run = lane->free_runs;

    lane->free_runs = run->next;
    free (run->deliveries);
    free (run);
  }
  loop_timer_free (lane->timer);
  keyring_free (lane->keyring);
  shelf_free (lane->shelf);
  retries_done (&lane->retries);
  arena_free (lane->scratch);
  stats_done (&lane->stats);
  free (lane->state_reason);
  free (lane->blocked);
  free (lane);
}

/* ------------------------------------------------------------------ */
/* Runs. */

static struct run *
run_new (struct lane *lane, size_t n)
{
  struct run *run = lane->free_runs;

  if (run != NULL)
    lane->free_runs = run->next;
  else {
    run = memory_zeroed (1, sizeof *run);
    run->lane = lane;
  }
  if (n > run->size) {
    run->deliveries = memory_resize (run->deliveries, n,
                                     sizeof *run->deliveries);
    run->size = n;
  }
  run->n = n;
  run->renewals = 0;
  run->next = NULL;
  return run;
}

static void
run_free (struct run *run)
{
  run->next = run->lane->free_runs;
  run->lane->free_runs = run;
}

/* ------------------------------------------------------------------ */
/* Settling. */

/* It is the caller's again. */
static void
lane_hand_over (struct lane *lane, struct delivery *delivery,
                const struct delivery_result *result)
{
  switch (result->end) {
  case DELIVERY_DELIVERED:
    lane->stats.delivered++;
    break;
  case DELIVERY_REJECTED:
    lane->stats.rejected++;
    break;
  case DELIVERY_UNDELIVERED:
    lane->stats.undelivered++;
    break;
  case DELIVERY_LATER:
    lane->stats.retried++;
    break;
  case DELIVERY_BACK:
    break;
  }
  if (result->end == DELIVERY_REJECTED || result->end == DELIVERY_UNDELIVERED)
    stats_reason (&lane->stats, result->reason);
  lane->n_held--;
  lane->settled (lane->data, delivery, result);
}

/* Those behind one that waits in the store go there, too. */
static void
lane_send_away (struct lane *lane, struct delivery *list,
                enum keyring_answer how, int64_t due_ms)
{
  struct delivery_result result = {
    .end = how == KEYRING_LATER ? DELIVERY_LATER : DELIVERY_BACK,
    .due_ms = due_ms, .latency_us = -1, .reason = "", .reference = "",
  };

  while (list != NULL) {
    struct delivery *delivery = list;

    list = delivery->next;
    lane_hand_over (lane, delivery, &result);
  }
}

static void
lane_leave (struct lane *lane, struct delivery *delivery,
            const struct delivery_result *result)
{
  struct keyring_next next = { .next = NULL };

  if (delivery->order_hash != 0)
    switch (result->end) {
    case DELIVERY_LATER:
      keyring_release_later (lane->keyring, delivery, result->due_ms, &next);
      break;
    case DELIVERY_BACK:
      keyring_release_back (lane->keyring, delivery, date_now_ms (), &next);
      break;
    default:
      keyring_release (lane->keyring, delivery, date_now_ms (), &next);
    }
  lane_hand_over (lane, delivery, result);
  lane_send_away (lane, next.leaving, next.how, next.due_ms);
  if (next.next != NULL)
    shelf_put (lane->shelf, next.next, loop_now_us (lane->loop));
}

/* The attempt has come to this. */
static void
lane_end (struct lane *lane, struct delivery *delivery,
          enum delivery_end end, const struct outcome *outcome,
          const char *reason, int64_t due_ms)
{
  struct delivery_result result = {
    .end = end, .class = outcome_class (outcome), .status = outcome->status,
    .due_ms = due_ms,
    .latency_us = lane->latency_us,
    .reason = reason,
    .reference = outcome->reference != NULL ? outcome->reference : "",
  };

  lane_leave (lane, delivery, &result);
}

/* It was not tried. */
static void
lane_send_back (struct lane *lane, struct delivery *delivery)
{
  struct delivery_result result = {
    .end = lane->has_store ? DELIVERY_BACK : DELIVERY_UNDELIVERED,
    .latency_us = -1,
    .reason = lane->state_reason, .reference = "",
  };

  lane_leave (lane, delivery, &result);
}

static void
lane_give_up (struct lane *lane, struct delivery *delivery,
              const char *why, const struct outcome *outcome)
{
  char text[400];

  snprintf (text, sizeof text, "%s%s%s", why,
            *outcome->reason != '\0' ? ": " : "", outcome->reason);
  lane_end (lane, delivery, DELIVERY_UNDELIVERED, outcome, text, 0);
}

/* Everything that is not in flight leaves here and now. */
static void
lane_empty (struct lane *lane)
{
  struct delivery *delivery;

  while ((delivery = shelf_take_any (lane->shelf)) != NULL
         || (delivery = retries_take (&lane->retries, INT64_MAX)) != NULL)
    lane_send_back (lane, delivery);
  if (lane->keyring != NULL && lane->has_store)
    lane_send_away (lane, keyring_drain (lane->keyring, date_now_ms ()),
                    KEYRING_BACK, 0);
  while (lane->again != NULL) {
    struct run *run = lane->again;

    lane->again = run->next;
    for (size_t i = 0; i < run->n; i++)
      lane_send_back (lane, run->deliveries[i]);
    run_free (run);
  }
}

/* What the lane's state is by now, and what follows from it. */
static void
lane_review (struct lane *lane)
{
  enum lane_state state = lane->is_stopped ? LANE_STOPPED
                          : lane->is_held   ? LANE_HELD
                          : lane->blocked   ? LANE_BLOCKED
                                            : LANE_OPEN;
  const char *reason = state == LANE_STOPPED   ? "herald was stopped"
                       : state == LANE_HELD    ? "paused"
                       : state == LANE_BLOCKED ? lane->blocked
                                               : "";

  if (state == lane->state)
    return;
  lane->state = state;
  free (lane->state_reason);
  lane->state_reason = memory_strdup (reason);
  if (state != LANE_OPEN) {
    loop_timer_stop (lane->timer);
    lane_empty (lane);
  }
  lane_tell (lane);
}

static void
lane_block (struct lane *lane, const char *why, const char *reason)
{
  char text[400];

  if (lane->blocked != NULL || lane->is_stopped)
    return;
  snprintf (text, sizeof text, "%s%s%s", why, *reason != '\0' ? ": " : "",
            reason);
  lane->blocked = memory_strdup (text);
  log_context (lane->integration->name, NULL);
  log_error ("%s", text);
  log_context (NULL, NULL);
  lane_review (lane);
}

/* Not before delay_ms have gone; whoever runs out of patience by then gives
 * up. */
static void
lane_try_later (struct lane *lane, struct delivery *delivery,
                int64_t delay_ms, const struct outcome *outcome)
{
  int64_t now_us = loop_now_us (lane->loop);

  if (lane->has_store && delay_ms > 0) {
    lane_end (lane, delivery, DELIVERY_LATER, outcome, outcome->reason,
              date_now_ms () + delay_ms);
    return;
  }
  if (lane->state != LANE_OPEN) {
    lane_end (lane, delivery,
              lane->has_store ? DELIVERY_BACK : DELIVERY_UNDELIVERED, outcome,
              lane->state == LANE_STOPPED ? outcome->reason
                                          : lane->state_reason, 0);
    return;
  }
  delivery->due_us = now_us + delay_ms * 1000;
  if (lane->patience_us >= 0
      && delivery->due_us - delivery->first_us > lane->patience_us) {
    lane_give_up (lane, delivery, "not delivered in time", outcome);
    return;
  }
  lane->stats.retried++;
  retries_add (&lane->retries, delivery);
}

/* How long to wait after so many attempts.  Drawn once a run: what failed
 * together goes again together, as the same batch and so with the same
 * id, and not as a request each. */
static int64_t
lane_delay_ms (struct lane *lane, uint32_t attempts, int64_t after_ms)
{
  const struct integration *integration = lane->integration;

  if (lane->drawn.attempts == attempts && lane->drawn.after_ms == after_ms)
    return lane->drawn.delay_ms;
  lane->drawn.attempts = attempts;
  lane->drawn.after_ms = after_ms;
  lane->drawn.delay_ms = backoff_delay_ms (integration->retry_ms,
                                           integration->n_retries, attempts);
  if (lane->drawn.delay_ms >= 0 && after_ms > 0)
    lane->drawn.delay_ms = backoff_spread_ms (after_ms);
  return lane->drawn.delay_ms;
}

static void
lane_retry (struct lane *lane, struct delivery *delivery,
            const struct outcome *outcome)
{
  int64_t delay_ms;

  if (outcome->is_free) {
    lane_try_later (lane, delivery, outcome->after_ms, outcome);
    return;
  }
  delivery->attempts++;
  delay_ms = lane_delay_ms (lane, delivery->attempts, outcome->after_ms);
  if (delay_ms < 0) {
    lane_give_up (lane, delivery, "every attempt failed", outcome);
    return;
  }
  lane_try_later (lane, delivery, delay_ms, outcome);
}

/* The job has told of it. */
static void
lane_fault (struct lane *lane, struct delivery *delivery,
            const struct outcome *outcome)
{
  if (++delivery->n_faults >= LANE_MAX_FAULTS)
    lane_give_up (lane, delivery, "the plugin failed", outcome);
  else
    lane_try_later (lane, delivery, 0, outcome);
}

static void
lane_settle (struct lane *lane, struct delivery *delivery,
             const struct outcome *outcome)
{
  switch (outcome->kind) {
  case OUTCOME_DELIVERED:
    lane_end (lane, delivery, DELIVERY_DELIVERED, outcome, "", 0);
    break;
  case OUTCOME_REJECTED:
    lane_end (lane, delivery, DELIVERY_REJECTED, outcome, outcome->reason,
              0);
    break;
  case OUTCOME_RETRY:
    lane_retry (lane, delivery, outcome);
    break;
  case OUTCOME_BLOCKED:
    lane_block (lane, "blocked", outcome->reason);
    lane_end (lane, delivery,
              lane->has_store ? DELIVERY_BACK : DELIVERY_UNDELIVERED, outcome,
              lane->state_reason, 0);
    break;
  case OUTCOME_NONE:
  case OUTCOME_FAULT:
  case OUTCOME_AGAIN:           /* in no group */
    lane_fault (lane, delivery, outcome);
    break;
  }
}

/* ------------------------------------------------------------------ */
/* A run is over. */

static void
lane_regroup (struct lane *lane, const struct run *run)
{
  for (size_t k = job_groups (run->job); k-- > 0;) {
    size_t n;
    const size_t *members = job_group (run->job, k, &n);
    struct run *group = run_new (lane, n);

    for (size_t i = 0; i < n; i++) {
      group->deliveries[i] = run->deliveries[members[i]];
      run->deliveries[members[i]] = NULL;
    }
    group->renewals = job_renewals (run->job);
    group->next = lane->again;
    lane->again = group;
  }
}

/* Retry-After, and what the service says of its limits, hold the lane. */
static void
lane_obey (struct lane *lane, const struct job *job)
{
  int64_t now_us = loop_now_us (lane->loop);
  int64_t wait_ms = job_wait_ms (job);
  uint32_t requests, per_ms;

  if (job_rate (job, &requests, &per_ms))
    limiter_set (&lane->limiter, requests, per_ms, now_us);
  if (wait_ms <= 0)
    return;
  if (now_us + wait_ms * 1000 > lane->gate_us)
    lane->gate_us = now_us + wait_ms * 1000;
  if (lane->patience_us >= 0 && wait_ms * 1000 > lane->patience_us) {
    char text[100];

    snprintf (text, sizeof text,
              "the service asks to wait %lld s, longer than --retry-for",
              (long long) (wait_ms / 1000));
    lane_block (lane, text, "");
  }
}

static void
lane_run_done (void *data, struct job *job)
{
  struct run *run = data;
  struct lane *lane = run->lane;

  lane->n_runs--;
  lane->latency_us = loop_now_us (lane->loop) - run->since_us;
  stats_latency (&lane->stats, lane->latency_us);
  lane_regroup (lane, run);
  lane_obey (lane, job);
  lane->drawn.attempts = 0;
  for (size_t i = 0; i < run->n; i++)
    if (run->deliveries[i] != NULL)
      lane_settle (lane, run->deliveries[i], job_outcome (job, i));
  if (lane->state != LANE_OPEN)
    lane_empty (lane);
  job_free (job);
  run_free (run);
  lane_pump (lane);
  lane_tell (lane);
}

/* ------------------------------------------------------------------ */
/* Going. */

static void
lane_start (struct lane *lane, struct run *run)
{
  struct job_item few[64], *items = few;
  int64_t now_us = loop_now_us (lane->loop);

  if (run->n > sizeof few / sizeof few[0])
    items = memory_alloc (run->n * sizeof *items);
  for (size_t i = 0; i < run->n; i++) {
    struct delivery *delivery = run->deliveries[i];

    if (delivery->first_us == 0)
      delivery->first_us = now_us;
    items[i] = (struct job_item) {
      .event = delivery->event,
      .id = delivery->id,
      .attempt = delivery->attempts + 1,
      .tag_lane = delivery->queue_lane,
      .tag = delivery->seq,
    };
  }
  run->since_us = now_us;
  run->job = job_new (lane->integration, JOB_DELIVER, items, run->n);
  if (items != few)
    free (items);
  job_set_renewals (run->job, run->renewals);
  limiter_take (&lane->limiter, 1, now_us);
  lane->stats.requests++;
  lane->n_runs++;
  if (exchange_run (lane->exchanger, run->job, lane_run_done, run))
    lane_run_done (run, run->job);
}

static struct run *
lane_next_run (struct lane *lane, int64_t now_us)
{
  struct run *run = lane->again;
  struct delivery *list;
  size_t n;

  if (run != NULL) {
    lane->again = run->next;
    return run;
  }
  list = shelf_take (lane->shelf, now_us, &n);
  if (list == NULL)
    return NULL;
  run = run_new (lane, n);
  for (size_t i = 0; i < n; i++, list = list->next)
    run->deliveries[i] = list;
  return run;
}

/* When there will be something to do that no reply brings about. */
static void
lane_set_timer (struct lane *lane, int64_t now_us)
{
  int64_t at_us = retries_next_us (&lane->retries);
  int64_t ready_us = shelf_ready_us (lane->shelf);

  if (lane->again != NULL)
    ready_us = 0;
  if (ready_us >= 0 && lane->n_runs < lane->integration->in_flight) {
    int64_t wait_us = limiter_wait_us (&lane->limiter, now_us);

    if (ready_us < now_us + wait_us)
      ready_us = now_us + wait_us;
    if (ready_us < lane->gate_us)
      ready_us = lane->gate_us;
    if (at_us < 0 || ready_us < at_us)
      at_us = ready_us;
  }
  if (at_us < 0)
    loop_timer_stop (lane->timer);
  else
    loop_timer_set (lane->timer, at_us);
}

static void
lane_pump (struct lane *lane)
{
  int64_t now_us = loop_now_us (lane->loop);
  struct delivery *delivery, *back = NULL;
  struct run *run;

  /* A run that is over at once comes back here: a flat loop, no
   * recursion as deep as the line is long. */
  lane->is_pump_wanted = true;
  if (lane->is_pumping)
    return;
  lane->is_pumping = true;
  while (lane->is_pump_wanted) {
    lane->is_pump_wanted = false;
    /* Each goes to the front, so the last is put back first. */
    while ((delivery = retries_take (&lane->retries, now_us)) != NULL) {
      delivery->next = back;
      back = delivery;
    }
    while ((delivery = back) != NULL) {
      back = delivery->next;
      shelf_put_back (lane->shelf, delivery);
    }
    while (lane->state == LANE_OPEN
           && lane->n_runs < lane->integration->in_flight
           && now_us >= lane->gate_us
           && limiter_wait_us (&lane->limiter, now_us) == 0
           && (run = lane_next_run (lane, now_us)) != NULL)
      lane_start (lane, run);
  }
  if (lane->state == LANE_OPEN)
    lane_set_timer (lane, now_us);
  lane->is_pumping = false;
}

/* ------------------------------------------------------------------ */
/* Coming. */

static void
lane_read_order_key (struct lane *lane, struct delivery *delivery)
{
  const struct integration *integration = lane->integration;
  const struct herald_field *field = integration->order_key;
  const char *name = settings_text (integration->settings, field->name);
  struct buf key;

  if (name == NULL)
    return;
  buf_init (&key, 0);
  if (field->type == HERALD_TARGET)
    mapping_add_text (integration->descriptor->mapping, name,
                      delivery->event, &key);
  else
    event_add_field_text (delivery->event, name, strlen (name), &key);
  if (key.len > 0) {
    if (field->flags & HERALD_FOLD_CASE)
      text_fold (key.data);
    delivery->order_hash = keyring_hash (key.data);
  }
  buf_done (&key);
}

/* Mails: who must not share a job, and who may. */
static void
lane_read_mail (struct lane *lane, struct delivery *delivery)
{
  const char *source = lane->integration->descriptor->mail->to_source;
  unsigned char hash[CRYPTO_SHA256_LEN];
  struct buf to;

  buf_init (&to, 0);
  event_add_field_text (delivery->event, source, strlen (source), &to);
  if (to.len > 0) {
    text_fold (to.data);
    crypto_sha256 (to.data, to.len, hash);
    memcpy (&delivery->to_hash, hash, sizeof delivery->to_hash);
  }
  buf_done (&to);
  arena_reset (lane->scratch);
  delivery->alike = job_alike (lane->integration, delivery->event,
                               lane->scratch);
}

/* May it go?  If not it stands in line, or has left. */
static bool
lane_takes_key (struct lane *lane, struct delivery *delivery)
{
  enum keyring_answer answer;
  int64_t due_ms = 0;

  answer = keyring_hold (lane->keyring, delivery, date_now_ms (), &due_ms);
  if (answer == KEYRING_LATER || answer == KEYRING_BACK)
    lane_send_away (lane, delivery, answer, due_ms);
  return answer == KEYRING_GO;
}

void
lane_admit (struct lane *lane, struct delivery *delivery)
{
  delivery->lane = lane;
  if (!lane->has_store)
    delivery->seq = ++lane->n_admitted;
  delivery->order_hash = 0;
  delivery->next = NULL;
  lane->n_held++;
  if (lane->state != LANE_OPEN) {
    lane_send_back (lane, delivery);
    return;
  }
  if (lane->keyring != NULL)
    lane_read_order_key (lane, delivery);
  if (lane->integration->is_mailer && lane->integration->batch_max > 1)
    lane_read_mail (lane, delivery);
  if (delivery->order_hash != 0 && !lane_takes_key (lane, delivery))
    return;
  shelf_put (lane->shelf, delivery, loop_now_us (lane->loop));
  lane_pump (lane);
}

bool
lane_has_room (const struct lane *lane)
{
  return lane->state != LANE_OPEN || lane->n_held < lane->max_held;
}

bool
lane_is_idle (const struct lane *lane)
{
  return lane->n_held == 0;
}

void
lane_flush (struct lane *lane)
{
  shelf_flush (lane->shelf);
  lane_pump (lane);
}

void
lane_stop (struct lane *lane)
{
  lane->is_stopped = true;
  lane_review (lane);
}

void
lane_park (struct lane *lane, const char *reason)
{
  lane_block (lane, "blocked", reason);
}

void
lane_resume (struct lane *lane)
{
  free (lane->blocked);
  lane->blocked = NULL;
  lane_review (lane);
}

void
lane_hold (struct lane *lane, bool is_held)
{
  lane->is_held = is_held;
  lane_review (lane);
}

void
lane_expect (struct lane *lane, uint64_t seq, uint64_t order_hash,
             int64_t due_ms)
{
  if (lane->keyring != NULL)
    keyring_expect (lane->keyring, seq, order_hash, due_ms);
}

void
lane_expect_not (struct lane *lane, uint64_t seq, uint64_t order_hash)
{
  if (lane->keyring != NULL)
    keyring_expect_not (lane->keyring, seq, order_hash);
}

size_t
lane_room (const struct lane *lane)
{
  return lane->state == LANE_OPEN && lane->n_held < lane->max_held
           ? lane->max_held - lane->n_held : 0;
}

const struct integration *
lane_integration (const struct lane *lane)
{
  return lane->integration;
}

enum lane_state
lane_state (const struct lane *lane)
{
  return lane->state;
}

const char *
lane_state_name (enum lane_state state)
{
  static const char *const names[] = {
    [LANE_OPEN] = "open",     [LANE_TRYING] = "trying",
    [LANE_BROKEN] = "broken", [LANE_BLOCKED] = "blocked",
    [LANE_HELD] = "paused",   [LANE_STOPPED] = "stopped",
  };

  return (unsigned) state < sizeof names / sizeof names[0] ? names[state]
                                                           : "open";
}

const char *
lane_state_reason (const struct lane *lane)
{
  return lane->state_reason != NULL ? lane->state_reason : "";
}

size_t
lane_in_flight (const struct lane *lane)
{
  return lane->n_runs;
}

double
lane_in_flight_cap (const struct lane *lane)
{
  return lane->integration->in_flight;
}

int64_t
lane_until_us (const struct lane *lane)
{
  return lane->gate_us > loop_now_us (lane->loop) ? lane->gate_us : 0;
}

size_t
lane_held (const struct lane *lane)
{
  return lane->n_held;
}

size_t
lane_retrying (const struct lane *lane)
{
  return lane->retries.n;
}

struct stats *
lane_stats (struct lane *lane)
{
  return &lane->stats;
}
