/* plain.h - texts in which Brevo finds nothing to expand.
 *
 * It expands {{ }} and {% %} in whatever it is sent, and has no switch for
 * it; participants may have typed them.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef BREVO_PLAIN_H
#define BREVO_PLAIN_H

#include "herald-plugin.h"

/* The same to a reader; NULL stays NULL. */
const char *plain_text (const char *text);
/* The mail's html, made of its text if it has none. */
const char *plain_html (const struct herald_mail *mail);

/* Of a mailbox.  Brevo refuses a name that is long, and drops one that has
 * both a comma or the like and a character beyond ASCII, unless it comes
 * encoded. */
const char *plain_name (const char *name);

#endif /* BREVO_PLAIN_H */
