/* token.c - a short-lived credential, one an integration.
 *
 * SPDX-License-Identifier: MIT
 */

#include "token.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/redact.h"

enum { TOKEN_MAX_EARLY_MS = 60 * 1000 };

bool
token_is_fresh (const struct token *token, int64_t now_ms)
{
  if (token->value == NULL)
    return false;
  return token->expires_ms == 0 || now_ms < token->renew_ms;
}

static void
token_forget (char *value)
{
  if (value == NULL)
    return;
  redact_drop (value, strlen (value));
  memory_wipe (value, strlen (value));
  free (value);
}

/* It is not used any more, but what was sent with it may be on its way,
 * and the answer may quote it. */
static void
token_retire (struct token *token)
{
  if (token->value != NULL) {
    token_forget (token->retired[TOKEN_RETIRED - 1]);
    memmove (token->retired + 1, token->retired,
             (TOKEN_RETIRED - 1) * sizeof *token->retired);
    token->retired[0] = token->value;
  }
  free (token->base_url);
  token->value = NULL;
  token->base_url = NULL;
  token->expires_ms = 0;
  token->renew_ms = 0;
}

void
token_set (struct token *token, const char *value, const char *base_url,
           int64_t lifetime_ms, int64_t now_ms)
{
  int64_t early_ms = lifetime_ms / 10;

  if (early_ms > TOKEN_MAX_EARLY_MS)
    early_ms = TOKEN_MAX_EARLY_MS;

  token_retire (token);
  redact_secret (value, strlen (value));
  token->value = memory_strdup (value);
  token->base_url = base_url == NULL ? NULL : memory_strdup (base_url);
  token->generation++;
  /* A lifetime past the clock's end is none. */
  if (lifetime_ms > 0 && lifetime_ms < INT64_MAX - now_ms) {
    token->expires_ms = now_ms + lifetime_ms;
    token->renew_ms = token->expires_ms - early_ms;
  }
}

void
token_refuse (struct token *token, uint32_t generation)
{
  if (token->generation == generation)
    token_retire (token);
}

void
token_done (struct token *token)
{
  token_retire (token);
  for (size_t k = 0; k < TOKEN_RETIRED; k++) {
    token_forget (token->retired[k]);
    token->retired[k] = NULL;
  }
}
