/* ledger.c - the loop's side of the ledger.
 *
 * SPDX-License-Identifier: MIT
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/memory.h"
#include "serve/ledger_state.h"

static void
pipe_open (int fds[2])
{
  if (pipe (fds) < 0)
    memory_exhausted ();        /* of descriptors, before anything began */
  for (int i = 0; i < 2; i++) {
    fcntl (fds[i], F_SETFD, FD_CLOEXEC);
    fcntl (fds[i], F_SETFL, O_NONBLOCK);
  }
}

/* One byte is as good as many. */
static void
pipe_knock (const int fds[2])
{
  ssize_t n = write (fds[1], "", 1);

  (void) n;
}

static void
pipe_drain (const int fds[2])
{
  char bytes[64];

  while (read (fds[0], bytes, sizeof bytes) > 0)
    continue;
}

/* ------------------------------------------------------------------ */
/* Orders. */

static void
order_send (struct ledger *ledger, struct order *order)
{
  bool is_settle = order->kind == ORDER_SETTLE;

  order->next = NULL;
  pthread_mutex_lock (&ledger->mutex);
  *ledger->orders_end = order;
  ledger->orders_end = &order->next;
  if (is_settle)
    ledger->n_settle_orders++;
  else
    ledger->n_other_orders++;
  if (ledger->is_asleep
      && (!is_settle || ledger->n_settle_orders >= ledger->wake_at)) {
    ledger->is_asleep = false;
    pipe_knock (ledger->to_thread);
  }
  pthread_mutex_unlock (&ledger->mutex);
}

static struct order *
order_new (enum order_kind kind, struct ledger_lane *lane)
{
  struct order *order = memory_zeroed (1, sizeof *order);

  order->kind = kind;
  order->lane = lane;
  return order;
}

struct ledger_lane *
ledger_own (struct ledger *ledger, const char *name,
            const struct ledger_client *client, void *data)
{
  struct ledger_lane *lane = memory_zeroed (1, sizeof *lane);

  lane->ledger = ledger;
  snprintf (lane->name, sizeof lane->name, "%s", name);
  lane->client = client;
  lane->data = data;
  order_send (ledger, order_new (ORDER_OWN, lane));
  return lane;
}

uint32_t
ledger_number (struct ledger *ledger, const char *name)
{
  size_t size = strlen (name) + 1;
  struct order *order = memory_alloc (sizeof *order + size);
  uint32_t number;

  memset (order, 0, sizeof *order);
  order->kind = ORDER_NUMBER;
  memcpy (order->strings, name, size);
  order_send (ledger, order);
  pthread_mutex_lock (&ledger->mutex);
  while (!order->is_done)
    pthread_cond_wait (&ledger->is_told, &ledger->mutex);
  pthread_mutex_unlock (&ledger->mutex);
  number = (uint32_t) order->n;
  free (order);
  return number;
}

void
ledger_disown (struct ledger_lane *lane)
{
  lane->is_gone = true;
  lane->ledger->n_leaving++;
  order_send (lane->ledger, order_new (ORDER_DISOWN, lane));
}

void
ledger_want (struct ledger_lane *lane, size_t n, size_t bytes)
{
  struct order *order = order_new (ORDER_WANT, lane);

  order->n = n;
  order->bytes = bytes;
  lane->asked += n;
  lane->asked_bytes += bytes;
  order_send (lane->ledger, order);
}

void
ledger_unwant (struct ledger_lane *lane)
{
  order_send (lane->ledger, order_new (ORDER_UNWANT, lane));
}

size_t
ledger_wanted (const struct ledger_lane *lane, size_t *ret_bytes)
{
  *ret_bytes = lane->asked_bytes;
  return lane->asked;
}

static const char *
order_keep (char **to, const char *text)
{
  size_t size = strlen (text) + 1;
  char *copy = *to;

  memcpy (copy, text, size);
  *to += size;
  return copy;
}

void
ledger_settle (struct ledger_lane *lane,
               const struct queue_settlement *settlement)
{
  size_t size = strlen (settlement->reason) + strlen (settlement->reference)
                + strlen (settlement->via) + 3;
  struct order *order = memory_alloc (sizeof *order + size);
  char *to = order->strings;

  memset (order, 0, sizeof *order);
  order->kind = ORDER_SETTLE;
  order->lane = lane;
  order->settlement = *settlement;
  order->settlement.reason = order_keep (&to, settlement->reason);
  order->settlement.reference = order_keep (&to, settlement->reference);
  order->settlement.via = order_keep (&to, settlement->via);
  lane->ledger->n_unsettled++;
  order_send (lane->ledger, order);
}

size_t
ledger_unsettled (const struct ledger *ledger)
{
  return ledger->n_unsettled;
}

bool
ledger_is_idle (const struct ledger *ledger)
{
  return ledger->n_unsettled == 0 && ledger->n_leaving == 0;
}

/* ------------------------------------------------------------------ */
/* Answers. */

void
ledger_answer (struct ledger *ledger, struct answer *answer)
{
  bool was_empty;

  answer->next = NULL;
  pthread_mutex_lock (&ledger->mutex);
  was_empty = ledger->answers == NULL;
  *ledger->answers_end = answer;
  ledger->answers_end = &answer->next;
  pthread_mutex_unlock (&ledger->mutex);
  if (was_empty)
    pipe_knock (ledger->to_loop);
}

static void
answer_free (struct answer *answer)
{
  free (answer->items);
  free (answer->keys);
  free (answer->reason);
  free (answer);
}

static void
answer_tell (const struct answer *answer)
{
  struct ledger_lane *lane = answer->lane;
  const struct ledger_client *client = lane->client;

  lane->asked -= answer->used;
  lane->asked_bytes -= answer->used_bytes;
  switch (answer->kind) {
  case ANSWER_OWNED:
    client->owned (lane->data, lane->number, answer->keys, answer->n);
    break;
  case ANSWER_WAITING:
    client->waiting (lane->data);
    break;
  case ANSWER_TAKEN:
    client->taken (lane->data, answer->items, answer->n);
    break;
  case ANSWER_UNWANTED:
    client->unwanted (lane->data);
    break;
  case ANSWER_PAUSED:
    client->paused (lane->data, answer->is_paused);
    break;
  default:
    break;
  }
}

static void
ledger_hear (struct ledger *ledger, struct answer *answer)
{
  switch (answer->kind) {
  case ANSWER_COMMITTED:
    ledger->n_unsettled -= answer->n;
    break;
  case ANSWER_TROUBLE:
    ledger->config.trouble (ledger->config.data, answer->error,
                            answer->reason);
    break;
  case ANSWER_DISOWNED:
    ledger->n_leaving--;
    free (answer->lane);
    break;
  default:
    if (!answer->lane->is_gone)
      answer_tell (answer);
    break;
  }
  answer_free (answer);
}

static struct answer *
answers_take (struct ledger *ledger)
{
  struct answer *list;

  pthread_mutex_lock (&ledger->mutex);
  list = ledger->answers;
  ledger->answers = NULL;
  ledger->answers_end = &ledger->answers;
  pthread_mutex_unlock (&ledger->mutex);
  return list;
}

static void
ledger_on_answer (void *data, int fd, unsigned ready)
{
  struct ledger *ledger = data;
  struct answer *answer;

  (void) fd;
  (void) ready;
  pipe_drain (ledger->to_loop);
  answer = answers_take (ledger);
  while (answer != NULL) {
    struct answer *next = answer->next;

    ledger_hear (ledger, answer);
    answer = next;
  }
}

/* ------------------------------------------------------------------ */

/* Signals are the loop's business. */
static void
ledger_start (struct ledger *ledger)
{
  sigset_t all, before;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  if (pthread_create (&ledger->thread, NULL, ledger_thread, ledger) != 0)
    memory_exhausted ();
  pthread_sigmask (SIG_SETMASK, &before, NULL);
}

struct ledger *
ledger_new (const struct ledger_config *config)
{
  struct ledger *ledger = memory_zeroed (1, sizeof *ledger);

  ledger->config = *config;
  if (ledger->config.commit_most == 0)
    ledger->config.commit_most = 1;
  ledger->queue = config->queue;
  ledger->orders_end = &ledger->orders;
  ledger->answers_end = &ledger->answers;
  pthread_mutex_init (&ledger->mutex, NULL);
  pthread_cond_init (&ledger->is_told, NULL);
  pipe_open (ledger->to_thread);
  pipe_open (ledger->to_loop);
  loop_want (config->loop, ledger->to_loop[0], LOOP_READ, ledger_on_answer,
             ledger);
  ledger_start (ledger);
  return ledger;
}

/* What is left when the thread has ended. */
static void
ledger_clear (struct ledger *ledger)
{
  struct answer *answer = answers_take (ledger);

  while (answer != NULL) {
    struct answer *next = answer->next;

    if (answer->kind == ANSWER_COMMITTED)
      ledger->n_unsettled -= answer->n;
    else if (answer->kind == ANSWER_DISOWNED)
      free (answer->lane);
    answer_free (answer);
    answer = next;
  }
  while (ledger->lanes != NULL) {
    struct ledger_lane *lane = ledger->lanes;

    ledger->lanes = lane->next;
    free (lane);
  }
  for (size_t i = 0; i < ledger->n_pending; i++)
    free (ledger->pending[i]);
  free (ledger->pending);
}

size_t
ledger_free (struct ledger *ledger)
{
  size_t n_lost;

  if (ledger == NULL)
    return 0;
  order_send (ledger, order_new (ORDER_STOP, NULL));
  pthread_join (ledger->thread, NULL);
  ledger_clear (ledger);
  n_lost = ledger->n_unsettled;
  loop_forget (ledger->config.loop, ledger->to_loop[0]);
  for (int i = 0; i < 2; i++) {
    close (ledger->to_thread[i]);
    close (ledger->to_loop[i]);
  }
  pthread_cond_destroy (&ledger->is_told);
  pthread_mutex_destroy (&ledger->mutex);
  free (ledger);
  return n_lost;
}
