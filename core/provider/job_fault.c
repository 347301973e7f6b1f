/* job_fault.c - what a plugin did wrong, noted and logged.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/log.h"
#include "job_state.h"

const char *
job_plugin (const struct job *job)
{
  if (job == NULL || job->integration->provider == NULL
      || job->integration->provider->name == NULL)
    return "?";
  return job->integration->provider->name;
}

static const char *job_note (struct job *job, const char *fmt, va_list args)
  __attribute__ ((__format__ (__printf__, 2, 0)));

static const char *
job_note (struct job *job, const char *fmt, va_list args)
{
  const char *text = arena_vprintf (job->arena, fmt, args);

  log_context (job->integration->name,
               job_shown (job) == 1 ? job_slot (job, 0)->delivery.id : NULL);
  log_error ("the plugin %s is at fault: %s", job_plugin (job), text);
  log_context (NULL, NULL);
  if (job->n_faults < JOB_MAX_FAULTS) {
    if (job->faults == NULL)
      job->faults
        = arena_alloc (job->arena, JOB_MAX_FAULTS * sizeof *job->faults);
    job->faults[job->n_faults++] = text;
  }
  return text;
}

void
job_add_fault (struct job *job, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  if (job == NULL)
    log_at (LOG_LEVEL_ERROR, fmt, args);
  else
    job_note (job, fmt, args);
  va_end (args);
}

void
job_spoil (struct job *job, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  if (job == NULL)
    log_at (LOG_LEVEL_ERROR, fmt, args);
  else if (job->error == NULL)
    job->error = job_note (job, fmt, args);
  va_end (args);
}

size_t
job_faults (const struct job *job)
{
  return job->n_faults;
}

const char *
job_fault (const struct job *job, size_t k)
{
  return k < job->n_faults ? job->faults[k] : NULL;
}
