/* sqlite_take.c - what a lane's owner may try now.
 *
 * Nothing is written.  Two cursors, one in the order accepted and one in
 * the order of retry times, say how far everything is taken; behind them
 * lie only rows that are in this process's claims.  A row that may be taken
 * again moves its cursor back, so the cursors only save time.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/date.h"
#include "queue/sqlite_store.h"

enum {
  LOOK_AGAIN_US = 1000 * 1000,
  BODIES_MOST = 4 << 20         /* bytes at a time */
};

void
sqlite_lane_rewind (struct sqlite_lane *lane, int64_t due_ms, uint64_t seq)
{
  if (due_ms == CLAIM_FRESH) {
    lane->is_dry = false;
    if (lane->fresh_seq >= seq)
      lane->fresh_seq = seq - 1;
    return;
  }
  if (lane->retry_due_ms > due_ms
      || (lane->retry_due_ms == due_ms && lane->retry_seq >= seq)) {
    lane->retry_due_ms = due_ms;
    lane->retry_seq = seq - 1;
  }
  if (lane->next_due_ms > due_ms)
    lane->next_due_ms = due_ms;
}

/* A place in the list of what is taken. */
struct taking {
  struct sqlite_store *store;
  struct queue_item *items;
  size_t n, most;
  uint32_t lane;
};

static bool
taking_is_full (const struct taking *taking)
{
  return taking->n == taking->most
    || taking->store->bodies.len >= BODIES_MOST;
}

/* The row that query is at, unless it is taken. */
static void
taking_add (struct taking *taking, struct db_query *query, int64_t due_ms)
{
  struct sqlite_store *store = taking->store;
  uint64_t seq = (uint64_t) db_value (query, 0);
  struct queue_item *item = &taking->items[taking->n];
  struct claim *claim;
  const char *body;

  if (claims_find (store->claims, taking->lane, seq) != NULL)
    return;
  claim = claims_put (store->claims, taking->lane, seq);
  claim->due_ms = due_ms;
  claim->is_shared = db_value (query, 2) > 1;
  *item = (struct queue_item) { .seq = seq,
                                .accepted_ms = db_value (query, 1),
                                .crashes = (uint32_t) db_value (query, 3) };
  claim->is_marked = item->crashes > 0;
  if (due_ms != CLAIM_FRESH) {
    item->attempts = (uint32_t) db_value (query, 6);
    item->first_ms = db_value (query, 7);
  }
  body = db_text (query, 4, &item->len);
  buf_add (&store->bodies, body, item->len);
  taking->n++;
}

static void
take_retries (struct taking *taking, struct sqlite_lane *lane, int64_t now_ms)
{
  struct db_query *query = sqlite_query (taking->store, RETRY_TAKE);
  bool has_row;

  db_bind (query, 1, taking->lane);
  db_bind (query, 2, lane->retry_due_ms);
  db_bind (query, 3, (int64_t) lane->retry_seq);
  lane->next_due_ms = -1;
  while ((has_row = db_next (query)) && !taking_is_full (taking)) {
    int64_t due_ms = db_value (query, 5);

    if (due_ms > now_ms)
      break;
    taking_add (taking, query, due_ms);
    lane->retry_due_ms = due_ms;
    lane->retry_seq = (uint64_t) db_value (query, 0);
  }
  if (!has_row)
    lane->next_due_ms = INT64_MAX;
  else {
    if (claims_find (taking->store->claims, taking->lane,
                     (uint64_t) db_value (query, 0)) == NULL)
      lane->next_due_ms = db_value (query, 5);
    db_stop (query);
  }
}

static void
take_fresh (struct taking *taking, struct sqlite_lane *lane)
{
  struct db_query *query = sqlite_query (taking->store, FRESH_TAKE);
  bool has_row;

  db_bind (query, 1, taking->lane);
  db_bind (query, 2, (int64_t) lane->fresh_seq);
  while ((has_row = db_next (query)) && !taking_is_full (taking)) {
    taking_add (taking, query, CLAIM_FRESH);
    lane->fresh_seq = (uint64_t) db_value (query, 0);
  }
  lane->is_dry = !has_row;
  if (has_row)
    db_stop (query);
}

/* Is it paused, and did someone put back dead letters? */
static bool
take_may_go (struct sqlite_store *store, struct sqlite_lane *lane,
             uint32_t number)
{
  struct db_query *query = sqlite_query (store, LANE_LOOK);

  lane->is_paused = false;
  db_bind (query, 1, number);
  if (db_next (query)) {
    lane->is_paused = db_value (query, 0) != 0;
    if (lane->changes != db_value (query, 1))
      lane->fresh_seq = 0;
    lane->changes = db_value (query, 1);
    db_stop (query);
  }
  return !lane->is_paused;
}

/* Nothing can have changed, as far as this process knows. */
static bool
lane_is_quiet (const struct sqlite_store *store,
               const struct sqlite_lane *lane, uint32_t number,
               int64_t now_ms)
{
  return (lane->is_paused || (lane->is_dry && lane->next_due_ms > now_ms))
    && lane->heard == bell_count (store->bell, number)
    && date_monotonic_us () - lane->looked_us < LOOK_AGAIN_US;
}

/* The bodies have stopped moving. */
static void
take_point (struct sqlite_store *store, struct queue_item *items, size_t n)
{
  const char *body = store->bodies.data;

  for (size_t i = 0; i < n; i++) {
    items[i].body = body;
    body += items[i].len;
  }
}

enum queue_error
sqlite_take (struct queue *queue, uint32_t lane, int64_t now_ms, size_t most,
             struct queue_item *ret_items, size_t *ret_n)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct sqlite_lane *from = sqlite_lane_owned (store, lane), before;
  struct taking taking = { store, ret_items, 0, most, lane };
  enum queue_error error;

  if (from == NULL)
    return sqlite_failed (store, QUEUE_BROKEN, "the lane is not owned");
  *ret_n = 0;
  if (lane_is_quiet (store, from, lane, now_ms))
    return QUEUE_OK;
  before = *from;
  buf_clear (&store->bodies);
  from->heard = bell_count (store->bell, lane);
  from->looked_us = date_monotonic_us ();
  db_begin_read (store->db);
  if (take_may_go (store, from, lane)) {
    take_retries (&taking, from, now_ms);
    take_fresh (&taking, from);
  }
  error = sqlite_checked (store);
  if (error == QUEUE_OK)
    db_end_read (store->db);
  else {
    *from = before;
    for (size_t i = 0; i < taking.n; i++)
      claims_remove (store->claims, claims_find (store->claims, lane,
                                                 ret_items[i].seq));
    return error;
  }
  take_point (store, ret_items, taking.n);
  *ret_n = taking.n;
  return QUEUE_OK;
}

int64_t
sqlite_due_ms (struct queue *queue, uint32_t lane)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct sqlite_lane *from = sqlite_lane_owned (store, lane);
  struct db_query *query;

  if (from == NULL || from->is_paused)
    return INT64_MAX;
  if (from->next_due_ms >= 0)
    return from->next_due_ms;
  query = sqlite_query (store, RETRY_NEXT);
  db_bind (query, 1, lane);
  db_bind (query, 2, from->retry_due_ms);
  db_bind (query, 3, (int64_t) from->retry_seq);
  from->next_due_ms = INT64_MAX;
  while (db_next (query))
    if (claims_find (store->claims, lane,
                     (uint64_t) db_value (query, 1)) == NULL) {
      from->next_due_ms = db_value (query, 0);
      db_stop (query);
      break;
    }
  if (sqlite_checked (store) != QUEUE_OK)
    from->next_due_ms = -1;
  return from->next_due_ms >= 0 ? from->next_due_ms : INT64_MAX;
}

enum queue_error
sqlite_keys (struct queue *queue, uint32_t lane, queue_key_fn *fn,
             void *data)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct db_query *query = sqlite_query (store, RETRY_KEYS);

  db_bind (query, 1, lane);
  while (db_next (query))
    if (!fn (data, (uint64_t) db_value (query, 0),
             (uint64_t) db_value (query, 1), db_value (query, 2))) {
      db_stop (query);
      break;
    }
  return sqlite_checked (store);
}

/* ------------------------------------------------------------------ */

static enum queue_error
mark_all (struct sqlite_store *store, uint32_t lane, const uint64_t *seqs,
          size_t n)
{
  enum queue_error error = sqlite_begin (store, true);

  if (error != QUEUE_OK)
    return error;
  for (size_t i = 0; i < n; i++) {
    struct db_query *query = sqlite_query (store, MARK_PUT);

    db_bind (query, 1, lane);
    db_bind (query, 2, (int64_t) seqs[i]);
    db_run (query);
  }
  return sqlite_commit (store);
}

enum queue_error
sqlite_mark (struct queue *queue, uint32_t lane, const uint64_t *seqs,
             size_t n)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  enum queue_error error;

  if (sqlite_lane_owned (store, lane) == NULL)
    return sqlite_failed (store, QUEUE_BROKEN, "the lane is not owned");
  error = mark_all (store, lane, seqs, n);
  if (error == QUEUE_FULL && sqlite_make_room (store))
    error = mark_all (store, lane, seqs, n);
  if (error != QUEUE_OK)
    return error;
  for (size_t i = 0; i < n; i++) {
    struct claim *claim = claims_find (store->claims, lane, seqs[i]);

    if (claim != NULL)
      claim->is_marked = true;
  }
  return QUEUE_OK;
}
