/* test-token.c - a credential is kept while it is fresh.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/redact.h"
#include "provider/token.h"

enum { NOW = 1000000 };

static void
test_lifetime (void **state)
{
  struct token token = { 0 };

  (void) state;
  assert_false (token_is_fresh (&token, NOW));

  /* A tenth of 100 s is left at 90 s. */
  token_set (&token, "first-token", "https://eu.example", 100000, NOW);
  assert_true (token_is_fresh (&token, NOW));
  assert_true (token_is_fresh (&token, NOW + 89999));
  assert_false (token_is_fresh (&token, NOW + 90000));
  assert_string_equal (token.base_url, "https://eu.example");

  /* Of an hour 60 s. */
  token_set (&token, "second-token", NULL, 3600000, NOW);
  assert_true (token_is_fresh (&token, NOW + 3539999));
  assert_false (token_is_fresh (&token, NOW + 3540000));
  assert_null (token.base_url);

  token_set (&token, "third-token", NULL, 0, NOW);
  assert_true (token_is_fresh (&token, INT64_MAX));
  token_set (&token, "fourth-token", NULL, INT64_MAX, NOW);
  assert_true (token_is_fresh (&token, INT64_MAX));
  token_done (&token);
  assert_false (token_is_fresh (&token, NOW));
}

/* A late reply to an older token must not drop the new one. */
static void
test_generation (void **state)
{
  struct token token = { 0 };
  uint32_t first;

  (void) state;
  token_set (&token, "first-token", NULL, 0, NOW);
  first = token.generation;
  token_set (&token, "second-token", NULL, 0, NOW);
  assert_int_not_equal (token.generation, first);
  token_refuse (&token, first);
  assert_string_equal (token.value, "second-token");
  token_refuse (&token, token.generation);
  assert_null (token.value);
  token_done (&token);
}

static void
test_secret (void **state)
{
  struct token token = { 0 };
  struct buf line = BUF_INIT (0);
  const char *text = "refused: my-bearer-token is old";

  (void) state;
  token_set (&token, "my-bearer-token", NULL, 0, NOW);
  redact_add (&line, text, strlen (text), 0);
  assert_null (strstr (line.data, "my-bearer-token"));
  buf_done (&line);
  token_done (&token);
  redact_forget_all ();
}

static bool
is_masked (const char *text)
{
  struct buf out = BUF_INIT (0);
  bool is_masked;

  redact_add (&out, text, strlen (text), 0);
  is_masked = strcmp (out.data, "***") == 0;
  buf_done (&out);
  return is_masked;
}

/* A late answer may quote one of the last few; older ones are forgotten. */
static void
test_retired (void **state)
{
  struct token token = { 0 };
  char text[32];

  (void) state;
  for (int i = 0; i < 100; i++) {
    snprintf (text, sizeof text, "token-number-%d", i);
    token_set (&token, text, NULL, 0, NOW);
    for (int k = 0; k < 100; k++) {
      snprintf (text, sizeof text, "token-number-%d", k);
      assert_int_equal (is_masked (text), k <= i && k >= i - TOKEN_RETIRED);
    }
  }
  token_refuse (&token, token.generation);
  assert_null (token.value);
  assert_true (is_masked ("token-number-99"));
  assert_false (is_masked ("token-number-95"));
  token_done (&token);
  assert_false (is_masked ("token-number-99"));
  assert_false (is_masked ("token-number-96"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_lifetime),
    cmocka_unit_test (test_generation),
    cmocka_unit_test (test_secret),
    cmocka_unit_test (test_retired)
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
