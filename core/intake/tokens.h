/* tokens.h - the tokens file: who may put events in over TCP.
 *
 * A line is NAME TOKEN WORKSPACE[,WORKSPACE...], or * for all workspaces;
 * empty lines and lines that begin with # are passed over.  A token
 * shown is known by its SHA-256, which is compared with that of each in
 * constant time.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_TOKENS_H
#define HERALD_TOKENS_H

#include <stddef.h>

#include "caller.h"

enum { TOKENS_MIN_LEN = 16, TOKENS_MAX_LEN = 512, TOKENS_MAX = 1000 };

struct tokens;

/* NULL with a reason that names the line but no token.  The
 * tokens are masked in all that is logged (redact.h) until they are freed. */
struct tokens *tokens_read (const char *path, char *ret_reason, size_t size);
void tokens_free (struct tokens *tokens);       /* NULL is fine */

/* Whose token this is, or NULL. */
struct caller *tokens_find (const struct tokens *tokens, const char *token,
                            size_t len);
/* The k-th, NULL past the last. */
const struct caller *tokens_at (const struct tokens *tokens, size_t k);

#endif
