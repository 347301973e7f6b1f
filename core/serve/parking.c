/* parking.c - a parked lane that sees to its own release.
 *
 * A lane that its service has blocked asks after a while whether it may
 * (.verify): proven, it goes on; where nothing can be proved, one delivery
 * goes to see.  A mailer that was not tested waits for its test.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "provider/proof.h"
#include "serve/feeder_state.h"

enum {
  WAIT_FIRST_MS = 60 * 1000,
  WAIT_MOST_MS = 15 * 60 * 1000,
  CRASHES_MOST = 10,            /* that pass as those of single events */
  HOLD_FIRST_MS = 15 * 1000,
  HOLD_MOST_MS = 5 * 60 * 1000
};

static bool
parking_is_tested (const struct feeder *feeder)
{
  return !feeder->integration->is_mailer
         || proof_read (feeder->feeding->state_directory,
                        feeder->integration, NULL) == PROOF_GOOD;
}

static void
parking_wait (struct feeder *feeder)
{
  struct parking *parking = &feeder->parking;

  parking->wait_ms = parking->wait_ms == 0 ? WAIT_FIRST_MS
                     : parking->wait_ms * 2 < WAIT_MOST_MS
                       ? parking->wait_ms * 2 : WAIT_MOST_MS;
  parking->is_waiting = true;
  loop_timer_set (parking->timer, loop_now_us (feeder->feeding->loop)
                                    + parking->wait_ms * 1000);
}

static void
parking_release (struct feeder *feeder, bool is_probing)
{
  feeder->parking.is_probing = is_probing;
  lane_resume (feeder->lane);
}

/* ------------------------------------------------------------------ */
/* Asking the service. */

static void parking_verify (struct feeder *feeder);

static void
parking_judge (struct feeder *feeder, const struct job_verdict *verdict)
{
  log_context (feeder->name, NULL);
  if (verdict->how == HERALD_PROVEN) {
    log_notice ("the service accepts the credentials again");
    parking_release (feeder, false);
  } else if (verdict->how == HERALD_UNPROVEN) {
    log_notice ("one delivery goes to see whether it is mended");
    parking_release (feeder, true);
  } else {
    log_info ("still parked: %s", verdict->outcome.reason);
    parking_wait (feeder);
  }
  log_context (NULL, NULL);
}

static void
parking_verified (void *data, struct job *job)
{
  struct feeder *feeder = data;
  struct parking *parking = &feeder->parking;
  const struct job_verdict *verdict = job_verdict (job);
  bool goes_again = verdict->how == 0
                    && verdict->outcome.kind == OUTCOME_AGAIN
                    && parking->renewals < JOB_MAX_RENEWALS;

  parking->job = NULL;
  if (!feeder->is_leaving && lane_state (feeder->lane) == LANE_BLOCKED) {
    if (goes_again)
      parking->renewals++;
    else
      parking_judge (feeder, verdict);
  }
  job_free (job);
  feeder->is_dirty = true;
  if (goes_again && !feeder->is_leaving)
    parking_verify (feeder);
}

static void
parking_verify (struct feeder *feeder)
{
  struct parking *parking = &feeder->parking;
  struct job *job = job_new (feeder->integration, JOB_VERIFY, NULL, 0);

  parking->job = job;
  job_set_renewals (job, parking->renewals);
  if (exchange_run (feeder->feeding->exchanger, job, parking_verified,
                    feeder))
    parking_verified (feeder, job);
}

static void
parking_on_timer (void *data)
{
  struct feeder *feeder = data;

  feeder->parking.is_waiting = false;
  if (feeder->parking.cause == PARKING_CRASHED && !feeder->is_leaving) {
    feeder->parking.cause = PARKING_NONE;
    parking_release (feeder, true);
    return;
  }
  if (feeder->is_leaving || feeder->parking.job != NULL
      || feeder->parking.cause != PARKING_BLOCKED
      || lane_state (feeder->lane) != LANE_BLOCKED)
    return;
  feeder->parking.renewals = 0;
  parking_verify (feeder);
}

/* ------------------------------------------------------------------ */

/* Every crash costs all integrations of this worker a new start. */
static void
parking_hold (struct feeder *feeder)
{
  struct flight *flight = feeder->feeding->flight;
  unsigned n = flight == NULL ? 0
                              : flight_work_crashes (flight, feeder->name);
  int64_t hold_ms = HOLD_FIRST_MS;
  char reason[200];

  if (n <= CRASHES_MOST)
    return;
  for (unsigned i = CRASHES_MOST + 1; i < n && hold_ms < HOLD_MOST_MS; i++)
    hold_ms *= 2;
  if (hold_ms > HOLD_MOST_MS)
    hold_ms = HOLD_MOST_MS;
  feeder->parking.cause = PARKING_CRASHED;
  feeder->told_state = LANE_BLOCKED;
  snprintf (reason, sizeof reason, "the provider %s has crashed %u times: it "
            "gets nothing for %d s, then one delivery",
            feeder->descriptor->provider, n, (int) (hold_ms / 1000));
  lane_park (feeder->lane, reason);
  loop_timer_set (feeder->parking.timer,
                  loop_now_us (feeder->feeding->loop) + hold_ms * 1000);
}

void
parking_init (struct feeder *feeder)
{
  char reason[200];

  if (feeder->lane == NULL)
    return;
  feeder->parking.timer = loop_timer_new (feeder->feeding->loop,
                                          parking_on_timer, feeder);
  if (parking_is_tested (feeder)) {
    parking_hold (feeder);
    return;
  }
  feeder->parking.cause = PARKING_UNTESTED;
  feeder->told_state = LANE_BLOCKED;
  snprintf (reason, sizeof reason, "its test e-mail was not accepted with its "
            "present settings: run \"herald test %s\"", feeder->name);
  lane_park (feeder->lane, reason);
}

void
parking_done (struct feeder *feeder)
{
  if (feeder->lane != NULL)
    loop_timer_free (feeder->parking.timer);
}

void
parking_state (struct feeder *feeder, enum lane_state state)
{
  struct parking *parking = &feeder->parking;

  if (state != LANE_BLOCKED) {
    if (state == LANE_OPEN)
      parking->cause = PARKING_NONE;
    return;
  }
  parking->is_probing = false;
  if (parking->cause == PARKING_NONE)
    parking->cause = PARKING_BLOCKED;
  if (parking->cause == PARKING_BLOCKED && parking->job == NULL
      && !parking->is_waiting)
    parking_wait (feeder);
}

void
parking_look (struct feeder *feeder)
{
  struct parking *parking = &feeder->parking;

  /* Blocked again before anyone saw that it was open. */
  if (parking->cause == PARKING_BLOCKED
      && lane_state (feeder->lane) == LANE_BLOCKED)
    parking_state (feeder, LANE_BLOCKED);
  if (feeder->lane == NULL || parking->cause != PARKING_UNTESTED
      || !parking_is_tested (feeder))
    return;
  parking->cause = PARKING_NONE;
  parking_release (feeder, false);
}

void
parking_nudge (struct feeder *feeder)
{
  enum parking_cause cause = feeder->parking.cause;

  if ((cause == PARKING_BLOCKED || cause == PARKING_CRASHED
       || lane_state (feeder->lane) == LANE_BROKEN)
      && feeder->parking.job == NULL)
    parking_release (feeder, true);
}

void
parking_over (struct feeder *feeder)
{
  feeder->parking.is_probing = false;
  feeder->parking.wait_ms = 0;
}

bool
parking_is_idle (const struct feeder *feeder)
{
  return feeder->parking.job == NULL;
}
