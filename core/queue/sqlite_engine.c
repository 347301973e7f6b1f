/* sqlite_engine.c - a queue in one SQLite file, for one host.
 *
 * All that is promised stands in that file.  Its directory holds what
 * SQLite has no means for: locks that go with their process, a bell for
 * other processes, and a reserve of space.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "queue/sqlite_store.h"

enum { COMMITS_LOOK = 64 };

struct sqlite_store *
sqlite_store_of (struct queue *queue)
{
  return (struct sqlite_store *) queue;
}

struct db_query *
sqlite_query (struct sqlite_store *store, enum sqlite_statement which)
{
  if (store->queries[which] == NULL)
    store->queries[which] = db_prepare (store->db, sqlite_statements[which]);
  return store->queries[which];
}

enum queue_error
sqlite_failed (struct sqlite_store *store, enum queue_error error,
               const char *reason)
{
  snprintf (store->queue.reason, sizeof store->queue.reason, "%s: %s",
            place_path (store->place), reason);
  return error;
}

/* ------------------------------------------------------------------ */
/* Transactions. */

enum queue_error
sqlite_begin (struct sqlite_store *store, bool is_durable)
{
  enum queue_error error;

  if (!place_begin (store->place))
    return sqlite_failed (store, QUEUE_BUSY,
                          "another process has been writing for 2 s");
  db_set_durable (store->db, is_durable);
  db_begin (store->db);
  error = sqlite_checked (store);
  if (error != QUEUE_OK)
    place_end (store->place);
  return error;
}

/* The log begins anew when all of it is moved and nobody reads it.  Where
 * somebody always does, it is asked for now and then. */
static void
sqlite_bound_log (struct sqlite_store *store)
{
  if (++store->n_commits % COMMITS_LOOK == 0
      && place_log_bytes (store->place) > SQLITE_LOG_MOST)
    db_checkpoint (store->db, true);
}

enum queue_error
sqlite_commit (struct sqlite_store *store)
{
  enum queue_error error;

  sqlite_counts_write (store);
  error = db_commit (store->db);
  if (error == QUEUE_OK) {
    bell_ring (store->bell);
    sqlite_bound_log (store);
  } else {
    bell_unnote (store->bell);
    sqlite_failed (store, error, db_reason (store->db));
  }
  place_end (store->place);
  return error;
}

void
sqlite_abandon (struct sqlite_store *store)
{
  bell_unnote (store->bell);
  sqlite_counts_drop (store);
  db_rollback (store->db);
  place_end (store->place);
}

enum queue_error
sqlite_checked (struct sqlite_store *store)
{
  enum queue_error error = db_error (store->db);

  if (error == QUEUE_OK)
    return QUEUE_OK;
  sqlite_failed (store, error, db_reason (store->db));
  db_rollback (store->db);
  return error;
}

/* What has to be written to go on delivering is little, and it removes
 * more than it adds: the reserve is for moving the log to the main file,
 * after which the log begins anew within the space it has. */
bool
sqlite_make_room (struct sqlite_store *store)
{
  bool has_given;

  if (!place_begin (store->place))
    return false;
  has_given = place_use_reserve (store->place);
  if (db_checkpoint (store->db, false))
    has_given = true;
  place_end (store->place);
  return has_given;
}

/* Most is moved without holding anyone up. */
bool
sqlite_empty_log (struct sqlite_store *store)
{
  bool is_empty;

  db_checkpoint (store->db, false);
  if (!place_begin (store->place))
    return false;
  is_empty = db_checkpoint (store->db, true);
  place_end (store->place);
  return is_empty;
}

/* ------------------------------------------------------------------ */
/* Open and close. */

static enum queue_error
sqlite_open_db (struct sqlite_store *store, char *ret_reason, size_t size)
{
  enum queue_error error = QUEUE_BROKEN;

  if (!place_begin (store->place)) {
    snprintf (ret_reason, size, "%s: another process has been writing for "
              "2 s; try again", place_path (store->place));
    return QUEUE_BUSY;
  }
  store->db = db_open (place_db_path (store->place), ret_reason, size);
  if (store->db != NULL
      && sqlite_schema_ready (store, ret_reason, size) == 0)
    error = QUEUE_OK;
  else if (store->db != NULL) {
    if (db_error (store->db) == QUEUE_FULL)
      error = QUEUE_FULL;
    db_close (store->db);
    store->db = NULL;
  }
  if (error == QUEUE_OK)
    place_has_reserve (store->place);
  place_end (store->place);
  return error;
}

static void
sqlite_close (struct queue *queue)
{
  struct sqlite_store *store = sqlite_store_of (queue);

  db_close (store->db);
  bell_close (store->bell);
  place_close (store->place);
  claims_free (store->claims);
  seen_free (store->seen);
  buf_done (&store->bodies);
  buf_done (&store->scratch);
  free (store->lanes);
  free (store->counted);
  free (store);
}

static struct queue *
sqlite_open (const struct queue_config *config, char *ret_reason, size_t size)
{
  struct sqlite_store *store = memory_zeroed (1, sizeof *store);
  enum queue_error error;

  store->queue.engine = &sqlite_engine;
  store->config = *config;
  store->config.engine = store->config.where = NULL;    /* not ours */
  store->claims = claims_new ();
  buf_init (&store->bodies, 0);
  buf_init (&store->scratch, 0);
  store->place = place_open (config->where, ret_reason, size);
  if (store->place == NULL) {
    sqlite_close (&store->queue);
    return NULL;
  }
  store->bell = bell_open (place_bell_fd (store->place),
                           place_bell_path (store->place));
  error = sqlite_open_db (store, ret_reason, size);
  /* To deliver what is there, a full disk must not keep it shut. */
  if (error == QUEUE_FULL && place_use_reserve (store->place))
    error = sqlite_open_db (store, ret_reason, size);
  if (error != QUEUE_OK) {
    sqlite_close (&store->queue);
    return NULL;
  }
  return &store->queue;
}

static int
sqlite_watch_fd (struct queue *queue)
{
  return bell_watch_fd (sqlite_store_of (queue)->bell);
}

static void
sqlite_heard (struct queue *queue)
{
  bell_heard (sqlite_store_of (queue)->bell);
}

static int64_t
sqlite_bytes (struct queue *queue)
{
  return place_bytes (sqlite_store_of (queue)->place);
}

const struct queue_engine sqlite_engine = {
  .size = sizeof (struct queue_engine),
  .name = "sqlite",
  .open = sqlite_open, .close = sqlite_close,
  .put = sqlite_put,
  .lane = sqlite_lane, .own = sqlite_own, .disown = sqlite_disown,
  .pause = sqlite_pause, .look = sqlite_look,
  .lane_state = sqlite_lane_state,
  .take = sqlite_take, .keys = sqlite_keys, .due_ms = sqlite_due_ms,
  .settle = sqlite_settle, .mark = sqlite_mark,
  .watch_fd = sqlite_watch_fd, .heard = sqlite_heard,
  .dead_each = sqlite_dead_each, .dead_replay = sqlite_dead_replay,
  .dead_purge = sqlite_dead_purge, .trace = sqlite_trace,
  .forget = sqlite_forget, .tidy = sqlite_tidy, .bytes = sqlite_bytes,
  .left = sqlite_left,
};
