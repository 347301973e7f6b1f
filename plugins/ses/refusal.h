/* refusal.h - what Amazon SES means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef SES_REFUSAL_H
#define SES_REFUSAL_H

#include <stdbool.h>

#include "herald-plugin.h"

/* Settle by a reply that is no 2xx. */
void refusal_settle (struct herald_job *job, const struct herald_reply *reply);

/* The signature is good, but the key's policy does not allow this: such a
 * key may well send.
 */
bool refusal_is_of_policy (const struct herald_reply *reply);

#endif /* SES_REFUSAL_H */
