/* lane_settle.c - what came of an attempt, for each of its deliveries.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>

#include "backoff.h"
#include "lane_state.h"

enum { LANE_MAX_FAULTS = 2 };   /* crashes or silence of a plugin */

static void
lane_end (struct lane *lane, struct delivery *delivery,
          enum delivery_end end, const struct outcome *outcome,
          const char *reason)
{
  struct delivery_result result = {
    .end = end,
    .class = outcome_class (outcome),
    .status = outcome->status,
    .latency_us = lane->drawn.latency_us,
    .reason = reason,
    .reference = outcome->reference != NULL ? outcome->reference : "",
  };

  lane_leave (lane, delivery, &result);
}

static void
lane_give_up (struct lane *lane, struct delivery *delivery,
              const char *why, const struct outcome *outcome)
{
  char text[400];

  snprintf (text, sizeof text, "%s%s%s", why,
            *outcome->reason != '\0' ? ": " : "", outcome->reason);
  lane_end (lane, delivery, DELIVERY_UNDELIVERED, outcome, text);
}

void
lane_send_back (struct lane *lane, struct delivery *delivery,
                const char *reason)
{
  struct delivery_result result = {
    .end = lane->has_store ? DELIVERY_BACK : DELIVERY_UNDELIVERED,
    .latency_us = -1,
    .reason = reason,
    .reference = "",
  };

  lane_leave (lane, delivery, &result);
}

/* It was tried, and may not be kept: it is as it was before. */
static void
lane_return (struct lane *lane, struct delivery *delivery,
             const struct outcome *outcome, const char *reason)
{
  lane_end (lane, delivery,
            lane->has_store ? DELIVERY_BACK : DELIVERY_UNDELIVERED, outcome,
            reason);
}

static void
lane_put_off (struct lane *lane, struct delivery *delivery,
              int64_t delay_ms, const struct outcome *outcome)
{
  struct delivery_result result = {
    .end = DELIVERY_LATER,
    .class = outcome_class (outcome),
    .status = outcome->status,
    .due_ms = lane->drawn.now_ms + delay_ms,
    .latency_us = lane->drawn.latency_us,
    .reason = outcome->reason,
    .reference = "",
  };

  lane_leave (lane, delivery, &result);
}

/* Again after delay_ms; it is kept here until then. */
static void
lane_keep (struct lane *lane, struct delivery *delivery, int64_t delay_ms,
           const struct outcome *outcome)
{
  bool is_working = lane->state == LANE_OPEN || lane->state == LANE_TRYING;

  if (!is_working) {
    lane_return (lane, delivery, outcome,
                 lane->state == LANE_STOPPED ? outcome->reason
                                             : lane->state_reason);
    return;
  }
  delivery->due_us = loop_now_us (lane->loop) + delay_ms * 1000;
  if (lane->patience_us >= 0
      && delivery->due_us - delivery->first_us > lane->patience_us) {
    lane_give_up (lane, delivery, "not delivered in time", outcome);
    return;
  }
  lane->stats.retried++;
  retries_add (&lane->retries, delivery);
}

/* How long to wait after so many attempts.  Drawn once a run: what failed
 * together goes again together, as the same batch and so with the same
 * id, and not as a request each. */
static int64_t
lane_delay_ms (struct lane *lane, uint32_t attempts, int64_t after_ms)
{
  const struct integration *integration = lane->integration;

  if (lane->drawn.attempts == attempts && lane->drawn.after_ms == after_ms)
    return lane->drawn.delay_ms;
  lane->drawn.attempts = attempts;
  lane->drawn.after_ms = after_ms;
  lane->drawn.delay_ms = backoff_delay_ms (integration->retry_ms,
                                           integration->n_retries, attempts);
  if (lane->drawn.delay_ms >= 0 && after_ms > 0)
    lane->drawn.delay_ms = backoff_spread_ms (after_ms);
  return lane->drawn.delay_ms;
}

static void
lane_retry (struct lane *lane, struct delivery *delivery,
            const struct outcome *outcome)
{
  int64_t delay_ms = outcome->after_ms;
  bool is_kept = !lane->has_store
                 || (outcome->is_free && delay_ms <= LANE_PATIENT_MS
                     && lane->state == LANE_OPEN);

  if (!outcome->is_free) {
    delivery->attempts++;
    delay_ms = lane_delay_ms (lane, delivery->attempts, outcome->after_ms);
    if (delay_ms < 0) {
      lane_give_up (lane, delivery, "every attempt failed", outcome);
      return;
    }
  }
  if (is_kept)
    lane_keep (lane, delivery, delay_ms, outcome);
  else
    lane_put_off (lane, delivery, delay_ms, outcome);
}

/* The job has told of it. */
static void
lane_fault (struct lane *lane, struct delivery *delivery,
            const struct outcome *outcome)
{
  if (++delivery->n_faults >= LANE_MAX_FAULTS)
    lane_give_up (lane, delivery, "the plugin failed", outcome);
  else
    lane_keep (lane, delivery, 0, outcome);
}

void
lane_settle (struct lane *lane, struct delivery *delivery,
             const struct outcome *outcome)
{
  switch (outcome->kind) {
  case OUTCOME_DELIVERED:
    lane_end (lane, delivery, DELIVERY_DELIVERED, outcome, "");
    break;
  case OUTCOME_REJECTED:
    lane_end (lane, delivery, DELIVERY_REJECTED, outcome, outcome->reason);
    break;
  case OUTCOME_RETRY:
    lane_retry (lane, delivery, outcome);
    break;
  case OUTCOME_BLOCKED:
    lane_block (lane, "blocked", outcome->reason);
    lane_return (lane, delivery, outcome,
                 lane->blocked != NULL ? lane->blocked : lane->state_reason);
    break;
  case OUTCOME_NONE:
  case OUTCOME_FAULT:
  case OUTCOME_AGAIN:           /* in no group */
    lane_fault (lane, delivery, outcome);
    break;
  }
}
