/* committer.h - the thread that puts events into the queue, in groups.
 *
 * While one group is being written the next gathers, so the more there is
 * to do the more share a commit, and nobody waits for company without
 * need.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_COMMITTER_H
#define HERALD_COMMITTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "queue/queue.h"
#include "routes.h"

struct committer;

struct commit {                 /* the events of one request */
  struct commit *next;
  struct routes *routes;
  /* lanes are numbers of routes, and point into wanted. */
  struct queue_event *events;
  size_t n;
  uint32_t *wanted;
  size_t n_wanted;
  /* Afterwards: */
  enum queue_error error;
  enum queue_answer *answers;   /* n of them, the caller's */
};

struct committer_config {
  struct loop *loop;
  struct queue_config queue;
  int64_t wait_ms;              /* how long a group may gather */
  uint32_t most;                /* events of a group */
  /* All that a commit has written, or failed to; from the loop.  reason:
   * of a failure. */
  void (*done) (void *data, struct commit *commits, const char *reason);
  /* A commit took that long; by the committer's thread.  May be NULL. */
  void (*timed) (void *data, int64_t us);
  void *data;
};

/* Opens the queue and reads its ids.  NULL with a reason. */
struct committer *committer_new (const struct committer_config *config,
                                 char *ret_reason, size_t size);
/* What was put and not done is given to done before this returns. */
void committer_free (struct committer *committer);

/* It is the committer's until done. */
void committer_put (struct committer *committer, struct commit *commit);
/* After a turn of the loop; is_quiet: nothing more came in it. */
void committer_turn (struct committer *committer, bool is_quiet);
/* Is anything gathered that waits for a turn? */
bool committer_gathers (const struct committer *committer);
/* Events put and not done. */
size_t committer_waiting (const struct committer *committer);

#endif
