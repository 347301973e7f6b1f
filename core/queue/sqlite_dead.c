/* sqlite_dead.c - dead letters of the SQLite engine.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "queue/sqlite_store.h"

enum {
  STEP_MOST = 500,              /* dead letters a commit, ... */
  LOOK_MOST = 5000              /* ... of so many that are looked at */
};

/* Those with numbers above after, LOOK_MOST at most, that match. */
static struct db_query *
dead_query (struct sqlite_store *store, const struct queue_filter *filter,
            int64_t after, int64_t last)
{
  int64_t end = last - after < LOOK_MOST ? last : after + LOOK_MOST;
  struct db_query *query = sqlite_query (store, DEAD_NEXT);
  const char *reason = filter->reason != NULL ? filter->reason : "";

  db_bind (query, 1, after);
  db_bind (query, 2, filter->lane);
  db_bind (query, 3, (int64_t) filter->seq);
  db_bind (query, 4, filter->before_ms);
  db_bind_text (query, 5, reason, strlen (reason));
  db_bind (query, 6, end);
  return query;
}

/* Whatever dies later is left alone. */
static enum queue_error
dead_last (struct sqlite_store *store, int64_t *ret_last)
{
  struct db_query *query = sqlite_query (store, DEAD_LAST);

  *ret_last = 0;
  while (db_next (query))
    *ret_last = db_value (query, 0);
  return sqlite_checked (store);
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
  int64_t after = 0, last;
  enum queue_error error = dead_last (store, &last);

  while (error == QUEUE_OK && after < last) {
    struct db_query *query = dead_query (store, filter, after, last);

    if (!db_next (query))
      after += LOOK_MOST;
    else {
      after = db_value (query, 0);
      if (!dead_tell (store, query, fn, data))
        break;
    }
    error = sqlite_checked (store);
  }
  return error;
}

/* ------------------------------------------------------------------ */

struct dead_row {
  int64_t n;
  uint64_t seq;
  uint32_t lane;
  bool is_shared;
};

/* How many; *after: the last that was looked at. */
static size_t
dead_collect (struct sqlite_store *store, const struct queue_filter *filter,
              int64_t last, int64_t *after, struct dead_row *rows)
{
  struct db_query *query = dead_query (store, filter, *after, last);
  size_t n = 0;

  while (db_next (query)) {
    if (n == STEP_MOST) {
      db_stop (query);
      *after = rows[n - 1].n;
      return n;
    }
    rows[n].n = db_value (query, 0);
    rows[n].lane = (uint32_t) db_value (query, 1);
    rows[n].seq = (uint64_t) db_value (query, 2);
    rows[n++].is_shared = db_value (query, 5) > 1;
  }
  *after += LOOK_MOST;
  return n;
}

static void
dead_replay_row (struct sqlite_store *store, const struct dead_row *row)
{
  struct db_query *query = sqlite_query (store, FRESH_PUT);
  struct sqlite_counts *counts = sqlite_counts (store, row->lane);

  db_bind (query, 1, row->lane);
  db_bind (query, 2, (int64_t) row->seq);
  db_run (query);
  counts->waiting++;
  counts->is_changed = true;
  bell_note (store->bell, row->lane);
}

/* One commit: some of those after *after and not after last. */
static enum queue_error
dead_step (struct sqlite_store *store, const struct queue_filter *filter,
           bool is_replay, int64_t last, int64_t *after, size_t *ret_n)
{
  struct dead_row rows[STEP_MOST];
  enum queue_error error = sqlite_begin (store, true);
  int64_t reached = *after;
  struct db_query *query;
  size_t n;

  if (error != QUEUE_OK)
    return error;
  n = dead_collect (store, filter, last, &reached, rows);
  for (size_t i = 0; i < n; i++) {
    if (is_replay)
      dead_replay_row (store, &rows[i]);
    else
      sqlite_event_release (store, rows[i].seq, rows[i].is_shared);
    sqlite_counts (store, rows[i].lane)->dead--;
    query = sqlite_query (store, DEAD_REMOVE);
    db_bind (query, 1, rows[i].n);
    db_run (query);
  }
  error = sqlite_commit (store);
  if (error != QUEUE_OK)
    return error;
  *after = reached;
  *ret_n = n;
  return QUEUE_OK;
}

static enum queue_error
dead_all (struct queue *queue, const struct queue_filter *filter,
          bool is_replay, uint64_t *ret_n)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  int64_t after = 0, last;
  enum queue_error error = dead_last (store, &last);

  *ret_n = 0;
  while (error == QUEUE_OK && after < last) {
    size_t n = 0;

    error = dead_step (store, filter, is_replay, last, &after, &n);
    if (error == QUEUE_FULL && sqlite_make_room (store))
      error = dead_step (store, filter, is_replay, last, &after, &n);
    *ret_n += n;
  }
  return error;
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
