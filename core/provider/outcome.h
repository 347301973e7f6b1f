/* outcome.h - what became of a delivery in one attempt.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_OUTCOME_H
#define HERALD_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure_class.h"

enum outcome_kind {
  OUTCOME_NONE,                 /* not yet known */
  OUTCOME_DELIVERED,
  OUTCOME_RETRY,
  OUTCOME_REJECTED,             /* this record is wrong */
  OUTCOME_BLOCKED,              /* credentials or endpoint are wrong */
  OUTCOME_FAULT,                /* the plugin's: no outcome, a bad request */
  OUTCOME_AGAIN                 /* at once, in the job's groups: a split, a
                                   renewed token; no attempt */
};

struct outcome {                /* strings live as long as the job */
  enum outcome_kind kind;
  int status;                   /* of the reply it came from; 0: none */
  int64_t after_ms;             /* of RETRY: not before; 0: by schedule */
  bool is_free;                 /* of RETRY: does not count as an attempt */
  enum failure_class class;     /* why there was no answer; else _NONE, see
                                   outcome_class () */
  const char *reason;           /* redacted, one line; "" if delivered */
  const char *reference;        /* the service's id of it, or "" */
};

const char *outcome_name (enum outcome_kind kind);      /* "delivered" */

/* In one word: why it was not delivered.  NONE if it was, or goes again at
 * once. */
enum failure_class outcome_class (const struct outcome *outcome);

/* HERALD_BY_STATUS, by HTTP: 2xx DELIVERED; 408 425 429 5xx RETRY; 401 403
 * 404 405 407 410 and any 3xx BLOCKED; any other SPLIT, told by *ret_splits
 * with kind REJECTED for one alone. */
enum outcome_kind outcome_from_status (int status, bool *ret_splits);

/* The same by SMTP: 2yz DELIVERED; 5yz, by what the server answered
 * (herald_reply's "Stage"), BLOCKED if any mail would be refused like this
 * one, else REJECTED; all else RETRY.  *ret_text: what a 5yz means, or "". */
enum outcome_kind outcome_from_smtp (int status, const char *stage,
                                     const char **ret_text);

#endif
