/* sqlite_left.c - what is still to be done of the events of an id.
 *
 * As for a trace no index helps: ids and dead letters are read from end to
 * end, by whoever asks.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>

#include "base/memory.h"
#include "queue/sqlite_store.h"

static enum queue_error
left_event (struct sqlite_store *store, uint64_t seq, queue_left_fn *fn,
            void *data, bool *ret_goes_on)
{
  struct db_query *query = sqlite_query (store, TRACE_LEFT);
  struct queue_left *rows = NULL;
  size_t n = 0;
  enum queue_error error;

  db_bind (query, 1, (int64_t) seq);
  while (db_next (query)) {
    rows = memory_resize (rows, n + 1, sizeof *rows);
    rows[n++] = (struct queue_left) {
      .seq = seq, .lane = (uint32_t) db_value (query, 0),
      .accepted_ms = db_value (query, 1),
      .attempts = (uint32_t) db_value (query, 2),
      .due_ms = db_value (query, 3), .is_dead = db_value (query, 4) != 0 };
  }
  error = sqlite_checked (store);
  *ret_goes_on = error == QUEUE_OK;
  for (size_t i = 0; i < n && *ret_goes_on; i++)
    *ret_goes_on = fn (data, &rows[i]);
  free (rows);
  return error;
}

enum queue_error
sqlite_left (struct queue *queue, const char *id, queue_left_fn *fn,
             void *data)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  size_t n;
  uint64_t *seqs = sqlite_find_id (store, id, &n);
  enum queue_error error = sqlite_checked (store);
  bool goes_on = true;

  for (size_t i = 0; i < n && goes_on && error == QUEUE_OK; i++)
    error = left_event (store, seqs[i], fn, data, &goes_on);
  free (seqs);
  return error;
}
