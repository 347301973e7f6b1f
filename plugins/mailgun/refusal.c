/* refusal.c - what Mailgun means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "refusal.h"

#include <string.h>

enum {
  REFUSAL_MOST_QUOTED = 300,            /* characters of Mailgun's message */
  REFUSAL_SECOND_MS = 1000
};

/* By status and a piece of the message, NULL for any; the first that fits.
 * What is not here goes by its status. */
static const struct {
  int32_t status;
  const char *piece;
  int outcome;
  const char *text;
} refusal_kinds[] = {
  { 400, "from parameter", HERALD_BLOCKED,
    "Mailgun does not like the sender: check <from>" },
  { 400, "'from' parameter", HERALD_BLOCKED,
    "Mailgun does not like the sender: check <from>" },
  { 400, "emplate", HERALD_BLOCKED,
    "Mailgun does not like the template: check its name and version" },
  { 401, NULL, HERALD_BLOCKED,
    "Mailgun refuses the key: check API Key, and that it is of this "
    "API Region" },
  { 402, NULL, HERALD_BLOCKED, "Mailgun wants the account to be paid for" },
  { 403, "large batches", HERALD_SPLIT,
    "the account may not send large batches yet: set <batch max>" },
  { 403, "authorized recipients", HERALD_SPLIT,
    "the domain may send to authorized recipients only" },
  { 403, NULL, HERALD_BLOCKED, "Mailgun does not let the domain send" },
  { 404, NULL, HERALD_BLOCKED,
    "Mailgun does not know the domain: check API Domain and API Region "
    "(a domain of the EU is known there only)" }
};

/* In how many ms "... try again after 120 seconds" or "... after Mon, 20
 * Dec 2021 20:33:21 UTC" is; -1 if it says neither. */
static int64_t
refusal_delay_ms (const char *message)
{
  enum { MOST_DIGITS = 7 };
  const char *after = strstr (message, "after ");
  size_t digits, len;
  int64_t value = 0;

  if (after == NULL)
    return -1;
  after += strlen ("after ");
  digits = strspn (after, "0123456789");
  if (digits > 0 && digits <= MOST_DIGITS
      && strncmp (after + digits, " second", 7) == 0) {
    for (size_t k = 0; k < digits; k++)
      value = value * 10 + (after[k] - '0');
    return value * REFUSAL_SECOND_MS;
  }
  len = strlen (after);
  while (len > 0 && strchr (". \n", after[len - 1]) != NULL)
    len--;
  value = herald->date (herald->format ("%.*s", (int) len, after));
  if (value < 0)
    return -1;
  value -= herald->now_ms ();
  return value > REFUSAL_SECOND_MS ? value : REFUSAL_SECOND_MS;
}

void
refusal_settle (struct herald_job *job, const struct herald_reply *reply)
{
  const char *message = herald->json_text (reply, "message");
  int64_t delay_ms = reply->status == 429 ? refusal_delay_ms (message) : -1;
  size_t k = 0, n = HERALD_COUNT (refusal_kinds);

  if (*message == '\0')
    message = strspn (reply->body, " \r\n\t<") == 0 ? reply->body : "";
  message = herald->clip (message, REFUSAL_MOST_QUOTED);
  if (strstr (reply->body, "Mailgun Magnificent API") != NULL
      || reply->status / 100 == 2) {
    herald->settle (job, reply, HERALD_BLOCKED,
                    "what answers is not Mailgun; check Base URL and API "
                    "Domain");
    return;
  }
  if (delay_ms >= 0) {
    herald->wait (job, delay_ms);
    herald->settle (job, reply, HERALD_RETRY, "%s", message);
    return;
  }
  while (k < n
         && (refusal_kinds[k].status != reply->status
             || (refusal_kinds[k].piece != NULL
                 && strstr (message, refusal_kinds[k].piece) == NULL)))
    k++;
  if (k < n)
    herald->settle (job, reply, refusal_kinds[k].outcome, "%s: %s",
                    refusal_kinds[k].text, message);
  else
    herald->settle (job, reply, HERALD_BY_STATUS, "%s", message);
}
