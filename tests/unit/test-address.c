/* test-address.c - base/address lets no address break a mail.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/address.h"

static void
assert_address (const char *text, const char *expected)
{
  struct buf out = BUF_INIT (0);
  const char *reason = "untouched";

  buf_add_text (&out, "<");
  if (address_add (&out, text, strlen (text), &reason) != 0)
    fail_msg ("%s: %s", text, reason);
  assert_string_equal (out.data + 1, expected);
  assert_string_equal (reason, "untouched");
  buf_done (&out);
}

static void
assert_refused_of (const char *text, size_t len, const char *expected)
{
  struct buf out = BUF_INIT (0);
  const char *reason = "";

  assert_int_equal (address_add (&out, text, len, &reason), -1);
  assert_string_equal (reason, expected);
  assert_int_equal (out.len, 0);
  buf_done (&out);
}

static void
assert_refused (const char *text, const char *expected)
{
  assert_refused_of (text, strlen (text), expected);
}

static void
test_good (void **state)
{
  (void) state;
  assert_address ("a@b.c", "a@b.c");
  assert_address ("Jane.Doe+tag@Example.COM", "Jane.Doe+tag@example.com");
  assert_address ("root@localhost", "root@localhost");
  assert_address ("!#$%&'*+-/=?^_`{|}~@x.y", "!#$%&'*+-/=?^_`{|}~@x.y");
  assert_address ("\"a b@c \\\" \\\\\"@x.y", "\"a b@c \\\" \\\\\"@x.y");
  assert_address ("a@x-1.y", "a@x-1.y");
  assert_address ("j\xc3\xb6rg@x.y", "j\xc3\xb6rg@x.y");
}

static void
test_idn (void **state)
{
  (void) state;
  assert_address ("a@b\xc3\xbc" "cher.example", "a@xn--bcher-kva.example");
  assert_address ("a@B\xc3\x9c" "CHER.Example", "a@xn--bcher-kva.example");
  assert_address ("a@\xe4\xbe\x8b\xe3\x81\x88.jp", "a@xn--r8jz45g.jp");
  assert_address ("a@fa\xc3\x9f.de", "a@xn--fa-hia.de");
  assert_address ("a@XN--bcher-kva.example", "a@xn--bcher-kva.example");
  /* A full-width @ and a zero-width joiner where none may be. */
  assert_refused ("a@b\xef\xbc\xa0" "c.d", "has a domain that can't exist");
  assert_refused ("a@\xe2\x80\x8d.d", "has a domain that can't exist");
  assert_refused ("a@b\xc3\xbc..d", "has a domain that can't exist");
}

static void
test_bytes (void **state)
{
  (void) state;
  assert_refused ("", "is empty");
  assert_refused ("a@b.c\r\nBcc: x@y.z", "has a line break");
  assert_refused ("a\n@b.c", "has a line break");
  assert_refused ("\"a\rb\"@b.c", "has a line break");
  assert_refused_of ("a@b.c\0d", 7, "has a control character");
  assert_refused ("a\t@b.c", "has a control character");
  assert_refused ("a\x7f@b.c", "has a control character");
  assert_refused ("\xff@b.c", "is not UTF-8");
  assert_refused ("a@\xc3", "is not UTF-8");
}

static void
test_syntax (void **state)
{
  (void) state;
  assert_refused ("jane", "has no @");
  assert_refused ("@b.c", "has nothing before the @");
  assert_refused ("a@", "has nothing behind the @");
  assert_refused ("a@b@c", "has more than one @");
  assert_refused (" a@b.c", "has a space");
  assert_refused ("a@b.c ", "has a space");
  assert_refused ("a b@c.d", "has a space");
  assert_refused (".a@b.c", "has a dot out of place before the @");
  assert_refused ("a.@b.c", "has a dot out of place before the @");
  assert_refused ("a..b@b.c", "has a dot out of place before the @");
  assert_refused ("Jane <a@b.c>",
                  "has a space");
  assert_refused ("<a@b.c>",
                  "has a character that is not allowed before the @");
  assert_refused ("a,b@c.d",
                  "has a character that is not allowed before the @");
  assert_refused ("\"a@b.c", "has a quote that is not closed");
  assert_refused ("\"a\\\"@b.c", "has a quote that is not closed");
  assert_refused ("\"", "has a quote that is not closed");
  assert_refused ("\"\\", "has a quote that is not closed");
  assert_refused ("\"a\"", "has no @ behind the quote");
  assert_refused ("\"a\"b@c.d", "has no @ behind the quote");
}

static void
test_domains (void **state)
{
  static const char *const bad[] = {
    "a@.b", "a@b.", "a@b..c", "a@-b.c", "a@b-.c", "a@b_c.d", "a@b,c",
    "a@[127.0.0.1]", "a@b.c>", "a@b;c", "a@b.c\"", "a@b/c", "a@b%c",
    "a@.", "a@b.-",
  };

  (void) state;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    assert_refused (bad[i], "has a domain that can't exist");
}

static void
test_lengths (void **state)
{
  char text[400];

  (void) state;
  memset (text, 'a', sizeof text);
  memcpy (text + 64, "@b.c", 5);
  assert_address (text, text);
  memset (text, 'a', sizeof text);
  memcpy (text + 65, "@b.c", 5);
  assert_refused (text, "has more than 64 bytes before the @");

  /* A label of 63 and one of 64. */
  memset (text, 'a', sizeof text);
  text[1] = '@';
  memcpy (text + 2 + 63, ".c", 3);
  assert_address (text, text);
  text[2 + 63] = 'a';
  memcpy (text + 2 + 64, ".c", 3);
  assert_refused (text, "has a domain that can't exist");

  /* 254 bytes, then 255. */
  memset (text, 'a', sizeof text);
  text[10] = '@';
  for (size_t i = 20; i < 250; i += 20)
    text[i] = '.';
  text[254] = '\0';
  assert_address (text, text);
  text[254] = 'a';
  text[255] = '\0';
  assert_refused (text, "is longer than 254 bytes");
  memset (text, 'a', sizeof text);
  assert_refused_of (text, sizeof text, "is longer than 254 bytes");
}

static void
test_smtputf8 (void **state)
{
  (void) state;
  assert_true (address_needs_smtputf8 ("j\xc3\xb6rg@x.y"));
  assert_false (address_needs_smtputf8 ("jane@xn--bcher-kva.example"));
}

static void
assert_header (const char *text, size_t used, const char *expected)
{
  struct buf out = BUF_INIT (0);

  address_add_header_text (&out, text, used);
  assert_string_equal (out.data, expected);
  buf_done (&out);
}

static void
test_header_text (void **state)
{
  (void) state;
  assert_header ("", 9, "");
  assert_header ("Well done, Jane!", 9, "Well done, Jane!");
  assert_header ("Caf\xc3\xa9 time", 9, "=?UTF-8?Q?Caf=C3=A9_time?=");
  assert_header ("\xe4\xbe\x8b\xe3\x81\x88", 9, "=?UTF-8?B?5L6L44GI?=");
  assert_header ("\xc3\xa9", 9, "=?UTF-8?B?w6k=?=");
  /* It would be decoded to something else. */
  assert_header ("=?utf-8?q?x?=", 9, "=?UTF-8?B?PT91dGYtOD9xP3g/PQ==?=");
  /* Nothing ends the line. */
  assert_header ("a\r\nBcc: x@y.z", 9, "a  Bcc: x@y.z");
}

/* Take the words apart again: lines of at most 76 columns, words of at
 * most 75, whole characters in each. */
static void
check_fold (const char *text, size_t used)
{
  struct buf out = BUF_INIT (0);
  const char *at;
  size_t column = used;

  address_add_header_text (&out, text, used);
  assert_null (strstr (out.data, "\r\n\r\n"));
  for (at = out.data; *at != '\0'; at++) {
    if (*at == '\r') {
      assert_memory_equal (at, "\r\n ", 3);
      assert_true (column <= 76 || column == used);
      column = 0;
      at++;
      continue;
    }
    assert_true (*at >= ' ' && *at < 0x7f);
    column++;
    if (strncmp (at, "=?UTF-8?B?", 10) == 0) {
      const char *end = strstr (at + 10, "?=");
      char high = at[10];

      assert_non_null (end);
      assert_true (end + 2 - at <= 75);
      /* 4 characters to a character of 3 bytes: none is split. */
      assert_int_equal ((end - at - 10) % 4, 0);
      assert_int_equal (high, '4');
    }
  }
  assert_true (column <= 76);
  buf_done (&out);
}

static void
test_fold (void **state)
{
  char text[3 * 300 + 1];

  (void) state;
  for (size_t i = 0; i < 300; i++)
    memcpy (text + 3 * i, "\xe2\x82\xac", 3);
  text[900] = '\0';
  for (size_t used = 0; used < 200; used += 3)
    check_fold (text, used);
}

static void
test_long_ascii_is_folded (void **state)
{
  struct buf out = BUF_INIT (0);
  char text[2001];
  const char *line;

  (void) state;
  memset (text, 'a', 2000);
  text[2000] = '\0';
  address_add_header_text (&out, text, 9);
  for (line = out.data; line != NULL; line = strchr (line + 1, '\n'))
    assert_true (strcspn (line + 1, "\n") <= 77);
  buf_done (&out);
}

static void
assert_mailbox (const char *name, const char *address, const char *expected)
{
  struct buf out = BUF_INIT (0);

  address_add_mailbox (&out, name, address, 6);
  assert_string_equal (out.data, expected);
  buf_done (&out);
}

static void
test_mailbox (void **state)
{
  (void) state;
  assert_mailbox (NULL, "a@b", "a@b");
  assert_mailbox ("", "a@b", "a@b");
  assert_mailbox ("Acme Games", "a@b", "Acme Games <a@b>");
  assert_mailbox ("Acme, Games", "a@b", "\"Acme, Games\" <a@b>");
  assert_mailbox ("A \"B\" \\C", "a@b", "\"A \\\"B\\\" \\\\C\" <a@b>");
  assert_mailbox ("J. Doe", "a@b", "\"J. Doe\" <a@b>");
  assert_mailbox (" x", "a@b", "\" x\" <a@b>");
  assert_mailbox ("J\xc3\xb6rg", "a@b", "=?UTF-8?B?SsO2cmc=?= <a@b>");
  assert_mailbox ("<x@y>", "a@b", "\"<x@y>\" <a@b>");
  assert_mailbox ("x\r\nBcc: e@f", "a@b", "\"x  Bcc: e@f\" <a@b>");
  assert_mailbox ("Forty characters of a name, more or less",
                  "forty.characters@of-an-address.example",
                  "\"Forty characters of a name, more or less\"\r\n"
                  " <forty.characters@of-an-address.example>");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_good),
    cmocka_unit_test (test_idn),
    cmocka_unit_test (test_bytes),
    cmocka_unit_test (test_syntax),
    cmocka_unit_test (test_domains),
    cmocka_unit_test (test_lengths),
    cmocka_unit_test (test_smtputf8),
    cmocka_unit_test (test_header_text),
    cmocka_unit_test (test_fold),
    cmocka_unit_test (test_long_ascii_is_folded),
    cmocka_unit_test (test_mailbox),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
