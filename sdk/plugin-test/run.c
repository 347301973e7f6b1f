/* run.c - the jobs of a case, answered without a network.
 *
 * SPDX-License-Identifier: MIT
 */

#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/memory.h"
#include "base/text.h"

/* A plugin that has work made anew without end is stopped here. */
enum { RUN_MAX_JOBS = 10000 };

static void
run_fault (struct run *run, const char *text)
{
  run->n_faults++;
  buf_printf (&run->faults, "%s\n", text);
}

static void
answer (struct job *job, struct herald_request *request,
        const struct case_reply *reply)
{
  struct request_header *headers;
  struct job_answer made = { 0 };

  if (reply->kind != CASE_STATUS) {
    job_no_answer (job, request, reply->kind == CASE_REFUSED, FAILURE_OTHER,
                   reply->body);
    return;
  }
  headers = memory_zeroed (reply->n_headers + 1, sizeof *headers);
  for (size_t k = 0; k < reply->n_headers; k++) {
    char *name = memory_strdup (reply->headers[k].name);

    text_fold (name);
    headers[k].name = name;
    headers[k].value = reply->headers[k].value;
  }
  made.status = reply->status;
  if (made.status == 0)
    made.status = request->is_smtp ? 250 : 200;
  made.body = reply->body == NULL ? "" : reply->body;
  made.body_len = reply->body_len;
  made.headers = headers;
  made.n_headers = reply->n_headers;
  job_answer (job, request, &made);
  for (size_t k = 0; k < reply->n_headers; k++)
    free ((char *) (uintptr_t) headers[k].name);
  free (headers);
}

/* Build it and answer until nothing is open. */
static void
drive (struct run *run, struct job *job)
{
  struct herald_request **open = NULL, *request;
  const struct case_reply *reply;
  size_t n = 0, k;

  for (;;) {
    while ((request = job_take (job)) != NULL) {
      open = memory_resize (open, n + 1, sizeof *open);
      open[n++] = request;
    }
    if (n == 0)
      break;
    k = run->answer (run->data, open, n, &reply);
    request = open[k];
    memmove (open + k, open + k + 1, (n - k - 1) * sizeof *open);
    n--;
    answer (job, request, reply);
  }
  free (open);
  if (!job_is_done (job))
    run_fault (run, "the job has no request open and is not done");
  for (k = 0; k < job_faults (job); k++)
    run_fault (run, job_fault (job, k));
}

/* With the token first, where one is needed. */
static void
drive_whole (struct run *run, struct job *job)
{
  run->n_jobs++;
  if (job_wants_token (job)) {
    struct job *step = job_new (run->fixture->integration, JOB_TOKEN, NULL,
                                0);

    job_build (step);
    drive (run, step);
    job_adopt_limits (job, step);
    if (job_wants_token (job)) {
      job_fail (job, &job_verdict (step)->outcome);
      drive (run, job);
    } else {
      job_build (job);
      drive (run, job);
    }
    job_free (step);
  } else {
    job_build (job);
    drive (run, job);
  }
  if (job_wait_ms (job) >= 0)
    run->wait_ms = job_wait_ms (job);
  job_rate (job, &run->rate, &run->rate_ms);
}

static struct outcome
keep_outcome (struct run *run, const struct outcome *outcome)
{
  struct outcome kept = *outcome;

  kept.reason = arena_strdup (run->fixture->arena, outcome->reason);
  kept.reference = arena_strdup (run->fixture->arena, outcome->reference);
  return kept;
}

/* which: the events of the job, by number. */
static void
run_job (struct run *run, const size_t *which, size_t n, unsigned renewals)
{
  struct fixture *fixture = run->fixture;
  struct job_item *items = memory_zeroed (n, sizeof *items);
  struct job *job;

  for (size_t k = 0; k < n; k++) {
    items[k].event = fixture->events[which[k]];
    items[k].id = fixture_delivery_id (fixture, which[k]);
    items[k].attempt = 1;
  }
  job = job_new (fixture->integration, JOB_DELIVER, items, n);
  job_set_renewals (job, renewals);
  drive_whole (run, job);
  for (size_t k = 0; k < n; k++)
    run->outcomes[which[k]] = keep_outcome (run, job_outcome (job, k));

  if (run->n_jobs >= RUN_MAX_JOBS)
    run_fault (run, "the deliveries go again and again without end");
  else if (!run->stays)
    for (size_t g = 0; g < job_groups (job); g++) {
      size_t n_group, *again;
      const size_t *group = job_group (job, g, &n_group);

      again = memory_zeroed (n_group, sizeof *again);
      for (size_t k = 0; k < n_group; k++)
        again[k] = which[group[k]];
      run_job (run, again, n_group, job_renewals (job));
      free (again);
    }
  job_free (job);
  free (items);
}

/* What two deliveries of a job must not share: an address, the value of
 * the order key.  Nothing is added where there is none. */
static void
add_key (const struct integration *integration, const struct event *event,
         bool of_order, struct buf *out)
{
  const struct mail_form *mail = integration->descriptor->mail;
  const struct herald_field *field = integration->order_key;
  const char *name;

  if (!of_order) {
    if (mail != NULL)
      event_add_field_text (event, mail->to_source, strlen (mail->to_source),
                            out);
  } else if (field != NULL) {
    name = settings_text (integration->settings, field->name);
    if (field->type == HERALD_SOURCE)
      event_add_field_text (event, name, strlen (name), out);
    else
      mapping_add_text (integration->is_mailer
                        ? mail->parameters : integration->descriptor->mapping,
                        name, event, out);
    if (out->len > 0 && (field->flags & HERALD_FOLD_CASE) != 0)
      text_fold (out->data);
  }
}

static bool
is_apart (const struct integration *integration, const struct event *a,
          const struct event *b)
{
  bool is_equal = false;

  for (int k = 0; k < 2; k++) {
    struct buf left = BUF_INIT (0), right = BUF_INIT (0);

    add_key (integration, a, k == 1, &left);
    add_key (integration, b, k == 1, &right);
    is_equal |= left.len > 0 && strcmp (left.data, right.data) == 0;
    buf_done (&left);
    buf_done (&right);
  }
  return !is_equal;
}

/* Whether event k may go with the n that the job has. */
static bool
may_join (const struct fixture *fixture, const size_t *which, size_t n,
          size_t k)
{
  for (size_t i = 0; i < n; i++)
    if (!is_apart (fixture->integration, fixture->events[which[i]],
                   fixture->events[k]))
      return false;
  return true;
}

static void
run_deliveries (struct run *run)
{
  struct fixture *fixture = run->fixture;
  struct integration *integration = fixture->integration;
  size_t n = fixture->n_events, n_job;
  size_t *which = memory_zeroed (n + 1, sizeof *which);
  bool *is_taken = memory_zeroed (n + 1, sizeof *is_taken);
  struct arena *scratch = arena_new (0);

  for (size_t first = 0; first < n; first++) {
    uint64_t alike;

    if (is_taken[first])
      continue;
    alike = job_alike (integration, fixture->events[first], scratch);
    n_job = 0;
    for (size_t k = first; k < n && n_job < integration->batch_max; k++)
      if (!is_taken[k] && may_join (fixture, which, n_job, k)
          && job_alike (integration, fixture->events[k], scratch) == alike) {
        is_taken[k] = true;
        which[n_job++] = k;
      }
    run_job (run, which, n_job, 0);
  }
  arena_free (scratch);
  free (is_taken);
  free (which);
}

static void
run_verify (struct run *run)
{
  const struct job_verdict *verdict;
  unsigned renewals = 0;
  struct job *job;

  for (;; job_free (job)) {
    job = job_new (run->fixture->integration, JOB_VERIFY, NULL, 0);
    job_set_renewals (job, renewals++);
    drive_whole (run, job);
    verdict = job_verdict (job);
    if (run->stays || verdict->how != 0
        || verdict->outcome.kind != OUTCOME_AGAIN
        || renewals > JOB_MAX_RENEWALS)
      break;
  }
  run->verdict = *verdict;
  run->verdict.outcome = keep_outcome (run, &verdict->outcome);
  run->verdict.text = arena_strdup (run->fixture->arena, verdict->text);
  job_free (job);
}

void
run_all (struct run *run)
{
  struct buf empty = BUF_INIT (0);

  run->wait_ms = -1;
  run->rate = run->rate_ms = 0;
  run->n_jobs = run->n_faults = 0;
  run->faults = empty;
  run->outcomes = arena_zeroed (run->fixture->arena,
                                run->fixture->n_events + 1,
                                sizeof *run->outcomes);
  token_done (&run->fixture->integration->token);
  if (run->has_token)
    token_set (&run->fixture->integration->token, "a-token-of-the-test",
               "https://token.example", 0, date_now_ms ());
  if (run->fixture->test->is_verify)
    run_verify (run);
  else
    run_deliveries (run);
}

void
run_done (struct run *run)
{
  buf_done (&run->faults);
}
