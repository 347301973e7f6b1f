/* batch.h - what an answered batch says of each record.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HUBSPOT_BATCH_H
#define HUBSPOT_BATCH_H

#include "herald-plugin.h"

/* Settle by a 2xx.  Its request's tag is the array of what HubSpot matches
 * the job's records on, in their order. */
void batch_settle (struct herald_job *job, const struct herald_reply *reply,
                   const char *id_property);

#endif /* HUBSPOT_BATCH_H */
