/* lane_state.h - what the files of a lane share; nobody else includes it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LANE_STATE_H
#define HERALD_LANE_STATE_H

#include "breaker.h"
#include "cut.h"
#include "keyring.h"
#include "lane.h"
#include "limiter.h"
#include "retries.h"
#include "shelf.h"

enum {
  LANE_PATIENT_MS = 30000       /* with a store: what has to wait longer than
                                   this does not wait in memory */
};

/* A job on its way, with the deliveries it is made of. */
struct run {
  struct run *next;             /* free, or waiting to go */
  struct lane *lane;
  struct job *job;
  size_t n, size;
  struct delivery **deliveries;
  unsigned renewals;
  bool is_probe;
  int64_t since_us;
};

struct lane {
  struct integration *integration;
  struct exchanger *exchanger;
  struct loop *loop;
  struct loop_timer *timer;
  int64_t patience_us;          /* -1: without end */
  bool has_store;
  lane_settled_fn *settled;
  lane_changed_fn *changed;
  void *data;

  enum lane_state state;
  char *state_reason;           /* NULL: open */
  bool is_stopped, is_held, is_suspended;
  char *blocked;                /* the reason, or NULL */
  struct breaker breaker;
  char *broken;                 /* why it opened, or NULL */

  int64_t gate_us;              /* nothing goes before; 0: open */
  struct limiter limiter;
  struct cut cut;
  struct keyring *keyring;      /* NULL: no order to keep */
  struct shelf *shelf;
  struct retries retries;
  struct run *again;            /* groups that go at once */
  struct run *free_runs;
  struct arena *scratch;
  size_t n_runs;                /* in flight */
  size_t n_flying;              /* their deliveries */
  size_t n_held;                /* deliveries admitted and not settled */
  uint64_t n_admitted;
  bool has_probe;               /* in flight */
  struct {                      /* the run that is being settled */
    int64_t now_ms;
    int64_t latency_us;
    uint32_t attempts;          /* what was drawn last, see lane_delay_ms */
    int64_t after_ms, delay_ms;
  } drawn;
  size_t max_held;
  bool is_pumping;
  bool is_pump_wanted;
  struct stats stats;
};

/* lane.c */
void lane_tell (struct lane *lane);

/* lane_mode.c: what the state is by now, and what follows from it. */
void lane_review (struct lane *lane);
void lane_block (struct lane *lane, const char *why, const char *reason);
/* Everything that is not in flight leaves. */
void lane_empty (struct lane *lane, const char *reason);

/* lane_order.c */
void lane_read_order_key (struct lane *lane, struct delivery *delivery);
/* May it go?  If not it stands in line, or has left. */
bool lane_takes_key (struct lane *lane, struct delivery *delivery);
/* It leaves the lane, and whoever that concerns follows or moves up. */
void lane_leave (struct lane *lane, struct delivery *delivery,
                 const struct delivery_result *result);
/* All that stand in line leave. */
void lane_clear_lines (struct lane *lane, const char *reason);

/* lane_settle.c: what came of a run, for each of its deliveries. */
void lane_settle (struct lane *lane, struct delivery *delivery,
                  const struct outcome *outcome);
/* It was not tried. */
void lane_send_back (struct lane *lane, struct delivery *delivery,
                     const char *reason);

/* lane_run.c */
struct run *run_new (struct lane *lane, size_t n);
void run_free (struct run *run);
void lane_free_runs (struct lane *lane);
void lane_start (struct lane *lane, struct run *run);

/* lane_weigh.c: what a run says of the service and its limits. */
void lane_weigh (struct lane *lane, const struct run *run);

/* lane_pump.c: whatever may go goes. */
void lane_pump (struct lane *lane);

#endif
