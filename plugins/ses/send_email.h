/* send_email.h - a mail as the action SendEmail takes it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef SES_SEND_EMAIL_H
#define SES_SEND_EMAIL_H

#include "herald-plugin.h"

/* The members of SendEmail's object that are the mail's own. */
void send_email_append (struct herald_request *request,
                        const struct herald_mail *mail);

#endif /* SES_SEND_EMAIL_H */
