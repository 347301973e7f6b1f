/* address.h - e-mail addresses and the headers that hold them
 * (only here: libidn2).
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_ADDRESS_H
#define HERALD_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* Check a mailbox (RFC 5321: dot-string or quoted local part, a domain
 * with at least one label, 64 and 254 bytes at most, no control
 * characters) and add it as it goes on the wire: the domain in lower
 * case and A-labels, the local part as it is (UTF-8 is kept; see
 * address_needs_smtputf8).  -1 with a static reason that does not quote
 * the address: "has a line break". */
int address_add (struct buf *out, const char *text, size_t len,
                 const char **ret_reason);
bool address_needs_smtputf8 (const char *address);

/* A header value: text as it is if ASCII, else RFC 2047 encoded words
 * (UTF-8, B or Q, whichever is shorter) folded at 76 columns; the first
 * line has used_columns of them already. */
void address_add_header_text (struct buf *out, const char *text,
                              size_t used_columns);
/* "Acme, Games" <a@b>, =?UTF-8?...?= <a@b>, or a@b without a name. */
void address_add_mailbox (struct buf *out, const char *name,
                          const char *address, size_t used_columns);

#endif
