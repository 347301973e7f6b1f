/* lane-world.h - the network and, where wanted, the clock of a lane,
 * played by its test.
 *
 * exchange_run () is ours here: it keeps the jobs, and the test answers
 * them in the order and way it likes.  A program linked with
 * $(played_clock) has its time from clock_us, and no jitter.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LANE_WORLD_H
#define HERALD_LANE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure_class.h"
#include "delivery/exchange.h"

enum { MOST_FLIGHTS = 600 };

struct flight {
  struct job *job;
  exchange_done_fn *done;
  void *data;
};

extern struct flight flights[MOST_FLIGHTS];
extern size_t n_flights;
extern bool answers_at_once;    /* with 200, from exchange_run itself */
extern void (*on_flight) (const struct job *job);       /* NULL */

/* Take flight k; later ones move up. */
struct flight flight_take (size_t k);
void flight_answer (size_t k, int status);
void flight_answer_header (size_t k, int status, const char *name,
                           const char *value);
/* Every request of it. */
void flight_fail (size_t k, enum failure_class class);

extern int64_t clock_us;
/* Timers go off on the way. */
void clock_pass (int64_t us);
/* date_now_ms () */
int64_t clock_ms (void);

#endif
