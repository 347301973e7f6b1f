/* sqlite_dead.c - dead letters of the SQLite engine.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "queue/sqlite_store.h"

enum { STEP_MOST = 500 };       /* dead letters a commit */

static struct db_query *
dead_query (struct sqlite_store *store, const struct queue_filter *filter,
            int64_t after)
{
  struct db_query *query = sqlite_query (store, DEAD_NEXT);
  const char *reason = filter->reason != NULL ? filter->reason : "";

  db_bind (query, 1, after);
  db_bind (query, 2, filter->lane);
  db_bind (query, 3, (int64_t) filter->seq);
  db_bind (query, 4, filter->before_ms);
  db_bind_text (query, 5, reason, strlen (reason));
  return query;
}

/* Each is copied, so that nothing is held open while fn takes its time. */
static bool
dead_tell (struct sqlite_store *store, struct db_query *query,
           queue_dead_fn *fn, void *data)
{
  struct queue_dead dead = { .lane = (uint32_t) db_value (query, 1),
                             .seq = (uint64_t) db_value (query, 2),
                             .died_ms = db_value (query, 3),
                             .attempts = (uint32_t) db_value (query, 4) };
  size_t reason_len;
  const char *reason = db_text (query, 6, &reason_len);

  buf_clear (&store->scratch);
  buf_add (&store->scratch, reason, reason_len);
  buf_add_char (&store->scratch, '\0');
  reason = db_text (query, 7, &dead.len);
  buf_add (&store->scratch, reason, dead.len);
  db_stop (query);
  dead.reason = store->scratch.data;
  dead.body = store->scratch.data + reason_len + 1;
  return fn (data, &dead);
}

enum queue_error
sqlite_dead_each (struct queue *queue, const struct queue_filter *filter,
                  queue_dead_fn *fn, void *data)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  int64_t after = 0;

  for (;;) {
    struct db_query *query = dead_query (store, filter, after);

    if (!db_next (query))
      break;
    after = db_value (query, 0);
    if (!dead_tell (store, query, fn, data))
      break;
  }
  return sqlite_checked (store);
}

/* ------------------------------------------------------------------ */

struct dead_row {
  int64_t n;
  uint64_t seq;
  uint32_t lane;
  bool is_shared;
};

static size_t
dead_collect (struct sqlite_store *store, const struct queue_filter *filter,
              int64_t after, int64_t last, struct dead_row *rows)
{
  struct db_query *query = dead_query (store, filter, after);
  size_t n = 0;

  while (db_next (query)) {
    if (n == STEP_MOST || db_value (query, 0) > last) {
      db_stop (query);
      break;
    }
    rows[n].n = db_value (query, 0);
    rows[n].lane = (uint32_t) db_value (query, 1);
    rows[n].seq = (uint64_t) db_value (query, 2);
    rows[n++].is_shared = db_value (query, 5) > 1;
  }
  return n;
}

static void
dead_replay_row (struct sqlite_store *store, const struct dead_row *row)
{
  struct db_query *query = sqlite_query (store, FRESH_PUT);

  db_bind (query, 1, row->lane);
  db_bind (query, 2, (int64_t) row->seq);
  db_run (query);
  query = sqlite_query (store, LANE_CHANGED);
  db_bind (query, 1, row->lane);
  db_run (query);
  bell_note (store->bell, row->lane);
}

/* One commit: those after *after and not after last. */
static enum queue_error
dead_step (struct sqlite_store *store, const struct queue_filter *filter,
           bool is_replay, int64_t last, int64_t *after, size_t *ret_n)
{
  struct dead_row rows[STEP_MOST];
  enum queue_error error = sqlite_begin (store, true);
  struct db_query *query;
  size_t n;

  if (error != QUEUE_OK)
    return error;
  n = dead_collect (store, filter, *after, last, rows);
  for (size_t i = 0; i < n; i++) {
    if (is_replay)
      dead_replay_row (store, &rows[i]);
    else
      sqlite_event_release (store, rows[i].seq, rows[i].is_shared);
    query = sqlite_query (store, DEAD_REMOVE);
    db_bind (query, 1, rows[i].n);
    db_run (query);
  }
  error = sqlite_commit (store);
  if (error != QUEUE_OK)
    return error;
  if (n > 0)
    *after = rows[n - 1].n;
  *ret_n = n;
  return QUEUE_OK;
}

/* What dies anew meanwhile is left alone. */
static enum queue_error
dead_all (struct queue *queue, const struct queue_filter *filter,
          bool is_replay, uint64_t *ret_n)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct db_query *query = sqlite_query (store, DEAD_LAST);
  int64_t after = 0, last = 0;
  enum queue_error error;
  size_t n = 0;

  *ret_n = 0;
  while (db_next (query))
    last = db_value (query, 0);
  error = sqlite_checked (store);
  if (error != QUEUE_OK || last == 0)
    return error;
  do {
    error = dead_step (store, filter, is_replay, last, &after, &n);
    if (error == QUEUE_FULL && sqlite_make_room (store))
      error = dead_step (store, filter, is_replay, last, &after, &n);
    if (error != QUEUE_OK)
      return error;
    *ret_n += n;
  } while (n > 0);
  return QUEUE_OK;
}

enum queue_error
sqlite_dead_replay (struct queue *queue, const struct queue_filter *filter,
                    uint64_t *ret_n)
{
  return dead_all (queue, filter, true, ret_n);
}

enum queue_error
sqlite_dead_purge (struct queue *queue, const struct queue_filter *filter,
                   uint64_t *ret_n)
{
  return dead_all (queue, filter, false, ret_n);
}
