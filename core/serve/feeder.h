/* feeder.h - one integration's deliveries, from the store to a lane and
 * back as settlements.
 *
 * A feeder owns its integration's lane of the queue and asks the ledger
 * for as much as the lane in memory has room for.  While its own lane is
 * blocked or its breaker is open, its fallback's lane gets what it has.
 * An integration that can't be used has a feeder without a lane: it is
 * parked, and everything stays where it is.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_FEEDER_H
#define HERALD_FEEDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/configuration.h"
#include "delivery/lane.h"
#include "metrics/board.h"
#include "serve/ledger.h"

struct feeder;

/* What all feeders of a process share. */
struct feeding {
  struct loop *loop;
  struct ledger *ledger;
  struct exchanger *exchanger;
  struct flight *flight;        /* NULL: no crash is known */
  struct board *board;          /* NULL: nobody looks */
  struct event_reader *reader;
  const char *state_directory;  /* of the mailers' proofs */
  size_t bytes_each;            /* of events, that a feeder may hold */
  bool is_dropping;             /* what comes back now was cut off: it is as
                                   if it had not been taken */
};

enum {
  FEEDING_BYTES = 16 << 20,     /* of events in memory, in all */
  FEEDING_LEAST = 32 << 10,     /* and of one feeder at least */
  FEEDING_UNSETTLED = 1024      /* past it nothing goes and none is taken:
                                   so many at most, and what is in flight,
                                   are sent again after a crash */
};

/* An integration that is open (it is the feeder's, and closed by it), or
 * NULL and the reason why it can't be used.  configuration is held. */
struct feeder *feeder_new (struct feeding *feeding,
                           struct configuration *configuration,
                           const struct descriptor *descriptor,
                           struct integration *integration,
                           const char *reason);
/* Must be gone, or the ledger be freed. */
void feeder_free (struct feeder *feeder);       /* NULL is fine */

/* Take over from it when it can't deliver; NULL: nobody. */
void feeder_set_fallback (struct feeder *feeder, struct feeder *fallback);

/* Do what has come up; to be called after each turn of the loop.
 * may_go: the ledger is not behind. */
void feeder_tend (struct feeder *feeder, bool may_go);
/* Look again at what may have changed outside; each second or so. */
void feeder_look (struct feeder *feeder);

/* Take no more: what is in flight ends, the rest goes back, then the lane
 * is given back.  Until feeder_is_gone () it must be tended. */
void feeder_leave (struct feeder *feeder);
bool feeder_is_gone (const struct feeder *feeder);

const char *feeder_name (const struct feeder *feeder);
const struct descriptor *feeder_descriptor (const struct feeder *feeder);
struct configuration *feeder_configuration (const struct feeder *feeder);
struct integration *feeder_integration (const struct feeder *feeder);
/* NULL: there is none. */
struct lane *feeder_lane (const struct feeder *feeder);
/* Deliveries taken and not settled yet. */
size_t feeder_out (const struct feeder *feeder);

#endif
