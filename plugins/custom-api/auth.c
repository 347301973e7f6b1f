/* auth.c - how an endpoint recognises herald.
 *
 * SPDX-License-Identifier: MIT
 */

#include "auth.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* In the order of the choices. */
enum { AUTH_NONE, AUTH_API_KEY, AUTH_BEARER, AUTH_BASIC, AUTH_HEADER };

const struct herald_choice auth_choices[] = {
  { "none", "None" },
  { "api-key", "API Key" },
  { "bearer", "Bearer Token" },
  { "basic", "Basic Authentication" },
  { "header", "Custom Header" },
  { NULL, NULL }
};

/* False of those, too, that herald sets itself. */
static bool
auth_is_header_name (const char *name)
{
  /* A token of RFC 9110, section 5.6.2. */
  static const char letters[]
    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "!#$%&'*+-.^_`|~";
  static const char *const reserved[] = {
    "Connection", "Content-Length", "Content-Type", "Expect", "Host",
    "Idempotency-Key", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding",
    "Upgrade", "webhook-id", "webhook-signature", "webhook-timestamp"
  };

  for (size_t k = 0; k < HERALD_COUNT (reserved); k++)
    if (strcasecmp (name, reserved[k]) == 0)
      return false;
  return name[strspn (name, letters)] == '\0';
}

void
auth_read (struct auth *auth, const struct herald_settings *settings)
{
  const char *key = herald->text (settings, "api-key");

  switch (herald->number (settings, "auth")) {
  case AUTH_API_KEY:
    auth->name = "X-API-KEY";
    auth->value = key;
    break;
  case AUTH_BEARER:
    auth->name = "Authorization";
    auth->value = herald->format ("Bearer %s", key);
    break;
  case AUTH_BASIC:
    if (strchr (key, ':') == NULL)
      herald->complain (settings, "api-key",
                        "must read username:password, as \"auth\" is "
                        "\"basic\"");
    auth->name = "Authorization";
    auth->value
      = herald->format ("Basic %s", herald->base64 (key, strlen (key)));
    break;
  case AUTH_HEADER:
    auth->name = herald->text (settings, "header-name");
    auth->value = key;
    if (!auth_is_header_name (auth->name))
      herald->complain (settings, "header-name",
                        "must be the name of a header (letters, digits and -) "
                        "that herald does not set itself");
    break;
  }
}
