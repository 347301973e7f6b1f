/* lane.h - one integration's line of deliveries, with its own limits.
 *
 * A lane takes deliveries, makes jobs of them, and settles each: within
 * its in-flight cap, rate, batch and order keys, with retries by the
 * schedule.  What a service asks for (Retry-After) holds the whole lane.
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
  LANE_BLOCKED,                 /* nothing goes until somebody mends it */
  LANE_STOPPED                  /* by lane_stop */
};

struct lane;

/* A delivery has ended.  It is the callee's again; reason is "" when it
 * was delivered, else redacted, and valid during the call. */
typedef void lane_settled_fn (void *data, struct delivery *delivery,
                              enum delivery_end end, const char *reason);

/* patience_ms: a delivery that could only be tried again later than this
 * after its first attempt is given up; -1: by the schedule alone. */
struct lane *lane_new (struct integration *integration,
                       struct exchanger *exchanger, struct loop *loop,
                       int64_t patience_ms, lane_settled_fn *settled,
                       void *data);
/* Must be idle. */
void lane_free (struct lane *lane);

/* Take a delivery; it may be settled before this returns (rejected, or
 * undelivered when the lane is not open). */
void lane_admit (struct lane *lane, struct delivery *delivery);
/* Room for another: false holds up whoever feeds it. */
bool lane_has_room (const struct lane *lane);
bool lane_is_idle (const struct lane *lane);

/* Nothing more will be admitted: batches wait for no more company. */
void lane_flush (struct lane *lane);
/* Settle what is not in flight as undelivered; what is in flight ends, and
 * is not tried again. */
void lane_stop (struct lane *lane);

const struct integration *lane_integration (const struct lane *lane);
enum lane_state lane_state (const struct lane *lane);
const char *lane_state_reason (const struct lane *lane);        /* or "" */
size_t lane_in_flight (const struct lane *lane);        /* jobs */
size_t lane_retrying (const struct lane *lane);         /* deliveries */
struct stats *lane_stats (struct lane *lane);

#endif
