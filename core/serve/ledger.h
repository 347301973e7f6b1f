/* ledger.h - the thread that the store belongs to.
 *
 * Nothing that waits for the disk is done on the loop's thread.  The loop
 * asks for lanes, deliveries and settlements; a thread of its own does it,
 * and answers by callbacks on the loop.  Settlements are gathered and
 * committed in groups.
 *
 * What the store can't do now (the disk is full, another process holds
 * its lock too long) is kept and tried again.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LEDGER_H
#define HERALD_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "metrics/histogram.h"
#include "queue/queue.h"
#include "serve/flight.h"

struct ledger;
struct ledger_lane;

/* Of the store: error QUEUE_OK: what failed before works again; FULL and
 * BUSY: it is tried again; BROKEN: nothing more will be done, end. */
typedef void ledger_trouble_fn (void *data, enum queue_error error,
                                const char *reason);

struct ledger_config {
  struct queue *queue;          /* the ledger's alone until ledger_free () */
  struct loop *loop;
  int64_t commit_ms;            /* how long settlements wait for more ... */
  size_t commit_most;           /* ... and how many are a group */
  bool is_tidier;               /* looks after the store in idle moments */
  struct histogram *commits;    /* of settlements; NULL */
  struct flight *flight;        /* whose marks are put on disk; NULL */
  ledger_trouble_fn *trouble;
  void *data;
};

/* A delivery that waits for its time and must keep its order. */
struct ledger_key {
  uint64_t seq, key;
  int64_t due_ms;
};

/* Whom a lane is for.  All are called from the loop, none after
 * ledger_disown (). */
struct ledger_client {
  /* The lane is ours: its number, and what waits in it. */
  void (*owned) (void *data, uint32_t number, const struct ledger_key *keys,
                 size_t n);
  /* Another process has it still; said once. */
  void (*waiting) (void *data);
  /* What was wanted; items are valid during the call. */
  void (*taken) (void *data, const struct queue_item *items, size_t n);
  /* What was wanted and not taken yet is wanted no more. */
  void (*unwanted) (void *data);
  /* By an operator; told when it changes, and whenever it is let go. */
  void (*paused) (void *data, bool is_paused);
};

struct ledger *ledger_new (const struct ledger_config *config);
/* Settlements that can't be committed now are lost (those deliveries will
 * be taken again); how many.  The queue is the caller's again. */
size_t ledger_free (struct ledger *ledger);     /* NULL is fine */

/* Become the lane's owner, as soon as no other process is. */
struct ledger_lane *ledger_own (struct ledger *ledger, const char *name,
                                const struct ledger_client *client,
                                void *data);
/* The number of the lane of that name; 0: the store can't tell now.  Waits
 * for the store: for a start and a reload only. */
uint32_t ledger_number (struct ledger *ledger, const char *name);
/* Give it back, when all that was settled is on disk.  lane is gone. */
void ledger_disown (struct ledger_lane *lane);

/* Up to n more deliveries as soon as there are some, of about so many
 * bytes in all (one at least); when either is used up, both are. */
void ledger_want (struct ledger_lane *lane, size_t n, size_t bytes);
/* No more; answered by unwanted (). */
void ledger_unwant (struct ledger_lane *lane);
/* So much of it has not been answered yet, whether the thread has heard of
 * it or not. */
size_t ledger_wanted (const struct ledger_lane *lane, size_t *ret_bytes);
/* What became of one that was taken.  Strings are copied, lane is set. */
void ledger_settle (struct ledger_lane *lane,
                    const struct queue_settlement *settlement);

/* Settlements that are not on disk yet: whoever takes deliveries is to
 * keep them few. */
size_t ledger_unsettled (const struct ledger *ledger);
/* Nothing is unsettled, and no lane waits to be given back. */
bool ledger_is_idle (const struct ledger *ledger);

#endif
