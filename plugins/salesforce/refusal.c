/* refusal.c - what Salesforce means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "refusal.h"

#include <stdbool.h>
#include <string.h>

enum { REFUSAL_LIMIT_MS = 60 * 60 * 1000 };     /* of a count over 24 hours */

/* What error codes mean beyond their status. */
static const struct {
  const char *code;
  int outcome;
  int64_t wait_ms;                      /* of the whole lane */
} refusal_kinds[] = {
  { "UNABLE_TO_LOCK_ROW", HERALD_RETRY, 0 },
  { "REQUEST_RUNNING_TOO_LONG", HERALD_RETRY, 0 },
  { "SERVER_UNAVAILABLE", HERALD_RETRY, 0 },
  { "UNKNOWN_EXCEPTION", HERALD_RETRY, 0 },
  { "REQUEST_LIMIT_EXCEEDED", HERALD_RETRY, REFUSAL_LIMIT_MS },
  { "STORAGE_LIMIT_EXCEEDED", HERALD_RETRY, REFUSAL_LIMIT_MS },
  { "ENTITY_IS_DELETED", HERALD_REJECTED, 0 },
  { "INSUFFICIENT_ACCESS_OR_READONLY", HERALD_REJECTED, 0 },
  { "", HERALD_BY_STATUS, 0 }           /* any other */
};

static size_t
refusal_find (const char *code)
{
  size_t k = 0;

  while (*refusal_kinds[k].code != '\0'
         && strcmp (refusal_kinds[k].code, code) != 0)
    k++;
  return k;
}

/* The texts that jsforce knows, too: no token would help. */
static bool
refusal_is_for_good (const struct herald_reply *reply)
{
  return strstr (reply->body, "Connected app is not attached to Agent") != NULL
         || strstr (reply->body,
                    "This session is not valid for use with the REST API")
              != NULL;
}

void
refusal_settle (struct herald_job *job, const struct herald_reply *reply)
{
  const char *code = herald->json_text (reply, "0.errorCode");
  const char *text
    = herald->clip (herald->json_text (reply, "0.message"),
                    REFUSAL_MOST_QUOTED);
  size_t error = refusal_find (code);

  if (refusal_kinds[error].wait_ms > 0)
    herald->wait (job, refusal_kinds[error].wait_ms);
  if (reply->status == 300)
    herald->settle (job, reply, HERALD_REJECTED,
                    "several records have this external id; merge them, or "
                    "mark the field Unique");
  else if (reply->status == 401 && refusal_is_for_good (reply))
    herald->settle (job, reply, HERALD_BLOCKED,
                    "the app's user may not use the API: %s", text);
  else if (reply->status == 401)
    herald->settle (job, reply, HERALD_RENEW, "%s: %s", code, text);
  else if (*code == '\0' && (reply->status == 400 || reply->status == 403))
    /* A page of HTML, while Salesforce is maintained. */
    herald->settle (job, reply, HERALD_RETRY,
                    "what answers is not Salesforce");
  else
    herald->settle (job, reply, refusal_kinds[error].outcome, "%s: %s",
                    code, text);
}

void
refusal_or_delivered (struct herald_job *job,
                      const struct herald_reply *reply, size_t i,
                      const char *at)
{
  const char *code, *text;
  size_t error;

  if (strcmp (herald->json_text (reply, "%ssuccess", at), "true") == 0) {
    herald->delivered (job, i, herald->json_text (reply, "%sid", at));
    return;
  }
  code = herald->json_text (reply, "%serrors.0.statusCode", at);
  text = herald->clip (herald->json_text (reply, "%serrors.0.message", at),
                       REFUSAL_MOST_QUOTED);
  error = refusal_find (code);
  if (*code == '\0')
    herald->retry (job, i, 0, "Salesforce did not say what became of it");
  else if (refusal_kinds[error].outcome == HERALD_RETRY)
    herald->retry (job, i, refusal_kinds[error].wait_ms, "%s: %s", code,
                   text);
  else
    herald->rejected (job, i, "%s: %s", code, text);
}
