/* plain.h - texts in which Mailgun finds nothing to expand.
 *
 * It expands %recipient.x%, %unsubscribe_url% and the like in every field,
 * and participants may have typed them.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef MAILGUN_PLAIN_H
#define MAILGUN_PLAIN_H

#include "herald-plugin.h"

/* The same to a reader; NULL stays NULL. */
const char *plain_text (const char *text);
const char *plain_html (const char *html);

/* As a header has it; NULL if there is no address. */
const char *plain_mailbox (const struct herald_mailbox *mailbox);

#endif /* MAILGUN_PLAIN_H */
