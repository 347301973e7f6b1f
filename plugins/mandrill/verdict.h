/* verdict.h - what Mandrill says became of mails.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef MANDRILL_VERDICT_H
#define MANDRILL_VERDICT_H

#include "herald-plugin.h"

/* Of more the service only says that they are queued. */
enum { VERDICT_MOST_RECIPIENTS = 10 };

/* Settle each mail by its recipient's result, or all by the error that the
 * reply is.
 */
void verdict_settle (struct herald_job *job, const struct herald_reply *reply);

/* Settle by a reply that is an error. */
void verdict_settle_error (struct herald_job *job,
                           const struct herald_reply *reply);

#endif /* MANDRILL_VERDICT_H */
