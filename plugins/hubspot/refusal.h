/* refusal.h - what HubSpot means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HUBSPOT_REFUSAL_H
#define HUBSPOT_REFUSAL_H

#include "herald-plugin.h"

enum { REFUSAL_MOST_QUOTED = 300 };     /* characters of HubSpot's text */

/* Settle by a reply that is no 2xx: it says the same of all records. */
void refusal_settle (struct herald_job *job, const struct herald_reply *reply);

#endif /* HUBSPOT_REFUSAL_H */
