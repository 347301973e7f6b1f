/* outcome.c - what became of a delivery in one attempt.
 *
 * SPDX-License-Identifier: MIT
 */

#include "outcome.h"

#include <stddef.h>
#include <string.h>

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

/* Of a reply after which it may go again.  421 is SMTP's "not now"; the
 * other 4yz speak of one recipient. */
static enum failure_class
class_of_retry (int status)
{
  if (status == 429)
    return FAILURE_LIMITED;
  if (status == 408)
    return FAILURE_TIMEOUT;
  if (status == 421 || (status >= 500 && status <= 599))
    return FAILURE_SERVER;
  return FAILURE_OTHER;
}

enum failure_class
outcome_class (const struct outcome *outcome)
{
  switch (outcome->kind) {
  case OUTCOME_DELIVERED:
  case OUTCOME_AGAIN:
    return FAILURE_NONE;
  case OUTCOME_RETRY:
    return outcome->class != FAILURE_NONE ? outcome->class
                                          : class_of_retry (outcome->status);
  case OUTCOME_REJECTED:
    return FAILURE_CLIENT;
  case OUTCOME_BLOCKED:
    return outcome->class != FAILURE_NONE ? outcome->class
                                          : FAILURE_CREDENTIALS;
  case OUTCOME_NONE:
  case OUTCOME_FAULT:
    break;
  }
  return FAILURE_PLUGIN;
}

/* What a 5yz means; the first that fits.  Status 0, stage NULL: any.
 * RFC 5321 section 4.2.2, RFC 4954 section 6. */
static const struct {
  int status;
  const char *stage;
  enum outcome_kind kind;
  const char *text;
} refusals[] = {
  { 530, NULL, OUTCOME_BLOCKED, "the server wants a login or TLS first" },
  { 534, NULL, OUTCOME_BLOCKED, "the server refuses this login" },
  { 535, NULL, OUTCOME_BLOCKED, "the server refuses this login" },
  { 538, NULL, OUTCOME_BLOCKED, "the server refuses this login" },
  { 552, "sender", OUTCOME_REJECTED, "the mail is too large for the server" },
  { 552, "message", OUTCOME_REJECTED, "the mail is too large for the server" },
  { 0, "connect", OUTCOME_BLOCKED, "the server refuses this host" },
  { 0, "login", OUTCOME_BLOCKED, "the server refuses this login" },
  { 0, "sender", OUTCOME_BLOCKED, "the server refuses the sender" },
  { 0, "recipient", OUTCOME_REJECTED, "the server refuses the recipient" },
  { 0, "bcc", OUTCOME_BLOCKED, "the server refuses the BCC address" },
  { 0, NULL, OUTCOME_REJECTED, "the server refuses the mail" }
};

static bool
refusal_fits (size_t k, int status, const char *stage)
{
  return (refusals[k].status == 0 || refusals[k].status == status)
         && (refusals[k].stage == NULL
             || strcmp (refusals[k].stage, stage) == 0);
}

/* A final 3yz promises nothing, so it is no success. */
enum outcome_kind
outcome_from_smtp (int status, const char *stage, const char **ret_text)
{
  size_t k = 0;

  *ret_text = "";
  if (status >= 200 && status <= 299)
    return OUTCOME_DELIVERED;
  if (status < 500 || status > 599)
    return OUTCOME_RETRY;
  while (!refusal_fits (k, status, stage))
    k++;
  *ret_text = refusals[k].text;
  return refusals[k].kind;
}

enum outcome_kind
outcome_from_status (int status, bool *ret_splits)
{
  *ret_splits = false;
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
