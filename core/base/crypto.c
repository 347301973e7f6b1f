/* crypto.c - digests, encodings, identifiers (only here: openssl).
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/crypto.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { BLOCK_LEN = 64 };        /* of SHA-256 */

/* Without SHA-256 or random bytes no promise can be kept. */
static void
crypto_broken (const char *what)
{
  ssize_t written = write (STDERR_FILENO, what, strlen (what));

  (void) written;
  _exit (71);
}

/* Fetching the algorithm costs more than digesting an event, so it is
 * done once, and a thread uses its context again. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static pthread_key_t sha256_contexts;   /* frees those of threads that end */

static void
sha256_free (void *context)
{
  EVP_MD_CTX_free (context);
}

static void
sha256_fetch (void)
{
  sha256 = EVP_MD_fetch (NULL, "SHA256", NULL);
  if (pthread_key_create (&sha256_contexts, sha256_free) != 0)
    crypto_broken ("herald: no thread can keep anything\n");
}

static EVP_MD_CTX *
sha256_start (void)
{
  static _Thread_local EVP_MD_CTX *context;

  if (context == NULL) {
    pthread_once (&sha256_once, sha256_fetch);
    context = EVP_MD_CTX_new ();
    pthread_setspecific (sha256_contexts, context);
  }
  if (sha256 == NULL || context == NULL
      || EVP_DigestInit_ex2 (context, sha256, NULL) != 1)
    crypto_broken ("herald: libcrypto has no SHA-256\n");
  return context;
}

static void
sha256_of_two (const void *a, size_t a_len, const void *b, size_t b_len,
               unsigned char *ret_hash)
{
  EVP_MD_CTX *context = sha256_start ();

  if (EVP_DigestUpdate (context, a, a_len) != 1
      || EVP_DigestUpdate (context, b, b_len) != 1
      || EVP_DigestFinal_ex (context, ret_hash, NULL) != 1)
    crypto_broken ("herald: libcrypto cannot digest\n");
}

void
crypto_sha256 (const void *data, size_t len,
               unsigned char ret_hash[CRYPTO_SHA256_LEN])
{
  sha256_of_two (data, len, "", 0, ret_hash);
}

/* RFC 2104 by hand: an EVP_MAC context costs several times the two
 * digests. */
void
crypto_hmac_sha256 (const void *key, size_t key_len, const void *data,
                    size_t len, unsigned char ret_mac[CRYPTO_SHA256_LEN])
{
  unsigned char pad[BLOCK_LEN] = { 0 }, inner[CRYPTO_SHA256_LEN];

  if (key_len > BLOCK_LEN)
    crypto_sha256 (key, key_len, pad);
  else if (key_len > 0)
    memcpy (pad, key, key_len);
  for (size_t i = 0; i < BLOCK_LEN; i++)
    pad[i] ^= 0x36;
  sha256_of_two (pad, BLOCK_LEN, data, len, inner);
  for (size_t i = 0; i < BLOCK_LEN; i++)
    pad[i] ^= 0x36 ^ 0x5c;
  sha256_of_two (pad, BLOCK_LEN, inner, sizeof inner, ret_mac);
  memory_wipe (pad, sizeof pad);
}

void
crypto_random (void *ret_bytes, size_t len)
{
  unsigned char *bytes = ret_bytes;

  while (len > 0) {
    size_t part = len < 256 ? len : 256;      /* getentropy's most */

    if (getentropy (bytes, part) != 0)
      crypto_broken ("herald: the system gives no random bytes\n");
    bytes += part;
    len -= part;
  }
}

static void
write_hex (const unsigned char *bytes, size_t len, char *ret_text)
{
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < len; i++) {
    ret_text[2 * i] = digits[bytes[i] >> 4];
    ret_text[2 * i + 1] = digits[bytes[i] & 15];
  }
}

void
crypto_add_hex (struct buf *out, const void *data, size_t len)
{
  char *end;

  if (len > SIZE_MAX / 4)
    memory_exhausted ();
  end = buf_reserve (out, len * 2);
  if (end == NULL)
    return;
  write_hex (data, len, end);
  end[len * 2] = '\0';
  out->len += len * 2;
}

static const char base64_digits[]
  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
crypto_add_base64 (struct buf *out, const void *data, size_t len)
{
  const unsigned char *in = data;
  char *end;

  if (len > SIZE_MAX / 2)
    memory_exhausted ();
  end = buf_reserve (out, (len + 2) / 3 * 4);
  if (end == NULL)
    return;
  out->len += (len + 2) / 3 * 4;
  for (; len > 0; end += 4) {
    size_t n = len < 3 ? len : 3;
    unsigned bits = (unsigned) in[0] << 16;

    if (n > 1)
      bits |= (unsigned) in[1] << 8;
    if (n > 2)
      bits |= in[2];
    end[0] = base64_digits[bits >> 18];
    end[1] = base64_digits[bits >> 12 & 63];
    end[2] = n > 1 ? base64_digits[bits >> 6 & 63] : '=';
    end[3] = n > 2 ? base64_digits[bits & 63] : '=';
    in += n;
    len -= n;
  }
  *end = '\0';
}

/* -1 for what is no digit of either alphabet. */
static int
base64_value (char c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  if (c == '+' || c == '-')
    return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

/* len without the padding, or SIZE_MAX if that is wrong. */
static size_t
without_padding (const char *text, size_t len)
{
  size_t padding = 0;

  while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
    padding++;
  if (padding > 0 && len % 4 != 0)
    return SIZE_MAX;
  len -= padding;
  return len % 4 == 1 ? SIZE_MAX : len;
}

int
crypto_add_unbase64 (struct buf *out, const char *text, size_t len)
{
  unsigned bits = 0, n_bits = 0;
  size_t n = 0;
  char *end;

  len = without_padding (text, len);
  if (len == SIZE_MAX)
    return -1;
  /* Looked over first, so that out is untouched if it is wrong. */
  for (size_t i = 0; i < len; i++)
    if (base64_value (text[i]) < 0)
      return -1;
  if (memchr (text, '+', len) != NULL || memchr (text, '/', len) != NULL)
    if (memchr (text, '-', len) != NULL || memchr (text, '_', len) != NULL)
      return -1;
  /* Bits left over are zero, or the text is not what anyone encoded. */
  if (len % 4 != 0 && (base64_value (text[len - 1])
                       & (len % 4 == 2 ? 15 : 3)) != 0)
    return -1;
  end = buf_reserve (out, len / 4 * 3 + len % 4);
  if (end == NULL)
    return 0;
  for (size_t i = 0; i < len; i++) {
    bits = (bits << 6 | (unsigned) base64_value (text[i])) & 0xffffff;
    n_bits += 6;
    if (n_bits >= 8) {
      n_bits -= 8;
      end[n++] = (char) (bits >> n_bits & 0xff);
    }
  }
  end[n] = '\0';
  out->len += n;
  return 0;
}

static void
write_uuid (unsigned char bytes[16], unsigned version,
            char ret_uuid[CRYPTO_UUID_LEN + 1])
{
  static const struct { unsigned char from, to, at; } groups[] = {
    { 0, 4, 0 }, { 4, 6, 9 }, { 6, 8, 14 }, { 8, 10, 19 }, { 10, 16, 24 }
  };

  /* RFC 9562, section 4: version and variant. */
  bytes[6] = (unsigned char) (version << 4 | (bytes[6] & 0x0f));
  bytes[8] = (unsigned char) (0x80 | (bytes[8] & 0x3f));
  memset (ret_uuid, '-', CRYPTO_UUID_LEN);
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
    write_hex (bytes + groups[i].from,
               (size_t) (groups[i].to - groups[i].from),
               ret_uuid + groups[i].at);
  ret_uuid[CRYPTO_UUID_LEN] = '\0';
}

void
crypto_uuid_of (const void *data, size_t len,
                char ret_uuid[CRYPTO_UUID_LEN + 1])
{
  unsigned char hash[CRYPTO_SHA256_LEN];

  crypto_sha256 (data, len, hash);
  write_uuid (hash, 8, ret_uuid);
}

void
crypto_uuid_random (char ret_uuid[CRYPTO_UUID_LEN + 1])
{
  unsigned char bytes[16];

  crypto_random (bytes, sizeof bytes);
  write_uuid (bytes, 4, ret_uuid);
}

bool
crypto_equal (const void *a, const void *b, size_t len)
{
  return CRYPTO_memcmp (a, b, len) == 0;
}
