/* refusal.c - what Amazon SES means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "refusal.h"

#include <string.h>

enum {
  REFUSAL_MOST_QUOTED = 300, /* characters of Amazon's message */
  REFUSAL_SECOND_MS = 1000,
  REFUSAL_SKEW_MS = 3 * 60 * 1000,  /* Amazon forgives about 5 minutes */
  REFUSAL_QUOTA_MS = 15 * 60 * 1000 /* a quota is of the last 24 hours */
};

enum { REFUSAL_CLOCK = 100, REFUSAL_PACE, REFUSAL_SENDER };

/* What an error means, by the beginning of its type: some have a suffix
 * in one place and none in another.  Others go by their status. */
static const struct {
  const char *type;
  int outcome;
  const char *text;
} refusal_kinds[]
  = { { "RequestExpired", REFUSAL_CLOCK, "the request is too old for Amazon" },
      { "SignatureDoesNotMatch", REFUSAL_CLOCK,
        "Amazon refuses the signature: check API Private Key" },
      { "InvalidSignature", REFUSAL_CLOCK,
        "Amazon refuses the signature: check API Private Key and Region" },
      { "IncompleteSignature", HERALD_BLOCKED,
        "Amazon refuses the signature: check API Access Key" },
      { "UnrecognizedClient", HERALD_BLOCKED,
        "Amazon does not know this API Access Key (or its Session Token)" },
      { "InvalidClientTokenId", HERALD_BLOCKED,
        "Amazon does not know this API Access Key (or its Session Token)" },
      { "MissingAuthenticationToken", HERALD_BLOCKED,
        "what answers is not Amazon SES; check Base URL" },
      { "ExpiredToken", HERALD_BLOCKED,
        "Session Token has expired: give new keys with it" },
      { "AccessDenied", HERALD_BLOCKED,
        "the key may not send: its policy must allow ses:SendEmail" },
      { "AccountSuspended", HERALD_BLOCKED,
        "Amazon has suspended the account" },
      { "SendingPaused", HERALD_BLOCKED,
        "sending is paused, for the account or the configuration set" },
      { "MailFromDomainNotVerified", HERALD_BLOCKED,
        "the MAIL FROM domain is not verified" },
      { "NotFound", HERALD_BLOCKED,
        "there is no such thing in this Region: check Configuration Set" },
      { "MessageRejected", REFUSAL_SENDER, "Amazon SES refuses the mail" },
      { "TooManyRequests", REFUSAL_PACE, "Amazon SES asks to wait" },
      { "Throttling", REFUSAL_PACE, "Amazon SES asks to wait" },
      { "LimitExceeded", REFUSAL_PACE, "a quota is used up" } };

static const char *
refusal_type (const struct herald_reply *reply)
{
  const char *type = herald->reply_header (reply, "x-amzn-ErrorType");
  const char *hash;

  if (*type == '\0')
    type = herald->json_text (reply, "__type");
  hash = strchr (type, '#');
  return hash != NULL ? hash + 1 : type;
}

static const char *
refusal_message (const struct herald_reply *reply)
{
  const char *message = herald->json_text (reply, "message");

  if (*message == '\0')
    message = herald->json_text (reply, "Message");
  return herald->clip (message, REFUSAL_MOST_QUOTED);
}

/* How far this host's clock is ahead of Amazon's; 0 if that is no matter,
 * or unknown. */
static int64_t
refusal_skew_ms (const struct herald_reply *reply)
{
  int64_t theirs = herald->date (herald->reply_header (reply, "Date"));
  int64_t skew = herald->now_ms () - theirs;

  return theirs < 0 || (skew < REFUSAL_SKEW_MS && skew > -REFUSAL_SKEW_MS)
           ? 0
           : skew;
}

static void
refusal_settle_clock (struct herald_job *job, const struct herald_reply *reply,
                      const char *text, const char *message)
{
  int64_t skew = refusal_skew_ms (reply);

  if (skew == 0)
    herald->settle (job, reply, HERALD_BLOCKED, "%s: %s", text, message);
  else
    herald->settle (job, reply, HERALD_BLOCKED,
                    "this host's clock is %lld seconds %s Amazon's, which "
                    "spoils the signature: set the clock: %s",
                    (long long) (skew > 0 ? skew : -skew) / REFUSAL_SECOND_MS,
                    skew > 0 ? "ahead of" : "behind", message);
}

/* A rate is a matter of a second, a quota of hours; neither is a failure of
 * the mail. */
static void
refusal_settle_pace (struct herald_job *job, const struct herald_reply *reply,
                     const char *type, const char *text, const char *message)
{
  bool is_quota
    = strncmp (type, "Limit", 5) == 0 || strstr (message, "aily") != NULL;
  int64_t ms = is_quota ? REFUSAL_QUOTA_MS : REFUSAL_SECOND_MS;

  herald->wait (job, reply->retry_after_ms > 0 ? reply->retry_after_ms : ms);
  herald->settle (job, reply, HERALD_RETRY, "%s: %s", text, message);
}

/* An address that is not verified: the sender's is of no use for any mail;
 * a recipient's matters in Amazon's sandbox. */
static void
refusal_settle_message (struct herald_job *job,
                        const struct herald_reply *reply, const char *text,
                        const char *message)
{
  const char *all = herald->json_text (reply, "message");
  const char *from
    = herald->count (job) > 0 ? herald->mail (job, 0)->from.address : NULL;

  if (from != NULL && strstr (all, "not verified") != NULL
      && strstr (all, from) != NULL)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "the sender's address is not verified in this Region: %s",
                    message);
  else
    herald->settle (job, reply, HERALD_REJECTED, "%s: %s", text, message);
}

void
refusal_settle (struct herald_job *job, const struct herald_reply *reply)
{
  const char *type = refusal_type (reply), *message = refusal_message (reply);
  const char *text = NULL;
  int outcome = HERALD_BY_STATUS;

  for (size_t k = 0; text == NULL && k < HERALD_COUNT (refusal_kinds); k++)
    if (strncmp (type, refusal_kinds[k].type, strlen (refusal_kinds[k].type))
        == 0) {
      outcome = refusal_kinds[k].outcome;
      text = refusal_kinds[k].text;
    }
  switch (outcome) {
  case REFUSAL_CLOCK: refusal_settle_clock (job, reply, text, message); break;
  case REFUSAL_PACE:
    refusal_settle_pace (job, reply, type, text, message);
    break;
  case REFUSAL_SENDER:
    refusal_settle_message (job, reply, text, message);
    break;
  case HERALD_BLOCKED:
    herald->settle (job, reply, outcome, "%s: %s", text, message);
    break;
  default:
    herald->settle (job, reply, HERALD_BY_STATUS, "%s%s%s", type,
                    *type != '\0' && *message != '\0' ? ": " : "", message);
  }
}

bool
refusal_is_of_policy (const struct herald_reply *reply)
{
  return reply->status == 403
         && strncmp (refusal_type (reply), "AccessDenied", 12) == 0;
}
