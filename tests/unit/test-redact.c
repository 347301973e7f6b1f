/* test-redact.c - base/redact lets no secret and no participant through.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/redact.h"
#include "base/text.h"

static int
forget (void **state)
{
  (void) state;
  redact_forget_all ();
  return 0;
}

static void
hide (const char *secret)
{
  redact_secret (secret, strlen (secret));
}

static void
assert_shows_len (const char *text, size_t len, size_t max_chars,
                  const char *expected)
{
  struct buf out = BUF_INIT (0);

  redact_add (&out, text, len, max_chars);
  assert_string_equal (out.data, expected);
  assert_int_equal (out.len, strlen (expected));
  buf_done (&out);
}

static void
assert_shows (const char *text, const char *expected)
{
  assert_shows_len (text, strlen (text), 0, expected);
}

static void
test_without_secrets (void **state)
{
  (void) state;
  assert_shows ("", "");
  assert_shows ("plain text, caf\xc3\xa9", "plain text, caf\xc3\xa9");
  redact_secret ("", 0);
  assert_shows ("plain", "plain");
}

static void
test_raw (void **state)
{
  (void) state;
  hide ("s3cr3t-value");
  assert_shows ("s3cr3t-value", "***");
  assert_shows ("key=s3cr3t-value!", "key=***!");
  assert_shows ("s3cr3t-values3cr3t-value", "******");
  assert_shows ("s3cr3t-value s3cr3t-value", "*** ***");
  assert_shows ("s3cr3t-valu", "s3cr3t-valu");
  assert_shows ("ss3cr3t-value", "s***");
  redact_forget_all ();
  assert_shows ("s3cr3t-value", "s3cr3t-value");
}

static void
test_spellings (void **state)
{
  static const char secret[] = "a b/c\"d\xc3\xa9?>~";
  struct buf out = BUF_INIT (0);
  char *end;

  (void) state;
  redact_secret (secret, sizeof secret - 1);
  crypto_add_base64 (&out, secret, sizeof secret - 1);
  assert_shows (out.data, "***");
  end = strchr (out.data, '=');
  if (end != NULL)
    *end = '\0';
  assert_shows (out.data, "***");
  for (char *c = out.data; *c != '\0'; c++)
    *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
  assert_shows (out.data, "***");
  buf_clear (&out);
  text_add_url (&out, secret, sizeof secret - 1);
  assert_shows (out.data, "***");
  assert_shows ("a%20b%2fc%22d%c3%a9%3f%3e~", "***");
  assert_shows ("a+b%2Fc%22d%C3%A9%3F%3E~", "***");
  buf_clear (&out);
  text_add_json (&out, secret, sizeof secret - 1);
  assert_shows (out.data, "\"***\"");
  assert_shows ("{\"k\":\"a b\\/c\\\"d\xc3\xa9?>~\"}", "{\"k\":\"***\"}");
  buf_done (&out);
}

static void
test_longest_and_overlapping (void **state)
{
  (void) state;
  hide ("abcd");
  hide ("abcdefgh");
  hide ("fghijklm");
  assert_shows ("abcdefgh.", "***.");
  assert_shows ("abcde", "***e");
  /* The tail of the second must not show. */
  assert_shows ("xabcdefghijklmx", "x***x");
  assert_shows ("abcdabcd", "******");
}

static void
test_short_secrets_are_words (void **state)
{
  (void) state;
  hide ("key");
  assert_shows ("key", "***");
  assert_shows ("monkey keys key_ key", "monkey keys key_ ***");
  assert_shows ("(key)=key", "(***)=***");
  hide ("x");
  assert_shows ("x xx ax x.", "*** xx ax ***.");
}

static void
test_secret_with_newline (void **state)
{
  (void) state;
  hide ("-----BEGIN\nABC\n");
  assert_shows ("at -----BEGIN\nABC\n.", "at ***.");
  assert_shows ("\"-----BEGIN\\nABC\\n\"", "\"***\"");
}

static void
test_secrets_only (void **state)
{
  struct buf out = BUF_INIT (0);

  (void) state;
  hide ("s3cr3t");
  redact_add_secrets_only (&out, "a@b.c\ns3cr3t\xff", 13);
  assert_string_equal (out.data, "a@b.c\n***\xff");
  buf_done (&out);
}

static void
test_addresses (void **state)
{
  (void) state;
  assert_shows ("ann@example.org", "*@example.org");
  assert_shows ("to ann.smith+x@example.org, twice",
                "to *@example.org, twice");
  assert_shows ("<ann@example.org>", "<*@example.org>");
  assert_shows ("a@b.c,d@e.f", "*@b.c,*@e.f");
  assert_shows ("to=ann@example.org", "to=*@example.org");
  assert_shows ("\"email\":\"ann@example.org\"",
                "\"email\":\"*@example.org\"");
  assert_shows ("?email=ann%40example.org&x=1",
                "?email=*%40example.org&x=1");
  assert_shows ("j\xc3\xb6rg@example.org", "*@example.org");
  assert_shows ("\"ann smith\"@example.org", "*@example.org");
  assert_shows ("\"a\\\"b\"@example.org", "*@example.org");
  assert_shows ("ann@[192.0.2.1]", "*@[192.0.2.1]");
  assert_shows ("o'brien@example.org", "*@example.org");
  assert_shows ("ann@m\xc3\xbcller.example", "*@m\xc3\xbcller.example");
  assert_shows ("@", "@");
  assert_shows ("ann@", "ann@");
  assert_shows ("@home", "@home");
  assert_shows ("a @ b", "a @ b");
  assert_shows ("\"", "\"");
  assert_shows ("\"quoted\" text", "\"quoted\" text");
  assert_shows ("a@b@c", "*@*@c");
}

static void
test_clean (void **state)
{
  (void) state;
  assert_shows ("a\nb\tc\x1b[0m\x7f", "a b c [0m ");
  assert_shows_len ("a\0b", 3, 0, "a b");
  assert_shows ("a\xc2\x85" "b", "a b");
  assert_shows ("a\xff\xe2\x82", "a???");
  assert_shows ("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
}

static void
test_clipped (void **state)
{
  (void) state;
  hide ("s3cr3t-value");
  assert_shows_len ("abcdef", 6, 3, "abc");
  assert_shows_len ("abc", 3, 3, "abc");
  assert_shows_len ("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 9, 2,
                    "\xe2\x82\xac\xe2\x82\xac");
  /* The limit counts what is written, and shows no half of a secret or of
   * an address. */
  assert_shows_len ("xs3cr3t-value", 13, 3, "x**");
  assert_shows_len ("annabella@example.org", 21, 4, "*@ex");
  assert_shows_len ("a\n\xff" "d", 4, 3, "a ?");
}

static void
drop (const char *secret)
{
  redact_drop (secret, strlen (secret));
}

static void
test_drop (void **state)
{
  struct buf out = BUF_INIT (0);

  (void) state;
  hide ("a b/c?>~");
  hide ("a b/c?>~");
  hide ("a b/other");
  drop ("a b/c?>~");
  assert_shows ("a b/c?>~ a b/other", "*** ***");
  drop ("a b/c?>~");
  assert_shows ("a b/c?>~ a b/other", "a b/c?>~ ***");
  /* Nor any spelling of it. */
  crypto_add_base64 (&out, "a b/c?>~", 8);
  assert_shows (out.data, out.data);
  assert_shows ("a%20b%2Fc%3F%3E~ a+b%2Fc%3F%3E~ a%20b%2fc%3f%3e~",
                "a%20b%2Fc%3F%3E~ a+b%2Fc%3F%3E~ a%20b%2fc%3f%3e~");
  assert_shows ("a b\\/c?>~", "a b\\/c?>~");
  /* What is not there, or not any more, takes nothing away. */
  drop ("a b/c?>~");
  drop ("never");
  drop ("");
  assert_shows ("a b/other", "***");
  drop ("a b/other");
  assert_shows ("a b/other", "a b/other");
  buf_done (&out);
}

/* "key" as a whole word, and "a2V5", its base64, anywhere. */
static void
test_drop_words (void **state)
{
  (void) state;
  hide ("key");
  hide ("a2V5");
  assert_shows ("xa2V5x", "x***x");
  drop ("a2V5");
  assert_shows ("xa2V5x a2V5 key", "xa2V5x *** ***");
  hide ("a2V5");
  drop ("key");
  assert_shows ("xa2V5x a2V5 key", "x***x *** key");
  drop ("a2V5");
  assert_shows ("xa2V5x a2V5 key", "xa2V5x a2V5 key");
}

/* However secrets are put beside each other, none shows. */
static void
test_many (void **state)
{
  struct buf text = BUF_INIT (0), out = BUF_INIT (0);
  char secret[32];

  (void) state;
  for (int i = 0; i < 300; i++) {
    snprintf (secret, sizeof secret, "%c%d-token-%d", 'a' + i % 26, i,
              i * 7919);
    hide (secret);
    buf_add_text (&text, secret);
    crypto_add_base64 (&text, secret, strlen (secret));
  }
  redact_add (&out, text.data, text.len, 0);
  assert_true (out.len >= 3);
  assert_int_equal (strspn (out.data, "*"), out.len);
  for (int i = 0; i < 300; i++) {
    snprintf (secret, sizeof secret, "%c%d-token-%d", 'a' + i % 26, i,
              i * 7919);
    drop (secret);
  }
  buf_clear (&out);
  redact_add (&out, text.data, text.len, 0);
  assert_string_equal (out.data, text.data);
  buf_done (&text);
  buf_done (&out);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_without_secrets, forget, forget),
    cmocka_unit_test_setup_teardown (test_raw, forget, forget),
    cmocka_unit_test_setup_teardown (test_spellings, forget, forget),
    cmocka_unit_test_setup_teardown (test_longest_and_overlapping, forget,
                                     forget),
    cmocka_unit_test_setup_teardown (test_short_secrets_are_words, forget,
                                     forget),
    cmocka_unit_test_setup_teardown (test_secret_with_newline, forget,
                                     forget),
    cmocka_unit_test_setup_teardown (test_secrets_only, forget, forget),
    cmocka_unit_test_setup_teardown (test_addresses, forget, forget),
    cmocka_unit_test_setup_teardown (test_clean, forget, forget),
    cmocka_unit_test_setup_teardown (test_clipped, forget, forget),
    cmocka_unit_test_setup_teardown (test_drop, forget, forget),
    cmocka_unit_test_setup_teardown (test_drop_words, forget, forget),
    cmocka_unit_test_setup_teardown (test_many, forget, forget),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
