/* message.h - a herald_mail as an Internet message: envelope and headers.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_MESSAGE_H
#define HERALD_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "herald-plugin.h"

struct message_header {
  const char *name;
  const char *value;            /* encoded and folded */
};

struct message {
  const char *from;             /* envelope sender */
  const char **to;              /* the participant, then bcc */
  size_t n_to;
  struct message_header *headers;       /* From To Reply-To Subject Date
                                   Message-ID and the mail's own; never Bcc */
  size_t n_headers;
  const char *text, *html;
};

/* from: instead of the mail's own, or NULL.  The Message-ID is
 * <delivery id @ the sender's domain>, the same on every attempt. */
struct message *message_new (struct arena *arena,
                             const struct herald_mail *mail,
                             const struct herald_mailbox *from,
                             const char *delivery_id, int64_t now_ms);

#endif
