/* lane_pump.c - whatever may go goes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "lane_state.h"

static struct run *
lane_next_run (struct lane *lane, int64_t now_us)
{
  struct run *run = lane->again;
  struct delivery *list;
  size_t n = 1;

  if (run != NULL) {
    lane->again = run->next;
    return run;
  }
  list = lane->state == LANE_TRYING ? shelf_take_any (lane->shelf)
                                    : shelf_take (lane->shelf, now_us, &n);
  if (list == NULL)
    return NULL;
  run = run_new (lane, n);
  for (size_t i = 0; i < n; i++, list = list->next)
    run->deliveries[i] = list;
  return run;
}

/* Room for one more in flight, whatever the time. */
static bool
lane_has_slot (const struct lane *lane)
{
  if (lane->is_suspended)
    return false;
  if (lane->state == LANE_TRYING)
    return !lane->has_probe;
  return lane->state == LANE_OPEN && lane->n_runs < (size_t) lane->cut.cap;
}

/* The earlier of two times, where -1 is never. */
static int64_t
earlier (int64_t a_us, int64_t b_us)
{
  return a_us < 0 || (b_us >= 0 && b_us < a_us) ? b_us : a_us;
}

/* When there will be something to do that no reply brings about. */
static int64_t
lane_next_us (struct lane *lane, int64_t now_us)
{
  int64_t ready_us = shelf_ready_us (lane->shelf);
  int64_t at_us = retries_next_us (&lane->retries);
  int64_t wait_us;

  if (lane->state == LANE_BROKEN)
    return lane->breaker.until_us;
  if (lane->state != LANE_OPEN && lane->state != LANE_TRYING)
    return -1;
  if (lane->has_store && lane->gate_us > now_us)        /* then there is room */
    at_us = earlier (at_us, lane->gate_us);
  if (lane->again != NULL || (lane->state == LANE_TRYING && ready_us >= 0))
    ready_us = 0;
  if (ready_us < 0 || !lane_has_slot (lane))
    return at_us;
  wait_us = limiter_wait_us (&lane->limiter, now_us);
  if (ready_us < now_us + wait_us)
    ready_us = now_us + wait_us;
  if (ready_us < lane->gate_us)
    ready_us = lane->gate_us;
  return earlier (at_us, ready_us);
}

static void
lane_set_timer (struct lane *lane, int64_t now_us)
{
  int64_t at_us = lane_next_us (lane, now_us);

  if (at_us < 0)
    loop_timer_stop (lane->timer);
  else
    loop_timer_set (lane->timer, at_us);
}

/* Those whose time has come, in front of all others.  Each goes to the
 * front, so the last is put back first. */
static void
lane_take_retries (struct lane *lane, int64_t now_us)
{
  struct delivery *delivery, *back = NULL;

  while ((delivery = retries_take (&lane->retries, now_us)) != NULL) {
    delivery->next = back;
    back = delivery;
  }
  while ((delivery = back) != NULL) {
    back = delivery->next;
    shelf_put_back (lane->shelf, delivery);
  }
}

void
lane_pump (struct lane *lane)
{
  int64_t now_us = loop_now_us (lane->loop);
  struct run *run;

  /* A run that is over at once comes back here: a flat loop, no
   * recursion as deep as the line is long. */
  lane->is_pump_wanted = true;
  if (lane->is_pumping)
    return;
  lane->is_pumping = true;
  while (lane->is_pump_wanted) {
    lane->is_pump_wanted = false;
    lane_take_retries (lane, now_us);
    while (lane_has_slot (lane) && now_us >= lane->gate_us
           && limiter_wait_us (&lane->limiter, now_us) == 0
           && (run = lane_next_run (lane, now_us)) != NULL)
      lane_start (lane, run);
  }
  lane_set_timer (lane, now_us);
  lane->is_pumping = false;
}
