/* test-text.c - base/text knows UTF-8 and the spellings of others.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define LEN(text) (sizeof (text) - 1)

static const struct {
  const char *bytes;
  bool is_valid;
} utf8_cases[] = {
  { "", true },
  { "plain", true },
  { "long enough for eight bytes at once", true },
  { "\x7f", true },
  { "\xc2\x80", true },
  { "\xdf\xbf", true },
  { "\xe0\xa0\x80", true },
  { "\xed\x9f\xbf", true },
  { "\xee\x80\x80", true },
  { "\xef\xbf\xbf", true },
  { "\xf0\x90\x80\x80", true },
  { "\xf4\x8f\xbf\xbf", true },
  { "12345678\xe2\x82\xac", true },
  { "1234567\xe2\x82\xac", true },
  { "\x80", false },
  { "\xbf", false },
  { "\xc0\x80", false },            /* overlong NUL */
  { "\xc1\xbf", false },
  { "\xe0\x9f\xbf", false },        /* overlong */
  { "\xed\xa0\x80", false },        /* a surrogate */
  { "\xed\xbf\xbf", false },
  { "\xf0\x8f\xbf\xbf", false },    /* overlong */
  { "\xf4\x90\x80\x80", false },    /* past U+10FFFF */
  { "\xf5\x80\x80\x80", false },
  { "\xff", false },
  { "\xc3", false },                /* cut short */
  { "\xe2\x82", false },
  { "\xf0\x9f\x98", false },
  { "\xc3(", false },
  { "\xe2\x82(", false },
  { "\xf0\x9f\x98(", false },
  { "12345678\xff", false },
};

static void
test_utf8 (void **state)
{
  (void) state;
  for (size_t i = 0; i < sizeof utf8_cases / sizeof *utf8_cases; i++) {
    const char *bytes = utf8_cases[i].bytes;

    if (text_is_utf8 (bytes, strlen (bytes)) != utf8_cases[i].is_valid)
      fail_msg ("case %zu", i);
  }
  assert_false (text_is_utf8 ("a\0b", 3));
  assert_false (text_is_utf8 ("1234567\0", 8));
  assert_false (text_is_utf8 ("12345678\0", 9));
}

/* All two-byte beginnings against the table of RFC 3629. */
static void
test_char_len (void **state)
{
  (void) state;
  for (int a = 0; a < 256; a++)
    for (int b = 0; b < 256; b++) {
      char text[4] = { (char) a, (char) b, '\x80', '\x80' };
      size_t expected = 0;

      if (a < 0x80)
        expected = 1;
      else if (a >= 0xc2 && a <= 0xf4 && b >= 0x80 && b <= 0xbf) {
        expected = a < 0xe0 ? 2 : a < 0xf0 ? 3 : 4;
        if ((a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f)
            || (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f))
          expected = 0;
      }
      assert_int_equal (text_char_len (text, 4), expected);
      if (expected > 1)
        assert_int_equal (text_char_len (text, expected - 1), 0);
    }
  assert_int_equal (text_char_len ("", 0), 0);
}

static void
test_one_line (void **state)
{
  (void) state;
  assert_true (text_is_one_line ("", 0));
  assert_true (text_is_one_line ("a b \xc3\xa9 \xc2\xa0", 9));
  assert_false (text_is_one_line ("a\nb", 3));
  assert_false (text_is_one_line ("a\r", 2));
  assert_false (text_is_one_line ("a\tb", 3));
  assert_false (text_is_one_line ("a\0b", 3));
  assert_false (text_is_one_line ("\x7f", 1));
  assert_false (text_is_one_line ("a\xc2\x85" "b", 4));
}

static void
test_clip (void **state)
{
  (void) state;
  assert_int_equal (text_clip ("abc", 3, 2), 2);
  assert_int_equal (text_clip ("abc", 3, 9), 3);
  assert_int_equal (text_clip ("abc", 3, 0), 0);
  assert_int_equal (text_clip ("\xe2\x82\xac\xe2\x82\xac", 6, 1), 3);
  assert_int_equal (text_clip ("\xff\xff" "a", 3, 2), 2);
  assert_int_equal (text_clip ("\xf0\x9f\x98\x80x", 5, 1), 4);
}

typedef void add_fn (struct buf *out, const char *text, size_t len);

static void
assert_adds (add_fn *add, const char *text, size_t len, const char *expected)
{
  struct buf out = BUF_INIT (0);

  add (&out, text, len);
  assert_string_equal (out.data, expected);
  buf_done (&out);
}

static void
test_json (void **state)
{
  (void) state;
  assert_adds (text_add_json, "", 0, "\"\"");
  assert_adds (text_add_json, "a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
  assert_adds (text_add_json, "\b\f\n\r\t\x01\x1f\x7f", 8,
               "\"\\b\\f\\n\\r\\t\\u0001\\u001F\x7f\"");
  assert_adds (text_add_json, "\0", 1, "\"\\u0000\"");
  assert_adds (text_add_json, "\xe2\x82\xac", 3, "\"\xe2\x82\xac\"");
  assert_adds (text_add_json, "a\xff\xe2\x82", 4,
               "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
  assert_adds (text_add_json, "}],\"x\":[{", LEN ("}],\"x\":[{"),
               "\"}],\\\"x\\\":[{\"");
}

static void
test_html_and_url (void **state)
{
  (void) state;
  assert_adds (text_add_html, "<a href=\"x\">&'</a>", 18,
               "&lt;a href=&quot;x&quot;&gt;&amp;&#39;&lt;/a&gt;");
  assert_adds (text_add_html, "", 0, "");
  assert_adds (text_add_url, "aZ09-._~", 8, "aZ09-._~");
  assert_adds (text_add_url, "a b&c/\xc3\xa9%", 9, "a%20b%26c%2F%C3%A9%25");
  assert_adds (text_add_url, "\0", 1, "%00");
}

static void
test_fold (void **state)
{
  char text[] = "AbZ[\xc3\x84";

  (void) state;
  assert_true (text_equal_fold ("Content-TYPE", "content-type"));
  assert_true (text_equal_fold ("", ""));
  assert_false (text_equal_fold ("ab", "abc"));
  assert_false (text_equal_fold ("abc", "ab"));
  assert_false (text_equal_fold ("[", "{"));        /* differ in bit 5 */
  text_fold (text);
  assert_string_equal (text, "abz[\xc3\x84");
}

static void
test_nearest (void **state)
{
  static const char *const names[] = {
    "email", "firstName", "lastName", "score", "id", NULL
  };
  static const char *const none[] = { NULL };
  char longest[200];

  (void) state;
  assert_string_equal (text_nearest ("emial", names), "email");
  assert_string_equal (text_nearest ("EMAIL", names), "email");
  assert_string_equal (text_nearest ("firstname", names), "firstName");
  assert_string_equal (text_nearest ("fristNam", names), "firstName");
  assert_string_equal (text_nearest ("scores", names), "score");
  assert_string_equal (text_nearest ("ide", names), "id");
  assert_null (text_nearest ("telephone", names));
  assert_null (text_nearest ("xy", names));
  assert_null (text_nearest ("", names));
  assert_null (text_nearest ("email", none));
  memset (longest, 'a', sizeof longest);
  longest[199] = '\0';
  assert_null (text_nearest (longest, names));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_utf8),
    cmocka_unit_test (test_char_len),
    cmocka_unit_test (test_one_line),
    cmocka_unit_test (test_clip),
    cmocka_unit_test (test_json),
    cmocka_unit_test (test_html_and_url),
    cmocka_unit_test (test_fold),
    cmocka_unit_test (test_nearest),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
