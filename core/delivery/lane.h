/* lane.h - one integration's line of deliveries, with its own limits.
 *
 * A lane takes deliveries, makes jobs of them, and settles each: within
 * its in-flight cap, rate, batch and order keys, with retries by the
 * schedule.  What a service asks for (Retry-After) holds the whole lane.
 *
 * Without a store a lane keeps a delivery until it has ended.  With one
 * it gives back what has to wait: DELIVERY_LATER, DELIVERY_BACK; it has a
 * breaker, and its in-flight cap adapts.  It calls nobody's admission:
 * lane_room () says what it would like, changed () when to ask.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LANE_H
#define HERALD_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "delivery.h"
#include "exchange.h"
#include "provider/integration.h"
#include "stats.h"

enum lane_state {
  LANE_OPEN,
  LANE_TRYING,                  /* the breaker is half open: one probe goes */
  LANE_BROKEN,                  /* the breaker is open */
  LANE_BLOCKED,                 /* nothing goes until somebody mends it and
                                   lane_resume () tells */
  LANE_HELD,                    /* paused by the operator */
  LANE_STOPPED                  /* by lane_stop, for good */
};

struct lane;

/* A delivery leaves the lane; it is the callee's again. */
typedef void lane_settled_fn (void *data, struct delivery *delivery,
                              const struct delivery_result *result);
/* The state, the room or what is in flight may have changed.  Admit
 * nothing from within this or the one above. */
typedef void lane_changed_fn (void *data, struct lane *lane);

struct lane_config {
  struct integration *integration;
  struct exchanger *exchanger;
  struct loop *loop;
  int64_t patience_ms;          /* a delivery that could only be tried again
                                   later than this after its first attempt
                                   is given up; -1 (always with a store): by
                                   the schedule alone */
  bool has_store;
  lane_settled_fn *settled;
  lane_changed_fn *changed;     /* NULL: nobody asks */
  void *data;
};

struct lane *lane_new (const struct lane_config *config);
/* Must be idle. */
void lane_free (struct lane *lane);

/* Take a delivery (with a store its seq, queue_lane, attempts and n_faults
 * are as the store has them); it may be settled before this returns. */
void lane_admit (struct lane *lane, struct delivery *delivery);
/* With a store: how many it would like now; 0: none. */
size_t lane_room (const struct lane *lane);
/* Without: room for another; false holds up whoever feeds it. */
bool lane_has_room (const struct lane *lane);
bool lane_is_idle (const struct lane *lane);

/* Nothing more will be admitted: batches wait for no more company. */
void lane_flush (struct lane *lane);
/* What is not in flight leaves (BACK; without a store UNDELIVERED); what is
 * in flight ends, and is not tried again here. */
void lane_stop (struct lane *lane);

/* With a store only.  When the state leaves OPEN, what is not in flight
 * goes BACK.  Resume: what was wrong (BLOCKED, BROKEN) is mended. */
void lane_resume (struct lane *lane);
/* It may not be used as it is, a reason for operators; logged here. */
void lane_park (struct lane *lane, const char *reason);
void lane_hold (struct lane *lane, bool is_held);
/* What is not in flight goes BACK, and the lane goes on. */
void lane_recall (struct lane *lane, const char *reason);
/* What became of too many deliveries is not on disk yet: no more go until
 * it is, or a crash would repeat them all.  What the lane holds stays. */
void lane_suspend (struct lane *lane, bool is_suspended);

/* Order keys, with a store: this delivery waits in it for its time, and has
 * that order_hash.  Told before anything is admitted; afterwards the lane
 * knows by itself from what it gave LATER. */
void lane_expect (struct lane *lane, uint64_t seq, uint64_t order_hash,
                  int64_t due_ms);

const struct integration *lane_integration (const struct lane *lane);
enum lane_state lane_state (const struct lane *lane);
const char *lane_state_name (enum lane_state state);    /* "open" */
const char *lane_state_reason (const struct lane *lane);        /* or "" */
/* loop_now_us () time: of BROKEN when it will be tried again, of OPEN until
 * when a service's Retry-After holds it; 0: it doesn't wait. */
int64_t lane_until_us (const struct lane *lane);
size_t lane_in_flight (const struct lane *lane);        /* jobs */
double lane_in_flight_cap (const struct lane *lane);    /* as adapted */
size_t lane_held (const struct lane *lane);     /* deliveries in memory */
size_t lane_retrying (const struct lane *lane); /* of them, wait here */
struct stats *lane_stats (struct lane *lane);

#endif
