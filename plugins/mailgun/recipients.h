/* recipients.h - who gets a mail, and what is theirs alone in it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef MAILGUN_RECIPIENTS_H
#define MAILGUN_RECIPIENTS_H

#include <stdbool.h>

#include "herald-plugin.h"

/* Whether delivery i may share a request with others. */
bool recipients_can_join (struct herald_job *job, size_t i);

/* Add all of the job's; is_batch: in the form for many, else there is one.
 */
void recipients_add (struct herald_request *request, struct herald_job *job,
                     bool is_batch);

#endif /* MAILGUN_RECIPIENTS_H */
