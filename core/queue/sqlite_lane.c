/* sqlite_lane.c - lanes of the SQLite engine: names, owners, counts.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "queue/sqlite_store.h"

/* Lanes up to last exist. */
static void
lanes_grow (struct sqlite_store *store, uint32_t last)
{
  if (last < store->n_lanes)
    return;
  store->lanes = memory_resize (store->lanes, (size_t) last + 1,
                                sizeof *store->lanes);
  memset (store->lanes + store->n_lanes, 0,
          (last + 1 - store->n_lanes) * sizeof *store->lanes);
  store->n_lanes = last + 1;
  store->counted = memory_resize (store->counted, store->n_lanes,
                                  sizeof *store->counted);
}

/* Another process may have made it. */
struct sqlite_lane *
sqlite_lane_at (struct sqlite_store *store, uint32_t lane)
{
  if (lane >= store->n_lanes) {
    struct db_query *query = sqlite_query (store, LANE_LAST);

    if (db_next (query)) {
      int64_t last = db_value (query, 0);

      db_stop (query);
      if (last > 0 && last < UINT32_MAX)
        lanes_grow (store, (uint32_t) last);
    }
  }
  return lane > 0 && lane < store->n_lanes ? &store->lanes[lane] : NULL;
}

struct sqlite_lane *
sqlite_lane_owned (struct sqlite_store *store, uint32_t lane)
{
  return lane < store->n_lanes && store->lanes[lane].is_owned
    ? &store->lanes[lane] : NULL;
}

static uint32_t
lane_number (struct sqlite_store *store, enum sqlite_statement which,
             const char *name)
{
  struct db_query *query = sqlite_query (store, which);
  int64_t lane = 0;

  db_bind_text (query, 1, name, strlen (name));
  /* To its end: a row that is made comes back before it is made. */
  while (db_next (query))
    lane = db_value (query, 0);
  return lane > 0 && lane < UINT32_MAX ? (uint32_t) lane : 0;
}

static enum queue_error
lane_make (struct sqlite_store *store, const char *name, uint32_t *ret_lane)
{
  enum queue_error error = sqlite_begin (store, true);

  if (error != QUEUE_OK)
    return error;
  *ret_lane = lane_number (store, LANE_GET, name);
  if (*ret_lane == 0)
    *ret_lane = lane_number (store, LANE_PUT, name);
  return sqlite_commit (store);
}

uint32_t
sqlite_lane (struct queue *queue, const char *name)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  uint32_t lane = lane_number (store, LANE_GET, name);
  enum queue_error error = sqlite_checked (store);

  if (error != QUEUE_OK || lane != 0)
    return error == QUEUE_OK ? lane : 0;
  error = lane_make (store, name, &lane);
  if (error == QUEUE_FULL && sqlite_make_room (store))
    error = lane_make (store, name, &lane);
  return error == QUEUE_OK ? lane : 0;
}

/* A lane that no row is left of has counts that nothing is done with. */
struct sqlite_counts *
sqlite_counts (struct sqlite_store *store, uint32_t lane)
{
  static struct sqlite_counts nobody;
  struct sqlite_lane *one = sqlite_lane_at (store, lane);

  if (one == NULL)
    return &nobody;
  if (!one->counts.is_listed)
    store->counted[store->n_counted++] = lane;
  one->counts.is_listed = true;
  return &one->counts;
}

void
sqlite_counts_write (struct sqlite_store *store)
{
  for (size_t i = 0; i < store->n_counted; i++) {
    const struct sqlite_counts *counts =
      &store->lanes[store->counted[i]].counts;
    struct db_query *query = sqlite_query (store, LANE_COUNT);

    db_bind (query, 1, store->counted[i]);
    db_bind (query, 2, counts->waiting);
    db_bind (query, 3, counts->retrying);
    db_bind (query, 4, counts->dead);
    db_bind (query, 5, counts->is_changed);
    db_run (query);
  }
  sqlite_counts_drop (store);
}

void
sqlite_counts_drop (struct sqlite_store *store)
{
  for (size_t i = 0; i < store->n_counted; i++)
    memset (&store->lanes[store->counted[i]].counts, 0,
            sizeof (struct sqlite_counts));
  store->n_counted = 0;
}

bool
sqlite_own (struct queue *queue, uint32_t lane)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct sqlite_lane *one = sqlite_lane_at (store, lane);

  if (sqlite_checked (store) != QUEUE_OK || one == NULL)
    return false;
  if (one->is_owned)
    return true;
  if (!place_own (store->place, lane))
    return false;
  *one = (struct sqlite_lane) { .is_owned = true, .retry_due_ms = -1,
                                .next_due_ms = -1 };
  return true;
}

void
sqlite_disown (struct queue *queue, uint32_t lane)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct sqlite_lane *one = sqlite_lane_owned (store, lane);

  if (one == NULL)
    return;
  one->is_owned = false;
  claims_remove_lane (store->claims, lane);
  place_disown (store->place, lane);
}

static enum queue_error
lane_pause (struct sqlite_store *store, uint32_t lane, bool is_paused)
{
  struct db_query *query;
  enum queue_error error = sqlite_begin (store, true);

  if (error != QUEUE_OK)
    return error;
  query = sqlite_query (store, LANE_PAUSE);
  db_bind (query, 1, lane);
  db_bind (query, 2, is_paused);
  if (db_run (query) != 1 && db_error (store->db) == QUEUE_OK) {
    sqlite_abandon (store);
    return sqlite_failed (store, QUEUE_BROKEN, "there is no such lane");
  }
  bell_note (store->bell, lane);
  return sqlite_commit (store);
}

enum queue_error
sqlite_pause (struct queue *queue, uint32_t lane, bool is_paused)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  enum queue_error error = lane_pause (store, lane, is_paused);

  if (error == QUEUE_FULL && sqlite_make_room (store))
    error = lane_pause (store, lane, is_paused);
  if (error == QUEUE_OK && sqlite_lane_owned (store, lane) != NULL)
    store->lanes[lane].is_paused = is_paused;
  return error;
}

bool
sqlite_look (struct queue *queue, uint32_t lane, struct queue_hold *ret_hold)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct db_query *query = sqlite_query (store, LANE_LOOK);
  bool is_there;

  db_bind (query, 1, lane);
  is_there = db_next (query);
  if (is_there) {
    ret_hold->is_paused = db_value (query, 0) != 0;
    ret_hold->n_resumed = (uint64_t) db_value (query, 2);
    db_stop (query);
  }
  sqlite_checked (store);
  return is_there;
}

bool
sqlite_lane_state (struct queue *queue, size_t k, uint32_t *ret_lane,
                   struct queue_lane_state *ret_state)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct db_query *query = sqlite_query (store, LANE_STATE);
  const char *name;
  size_t len;

  db_bind (query, 1, (int64_t) k);
  if (!db_next (query)) {
    sqlite_checked (store);
    return false;
  }
  memset (ret_state, 0, sizeof *ret_state);
  *ret_lane = (uint32_t) db_value (query, 0);
  ret_state->is_paused = db_value (query, 1) != 0;
  ret_state->waiting = (uint64_t) db_value (query, 2);
  ret_state->retrying = (uint64_t) db_value (query, 3);
  ret_state->dead = (uint64_t) db_value (query, 4);
  ret_state->oldest_ms = db_value (query, 5);
  name = db_text (query, 6, &len);
  memcpy (ret_state->name, name,
          len < sizeof ret_state->name ? len : sizeof ret_state->name - 1);
  db_stop (query);
  return true;
}
