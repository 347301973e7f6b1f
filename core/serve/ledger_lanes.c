/* ledger_lanes.c - the store's side of the ledger: lanes and what is taken
 * from them.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/memory.h"
#include "serve/ledger_state.h"

enum {
  TAKE_MOST = 256               /* deliveries at a time */
};

struct answer *
ledger_answer_new (enum answer_kind kind, struct ledger_lane *lane)
{
  struct answer *answer = memory_zeroed (1, sizeof *answer);

  answer->kind = kind;
  answer->lane = lane;
  return answer;
}

/* Told when it begins, when it gets worse, and when it is over. */
void
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
  answer = ledger_answer_new (ANSWER_TROUBLE, NULL);
  answer->error = error;
  answer->reason = memory_strdup (error == QUEUE_OK
                                    ? "" : queue_reason (ledger->queue));
  ledger_answer (ledger, answer);
}

/* ------------------------------------------------------------------ */
/* Owning. */

static void
lane_leave (struct ledger *ledger, struct ledger_lane *lane)
{
  if (lane->stage != STAGE_AWAITED)
    queue_disown (ledger->queue, lane->number);
  ledger_answer (ledger, ledger_answer_new (ANSWER_DISOWNED, lane));
}

void
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

/* What is still to be marked is asked for now: whoever had the lane since
 * this one was made may have done it. */
static enum queue_error
lane_mark (struct ledger *ledger, struct ledger_lane *lane)
{
  struct flight *flight = ledger->config.flight;
  struct flight_mark *marks;
  enum queue_error error = QUEUE_OK;
  uint64_t *seqs;
  size_t n_marks, n = 0;

  marks = flight != NULL ? flight_marks (flight, &n_marks) : NULL;
  if (marks == NULL)
    return QUEUE_OK;
  seqs = memory_alloc (n_marks * sizeof *seqs);
  for (size_t i = 0; i < n_marks; i++)
    if (marks[i].lane == lane->number)
      seqs[n++] = marks[i].seq;
  free (marks);
  if (n > 0)
    error = queue_mark (ledger->queue, lane->number, seqs, n);
  free (seqs);
  /* Not by way of the loop, which may be held up, or be killed. */
  if (error == QUEUE_OK)
    flight_marked (flight, lane->number);
  return error;
}

static void
lane_look (struct ledger *ledger, struct ledger_lane *lane)
{
  struct queue_hold hold;
  struct answer *answer;

  if (!queue_look (ledger->queue, lane->number, &hold)
      || (hold.is_paused == lane->hold.is_paused
          && hold.n_resumed == lane->hold.n_resumed))
    return;
  lane->hold = hold;
  answer = ledger_answer_new (ANSWER_PAUSED, lane);
  answer->is_paused = hold.is_paused;
  ledger_answer (ledger, answer);
}

/* Marks and keys are read before anything is taken. */
static enum queue_error
lane_begin (struct ledger *ledger, struct ledger_lane *lane)
{
  struct keys keys = { NULL, 0, 0 };
  enum queue_error error = lane_mark (ledger, lane);
  struct queue_hold hold;
  struct answer *answer;

  if (error == QUEUE_OK && !queue_look (ledger->queue, lane->number, &hold))
    error = QUEUE_BUSY;
  if (error == QUEUE_OK)
    error = queue_keys (ledger->queue, lane->number, keys_add, &keys);
  if (error != QUEUE_OK) {
    free (keys.list);
    return error;
  }
  lane->stage = STAGE_OURS;
  lane->hold.n_resumed = hold.n_resumed;        /* before our time */
  answer = ledger_answer_new (ANSWER_OWNED, lane);
  answer->keys = keys.list;
  answer->n = keys.n;
  ledger_answer (ledger, answer);
  lane_look (ledger, lane);
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
    ledger_answer (ledger, ledger_answer_new (ANSWER_WAITING, lane));
  lane->is_told = true;
  return QUEUE_OK;
}

void
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
      lane_look (ledger, lane);
    else if (error == QUEUE_OK)
      error = lane_own (ledger, lane);
  ledger_trouble (ledger, AT_OWN, error);
}

/* ------------------------------------------------------------------ */
/* Taking. */

void
ledger_use_up (struct ledger_lane *lane, size_t n, size_t bytes,
               struct answer *answer)
{
  if (n >= lane->wanted || bytes >= lane->wanted_bytes) {
    n = lane->wanted;
    bytes = lane->wanted_bytes;
  }
  lane->wanted -= n;
  lane->wanted_bytes -= bytes;
  answer->used = n;
  answer->used_bytes = bytes;
}

static void
lane_hand_over (struct ledger *ledger, struct ledger_lane *lane,
                const struct queue_item *items, size_t n)
{
  struct answer *answer = ledger_answer_new (ANSWER_TAKEN, lane);
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
  ledger_use_up (lane, n, bytes, answer);
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
  return lane->wanted > 0;
}

bool
ledger_take (struct ledger *ledger)
{
  enum queue_error error = QUEUE_OK;
  bool has_more = false;

  /* What can't be settled would be sent again after a crash: the less of
   * it the better. */
  if (ledger->has_trouble[AT_SETTLE]
      || date_monotonic_us () < ledger->take_not_before_us)
    return false;
  for (struct ledger_lane *lane = ledger->lanes; lane != NULL;
       lane = lane->next) {
    if (lane->stage != STAGE_OURS || lane->is_leaving || lane->wanted == 0)
      continue;
    if (lane->hold.is_paused && ledger->is_heard)
      lane_look (ledger, lane);
    if (!lane->hold.is_paused)
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
