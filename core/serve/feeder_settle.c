/* feeder_settle.c - items of the queue become deliveries, and their ends
 * settlements.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "serve/feeder_state.h"

enum {
  MOST_CRASHES = 2              /* of the worker, with one delivery */
};

/* A delivery that was taken. */
struct load {
  struct delivery delivery;     /* first: it leads here */
  struct feeder *feeder;        /* whose it is, whichever lane has it */
  int64_t accepted_ms, first_ms;
  size_t bytes;
};

static const char *
load_event (const struct load *load)
{
  return load->delivery.event != NULL ? event_id (load->delivery.event)
                                      : "?";
}

/* Its own lane's queue, by another's name if that has handled it. */
static void
load_settle (struct load *load, struct queue_settlement *settlement,
             const char *via)
{
  struct feeder *feeder = load->feeder;

  settlement->seq = load->delivery.seq;
  settlement->first_ms = load->first_ms;
  settlement->at_ms = date_now_ms ();
  settlement->via = via;
  ledger_settle (feeder->store, settlement);
  feeder->n_out--;
  feeder->bytes_out -= load->bytes;
  feeder->is_dirty = true;
  event_release (load->delivery.event);
  free (load);
}

static void
load_tell_dead (const struct load *load, const char *reason)
{
  log_context (load->feeder->name, NULL);
  log_warning ("event %s (%llu) is a dead letter: %s", load_event (load),
               (unsigned long long) load->delivery.seq, reason);
  log_context (NULL, NULL);
}

static void
load_die (struct load *load, enum failure_class class, const char *reason)
{
  struct queue_settlement settlement = {
    .end = QUEUE_DEAD, .attempts = load->delivery.attempts,
    .reason = reason, .reference = "",
  };
  struct board_lane *board = load->feeder->board;

  if (board != NULL) {
    board_add (&board->dead[class], 1);
    board_text_set (&board->failure, reason);
    board_set (&board->failed_ms, (uint64_t) date_now_ms ());
  }
  load_tell_dead (load, reason);
  load_settle (load, &settlement, "");
}

static void
load_back (struct load *load)
{
  struct queue_settlement settlement = {
    .end = QUEUE_BACK, .attempts = load->delivery.attempts,
    .reason = "", .reference = "",
  };

  load_settle (load, &settlement, "");
}

/* ------------------------------------------------------------------ */

static struct load *
load_new (struct feeder *feeder, const struct queue_item *item)
{
  struct load *load = memory_zeroed (1, sizeof *load);

  load->feeder = feeder;
  load->accepted_ms = item->accepted_ms;
  load->first_ms = item->first_ms;
  load->delivery.seq = item->seq;
  load->delivery.queue_lane = feeder->number;
  load->delivery.attempts = item->attempts;
  load->delivery.n_faults = item->crashes > 0;
  feeder->n_out++;
  return load;
}

void
feeder_receive (struct feeder *feeder, const struct queue_item *item,
                struct lane *lane)
{
  struct load *load = load_new (feeder, item);
  struct event_error error;
  char reason[300];

  if (event_reader_read (feeder->feeding->reader, item->body, item->len,
                         &load->delivery.event, &error) != 0) {
    load->delivery.event = NULL;
    snprintf (reason, sizeof reason, "the event can't be read any more: %s",
              error.reason);
    load_die (load, FAILURE_OTHER, reason);
    return;
  }
  load->bytes = event_memory (load->delivery.event) + sizeof *load;
  feeder->bytes_out += load->bytes;
  if (item->crashes >= MOST_CRASHES) {
    snprintf (reason, sizeof reason, "the provider %s crashed %s with it",
              feeder->descriptor->provider,
              item->crashes == 2 ? "twice" : "several times");
    load_die (load, FAILURE_PLUGIN, reason);
    return;
  }
  if (lane == NULL) {
    load_back (load);
    return;
  }
  delivery_make_id (&load->delivery, feeder->name);
  lane_admit (lane, &load->delivery);
}

/* ------------------------------------------------------------------ */

/* The counters of the integration that it was for. */
static void
load_count (const struct load *load, const struct delivery_result *result)
{
  struct board_lane *board = load->feeder->board;
  int64_t now_ms = date_now_ms ();

  if (board == NULL)
    return;
  if (result->latency_us >= 0)
    histogram_add (&board->latency, result->latency_us);
  switch (result->end) {
  case DELIVERY_DELIVERED:
    board_add (&board->delivered, 1);
    histogram_add (&board->age, (now_ms - load->accepted_ms) * 1000);
    return;
  case DELIVERY_LATER:
    if (result->latency_us < 0)
      return;                   /* it waits behind another */
    board_add (&board->retried[result->class], 1);
    break;
  case DELIVERY_REJECTED:
    board_add (&board->rejected[result->class], 1);
    break;
  case DELIVERY_UNDELIVERED:
    board_add (&board->dead[result->class], 1);
    break;
  case DELIVERY_BACK:
    return;
  }
  board_text_set (&board->failure, result->reason);
  board_set (&board->failed_ms, (uint64_t) now_ms);
}

static enum queue_end
load_end (const struct load *load, const struct delivery_result *result)
{
  switch (result->end) {
  case DELIVERY_DELIVERED:
    return QUEUE_DELIVERED;
  case DELIVERY_REJECTED:
  case DELIVERY_UNDELIVERED:
    return QUEUE_DEAD;
  case DELIVERY_LATER:
    /* What was cut off at a stop was not tried as far as anyone knows. */
    return load->feeder->feeding->is_dropping ? QUEUE_BACK : QUEUE_RETRY;
  case DELIVERY_BACK:
    break;
  }
  return QUEUE_BACK;
}

void
feeder_settled (void *data, struct delivery *delivery,
                const struct delivery_result *result)
{
  struct feeder *by = data;
  struct load *load = (struct load *) delivery;
  struct feeder *feeder = load->feeder;
  struct queue_settlement settlement = {
    .end = load_end (load, result),
    .due_ms = result->due_ms,
    .attempts = delivery->attempts,
    .status = result->status,
    .key = delivery->order_hash,
    .reason = result->reason,
    .reference = result->reference,
  };
  bool is_answered = result->end == DELIVERY_DELIVERED
                     || result->end == DELIVERY_REJECTED;

  /* A lane counts what failed; this one was the last. */
  if (is_answered && result->latency_us >= 0)
    settlement.attempts++;
  if (load->first_ms == 0 && delivery->first_us != 0)
    load->first_ms = date_now_ms ()
                     - (loop_now_us (feeder->feeding->loop)
                        - delivery->first_us) / 1000;
  load_count (load, result);
  if (is_answered)
    parking_over (by);
  if (settlement.end == QUEUE_DEAD)
    load_tell_dead (load, result->reason);
  load_settle (load, &settlement, by == feeder ? "" : by->name);
  /* At once: many replies may come in one turn of the loop. */
  if (ledger_unsettled (by->feeding->ledger) >= FEEDING_UNSETTLED)
    lane_suspend (by->lane, true);
}
