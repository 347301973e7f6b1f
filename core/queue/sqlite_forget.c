/* sqlite_forget.c - remove events and what is left of them in the files.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <time.h>

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
    "UPDATE lanes SET waiting = waiting - n FROM"
    "  (SELECT w.lane AS one, count(*) AS n FROM lanes AS l CROSS JOIN"
    "   temp.forgotten AS f CROSS JOIN waiting AS w"
    "   ON w.lane = l.lane AND w.seq = f.seq GROUP BY w.lane)"
    "  WHERE lane = one;"
    "UPDATE lanes SET retrying = retrying - n FROM"
    "  (SELECT r.lane AS one, count(*) AS n FROM lanes AS l CROSS JOIN"
    "   temp.forgotten AS f CROSS JOIN retries AS r"
    "   ON r.lane = l.lane AND r.seq = f.seq GROUP BY r.lane)"
    "  WHERE lane = one;"
    "UPDATE lanes SET dead = dead - n FROM"
    "  (SELECT lane AS one, count(*) AS n FROM dead"
    "   WHERE seq IN temp.forgotten GROUP BY lane)"
    "  WHERE lane = one;"
    "DELETE FROM waiting WHERE lane IN (SELECT lane FROM lanes)"
    "  AND seq IN temp.forgotten;"
    "DELETE FROM retries WHERE lane IN (SELECT lane FROM lanes)"
    "  AND seq IN temp.forgotten;"
    "DELETE FROM marks WHERE seq IN temp.forgotten;"
    "DELETE FROM dead WHERE seq IN temp.forgotten;"
    "DELETE FROM shares WHERE seq IN temp.forgotten;"
    "DELETE FROM events WHERE seq IN temp.forgotten;"
    "UPDATE history SET reason = '', reference = ''"
    "  WHERE seq IN temp.forgotten;"
    "DELETE FROM temp.forgotten;";
  enum queue_error error;

  db_run_text (store->db, "CREATE TEMP TABLE IF NOT EXISTS"
                          " forgotten (seq INTEGER PRIMARY KEY)");
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
  return sqlite_commit (store);
}

/* Pages that were given up before hold what was in them, of this event or
 * of one delivered long ago, and pages between which rows were moved hold
 * copies that secure_delete does not know of.  So the file is written anew:
 * others that write are told QUEUE_BUSY if that takes long. */
static enum queue_error
forget_rewrite (struct sqlite_store *store)
{
  enum queue_error error;

  if (!place_begin (store->place))
    return sqlite_failed (store, QUEUE_BUSY,
                          "another process has been writing for 2 s");
  db_set_durable (store->db, true);
  db_run_text (store->db, "PRAGMA temp_store=FILE; VACUUM");
  error = sqlite_checked (store);
  db_run_text (store->db, "PRAGMA temp_store=MEMORY");
  db_clear (store->db);
  place_end (store->place);
  return error;
}

/* Others may read the log for a moment, so it is tried again. */
static enum queue_error
forget_wipe (struct sqlite_store *store)
{
  enum { TRIES = 100 };
  static const struct timespec nap = { 0, 20 * 1000 * 1000 };
  enum queue_error error = forget_rewrite (store);

  for (int i = 0; i < TRIES && error == QUEUE_OK; i++) {
    if (sqlite_empty_log (store))
      return QUEUE_OK;
    nanosleep (&nap, NULL);
  }
  return error != QUEUE_OK ? error
    : sqlite_failed (store, QUEUE_BUSY,
                     "the events are gone, but another process keeps the log "
                     "that they stood in: end what reads the store, and try "
                     "again");
}

static enum queue_error
forget_all (struct sqlite_store *store, const struct finding *found)
{
  enum queue_error error = QUEUE_OK;

  if (found->n > 0)
    error = forget_remove (store, found);
  return error == QUEUE_OK ? forget_wipe (store) : error;
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
  if (error == QUEUE_OK)
    error = forget_all (store, &found);
  if (error == QUEUE_FULL && sqlite_make_room (store))
    error = forget_all (store, &found);
  *ret_n = found.n;
  free (found.seqs);
  return error;
}
