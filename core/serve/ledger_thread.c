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
  RETRY_MOST_US = 1000 * 1000,  /* after what failed again and again */
  TIDY_US = 20 * 1000,          /* between two steps, when idle */
  TIDY_BUSY_US = 1000 * 1000,   /* and when not */
  TIDY_DONE_US = 60 * 1000 * 1000
};

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
  struct answer *answer;

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
    answer = ledger_answer_new (ANSWER_UNWANTED, lane);
    ledger_use_up (lane, lane->wanted, lane->wanted_bytes, answer);
    ledger_answer (ledger, answer);
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
  answer = ledger_answer_new (ANSWER_COMMITTED, NULL);
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
  if (ledger->has_trouble[AT_SETTLE])
    return at_us;
  for (const struct ledger_lane *lane = ledger->lanes; lane != NULL;
       lane = lane->next) {
    int64_t due_ms;

    if (lane->stage != STAGE_OURS || lane->wanted == 0
        || lane->hold.is_paused)
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
