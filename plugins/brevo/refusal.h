/* refusal.h - what Brevo means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef BREVO_REFUSAL_H
#define BREVO_REFUSAL_H

#include "herald-plugin.h"

/* Settle by a reply that is no 2xx. */
void refusal_settle (struct herald_job *job, const struct herald_reply *reply);

#endif /* BREVO_REFUSAL_H */
