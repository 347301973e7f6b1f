/* job_state.h - what the files of a job share; nobody else includes it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_JOB_STATE_H
#define HERALD_JOB_STATE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_index.h"
#include "job.h"

enum {
  JOB_MAX_MEMORY = 256 << 20, /* of a job's arena, and of all its bodies */
  JOB_MAX_FAULTS = 32,        /* more are logged, not kept */
  JOB_MAX_REASON = 300        /* characters */
};

/* A delivery of the job, or of TOKEN and VERIFY the step itself. */
struct slot {
  struct event *event; /* NULL: a step */
  struct herald_delivery delivery;
  const char *record; /* NULL: it could not be made */
  size_t record_len;
  struct herald_mail *mail; /* NULL: a webhook */
  struct outcome outcome;
  struct herald_request *request; /* unanswered, covers this; NULL */
  bool is_held;                   /* a request that is being made covers it */
  uint32_t tag_lane;              /* see struct job_item */
  uint64_t tag;
};

/* What settle () and wait () said in the callback under way. */
struct settling {
  bool is_set;
  int how; /* HERALD_BY_STATUS ... */
  const char *text;
  int64_t wait_ms; /* 0: none */
};

struct job_list { /* a group */
  size_t n;
  size_t *items;
};

struct job {
  struct job *next_spare;
  struct arena *arena;
  struct integration *integration;
  enum job_kind kind;
  size_t n_slots;
  struct slot *slots; /* as given to job_new; one of a step */
  size_t n_shown;
  const size_t *shown; /* slots the plugin sees, in its order */
  const size_t *all;   /* 0, 1, 2 ... n_slots - 1 */
  char *id;            /* 37 bytes, "" until asked for */
  bool is_built;

  struct herald_request *first, *last; /* all made */
  struct herald_request *next;         /* to be taken */
  struct herald_request *made; /* the first of the callback under way */
  size_t n_requests, n_open;
  size_t body_bytes;

  struct reply *reply; /* being read; NULL in .build */
  struct settling settling;
  const char *error; /* sticky, of the callback under way */

  size_t n_faults;
  const char **faults;
  size_t n_groups, groups_size;
  struct job_list *groups;
  size_t renewed; /* the group of a refused token + 1 */
  unsigned renewals;
  uint32_t generation; /* of the token it was built with */

  int64_t wait_ms; /* -1: none */
  uint32_t rate, rate_ms;
  struct job_verdict verdict;

  size_t indexed; /* whose record index is of; n_slots: none */
  struct json_index index;
};

/* The SDK's opaque name for the same thing. */
static inline struct job *
job_of (struct herald_job *job)
{
  return (struct job *) job;
}

static inline const struct job *
job_of_const (const struct herald_job *job)
{
  return (const struct job *) job;
}

/* How many deliveries the plugin sees; i as it counts. */
static inline size_t
job_shown (const struct job *job)
{
  return job->kind == JOB_DELIVER ? job->n_shown : 0;
}

static inline struct slot *
job_slot (const struct job *job, size_t i)
{
  return &job->slots[job->shown[i]];
}

const char *job_plugin (const struct job *job); /* its name */

/* job_fault.c: note and log a fault of the plugin's; job_spoil also makes
 * what the callback under way did void.  job may be NULL: logged only. */
void job_add_fault (struct job *job, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 2, 3)));
void job_spoil (struct job *job, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 2, 3)));

/* job_render.c: record and mail of a slot; -1 with a reason in the job's
 * memory. */
int job_render (struct job *job, struct slot *slot, const char *to_address,
                const char **ret_reason);
const char *job_value (struct job *job, size_t i, const char *target);
const char *job_make_id (const struct job *job);

/* job_settle.c.  The first outcome counts; false (and a fault if it is
 * another kind) if there was one. */
bool job_give (struct job *job, struct slot *slot,
               const struct outcome *outcome);
/* "HTTP 422: text", redacted, in the job's memory.  text NULL or empty: a
 * piece of the reply's body; reply may be NULL. */
const char *job_reason (struct job *job, const char *text);
/* A service's id of a delivery: one line, of bounded length; "" of NULL. */
const char *job_reference (struct job *job, const char *reference);
void job_settle_one (struct job *job, size_t i, enum outcome_kind kind,
                     int64_t after_ms, const char *fmt, va_list args)
  __attribute__ ((__format__ (__printf__, 5, 0)));
void job_settle (struct job *job, int how, const char *fmt, va_list args)
  __attribute__ ((__format__ (__printf__, 3, 0)));
/* The callback has returned result: apply what it said.  answered is the
 * request whose handler it was, or NULL. */
void job_conclude (struct job *job, struct herald_request *answered,
                   int result);
/* All of the list (as the plugin counts) that has no outcome gets this
 * one. */
void job_give_rest (struct job *job, const size_t *list, size_t n,
                    const struct outcome *outcome);
/* Nobody waits for it any more. */
void job_let_go (struct job *job, struct herald_request *request);
/* Text in the job's memory, redacted. */
const char *job_redact (struct job *job, const char *before, const char *text);
/* Of a step: what came of it, from its slot. */
void job_judge (struct job *job);

/* job_group.c: SPLIT and RENEW for those of the list (as the plugin
 * counts) that have no outcome.  outcome: of REJECTED or BLOCKED, when it
 * comes to that. */
void job_split (struct job *job, const size_t *list, size_t n,
                const struct outcome *outcome);
void job_renew (struct job *job, const size_t *list, size_t n,
                const struct outcome *outcome);

#endif
