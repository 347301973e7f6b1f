/* account.c - what an account may send.
 *
 * SPDX-License-Identifier: MIT
 */

#include "account.h"

#include "refusal.h"

enum { ACCOUNT_RECENT_MS = 60 * 1000, ACCOUNT_MOST_RATE = 1000000 };

bool
account_learn (struct account *account, const struct herald_reply *reply)
{
  bool has_quota = reply->status / 100 == 2
                   && herald->json_kind (reply, "SendQuota")
                        == HERALD_JSON_OBJECT;
  int64_t rate = herald->json_number (reply, "SendQuota.MaxSendRate");

  if (!has_quota && !refusal_is_of_policy (reply))
    return false;
  account->asked_ms = herald->now_ms ();
  account->has_answered = has_quota;
  account->rate
    = rate > 0 && rate <= ACCOUNT_MOST_RATE ? (uint32_t) rate : 0;
  account->quota = herald->json_number (reply, "SendQuota.Max24HourSend");
  account->is_paused
    = herald->json_kind (reply, "SendingEnabled") == HERALD_JSON_FALSE;
  account->is_sandbox = herald->json_kind (reply, "ProductionAccessEnabled")
                        == HERALD_JSON_FALSE;
  return true;
}

void
account_report (const struct account *account, struct herald_job *job)
{
  if (!account->has_answered)
    herald->verified (job, HERALD_UNPROVEN,
                      "valid, but the key may not ask for the account "
                      "(ses:GetAccount); a test e-mail proves the rest");
  else if (account->is_paused)
    herald->settle (job, NULL, HERALD_BLOCKED,
                    "the key is valid, but sending is paused for the account");
  else
    herald->verified (job, HERALD_PROVEN,
                      "the account may send %lu mails a second, %lld in 24 "
                      "hours%s",
                      (unsigned long) account->rate,
                      (long long) account->quota,
                      account->is_sandbox
                        ? ", and, being in Amazon's sandbox, to verified "
                          "addresses only"
                        : "");
}

bool
account_is_recent (const struct account *account)
{
  int64_t age_ms = herald->now_ms () - account->asked_ms;

  return account->asked_ms > 0 && age_ms >= 0 && age_ms < ACCOUNT_RECENT_MS;
}
