/* sqlite_settle.c - what became of deliveries, in one commit.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "queue/sqlite_store.h"

/* Is the delivery still there?  Someone may have made the store forget
 * it. */
static bool
settle_remove (struct sqlite_store *store, const struct claim *claim)
{
  struct db_query *query = sqlite_query (
    store, claim->due_ms == CLAIM_FRESH ? FRESH_REMOVE : RETRY_REMOVE);

  db_bind (query, 1, claim->lane);
  db_bind (query, 2, (int64_t) claim->seq);
  if (claim->due_ms != CLAIM_FRESH)
    db_bind (query, 3, claim->due_ms);
  return db_run (query) == 1;
}

static void
settle_note (struct sqlite_store *store, const struct queue_settlement *one)
{
  struct db_query *query = sqlite_query (store, HISTORY_PUT);

  db_bind (query, 1, (int64_t) one->seq);
  db_bind (query, 2, one->lane);
  db_bind (query, 3, one->at_ms);
  db_bind (query, 4, one->end);
  db_bind (query, 5, one->attempts);
  db_bind (query, 6, one->status);
  db_bind_text (query, 7, one->reason, strlen (one->reason));
  db_bind_text (query, 8, one->reference, strlen (one->reference));
  db_bind_text (query, 9, one->via, strlen (one->via));
  db_run (query);
}

static void
settle_retry (struct sqlite_store *store, const struct queue_settlement *one)
{
  struct db_query *query = sqlite_query (store, RETRY_PUT);

  db_bind (query, 1, one->lane);
  db_bind (query, 2, one->due_ms);
  db_bind (query, 3, (int64_t) one->seq);
  db_bind (query, 4, one->attempts);
  db_bind (query, 5, one->first_ms);
  db_bind (query, 6, (int64_t) one->key);
  db_run (query);
}

static void
settle_dead (struct sqlite_store *store, const struct queue_settlement *one)
{
  struct db_query *query = sqlite_query (store, DEAD_PUT);

  db_bind (query, 1, one->lane);
  db_bind (query, 2, (int64_t) one->seq);
  db_bind (query, 3, one->at_ms);
  db_bind (query, 4, one->attempts);
  db_bind_text (query, 5, one->reason, strlen (one->reason));
  db_run (query);
}

void
sqlite_event_release (struct sqlite_store *store, uint64_t seq,
                      bool is_shared)
{
  struct db_query *query;
  int64_t open = 0;

  if (is_shared) {
    query = sqlite_query (store, SHARE_LESS);
    db_bind (query, 1, (int64_t) seq);
    while (db_next (query))
      open = db_value (query, 0);
    if (open > 0)
      return;
    query = sqlite_query (store, SHARE_REMOVE);
    db_bind (query, 1, (int64_t) seq);
    db_run (query);
  }
  query = sqlite_query (store, EVENT_REMOVE);
  db_bind (query, 1, (int64_t) seq);
  db_run (query);
}

static void
settle_one (struct sqlite_store *store, const struct queue_settlement *one)
{
  const struct claim *claim = claims_find (store->claims, one->lane,
                                           one->seq);
  struct sqlite_counts *counts;
  struct db_query *query;

  if (claim == NULL || one->end == QUEUE_BACK
      || !settle_remove (store, claim))
    return;
  counts = sqlite_counts (store, one->lane);
  counts->waiting -= claim->due_ms == CLAIM_FRESH;
  counts->retrying -= claim->due_ms != CLAIM_FRESH;
  counts->retrying += one->end == QUEUE_RETRY;
  counts->dead += one->end == QUEUE_DEAD;
  if (claim->is_marked) {
    query = sqlite_query (store, MARK_REMOVE);
    db_bind (query, 1, one->lane);
    db_bind (query, 2, (int64_t) one->seq);
    db_run (query);
  }
  settle_note (store, one);
  switch (one->end) {
    case QUEUE_DELIVERED:
      sqlite_event_release (store, one->seq, claim->is_shared);
      break;
    case QUEUE_RETRY: settle_retry (store, one); break;
    case QUEUE_DEAD: settle_dead (store, one); break;
    case QUEUE_BACK: break;
  }
}

static enum queue_error
settle_all (struct sqlite_store *store,
            const struct queue_settlement *settlements, size_t n)
{
  enum queue_error error = sqlite_begin (store, true);

  if (error != QUEUE_OK)
    return error;
  for (size_t i = 0; i < n && db_error (store->db) == QUEUE_OK; i++)
    settle_one (store, &settlements[i]);
  return sqlite_commit (store);
}

static void
settle_claim (struct sqlite_store *store, const struct queue_settlement *one)
{
  struct sqlite_lane *lane = sqlite_lane_owned (store, one->lane);
  struct claim *claim = claims_find (store->claims, one->lane, one->seq);

  if (claim == NULL || lane == NULL)
    return;
  if (one->end == QUEUE_BACK)
    sqlite_lane_rewind (lane, claim->due_ms, one->seq);
  else if (one->end == QUEUE_RETRY)
    sqlite_lane_rewind (lane, one->due_ms, one->seq);
  claims_remove (store->claims, claim);
}

/* Handing back changes nothing in the store. */
static bool
settle_is_silent (struct sqlite_store *store,
                  const struct queue_settlement *settlements, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    const struct claim *claim = claims_find (
      store->claims, settlements[i].lane, settlements[i].seq);

    if (claim != NULL && settlements[i].end != QUEUE_BACK)
      return false;
  }
  return true;
}

enum queue_error
sqlite_settle (struct queue *queue,
               const struct queue_settlement *settlements, size_t n)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  enum queue_error error = QUEUE_OK;

  if (!settle_is_silent (store, settlements, n)) {
    error = settle_all (store, settlements, n);
    if (error == QUEUE_FULL && sqlite_make_room (store))
      error = settle_all (store, settlements, n);
  }
  if (error != QUEUE_OK)
    return error;
  for (size_t i = 0; i < n; i++)
    settle_claim (store, &settlements[i]);
  return QUEUE_OK;
}
