/* lane_run.c - a job on its way, from its start to its end.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>

#include "base/date.h"
#include "base/memory.h"
#include "lane_state.h"

struct run *
run_new (struct lane *lane, size_t n)
{
  struct run *run = lane->free_runs;

  if (run != NULL)
    lane->free_runs = run->next;
  else {
    run = memory_zeroed (1, sizeof *run);
    run->lane = lane;
  }
  if (n > run->size) {
    run->deliveries = memory_resize (run->deliveries, n,
                                     sizeof *run->deliveries);
    run->size = n;
  }
  run->n = n;
  run->renewals = 0;
  run->is_probe = false;
  run->next = NULL;
  return run;
}

void
run_free (struct run *run)
{
  run->next = run->lane->free_runs;
  run->lane->free_runs = run;
}

void
lane_free_runs (struct lane *lane)
{
  while (lane->free_runs != NULL) {
    struct run *run = lane->free_runs;

    lane->free_runs = run->next;
    free (run->deliveries);
    free (run);
  }
}

/* What has to go again at once, in new company. */
static void
lane_regroup (struct lane *lane, const struct run *run)
{
  for (size_t k = job_groups (run->job); k-- > 0;) {
    size_t n;
    const size_t *members = job_group (run->job, k, &n);
    struct run *group = run_new (lane, n);

    for (size_t i = 0; i < n; i++) {
      group->deliveries[i] = run->deliveries[members[i]];
      run->deliveries[members[i]] = NULL;
    }
    group->renewals = job_renewals (run->job);
    group->next = lane->again;
    lane->again = group;
  }
}

static void
lane_run_done (void *data, struct job *job)
{
  struct run *run = data;
  struct lane *lane = run->lane;

  lane->n_runs--;
  lane->n_flying -= run->n;
  if (run->is_probe)
    lane->has_probe = false;
  lane->drawn.latency_us = loop_now_us (lane->loop) - run->since_us;
  lane->drawn.now_ms = lane->has_store ? date_now_ms () : 0;
  lane->drawn.attempts = 0;
  stats_latency (&lane->stats, lane->drawn.latency_us);
  lane_regroup (lane, run);
  lane_weigh (lane, run);
  for (size_t i = 0; i < run->n; i++)
    if (run->deliveries[i] != NULL)
      lane_settle (lane, run->deliveries[i], job_outcome (job, i));
  if (lane->state != LANE_OPEN && lane->state != LANE_TRYING)
    lane_empty (lane, lane->state_reason);
  job_free (job);
  run_free (run);
  lane_pump (lane);
  lane_tell (lane);
}

static int
compare_seq (const void *a, const void *b)
{
  const struct delivery *x = *(struct delivery *const *) a;
  const struct delivery *y = *(struct delivery *const *) b;

  if (x->seq != y->seq)
    return x->seq < y->seq ? -1 : 1;
  return (x->queue_lane > y->queue_lane) - (x->queue_lane < y->queue_lane);
}

/* The store may give them back in another order than they came first: the
 * same company is to be the same job, with the same idempotency key. */
static void
run_sort (struct run *run)
{
  size_t i = 1;

  while (i < run->n && run->deliveries[i - 1]->seq < run->deliveries[i]->seq)
    i++;
  if (i < run->n)
    qsort (run->deliveries, run->n, sizeof *run->deliveries, compare_seq);
}

void
lane_start (struct lane *lane, struct run *run)
{
  struct job_item few[64], *items = few;
  int64_t now_us = loop_now_us (lane->loop);

  if (lane->has_store)
    run_sort (run);
  if (run->n > sizeof few / sizeof few[0])
    items = memory_alloc (run->n * sizeof *items);
  for (size_t i = 0; i < run->n; i++) {
    struct delivery *delivery = run->deliveries[i];

    if (delivery->first_us == 0)
      delivery->first_us = now_us;
    items[i] = (struct job_item) {
      .event = delivery->event,
      .id = delivery->id,
      .attempt = delivery->attempts + 1,
      .tag_lane = delivery->queue_lane,
      .tag = delivery->seq,
    };
  }
  run->since_us = now_us;
  run->is_probe = lane->state == LANE_TRYING;
  lane->has_probe |= run->is_probe;
  run->job = job_new (lane->integration, JOB_DELIVER, items, run->n);
  if (items != few)
    free (items);
  job_set_renewals (run->job, run->renewals);
  limiter_take (&lane->limiter, 1, now_us);
  lane->stats.requests++;
  lane->n_runs++;
  lane->n_flying += run->n;
  if (exchange_run (lane->exchanger, run->job, lane_run_done, run))
    lane_run_done (run, run->job);
}
