/* test-mail-text.c - texts and whole mails as they go over the wire.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "transport/mail_message.h"
#include "transport/mail_text.h"

static char *
repeated (const char *piece, size_t n)
{
  size_t len = strlen (piece);
  char *text = memory_alloc (n * len + 1);

  for (size_t i = 0; i < n; i++)
    memcpy (text + i * len, piece, len);
  text[n * len] = '\0';
  return text;
}

static void
assert_added (const char *text, enum mail_encoding encoding,
              const char *wanted)
{
  struct buf out = BUF_INIT (0);

  mail_text_add (&out, text, encoding);
  assert_string_equal (out.data, wanted);
  buf_done (&out);
}

static void
test_encoding (void **state)
{
  char *longest = repeated ("x", 998), *too_long = repeated ("x", 999);

  (void) state;
  assert_int_equal (mail_text_encoding (""), MAIL_7BIT);
  assert_int_equal (mail_text_encoding ("a = b\tc\r\n.\n"), MAIL_7BIT);
  assert_int_equal (mail_text_encoding ("h\xc3\xa9llo there"), MAIL_QUOTED);
  assert_int_equal (mail_text_encoding ("bell\a and on"), MAIL_QUOTED);
  assert_int_equal (mail_text_encoding ("\xd0\x9f\xd1\x80\xd0\xb8"),
                    MAIL_BASE64);
  assert_int_equal (mail_text_encoding (longest), MAIL_7BIT);
  assert_int_equal (mail_text_encoding (too_long), MAIL_QUOTED);
  free (longest);
  free (too_long);
}

static void
test_plain (void **state)
{
  (void) state;
  assert_added ("", MAIL_7BIT, "");
  assert_added ("a\nb\rc\r\nd\n\r", MAIL_7BIT, "a\r\nb\r\nc\r\nd\r\n\r\n");
}

static void
test_quoted (void **state)
{
  (void) state;
  assert_added ("", MAIL_QUOTED, "");
  assert_added ("a=b\xc3\xa9\x7f\n", MAIL_QUOTED, "a=3Db=C3=A9=7F\r\n");
  assert_added ("a b \nc\t\r\n d ", MAIL_QUOTED, "a b=20\r\nc=09\r\n d=20");
  assert_added ("a\rb\r\nc\n\nd", MAIL_QUOTED, "a\r\nb\r\nc\r\n\r\nd");
}

/* The 76th column is for the last byte of a line or for "=". */
static void
test_quoted_columns (void **state)
{
  static const char *const ends[][2]
    = { { "y", "y" },           { "yz", "=\r\nyz" }, { "y\nz", "y\r\nz" },
        { "\xc3", "=\r\n=C3" }, { " ", "=\r\n=20" }, { " y", "=\r\n y" } };
  char *full = repeated ("x", 75);

  (void) state;
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    struct buf text = BUF_INIT (0), wanted = BUF_INIT (0);

    buf_printf (&text, "%s%s", full, ends[i][0]);
    buf_printf (&wanted, "%s%s", full, ends[i][1]);
    assert_added (text.data, MAIL_QUOTED, wanted.data);
    buf_done (&text);
    buf_done (&wanted);
  }
  /* Three columns end at the 76th as well. */
  full[73] = '\0';
  {
    struct buf text = BUF_INIT (0), wanted = BUF_INIT (0);

    buf_printf (&text, "%s\xc3", full);
    buf_printf (&wanted, "%s=C3", full);
    assert_added (text.data, MAIL_QUOTED, wanted.data);
    buf_done (&text);
    buf_done (&wanted);
  }
  free (full);
}

static void
test_base64 (void **state)
{
  char *text = repeated ("abc", 39); /* 117 bytes: 57, 57, 3 */
  char *line = repeated ("YWJj", 19);
  struct buf wanted = BUF_INIT (0);

  (void) state;
  assert_added ("", MAIL_BASE64, "");
  assert_added ("a\nb", MAIL_BASE64, "YQ0KYg==");
  buf_printf (&wanted, "%s\r\n%s\r\nYWJj", line, line);
  assert_added (text, MAIL_BASE64, wanted.data);
  buf_done (&wanted);
  free (text);
  free (line);
}

static void
test_single_part (void **state)
{
  static const struct transport_header headers[] = { { "Subject", "Hi" } };
  struct transport_mail mail
    = { .headers = headers, .n_headers = 1, .text = "one\ntwo" };
  struct buf out = BUF_INIT (0);

  (void) state;
  assert_int_equal (mail_message_add (&out, &mail), 0);
  assert_string_equal (out.data,
                       "Subject: Hi\r\nMIME-Version: 1.0\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: 7bit\r\n\r\none\r\ntwo");
  buf_clear (&out);
  mail.text = NULL;
  mail.html = "<p>\xc3\xa9 is a letter</p>";
  assert_int_equal (mail_message_add (&out, &mail), 0);
  assert_string_equal (out.data,
                       "Subject: Hi\r\nMIME-Version: 1.0\r\n"
                       "Content-Type: text/html; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                       "<p>=C3=A9 is a letter</p>");
  buf_done (&out);
}

static void
test_alternative (void **state)
{
  struct transport_mail mail = { .text = "--x--", .html = "<p>x</p>" };
  struct buf out = BUF_INIT (0);
  const char *boundary;
  char opens[64];
  size_t n = 0;

  (void) state;
  assert_int_equal (mail_message_add (&out, &mail), 0);
  boundary = strstr (out.data, "boundary=\"");
  assert_non_null (boundary);
  assert_int_equal (strcspn (boundary + 10, "\""), 38);
  snprintf (opens, sizeof opens, "\r\n--%.38s", boundary + 10);
  for (const char *at = out.data; (at = strstr (at, opens)); at++)
    n++;
  assert_int_equal (n, 3);
  assert_string_equal (out.data + out.len - 4, "--\r\n");
  assert_non_null (strstr (out.data, "\r\n\r\n--x--\r\n"));
  buf_done (&out);
}

static void
test_bad_header (void **state)
{
  static const struct transport_header bad[]
    = { { "X", "a\nb" }, { "X", "a\r\n " }, { "X\n", "a" }, { "", "a" } };

  (void) state;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct transport_mail mail = { .headers = &bad[i], .n_headers = 1 };
    struct buf out = BUF_INIT (0);

    assert_int_equal (mail_message_add (&out, &mail), -1);
    buf_done (&out);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test (test_encoding),
                                      cmocka_unit_test (test_plain),
                                      cmocka_unit_test (test_quoted),
                                      cmocka_unit_test (test_quoted_columns),
                                      cmocka_unit_test (test_base64),
                                      cmocka_unit_test (test_single_part),
                                      cmocka_unit_test (test_alternative),
                                      cmocka_unit_test (test_bad_header) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
