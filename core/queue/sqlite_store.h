/* sqlite_store.h - what the parts of the SQLite engine share.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SQLITE_STORE_H
#define HERALD_SQLITE_STORE_H

#include "base/buf.h"
#include "queue/bell.h"
#include "queue/claims.h"
#include "queue/db.h"
#include "queue/place.h"
#include "queue/queue_engine.h"
#include "queue/seen.h"

/* Statements, prepared when they are first needed (sqlite_schema.c). */
enum sqlite_statement {
  /* in */
  ACCEPTED_LAST, ACCEPTED_SINCE, ACCEPTED_BACK, ACCEPTED_GET, ACCEPTED_PUT,
  EVENT_PUT, SHARE_PUT, FRESH_PUT, STORE_PAGES, STORE_FREE,
  /* lanes */
  LANE_GET, LANE_PUT, LANE_PAUSE, LANE_LAST, LANE_COUNT, LANE_LOOK,
  LANE_STATE,
  /* out */
  FRESH_TAKE, RETRY_TAKE, RETRY_NEXT, RETRY_KEYS, FRESH_REMOVE, RETRY_REMOVE,
  RETRY_PUT, DEAD_PUT, HISTORY_PUT, MARK_PUT, MARK_REMOVE, EVENT_REMOVE,
  SHARE_LESS, SHARE_REMOVE,
  /* looking after it */
  DEAD_LAST, DEAD_NEXT, DEAD_REMOVE, TRACE_ENDS, TRACE_EVENTS, TRACE_HISTORY,
  EVENT_NEXT, FORGOTTEN_PUT, HISTORY_ENDS, HISTORY_FIRST, HISTORY_CUT,
  ACCEPTED_OLD, ACCEPTED_FROM, ACCEPTED_REMOVE,
  TRACE_LEFT,
  SQLITE_STATEMENTS
};

/* What a transaction adds to the counts of a lane. */
struct sqlite_counts {
  int64_t waiting, retrying, dead;
  bool is_changed;              /* so that its owner looks from the start */
  bool is_listed;
};

/* As this process sees it; the place of lane n is lanes[n]. */
struct sqlite_lane {
  bool is_owned;
  bool is_paused;               /* when last looked */
  bool is_dry;                  /* nothing fresh when last looked ... */
  int64_t looked_us;            /* ... then */
  uint32_t heard;               /* the bell's count, at that time */
  int64_t changes;              /* of the row of lanes, when last looked */
  /* Whatever lies at or below these is taken. */
  uint64_t fresh_seq;
  int64_t retry_due_ms;
  uint64_t retry_seq;
  /* When the next retry beyond is due; -1: to be looked up. */
  int64_t next_due_ms;
  struct sqlite_counts counts;
};

enum { SQLITE_LOG_MOST = 24 << 20 };

struct sqlite_store {
  struct queue queue;
  struct queue_config config;
  struct place *place;
  struct bell *bell;
  struct db *db;
  struct db_query *queries[SQLITE_STATEMENTS];
  struct sqlite_lane *lanes;
  uint32_t n_lanes;             /* known to exist: 1 to n_lanes - 1 */
  uint32_t *counted;            /* lanes whose counts a transaction has */
  size_t n_counted;
  struct claims *claims;
  struct buf bodies;            /* of what was taken last */
  struct buf scratch;
  struct seen *seen;            /* NULL: not read yet */
  uint64_t seen_seq;            /* the last accepted that seen knows */
  uint64_t seen_low;            /* those below it are out of the window */
  int64_t seen_us;              /* when that was looked at */
  uint64_t tidy_seq;            /* ids up to here were looked at ... */
  int64_t tidied_ms;            /* ... by a pass, the last of which ended */
  int64_t full_us;              /* when there was no room for a reserve */
  uint32_t n_commits;
  unsigned char salt[16];       /* of the hashes of ids */
};

/* sqlite_engine.c */
struct sqlite_store *sqlite_store_of (struct queue *queue);
/* The statement; NULL, which the functions of db.h pass over, if there is
 * an error. */
struct db_query *sqlite_query (struct sqlite_store *store,
                               enum sqlite_statement which);
/* Keep the reason; what to return. */
enum queue_error sqlite_failed (struct sqlite_store *store,
                                enum queue_error error, const char *reason);
/* A transaction that writes, one process at a time; is_durable: its commit
 * waits for the disk (else it outlives the process, not the host). */
enum queue_error sqlite_begin (struct sqlite_store *store, bool is_durable);
enum queue_error sqlite_commit (struct sqlite_store *store);
void sqlite_abandon (struct sqlite_store *store);
/* After reading: the error that stuck, if any. */
enum queue_error sqlite_checked (struct sqlite_store *store);
/* Did a full disk leave something to be given up, so that what was tried
 * can be tried again? */
bool sqlite_make_room (struct sqlite_store *store);
/* Cut the log to nothing; false: someone reads it. */
bool sqlite_empty_log (struct sqlite_store *store);

/* sqlite_tidy.c: move on where the window begins, a small step; true: it
 * is where it should be. */
bool sqlite_seen_step (struct sqlite_store *store, int64_t now_ms);

/* The lane; NULL if there is none. */
struct sqlite_lane *sqlite_lane_at (struct sqlite_store *store,
                                    uint32_t lane);
/* The same, if this process owns it. */
struct sqlite_lane *sqlite_lane_owned (struct sqlite_store *store,
                                       uint32_t lane);

/* sqlite_schema.c */
extern const char *const sqlite_statements[SQLITE_STATEMENTS];
/* Make or check the tables.  -1 with a reason. */
int sqlite_schema_ready (struct sqlite_store *store, char *ret_reason,
                         size_t size);

/* sqlite_put.c */
enum queue_error sqlite_put (struct queue *queue,
                             const struct queue_event *events, size_t n,
                             enum queue_answer *ret_answers);
/* Does an id that was accepted then still count as seen? */
bool sqlite_in_window (const struct sqlite_store *store, int64_t at_ms,
                       int64_t now_ms);

/* sqlite_lane.c */
uint32_t sqlite_lane (struct queue *queue, const char *name);
bool sqlite_own (struct queue *queue, uint32_t lane);
void sqlite_disown (struct queue *queue, uint32_t lane);
enum queue_error sqlite_pause (struct queue *queue, uint32_t lane,
                               bool is_paused);
bool sqlite_look (struct queue *queue, uint32_t lane,
                  struct queue_hold *ret_hold);
bool sqlite_lane_state (struct queue *queue, size_t k, uint32_t *ret_lane,
                        struct queue_lane_state *ret_state);
/* Counts of a lane, which the transaction that is open has changed; they
 * are written with it. */
struct sqlite_counts *sqlite_counts (struct sqlite_store *store,
                                     uint32_t lane);
void sqlite_counts_write (struct sqlite_store *store);
void sqlite_counts_drop (struct sqlite_store *store);

/* sqlite_take.c */
enum queue_error sqlite_take (struct queue *queue, uint32_t lane,
                              int64_t now_ms, size_t most,
                              struct queue_item *ret_items, size_t *ret_n);
int64_t sqlite_due_ms (struct queue *queue, uint32_t lane);
enum queue_error sqlite_keys (struct queue *queue, uint32_t lane,
                              queue_key_fn *fn, void *data);
enum queue_error sqlite_mark (struct queue *queue, uint32_t lane,
                              const uint64_t *seqs, size_t n);
/* That delivery may be taken (again): look there. */
void sqlite_lane_rewind (struct sqlite_lane *lane, int64_t due_ms,
                         uint64_t seq);

/* sqlite_settle.c */
enum queue_error sqlite_settle (struct queue *queue,
                                const struct queue_settlement *settlements,
                                size_t n);
/* One delivery of the event less; the event goes with its last. */
void sqlite_event_release (struct sqlite_store *store, uint64_t seq,
                           bool is_shared);

/* sqlite_dead.c */
enum queue_error sqlite_dead_each (struct queue *queue,
                                   const struct queue_filter *filter,
                                   queue_dead_fn *fn, void *data);
enum queue_error sqlite_dead_replay (struct queue *queue,
                                     const struct queue_filter *filter,
                                     uint64_t *ret_n);
enum queue_error sqlite_dead_purge (struct queue *queue,
                                    const struct queue_filter *filter,
                                    uint64_t *ret_n);

/* sqlite_trace.c */
/* The numbers of the events of that id, ascending, freed with free (). */
uint64_t *sqlite_find_id (struct sqlite_store *store, const char *id,
                          size_t *ret_n);
enum queue_error sqlite_trace (struct queue *queue, const char *id,
                               queue_history_fn *fn, void *data,
                               size_t *ret_n);

/* sqlite_left.c */
enum queue_error sqlite_left (struct queue *queue, const char *id,
                              queue_left_fn *fn, void *data);

/* sqlite_forget.c */
enum queue_error sqlite_forget (struct queue *queue, queue_match_fn *fn,
                                void *data, uint64_t *ret_n);

/* sqlite_tidy.c */
enum queue_error sqlite_tidy (struct queue *queue, int64_t now_ms,
                              bool *ret_is_done);

#endif
