/* memory_engine.c - a queue that nothing of survives.
 *
 * For tests, and the model that other engines are checked against: lists
 * that are walked from end to end, so that it can be seen to be right.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/memory.h"
#include "queue/queue_engine.h"

enum { ID_SLOTS = 4096 };

struct event {
  struct event *next;           /* in the order accepted */
  struct event *same_slot;      /* accepted before it */
  uint64_t seq;
  int64_t accepted_ms;
  char *source, *id;
  char *body;                   /* NULL: no delivery is left */
  size_t len, n_open;
};

enum state { WAITING, RETRYING, DEAD };

struct delivery {
  struct delivery *next;        /* of the lane, by seq */
  struct event *event;
  enum state state;
  bool is_taken;
  int64_t due_ms, first_ms, died_ms;
  uint64_t key;
  uint32_t attempts, crashes;
  uint64_t death;               /* counts those of the queue */
  char *reason;
};

struct lane {
  char name[65];
  bool is_paused, is_owned;
  uint64_t n_resumed;
  struct delivery *first;
};

struct history {
  struct history *next;
  struct queue_settlement settlement;
};

struct memory_queue {
  struct queue queue;
  struct queue_config config;
  struct event *first, **end;
  struct event *slots[ID_SLOTS];
  uint64_t last_seq, n_deaths;
  struct lane *lanes;           /* lane 1 is lanes[0] */
  size_t n_lanes;
  struct history *history, **history_end;
  int64_t n_history, n_bytes;
};

static struct memory_queue *
memory_of (struct queue *queue)
{
  return (struct memory_queue *) queue;
}

static struct lane *
memory_lane_at (struct memory_queue *memory, uint32_t lane)
{
  return lane > 0 && lane <= memory->n_lanes ? &memory->lanes[lane - 1]
                                             : NULL;
}

static enum queue_error
memory_no_lane (struct queue *queue)
{
  snprintf (queue->reason, sizeof queue->reason, "there is no such lane");
  return QUEUE_BROKEN;
}

/* ------------------------------------------------------------------ */
/* Open and close. */

static struct queue *
memory_open (const struct queue_config *config, char *ret_reason, size_t size)
{
  struct memory_queue *memory = memory_zeroed (1, sizeof *memory);

  (void) ret_reason;
  (void) size;
  memory->queue.engine = &memory_engine;
  memory->config = *config;
  memory->end = &memory->first;
  memory->history_end = &memory->history;
  return &memory->queue;
}

static void
event_free (struct event *event)
{
  free (event->source);
  free (event->id);
  free (event->body);
  free (event);
}

static void
delivery_free (struct delivery *delivery)
{
  free (delivery->reason);
  free (delivery);
}

static void
history_free (struct history *history)
{
  free ((char *) (uintptr_t) history->settlement.reason);
  free ((char *) (uintptr_t) history->settlement.reference);
  free ((char *) (uintptr_t) history->settlement.via);
  free (history);
}

static void
history_forget (struct history *history)
{
  free ((char *) (uintptr_t) history->settlement.reason);
  free ((char *) (uintptr_t) history->settlement.reference);
  history->settlement.reason = memory_strdup ("");
  history->settlement.reference = memory_strdup ("");
}

static void
memory_close (struct queue *queue)
{
  struct memory_queue *memory = memory_of (queue);

  while (memory->first != NULL) {
    struct event *event = memory->first;

    memory->first = event->next;
    event_free (event);
  }
  for (size_t i = 0; i < memory->n_lanes; i++)
    while (memory->lanes[i].first != NULL) {
      struct delivery *delivery = memory->lanes[i].first;

      memory->lanes[i].first = delivery->next;
      delivery_free (delivery);
    }
  while (memory->history != NULL) {
    struct history *history = memory->history;

    memory->history = history->next;
    history_free (history);
  }
  free (memory->lanes);
  free (memory);
}

/* ------------------------------------------------------------------ */
/* In. */

static struct event **
memory_slot (struct memory_queue *memory, const char *id)
{
  uint32_t hash = 5381;

  for (; *id != '\0'; id++)
    hash = hash * 33 + (unsigned char) *id;
  return &memory->slots[hash % ID_SLOTS];
}

static bool
memory_has_seen (struct memory_queue *memory, const struct queue_event *event,
                 int64_t now_ms)
{
  const struct event *one = *memory_slot (memory, event->id);

  for (; one != NULL; one = one->same_slot)
    if (strcmp (one->id, event->id) == 0
        && strcmp (one->source, event->source) == 0
        && one->accepted_ms > now_ms - memory->config.window_ms
        && one->accepted_ms <= now_ms + memory->config.window_ms)
      return true;
  return false;
}

static void
memory_deliver_to (struct lane *lane, struct event *event)
{
  struct delivery **link = &lane->first;
  struct delivery *delivery = memory_zeroed (1, sizeof *delivery);

  while (*link != NULL)
    link = &(*link)->next;
  *link = delivery;
  delivery->event = event;
}

static void
memory_accept (struct memory_queue *memory, const struct queue_event *event,
               int64_t now_ms)
{
  struct event *one = memory_zeroed (1, sizeof *one);
  struct event **slot = memory_slot (memory, event->id);

  *memory->end = one;
  memory->end = &one->next;
  one->same_slot = *slot;
  *slot = one;
  one->seq = ++memory->last_seq;
  one->accepted_ms = now_ms;
  one->source = memory_strdup (event->source);
  one->id = memory_strdup (event->id);
  if (event->n_lanes > 0) {
    one->body = memory_alloc (event->len);
    if (event->len > 0)
      memcpy (one->body, event->body, event->len);
    one->len = event->len;
    one->n_open = event->n_lanes;
    memory->n_bytes += (int64_t) event->len;
  }
  for (size_t i = 0; i < event->n_lanes; i++)
    memory_deliver_to (&memory->lanes[event->lanes[i] - 1], one);
}

static enum queue_error
memory_put (struct queue *queue, const struct queue_event *events, size_t n,
            enum queue_answer *ret_answers)
{
  struct memory_queue *memory = memory_of (queue);
  int64_t now_ms = date_now_ms ();

  if (memory->config.most_bytes > 0
      && memory->n_bytes >= memory->config.most_bytes) {
    snprintf (queue->reason, sizeof queue->reason, "the store is full");
    return QUEUE_FULL;
  }
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < events[i].n_lanes; k++)
      if (memory_lane_at (memory, events[i].lanes[k]) == NULL)
        return memory_no_lane (queue);
  for (size_t i = 0; i < n; i++) {
    ret_answers[i] = memory_has_seen (memory, &events[i], now_ms)
      ? QUEUE_SEEN : QUEUE_ACCEPTED;
    if (ret_answers[i] == QUEUE_ACCEPTED)
      memory_accept (memory, &events[i], now_ms);
  }
  return QUEUE_OK;
}

/* ------------------------------------------------------------------ */
/* Lanes. */

static uint32_t
memory_lane (struct queue *queue, const char *name)
{
  struct memory_queue *memory = memory_of (queue);
  struct lane *lane;

  for (size_t i = 0; i < memory->n_lanes; i++)
    if (strcmp (memory->lanes[i].name, name) == 0)
      return (uint32_t) i + 1;
  memory->lanes = memory_resize (memory->lanes, memory->n_lanes + 1,
                                 sizeof *memory->lanes);
  lane = &memory->lanes[memory->n_lanes++];
  memset (lane, 0, sizeof *lane);
  snprintf (lane->name, sizeof lane->name, "%s", name);
  return (uint32_t) memory->n_lanes;
}

static bool
memory_own (struct queue *queue, uint32_t lane)
{
  struct lane *one = memory_lane_at (memory_of (queue), lane);

  if (one != NULL)
    one->is_owned = true;
  return one != NULL;
}

static void
memory_disown (struct queue *queue, uint32_t lane)
{
  struct lane *one = memory_lane_at (memory_of (queue), lane);
  struct delivery *delivery = one != NULL ? one->first : NULL;

  if (one != NULL)
    one->is_owned = false;
  for (; delivery != NULL; delivery = delivery->next)
    delivery->is_taken = false;
}

static enum queue_error
memory_pause (struct queue *queue, uint32_t lane, bool is_paused)
{
  struct lane *one = memory_lane_at (memory_of (queue), lane);

  if (one == NULL)
    return memory_no_lane (queue);
  one->is_paused = is_paused;
  one->n_resumed += !is_paused;
  return QUEUE_OK;
}

static bool
memory_look (struct queue *queue, uint32_t lane, struct queue_hold *ret_hold)
{
  const struct lane *one = memory_lane_at (memory_of (queue), lane);

  if (one == NULL)
    return false;
  *ret_hold = (struct queue_hold) { one->is_paused, one->n_resumed };
  return true;
}

static bool
memory_lane_state (struct queue *queue, size_t k, uint32_t *ret_lane,
                   struct queue_lane_state *ret_state)
{
  const struct lane *lane = memory_lane_at (memory_of (queue),
                                            (uint32_t) k + 1);
  const struct delivery *one;

  if (lane == NULL)
    return false;
  memset (ret_state, 0, sizeof *ret_state);
  memcpy (ret_state->name, lane->name, sizeof lane->name);
  ret_state->is_paused = lane->is_paused;
  for (one = lane->first; one != NULL; one = one->next) {
    ret_state->waiting += one->state == WAITING;
    ret_state->retrying += one->state == RETRYING;
    ret_state->dead += one->state == DEAD;
    if (one->state != DEAD && ret_state->oldest_ms == 0)
      ret_state->oldest_ms = one->event->accepted_ms;
  }
  *ret_lane = (uint32_t) k + 1;
  return true;
}

/* ------------------------------------------------------------------ */
/* Out. */

/* The one to be tried next: of those that wait, or of those whose time has
 * come. */
static struct delivery *
memory_next (const struct lane *lane, enum state state, int64_t now_ms)
{
  struct delivery *one, *next = NULL;

  for (one = lane->first; one != NULL; one = one->next)
    if (one->state == state && !one->is_taken
        && (state == WAITING || one->due_ms <= now_ms)
        && (next == NULL || one->due_ms < next->due_ms)) {
      next = one;
      if (state == WAITING)
        break;
    }
  return next;
}

static enum queue_error
memory_take (struct queue *queue, uint32_t lane, int64_t now_ms, size_t most,
             struct queue_item *ret_items, size_t *ret_n)
{
  struct lane *from = memory_lane_at (memory_of (queue), lane);
  size_t n = 0;

  if (from == NULL || !from->is_owned)
    return memory_no_lane (queue);
  while (n < most && !from->is_paused) {
    struct delivery *one = memory_next (from, RETRYING, now_ms);

    if (one == NULL)
      one = memory_next (from, WAITING, now_ms);
    if (one == NULL)
      break;
    one->is_taken = true;
    ret_items[n++] = (struct queue_item) {
      .seq = one->event->seq, .accepted_ms = one->event->accepted_ms,
      .first_ms = one->first_ms, .attempts = one->attempts,
      .crashes = one->crashes, .body = one->event->body,
      .len = one->event->len };
  }
  *ret_n = n;
  return QUEUE_OK;
}

/* In the order of seq: of no meaning to anyone. */
static enum queue_error
memory_keys (struct queue *queue, uint32_t lane, queue_key_fn *fn,
             void *data)
{
  const struct lane *from = memory_lane_at (memory_of (queue), lane);
  const struct delivery *one = from != NULL ? from->first : NULL;

  for (; one != NULL; one = one->next)
    if (one->state == RETRYING && one->key != 0
        && !fn (data, one->event->seq, one->key, one->due_ms))
      break;
  return QUEUE_OK;
}

static int64_t
memory_due_ms (struct queue *queue, uint32_t lane)
{
  const struct lane *from = memory_lane_at (memory_of (queue), lane);
  const struct delivery *next = from != NULL && !from->is_paused
    ? memory_next (from, RETRYING, INT64_MAX) : NULL;

  return next != NULL ? next->due_ms : INT64_MAX;
}

static struct delivery **
memory_find (struct memory_queue *memory, uint32_t lane, uint64_t seq)
{
  struct lane *from = memory_lane_at (memory, lane);
  struct delivery **link;

  if (from == NULL)
    return NULL;
  for (link = &from->first; *link != NULL; link = &(*link)->next)
    if ((*link)->event->seq == seq)
      return link;
  return NULL;
}

static void
memory_end_event (struct memory_queue *memory, struct event *event)
{
  if (--event->n_open > 0)
    return;
  memory->n_bytes -= (int64_t) event->len;
  free (event->body);
  event->body = NULL;
}

static void
memory_end_delivery (struct memory_queue *memory, struct delivery **link)
{
  struct delivery *one = *link;

  *link = one->next;
  memory_end_event (memory, one->event);
  delivery_free (one);
}

static void
memory_note (struct memory_queue *memory, const struct queue_settlement *from)
{
  struct history *one = memory_zeroed (1, sizeof *one);

  one->settlement = *from;
  one->settlement.due_ms = one->settlement.first_ms = 0;
  one->settlement.key = 0;
  one->settlement.reason = memory_strdup (from->reason);
  one->settlement.reference = memory_strdup (from->reference);
  one->settlement.via = memory_strdup (from->via);
  *memory->history_end = one;
  memory->history_end = &one->next;
  memory->n_history++;
}

static void
memory_settle_one (struct memory_queue *memory,
                   const struct queue_settlement *settlement)
{
  struct delivery **link = memory_find (memory, settlement->lane,
                                        settlement->seq);
  struct delivery *one = link != NULL ? *link : NULL;

  if (one == NULL || !one->is_taken)
    return;
  one->is_taken = false;
  if (settlement->end == QUEUE_BACK)
    return;
  memory_note (memory, settlement);
  if (settlement->end == QUEUE_DELIVERED) {
    memory_end_delivery (memory, link);
    return;
  }
  one->crashes = 0;
  one->attempts = settlement->attempts;
  one->first_ms = settlement->first_ms;
  one->due_ms = settlement->due_ms;
  one->key = settlement->key;
  one->state = RETRYING;
  if (settlement->end == QUEUE_DEAD) {
    one->state = DEAD;
    one->died_ms = settlement->at_ms;
    one->death = ++memory->n_deaths;
    free (one->reason);
    one->reason = memory_strdup (settlement->reason);
  }
}

static enum queue_error
memory_settle (struct queue *queue,
               const struct queue_settlement *settlements, size_t n)
{
  for (size_t i = 0; i < n; i++)
    memory_settle_one (memory_of (queue), &settlements[i]);
  return QUEUE_OK;
}

static enum queue_error
memory_mark (struct queue *queue, uint32_t lane, const uint64_t *seqs,
             size_t n)
{
  for (size_t i = 0; i < n; i++) {
    struct delivery **link = memory_find (memory_of (queue), lane, seqs[i]);

    if (link != NULL && (*link)->state != DEAD)
      (*link)->crashes++;
  }
  return QUEUE_OK;
}

/* Nobody else is there to be heard. */
static int
memory_watch_fd (struct queue *queue)
{
  (void) queue;
  return -1;
}

static void
memory_heard (struct queue *queue)
{
  (void) queue;
}

/* ------------------------------------------------------------------ */
/* Looking after it. */

static bool
memory_matches (const struct queue_filter *filter, uint32_t lane,
                const struct delivery *one)
{
  return one->state == DEAD
    && (filter->lane == 0 || filter->lane == lane)
    && (filter->seq == 0 || filter->seq == one->event->seq)
    && (filter->before_ms == 0 || one->died_ms < filter->before_ms)
    && (filter->reason == NULL || strstr (one->reason, filter->reason));
}

/* The first that died after that death; 0 for no more. */
static struct delivery **
memory_next_dead (struct memory_queue *memory,
                  const struct queue_filter *filter, uint64_t death,
                  uint32_t *ret_lane)
{
  struct delivery **link, **next = NULL;

  for (uint32_t lane = 1; lane <= memory->n_lanes; lane++)
    for (link = &memory->lanes[lane - 1].first; *link != NULL;
         link = &(*link)->next)
      if (memory_matches (filter, lane, *link) && (*link)->death > death
          && (next == NULL || (*link)->death < (*next)->death)) {
        next = link;
        *ret_lane = lane;
      }
  return next;
}

static enum queue_error
memory_dead_each (struct queue *queue, const struct queue_filter *filter,
                  queue_dead_fn *fn, void *data)
{
  struct memory_queue *memory = memory_of (queue);
  struct delivery **link;
  uint64_t death = 0;
  uint32_t lane;

  while ((link = memory_next_dead (memory, filter, death, &lane)) != NULL) {
    const struct delivery *one = *link;
    const struct queue_dead dead = {
      .lane = lane, .seq = one->event->seq, .died_ms = one->died_ms,
      .attempts = one->attempts, .reason = one->reason,
      .body = one->event->body, .len = one->event->len };

    death = one->death;
    if (!fn (data, &dead))
      break;
  }
  return QUEUE_OK;
}

static enum queue_error
memory_dead_replay (struct queue *queue, const struct queue_filter *filter,
                    uint64_t *ret_n)
{
  struct memory_queue *memory = memory_of (queue);
  struct delivery **link;
  uint64_t n = 0;
  uint32_t lane;

  while ((link = memory_next_dead (memory, filter, 0, &lane)) != NULL) {
    (*link)->state = WAITING;
    (*link)->attempts = 0;
    (*link)->first_ms = (*link)->due_ms = 0;
    n++;
  }
  *ret_n = n;
  return QUEUE_OK;
}

static enum queue_error
memory_dead_purge (struct queue *queue, const struct queue_filter *filter,
                   uint64_t *ret_n)
{
  struct memory_queue *memory = memory_of (queue);
  struct delivery **link;
  uint64_t n = 0;
  uint32_t lane;

  while ((link = memory_next_dead (memory, filter, 0, &lane)) != NULL) {
    memory_end_delivery (memory, link);
    n++;
  }
  *ret_n = n;
  return QUEUE_OK;
}

static enum queue_error
memory_trace (struct queue *queue, const char *id, queue_history_fn *fn,
              void *data, size_t *ret_n)
{
  struct memory_queue *memory = memory_of (queue);
  const struct event *event;
  const struct history *one;
  bool goes_on = true;
  size_t n = 0;

  for (event = memory->first; event != NULL; event = event->next) {
    if (strcmp (event->id, id) != 0)
      continue;
    n++;
    for (one = memory->history; one != NULL && goes_on; one = one->next)
      if (one->settlement.seq == event->seq)
        goes_on = fn (data, one->settlement.lane, &one->settlement);
  }
  *ret_n = n;
  return QUEUE_OK;
}

static enum queue_error
memory_left (struct queue *queue, const char *id, queue_left_fn *fn,
             void *data)
{
  struct memory_queue *memory = memory_of (queue);
  const struct event *event;
  bool goes_on = true;

  for (event = memory->first; event != NULL && goes_on; event = event->next) {
    if (strcmp (event->id, id) != 0)
      continue;
    for (uint32_t lane = 1; lane <= memory->n_lanes && goes_on; lane++) {
      struct delivery **link = memory_find (memory, lane, event->seq);
      const struct delivery *one = link != NULL ? *link : NULL;

      if (one != NULL)
        goes_on = fn (data, &(struct queue_left) {
          .seq = event->seq, .lane = lane,
          .accepted_ms = event->accepted_ms, .attempts = one->attempts,
          .due_ms = one->state == RETRYING ? one->due_ms : 0,
          .is_dead = one->state == DEAD });
    }
  }
  return QUEUE_OK;
}

static void
memory_forget_event (struct memory_queue *memory, const struct event *event)
{
  struct history *history;

  for (uint32_t lane = 1; lane <= memory->n_lanes; lane++) {
    struct delivery **link = memory_find (memory, lane, event->seq);

    if (link != NULL)
      memory_end_delivery (memory, link);
  }
  for (history = memory->history; history != NULL; history = history->next)
    if (history->settlement.seq == event->seq)
      history_forget (history);
}

static enum queue_error
memory_forget (struct queue *queue, queue_match_fn *fn, void *data,
               uint64_t *ret_n)
{
  struct memory_queue *memory = memory_of (queue);
  struct event *event;
  uint64_t n = 0;

  for (event = memory->first; event != NULL; event = event->next)
    if (event->body != NULL && fn (data, event->body, event->len)) {
      memory_forget_event (memory, event);
      n++;
    }
  *ret_n = n;
  return QUEUE_OK;
}

static void
memory_tidy_history (struct memory_queue *memory, int64_t now_ms)
{
  const struct queue_config *config = &memory->config;

  while (memory->history != NULL
         && (memory->n_history > config->history_rows
             || memory->history->settlement.at_ms
                  < now_ms - config->history_ms)) {
    struct history *one = memory->history;

    memory->history = one->next;
    if (one->next == NULL)
      memory->history_end = &memory->history;
    memory->n_history--;
    history_free (one);
  }
}

static void
memory_remove_event (struct memory_queue *memory, struct event **link)
{
  struct event *event = *link;
  struct event **same = memory_slot (memory, event->id);

  while (*same != event)
    same = &(*same)->same_slot;
  *same = event->same_slot;
  *link = event->next;
  event_free (event);
}

/* Ids go when they are out of the window, nothing is left of their event,
 * and history begins later. */
static enum queue_error
memory_tidy (struct queue *queue, int64_t now_ms, bool *ret_is_done)
{
  struct memory_queue *memory = memory_of (queue);
  struct event **link = &memory->first;
  int64_t cut_ms = now_ms - memory->config.window_ms;

  memory_tidy_history (memory, now_ms);
  if (memory->history != NULL && memory->history->settlement.at_ms <= cut_ms)
    cut_ms = memory->history->settlement.at_ms - 1;
  while (*link != NULL)
    if ((*link)->accepted_ms <= cut_ms && (*link)->body == NULL
        && (*link)->next != NULL)
      memory_remove_event (memory, link);
    else
      link = &(*link)->next;
  *ret_is_done = true;
  return QUEUE_OK;
}

static int64_t
memory_bytes (struct queue *queue)
{
  return memory_of (queue)->n_bytes;
}

const struct queue_engine memory_engine = {
  .size = sizeof (struct queue_engine),
  .name = "memory",
  .open = memory_open, .close = memory_close,
  .put = memory_put,
  .lane = memory_lane, .own = memory_own, .disown = memory_disown,
  .pause = memory_pause, .look = memory_look,
  .lane_state = memory_lane_state,
  .take = memory_take, .keys = memory_keys, .due_ms = memory_due_ms,
  .settle = memory_settle, .mark = memory_mark,
  .watch_fd = memory_watch_fd, .heard = memory_heard,
  .dead_each = memory_dead_each, .dead_replay = memory_dead_replay,
  .dead_purge = memory_dead_purge, .trace = memory_trace,
  .forget = memory_forget, .tidy = memory_tidy, .bytes = memory_bytes,
  .left = memory_left,
};
