/* lane_weigh.c - what a run says of the service: its limits, its health.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "lane_state.h"

struct verdict {
  bool is_answered;             /* the service works */
  bool is_limited;              /* but has too much to do */
  const struct outcome *failure;        /* it does not; NULL */
};

/* Retry-After, and what the service says of its limits, hold the lane. */
static void
lane_obey (struct lane *lane, const struct job *job)
{
  int64_t now_us = loop_now_us (lane->loop);
  int64_t wait_ms = job_wait_ms (job);
  uint32_t requests, per_ms;
  char text[100];

  if (job_rate (job, &requests, &per_ms))
    limiter_set (&lane->limiter, requests, per_ms, now_us);
  if (wait_ms <= 0)
    return;
  if (now_us + wait_ms * 1000 > lane->gate_us)
    lane->gate_us = now_us + wait_ms * 1000;
  if (lane->has_store && wait_ms > LANE_PATIENT_MS) {
    snprintf (text, sizeof text, "the service asks to wait %lld s",
              (long long) (wait_ms / 1000));
    lane_empty (lane, text);
  } else if (lane->patience_us >= 0 && wait_ms * 1000 > lane->patience_us) {
    snprintf (text, sizeof text,
              "the service asks to wait %lld s, longer than --retry-for",
              (long long) (wait_ms / 1000));
    lane_block (lane, text, "");
  }
}

static void
verdict_add (struct verdict *verdict, const struct outcome *outcome,
             bool asks_to_wait)
{
  switch (outcome->kind) {
  case OUTCOME_DELIVERED:
  case OUTCOME_AGAIN:
    verdict->is_answered = true;
    return;
  case OUTCOME_REJECTED:        /* without a status: not even sent */
    verdict->is_answered |= outcome->status != 0;
    return;
  case OUTCOME_RETRY:
    break;
  case OUTCOME_NONE:
  case OUTCOME_BLOCKED:
  case OUTCOME_FAULT:
    return;
  }
  switch (outcome_class (outcome)) {
  case FAILURE_LIMITED:
    verdict->is_limited = verdict->is_answered = true;
    break;
  case FAILURE_SERVER:
    if (asks_to_wait)
      verdict->is_limited = true;
    else
      verdict->failure = outcome;
    break;
  case FAILURE_CONNECT:
  case FAILURE_TIMEOUT:
  case FAILURE_TLS:
    verdict->failure = outcome;
    break;
  default:
    verdict->is_answered |= outcome->status != 0;
    break;
  }
}

/* Of those that went before it opened, the breaker wants to know no
 * more. */
static void
lane_ask_breaker (struct lane *lane, const struct run *run,
                  const struct verdict *verdict)
{
  int64_t now_us = loop_now_us (lane->loop);

  if (lane->breaker.is_open && !run->is_probe)
    return;
  if (verdict->is_answered)
    breaker_succeeded (&lane->breaker, now_us);
  else if (verdict->failure != NULL
           && breaker_failed (&lane->breaker, now_us)) {
    free (lane->broken);
    lane->broken = memory_strdup (verdict->failure->reason);
  }
}

void
lane_weigh (struct lane *lane, const struct run *run)
{
  struct verdict verdict = { .failure = NULL };
  bool asks_to_wait = job_wait_ms (run->job) > 0;

  lane_obey (lane, run->job);
  if (!lane->has_store)
    return;
  for (size_t i = 0; i < run->n; i++)
    verdict_add (&verdict, job_outcome (run->job, i), asks_to_wait);
  if (verdict.is_limited)
    cut_down (&lane->cut, run->since_us, loop_now_us (lane->loop));
  else if (verdict.is_answered)
    cut_up (&lane->cut);
  lane_ask_breaker (lane, run, &verdict);
  lane_review (lane);
}
