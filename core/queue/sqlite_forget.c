/* sqlite_forget.c - remove events and what is left of them in the files.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>

#include "base/memory.h"
#include "queue/sqlite_store.h"

enum { READ_STEP = 256 };       /* events for which the log may not shrink */

struct finding {
  uint64_t *seqs;
  size_t n;
};

/* Up to READ_STEP events after seq are looked at; the last of them, or 0. */
static uint64_t
forget_look (struct sqlite_store *store, uint64_t seq, queue_match_fn *fn,
             void *data, struct finding *found)
{
  struct db_query *query = sqlite_query (store, EVENT_NEXT);
  uint64_t last = 0;
  size_t n = 0;

  db_bind (query, 1, (int64_t) seq);
  while (db_next (query)) {
    size_t len;
    const char *body = db_text (query, 1, &len);

    last = (uint64_t) db_value (query, 0);
    if (fn (data, body, len)) {
      found->seqs = memory_resize (found->seqs, found->n + 1,
                                   sizeof *found->seqs);
      found->seqs[found->n++] = last;
    }
    if (++n == READ_STEP) {
      db_stop (query);
      break;
    }
  }
  return last;
}

/* All or nothing.  Retries, dead letters and history are searched from end
 * to end: they have no order that helps. */
static enum queue_error
forget_remove (struct sqlite_store *store, const struct finding *found)
{
  static const char removal[] =
    "DELETE FROM waiting WHERE lane IN (SELECT lane FROM lanes)"
    "  AND seq IN temp.forgotten;"
    "DELETE FROM retries WHERE seq IN temp.forgotten;"
    "DELETE FROM marks WHERE seq IN temp.forgotten;"
    "DELETE FROM dead WHERE seq IN temp.forgotten;"
    "DELETE FROM shares WHERE seq IN temp.forgotten;"
    "DELETE FROM events WHERE seq IN temp.forgotten;"
    "UPDATE history SET reason = '', reference = ''"
    "  WHERE seq IN temp.forgotten;"
    "DELETE FROM temp.forgotten;";
  enum queue_error error;

  db_run_text (store->db, "CREATE TEMP TABLE IF NOT EXISTS"
                          " forgotten (seq INTEGER PRIMARY KEY);"
                          "PRAGMA secure_delete=ON");
  error = sqlite_checked (store);
  if (error == QUEUE_OK)
    error = sqlite_begin (store, true);
  if (error != QUEUE_OK)
    return error;
  for (size_t i = 0; i < found->n; i++) {
    struct db_query *query = sqlite_query (store, FORGOTTEN_PUT);

    db_bind (query, 1, (int64_t) found->seqs[i]);
    db_run (query);
  }
  db_run_text (store->db, removal);
  error = sqlite_commit (store);
  db_run_text (store->db, "PRAGMA secure_delete=FAST");
  db_clear (store->db);
  return error;
}

/* Pages that were given up before, of this event or of one delivered long
 * ago, hold what was in them: they are cut off the file, and the log is
 * emptied.  Readers may keep the log for a moment, so it is tried again. */
static enum queue_error
forget_wipe (struct sqlite_store *store)
{
  enum { PAGES_STEP = 512, TRIES = 50 };
  enum queue_error error;
  bool is_empty = false;

  while (db_number (store->db, "PRAGMA freelist_count") > 0) {
    error = sqlite_begin (store, false);
    if (error != QUEUE_OK)
      return error;
    db_run_text (store->db, "PRAGMA incremental_vacuum(512)");
    error = sqlite_commit (store);
    if (error != QUEUE_OK)
      return error;
  }
  error = sqlite_checked (store);
  for (int i = 0; i < TRIES && error == QUEUE_OK && !is_empty; i++) {
    if (!place_begin (store->place))
      break;
    is_empty = db_checkpoint (store->db, true);
    place_end (store->place);
  }
  if (error == QUEUE_OK && !is_empty)
    return sqlite_failed (store, QUEUE_BUSY, "another process is reading");
  return error;
}

enum queue_error
sqlite_forget (struct queue *queue, queue_match_fn *fn, void *data,
               uint64_t *ret_n)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct finding found = { NULL, 0 };
  uint64_t seq = 0;
  enum queue_error error;

  do
    seq = forget_look (store, seq, fn, data, &found);
  while (seq != 0);
  error = sqlite_checked (store);
  if (error == QUEUE_OK && found.n > 0)
    error = forget_remove (store, &found);
  if (error == QUEUE_OK)
    error = forget_wipe (store);
  *ret_n = found.n;
  free (found.seqs);
  return error;
}
