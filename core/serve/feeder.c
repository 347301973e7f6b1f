/* feeder.c - one integration's deliveries, from the store to a lane.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "serve/feeder_state.h"

/* ------------------------------------------------------------------ */
/* Which lane gets it. */

static bool
feeder_is_cut_off (const struct feeder *feeder)
{
  enum lane_state state;

  if (feeder->lane == NULL)
    return true;
  state = lane_state (feeder->lane);
  return state == LANE_BLOCKED || state == LANE_BROKEN
         || (state == LANE_TRYING && lane_room (feeder->lane) == 0);
}

/* Order can't be kept over two lanes. */
static bool
feeder_has_order (const struct feeder *feeder)
{
  return feeder->integration != NULL
         && feeder->integration->order_key != NULL;
}

/* The own lane, or the first of those that stand in that can; NULL: all
 * must wait. */
static struct feeder *
feeder_target (struct feeder *feeder)
{
  struct feeder *target = feeder;

  if (feeder->is_paused)
    return NULL;
  if (!feeder_is_cut_off (feeder))
    return feeder;
  if (feeder_has_order (feeder))
    return NULL;
  while ((target = target->fallback) != NULL && target != feeder)
    if (!feeder_is_cut_off (target) && !target->is_leaving
        && !feeder_has_order (target)
        && lane_state (target->lane) == LANE_OPEN)
      return target;
  return NULL;
}

/* ------------------------------------------------------------------ */
/* Asking for more. */

static void
feeder_unask (struct feeder *feeder)
{
  size_t bytes;

  if (feeder->is_unwanting || feeder->store == NULL
      || ledger_wanted (feeder->store, &bytes) == 0)
    return;
  feeder->is_unwanting = true;
  ledger_unwant (feeder->store);
}

/* How many the target would like now. */
static size_t
feeder_room (const struct feeder *feeder, const struct feeder *target)
{
  size_t room = lane_room (target->lane);

  if (target == feeder && feeder->parking.is_probing) {
    size_t probes = feeder->n_out == 0 ? 1 : 0;

    return room < probes ? room : probes;
  }
  return room;
}

static void
feeder_ask (struct feeder *feeder)
{
  struct feeding *feeding = feeder->feeding;
  const struct feeder *target = feeder_target (feeder);
  size_t room, asked, used, bytes;

  if (target == NULL) {
    feeder_unask (feeder);
    return;
  }
  if (feeder->is_unwanting)
    return;
  asked = ledger_wanted (feeder->store, &used);
  used += feeder->bytes_out;
  room = feeder_room (feeder, target);
  /* Another stood in when that was asked for; one is to go and see. */
  if (room < asked && target == feeder && feeder->parking.is_probing)
    feeder_unask (feeder);
  if (room <= asked)
    return;
  room -= asked;
  /* Not for every single one that has gone. */
  if (asked > 0 && room < (asked + feeder->n_out) / 4)
    return;
  bytes = used < feeding->bytes_each ? feeding->bytes_each - used : 0;
  if (bytes == 0 || bytes < feeding->bytes_each / 4) {
    if (feeder->n_out + asked > 0)
      return;
    bytes = 1;
  }
  ledger_want (feeder->store, room, bytes);
}

/* Where what was taken goes; NULL: back at once.  A lane that keeps order
 * has to know even of what it only gives back, or another of the same key
 * could pass it. */
static struct lane *
feeder_lane_for (struct feeder *feeder)
{
  struct feeder *target = feeder->is_leaving ? NULL : feeder_target (feeder);

  if (target != NULL)
    return target->lane;
  return feeder_has_order (feeder) && !feeder->is_leaving ? feeder->lane
                                                          : NULL;
}

static void
feeder_taken (void *data, const struct queue_item *items, size_t n)
{
  struct feeder *feeder = data;

  for (size_t i = 0; i < n; i++)
    feeder_receive (feeder, &items[i], feeder_lane_for (feeder));
  feeder->is_dirty = true;
}

static void
feeder_unwanted (void *data)
{
  struct feeder *feeder = data;

  feeder->is_unwanting = false;
  feeder->is_dirty = true;
}

/* Whoever stands in has more than it has sent.  It gives back its own as
 * well, and takes it again. */
static void
feeder_recall (struct feeder *feeder, const char *reason)
{
  for (struct feeder *target = feeder->fallback;
       target != NULL && target != feeder && feeder->n_out > 0;
       target = target->fallback)
    if (target->lane != NULL)
      lane_recall (target->lane, reason);
}

/* ------------------------------------------------------------------ */
/* The lane of the queue. */

static void
feeder_owned (void *data, uint32_t number, const struct ledger_key *keys,
              size_t n)
{
  struct feeder *feeder = data;

  feeder->number = number;
  for (size_t i = 0; i < n && feeder->lane != NULL; i++)
    lane_expect (feeder->lane, keys[i].seq, keys[i].key, keys[i].due_ms);
  feeder->is_dirty = true;
}

static void
feeder_waiting (void *data)
{
  const struct feeder *feeder = data;

  log_context (feeder->name, NULL);
  log_notice ("another worker has its deliveries still: they go on from here "
              "when it gives them back");
  log_context (NULL, NULL);
}

static void
feeder_paused (void *data, bool is_paused)
{
  struct feeder *feeder = data;

  log_context (feeder->name, NULL);
  if (is_paused)
    log_notice ("paused by an operator: everything stays in the store");
  else if (feeder->is_paused)
    log_notice ("goes on after a pause");
  else
    log_notice ("an operator wants it to go on");
  log_context (NULL, NULL);
  feeder->is_paused = is_paused;
  feeder->is_dirty = true;
  if (is_paused)
    feeder_recall (feeder, "paused");
  if (feeder->lane == NULL)
    return;
  lane_hold (feeder->lane, is_paused);
  if (!is_paused)
    parking_nudge (feeder);
}

static const struct ledger_client feeder_client = {
  .owned = feeder_owned,
  .waiting = feeder_waiting,
  .taken = feeder_taken,
  .unwanted = feeder_unwanted,
  .paused = feeder_paused,
};

/* ------------------------------------------------------------------ */
/* What others see. */

static void
feeder_tell (struct feeder *feeder, enum lane_state state)
{
  const char *reason = lane_state_reason (feeder->lane);
  enum lane_state before = feeder->told_state;

  feeder->told_state = state;
  log_context (feeder->name, NULL);
  switch (state) {
  case LANE_BROKEN:
    if (before != LANE_TRYING)
      log_warning ("the endpoint fails, so it gets nothing for a while: %s",
                   reason);
    break;
  case LANE_OPEN:
    if (before == LANE_TRYING
        || (before == LANE_BROKEN && !feeder->parking.is_probing))
      log_notice ("the endpoint works again");
    else if (before == LANE_BLOCKED || before == LANE_BROKEN)
      log_notice ("resumed");
    break;
  default:                      /* told where it happens */
    break;
  }
  log_context (NULL, NULL);
}

/* In milliseconds of the wall clock. */
static int64_t
feeder_until_ms (const struct feeder *feeder)
{
  int64_t until_us = lane_until_us (feeder->lane);

  if (until_us == 0)
    return 0;
  return date_now_ms ()
         + (until_us - loop_now_us (feeder->feeding->loop)) / 1000;
}

static void
feeder_show (struct feeder *feeder)
{
  struct board_lane *board = feeder->board;

  if (board == NULL)
    return;
  if (feeder->lane == NULL) {
    board_lane_say (board, feeder->is_paused ? BOARD_PAUSED : BOARD_PARKED, 0,
                    feeder->reason);
    return;
  }
  board_set (&board->held, lane_held (feeder->lane));
  board_set (&board->in_flight, lane_in_flight (feeder->lane));
  board_set (&board->cap, (uint64_t) lane_in_flight_cap (feeder->lane));
  board_add (&board->requests,
             lane_stats (feeder->lane)->requests - feeder->requests_told);
  feeder->requests_told = lane_stats (feeder->lane)->requests;
  board_lane_say (board, (enum board_state) lane_state (feeder->lane),
                  feeder_until_ms (feeder),
                  lane_state_reason (feeder->lane));
}

static void
feeder_changed (void *data, struct lane *lane)
{
  struct feeder *feeder = data;

  (void) lane;
  feeder->is_dirty = true;
}

/* ------------------------------------------------------------------ */

static void
feeder_let_go (struct feeder *feeder)
{
  if (feeder->store == NULL || feeder->n_out > 0
      || (feeder->lane != NULL && !lane_is_idle (feeder->lane))
      || !parking_is_idle (feeder))
    return;
  ledger_disown (feeder->store);
  feeder->store = NULL;
}

void
feeder_tend (struct feeder *feeder, bool may_go)
{
  enum lane_state state;

  if (feeder->lane != NULL)
    lane_suspend (feeder->lane, !may_go);
  if (feeder->is_leaving) {
    feeder_let_go (feeder);
    return;
  }
  if (feeder->lane != NULL) {
    state = lane_state (feeder->lane);
    if (state != feeder->told_state) {
      feeder_tell (feeder, state);
      parking_state (feeder, state);
      feeder->is_dirty = true;
    }
  }
  /* What stands in for it may have changed as well. */
  if (!feeder->is_dirty && feeder->fallback == NULL)
    return;
  feeder->is_dirty = false;
  feeder_show (feeder);
  if (feeder->number == 0)
    return;
  if (may_go)
    feeder_ask (feeder);
  else
    feeder->is_dirty = true;
}

void
feeder_look (struct feeder *feeder)
{
  feeder->is_dirty = true;
  if (!feeder->is_leaving)
    parking_look (feeder);
}

void
feeder_leave (struct feeder *feeder)
{
  if (feeder->is_leaving)
    return;
  feeder->is_leaving = true;
  feeder_recall (feeder, "its lane is given back");
  feeder->fallback = NULL;
  feeder_unask (feeder);
  if (feeder->lane != NULL)
    lane_stop (feeder->lane);
  /* Its counters go on; another may have the lane from now on. */
  if (feeder->board != NULL) {
    feeder_show (feeder);
    board_lane_leave (feeder->board);
  }
}

bool
feeder_is_gone (const struct feeder *feeder)
{
  return feeder->store == NULL;
}

void
feeder_set_fallback (struct feeder *feeder, struct feeder *fallback)
{
  feeder->fallback = fallback;
  feeder->is_dirty = true;
}

struct feeder *
feeder_new (struct feeding *feeding, struct configuration *configuration,
            const struct descriptor *descriptor,
            struct integration *integration, const char *reason)
{
  struct feeder *feeder = memory_zeroed (1, sizeof *feeder);
  struct lane_config config = {
    .integration = integration, .exchanger = feeding->exchanger,
    .loop = feeding->loop, .patience_ms = -1, .has_store = true,
    .settled = feeder_settled, .changed = feeder_changed, .data = feeder,
  };

  feeder->feeding = feeding;
  feeder->configuration = configuration_hold (configuration);
  feeder->descriptor = descriptor;
  feeder->name = descriptor->name;
  feeder->integration = integration;
  feeder->is_dirty = true;
  if (feeding->board != NULL)
    feeder->board = board_lane (feeding->board, feeder->name,
                                descriptor->provider);
  if (integration != NULL)
    feeder->lane = lane_new (&config);
  else
    feeder->reason = memory_strdup (reason);
  parking_init (feeder);
  feeder->store = ledger_own (feeding->ledger, feeder->name, &feeder_client,
                              feeder);
  return feeder;
}

void
feeder_free (struct feeder *feeder)
{
  if (feeder == NULL)
    return;
  parking_done (feeder);
  lane_free (feeder->lane);
  integration_close (feeder->integration);
  free (feeder->reason);
  configuration_free (feeder->configuration);
  free (feeder);
}

const char *
feeder_name (const struct feeder *feeder)
{
  return feeder->name;
}

const struct descriptor *
feeder_descriptor (const struct feeder *feeder)
{
  return feeder->descriptor;
}

struct configuration *
feeder_configuration (const struct feeder *feeder)
{
  return feeder->configuration;
}

struct integration *
feeder_integration (const struct feeder *feeder)
{
  return feeder->integration;
}

struct lane *
feeder_lane (const struct feeder *feeder)
{
  return feeder->lane;
}

size_t
feeder_out (const struct feeder *feeder)
{
  return feeder->n_out;
}
