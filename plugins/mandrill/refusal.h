/* refusal.h - which mails Mandrill refuses, and which it takes.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef MANDRILL_REFUSAL_H
#define MANDRILL_REFUSAL_H

#include "herald-plugin.h"

/* Of more the service only says that they are queued. */
enum { REFUSAL_MOST_RECIPIENTS = 10 };

/* Settle each mail by its recipient's result, or all by the error that the
 * reply is.
 */
void refusal_settle (struct herald_job *job, const struct herald_reply *reply);

/* Settle by a reply that is an error. */
void refusal_settle_error (struct herald_job *job,
                           const struct herald_reply *reply);

#endif /* MANDRILL_REFUSAL_H */
