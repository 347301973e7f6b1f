/* test-json-index.c - base/json_index takes JSON, all of it and nothing else.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json_doc.h"
#include "base/json_index.h"

/* The texts lie in memory of exactly their size, so that a sanitizer sees
 * a read behind them. */
static char *
exact_copy (const char *text, size_t len)
{
  char *copy = malloc (len > 0 ? len : 1);

  assert_non_null (copy);
  memcpy (copy, text, len);
  return copy;
}

static bool
index_takes (const char *text, size_t len, unsigned flags)
{
  struct json_error error = { SIZE_MAX, NULL };
  struct json_index index = { 0 };
  char *copy = exact_copy (text, len);
  bool is_taken = json_index_read (&index, copy, len, 64, flags, &error) == 0;

  if (!is_taken) {
    assert_non_null (error.reason);
    assert_true (error.offset <= len);
    assert_int_equal (index.n, 0);
  } else {
    assert_true (index.n > 0);
    assert_int_equal (index.nodes[0].next, index.n);
  }
  json_index_done (&index);
  free (copy);
  return is_taken;
}

/* Duplicate keys are none to it.  (json_doc.h, because jansson.h and
 * json_index.h name the kinds alike.) */
static bool
jansson_takes (const char *text, size_t len)
{
  char reason[160];
  struct json_doc *doc = json_doc_read (text, len, reason);

  json_doc_free (doc);
  return doc != NULL;
}

struct verdict {
  const char *text;
  bool is_taken;
};

#define Y(text) { text, true }
#define N(text) { text, false }

static const struct verdict verdicts[] = {
  /* structure */
  Y ("[]"), Y ("{}"), Y (" [ ] "), Y ("[1]"), Y ("[1,2]"), Y ("[[],{}]"),
  Y ("{\"a\":1}"), Y ("{\"a\":{\"b\":[]}}"), Y ("\t\r\n [1\n,\r2\t]\n"),
  Y ("{\"\":0}"), Y ("{\"a\":[],\"b\":{}}"), Y ("[[[[[[[[[[]]]]]]]]]]"),
  N (""), N (" "), N ("["), N ("]"), N ("{"), N ("}"), N ("[1"), N ("[1,"),
  N ("[1,]"), N ("[,1]"), N ("[,]"), N ("[1,,2]"), N ("[1 2]"), N ("[1]]"),
  N ("[1}"), N ("{]"), N ("[}"), N ("{\"a\"}"), N ("{\"a\":}"),
  N ("{\"a\":1,}"), N ("{,\"a\":1}"), N ("{\"a\":1,,\"b\":2}"),
  N ("{\"a\" 1}"), N ("{\"a\"::1}"), N ("{\"a\":1 \"b\":2}"), N ("{a:1}"),
  N ("{'a':1}"), N ("{1:1}"), N ("{null:1}"), N ("{\"a\":1]"),
  N ("{\"a\":1"), N ("{\"a\":"), N ("{\"a\""), N ("{\"a"), N ("{\"a\":1}x"),
  N ("[] []"), N ("[],"), N ("1 2"), N ("[1]\v"), N ("\f[]"),
  N ("\xef\xbb\xbf[]"), N ("[\xc2\xa0]"), N ("/**/[]"), N ("[1] // no"),
  N ("[\"a\":1]"), N ("{\"a\",\"b\"}"), N ("\xc2\xa0"), N (":"), N (","),
  /* words */
  Y ("true"), Y ("false"), Y ("null"), Y (" null "), Y ("[true,false,null]"),
  N ("True"), N ("nul"), N ("tru"), N ("fals"), N ("nulll"), N ("truefalse"),
  N ("[nul]"), N ("NaN"), N ("Infinity"), N ("-Infinity"), N ("undefined"),
  N ("t"), N ("[tru"),
  /* numbers */
  Y ("0"), Y ("-0"), Y ("1"), Y ("-1"), Y ("10"), Y ("1.0"), Y ("-1.5"),
  Y ("0.1"), Y ("1e5"), Y ("1E5"), Y ("1e+5"), Y ("1e-5"), Y ("0e0"),
  Y ("0E+1"), Y ("1.10"), Y ("20.0e-02"), Y ("123456789"),
  Y ("9223372036854775807"), Y ("-9223372036854775808"), Y ("[0 ]"),
  Y ("1e-400"), Y ("0.00000000000000000000000000000000000000000000001"),
  N ("-"), N ("+1"), N ("01"), N ("-01"), N ("00"), N ("1."), N (".1"),
  N ("-.1"), N ("1.e5"), N ("1e"), N ("1e+"), N ("1E-"), N ("0x1"),
  N ("1_000"), N ("1a"), N ("--1"), N ("1.2.3"), N ("1e5.5"), N ("[-]"),
  N ("[1.]"), N ("0e"), N ("[0e]"), N ("[1e1e1]"), N ("1 000"), N ("-a"),
  N ("0.e1"), N ("[-012]"), N ("\xef\xbc\x91"),
  /* strings */
  Y ("\"\""), Y ("\"a\""), Y ("\"1234567\""), Y ("\"12345678\""),
  Y ("\"123456789\""), Y ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
  Y ("\"\\u0041\""), Y ("\"\\u00e9\\u20AC\""), Y ("\"\\ud83d\\ude00\""),
  Y ("\"\\uD83D\\uDE00x\""), Y ("\"\\uffff\""), Y ("\"\\u0001\""),
  Y ("\"\\ud7ff\\ue000\""), Y ("\"\x7f\""), Y ("\" \""),
  Y ("\"//\""), Y ("\"[{]}\""), Y ("[\"a\",\"b\"]"), Y ("\"\\\\\""),
  Y ("\"abcdefg\\n\""), Y ("\"abcdefghijklmnop\\\"\""),
  N ("\""), N ("\"a"), N ("\"\\\""), N ("\"\\"), N ("\"\\a\""),
  N ("\"\\x41\""), N ("\"\\U0041\""), N ("\"\\0\""), N ("\"\\'\""),
  N ("\"\\u\""), N ("\"\\u004\""), N ("\"\\u004g\""), N ("\"\\u 041\""),
  N ("\"\\u-041\""), N ("\"\\u+041\""), N ("\"\\u00\\u0041\""),
  N ("\"\n\""), N ("\"\t\""), N ("\"\r\""), N ("\"\x1f\""), N ("\"\x01\""),
  N ("\"12345678\n\""), N ("\"1234567\x1f" "abcdefgh\""), N ("'a'"),
  N ("\"\\u0000\""), N ("{\"a\\u0000b\":1}"), N ("\"a\"b\""), N ("\"\\ \""),
  N ("\"\\\xc3\xa9\""), N ("[\"\\"), N ("[\"\\u00"), N ("[\"a\\"),
  /* surrogates */
  N ("\"\\ud800\""), N ("\"\\udc00\""), N ("\"\\udbff\\u0041\""),
  N ("\"\\ud800\\ud800\""), N ("\"\\ud83dx\""), N ("\"\\ud83d\\n\""),
  N ("\"\\ude00\\ud83d\""), N ("\"\\ud83d\\ude0\""), N ("\"\\ud83d\\"),
  N ("\"\\ud83d\\u"), N ("\"\\udfff\\udfff\""), N ("\"\\ud83d\\\""),
  /* UTF-8 */
  Y ("\"\xc3\xa9\""), Y ("\"\xe2\x82\xac\""), Y ("\"\xf0\x9f\x98\x80\""),
  Y ("\"\xed\x9f\xbf\""), Y ("\"\xee\x80\x80\""), Y ("\"\xef\xbf\xbf\""),
  Y ("\"\xf4\x8f\xbf\xbf\""), Y ("\"1234567\xc3\xa9" "1234567\xc3\xa9\""),
  Y ("\"\xef\xbb\xbf\""), Y ("{\"\xc3\xa9\":\"\xc3\xa9\"}"),
  N ("\"\x80\""), N ("\"\xff\""), N ("\"\xc0\xaf\""), N ("\"\xc1\x81\""),
  N ("\"\xe0\x80\x80\""), N ("\"\xed\xa0\x80\""), N ("\"\xed\xbf\xbf\""),
  N ("\"\xf0\x80\x80\x80\""), N ("\"\xf4\x90\x80\x80\""),
  N ("\"\xf8\x88\x80\x80\x80\""), N ("\"\xc3\""), N ("\"\xe2\x82\""),
  N ("\"\xf0\x9f\x98\""), N ("\"\xc3"), N ("\"\xe2\x82"), N ("\xc3\xa9"),
  N ("[\xff]"), N ("\"\xe9\""), N ("\"12345678\xe9" "12345678\""),
};

static void
test_verdicts (void **state)
{
  (void) state;
  for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
    const char *text = verdicts[i].text;
    size_t len = strlen (text);

    if (index_takes (text, len, 0) != verdicts[i].is_taken)
      fail_msg ("verdict on %s", text);
    if (jansson_takes (text, len) != verdicts[i].is_taken)
      fail_msg ("jansson's verdict on %s", text);
  }
  assert_false (index_takes ("[1]\0", 4, 0));
  assert_false (index_takes ("\"a\0b\"", 5, 0));
  assert_false (index_takes ("\"12345678\0\"", 11, 0));
  assert_false (index_takes ("\"\\\0\"", 4, 0));
}

/* The one difference from jansson that json_index.c owns up to. */
static void
test_numbers_of_any_size (void **state)
{
  static const char *const texts[] = {
    "1e400", "-1e400", "9223372036854775808", "-9223372036854775809",
    "123456789012345678901234567890",
  };

  (void) state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    assert_true (index_takes (texts[i], strlen (texts[i]), 0));
    assert_false (jansson_takes (texts[i], strlen (texts[i])));
  }
}

/* Every way to cut a document short, and to change one byte of it. */
static void
test_mutants_as_jansson (void **state)
{
  static const char seed[]
    = "{\"id\":1.50e1,\"\\u00e9\":[true,null,-0],\"n\":{\"k\":\"a\\n"
      "\xf0\x9f\x98\x80 long enough\",\"id\":\"\\ud83d\\ude00\"}}";
  char text[sizeof seed];
  size_t len = sizeof seed - 1;

  (void) state;
  for (size_t i = 0; i <= len; i++)
    assert_int_equal (index_takes (seed, i, 1), jansson_takes (seed, i));
  for (size_t i = 0; i < len; i++)
    for (int c = 0; c < 256; c++) {
      memcpy (text, seed, sizeof seed);
      text[i] = (char) c;
      if (index_takes (text, len, 1) != jansson_takes (text, len))
        fail_msg ("byte %zu as %d", i, c);
    }
}

static const struct verdict key_verdicts[] = {
  Y ("{\"a\":1,\"b\":1}"), Y ("[{\"a\":1},{\"a\":1}]"), Y ("{\"a\":{\"a\":1}}"),
  Y ("{\"a\":1,\"A\":1}"), Y ("{\"\":1,\"a\":1}"), Y ("{\"ab\":1,\"ba\":2}"),
  Y ("{\"\\u0041\":1,\"a\":1}"), Y ("{\"\\\\u0041\":1,\"A\":1}"),
  N ("{\"a\":1,\"a\":1}"), N ("{\"a\":1,\"b\":{\"c\":1},\"a\":2}"),
  N ("{\"\":1,\"\":1}"), N ("{\"a\":1,\"\\u0061\":1}"),
  N ("{\"\\u0061\":1,\"\\u0061\":1}"), N ("{\"\\/\":1,\"/\":2}"),
  N ("[[{\"x\":{\"a\":[1,2],\"a\":3}}]]"),
  N ("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}"),
};

static void
test_unique_keys (void **state)
{
  (void) state;
  for (size_t i = 0; i < sizeof key_verdicts / sizeof *key_verdicts; i++) {
    const char *text = key_verdicts[i].text;
    size_t len = strlen (text);

    assert_true (index_takes (text, len, 0));
    if (index_takes (text, len, JSON_UNIQUE_KEYS) != key_verdicts[i].is_taken)
      fail_msg ("verdict on %s", text);
    assert_int_equal (jansson_takes (text, len), key_verdicts[i].is_taken);
  }
}

/* An object of n members, whose last has the name of member same. */
static void
write_object (struct buf *text, unsigned n, unsigned same, bool is_escaped)
{
  buf_clear (text);
  buf_add_char (text, '{');
  for (unsigned i = 0; i < n; i++)
    buf_printf (text, "%s\"%s%u\":[{}]", i > 0 ? "," : "",
                is_escaped && i % 2 == 0 ? "\\u006bey" : "key",
                i + 1 == n ? same : i);
  buf_add_char (text, '}');
}

static void
test_unique_keys_of_all_sizes (void **state)
{
  struct json_error error = { 0, NULL };
  struct json_index index = { 0 };
  struct buf text = BUF_INIT (0);

  (void) state;
  for (unsigned n = 2; n < 200; n++)
    for (int is_escaped = 0; is_escaped < 2; is_escaped++) {
      write_object (&text, n, n - 1, is_escaped);
      assert_int_equal (json_index_read (&index, text.data, text.len, 9,
                                         JSON_UNIQUE_KEYS, &error), 0);
      assert_int_equal (index.nodes[0].count, n);
      for (unsigned same = 0; same + 1 < n; same += 1 + n / 10) {
        write_object (&text, n, same, is_escaped);
        assert_int_equal (json_index_read (&index, text.data, text.len, 9,
                                           JSON_UNIQUE_KEYS, &error), -1);
        /* The offset is the second key's. */
        assert_true (error.offset + 30 > text.len);
        assert_int_equal (text.data[error.offset], '"');
      }
    }
  json_index_done (&index);
  buf_done (&text);
}

/* Two hundred thousand keys: quadratic, this would take minutes. */
static void
test_unique_keys_are_not_quadratic (void **state)
{
  struct json_error error;
  struct json_index index = { 0 };
  struct buf text = BUF_INIT (0);
  clock_t start;

  (void) state;
  write_object (&text, 200000, 199999, true);
  start = clock ();
  assert_int_equal (json_index_read (&index, text.data, text.len, 9,
                                     JSON_UNIQUE_KEYS, &error), 0);
  assert_true ((double) (clock () - start) / CLOCKS_PER_SEC < 5);
  assert_int_equal (json_index_member (&index, 0, "key199999", 9),
                    index.n - 2);
  json_index_done (&index);
  buf_done (&text);
}

static void
test_depth (void **state)
{
  struct json_error error = { 0, NULL };
  struct json_index index = { 0 };
  char text[20000];

  (void) state;
  memset (text, '[', 10000);
  memset (text + 10000, ']', 10000);
  assert_int_equal (json_index_read (&index, text, 20000, 10000, 0, &error),
                    0);
  assert_int_equal (index.n, 10000);
  assert_int_equal (json_index_read (&index, text, 20000, 9999, 0, &error),
                    -1);
  assert_int_equal (error.offset, 9999);
  assert_int_equal (json_index_read (&index, "1", 1, 0, 0, &error), 0);
  assert_int_equal (json_index_read (&index, "[]", 2, 0, 0, &error), -1);
  assert_int_equal (json_index_read (&index, "[[],[],{}]", 10, 2, 0, &error),
                    0);
  json_index_done (&index);
}

static void
test_offsets (void **state)
{
  static const struct { const char *text; size_t offset; } cases[] = {
    { "", 0 }, { "  x", 2 }, { "[1,]", 3 }, { "{\"a\" 1}", 5 },
    { "\"a\\x\"", 2 }, { "\"12345678\xff\"", 9 }, { "[] 1", 3 },
    { "{\"a\":1,\"a\":2}", 7 }, { "[01]", 1 }, { " \"abc", 1 },
  };
  struct json_index index = { 0 };

  (void) state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct json_error error = { 999, NULL };

    assert_int_equal (json_index_read (&index, cases[i].text,
                                       strlen (cases[i].text), 5,
                                       JSON_UNIQUE_KEYS, &error), -1);
    if (error.offset != cases[i].offset)
      fail_msg ("%s: %zu", cases[i].text, error.offset);
  }
  json_index_done (&index);
}

static const char document[]
  = "{ \"id\" : 12345678901234567890, \"price\": 1.10,\n"
    "  \"results\": [ {\"id\":\"a\"}, [], {\"id\":\"b\\u20ac\\n\"}, null ],\n"
    "  \"\": true, \"a.b\": 0, \"0\": \"zero\", \"none\": {},\n"
    "  \"\\u006eame\": \"\xc3\xa9\", \"twice\": 1, \"twice\": 2 }";

static void
assert_path (const struct json_index *index, const char *path,
             const char *text, const char *raw)
{
  uint32_t node = json_index_path (index, path);
  struct buf out = BUF_INIT (0);

  if (raw == NULL) {
    assert_int_equal (node, UINT32_MAX);
    return;
  }
  if (node == UINT32_MAX)
    fail_msg ("no %s", path);
  json_index_add_text (index, node, &out);
  assert_string_equal (out.data, text);
  buf_clear (&out);
  json_index_add_raw (index, node, &out);
  assert_string_equal (out.data, raw);
  buf_done (&out);
}

static void
test_values (void **state)
{
  struct json_error error;
  struct json_index index = { 0 };

  (void) state;
  assert_int_equal (json_index_path (&index, ""), UINT32_MAX);
  assert_int_equal (json_index_read (&index, document, sizeof document - 1, 4,
                                     0, &error), 0);
  assert_path (&index, "", "", document);
  assert_path (&index, "id", "12345678901234567890", "12345678901234567890");
  assert_path (&index, "price", "1.10", "1.10");
  assert_path (&index, "results.0.id", "a", "\"a\"");
  assert_path (&index, "results.0", "", "{\"id\":\"a\"}");
  assert_path (&index, "results.1", "", "[]");
  assert_path (&index, "results.2.id", "b\xe2\x82\xac\n",
               "\"b\\u20ac\\n\"");
  assert_path (&index, "results.3", "", "null");
  assert_path (&index, "results.4", NULL, NULL);
  assert_path (&index, "results.-1", NULL, NULL);
  assert_path (&index, "results.x", NULL, NULL);
  assert_path (&index, "results.", NULL, NULL);
  assert_path (&index, "results.99999999999999999999", NULL, NULL);
  assert_path (&index, "results.1.0", NULL, NULL);
  assert_path (&index, "results.3.x", NULL, NULL);
  assert_path (&index, "id.x", NULL, NULL);
  assert_path (&index, "0", "zero", "\"zero\"");
  assert_path (&index, "name", "\xc3\xa9", "\"\xc3\xa9\"");
  assert_path (&index, "nam", NULL, NULL);
  assert_path (&index, "none.x", NULL, NULL);
  assert_path (&index, "twice", "2", "2");
  assert_path (&index, ".", NULL, NULL);
  assert_path (&index, "a.b", NULL, NULL);
  json_index_done (&index);
  json_index_done (&index);
}

static void
test_members_and_items (void **state)
{
  struct json_error error;
  struct json_index index = { 0 };
  uint32_t array;

  (void) state;
  assert_int_equal (json_index_read (&index, document, sizeof document - 1, 4,
                                     0, &error), 0);
  assert_int_equal (index.nodes[0].kind, JSON_OBJECT);
  assert_int_equal (index.nodes[0].count, 10);
  assert_int_equal (index.nodes[json_index_member (&index, 0, "", 0)].kind,
                    JSON_TRUE);
  assert_int_equal (index.nodes[json_index_member (&index, 0, "a.b", 3)].kind,
                    JSON_NUMBER);
  assert_int_equal (json_index_member (&index, 0, "id2", 3), 0);
  array = json_index_member (&index, 0, "results", 7);
  assert_int_equal (index.nodes[array].kind, JSON_ARRAY);
  assert_int_equal (index.nodes[array].count, 4);
  assert_int_equal (json_index_item (&index, array, 4), 0);
  assert_int_equal (json_index_item (&index, 0, 0), 0);
  assert_int_equal (json_index_member (&index, array, "id", 2), 0);
  assert_int_equal (json_index_member (&index, 9999, "id", 2), 0);
  assert_int_equal (json_index_item (&index, 9999, 0), 0);
  /* The index serves again, with the memory it has. */
  assert_int_equal (json_index_read (&index, "[7]", 3, 4, 0, &error), 0);
  assert_int_equal (index.n, 2);
  json_index_done (&index);
}

static void
test_unescape (void **state)
{
  static const char text[]
    = "a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u007f\\u0080\\u07ff\\u0800\\uffff"
      "\\ud800\\udc00\\udbff\\udfffz";
  struct buf out = BUF_INIT (0);

  (void) state;
  json_unescape (text, sizeof text - 1, &out);
  assert_string_equal (out.data,
                       "a\"\\/\b\f\n\r\tA\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80"
                       "\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbfz");
  buf_clear (&out);
  json_unescape ("", 0, &out);
  assert_int_equal (out.len, 0);
  buf_done (&out);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_verdicts),
    cmocka_unit_test (test_numbers_of_any_size),
    cmocka_unit_test (test_mutants_as_jansson),
    cmocka_unit_test (test_unique_keys),
    cmocka_unit_test (test_unique_keys_of_all_sizes),
    cmocka_unit_test (test_unique_keys_are_not_quadratic),
    cmocka_unit_test (test_depth),
    cmocka_unit_test (test_offsets),
    cmocka_unit_test (test_values),
    cmocka_unit_test (test_members_and_items),
    cmocka_unit_test (test_unescape),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
