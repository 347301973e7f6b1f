/* crypto.h - digests, encodings, identifiers (only here: openssl).
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CRYPTO_H
#define HERALD_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum { CRYPTO_SHA256_LEN = 32, CRYPTO_UUID_LEN = 36 };

void crypto_sha256 (const void *data, size_t len,
                    unsigned char ret_hash[CRYPTO_SHA256_LEN]);
void crypto_hmac_sha256 (const void *key, size_t key_len,
                         const void *data, size_t len,
                         unsigned char ret_mac[CRYPTO_SHA256_LEN]);
/* From the system's generator; ends the process if there is none. */
void crypto_random (void *ret_bytes, size_t len);

void crypto_add_hex (struct buf *out, const void *data, size_t len);
void crypto_add_base64 (struct buf *out, const void *data, size_t len);
/* Standard or URL alphabet, padding optional, nothing else allowed.
 * Adds the bytes to out; -1 if text is not base64. */
int crypto_add_unbase64 (struct buf *out, const char *text, size_t len);

/* A UUID (version 8, RFC 9562) that is always the same for the same
 * bytes; and a random one (version 4).  Both write 36 characters and a
 * NUL. */
void crypto_uuid_of (const void *data, size_t len,
                     char ret_uuid[CRYPTO_UUID_LEN + 1]);
void crypto_uuid_random (char ret_uuid[CRYPTO_UUID_LEN + 1]);

/* In constant time for equal lengths. */
bool crypto_equal (const void *a, const void *b, size_t len);

#endif
