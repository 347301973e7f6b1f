/* refusal.c - what HubSpot means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "refusal.h"

#include <string.h>
#include <strings.h>

enum {
  REFUSAL_LOCKED_MS = 2 * 1000,
  REFUSAL_MIGRATION_MS = 10 * 60 * 1000
};

/* What the three limits are called, and how long the vendor's own client
 * waits; the day ends at midnight where the account is, which is not said
 * here. */
static const struct {
  const char *policy;
  int64_t wait_ms;
} refusal_limits[] = {
  { "SECONDLY", 1000 },
  { "TEN_SECONDLY_ROLLING", 10 * 1000 },
  { "DAILY", 60 * 60 * 1000 }
};

static void
refusal_wait (struct herald_job *job, const struct herald_reply *reply,
                     int64_t usual_ms, const char *text)
{
  herald->wait (job, reply->retry_after_ms > 0 ? reply->retry_after_ms
                                               : usual_ms);
  herald->settle (job, reply, HERALD_RETRY, "%s", text);
}

static void
refusal_wait_limit (struct herald_job *job, const struct herald_reply *reply)
{
  const char *policy = herald->json_text (reply, "policyName");
  const char *text = herald->clip (herald->json_text (reply, "message"),
                                   REFUSAL_MOST_QUOTED);
  int64_t wait_ms = refusal_limits[1].wait_ms;

  for (size_t k = 0; k < HERALD_COUNT (refusal_limits); k++)
    if (strcasecmp (refusal_limits[k].policy, policy) == 0)
      wait_ms = refusal_limits[k].wait_ms;
  refusal_wait (job, reply, wait_ms, text);
}

void
refusal_settle (struct herald_job *job, const struct herald_reply *reply)
{
  const char *text = herald->clip (herald->json_text (reply, "message"),
                                   REFUSAL_MOST_QUOTED);

  switch (reply->status) {
  case 400:
    /* What is wrong with the mapping is wrong with every record. */
    if (strcmp (herald->json_text (reply, "errors.0.code"),
                "PROPERTY_DOESNT_EXIST")
        == 0)
      herald->settle (job, reply, HERALD_BLOCKED,
                      "%s; create the property in HubSpot, or remove its row "
                      "from <map>",
                      text);
    else
      herald->settle (job, reply, HERALD_SPLIT, "%s", text);
    break;
  case 401:
    herald->settle (job, reply, HERALD_BLOCKED,
                    "HubSpot refuses the token; check API Key / Access Token: "
                    "%s",
                    text);
    break;
  case 403:
    herald->settle (job, reply, HERALD_BLOCKED,
                    "the token may not write these objects; give it the "
                    "scopes: %s",
                    text);
    break;
  case 423:
    refusal_wait (job, reply, REFUSAL_LOCKED_MS, text);
    break;
  case 429:
    refusal_wait_limit (job, reply);
    break;
  case 477:
    refusal_wait (job, reply, REFUSAL_MIGRATION_MS,
                         "HubSpot moves this account to another place");
    break;
  default:
    herald->settle (job, reply, HERALD_BY_STATUS, "%s", text);
  }
}
