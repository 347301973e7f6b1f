/* account.h - what an account may send.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef SES_ACCOUNT_H
#define SES_ACCOUNT_H

#include <stdbool.h>

#include "herald-plugin.h"

/* All zero before it was asked. */
struct account {
  int64_t asked_ms;             /* since the epoch */
  uint32_t rate;                /* mails a second; 0: unknown */
  int64_t quota;                /* mails in 24 hours */
  bool has_answered, is_paused, is_sandbox;
};

/* Read GetAccount's reply.  False if it tells nothing; true also if the
 * key is good but may not ask.
 */
bool account_learn (struct account *account,
                    const struct herald_reply *reply);

/* In .verify: say what was learnt. */
void account_report (const struct account *account, struct herald_job *job);

/* Learnt so lately that it need not be asked again: Amazon takes one such
 * request a second, and .token comes just before .verify.
 */
bool account_is_recent (const struct account *account);

#endif /* SES_ACCOUNT_H */
