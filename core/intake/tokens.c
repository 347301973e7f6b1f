/* tokens.c - the tokens file: who may put events in over TCP.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/redact.h"
#include "base/trust.h"

enum { TOKENS_MAX_FILE = 1 << 20 };

struct token {
  struct caller *caller;
  char *text;                   /* for redact_drop () only */
  unsigned char hash[CRYPTO_SHA256_LEN];
};

struct tokens {
  size_t n;
  struct token *all;
};

struct tokens_line {            /* its three words */
  const char *at[3];
  size_t len[3];
};

/* The words of a line; how many there are, 4 for more than three. */
static size_t
tokens_split (const char *line, size_t len, struct tokens_line *words)
{
  const char *at = line, *end = line + len;
  size_t n = 0;

  for (;;) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r'))
      at++;
    if (at == end)
      return n;
    if (n == 3)
      return 4;
    words->at[n] = at;
    while (at < end && *at != ' ' && *at != '\t' && *at != '\r')
      at++;
    words->len[n] = (size_t) (at - words->at[n]);
    n++;
  }
}

/* RFC 6750, 2.1: b64token. */
static bool
tokens_is_token (const char *text, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    char c = text[i];

    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
          || (c >= '0' && c <= '9')
          || (c != '\0' && strchr ("-._~+/=", c) != NULL)))
      return false;
  }
  return len > 0;
}

static const char *
tokens_fault (const struct tokens *tokens, const struct tokens_line *words,
              const unsigned char *hash)
{
  for (size_t i = 0; i < tokens->n; i++) {
    const char *name = tokens->all[i].caller->name;

    if (strlen (name) == words->len[0]
        && memcmp (name, words->at[0], words->len[0]) == 0)
      return "the name was given before";
    if (memcmp (tokens->all[i].hash, hash, CRYPTO_SHA256_LEN) == 0)
      return "the token was given before";
  }
  if (words->len[0] > 64)
    return "the name is longer than 64 characters";
  if (words->len[1] < TOKENS_MIN_LEN)
    return "the token is shorter than 16 characters; make one with "
           "\"openssl rand -hex 32\"";
  if (words->len[1] > TOKENS_MAX_LEN)
    return "the token is longer than 512 characters";
  if (!tokens_is_token (words->at[1], words->len[1]))
    return "the token has other characters than letters, digits and "
           "-._~+/=";
  return tokens->n == TOKENS_MAX ? "there are more than 1000 tokens" : NULL;
}

static const char *
tokens_add_workspaces (struct caller *caller, const char *text, size_t len)
{
  const char *end = text + len;

  for (;;) {
    const char *comma = memchr (text, ',', (size_t) (end - text));
    size_t n = (size_t) ((comma != NULL ? comma : end) - text);

    if (n == 0)
      return "a workspace is missing beside a comma";
    caller_add (caller, text, n);
    if (comma == NULL)
      return caller->all_workspaces && caller->n_workspaces > 0
               ? "* stands beside workspaces: give one or the other" : NULL;
    text = comma + 1;
  }
}

/* One line; what is wrong with it, or NULL. */
static const char *
tokens_take (struct tokens *tokens, const char *line, size_t len)
{
  struct tokens_line words;
  size_t n = tokens_split (line, len, &words);
  unsigned char hash[CRYPTO_SHA256_LEN];
  const char *fault;
  struct token *token;
  char *name;

  if (n == 0 || words.at[0][0] == '#')
    return NULL;
  if (n != 3)
    return "it is not NAME TOKEN WORKSPACES, with blanks between";
  crypto_sha256 (words.at[1], words.len[1], hash);
  fault = tokens_fault (tokens, &words, hash);
  if (fault != NULL)
    return fault;
  redact_secret (words.at[1], words.len[1]);
  tokens->all = memory_resize (tokens->all, tokens->n + 1,
                               sizeof tokens->all[0]);
  token = &tokens->all[tokens->n++];
  token->text = memory_strndup (words.at[1], words.len[1]);
  name = memory_strndup (words.at[0], words.len[0]);
  token->caller = caller_new (name);
  free (name);
  memcpy (token->hash, hash, sizeof hash);
  return tokens_add_workspaces (token->caller, words.at[2], words.len[2]);
}

struct tokens *
tokens_read (const char *path, char *ret_reason, size_t size)
{
  struct tokens *tokens;
  size_t len, line = 0;
  char *text = trust_read (path, TRUST_PRIVATE, TOKENS_MAX_FILE, &len,
                           ret_reason, size);
  const char *fault = NULL;

  if (text == NULL)
    return NULL;
  tokens = memory_zeroed (1, sizeof *tokens);
  for (size_t at = 0; at < len && fault == NULL;) {
    const char *end = memchr (text + at, '\n', len - at);
    size_t n = (end != NULL ? (size_t) (end - text) : len) - at;

    line++;
    fault = tokens_take (tokens, text + at, n);
    at += n + 1;
  }
  memory_wipe (text, len);
  free (text);
  if (fault == NULL)
    return tokens;
  snprintf (ret_reason, size, "line %zu: %s", line, fault);
  tokens_free (tokens);
  return NULL;
}

void
tokens_free (struct tokens *tokens)
{
  if (tokens == NULL)
    return;
  for (size_t i = 0; i < tokens->n; i++) {
    struct token *token = &tokens->all[i];

    caller_release (token->caller);
    redact_drop (token->text, strlen (token->text));
    memory_wipe (token->text, strlen (token->text));
    free (token->text);
  }
  free (tokens->all);
  free (tokens);
}

struct caller *
tokens_find (const struct tokens *tokens, const char *token, size_t len)
{
  unsigned char hash[CRYPTO_SHA256_LEN];
  struct caller *found = NULL;

  if (len < TOKENS_MIN_LEN || len > TOKENS_MAX_LEN)
    return NULL;
  crypto_sha256 (token, len, hash);
  for (size_t i = 0; i < tokens->n; i++)
    if (crypto_equal (tokens->all[i].hash, hash, sizeof hash))
      found = tokens->all[i].caller;
  return found;
}

const struct caller *
tokens_at (const struct tokens *tokens, size_t k)
{
  return k < tokens->n ? tokens->all[k].caller : NULL;
}
