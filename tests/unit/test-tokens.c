/* test-tokens.c - who a token is, and which files are believed.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/redact.h"
#include "intake/tokens.h"

#define SHOP "shop-token-0123456789"
#define SITE "site.token_~+/0123456789=="

static char path[] = "/tmp/test-tokens.XXXXXX";

static int
setup (void **state)
{
  int fd = mkstemp (path);

  (void) state;
  if (fd < 0)
    return -1;
  close (fd);
  return 0;
}

static int
teardown (void **state)
{
  (void) state;
  return unlink (path);
}

static void
write_file (const char *text, mode_t mode)
{
  FILE *file = fopen (path, "w");

  assert_non_null (file);
  fputs (text, file);
  assert_int_equal (fclose (file), 0);
  assert_int_equal (chmod (path, mode), 0);
}

static struct tokens *
read_file (const char *text)
{
  char reason[400] = "";
  struct tokens *tokens;

  write_file (text, 0600);
  tokens = tokens_read (path, reason, sizeof reason);
  if (tokens == NULL)
    fail_msg ("%s", reason);
  return tokens;
}

static void
test_find (void **state)
{
  struct tokens *tokens = read_file (
    "# a comment " SHOP "\n\n  shop\t" SHOP "  acme\r\n"
    "site " SITE " acme,beta\nall every-token-0123456789 *");
  struct caller *shop, *site, *all;

  (void) state;
  shop = tokens_find (tokens, SHOP, strlen (SHOP));
  site = tokens_find (tokens, SITE, strlen (SITE));
  all = tokens_find (tokens, "every-token-0123456789", 22);
  assert_non_null (shop);
  assert_string_equal (shop->name, "shop");
  assert_true (caller_may (shop, "acme"));
  assert_false (caller_may (shop, "beta"));
  assert_false (caller_may (shop, "acm"));
  assert_false (caller_may (shop, "*"));
  assert_string_equal (caller_only (shop), "acme");
  assert_non_null (site);
  assert_true (caller_may (site, "beta"));
  assert_null (caller_only (site));
  assert_non_null (all);
  assert_true (caller_may (all, "anything"));
  assert_null (caller_only (all));
  assert_null (tokens_at (tokens, 3));
  assert_null (tokens_find (tokens, SHOP, strlen (SHOP) - 1));
  assert_null (tokens_find (tokens, SHOP "0", strlen (SHOP) + 1));
  assert_null (tokens_find (tokens, "", 0));
  assert_null (tokens_find (tokens, "shop", 4));
  tokens_free (tokens);
}

/* A caller lives as long as somebody holds it. */
static void
test_reload (void **state)
{
  struct tokens *tokens = read_file ("shop " SHOP " acme\n");
  struct caller *caller
    = caller_hold (tokens_find (tokens, SHOP, strlen (SHOP)));

  (void) state;
  tokens_free (tokens);
  assert_true (caller_may (caller, "acme"));
  caller_release (caller);
}

static void
test_refused (void **state)
{
  static const struct {
    const char *text, *why;
  } cases[] = {
    { "shop " SHOP "\n", "line 1: it is not NAME TOKEN WORKSPACES" },
    { "\nshop " SHOP " acme beta\n", "line 2: it is not" },
    { "shop 012345678901234 acme\n", "shorter than 16" },
    { "shop \"quoted-0123456789\" acme\n", "other characters" },
    { "a " SHOP " x\nb " SHOP " x\n", "line 2: the token was given before" },
    { "a " SHOP " x\na " SITE " x\n", "line 2: the name was given before" },
    { "a " SHOP " x,\n", "beside a comma" },
    { "a " SHOP " *,x\n", "* stands beside" },
  };

  (void) state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char reason[400] = "";

    write_file (cases[i].text, 0600);
    assert_null (tokens_read (path, reason, sizeof reason));
    if (strstr (reason, cases[i].why) == NULL)
      fail_msg ("%s: %s", cases[i].text, reason);
    assert_null (strstr (reason, SHOP));
  }
}

static void
test_trust (void **state)
{
  char reason[400] = "";

  (void) state;
  write_file ("shop " SHOP " acme\n", 0644);
  assert_null (tokens_read (path, reason, sizeof reason));
  assert_non_null (strstr (reason, "chmod"));
  assert_null (tokens_read ("/nowhere/tokens", reason, sizeof reason));
}

/* They are masked in the log as long as they are in use. */
static void
test_redaction (void **state)
{
  struct tokens *tokens = read_file ("shop " SHOP " acme\n");
  struct buf out = BUF_INIT (0);

  (void) state;
  redact_add (&out, "<" SHOP ">", strlen (SHOP) + 2, 0);
  assert_string_equal (out.data, "<***>");
  tokens_free (tokens);
  buf_clear (&out);
  redact_add (&out, "<" SHOP ">", strlen (SHOP) + 2, 0);
  assert_string_equal (out.data, "<" SHOP ">");
  buf_done (&out);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_find),
    cmocka_unit_test (test_reload),
    cmocka_unit_test (test_refused),
    cmocka_unit_test (test_trust),
    cmocka_unit_test (test_redaction),
  };

  return cmocka_run_group_tests (tests, setup, teardown);
}
