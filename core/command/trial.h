/* trial.h - one job, now, to its end: verify and test.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_TRIAL_H
#define HERALD_TRIAL_H

#include "provider/job.h"
#include "session.h"

/* Run a job over the network until it is done, and again when a token was
 * renewed.  No retries.  The job returned is done; job_free () it. */
struct job *trial_run (struct session *session,
                       struct integration *integration, enum job_kind kind,
                       const struct job_item *items, size_t n_items);

#endif
