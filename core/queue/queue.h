/* queue.h - what was accepted and is not delivered yet: the contract.
 *
 * An event is accepted when queue_put () has returned: it is on disk, with
 * its deliveries, in the one store that also holds their retry times,
 * attempts, the ids seen, dead letters and history.  There is no second
 * store to agree with.
 *
 * Each integration has a lane, and a lane one owner at a time, here or on
 * another host.  The owner holds its claims in memory, so taking a
 * delivery writes nothing: what was taken and not settled when its owner
 * ends is simply there for the next.  Everything to the left of the queue
 * only puts; everything to the right of it only settles.
 *
 * An engine is one of: memory (tests, nothing survives), sqlite (one
 * host), postgresql (many).  The same tests hold for all of them.  No
 * function waits for anything but the disk or the database, and for the
 * process that is writing at the moment (2 seconds at most, then
 * QUEUE_BUSY).
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_QUEUE_H
#define HERALD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue_config {
  const char *engine;           /* "memory", "sqlite" */
  const char *where;            /* a directory, or how to connect */
  int64_t window_ms;            /* how long an id counts as seen */
  int64_t history_ms;           /* how long history is kept, and ... */
  int64_t history_rows;         /* ... how much of it */
  int64_t most_bytes;           /* of the store; past it nothing more is
                                   accepted; 0: no limit */
};

/* Of what failed: how the caller goes on. */
enum queue_error {
  QUEUE_OK,
  QUEUE_FULL,                   /* the disk, or most_bytes: accept nothing,
                                   go on delivering, try again later */
  QUEUE_BUSY,                   /* another process holds the lock too long:
                                   try again */
  QUEUE_BROKEN                  /* the store can't be trusted: end */
};

/* Everything below that returns an enum queue_error has done all of it or
 * nothing, but where it says "in steps".  Out-parameters mean nothing on
 * failure.  queue_reason (): why the last failure, one line, for an
 * operator. */
const char *queue_reason (const struct queue *queue);

/* After fork: each process opens its own.  NULL with a reason. */
struct queue *queue_open (const struct queue_config *config,
                          char *ret_reason, size_t size);
/* Gives back all lanes. */
void queue_close (struct queue *queue);         /* NULL is fine */

/* ------------------------------------------------------------------ */
/* In. */

struct queue_event {
  const char *source, *id;      /* what makes an event the same as another */
  const void *body;             /* the event as one line of JSON */
  size_t len;
  const uint32_t *lanes;        /* of queue_lane (); none: only remembered as
                                   seen */
  size_t n_lanes;               /* each lane once */
};

enum queue_answer { QUEUE_ACCEPTED, QUEUE_SEEN };

/* One commit for all, on disk on return.  ret_answers[i]: accepted, or
 * seen within the window (in the store, or earlier in events), in which
 * case nothing was put for it.  The first call reads the ids of the window
 * (a million in less than a second); with n 0 it does only that. */
enum queue_error queue_put (struct queue *queue,
                            const struct queue_event *events, size_t n,
                            enum queue_answer *ret_answers);

/* ------------------------------------------------------------------ */
/* Lanes. */

/* The number of the lane of that name (1 to 64 bytes), which is made if it
 * is new, for ever the same; 0 on failure, with a reason. */
uint32_t queue_lane (struct queue *queue, const char *name);

/* Become the owner; false: another process is, or there is no such lane.
 * Never waits. */
bool queue_own (struct queue *queue, uint32_t lane);
/* What was taken and not settled may be taken by the next owner. */
void queue_disown (struct queue *queue, uint32_t lane);

/* Paused by an operator: the lane keeps what arrives and nothing is taken
 * from it.  Kept in the store; by any process. */
enum queue_error queue_pause (struct queue *queue, uint32_t lane,
                              bool is_paused);

struct queue_hold {
  bool is_paused;
  uint64_t n_resumed;           /* how often it was let go, paused or not */
};

/* As it is now; costs next to nothing, unlike queue_lane_state ().  False:
 * the store can't tell, or there is no such lane. */
bool queue_look (struct queue *queue, uint32_t lane,
                 struct queue_hold *ret_hold);

struct queue_lane_state {
  char name[65];
  bool is_paused;
  /* With those that are taken. */
  uint64_t waiting;             /* that may go */
  uint64_t retrying;            /* that wait for a time */
  uint64_t dead;
  int64_t oldest_ms;            /* when the oldest that waits or retries was
                                   accepted; 0: none */
};
/* The k-th lane, in the order of their numbers; false past the last.  The
 * counts are kept, so it costs the same however much waits: for people and
 * metrics, each second, not for every delivery. */
bool queue_lane_state (struct queue *queue, size_t k, uint32_t *ret_lane,
                       struct queue_lane_state *ret_state);

/* ------------------------------------------------------------------ */
/* Out: only by the lane's owner. */

struct queue_item {
  uint64_t seq;                 /* the event's number, ascending */
  int64_t accepted_ms;
  int64_t first_ms;             /* of the first attempt; 0: none yet */
  uint32_t attempts;            /* made so far */
  uint32_t crashes;             /* of a worker, while this was in its hands
                                   and marked */
  const char *body;             /* until the next queue_take () of any lane;
                                   no NUL at its end */
  size_t len;
};

/* Up to most deliveries that may go now and were not taken since this
 * process owns the lane: those whose retry time has come first (due_ms at
 * or before now_ms, in the order they are due), then in the order they
 * were accepted.  *ret_n may be 0, and less than there is (a few MiB of
 * bodies at a time): go on until it is 0.  Costs nothing where nothing has
 * changed, but looks at least once a second: ask that often even if
 * queue_watch_fd () is quiet. */
enum queue_error queue_take (struct queue *queue, uint32_t lane,
                             int64_t now_ms, size_t most,
                             struct queue_item *ret_items, size_t *ret_n);

/* The deliveries of the lane that wait for a time and have a key, so that
 * a new owner holds back what comes behind them.  fn as below. */
typedef bool queue_key_fn (void *data, uint64_t seq, uint64_t key,
                           int64_t due_ms);
enum queue_error queue_keys (struct queue *queue, uint32_t lane,
                             queue_key_fn *fn, void *data);

/* When the next retry of the lane that is not taken is due; INT64_MAX:
 * none, or the lane is paused. */
int64_t queue_due_ms (struct queue *queue, uint32_t lane);

enum queue_end {
  QUEUE_DELIVERED,
  QUEUE_RETRY,                  /* not before due_ms */
  QUEUE_DEAD,
  QUEUE_BACK                    /* not tried: as if it had not been taken */
};

struct queue_settlement {
  uint32_t lane;
  uint64_t seq;
  enum queue_end end;
  int64_t due_ms;               /* of RETRY */
  int64_t first_ms;
  uint32_t attempts;            /* as it shall be from now on */
  int64_t at_ms;                /* when: for history */
  int32_t status;               /* HTTP or SMTP; 0: none */
  uint64_t key;                 /* of RETRY: a hash of what must keep its
                                   order; 0: nothing */
  const char *reason;           /* redacted; "" */
  const char *reference;        /* the service's id; "" */
  const char *via;              /* the integration that stood in for the
                                   lane's own; "" */
};

/* One commit for all.  An event goes when its last delivery has ended
 * other than dead.  What this process has not taken, or somebody made the
 * queue forget in the meantime, is passed over. */
enum queue_error queue_settle (struct queue *queue,
                               const struct queue_settlement *settlements,
                               size_t n);

/* These were in a plugin's hands when the lane's last owner crashed: adds
 * one to crashes of each, until it is settled with an end other than BACK.
 * By the new owner, before it takes them; those that are not there any
 * more are passed over.  On disk on return. */
enum queue_error queue_mark (struct queue *queue, uint32_t lane,
                             const uint64_t *seqs, size_t n);

/* Readable when another process may have put something, resumed a lane or
 * replayed dead letters; -1: never.  queue_heard () makes it quiet. */
int queue_watch_fd (struct queue *queue);
void queue_heard (struct queue *queue);

/* ------------------------------------------------------------------ */
/* Looking after it: by any process. */

/* What is given to a function is good until it returns; it must not call
 * this queue. */
struct queue_dead {
  uint32_t lane;
  uint64_t seq;
  int64_t died_ms;
  uint32_t attempts;
  const char *reason;
  const char *body;
  size_t len;
};

struct queue_filter {           /* what is 0 or NULL does not matter */
  uint32_t lane;
  uint64_t seq;
  const char *reason;           /* part of it */
  int64_t before_ms;            /* died before */
};

typedef bool queue_dead_fn (void *data, const struct queue_dead *dead);
typedef bool queue_history_fn (void *data, uint32_t lane,
                               const struct queue_settlement *settlement);

/* Calls fn for each, in the order they died, until it says false. */
enum queue_error queue_dead_each (struct queue *queue,
                                  const struct queue_filter *filter,
                                  queue_dead_fn *fn, void *data);
/* Back into their lanes with no attempts made; or away.  In steps: *ret_n,
 * how many, is set on failure too. */
enum queue_error queue_dead_replay (struct queue *queue,
                                    const struct queue_filter *filter,
                                    uint64_t *ret_n);
enum queue_error queue_dead_purge (struct queue *queue,
                                   const struct queue_filter *filter,
                                   uint64_t *ret_n);

/* What became of the events of that id, attempt by attempt, never their
 * content (lane, seq, end, attempts, at_ms, status, reason, reference, via;
 * the rest is 0).  *ret_n: how many events of that id are known: those in the
 * store, of the window, and as far back as history goes. */
enum queue_error queue_trace (struct queue *queue, const char *id,
                              queue_history_fn *fn, void *data,
                              size_t *ret_n);

/* What is still to be done, or was given up, of the events of that id. */
struct queue_left {
  uint64_t seq;
  uint32_t lane;
  int64_t accepted_ms;
  uint32_t attempts;
  int64_t due_ms;               /* not before; 0: it may go, or is dead */
  bool is_dead;
};

typedef bool queue_left_fn (void *data, const struct queue_left *left);

/* Calls fn for each, by seq and lane, until it says false. */
enum queue_error queue_left (struct queue *queue, const char *id,
                             queue_left_fn *fn, void *data);

/* Remove every event whose body fn says is the one, with its deliveries,
 * dead letters, and the words of its history (a privacy request), so that
 * no trace of the body is left in the store's files.  *ret_n events.  May
 * rewrite the whole store, seconds for each GB, in which others that write
 * are told QUEUE_BUSY.  QUEUE_BUSY here: what was to go is gone from the
 * queue, but may be left in the files; call it again. */
typedef bool queue_match_fn (void *data, const char *body, size_t len);
enum queue_error queue_forget (struct queue *queue, queue_match_fn *fn,
                               void *data, uint64_t *ret_n);

/* A small step of housekeeping (old ids, old history, the log file), a few
 * milliseconds at most; *ret_is_done: nothing more to do for now. */
enum queue_error queue_tidy (struct queue *queue, int64_t now_ms,
                             bool *ret_is_done);

/* On disk, with what is kept free for itself. */
int64_t queue_bytes (struct queue *queue);

#endif
