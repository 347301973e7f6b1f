/* host_outcome.c - what plugins say became of it: outcomes, tokens, limits.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/date.h"
#include "config/network.h"
#include "host_table.h"
#include "job_state.h"
#include "token.h"

enum { HOST_MOST_BASE_URL = 1000 };     /* bytes */

void
host_delivered (struct herald_job *shown, size_t i, const char *reference)
{
  struct job *job = host_present (shown);
  struct outcome outcome = { .kind = OUTCOME_DELIVERED };

  if (job == NULL)
    return;
  if (i >= job_shown (job)) {
    job_add_fault (job, "it settled delivery %zu of %zu", i, job_shown (job));
    return;
  }
  if (job->reply != NULL)
    outcome.status = job->reply->shown.status;
  outcome.reference = job_reference (job, reference);
  job_give (job, job_slot (job, i), &outcome);
}

void
host_retry (struct herald_job *shown, size_t i, int64_t after_ms,
            const char *fmt, ...)
{
  struct job *job = host_present (shown);
  va_list args;

  if (job == NULL)
    return;
  va_start (args, fmt);
  job_settle_one (job, i, OUTCOME_RETRY, after_ms, fmt, args);
  va_end (args);
}

void
host_rejected (struct herald_job *shown, size_t i, const char *fmt, ...)
{
  struct job *job = host_present (shown);
  va_list args;

  if (job == NULL)
    return;
  va_start (args, fmt);
  job_settle_one (job, i, OUTCOME_REJECTED, 0, fmt, args);
  va_end (args);
}

/* A callback has one reply or none, so the job knows which is meant. */
void
host_settle (struct herald_job *shown, const struct herald_reply *reply,
             int outcome, const char *fmt, ...)
{
  struct job *job = host_present (shown);
  va_list args;

  if (job == NULL)
    return;
  if (reply != NULL && (job->reply == NULL || &job->reply->shown != reply)) {
    job_spoil (job, "it settles by a reply that is not the present one");
    return;
  }
  va_start (args, fmt);
  job_settle (job, outcome, fmt, args);
  va_end (args);
}

void
host_verified (struct herald_job *shown, int how, const char *fmt, ...)
{
  struct job *job = host_present (shown);
  struct outcome outcome = { .kind = OUTCOME_DELIVERED };
  va_list args;

  if (job == NULL)
    return;
  if (job->kind != JOB_VERIFY || how < HERALD_PROVEN
      || how > HERALD_UNPROVEN) {
    job_spoil (job, "verified () was called with %d, or not in .verify", how);
    return;
  }
  if (!job_give (job, job_slot (job, 0), &outcome))
    return;
  job->verdict.how = how;
  va_start (args, fmt);
  job->verdict.text
    = fmt != NULL ? job_redact (job, "", arena_vprintf (job->arena, fmt, args))
                  : "";
  va_end (args);
}

void
host_wait (struct herald_job *shown, int64_t ms)
{
  const int64_t most = 1000LL * 60 * 60 * 24 * 7;
  struct job *job = host_present (shown);

  if (job == NULL || ms <= 0)
    return;
  if (ms > most)
    ms = most;
  job->settling.wait_ms = ms;
  if (ms > job->wait_ms)
    job->wait_ms = ms;
}

void
host_rate (struct herald_job *shown, uint32_t requests, uint32_t per_ms)
{
  struct job *job = host_present (shown);

  if (job == NULL || requests == 0 || per_ms == 0)
    return;
  job->rate = requests;
  job->rate_ms = per_ms;
}

void
host_token (struct herald_job *shown, const char *token, const char *base_url,
            int64_t lifetime_ms)
{
  struct job *job = host_present (shown);
  struct outcome outcome = { .kind = OUTCOME_DELIVERED };
  char reason[200];

  if (job == NULL)
    return;
  if (job->kind != JOB_TOKEN) {
    job_spoil (job, "token () was called outside .token");
    return;
  }
  if (token == NULL || *token == '\0' || strpbrk (token, "\r\n") != NULL)
    return; /* as if there was none in the reply */
  if (base_url != NULL && *base_url == '\0')
    base_url = NULL;
  /* Where the service wants to be called is the service's word: the token
   * goes nowhere that a setting could not name. */
  if (base_url != NULL
      && (strlen (base_url) > HOST_MOST_BASE_URL
          || network_check_url (base_url, true, true, reason) < 0)) {
    outcome.kind = OUTCOME_RETRY;
    outcome.reason = "the token came with an address that can't be used";
    job_give (job, job_slot (job, 0), &outcome);
    return;
  }
  if (lifetime_ms < 0)
    lifetime_ms = 0;
  token_set (&job->integration->token, token, base_url, lifetime_ms,
             date_now_ms ());
  job_give (job, job_slot (job, 0), &outcome);
}

const char *
host_token_url (const struct herald_job *shown)
{
  const struct job *job = host_present (shown);
  const char *url = NULL;

  if (job != NULL)
    url = job->integration->token.base_url;
  return url != NULL ? url : "";
}
