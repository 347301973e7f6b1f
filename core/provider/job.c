/* job.c - some deliveries on their way through a plugin.
 *
 * Jobs come and go for every event, so some that are done are kept with
 * their arena and index: a new one then allocates next to nothing.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/memory.h"
#include "host.h"
#include "job_state.h"
#include "token.h"

enum {
  MOST_SPARES = 64,
  MOST_SPARE_MEMORY = 16 * 1024 /* a larger arena is freed */
};

static struct {
  struct job *first;
  size_t n;
} spares;

static struct job *
job_fresh (void)
{
  struct job *job = spares.first;

  if (job != NULL) {
    struct arena *arena = job->arena;
    struct json_index index = job->index;

    spares.first = job->next_spare;
    spares.n--;
    memset (job, 0, sizeof *job);
    job->arena = arena;
    job->index = index;
    return job;
  }
  job = memory_zeroed (1, sizeof *job);
  job->arena = arena_new (JOB_MAX_MEMORY);
  return job;
}

static void
job_retire (struct job *job)
{
  if (spares.n >= MOST_SPARES || arena_used (job->arena) > MOST_SPARE_MEMORY
      || job->index.size > MOST_SPARE_MEMORY / sizeof *job->index.nodes) {
    json_index_done (&job->index);
    arena_free (job->arena);
    free (job);
    return;
  }
  arena_reset (job->arena);
  job->next_spare = spares.first;
  spares.first = job;
  spares.n++;
}

/* A delivery and what the mapping makes of its event; one that does not
 * fit is settled here. */
static void
slot_fill (struct job *job, struct slot *slot, const struct job_item *item)
{
  const char *reason = "";

  slot->event = event_hold (item->event);
  slot->tag_lane = item->tag_lane;
  slot->tag = item->tag;
  slot->delivery = (struct herald_delivery){
    .id = arena_strdup (job->arena, item->id != NULL ? item->id : ""),
    .event_id = event_id (item->event),
    .type = event_type (item->event),
    .workspace = event_workspace (item->event),
    .time_ms = event_time_ms (item->event),
    .attempt = item->attempt
  };
  if (job_render (job, slot, item->to_address, &reason) < 0)
    slot->outcome = (struct outcome){ .kind = OUTCOME_REJECTED,
                                      .reason = reason,
                                      .reference = "" };
}

/* Which slots the plugin sees: those that have no outcome. */
static void
job_show (struct job *job)
{
  static const size_t zero[1];
  size_t *all, *shown;
  size_t n = 0;

  for (size_t i = 0; i < job->n_slots; i++)
    n += job->slots[i].outcome.kind == OUTCOME_NONE;
  job->n_shown = n;
  job->all = job->shown = zero;
  if (job->n_slots <= 1)
    return;
  all = arena_alloc (job->arena, job->n_slots * sizeof *all);
  for (size_t i = 0; i < job->n_slots; i++)
    all[i] = i;
  job->all = job->shown = all;
  if (n == job->n_slots)
    return;
  shown = arena_alloc (job->arena, job->n_slots * sizeof *shown);
  n = 0;
  for (size_t i = 0; i < job->n_slots; i++)
    if (job->slots[i].outcome.kind == OUTCOME_NONE)
      shown[n++] = i;
  job->shown = shown;
}

struct job *
job_new (struct integration *integration, enum job_kind kind,
         const struct job_item *items, size_t n_items)
{
  struct job *job = job_fresh ();

  job->integration = integration;
  job->kind = kind;
  job->wait_ms = -1;
  job->id = arena_zeroed (job->arena, 1, 40);
  job->n_slots = kind == JOB_DELIVER ? n_items : 1;
  job->indexed = job->n_slots;
  job->slots = arena_zeroed (job->arena, job->n_slots, sizeof *job->slots);
  if (kind == JOB_DELIVER)
    for (size_t i = 0; i < n_items; i++)
      slot_fill (job, &job->slots[i], &items[i]);
  job_show (job);
  return job;
}

void
job_free (struct job *job)
{
  if (job == NULL)
    return;
  for (struct herald_request *r = job->first; r != NULL; r = r->next)
    request_done (r);
  for (size_t i = 0; i < job->n_slots; i++)
    event_release (job->slots[i].event);
  job_retire (job);
}

struct integration *
job_integration (const struct job *job)
{
  return job->integration;
}

enum job_kind
job_kind (const struct job *job)
{
  return job->kind;
}

bool
job_wants_token (const struct job *job)
{
  const struct integration *integration = job->integration;

  return job->kind != JOB_TOKEN && integration->provider->plugin.token != NULL
         && !token_is_fresh (&integration->token, date_now_ms ());
}

/* A provider without the step: nothing to ask is no proof; a token can't
 * be made of nothing. */
static void
build_without (struct job *job)
{
  struct outcome outcome = { .kind = OUTCOME_DELIVERED };

  if (job->kind == JOB_VERIFY) {
    job->verdict.how = HERALD_UNPROVEN;
    job->verdict.text = "the provider has nothing that could be asked";
  } else {
    outcome.kind = OUTCOME_FAULT;
    outcome.reason = "the plugin has no function for this";
  }
  job_give_rest (job, job->all, job->n_shown, &outcome);
  job_judge (job);
}

void
job_build (struct job *job)
{
  struct integration *integration = job->integration;
  const struct herald_plugin *plugin = &integration->provider->plugin;
  int (*fn) (void *, struct herald_job *)
    = job->kind == JOB_TOKEN    ? plugin->token
      : job->kind == JOB_VERIFY ? plugin->verify
                                : plugin->build;
  struct host_scope scope;
  int result;

  if (job->is_built)
    return;
  job->is_built = true;
  job->generation = integration->token.generation;
  if (job->n_shown == 0)
    return;
  if (fn == NULL) {
    build_without (job);
    return;
  }
  host_enter (&scope, job->arena, job, integration->name);
  result = fn (integration->instance, (struct herald_job *) job);
  host_leave (&scope);
  job_conclude (job, NULL, result);
}

/* Nobody needs an answer for what has its outcome by now. */
static bool
request_is_moot (const struct job *job, const struct herald_request *request)
{
  for (size_t k = 0; k < request->n_covers; k++)
    if (job_slot (job, request->covers[k])->outcome.kind == OUTCOME_NONE)
      return false;
  return true;
}

struct herald_request *
job_take (struct job *job)
{
  struct herald_request *request;

  while ((request = job->next) != NULL) {
    job->next = request->next;
    if (request->is_answered)
      continue;
    if (!request_is_moot (job, request)) {
      request->is_sent = true;
      return request;
    }
    request->is_answered = true;
    job->n_open--;
    job_let_go (job, request);
  }
  return NULL;
}

/* The request's turn is over, in whatever way.  False if it was. */
static bool
request_close (struct job *job, struct herald_request *request)
{
  if (request->is_answered || request->job != job)
    return false;
  request->is_answered = true;
  job->n_open--;
  job_let_go (job, request);
  return true;
}

void
job_answer (struct job *job, struct herald_request *request,
            const struct job_answer *answer)
{
  struct reply reply;
  struct host_scope scope;
  int result = 0;

  if (!request_close (job, request))
    return;
  reply_init (&reply, request, job->arena, answer);
  job->reply = &reply;
  host_enter (&scope, job->arena, job, job->integration->name);
  if (request->on_reply != NULL)
    result = request->on_reply (job->integration->instance,
                                (struct herald_job *) job, &reply.shown);
  else
    job->settling = (struct settling){ .is_set = true,
                                       .how = HERALD_BY_STATUS,
                                       .text = "" };
  host_leave (&scope);
  job_conclude (job, request, result);
  job->reply = NULL;
  reply_done (&reply);
}

void
job_no_answer (struct job *job, struct herald_request *request,
               bool is_refused, enum failure_class class, const char *reason)
{
  struct outcome outcome
    = { .kind = is_refused ? OUTCOME_BLOCKED : OUTCOME_RETRY,
        .class = class };

  if (!request_close (job, request))
    return;
  outcome.reason = job_redact (job, "", reason != NULL ? reason : "");
  job_give_rest (job, request->covers, request->n_covers, &outcome);
  job_judge (job);
}

void
job_fail (struct job *job, const struct outcome *outcome)
{
  struct outcome copy = *outcome;

  job->is_built = true;
  /* A token that is stale when it comes helped nobody. */
  if (copy.kind == OUTCOME_NONE || copy.kind == OUTCOME_DELIVERED
      || copy.kind == OUTCOME_AGAIN)
    copy.kind = OUTCOME_RETRY;
  copy.reason
    = job_redact (job, "", outcome->reason != NULL ? outcome->reason : "");
  copy.reference = "";
  job_give_rest (job, job->all, job->n_shown, &copy);
  job_judge (job);
}

bool
job_is_done (const struct job *job)
{
  return job->is_built && job->n_open == 0;
}

size_t
job_count (const struct job *job)
{
  return job->kind == JOB_DELIVER ? job->n_slots : 0;
}

const struct outcome *
job_outcome (const struct job *job, size_t item)
{
  static const struct outcome none = { .reason = "", .reference = "" };

  return item < job_count (job) ? &job->slots[item].outcome : &none;
}

uint64_t
job_tag (const struct job *job, size_t item, uint32_t *ret_lane)
{
  *ret_lane = item < job_count (job) ? job->slots[item].tag_lane : 0;
  return item < job_count (job) ? job->slots[item].tag : 0;
}

int64_t
job_wait_ms (const struct job *job)
{
  return job->wait_ms;
}

bool
job_rate (const struct job *job, uint32_t *ret_requests, uint32_t *ret_per_ms)
{
  if (job->rate == 0)
    return false;
  *ret_requests = job->rate;
  *ret_per_ms = job->rate_ms;
  return true;
}

void
job_adopt_limits (struct job *job, const struct job *from)
{
  if (from->rate > 0) {
    job->rate = from->rate;
    job->rate_ms = from->rate_ms;
  }
  if (from->wait_ms > job->wait_ms)
    job->wait_ms = from->wait_ms;
}

const struct job_verdict *
job_verdict (const struct job *job)
{
  return &job->verdict;
}

const char *
job_record (const struct job *job, size_t item)
{
  if (item >= job_count (job) || job->slots[item].record == NULL)
    return "{}";
  return job->slots[item].record;
}

const struct herald_mail *
job_mail (const struct job *job, size_t item)
{
  return item < job_count (job) ? job->slots[item].mail : NULL;
}
