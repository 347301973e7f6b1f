/* refusal.c - what Brevo means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "refusal.h"

#include <string.h>

enum {
  REFUSAL_MOST_QUOTED = 300,            /* characters of Brevo's text */
  REFUSAL_MOST_WAIT_S = 24 * 60 * 60
};

/* By code, whatever the status.  Of 402 any is one. */
static const struct {
  const char *code;
  const char *advice;
} refusal_blocks[] = {
  { "unauthorized", "check API Key, and Authorised IPs at Brevo" },
  { "permission_denied", "the key or the account may not send" },
  { "not_enough_credits", "the account has no credits left" },
  { "Insufficient credits", "the account has no credits left" },
  { "account_under_validation", "Brevo has not approved the account yet" }
};

void
refusal_settle (struct herald_job *job, const struct herald_reply *reply)
{
  const char *code = herald->json_text (reply, "code");
  const char *said
    = herald->clip (herald->json_text (reply, "message"), REFUSAL_MOST_QUOTED);
  /* Seconds left; a Retry-After is never sent. */
  int64_t wait_s = herald->header_number (reply, "x-sib-ratelimit-reset");

  for (size_t k = 0; k < HERALD_COUNT (refusal_blocks); k++)
    if (strcmp (code, refusal_blocks[k].code) == 0) {
      herald->settle (job, reply, HERALD_BLOCKED, "%s: %s", said,
                      refusal_blocks[k].advice);
      return;
    }
  if (reply->status == 402)
    herald->settle (job, reply, HERALD_BLOCKED, "%s", said);
  else if (reply->status == 429 && wait_s > 0
           && wait_s <= REFUSAL_MOST_WAIT_S) {
    herald->wait (job, wait_s * 1000);
    herald->settle (job, reply, HERALD_RETRY, "%s", said);
  } else if (*said != '\0')
    herald->settle (job, reply, HERALD_BY_STATUS, "%s: %s", code, said);
  else
    herald->settle (job, reply, HERALD_BY_STATUS, NULL);
}
