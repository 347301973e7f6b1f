/* redact.h - keep secrets and participants' data out of every message.
 *
 * Secrets are registered as they are read; from then on each text that
 * goes to a log, a terminal or an error passes through here.  All of it on
 * one thread of a process.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_REDACT_H
#define HERALD_REDACT_H

#include <stddef.h>

#include "buf.h"

/* Mask value, and its base64, URL and JSON spellings, from now on.  The
 * value is copied (and wiped when it is forgotten).  Values of fewer than
 * 4 bytes are masked only where they stand as a whole word. */
void redact_secret (const char *value, size_t len);
/* Takes one redact_secret () of that value back: it is masked as long as
 * somebody else still needs it to be. */
void redact_drop (const char *value, size_t len);
void redact_forget_all (void);

/* Add text to out with secrets as "***", e-mail addresses as "*@domain",
 * control characters as spaces, invalid UTF-8 as "?", and not more than
 * max_chars characters (0: no limit). */
void redact_add (struct buf *out, const char *text, size_t len,
                 size_t max_chars);

/* Only the secrets: for explain, which shows bodies on request. */
void redact_add_secrets_only (struct buf *out, const char *text, size_t len);

#endif
