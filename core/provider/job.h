/* job.h - some deliveries on their way through a plugin.
 *
 * A job is a state machine without I/O: it is built, its requests are
 * taken and sent by somebody, the answers are put in, more requests may
 * come, and at the end each delivery has one outcome.  delivery/exchange
 * runs it over a network, the test kit over canned replies, explain not
 * at all.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_JOB_H
#define HERALD_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "event/event.h"
#include "integration.h"
#include "outcome.h"
#include "reply.h"
#include "request.h"

enum job_kind { JOB_DELIVER, JOB_TOKEN, JOB_VERIFY };

enum {
  JOB_MAX_REQUESTS = 64,        /* per delivery of the job, handlers' further
                                   ones included: past it it is a fault */
  JOB_MAX_RENEWALS = 2          /* refused tokens in a row: blocked */
};

struct job_item {
  struct event *event;          /* held while the job lives */
  const char *id;               /* of the delivery: a UUID, copied */
  uint32_t attempt;             /* 1 the first time */
  const char *to_address;       /* instead of the event's; NULL */
  uint32_t tag_lane;            /* its lane and number in the queue: for */
  uint64_t tag;                 /* job_tag (), which a host_watch () asks */
};

struct job_verdict {            /* of JOB_VERIFY and JOB_TOKEN */
  int how;                      /* HERALD_PROVEN, _UNPROVEN; 0: failed, see
                                   outcome.  Of a token always 0 */
  struct outcome outcome;       /* DELIVERED: it was proved, there is a token.
                                   Of a token else RETRY, BLOCKED or FAULT.
                                   AGAIN, of VERIFY: the token was refused,
                                   get another and verify in a new job that
                                   is told job_renewals () */
  const char *text;
};

/* A job of deliveries: each item's record (and mail) is made here; one
 * whose event does not fit gets its outcome (rejected) at once and is
 * not shown to the plugin.  TOKEN and VERIFY have no items. */
struct job *job_new (struct integration *integration, enum job_kind kind,
                     const struct job_item *items, size_t n_items);
void job_free (struct job *job);

struct integration *job_integration (const struct job *job);
enum job_kind job_kind (const struct job *job);

/* True if a fresh token must be fetched first (by a JOB_TOKEN): the
 * provider has .token and this is not it. */
bool job_wants_token (const struct job *job);

/* Call .build, .verify or .token, once.  Then take requests until NULL,
 * answer each in any order (taking again after each answer), until
 * job_is_done (). */
void job_build (struct job *job);
struct herald_request *job_take (struct job *job);

struct job_answer {             /* what the transport knows of a reply */
  int status;
  const char *body;             /* NUL-terminated */
  size_t body_len;
  const struct request_header *headers; /* names in lower case */
  size_t n_headers;
};

void job_answer (struct job *job, struct herald_request *request,
                 const struct job_answer *answer);
/* No reply came.  What the request covers: OUTCOME_RETRY, or with
 * is_refused OUTCOME_BLOCKED.  reason is for the operator. */
void job_no_answer (struct job *job, struct herald_request *request,
                    bool is_refused, enum failure_class class,
                    const char *reason);
/* The step before (a token) failed: everything gets this outcome, or
 * RETRY if that is no failure (a token that came stale). */
void job_fail (struct job *job, const struct outcome *outcome);

/* Nothing built is unanswered, so every delivery has its outcome: what a
 * plugin forgot is OUTCOME_FAULT. */
bool job_is_done (const struct job *job);

/* Items as given to job_new.  Of OUTCOME_AGAIN, job_groups () and
 * job_group () tell which go together in a new job at once. */
size_t job_count (const struct job *job);
const struct outcome *job_outcome (const struct job *job, size_t item);
/* The item's number in the queue, as it was given. */
uint64_t job_tag (const struct job *job, size_t item, uint32_t *ret_lane);
size_t job_groups (const struct job *job);
const size_t *job_group (const struct job *job, size_t group,
                         size_t *ret_n);
/* Renewals so far, to hand to the jobs made of the groups. */
unsigned job_renewals (const struct job *job);
void job_set_renewals (struct job *job, unsigned renewals);

/* What the plugin said of the whole lane: -1 nothing. */
int64_t job_wait_ms (const struct job *job);
bool job_rate (const struct job *job, uint32_t *ret_requests,
               uint32_t *ret_per_ms);
/* Take over what a token's job was told of the lane. */
void job_adopt_limits (struct job *job, const struct job *from);

const struct job_verdict *job_verdict (const struct job *job);

/* For explain and the test kit. */
const char *job_record (const struct job *job, size_t item);
const struct herald_mail *job_mail (const struct job *job, size_t item);
/* Faults found on the way (settled twice, an undeclared setting, a body
 * that is no JSON ...), one line each; the test kit fails on any. */
size_t job_faults (const struct job *job);
const char *job_fault (const struct job *job, size_t k);

/* Mails that may share a job are alike in all but to and record: a number
 * that is equal for these.  Webhooks: always 0. */
uint64_t job_alike (struct integration *integration, struct event *event,
                    struct arena *scratch);

#endif
