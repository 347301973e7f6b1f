/* sqlite_put.c - what comes in: is it new, and on the disk with it.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/crypto.h"
#include "base/date.h"
#include "queue/sqlite_store.h"

enum { PAGE_BYTES = 16384, RESERVE_AGAIN_US = 200 * 1000 };

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

static void
seen_read (struct sqlite_store *store, int64_t since_ms)
{
  struct db_query *query = sqlite_query (store, ACCEPTED_BACK);
  uint64_t first = 0;

  store->seen = seen_new ();
  store->seen_seq = 0;
  while (db_next (query)) {
    uint64_t seq = (uint64_t) db_value (query, 0);

    if (store->seen_seq == 0)
      store->seen_seq = seq;
    if (db_value (query, 1) <= since_ms) {
      db_stop (query);
      break;
    }
    first = seq;
    seen_add (store->seen, (uint64_t) db_value (query, 2), seq);
  }
  seen_forget_before (store->seen, first);
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

/* Numbers that were given in a transaction that failed are given again, so
 * what seen knows of them is wrong; the row says so. */
static bool
put_has_seen (struct sqlite_store *store, uint64_t hash, const char *id,
              int64_t since_ms)
{
  struct db_query *query = NULL;
  size_t id_len = strlen (id), len;
  uint64_t seq;

  for (size_t k = 0; (seq = seen_at (store->seen, hash, k)) != 0; k++) {
    bool is_same = false;

    query = sqlite_query (store, ACCEPTED_GET);
    db_bind (query, 1, (int64_t) seq);
    if (db_next (query)) {
      const char *text = db_text (query, 2, &len);

      is_same = len == id_len && memcmp (text, id, len) == 0
        && (uint64_t) db_value (query, 1) == hash
        && db_value (query, 0) > since_ms;
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

/* Within the transaction. */
static enum queue_error
put_all (struct sqlite_store *store, const struct queue_event *events,
         size_t n, enum queue_answer *answers, uint64_t *ret_last)
{
  int64_t now_ms = date_now_ms ();
  int64_t since_ms = now_ms - store->config.window_ms;
  uint64_t seq;
  enum queue_error error = put_check_room (store);

  if (error != QUEUE_OK)
    return error;
  seen_catch_up (store);
  seq = store->seen_seq;
  for (size_t i = 0; i < n && db_error (store->db) == QUEUE_OK; i++) {
    uint64_t hash = id_hash (store, events[i].source, events[i].id);

    if (!put_lanes_exist (store, &events[i]))
      return sqlite_failed (store, QUEUE_BROKEN, "there is no such lane");
    answers[i] = put_has_seen (store, hash, events[i].id, since_ms)
      ? QUEUE_SEEN : QUEUE_ACCEPTED;
    if (answers[i] == QUEUE_ACCEPTED)
      put_accept (store, &events[i], hash, ++seq, now_ms);
  }
  *ret_last = seq;
  return QUEUE_OK;
}

enum queue_error
sqlite_put (struct queue *queue, const struct queue_event *events, size_t n,
            enum queue_answer *ret_answers)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  enum queue_error error;
  uint64_t last = 0;

  if (store->seen == NULL) {
    seen_read (store, date_now_ms () - store->config.window_ms);
    error = sqlite_checked (store);
    if (error != QUEUE_OK) {
      seen_free (store->seen);
      store->seen = NULL;
      return error;
    }
  }
  if (n == 0)
    return QUEUE_OK;
  if (store->full_us != 0
      && date_monotonic_us () - store->full_us < RESERVE_AGAIN_US)
    return put_disk_full (store);
  store->full_us = 0;
  error = sqlite_begin (store, true);
  if (error != QUEUE_OK)
    return error;
  error = put_all (store, events, n, ret_answers, &last);
  if (error != QUEUE_OK) {
    sqlite_abandon (store);
    return error;
  }
  error = sqlite_commit (store);
  if (error == QUEUE_OK)
    store->seen_seq = last;
  return error;
}
