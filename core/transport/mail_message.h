/* mail_message.h - a mail as it goes over the wire.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_MAIL_MESSAGE_H
#define HERALD_MAIL_MESSAGE_H

#include "base/buf.h"
#include "transport.h"

/* Add the mail's headers and its content (RFC 5322, RFC 2045): one part if
 * it has only a text or only HTML, else multipart/alternative.  Dots at
 * the beginning of lines are left to who sends it.  -1 if a header has a
 * line end where none may be; out has a part of the mail then. */
int mail_message_add (struct buf *out, const struct transport_mail *mail);

#endif
