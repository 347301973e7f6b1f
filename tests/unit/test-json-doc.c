/* test-json-doc.c - base/json_doc keeps trees, their order and their text.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_doc.h"

static void
assert_writes (const struct json_doc *doc, const char *expected)
{
  char *text = json_doc_write (doc, false);

  assert_string_equal (text, expected);
  free (text);
}

static struct json_doc *
read_text (const char *text)
{
  char reason[160] = "";
  struct json_doc *doc = json_doc_read (text, strlen (text), reason);

  if (doc == NULL)
    fail_msg ("%s: %s", text, reason);
  return doc;
}

static void
test_building (void **state)
{
  struct json_doc *doc = json_doc_object (), *list = json_doc_array ();
  char *text;

  (void) state;
  json_doc_push (list, json_doc_number (INT64_MIN));
  json_doc_push (list, json_doc_real (0.1));
  json_doc_push (list, json_doc_bool (true));
  json_doc_push (list, json_doc_text (NULL));
  json_doc_push (list, NULL);
  json_doc_put (doc, "z", json_doc_text ("a\"b"));
  json_doc_put (doc, "list", list);
  json_doc_put (doc, "a", NULL);
  json_doc_put (doc, "b", json_doc_bool (false));
  assert_writes (doc, "{\"z\":\"a\\\"b\",\"list\":[-9223372036854775808,0.1,"
                      "true,null,null],\"a\":null,\"b\":false}");
  text = json_doc_write_sorted (doc);
  assert_string_equal (text, "{\"a\":null,\"b\":false,\"list\":"
                             "[-9223372036854775808,0.1,true,null,null],"
                             "\"z\":\"a\\\"b\"}");
  free (text);
  json_doc_put (doc, "z", json_doc_array ());
  json_doc_put (doc, "list", json_doc_object ());
  text = json_doc_write (doc, true);
  assert_string_equal (text, "{\n  \"z\": [],\n  \"list\": {},\n"
                             "  \"a\": null,\n  \"b\": false\n}");
  free (text);
  json_doc_free (doc);
  json_doc_free (NULL);
}

static void
test_what_json_lacks (void **state)
{
  struct json_doc *doc = json_doc_array ();

  (void) state;
  json_doc_push (doc, json_doc_real ((double) NAN));
  json_doc_push (doc, json_doc_real ((double) INFINITY));
  json_doc_push (doc, json_doc_text ("a\xff\xe2\x82"));
  assert_writes (doc, "[null,null,\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]");
  json_doc_free (doc);
  doc = json_doc_object ();
  json_doc_put (doc, "\xff", json_doc_number (1));
  assert_writes (doc, "{\"\xef\xbf\xbd\":1}");
  json_doc_free (doc);
  assert_writes (NULL, "null");
}

static void
test_reading (void **state)
{
  static const char *const wrong[] = {
    "", "{", "[1,]", "{\"a\":1,\"a\":2}", "\"\xff\"", "1 2", "01", "nan",
    "\"\\ud800\"",
  };
  struct json_doc *doc = read_text (" {\"b\":[1,\"x\",-2.9],\"a\":{}} ");
  const struct json_doc *list = json_doc_get (doc, "b");
  char none[160] = "";

  (void) state;
  assert_true (json_doc_is_object (doc));
  assert_false (json_doc_is_array (doc));
  assert_true (json_doc_is_array (list));
  assert_int_equal (json_doc_count (doc), 2);
  assert_int_equal (json_doc_count (list), 3);
  assert_string_equal (json_doc_name_at (doc, 0), "b");
  assert_string_equal (json_doc_name_at (doc, 1), "a");
  assert_null (json_doc_name_at (doc, 2));
  assert_int_equal (json_doc_as_number (json_doc_at (list, 0)), 1);
  assert_string_equal (json_doc_as_text (json_doc_at (list, 1)), "x");
  assert_int_equal (json_doc_as_number (json_doc_at (list, 2)), -2);
  json_doc_free (doc);
  doc = read_text ("5");
  assert_int_equal (json_doc_as_number (doc), 5);
  json_doc_free (doc);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char reason[160] = "";

    assert_null (json_doc_read (wrong[i], strlen (wrong[i]), reason));
    assert_true (reason[0] != '\0');
    assert_non_null (memchr (reason, '\0', sizeof reason));
  }
  assert_null (json_doc_read ("[1\0]", 4, none));
  assert_string_equal (none, "a NUL byte");
  assert_null (json_doc_read ("true\0", 5, none));
}

static void
test_of_another_kind (void **state)
{
  struct json_doc *list = read_text ("[1e300,-1e300]");
  struct json_doc *text = json_doc_text ("x");

  (void) state;
  assert_null (json_doc_get (list, "a"));
  assert_null (json_doc_get (NULL, "a"));
  assert_null (json_doc_at (list, 2));
  assert_null (json_doc_at (text, 0));
  assert_null (json_doc_at (NULL, 0));
  assert_null (json_doc_name_at (list, 0));
  assert_null (json_doc_name_at (NULL, 0));
  assert_null (json_doc_as_text (list));
  assert_null (json_doc_as_text (NULL));
  assert_int_equal (json_doc_as_number (text), 0);
  assert_int_equal (json_doc_as_number (NULL), 0);
  assert_int_equal (json_doc_as_number (json_doc_at (list, 0)), 0);
  assert_int_equal (json_doc_as_number (json_doc_at (list, 1)), 0);
  assert_int_equal (json_doc_count (text), 0);
  assert_int_equal (json_doc_count (NULL), 0);
  assert_false (json_doc_is_object (NULL));
  assert_false (json_doc_is_array (text));
  json_doc_free (list);
  json_doc_free (text);
}

static void
assert_equality (const char *a, const char *b, bool is_equal)
{
  struct json_doc *x = read_text (a), *y = read_text (b);

  assert_int_equal (json_doc_equal (x, y), is_equal);
  assert_int_equal (json_doc_equal (y, x), is_equal);
  json_doc_free (x);
  json_doc_free (y);
}

static void
test_equal (void **state)
{
  struct json_doc *null = json_doc_text (NULL);

  (void) state;
  assert_equality ("{\"a\":1,\"b\":[2,{}]}", "{\"b\":[2,{}],\"a\":1}", true);
  assert_equality ("[1,2]", "[2,1]", false);
  assert_equality ("{\"a\":1}", "{\"a\":1,\"b\":2}", false);
  assert_equality ("\"1\"", "1", false);
  assert_equality ("null", "false", false);
  assert_true (json_doc_equal (NULL, NULL));
  assert_true (json_doc_equal (NULL, null));
  json_doc_free (null);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_building),
    cmocka_unit_test (test_what_json_lacks),
    cmocka_unit_test (test_reading),
    cmocka_unit_test (test_of_another_kind),
    cmocka_unit_test (test_equal),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
