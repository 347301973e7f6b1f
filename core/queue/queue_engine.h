/* queue_engine.h - what an engine of the queue provides.
 *
 * The functions are those of queue.h, which says what they promise; their
 * arguments have been checked.  An engine's queue begins with a struct
 * queue.  Nothing here needs a symbol of the core, so an engine can be a
 * module of its own; its database must be able to do three things:
 *
 *   - a lock for each lane that goes with its holder, however it ends
 *     (SQLite: a byte of a file; PostgreSQL: an advisory lock),
 *   - to wake other processes (inotify; LISTEN and NOTIFY with the lanes),
 *   - to let an owner go on after the last it took without missing what
 *     was put later: numbers become visible in ascending order (SQLite:
 *     one writer; PostgreSQL: numbers drawn under a lock, or a cursor that
 *     stays below the oldest open transaction).
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_QUEUE_ENGINE_H
#define HERALD_QUEUE_ENGINE_H

#include "queue/queue.h"

struct queue {
  const struct queue_engine *engine;
  char reason[256];             /* of the last failure */
};

struct queue_engine {
  size_t size;                  /* of this struct, which grows at its end */
  const char *name;
  struct queue *(*open) (const struct queue_config *config,
                         char *ret_reason, size_t size);
  void (*close) (struct queue *queue);
  enum queue_error (*put) (struct queue *queue,
                           const struct queue_event *events, size_t n,
                           enum queue_answer *ret_answers);
  uint32_t (*lane) (struct queue *queue, const char *name);
  bool (*own) (struct queue *queue, uint32_t lane);
  void (*disown) (struct queue *queue, uint32_t lane);
  enum queue_error (*pause) (struct queue *queue, uint32_t lane,
                             bool is_paused);
  bool (*lane_state) (struct queue *queue, size_t k, uint32_t *ret_lane,
                      struct queue_lane_state *ret_state);
  enum queue_error (*take) (struct queue *queue, uint32_t lane,
                            int64_t now_ms, size_t most,
                            struct queue_item *ret_items, size_t *ret_n);
  enum queue_error (*keys) (struct queue *queue, uint32_t lane,
                            queue_key_fn *fn, void *data);
  int64_t (*due_ms) (struct queue *queue, uint32_t lane);
  enum queue_error (*settle) (struct queue *queue,
                              const struct queue_settlement *settlements,
                              size_t n);
  enum queue_error (*mark) (struct queue *queue, uint32_t lane,
                            const uint64_t *seqs, size_t n);
  int (*watch_fd) (struct queue *queue);
  void (*heard) (struct queue *queue);
  enum queue_error (*dead_each) (struct queue *queue,
                                 const struct queue_filter *filter,
                                 queue_dead_fn *fn, void *data);
  enum queue_error (*dead_replay) (struct queue *queue,
                                   const struct queue_filter *filter,
                                   uint64_t *ret_n);
  enum queue_error (*dead_purge) (struct queue *queue,
                                  const struct queue_filter *filter,
                                  uint64_t *ret_n);
  enum queue_error (*trace) (struct queue *queue, const char *id,
                             queue_history_fn *fn, void *data,
                             size_t *ret_n);
  enum queue_error (*forget) (struct queue *queue, queue_match_fn *fn,
                              void *data, uint64_t *ret_n);
  enum queue_error (*tidy) (struct queue *queue, int64_t now_ms,
                            bool *ret_is_done);
  int64_t (*bytes) (struct queue *queue);
  enum queue_error (*left) (struct queue *queue, const char *id,
                            queue_left_fn *fn, void *data);
  bool (*look) (struct queue *queue, uint32_t lane,
                struct queue_hold *ret_hold);
};

extern const struct queue_engine memory_engine;
extern const struct queue_engine sqlite_engine;

#endif
