/* mail_text.h - text as it may go into a mail.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_MAIL_TEXT_H
#define HERALD_MAIL_TEXT_H

#include "base/buf.h"

/* Add text with every line end as CRLF: a lone CR or LF is where servers
 * disagree about the end of a message (SMTP smuggling). */
void mail_text_add (struct buf *out, const char *text);

/* The transfer encoding that makes text shorter, in MIME's words. */
const char *mail_text_encoding (const char *text, size_t len);

/* Add a header's value on one or more (folded) lines, line ends as CRLF.
 * -1 if a line end is not followed by a space or tab and more text: that
 * would be the next header. */
int mail_text_add_header (struct buf *out, const char *value);

#endif
