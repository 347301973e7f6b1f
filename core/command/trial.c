/* trial.c - one job, now, to its end.
 *
 * SPDX-License-Identifier: MIT
 */

#include "trial.h"

static void
trial_done (void *data, struct job *job)
{
  bool *is_done = data;

  (void) job;
  *is_done = true;
}

static bool
trial_goes_again (const struct job *job)
{
  if (job_kind (job) == JOB_VERIFY)
    return job_verdict (job)->how == 0
           && job_verdict (job)->outcome.kind == OUTCOME_AGAIN;
  return job_groups (job) > 0;
}

struct job *
trial_run (struct session *session, struct integration *integration,
           enum job_kind kind, const struct job_item *items, size_t n_items)
{
  unsigned renewals = 0;

  for (;;) {
    struct job *job = job_new (integration, kind, items, n_items);
    bool is_done = false;

    job_set_renewals (job, renewals);
    if (!exchange_run (session->exchanger, job, trial_done, &is_done))
      while (!is_done)
        loop_turn (session->loop, -1);
    if (!trial_goes_again (job) || renewals > JOB_MAX_RENEWALS)
      return job;
    renewals++;
    job_free (job);
  }
}
