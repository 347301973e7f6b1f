/* ledger_thread.c - the store's side of the ledger.
 *
 * One turn: take the orders, commit what has been gathered, become owner
 * of what others have given back, take what is wanted, and sleep until
 * there is more to do.  Nothing is logged here: the log and the secrets
 * it hides are the loop's.
 *
 * SPDX-License-Identifier: MIT
 */

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/memory.h"
#include "serve/ledger_state.h"

enum {
  TAKE_MOST = 256,              /* deliveries at a time */
  TICK_US = 500 * 1000,         /* how often lanes are looked at */
  RETRY_US = 100 * 1000,        /* what failed, at first ... */
  RETRY_MOST_US = 1000 * 1000,  /* ... and at most */
  TIDY_US = 20 * 1000,          /* between two steps, when idle */
  TIDY_BUSY_US = 1000 * 1000,   /* and when not */
  TIDY_DONE_US = 60 * 1000 * 1000
};

static struct answer *
answer_new (enum answer_kind kind, struct ledger_lane *lane)
{
  struct answer *answer = memory_zeroed (1, sizeof *answer);

  answer->kind = kind;
  answer->lane = lane;
  return answer;
}

/* Told when it begins, when it gets worse, and when it is over. */
static void
ledger_trouble (struct ledger *ledger, enum trouble where,
                enum queue_error error)
{
  struct answer *answer;
  bool had_any = false, has_any = false;

  for (size_t i = 0; i < TROUBLES; i++)
    had_any |= ledger->has_trouble[i];
  if (error == QUEUE_BROKEN && ledger->is_broken)
    return;
  ledger->is_broken |= error == QUEUE_BROKEN;
  ledger->has_trouble[where] = error != QUEUE_OK;
  for (size_t i = 0; i < TROUBLES; i++)
    has_any |= ledger->has_trouble[i];
  if (had_any == has_any && error != QUEUE_BROKEN)
    return;
  answer = answer_new (ANSWER_TROUBLE, NULL);
  answer->error = error;
  answer->reason = memory_strdup (error == QUEUE_OK
                                    ? "" : queue_reason (ledger->queue));
  ledger_answer (ledger, answer);
}

/* ------------------------------------------------------------------ */
/* Orders. */

static void
pending_add (struct ledger *ledger, struct order *order)
{
  if (ledger->n_pending == ledger->pending_size) {
    ledger->pending_size = ledger->pending_size * 2 + 256;
    ledger->pending = memory_resize (ledger->pending, ledger->pending_size,
                                     sizeof *ledger->pending);
  }
  if (ledger->n_pending == 0)
    ledger->gather_until_us
      = date_monotonic_us () + ledger->config.commit_ms * 1000;
  order->settlement.lane = order->lane->number;
  ledger->pending[ledger->n_pending++] = order;
}

/* The loop waits for this one, and frees it. */
static void
order_tell_number (struct ledger *ledger, struct order *order)
{
  uint32_t number = ledger->is_broken
                      ? 0 : queue_lane (ledger->queue, order->strings);

  pthread_mutex_lock (&ledger->mutex);
  order->n = number;
  order->is_done = true;
  pthread_cond_signal (&ledger->is_told);
  pthread_mutex_unlock (&ledger->mutex);
}

static void
order_do (struct ledger *ledger, struct order *order)
{
  struct ledger_lane *lane = order->lane;

  switch (order->kind) {
  case ORDER_SETTLE:
    pending_add (ledger, order);
    return;
  case ORDER_OWN:
    lane->next = ledger->lanes;
    ledger->lanes = lane;
    ledger->tick_us = 0;
    break;
  case ORDER_DISOWN:
    lane->is_leaving = true;
    break;
  case ORDER_WANT:
    lane->wanted += order->n;
    lane->wanted_bytes += order->bytes;
    break;
  case ORDER_UNWANT:
    lane->wanted = lane->wanted_bytes = 0;
    ledger_answer (ledger, answer_new (ANSWER_UNWANTED, lane));
    break;
  case ORDER_NUMBER:
    order_tell_number (ledger, order);
    return;
  case ORDER_STOP:
    ledger->is_stopping = true;
    break;
  }
  free (order);
}

static void
orders_do (struct ledger *ledger)
{
  struct order *order;

  pthread_mutex_lock (&ledger->mutex);
  order = ledger->orders;
  ledger->orders = NULL;
  ledger->orders_end = &ledger->orders;
  ledger->n_settle_orders = ledger->n_other_orders = 0;
  ledger->is_asleep = false;
  pthread_mutex_unlock (&ledger->mutex);
  while (order != NULL) {
    struct order *next = order->next;

    order_do (ledger, order);
    order = next;
  }
}

/* ------------------------------------------------------------------ */
/* Settling. */

/* One commit.  False: what is left must wait. */
static bool
commit_group (struct ledger *ledger)
{
  size_t n = ledger->n_pending < ledger->config.commit_most
               ? ledger->n_pending : ledger->config.commit_most;
  struct queue_settlement *group = memory_alloc (n * sizeof *group);
  int64_t began_us = date_monotonic_us ();
  enum queue_error error;
  struct answer *answer;

  for (size_t i = 0; i < n; i++)
    group[i] = ledger->pending[i]->settlement;
  error = queue_settle (ledger->queue, group, n);
  free (group);
  ledger_trouble (ledger, AT_SETTLE, error);
  if (error != QUEUE_OK) {
    ledger->backoff_us = ledger->backoff_us == 0 ? RETRY_US
                         : ledger->backoff_us * 2 < RETRY_MOST_US
                           ? ledger->backoff_us * 2 : RETRY_MOST_US;
    ledger->commit_not_before_us = date_monotonic_us () + ledger->backoff_us;
    return false;
  }
  ledger->backoff_us = 0;
  if (ledger->config.commits != NULL)
    histogram_add (ledger->config.commits, date_monotonic_us () - began_us);
  for (size_t i = 0; i < n; i++)
    free (ledger->pending[i]);
  ledger->n_pending -= n;
  memmove (ledger->pending, ledger->pending + n,
           ledger->n_pending * sizeof *ledger->pending);
  answer = answer_new (ANSWER_COMMITTED, NULL);
  answer->n = n;
  ledger_answer (ledger, answer);
  return true;
}

static bool
ledger_has_leaving (const struct ledger *ledger)
{
  for (const struct ledger_lane *lane = ledger->lanes; lane != NULL;
       lane = lane->next)
    if (lane->is_leaving)
      return true;
  return false;
}

/* Full groups at once, a smaller one when it has waited long enough or
 * somebody waits for it. */
static void
ledger_commit (struct ledger *ledger)
{
  int64_t now_us = date_monotonic_us ();
  bool is_due = now_us >= ledger->gather_until_us || ledger->is_stopping
                || ledger_has_leaving (ledger);

  if (now_us < ledger->commit_not_before_us && !ledger->is_stopping)
    return;
  while (ledger->n_pending >= ledger->config.commit_most
         || (is_due && ledger->n_pending > 0))
    if (!commit_group (ledger))
      return;
}

/* ------------------------------------------------------------------ */
/* Lanes. */

static void
lane_leave (struct ledger *ledger, struct ledger_lane *lane)
{
  if (lane->stage != STAGE_AWAITED)
    queue_disown (ledger->queue, lane->number);
  ledger_answer (ledger, answer_new (ANSWER_DISOWNED, lane));
}

static void
ledger_disown_all (struct ledger *ledger)
{
  struct ledger_lane **link = &ledger->lanes;

  if (ledger->n_pending > 0)
    return;
  while (*link != NULL) {
    struct ledger_lane *lane = *link;

    if (lane->is_leaving) {
      *link = lane->next;
      lane_leave (ledger, lane);
      ledger->tick_us = 0;      /* another may wait for it */
    } else
      link = &lane->next;
  }
}

/* A list that grows while the queue tells. */
struct keys {
  struct ledger_key *list;
  size_t n, size;
};

static bool
keys_add (void *data, uint64_t seq, uint64_t key, int64_t due_ms)
{
  struct keys *keys = data;

  if (keys->n == keys->size) {
    keys->size = keys->size * 2 + 64;
    keys->list = memory_resize (keys->list, keys->size, sizeof *keys->list);
  }
  keys->list[keys->n++] = (struct ledger_key) { seq, key, due_ms };
  return true;
}

static enum queue_error
lane_mark (struct ledger *ledger, struct ledger_lane *lane)
{
  uint64_t *seqs;
  enum queue_error error = QUEUE_OK;
  size_t n = 0;

  if (lane->n_marks == 0)
    return QUEUE_OK;
  seqs = memory_alloc (lane->n_marks * sizeof *seqs);
  for (size_t i = 0; i < lane->n_marks; i++)
    if (lane->marks[i].lane == lane->number)
      seqs[n++] = lane->marks[i].seq;
  if (n > 0)
    error = queue_mark (ledger->queue, lane->number, seqs, n);
  free (seqs);
  if (error != QUEUE_OK)
    return error;
  free (lane->marks);
  lane->marks = NULL;
  lane->n_marks = 0;
  return QUEUE_OK;
}

static void
lane_look_paused (struct ledger *ledger, struct ledger_lane *lane)
{
  bool is_paused = queue_is_paused (ledger->queue, lane->number);
  struct answer *answer;

  if (is_paused == lane->is_paused)
    return;
  lane->is_paused = is_paused;
  answer = answer_new (ANSWER_PAUSED, lane);
  answer->is_paused = is_paused;
  ledger_answer (ledger, answer);
}

/* Marks and keys are read before anything is taken. */
static enum queue_error
lane_begin (struct ledger *ledger, struct ledger_lane *lane)
{
  struct keys keys = { NULL, 0, 0 };
  enum queue_error error = lane_mark (ledger, lane);
  struct answer *answer;

  if (error == QUEUE_OK)
    error = queue_keys (ledger->queue, lane->number, keys_add, &keys);
  if (error != QUEUE_OK) {
    free (keys.list);
    return error;
  }
  lane->stage = STAGE_OURS;
  answer = answer_new (ANSWER_OWNED, lane);
  answer->keys = keys.list;
  answer->n = keys.n;
  ledger_answer (ledger, answer);
  lane_look_paused (ledger, lane);
  return QUEUE_OK;
}

/* Another of this process has it, who will give it back. */
static bool
lane_has_double (const struct ledger *ledger, const struct ledger_lane *lane)
{
  for (const struct ledger_lane *other = ledger->lanes; other != NULL;
       other = other->next)
    if (other != lane && other->stage != STAGE_AWAITED
        && other->number == lane->number)
      return true;
  return false;
}

static enum queue_error
lane_own (struct ledger *ledger, struct ledger_lane *lane)
{
  if (lane->number == 0)
    lane->number = queue_lane (ledger->queue, lane->name);
  if (lane->number == 0)
    return QUEUE_BUSY;
  if (lane_has_double (ledger, lane))
    return QUEUE_OK;
  if (lane->stage == STAGE_AWAITED
      && queue_own (ledger->queue, lane->number))
    lane->stage = STAGE_UNMARKED;
  if (lane->stage == STAGE_UNMARKED)
    return lane_begin (ledger, lane);
  if (!lane->is_told)
    ledger_answer (ledger, answer_new (ANSWER_WAITING, lane));
  lane->is_told = true;
  return QUEUE_OK;
}

static void
ledger_tick (struct ledger *ledger)
{
  enum queue_error error = QUEUE_OK;
  int64_t now_us = date_monotonic_us ();

  if (now_us < ledger->tick_us)
    return;
  ledger->tick_us = now_us + TICK_US;
  for (struct ledger_lane *lane = ledger->lanes; lane != NULL;
       lane = lane->next)
    if (lane->is_leaving)
      continue;
    else if (lane->stage == STAGE_OURS)
      lane_look_paused (ledger, lane);
    else if (error == QUEUE_OK)
      error = lane_own (ledger, lane);
  ledger_trouble (ledger, AT_OWN, error);
}

/* ------------------------------------------------------------------ */
/* Taking. */

static void
lane_hand_over (struct ledger *ledger, struct ledger_lane *lane,
                const struct queue_item *items, size_t n)
{
  struct answer *answer = answer_new (ANSWER_TAKEN, lane);
  size_t bytes = 0;
  char *body;

  for (size_t i = 0; i < n; i++)
    bytes += items[i].len;
  answer->n = n;
  answer->items = memory_alloc (n * sizeof *items + bytes);
  memcpy (answer->items, items, n * sizeof *items);
  body = (char *) (answer->items + n);
  for (size_t i = 0; i < n; i++) {
    memcpy (body, items[i].body, items[i].len);
    answer->items[i].body = body;
    body += items[i].len;
  }
  lane->average = bytes / n + 1;
  lane->wanted -= n < lane->wanted ? n : lane->wanted;
  lane->wanted_bytes -= bytes < lane->wanted_bytes ? bytes
                                                   : lane->wanted_bytes;
  ledger_answer (ledger, answer);
}

/* True if there may be more at once. */
static bool
lane_take (struct ledger *ledger, struct ledger_lane *lane,
           enum queue_error *ret_error)
{
  struct queue_item items[TAKE_MOST];
  size_t most = lane->wanted < TAKE_MOST ? lane->wanted : TAKE_MOST;
  size_t fits, n = 0;

  if (lane->average == 0)
    lane->average = 1024;
  fits = lane->wanted_bytes / lane->average;
  if (most > fits)
    most = fits > 0 ? fits : 1;
  *ret_error = queue_take (ledger->queue, lane->number, date_now_ms (), most,
                           items, &n);
  if (*ret_error != QUEUE_OK || n == 0)
    return false;
  lane_hand_over (ledger, lane, items, n);
  if (lane->wanted == 0 || lane->wanted_bytes == 0)
    lane->wanted = lane->wanted_bytes = 0;
  return lane->wanted > 0;
}

static bool
ledger_take (struct ledger *ledger)
{
  enum queue_error error = QUEUE_OK;
  bool has_more = false;

  if (date_monotonic_us () < ledger->take_not_before_us)
    return false;
  for (struct ledger_lane *lane = ledger->lanes; lane != NULL;
       lane = lane->next) {
    if (lane->stage != STAGE_OURS || lane->is_leaving || lane->wanted == 0)
      continue;
    if (lane->is_paused && ledger->is_heard)
      lane_look_paused (ledger, lane);
    if (!lane->is_paused)
      has_more |= lane_take (ledger, lane, &error);
    if (error != QUEUE_OK)
      break;
  }
  ledger->is_heard = false;
  ledger_trouble (ledger, AT_TAKE, error);
  if (error != QUEUE_OK)
    ledger->take_not_before_us = date_monotonic_us () + RETRY_US;
  return has_more && error == QUEUE_OK;
}

/* ------------------------------------------------------------------ */
/* Idle. */

static void
ledger_tidy (struct ledger *ledger, bool is_idle)
{
  int64_t now_us = date_monotonic_us ();
  bool is_done = false;
  enum queue_error error;

  if (!ledger->config.is_tidier || now_us < ledger->tidy_us
      || (!is_idle && now_us < ledger->tidy_us + TIDY_BUSY_US))
    return;
  error = queue_tidy (ledger->queue, date_now_ms (), &is_done);
  if (error == QUEUE_BROKEN)
    ledger_trouble (ledger, AT_TAKE, error);
  ledger->tidy_us = date_monotonic_us ()
                    + (is_done || error != QUEUE_OK ? TIDY_DONE_US : TIDY_US);
}

/* When there is something to do though nobody says so. */
static int64_t
ledger_next_us (struct ledger *ledger)
{
  int64_t now_us = date_monotonic_us (), now_ms = date_now_ms ();
  int64_t at_us = ledger->tick_us;

  if (ledger->is_broken)
    return now_us + TICK_US;
  if (ledger->n_pending > 0) {
    int64_t commit_us = ledger->gather_until_us;

    if (commit_us < ledger->commit_not_before_us)
      commit_us = ledger->commit_not_before_us;
    at_us = commit_us < at_us ? commit_us : at_us;
  }
  if (ledger->config.is_tidier && ledger->n_pending == 0
      && ledger->tidy_us < at_us)
    at_us = ledger->tidy_us;
  for (const struct ledger_lane *lane = ledger->lanes; lane != NULL;
       lane = lane->next) {
    int64_t due_ms;

    if (lane->stage != STAGE_OURS || lane->wanted == 0 || lane->is_paused)
      continue;
    due_ms = queue_due_ms (ledger->queue, lane->number);
    if (due_ms - now_ms < (at_us - now_us) / 1000)
      at_us = now_us + (due_ms > now_ms ? due_ms - now_ms : 1) * 1000;
  }
  return at_us > ledger->take_not_before_us ? at_us
                                            : ledger->take_not_before_us;
}

static void
ledger_sleep (struct ledger *ledger)
{
  struct pollfd fds[2] = {
    { .fd = ledger->to_thread[0], .events = POLLIN },
    { .fd = queue_watch_fd (ledger->queue), .events = POLLIN },
  };
  int64_t wait_us = ledger_next_us (ledger) - date_monotonic_us ();
  char bytes[64];
  bool has_orders;

  pthread_mutex_lock (&ledger->mutex);
  ledger->wake_at = ledger->n_pending == 0 ? 1
                    : ledger->n_pending < ledger->config.commit_most
                      ? ledger->config.commit_most - ledger->n_pending : 1;
  has_orders = ledger->n_other_orders > 0
               || ledger->n_settle_orders >= ledger->wake_at;
  ledger->is_asleep = !has_orders;
  pthread_mutex_unlock (&ledger->mutex);
  if (has_orders || wait_us <= 0)
    wait_us = 0;
  /* Rounded up: not to turn round and round until it is time. */
  poll (fds, 2, (int) ((wait_us + 999) / 1000));
  if (fds[0].revents != 0)
    while (read (fds[0].fd, bytes, sizeof bytes) > 0)
      continue;
  if (fds[1].revents != 0) {
    queue_heard (ledger->queue);
    ledger->is_heard = true;
  }
}

void *
ledger_thread (void *data)
{
  struct ledger *ledger = data;

  while (!ledger->is_stopping) {
    bool has_more = false;

    orders_do (ledger);
    if (!ledger->is_broken) {
      ledger_commit (ledger);
      ledger_disown_all (ledger);
      ledger_tick (ledger);
      has_more = ledger_take (ledger);
      ledger_tidy (ledger, !has_more && ledger->n_pending == 0);
    }
    if (!has_more && !ledger->is_stopping)
      ledger_sleep (ledger);
  }
  return NULL;
}
