/* refusal.c - which mails Mandrill refuses, and which it takes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "refusal.h"

#include <string.h>
#include <strings.h>

/* Told by name: the status is 500 for nearly all of them. */
static const struct {
  const char *name;
  int outcome;
  const char *advice;
} refusal_errors[] = {
  { "Invalid_Key", HERALD_BLOCKED, "check API Key" },
  { "PaymentRequired", HERALD_BLOCKED, "the account must be paid for" },
  { "Unknown_Subaccount", HERALD_BLOCKED, "check Subaccount" },
  { "Unknown_Pool", HERALD_BLOCKED, "check IP Pool" },
  { "Unknown_Template", HERALD_BLOCKED, "check <template>" },
  { "Invalid_Template", HERALD_BLOCKED, "check <template>" },
  { "ValidationError", HERALD_SPLIT, "the mail is refused" },
  { "GeneralError", HERALD_RETRY, "the service has a problem of its own" },
  { "ServiceUnavailable", HERALD_RETRY, "the service is down" }
};

void
refusal_settle_error (struct herald_job *job, const struct herald_reply *reply)
{
  const char *name = herald->json_text (reply, "name");
  const char *said = herald->clip (herald->json_text (reply, "message"), 300);
  size_t k = 0;

  while (k < HERALD_COUNT (refusal_errors)
         && strcmp (name, refusal_errors[k].name) != 0)
    k++;
  if (k < HERALD_COUNT (refusal_errors))
    herald->settle (job, reply, refusal_errors[k].outcome, "%s: %s; %s", name,
                    said, refusal_errors[k].advice);
  /* With a name even a 500 is a refusal and no mishap. */
  else if (*name != '\0' && reply->status / 100 != 4)
    herald->settle (job, reply, HERALD_SPLIT, "%s: %s", name, said);
  else
    herald->settle (job, reply, HERALD_BY_STATUS, NULL);
}

/* Which result is an address's; HERALD_END: none. */
static size_t
refusal_find (const struct herald_reply *reply, const char *address)
{
  for (size_t k = 0; k <= REFUSAL_MOST_RECIPIENTS; k++)
    if (strcasecmp (herald->json_text (reply, "%zu.email", k), address) == 0)
      return k;
  return HERALD_END;
}

/* Why result k is a refusal; NULL if it is none. */
static const char *
refusal_reason (const struct herald_reply *reply, size_t k)
{
  const char *status = herald->json_text (reply, "%zu.status", k);
  const char *reason = herald->json_text (reply, "%zu.reject_reason", k);

  if (strcmp (status, "rejected") != 0 && strcmp (status, "invalid") != 0)
    return NULL;
  return *reason != '\0' ? reason : status;
}

static void
refusal_settle_one (struct herald_job *job, const struct herald_reply *reply,
                    size_t i)
{
  size_t k = refusal_find (reply, herald->mail (job, i)->to.address);
  const char *refusal = refusal_reason (reply, k);
  const char *queued = herald->json_text (reply, "%zu.queued_reason", k);

  if (refusal == NULL) {
    herald->delivered (job, i, herald->json_text (reply, "%zu._id", k));
    if (k == HERALD_END || *queued != '\0')
      herald->log (HERALD_WARNING, "the service took a mail and says %s",
                   k == HERALD_END ? "nothing of its recipient" : queued);
  } else if (strcmp (refusal, "unsigned") == 0
             || strcmp (refusal, "invalid-sender") == 0)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "the service refuses the sender: %s", refusal);
  else
    herald->rejected (job, i, "the service refuses the recipient: %s",
                      refusal);
}

void
refusal_settle (struct herald_job *job, const struct herald_reply *reply)
{
  const char *bcc = herald->mail (job, 0)->bcc.address;
  size_t i;

  if (reply->status / 100 != 2 || *herald->json_text (reply, "name") != '\0') {
    refusal_settle_error (job, reply);
    return;
  }
  for (size_t k = 0; (i = herald->covered (reply, k)) != HERALD_END; k++)
    refusal_settle_one (job, reply, i);
  if (bcc != NULL
      && refusal_reason (reply, refusal_find (reply, bcc)) != NULL)
    herald->log (HERALD_WARNING, "the service refuses the BCC address");
}
