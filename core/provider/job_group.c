/* job_group.c - deliveries that go again at once, and with whom.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/arena.h"
#include "job_state.h"
#include "token.h"

static struct job_list *
group_new (struct job *job, size_t most)
{
  struct job_list *group;

  if (job->n_groups == job->groups_size) {
    size_t size = job->groups_size > 0 ? job->groups_size * 2 : 4;
    struct job_list *groups = arena_alloc (job->arena, size * sizeof *groups);

    if (job->n_groups > 0)
      memcpy (groups, job->groups, job->n_groups * sizeof *groups);
    job->groups = groups;
    job->groups_size = size;
  }
  group = &job->groups[job->n_groups++];
  group->n = 0;
  group->items = arena_alloc (job->arena, most * sizeof *group->items);
  return group;
}

static void
group_add (struct job *job, struct job_list *group, size_t i,
           const struct outcome *outcome)
{
  struct outcome again = { .kind = OUTCOME_AGAIN,
                           .status = outcome->status,
                           .reason = outcome->reason };

  group->items[group->n++] = job->shown[i];
  job_give (job, job_slot (job, i), &again);
}

static size_t
count_unsettled (const struct job *job, const size_t *list, size_t n)
{
  size_t unsettled = 0;

  for (size_t k = 0; k < n; k++)
    unsettled += job_slot (job, list[k])->outcome.kind == OUTCOME_NONE;
  return unsettled;
}

void
job_split (struct job *job, const size_t *list, size_t n,
           const struct outcome *outcome)
{
  size_t rest = count_unsettled (job, list, n), done = 0;
  bool is_whole = rest < n; /* others were settled: what is left is
                                   not yet suspect */
  struct job_list *group = NULL;
  struct outcome rejected = *outcome;

  rejected.kind = OUTCOME_REJECTED;
  for (size_t k = 0; k < n; k++) {
    if (job_slot (job, list[k])->outcome.kind != OUTCOME_NONE)
      continue;
    if (rest == 1 && !is_whole) {
      job_give (job, job_slot (job, list[k]), &rejected);
      return;
    }
    if (group == NULL || (!is_whole && done == (rest + 1) / 2))
      group = group_new (job, rest);
    group_add (job, group, list[k], outcome);
    done++;
  }
}

/* All that one job was refused for its token go into one group, however
 * many requests they were in. */
void
job_renew (struct job *job, const size_t *list, size_t n,
           const struct outcome *outcome)
{
  struct outcome blocked = *outcome;
  struct job_list *group;

  token_refuse (&job->integration->token, job->generation);
  blocked.kind = OUTCOME_BLOCKED;
  if (count_unsettled (job, list, n) == 0)
    return;
  if (job->renewed == 0) {
    job->renewals++;
    if (job->renewals < JOB_MAX_RENEWALS) {
      group_new (job, job->n_shown);
      job->renewed = job->n_groups;
    }
  }
  for (size_t k = 0; k < n; k++) {
    if (job_slot (job, list[k])->outcome.kind != OUTCOME_NONE)
      continue;
    if (job->renewed == 0) {
      job_give (job, job_slot (job, list[k]), &blocked);
      continue;
    }
    group = &job->groups[job->renewed - 1];
    group_add (job, group, list[k], outcome);
  }
}

size_t
job_groups (const struct job *job)
{
  return job->kind == JOB_DELIVER ? job->n_groups : 0;
}

const size_t *
job_group (const struct job *job, size_t group, size_t *ret_n)
{
  *ret_n = 0;
  if (group >= job_groups (job))
    return NULL;
  *ret_n = job->groups[group].n;
  return job->groups[group].items;
}

unsigned
job_renewals (const struct job *job)
{
  return job->renewals;
}

void
job_set_renewals (struct job *job, unsigned renewals)
{
  job->renewals = renewals;
}
