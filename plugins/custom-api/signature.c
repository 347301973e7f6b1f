/* signature.c - requests signed as Standard Webhooks says.
 *
 * SPDX-License-Identifier: MIT
 */

#include "signature.h"

#include <string.h>

/* Bytes of a key, by the specification. */
enum { SIGNATURE_LEAST_KEY = 24, SIGNATURE_MOST_KEY = 64 };

struct signature_key {
  const unsigned char *bytes;
  size_t len;
};

void
signature_read (struct signature *signature,
                const struct herald_settings *settings)
{
  static const char prefix[] = "whsec_";
  const size_t skip = sizeof prefix - 1;
  size_t n = 0;

  while (herald->text_at (settings, "signing-secret", n) != NULL)
    n++;
  signature->n_keys = n;
  signature->keys = herald->alloc (n * sizeof *signature->keys);
  for (size_t k = 0; k < n; k++) {
    const char *secret = herald->text_at (settings, "signing-secret", k);
    struct signature_key *key = &signature->keys[k];

    if (strncmp (secret, prefix, skip) == 0)
      key->bytes = herald->base64_decode (secret + skip, &key->len);
    if (key->len < SIGNATURE_LEAST_KEY || key->len > SIGNATURE_MOST_KEY)
      herald->complain (settings, "signing-secret",
                        "must be whsec_ and %d to %d bytes in base64; to make "
                        "one: echo whsec_$(openssl rand -base64 32)",
                        SIGNATURE_LEAST_KEY, SIGNATURE_MOST_KEY);
  }
}

/* Each key signs "id.timestamp.body". */
void
signature_add (const struct signature *signature,
               struct herald_request *request, const char *id)
{
  const char *timestamp, *text, *signatures = "";
  unsigned char mac[32];

  if (signature->n_keys == 0)
    return;
  timestamp = herald->format ("%lld", (long long) herald->now_ms () / 1000);
  text = herald->format ("%s.%s.%s", id, timestamp,
                         herald->body_text (request, NULL));
  for (size_t k = 0; k < signature->n_keys; k++) {
    herald->hmac_sha256 (signature->keys[k].bytes, signature->keys[k].len, text,
                         strlen (text), mac);
    signatures = herald->format ("%s%sv1,%s", signatures, k > 0 ? " " : "",
                                 herald->base64 (mac, sizeof mac));
  }
  herald->header (request, "webhook-id", id);
  herald->header (request, "webhook-timestamp", timestamp);
  herald->header (request, "webhook-signature", signatures);
}
