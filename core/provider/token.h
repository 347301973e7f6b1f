/* token.h - a short-lived credential, one an integration.
 *
 * The plugin's .token gets it, the core keeps it, renews it early and
 * wipes it; a reply to an older token drops nothing.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_TOKEN_H
#define HERALD_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

/* Of so many older ones a late reply may still speak. */
enum { TOKEN_RETIRED = 4 };

struct token {                  /* { 0 } at first */
  char *value;                  /* NULL: none */
  char *base_url;               /* NULL: none given */
  int64_t expires_ms;           /* 0: until refused */
  int64_t renew_ms;             /* when to get another; 0: when refused */
  uint32_t generation;          /* of value; counts up */
  char *retired[TOKEN_RETIRED]; /* masked still; the latest first */
};

/* There is one and a tenth of its lifetime (at most 60 s) is left. */
bool token_is_fresh (const struct token *token, int64_t now_ms);
/* The strings are copied, and value is registered as a secret, which it
 * stays until some later ones are older as well. */
void token_set (struct token *token, const char *value,
                const char *base_url, int64_t lifetime_ms, int64_t now_ms);
/* Drop it if it is still that generation. */
void token_refuse (struct token *token, uint32_t generation);
void token_done (struct token *token);

#endif
