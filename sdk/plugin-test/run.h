/* run.h - the jobs of a case, answered without a network.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef PLUGIN_TEST_RUN_H
#define PLUGIN_TEST_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "fixture.h"
#include "provider/job.h"

/* Which of the open requests is answered next, and how.  Called with one
 * at least. */
typedef size_t run_answer_fn (void *data,
                              struct herald_request *const *open, size_t n,
                              const struct case_reply **ret_reply);

struct run {
  struct fixture *fixture;
  run_answer_fn *answer;
  void *data;
  bool stays;                   /* what is to go again does not */
  bool has_token;               /* the step .token is passed over */

  /* What came of it; strings are the fixture's. */
  size_t n_jobs;
  struct outcome *outcomes;     /* one an event */
  struct job_verdict verdict;   /* of .verify */
  int64_t wait_ms;              /* -1: none */
  uint32_t rate, rate_ms;
  size_t n_faults;
  struct buf faults;            /* a line each */
};

/* All events, in jobs as the core would make them; or .verify. */
void run_all (struct run *run);
void run_done (struct run *run);

#endif
