/* configuration_digest.c - has anything changed that matters?
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/memory.h"
#include "config/configuration.h"

enum { KEY_LEN = 32 };

/* A secret may be a word that can be guessed; so a digest, wherever it
 * gets to, tells nothing to who does not have this process's key. */
static const unsigned char *
own_key (void)
{
  static unsigned char key[KEY_LEN];
  static bool is_made;

  if (!is_made)
    crypto_random (key, sizeof key);
  is_made = true;
  return key;
}

/* What text holds is wiped. */
static void
finish (struct buf *text, unsigned char ret_digest[CRYPTO_SHA256_LEN])
{
  crypto_hmac_sha256 (own_key (), KEY_LEN, text->data, text->len,
                      ret_digest);
  memory_wipe (text->data, text->len);
  buf_done (text);
}

/* NULL is not "". */
static void
add_text (struct buf *out, const char *text)
{
  if (text == NULL)
    buf_add_text (out, "-\n");
  else
    buf_printf (out, "%zu:%s\n", strlen (text), text);
}

static void
add_defaults (struct buf *out, const struct herald_defaults *defaults)
{
  for (size_t k = 0; k < defaults->n_settings; k++) {
    const struct setting *setting = &defaults->settings[k];

    add_text (out, setting->name);
    add_text (out, setting->value);
    buf_printf (out, "%d %d\n", setting->is_inline, setting->is_private);
  }
}

void
configuration_digest (const struct configuration *configuration,
                      const struct descriptor *descriptor,
                      unsigned char ret_digest[CRYPTO_SHA256_LEN])
{
  const struct herald_xml *host = configuration->herald;
  const struct herald_defaults *defaults;
  struct buf text = BUF_INIT (0);

  buf_add (&text, descriptor->digest, sizeof descriptor->digest);
  for (size_t k = 0; k < catalogue_count (host->catalogue); k++) {
    add_text (&text, catalogue_at (host->catalogue, k)->key);
    add_text (&text, catalogue_at (host->catalogue, k)->label);
  }
  buf_printf (&text, "%d %lld %lld\n", host->allow_http,
              (long long) host->connect_ms, (long long) host->total_ms);
  defaults = configuration_defaults (configuration, descriptor->provider);
  if (defaults != NULL)
    add_defaults (&text, defaults);
  finish (&text, ret_digest);
}

void
configuration_host_digest (const struct configuration *configuration,
                           unsigned char ret_digest[CRYPTO_SHA256_LEN])
{
  const struct herald_xml *host = configuration->herald;
  struct buf text = BUF_INIT (0);

  for (size_t k = 0; k < host->n_allowed; k++)
    add_text (&text, host->allowed[k]);
  buf_printf (&text, "%d\n", host->allow_http);
  add_text (&text, host->proxy);
  add_text (&text, host->ca_file);
  buf_add (&text, host->ca_digest, sizeof host->ca_digest);
  buf_printf (&text, "%lld %lld %lld %lld\n", (long long) host->connect_ms,
              (long long) host->total_ms, (long long) host->max_event,
              (long long) host->max_reply);
  finish (&text, ret_digest);
}
