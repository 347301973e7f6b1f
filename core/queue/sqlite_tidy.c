/* sqlite_tidy.c - old history, old ids and empty pages, step by step.
 *
 * What is lost of a step when the host fails is done again, so a step does
 * not wait for the disk.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue/sqlite_store.h"

enum {
  ROWS_STEP = 500,
  SEEN_STEP = 5000,
  PAGES_SPARE = 4096,           /* left for what will come: 64 MiB */
  PASS_MS = 60 * 1000           /* between passes through all ids */
};

/* The end of what may go of history, at most a step from its start; 0:
 * nothing.  Sets the time of the oldest row there is, or -1. */
static int64_t
tidy_history_end (struct sqlite_store *store, int64_t now_ms,
                  int64_t *ret_oldest_ms)
{
  struct db_query *query = sqlite_query (store, HISTORY_ENDS);
  int64_t first = 0, last = 0, end = 0, too_many;
  size_t n = 0;

  *ret_oldest_ms = -1;
  while (db_next (query)) {
    first = db_value (query, 0);
    last = db_value (query, 1);
  }
  too_many = last - store->config.history_rows;
  query = sqlite_query (store, HISTORY_FIRST);
  while (first > 0 && db_next (query)) {
    int64_t row = db_value (query, 0), at_ms = db_value (query, 1);

    if (*ret_oldest_ms < 0)
      *ret_oldest_ms = at_ms;
    if (n++ == ROWS_STEP
        || (row > too_many && at_ms >= now_ms - store->config.history_ms)) {
      db_stop (query);
      break;
    }
    end = row;
  }
  return end;
}

static enum queue_error
tidy_history (struct sqlite_store *store, int64_t end)
{
  struct db_query *query;
  enum queue_error error = sqlite_begin (store, false);

  if (error != QUEUE_OK)
    return error;
  query = sqlite_query (store, HISTORY_CUT);
  db_bind (query, 1, end);
  db_run (query);
  return sqlite_commit (store);
}

/* Ids that are out of the window, nothing is left of their event, and
 * history begins later; but never the last, which counts on.  One pass goes
 * through them all, a step at a time. */
static size_t
tidy_find_ids (struct sqlite_store *store, int64_t now_ms, int64_t cut_ms,
               int64_t *seqs, bool *ret_is_end)
{
  struct db_query *query = sqlite_query (store, ACCEPTED_OLD);
  size_t n = 0, looked = 0;
  int64_t seq = 0, at_ms;
  bool goes = false;

  *ret_is_end = true;
  db_bind (query, 1, (int64_t) store->tidy_seq);
  while (db_next (query)) {
    /* The one before this one is not the last. */
    if (seq != 0) {
      seqs[n] = seq;
      n += goes;
      store->tidy_seq = (uint64_t) seq;
    }
    seq = db_value (query, 0);
    at_ms = db_value (query, 1);
    goes = db_value (query, 2) == 0;
    if (looked++ == ROWS_STEP) {
      *ret_is_end = false;
      db_stop (query);
      break;
    }
    if (at_ms > cut_ms && at_ms <= now_ms + store->config.window_ms) {
      db_stop (query);
      break;
    }
  }
  return n;
}

static enum queue_error
tidy_ids (struct sqlite_store *store, const int64_t *seqs, size_t n)
{
  enum queue_error error = sqlite_begin (store, false);

  for (size_t i = 0; i < n && error == QUEUE_OK; i++) {
    struct db_query *query = sqlite_query (store, ACCEPTED_REMOVE);

    db_bind (query, 1, seqs[i]);
    db_run (query);
  }
  if (error == QUEUE_OK)
    error = sqlite_commit (store);
  return error;
}

/* A pass is dear if much waits that is old, so not every second. */
static enum queue_error
tidy_pass (struct sqlite_store *store, int64_t now_ms, int64_t oldest_ms,
           bool *ret_is_end)
{
  int64_t seqs[ROWS_STEP + 2], cut_ms = now_ms - store->config.window_ms;
  enum queue_error error;
  size_t n;

  *ret_is_end = true;
  if (store->tidy_seq == 0 && now_ms >= store->tidied_ms
      && now_ms < store->tidied_ms + PASS_MS)
    return QUEUE_OK;
  if (oldest_ms >= 0 && oldest_ms <= cut_ms)
    cut_ms = oldest_ms - 1;
  n = tidy_find_ids (store, now_ms, cut_ms, seqs, ret_is_end);
  error = sqlite_checked (store);
  if (error == QUEUE_OK && n > 0)
    error = tidy_ids (store, seqs, n);
  if (error != QUEUE_OK || *ret_is_end)
    store->tidy_seq = 0;
  if (error == QUEUE_OK && *ret_is_end)
    store->tidied_ms = now_ms;
  return error;
}

bool
sqlite_seen_step (struct sqlite_store *store, int64_t now_ms)
{
  struct db_query *query = sqlite_query (store, ACCEPTED_FROM);
  bool is_end = true;
  size_t n = 0;

  db_bind (query, 1, (int64_t) store->seen_low);
  while (db_next (query)) {
    int64_t at_ms = db_value (query, 1);

    store->seen_low = (uint64_t) db_value (query, 0);
    is_end = sqlite_in_window (store, at_ms, now_ms);
    if (is_end || ++n == SEEN_STEP) {
      db_stop (query);
      break;
    }
    is_end = true;
  }
  is_end = is_end && n < SEEN_STEP;
  seen_forget_before (store->seen, store->seen_low);
  return is_end;
}

/* A file that a backlog has made large shrinks again, and all it can where
 * the disk has no room for the reserve. */
static bool
tidy_has_pages (struct sqlite_store *store)
{
  int64_t n_free = db_number (store->db, "PRAGMA freelist_count");
  int64_t n = db_number (store->db, "PRAGMA page_count");

  return n_free > n / 2
    && (n_free > PAGES_SPARE || place_lacks_reserve (store->place));
}

static enum queue_error
tidy_pages (struct sqlite_store *store)
{
  enum queue_error error = sqlite_begin (store, false);

  if (error != QUEUE_OK)
    return error;
  db_run_text (store->db, "PRAGMA incremental_vacuum(64)");
  error = sqlite_commit (store);
  /* Only then does the file become shorter. */
  if (error == QUEUE_OK && !tidy_has_pages (store))
    db_checkpoint (store->db, false);
  return error;
}

static enum queue_error
tidy_step (struct sqlite_store *store, int64_t now_ms, bool *ret_is_done)
{
  int64_t oldest_ms, end = tidy_history_end (store, now_ms, &oldest_ms);
  enum queue_error error = sqlite_checked (store);
  bool is_end;

  *ret_is_done = false;
  if (error != QUEUE_OK)
    return error;
  if (end > 0)
    return tidy_history (store, end);
  error = tidy_pass (store, now_ms, oldest_ms, &is_end);
  if (error != QUEUE_OK || !is_end)
    return error;
  if (tidy_has_pages (store))
    return tidy_pages (store);
  if (place_log_bytes (store->place) > SQLITE_LOG_MOST) {
    *ret_is_done = !sqlite_empty_log (store);
    return QUEUE_OK;
  }
  *ret_is_done = store->seen == NULL || sqlite_seen_step (store, now_ms);
  return sqlite_checked (store);
}

/* It frees more than it needs, so a full disk does not stop it. */
enum queue_error
sqlite_tidy (struct queue *queue, int64_t now_ms, bool *ret_is_done)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  enum queue_error error = tidy_step (store, now_ms, ret_is_done);

  if (error == QUEUE_FULL && sqlite_make_room (store))
    error = tidy_step (store, now_ms, ret_is_done);
  return error;
}
