/* outcome.c - what became of a delivery in one attempt.
 *
 * SPDX-License-Identifier: MIT
 */

#include "outcome.h"

const char *
outcome_name (enum outcome_kind kind)
{
  static const char *const names[] = {
    [OUTCOME_NONE] = "none",       [OUTCOME_DELIVERED] = "delivered",
    [OUTCOME_RETRY] = "retry",     [OUTCOME_REJECTED] = "rejected",
    [OUTCOME_BLOCKED] = "blocked", [OUTCOME_FAULT] = "fault",
    [OUTCOME_AGAIN] = "again",
  };

  if ((unsigned) kind >= sizeof names / sizeof names[0])
    return "none";
  return names[kind];
}

/* RFC 5321 section 4.2.1; 530 and 535 are RFC 4954's "login first" and
 * "wrong login".  A final 3yz promises nothing, so it is no success. */
static enum outcome_kind
outcome_from_smtp (int status)
{
  if (status == 530 || status == 535)
    return OUTCOME_BLOCKED;
  if (status >= 200 && status <= 299)
    return OUTCOME_DELIVERED;
  if (status >= 500 && status <= 599)
    return OUTCOME_REJECTED;
  return OUTCOME_RETRY;
}

enum outcome_kind
outcome_from_status (int status, bool is_smtp, bool *ret_splits)
{
  *ret_splits = false;
  if (is_smtp)
    return outcome_from_smtp (status);
  if (status >= 200 && status <= 299)
    return OUTCOME_DELIVERED;
  if (status >= 300 && status <= 399)
    return OUTCOME_BLOCKED;
  if (status >= 500 && status <= 599)
    return OUTCOME_RETRY;
  switch (status) {
  case 408:
  case 425:
  case 429: return OUTCOME_RETRY;
  case 401:
  case 403:
  case 404:
  case 405:
  case 407:
  case 410: return OUTCOME_BLOCKED;
  default: *ret_splits = true; return OUTCOME_REJECTED;
  }
}
