/* refusal.h - what Salesforce means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef SALESFORCE_REFUSAL_H
#define SALESFORCE_REFUSAL_H

#include "herald-plugin.h"

enum { REFUSAL_MOST_QUOTED = 300 };     /* characters of Salesforce's text */

/* Settle by a reply that is no 2xx: it says the same of all records. */
void refusal_settle (struct herald_job *job, const struct herald_reply *reply);

/* Settle delivery i by a 2xx.  at is where the reply speaks of it: "", or
 * its place in the list and a dot. */
void refusal_or_delivered (struct herald_job *job,
                           const struct herald_reply *reply, size_t i,
                           const char *at);

#endif /* SALESFORCE_REFUSAL_H */
