/* queue.c - the door to the engines: picks one, checks arguments.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue/queue.h"

#include <stdio.h>
#include <string.h>

#include "queue/queue_engine.h"

static const struct queue_engine *const engines[] = {
  &memory_engine,
  &sqlite_engine,
};

static const struct queue_filter no_filter;

/* A caller's mistake: nothing it says can be relied on. */
static enum queue_error
queue_misused (struct queue *queue, const char *what)
{
  snprintf (queue->reason, sizeof queue->reason,
            "the queue was asked for what makes no sense: %s", what);
  return QUEUE_BROKEN;
}

const char *
queue_reason (const struct queue *queue)
{
  return queue->reason;
}

struct queue *
queue_open (const struct queue_config *config, char *ret_reason, size_t size)
{
  for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
    if (strcmp (engines[i]->name, config->engine) == 0)
      return engines[i]->open (config, ret_reason, size);
  snprintf (ret_reason, size, "there is no queue engine \"%s\"",
            config->engine);
  return NULL;
}

void
queue_close (struct queue *queue)
{
  if (queue != NULL)
    queue->engine->close (queue);
}

static const char *
event_fault (const struct queue_event *event)
{
  if (event->source == NULL || event->id == NULL)
    return "an event without source or id";
  if (event->body == NULL && event->len > 0)
    return "an event without body";
  if (event->len > (size_t) 1 << 29)
    return "an event of more than half a GiB";
  for (size_t i = 0; i < event->n_lanes; i++) {
    if (event->lanes[i] == 0)
      return "an event for lane 0";
    for (size_t k = 0; k < i; k++)
      if (event->lanes[k] == event->lanes[i])
        return "an event twice for a lane";
  }
  return NULL;
}

enum queue_error
queue_put (struct queue *queue, const struct queue_event *events, size_t n,
           enum queue_answer *ret_answers)
{
  for (size_t i = 0; i < n; i++) {
    const char *fault = event_fault (&events[i]);

    if (fault != NULL)
      return queue_misused (queue, fault);
  }
  return queue->engine->put (queue, events, n, ret_answers);
}

uint32_t
queue_lane (struct queue *queue, const char *name)
{
  size_t len = strlen (name);

  if (len == 0 || len > 64) {
    queue_misused (queue, "a lane's name has 1 to 64 bytes");
    return 0;
  }
  return queue->engine->lane (queue, name);
}

bool
queue_own (struct queue *queue, uint32_t lane)
{
  return queue->engine->own (queue, lane);
}

void
queue_disown (struct queue *queue, uint32_t lane)
{
  queue->engine->disown (queue, lane);
}

enum queue_error
queue_pause (struct queue *queue, uint32_t lane, bool is_paused)
{
  return queue->engine->pause (queue, lane, is_paused);
}

bool
queue_look (struct queue *queue, uint32_t lane, struct queue_hold *ret_hold)
{
  return queue->engine->look (queue, lane, ret_hold);
}

bool
queue_lane_state (struct queue *queue, size_t k, uint32_t *ret_lane,
                  struct queue_lane_state *ret_state)
{
  return queue->engine->lane_state (queue, k, ret_lane, ret_state);
}

enum queue_error
queue_take (struct queue *queue, uint32_t lane, int64_t now_ms, size_t most,
            struct queue_item *ret_items, size_t *ret_n)
{
  if (most == 0) {
    *ret_n = 0;
    return QUEUE_OK;
  }
  return queue->engine->take (queue, lane, now_ms, most, ret_items, ret_n);
}

enum queue_error
queue_keys (struct queue *queue, uint32_t lane, queue_key_fn *fn, void *data)
{
  return queue->engine->keys (queue, lane, fn, data);
}

int64_t
queue_due_ms (struct queue *queue, uint32_t lane)
{
  return queue->engine->due_ms (queue, lane);
}

enum queue_error
queue_settle (struct queue *queue, const struct queue_settlement *settlements,
              size_t n)
{
  for (size_t i = 0; i < n; i++) {
    const struct queue_settlement *one = &settlements[i];

    if (one->end > QUEUE_BACK || one->reason == NULL
        || one->reference == NULL || one->via == NULL)
      return queue_misused (queue, "a settlement without end or words");
    if (one->end == QUEUE_RETRY && one->due_ms < 0)
      return queue_misused (queue, "a retry before 1970");
  }
  return n > 0 ? queue->engine->settle (queue, settlements, n) : QUEUE_OK;
}

enum queue_error
queue_mark (struct queue *queue, uint32_t lane, const uint64_t *seqs,
            size_t n)
{
  return n > 0 ? queue->engine->mark (queue, lane, seqs, n) : QUEUE_OK;
}

int
queue_watch_fd (struct queue *queue)
{
  return queue->engine->watch_fd (queue);
}

void
queue_heard (struct queue *queue)
{
  queue->engine->heard (queue);
}

enum queue_error
queue_dead_each (struct queue *queue, const struct queue_filter *filter,
                 queue_dead_fn *fn, void *data)
{
  return queue->engine->dead_each (queue, filter ? filter : &no_filter, fn,
                                   data);
}

enum queue_error
queue_dead_replay (struct queue *queue, const struct queue_filter *filter,
                   uint64_t *ret_n)
{
  return queue->engine->dead_replay (queue, filter ? filter : &no_filter,
                                     ret_n);
}

enum queue_error
queue_dead_purge (struct queue *queue, const struct queue_filter *filter,
                  uint64_t *ret_n)
{
  return queue->engine->dead_purge (queue, filter ? filter : &no_filter,
                                    ret_n);
}

enum queue_error
queue_trace (struct queue *queue, const char *id, queue_history_fn *fn,
             void *data, size_t *ret_n)
{
  return queue->engine->trace (queue, id, fn, data, ret_n);
}

enum queue_error
queue_left (struct queue *queue, const char *id, queue_left_fn *fn,
            void *data)
{
  return queue->engine->left (queue, id, fn, data);
}

enum queue_error
queue_forget (struct queue *queue, queue_match_fn *fn, void *data,
              uint64_t *ret_n)
{
  return queue->engine->forget (queue, fn, data, ret_n);
}

enum queue_error
queue_tidy (struct queue *queue, int64_t now_ms, bool *ret_is_done)
{
  return queue->engine->tidy (queue, now_ms, ret_is_done);
}

int64_t
queue_bytes (struct queue *queue)
{
  return queue->engine->bytes (queue);
}
