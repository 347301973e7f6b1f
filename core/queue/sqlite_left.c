/* sqlite_left.c - what is still to be done of the events of an id.
 *
 * As for a trace no index helps: ids, retries and dead letters are read
 * from end to end, by whoever asks.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "queue/sqlite_store.h"

enum queue_error
sqlite_left (struct queue *queue, const char *id, queue_left_fn *fn,
             void *data)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct db_query *query = sqlite_query (store, TRACE_LEFT);
  struct queue_left *rows = NULL;
  size_t n = 0;
  enum queue_error error;

  db_bind_text (query, 1, id, strlen (id));
  while (db_next (query)) {
    rows = memory_resize (rows, n + 1, sizeof *rows);
    rows[n++] = (struct queue_left) {
      .seq = (uint64_t) db_value (query, 0),
      .lane = (uint32_t) db_value (query, 1),
      .accepted_ms = db_value (query, 2),
      .attempts = (uint32_t) db_value (query, 3),
      .due_ms = db_value (query, 4), .is_dead = db_value (query, 5) != 0 };
  }
  error = sqlite_checked (store);
  for (size_t i = 0; i < n && error == QUEUE_OK; i++)
    if (!fn (data, &rows[i]))
      break;
  free (rows);
  return error;
}
