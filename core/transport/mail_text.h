/* mail_text.h - text as it may go into a mail.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_MAIL_TEXT_H
#define HERALD_MAIL_TEXT_H

#include "base/buf.h"

/* The transfer encodings, with the words of RFC 2045, section 6. */
enum mail_encoding { MAIL_7BIT, MAIL_QUOTED, MAIL_BASE64 };
extern const char *const mail_encoding_names[];

/* 7bit where the text can go as it stands (printable ASCII in lines of at
 * most 998), else whichever makes it shorter. */
enum mail_encoding mail_text_encoding (const char *text);

/* Add text in that encoding, every line end as CRLF: a lone CR or LF is
 * where servers disagree about the end of a message (SMTP smuggling).
 * Encoded lines have 76 columns at most. */
void mail_text_add (struct buf *out, const char *text,
                    enum mail_encoding encoding);

/* Add a header's value on one or more (folded) lines, line ends as CRLF.
 * -1 if a line end is not followed by a space or tab and more text: that
 * would be the next header. */
int mail_text_add_header (struct buf *out, const char *value);

#endif
