/* job_settle.c - what a callback said, turned into outcomes.
 *
 * Nothing but delivered (), retry () and rejected () takes effect while a
 * callback runs: what it settles, which requests it made and what they
 * cover is looked at when it has returned, so the order of its calls does
 * not matter.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/redact.h"
#include "base/text.h"
#include "job_state.h"

enum {
  MOST_EXCERPT = 200, /* characters of a body in a reason */
  MOST_WAIT_MS = 1000 * 60 * 60 * 24 * 7
};

const char *
job_redact (struct job *job, const char *before, const char *text)
{
  struct buf out = BUF_INIT (0);
  const char *copy;

  buf_add_text (&out, before);
  redact_add (&out, text, strlen (text), JOB_MAX_REASON);
  copy = arena_strndup (job->arena, out.data, out.len);
  buf_done (&out);
  return copy;
}

bool
job_give (struct job *job, struct slot *slot, const struct outcome *outcome)
{
  if (slot->outcome.kind == OUTCOME_NONE) {
    slot->outcome = *outcome;
    if (slot->outcome.reason == NULL)
      slot->outcome.reason = "";
    if (slot->outcome.reference == NULL)
      slot->outcome.reference = "";
    return true;
  }
  if (slot->outcome.kind != outcome->kind)
    job_add_fault (job, "it settled delivery %s twice, as %s and as %s",
                   slot->delivery.id != NULL ? slot->delivery.id : "-",
                   outcome_name (slot->outcome.kind),
                   outcome_name (outcome->kind));
  return false;
}

void
job_give_rest (struct job *job, const size_t *list, size_t n,
               const struct outcome *outcome)
{
  for (size_t k = 0; k < n; k++) {
    struct slot *slot = job_slot (job, list[k]);

    if (slot->outcome.kind == OUTCOME_NONE && !slot->is_held)
      job_give (job, slot, outcome);
  }
}

/* The beginning of a body, if that tells a person anything: text, and no
 * page of HTML. */
static const char *
body_excerpt (struct job *job, const struct herald_reply *reply)
{
  size_t len = text_clip (reply->body, reply->body_len, MOST_EXCERPT);
  const char *text = reply->body + strspn (reply->body, " \t\r\n");

  if (*text == '<' || !text_is_utf8 (reply->body, len))
    return "";
  return arena_strndup (job->arena, reply->body, len);
}

const char *
job_reason (struct job *job, const char *text)
{
  const struct herald_reply *reply;
  char before[32] = "";

  if (text == NULL)
    text = "";
  if (job->reply == NULL)
    return job_redact (job, "", text);
  reply = &job->reply->shown;
  if (*text == '\0')
    text = body_excerpt (job, reply);
  snprintf (before, sizeof before, "%s %d%s",
            job->reply->request->is_smtp ? "SMTP" : "HTTP",
            (int) reply->status, *text != '\0' ? ": " : "");
  return job_redact (job, before, text);
}

/* Control characters would forge lines in a report; what is longer is no
 * id. */
const char *
job_reference (struct job *job, const char *reference)
{
  enum { MOST_REFERENCE = 200 };
  char *copy;

  if (reference == NULL || *reference == '\0')
    return "";
  copy = arena_strndup (
    job->arena, reference,
    text_clip (reference, strlen (reference), MOST_REFERENCE));
  for (size_t len = strlen (copy), i = 0, n; i < len; i += n) {
    n = text_char_len (copy + i, len - i);
    if (n == 0)
      n = 1;
    if (!text_is_one_line (copy + i, n))
      memset (copy + i, ' ', n);
  }
  return copy;
}

static int
job_status (const struct job *job)
{
  return job->reply != NULL ? job->reply->shown.status : 0;
}

void
job_settle_one (struct job *job, size_t i, enum outcome_kind kind,
                int64_t after_ms, const char *fmt, va_list args)
{
  struct outcome outcome = { .kind = kind, .status = job_status (job) };
  const char *text = "";

  if (i >= job_shown (job)) {
    job_add_fault (job, "it settled delivery %zu of %zu", i, job_shown (job));
    return;
  }
  if (fmt != NULL)
    text = arena_vprintf (job->arena, fmt, args);
  outcome.reason = job_reason (job, text);
  if (after_ms > 0)
    outcome.after_ms = after_ms < MOST_WAIT_MS ? after_ms : MOST_WAIT_MS;
  job_give (job, job_slot (job, i), &outcome);
}

void
job_settle (struct job *job, int how, const char *fmt, va_list args)
{
  if (how < HERALD_BY_STATUS || how > HERALD_RENEW) {
    job_spoil (job, "settle () was given %d", how);
    return;
  }
  if (how == HERALD_BY_STATUS && job->reply == NULL) {
    job_spoil (job, "it settled by status without a reply");
    return;
  }
  if (job->settling.is_set) {
    if (job->settling.how != how)
      job_add_fault (job, "it called settle () twice, with %d and %d",
                     job->settling.how, how);
    return;
  }
  job->settling.is_set = true;
  job->settling.how = how;
  job->settling.text
    = fmt != NULL ? arena_vprintf (job->arena, fmt, args) : "";
}

/* Without a reason of the plugin's the server's words are one, with what
 * they mean before them. */
static void
settle_by_smtp (struct job *job, struct outcome *outcome)
{
  struct reply *reply = job->reply;
  const char *body = reply->shown.body, *means, *said;

  outcome->kind = outcome_from_smtp (
    outcome->status, reply_header (reply, "stage"), &means);
  if (outcome->kind == OUTCOME_DELIVERED) {
    /* Most servers give their queue id in it. */
    outcome->reference = job_reference (job, body);
    return;
  }
  if (job->settling.text != NULL && *job->settling.text != '\0')
    return;
  said = arena_strndup (
    job->arena, body, text_clip (body, reply->shown.body_len, JOB_MAX_REASON));
  job->settling.text
    = *means == '\0'
        ? said
        : arena_printf (job->arena, "%s%s%s", means,
                        *said != '\0' ? ": " : "", said);
}

static void
settle_by_status (struct job *job, struct outcome *outcome, bool *ret_splits)
{
  if (job->reply->request->is_smtp)
    settle_by_smtp (job, outcome);
  else
    outcome->kind = outcome_from_status (outcome->status, ret_splits);
}

/* By SMTP only a login that was taken proves anything. */
static void
verify_by_smtp (struct job *job)
{
  bool has_login = job->reply->request->user != NULL;

  job->verdict.how = has_login ? HERALD_PROVEN : HERALD_UNPROVEN;
  job->verdict.text
    = has_login ? "the server accepts this login"
                : "the server answers; without a login only a test e-mail "
                  "proves that it takes mail";
}

/* Of a token or a check there is nothing to reject but the settings, and
 * nothing to split. */
static void
settle_step (struct job *job, struct outcome *outcome, int how)
{
  if (job->kind == JOB_VERIFY && how == HERALD_RENEW) {
    job_renew (job, job->all, 1, outcome);
    return;
  }
  if (outcome->kind == OUTCOME_DELIVERED && job->kind == JOB_TOKEN) {
    outcome->kind = OUTCOME_RETRY;
    outcome->reason = job_reason (job, "the reply holds no token");
  } else if (job->kind == JOB_TOKEN && outcome->kind != OUTCOME_RETRY)
    outcome->kind = OUTCOME_BLOCKED;
  if (outcome->kind == OUTCOME_DELIVERED && job->verdict.how == 0
      && job->reply->request->is_smtp)
    verify_by_smtp (job);
  job_give_rest (job, job->all, 1, outcome);
}

/* When may a RETRY go: wait () says when the lane may and is no attempt,
 * Retry-After says when and is one. */
static void
settle_delay (struct job *job, struct outcome *outcome)
{
  int64_t after_ms
    = job->reply != NULL ? job->reply->shown.retry_after_ms : -1;

  if (job->settling.wait_ms > 0) {
    outcome->after_ms = job->settling.wait_ms;
    outcome->is_free = true;
  } else if (after_ms >= 0) {
    outcome->after_ms = after_ms;
    if (after_ms > job->wait_ms)
      job->wait_ms = after_ms;
  }
}

static void
settle_apply (struct job *job, const size_t *list, size_t n)
{
  static const enum outcome_kind kinds[]
    = { [HERALD_RETRY] = OUTCOME_RETRY,
        [HERALD_REJECTED] = OUTCOME_REJECTED,
        [HERALD_SPLIT] = OUTCOME_REJECTED,
        [HERALD_BLOCKED] = OUTCOME_BLOCKED,
        [HERALD_RENEW] = OUTCOME_BLOCKED };
  struct outcome outcome = { .status = job_status (job) };
  int how = job->settling.how;
  bool splits = how == HERALD_SPLIT;

  if (how == HERALD_BY_STATUS)
    settle_by_status (job, &outcome, &splits);
  else
    outcome.kind = kinds[how];
  if (outcome.kind == OUTCOME_RETRY)
    settle_delay (job, &outcome);
  if (outcome.kind != OUTCOME_DELIVERED)
    outcome.reason = job_reason (job, job->settling.text);
  if (job->kind != JOB_DELIVER)
    settle_step (job, &outcome, how);
  else if (how == HERALD_RENEW)
    job_renew (job, list, n, &outcome);
  else if (splits)
    job_split (job, list, n, &outcome);
  else
    job_give_rest (job, list, n, &outcome);
}

/* Those of the list that no further request names in covers (). */
static size_t *
list_unheld (struct job *job, const size_t *list, size_t n, size_t *ret_n)
{
  size_t *unheld = arena_alloc (job->arena, (n + 1) * sizeof *unheld);

  *ret_n = 0;
  for (size_t k = 0; k < n; k++)
    if (!job_slot (job, list[k])->is_held)
      unheld[(*ret_n)++] = list[k];
  return unheld;
}

/* Returns true if there was anything to hold. */
static bool
made_hold (struct job *job, bool is_held)
{
  bool is_any = false;

  for (struct herald_request *r = job->made; r != NULL; r = r->next)
    for (size_t k = 0; k < r->n_covers; k++) {
      job_slot (job, r->covers[k])->is_held = is_held;
      is_any = true;
    }
  return is_any;
}

void
job_let_go (struct job *job, struct herald_request *request)
{
  for (size_t k = 0; k < request->n_covers; k++) {
    struct slot *slot = job_slot (job, request->covers[k]);

    if (slot->request == request)
      slot->request = NULL;
  }
}

/* Say for good what a new request covers: what it names, else the list,
 * less what has its outcome. */
static void
made_cover (struct job *job, struct herald_request *request,
            const size_t *list, size_t n)
{
  bool is_named = request->n_covers > 0;
  const size_t *from = is_named ? request->covers : list;
  size_t most = is_named ? request->n_covers : n;
  size_t *covers = request->covers;

  if (!is_named)
    covers = arena_alloc (job->arena, (most + 1) * sizeof *covers);
  request->covers = covers;
  request->n_covers = 0;
  for (size_t k = 0; k < most; k++) {
    size_t i = from[k];
    struct slot *slot = job_slot (job, i);

    if (slot->outcome.kind != OUTCOME_NONE || slot->request == request)
      continue;
    if (slot->request != NULL && job->kind == JOB_DELIVER)
      job_spoil (job, "two of its requests cover the same delivery");
    slot->request = request;
    covers[request->n_covers++] = i;
  }
}

/* Drop all the callback made.  what: the outcome of what only they
 * covered, or NULL. */
static void
made_drop (struct job *job, const struct outcome *what)
{
  for (struct herald_request *r = job->made; r != NULL; r = r->next) {
    job_let_go (job, r);
    r->is_sealed = r->is_answered = true;
    if (what != NULL)
      job_give_rest (job, r->covers, r->n_covers, what);
  }
}

static void
made_keep (struct job *job, bool is_settled)
{
  for (struct herald_request *r = job->made; r != NULL; r = r->next) {
    if (r->n_covers > 0) {
      job->n_open++;
      continue;
    }
    r->is_answered = true;
    if (is_settled)
      job_add_fault (job, "it made a request for what it settled");
  }
  if (job->next == NULL)
    job->next = job->made;
}

static void
conclude_spoilt (struct job *job, const size_t *list, size_t n)
{
  struct outcome fault = { .kind = OUTCOME_FAULT, .status = job_status (job) };
  char before[128];

  snprintf (before, sizeof before,
            "the plugin %s is at fault: ", job_plugin (job));
  fault.reason = job_redact (job, before, job->error);
  made_drop (job, &fault);
  job_give_rest (job, list, n, &fault);
}

/* It returned 0: nothing it was given may be left over. */
static void
conclude_forgotten (struct job *job, const size_t *list, size_t n)
{
  const char *text = job->reply != NULL
                       ? "it left a delivery without outcome"
                       : "it left a delivery without request or outcome";

  /* A step may wait for another of its requests. */
  if (job->kind != JOB_DELIVER && job->n_open > 0)
    return;
  for (size_t k = 0; k < n; k++) {
    struct slot *slot = job_slot (job, list[k]);

    if (slot->outcome.kind != OUTCOME_NONE || slot->request != NULL)
      continue;
    if (job->error == NULL)
      job_spoil (job, "%s", text);
    slot->outcome = (struct outcome){
      .kind = OUTCOME_FAULT,
      .status = job_status (job),
      .reference = "",
      .reason = job_redact (job, "the plugin is at fault: ", text)
    };
  }
}

static void
conclude_done (struct job *job, bool is_handler, const size_t *list, size_t n)
{
  bool is_held = is_handler && job->made != NULL && made_hold (job, true);
  const size_t *rest = list;
  size_t n_rest = n;

  if (job->settling.is_set && (is_handler || job->error == NULL)) {
    if (is_held)
      rest = list_unheld (job, list, n, &n_rest);
    settle_apply (job, rest, n_rest);
  }
  if (is_held)
    made_hold (job, false);
  for (struct herald_request *r = job->made; r != NULL; r = r->next) {
    made_cover (job, r, list, n);
    request_seal (r);
  }
  if (job->body_bytes > JOB_MAX_MEMORY)
    job_spoil (job, "its requests are larger than 256 MiB together");
  if (job->error != NULL)
    conclude_spoilt (job, list, n);
  else {
    made_keep (job, is_handler && job->settling.is_set);
    conclude_forgotten (job, list, n);
  }
}

void
job_conclude (struct job *job, struct herald_request *answered, int result)
{
  const size_t *list = answered != NULL ? answered->covers : job->all;
  size_t n = answered != NULL ? answered->n_covers : job->n_shown;
  struct outcome retry = { .kind = OUTCOME_RETRY, .status = job_status (job) };

  if (arena_is_over (job->arena))
    job_spoil (job, "it took more than 256 MiB of memory");
  if (result != 0 && job->error == NULL) {
    retry.reason = job_reason (
      job, answered != NULL ? "the plugin could not read the reply"
                            : "the plugin could not build a request");
    made_drop (job, NULL);
    job_give_rest (job, list, n, &retry);
  } else
    conclude_done (job, answered != NULL, list, n);
  job->made = NULL;
  job->error = NULL;
  memset (&job->settling, 0, sizeof job->settling);
  job_judge (job);
}

void
job_judge (struct job *job)
{
  struct job_verdict *verdict = &job->verdict;

  if (job->kind == JOB_DELIVER)
    return;
  verdict->outcome = job->slots[0].outcome;
  if (verdict->outcome.kind != OUTCOME_DELIVERED) {
    verdict->how = 0;
    verdict->text = verdict->outcome.reason;
  } else if (job->kind == JOB_VERIFY && verdict->how == 0)
    verdict->how = HERALD_PROVEN;
  if (verdict->text == NULL)
    verdict->text = "";
}
