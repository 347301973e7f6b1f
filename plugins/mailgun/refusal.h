/* refusal.h - what Mailgun means when it does not say yes.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef MAILGUN_REFUSAL_H
#define MAILGUN_REFUSAL_H

#include "herald-plugin.h"

/* Settle by a reply that is no 2xx, or comes from elsewhere. */
void refusal_settle (struct herald_job *job,
                     const struct herald_reply *reply);

#endif /* MAILGUN_REFUSAL_H */
