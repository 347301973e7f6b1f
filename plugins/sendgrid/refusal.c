/* refusal.c - what SendGrid means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "refusal.h"

#include <stdlib.h>
#include <string.h>

enum {
  REFUSAL_MOST_ERRORS = 1000,           /* looked at */
  REFUSAL_MOST_QUOTED = 300,            /* characters of the service's text */
  REFUSAL_MOST_WAIT_S = 60 * 60
};

static const char *
refusal_error (const struct herald_reply *reply, size_t k, const char *name)
{
  return herald->clip (herald->json_text (reply, "errors.%zu.%s", k, name),
                       REFUSAL_MOST_QUOTED);
}

/* The service says when it will listen again in seconds of the epoch. */
static void
refusal_settle_limit (struct herald_job *job, const struct herald_reply *reply)
{
  int64_t wait_s = herald->header_number (reply, "X-RateLimit-Reset")
                   - herald->now_ms () / 1000;

  if (wait_s > REFUSAL_MOST_WAIT_S)
    wait_s = REFUSAL_MOST_WAIT_S;
  if (reply->retry_after_ms < 0 && wait_s > 0)
    herald->wait (job, wait_s * 1000);
  herald->settle (job, reply, HERALD_RETRY, "%s",
                  refusal_error (reply, 0, "message"));
}

/* What would be refused in every mail of the integration. */
static const char *const refusal_common[] = {
  "from", "from.email", "reply_to", "reply_to.email", "template_id",
  "headers", "asm", "asm.group_id", "categories", "ip_pool_name",
  "mail_settings", "tracking_settings"
};

/* One error takes the whole call with it; its field says whose it is:
 * "personalizations.7.to.0.email" is the eighth covered. */
static void
refusal_settle_errors (struct herald_job *job,
                       const struct herald_reply *reply)
{
  static const char prefix[] = "personalizations.";
  size_t n = herald->json_count (reply, "errors");

  for (size_t k = 0; k < n && k < REFUSAL_MOST_ERRORS; k++) {
    const char *said = refusal_error (reply, k, "message");
    const char *field = refusal_error (reply, k, "field");
    const char *digits = field + sizeof prefix - 1;
    size_t i;

    for (i = 0; i < HERALD_COUNT (refusal_common); i++)
      if (strcmp (field, refusal_common[i]) == 0) {
        herald->settle (job, reply, HERALD_BLOCKED, "%s: %s", field, said);
        return;
      }
    if (strncmp (field, prefix, sizeof prefix - 1) != 0 || *digits < '0'
        || *digits > '9')
      continue;
    i = herald->covered (reply, strtoul (digits, NULL, 10));
    if (i != HERALD_END)
      herald->rejected (job, i, "%s: %s", field, said);
  }
  herald->settle (job, reply, HERALD_SPLIT, "%s",
                  refusal_error (reply, 0, "message"));
}

void
refusal_settle (struct herald_job *job, const struct herald_reply *reply)
{
  const char *said = refusal_error (reply, 0, "message");

  switch (reply->status) {
  case 400:
  case 413: refusal_settle_errors (job, reply); break;
  case 401:
    herald->settle (job, reply, HERALD_BLOCKED, "%s; check API Key", said);
    break;
  case 403:
    herald->settle (job, reply, HERALD_BLOCKED,
                    "%s; check the sender, and the key's permissions", said);
    break;
  case 429: refusal_settle_limit (job, reply); break;
  default: herald->settle (job, reply, HERALD_BY_STATUS, NULL);
  }
}
