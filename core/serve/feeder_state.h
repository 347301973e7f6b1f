/* feeder_state.h - what the parts of a feeder share; nobody else includes
 * it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_FEEDER_STATE_H
#define HERALD_FEEDER_STATE_H

#include "provider/job.h"
#include "serve/feeder.h"

/* Why a lane is parked, so how it goes on. */
enum parking_cause {
  PARKING_NONE,
  PARKING_BLOCKED,              /* the service refused it: asked again */
  PARKING_UNTESTED,             /* a mailer: until its test was accepted */
  PARKING_CRASHED               /* its plugin, again and again: for a while,
                                   so that others are served */
};

/* A parked lane that sees to its own release. */
struct parking {
  enum parking_cause cause;
  struct loop_timer *timer;
  struct job *job;              /* that verifies, or NULL */
  unsigned renewals;
  int64_t wait_ms;              /* till the next time */
  bool is_waiting;              /* the timer runs */
  bool is_probing;              /* one delivery goes to see */
};

struct feeder {
  struct feeding *feeding;
  struct configuration *configuration;
  const struct descriptor *descriptor;
  const char *name;
  struct integration *integration;      /* NULL: it can't be used ... */
  char *reason;                         /* ... because of that */
  struct lane *lane;
  struct feeder *fallback;
  struct board_lane *board;
  struct parking parking;

  struct ledger_lane *store;    /* NULL: given back */
  uint32_t number;              /* of the queue's lane; 0: not ours yet */
  bool is_unwanting;
  size_t n_out, bytes_out;      /* taken and not settled */
  bool is_paused, is_leaving, is_dirty;

  enum lane_state told_state;   /* in the log */
  uint64_t requests_told;       /* on the board */
};

/* feeder_settle.c: an item was taken; a delivery has left a lane. */
void feeder_receive (struct feeder *feeder, const struct queue_item *item,
                     struct lane *lane);
void feeder_settled (void *data, struct delivery *delivery,
                     const struct delivery_result *result);

/* parking.c: the lane of the feeder has come to be blocked, or no more;
 * look whether what it waits for is there. */
void parking_init (struct feeder *feeder);
void parking_done (struct feeder *feeder);
void parking_state (struct feeder *feeder, enum lane_state state);
void parking_look (struct feeder *feeder);
/* Somebody says it is mended: one delivery goes to see. */
void parking_nudge (struct feeder *feeder);
/* It delivers again. */
void parking_over (struct feeder *feeder);
/* Nothing of it is on its way. */
bool parking_is_idle (const struct feeder *feeder);

#endif
