/* sqlite_put.c - what comes in: is it new, and on the disk with it.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/crypto.h"
#include "base/date.h"
#include "queue/sqlite_store.h"

enum {
  PAGE_BYTES = 16384,
  RESERVE_AGAIN_US = 200 * 1000,
  IDS_STEP = 100000,            /* ids read before the log may begin anew */
  OLD_MOST = 50000,             /* in a row, after which there is no newer */
  WINDOW_US = 200 * 1000,       /* how often the window moves, and by how ... */
  WINDOW_STEPS = 4              /* ... many steps */
};

/* No two ids share a hash but by an accident that does not happen; the
 * salt keeps anyone from arranging it. */
static uint64_t
id_hash (struct sqlite_store *store, const char *source, const char *id)
{
  unsigned char digest[CRYPTO_SHA256_LEN];
  uint64_t hash;
  struct buf *text = &store->scratch;

  buf_clear (text);
  buf_add (text, store->salt, sizeof store->salt);
  buf_add (text, source, strlen (source) + 1);
  buf_add_text (text, id);
  crypto_sha256 (text->data, text->len, digest);
  memcpy (&hash, digest, sizeof hash);
  return hash;
}

/* ------------------------------------------------------------------ */
/* The ids of the window. */

/* A time that lies far ahead was noted by a clock that was wrong. */
bool
sqlite_in_window (const struct sqlite_store *store, int64_t at_ms,
                  int64_t now_ms)
{
  return at_ms > now_ms - store->config.window_ms
    && at_ms <= now_ms + store->config.window_ms;
}

struct reading {
  int64_t now_ms;
  int64_t before;               /* the next step begins below it */
  uint64_t low;                 /* the lowest of the window */
  size_t n_old;                 /* out of it, in a row */
};

/* From the newest back; false: that was all. */
static bool
seen_read_step (struct sqlite_store *store, struct reading *reading)
{
  struct db_query *query = sqlite_query (store, ACCEPTED_BACK);
  size_t n = 0;

  db_bind (query, 1, reading->before);
  while (db_next (query)) {
    uint64_t seq = (uint64_t) db_value (query, 0);

    if (store->seen_seq == 0)
      store->seen_seq = seq;
    reading->before = (int64_t) seq;
    reading->n_old++;
    if (sqlite_in_window (store, db_value (query, 1), reading->now_ms)) {
      seen_add (store->seen, (uint64_t) db_value (query, 2), seq);
      reading->low = seq;
      reading->n_old = 0;
    }
    if (++n == IDS_STEP || reading->n_old == OLD_MOST) {
      db_stop (query);
      return reading->n_old < OLD_MOST;
    }
  }
  return false;
}

static enum queue_error
seen_read (struct sqlite_store *store, int64_t now_ms)
{
  struct reading reading = { now_ms, INT64_MAX, 0, 0 };
  enum queue_error error;

  store->seen = seen_new ();
  store->seen_seq = 0;
  while (seen_read_step (store, &reading))
    ;
  store->seen_low = reading.low;
  seen_forget_before (store->seen, reading.low);
  error = sqlite_checked (store);
  if (error != QUEUE_OK) {
    seen_free (store->seen);
    store->seen = NULL;
  }
  return error;
}

/* What other processes have put since. */
static void
seen_catch_up (struct sqlite_store *store)
{
  struct db_query *query = sqlite_query (store, ACCEPTED_SINCE);

  db_bind (query, 1, (int64_t) store->seen_seq);
  while (db_next (query)) {
    store->seen_seq = (uint64_t) db_value (query, 0);
    seen_add (store->seen, (uint64_t) db_value (query, 1), store->seen_seq);
  }
}

/* What seen knows is half of a hash; the row says what it is. */
static bool
put_has_seen (struct sqlite_store *store, uint64_t hash, const char *id,
              int64_t now_ms)
{
  size_t id_len = strlen (id), len;
  uint64_t seq;

  for (size_t k = 0; (seq = seen_at (store->seen, hash, k)) != 0; k++) {
    struct db_query *query = sqlite_query (store, ACCEPTED_GET);
    bool is_same = false;

    db_bind (query, 1, (int64_t) seq);
    if (db_next (query)) {
      const char *text = db_text (query, 2, &len);

      is_same = len == id_len && memcmp (text, id, len) == 0
        && (uint64_t) db_value (query, 1) == hash
        && sqlite_in_window (store, db_value (query, 0), now_ms);
      db_stop (query);
    }
    if (is_same)
      return true;
  }
  return false;
}

/* ------------------------------------------------------------------ */

static enum queue_error
put_disk_full (struct sqlite_store *store)
{
  return sqlite_failed (store, QUEUE_FULL,
                        "the disk is full; nothing more is accepted until "
                        "there is space");
}

/* Is there room for more than what has to be done with what is there? */
static enum queue_error
put_check_room (struct sqlite_store *store)
{
  struct db_query *query;
  int64_t n_pages = 0;

  if (!place_has_reserve (store->place)) {
    store->full_us = date_monotonic_us ();
    return put_disk_full (store);
  }
  if (store->config.most_bytes == 0)
    return QUEUE_OK;
  query = sqlite_query (store, STORE_PAGES);
  if (db_next (query)) {
    n_pages = db_value (query, 0);
    db_stop (query);
  }
  query = sqlite_query (store, STORE_FREE);
  if (db_next (query)) {
    n_pages -= db_value (query, 0);
    db_stop (query);
  }
  if (n_pages * PAGE_BYTES < store->config.most_bytes)
    return QUEUE_OK;
  return sqlite_failed (store, QUEUE_FULL,
                        "the store is as large as it may be; nothing more is "
                        "accepted until some of it is delivered");
}

static void
put_deliveries (struct sqlite_store *store, const struct queue_event *event,
                uint64_t seq, int64_t now_ms)
{
  struct db_query *query = sqlite_query (store, EVENT_PUT);

  db_bind (query, 1, (int64_t) seq);
  db_bind (query, 2, now_ms);
  db_bind (query, 3, (int64_t) event->n_lanes);
  db_bind_text (query, 4, event->body, event->len);
  db_run (query);
  if (event->n_lanes > 1) {
    query = sqlite_query (store, SHARE_PUT);
    db_bind (query, 1, (int64_t) seq);
    db_bind (query, 2, (int64_t) event->n_lanes);
    db_run (query);
  }
  for (size_t i = 0; i < event->n_lanes; i++) {
    query = sqlite_query (store, FRESH_PUT);
    db_bind (query, 1, event->lanes[i]);
    db_bind (query, 2, (int64_t) seq);
    db_run (query);
    sqlite_counts (store, event->lanes[i])->waiting++;
    bell_note (store->bell, event->lanes[i]);
  }
}

static void
put_accept (struct sqlite_store *store, const struct queue_event *event,
            uint64_t hash, uint64_t seq, int64_t now_ms)
{
  struct db_query *query = sqlite_query (store, ACCEPTED_PUT);

  db_bind (query, 1, (int64_t) seq);
  db_bind (query, 2, now_ms);
  db_bind (query, 3, (int64_t) hash);
  db_bind_text (query, 4, event->id, strlen (event->id));
  db_run (query);
  seen_add (store->seen, hash, seq);
  if (event->n_lanes > 0)
    put_deliveries (store, event, seq, now_ms);
}

static bool
put_lanes_exist (struct sqlite_store *store, const struct queue_event *event)
{
  for (size_t i = 0; i < event->n_lanes; i++)
    if (sqlite_lane_at (store, event->lanes[i]) == NULL)
      return false;
  return true;
}

/* A call of sqlite_put. */
struct putting {
  const struct queue_event *events;
  size_t n;
  enum queue_answer *answers;
  size_t n_answered;
  uint64_t seq;                 /* the last given out */
};

/* Within the transaction. */
static enum queue_error
put_all (struct sqlite_store *store, struct putting *putting)
{
  int64_t now_ms = date_now_ms ();
  enum queue_error error = put_check_room (store);

  if (error != QUEUE_OK)
    return error;
  seen_catch_up (store);
  putting->seq = store->seen_seq;
  for (size_t i = 0; i < putting->n; i++) {
    const struct queue_event *event = &putting->events[i];
    uint64_t hash = id_hash (store, event->source, event->id);

    if (!put_lanes_exist (store, event))
      return sqlite_failed (store, QUEUE_BROKEN, "there is no such lane");
    putting->answers[i] = put_has_seen (store, hash, event->id, now_ms)
      ? QUEUE_SEEN : QUEUE_ACCEPTED;
    if (db_error (store->db) != QUEUE_OK)
      break;
    putting->n_answered = i + 1;
    if (putting->answers[i] == QUEUE_ACCEPTED)
      put_accept (store, event, hash, ++putting->seq, now_ms);
  }
  return QUEUE_OK;
}

/* The transaction failed: its numbers will be given to others. */
static void
put_unsee (struct sqlite_store *store, const struct putting *putting)
{
  uint64_t seq = store->seen_seq;

  for (size_t i = 0; i < putting->n_answered; i++)
    if (putting->answers[i] == QUEUE_ACCEPTED)
      seen_remove (store->seen,
                   id_hash (store, putting->events[i].source,
                            putting->events[i].id), ++seq);
}

/* Who accepts without a pause is never tidied, and would remember all ids
 * for ever. */
static void
put_move_window (struct sqlite_store *store)
{
  int64_t now_us = date_monotonic_us (), now_ms = date_now_ms ();

  if (now_us - store->seen_us < WINDOW_US)
    return;
  store->seen_us = now_us;
  for (int i = 0; i < WINDOW_STEPS && !sqlite_seen_step (store, now_ms); i++)
    continue;
  /* What has been put is put, whatever came of this. */
  sqlite_checked (store);
}

static bool
put_was_full (struct sqlite_store *store)
{
  if (store->full_us != 0
      && date_monotonic_us () - store->full_us < RESERVE_AGAIN_US)
    return true;
  store->full_us = 0;
  return false;
}

enum queue_error
sqlite_put (struct queue *queue, const struct queue_event *events, size_t n,
            enum queue_answer *ret_answers)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct putting putting = { events, n, ret_answers, 0, 0 };
  enum queue_error error = QUEUE_OK;

  if (store->seen == NULL)
    error = seen_read (store, date_now_ms ());
  if (error != QUEUE_OK || n == 0)
    return error;
  if (put_was_full (store))
    return put_disk_full (store);
  error = sqlite_begin (store, true);
  if (error != QUEUE_OK)
    return error;
  error = put_all (store, &putting);
  if (error != QUEUE_OK)
    sqlite_abandon (store);
  else
    error = sqlite_commit (store);
  if (error != QUEUE_OK) {
    put_unsee (store, &putting);
    return error;
  }
  store->seen_seq = putting.seq;
  put_move_window (store);
  return QUEUE_OK;
}
