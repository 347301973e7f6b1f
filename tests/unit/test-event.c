/* test-event.c - event/event takes CloudEvents and refuses the rest.
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

#include "base/date.h"
#include "event/event.h"

#define HEAD "{\"specversion\":\"1.0\",\"id\":\"a1\",\"source\":\"urn:x\"," \
             "\"type\":\"t\",\"workspace\":\"acme\""

static struct event *
read_event (const char *text, const char *workspace)
{
  struct event_reader *reader = event_reader_new (workspace);
  struct event_error error = { "" };
  struct event *event = NULL;

  if (event_reader_read (reader, text, strlen (text), &event, &error) != 0)
    print_message ("# %s\n", error.reason);
  assert_non_null (event);
  event_reader_free (reader);
  return event;
}

static void
assert_refused_of (const char *text, size_t len, const char *reason)
{
  struct event_reader *reader = event_reader_new (NULL);
  struct event_error error = { "" };
  struct event *event = NULL;

  assert_int_equal (event_reader_read (reader, text, len, &event, &error),
                    -1);
  assert_null (event);
  if (strstr (error.reason, reason) == NULL)
    assert_string_equal (error.reason, reason);
  event_reader_free (reader);
}

static void
assert_refused (const char *text, const char *reason)
{
  assert_refused_of (text, strlen (text), reason);
}

static void
assert_text (const struct event *event, const char *key, const char *text)
{
  struct buf out = BUF_INIT (0);

  event_add_field_text (event, key, strlen (key), &out);
  assert_string_equal (out.data, text);
  buf_done (&out);
}

static void
assert_json (const struct event *event, const char *only_for,
             const char *json)
{
  struct buf out = BUF_INIT (0);

  event_add_json (event, only_for, &out);
  assert_string_equal (out.data, json);
  buf_done (&out);
}

static void
test_attributes (void **state)
{
  struct event *event = read_event (
    " \n{\"data\":{},\"workspace\":\"ac\\u006de\",\"type\":\"t\\\"\","
    "\"time\":\"2026-11-23T08:15:30.5+01:00\",\"source\":\"/s\","
    "\"id\":\"\xc3\xa9\",\"specversion\":\"1.0\",\"dataschema\":\"urn:d\","
    "\"subject\":\"who\",\"ext1\":1,\"ext2\":true,\"ext3\":null,"
    "\"datacontenttype\":\"Application/JSON; charset=utf-8\"}\r\n", NULL);

  (void) state;
  assert_string_equal (event_id (event), "\xc3\xa9");
  assert_string_equal (event_source (event), "/s");
  assert_string_equal (event_type (event), "t\"");
  assert_string_equal (event_workspace (event), "acme");
  assert_string_equal (event_only_for (event), "");
  assert_int_equal (event_time_ms (event), INT64_C (1795418130500));
  assert_true (event_memory (event) > 200);
  event_release (event);
  event_release (NULL);
}

static void
test_fields (void **state)
{
  struct event *event = read_event (
    HEAD ",\"data\":{\"email\":\"a@b.c\",\"firstName\":\"J\\u00e9\\n\","
    "\"score\":12.50,\"played\":true,\"cp\":null,\"town\":\"\","
    "\"customText\":[1, \"x\"],\"last\\u004eame\":\"Doe\",\"\":0,"
    "\"unknown member\":{\"a\":{}}}}", NULL);
  const struct event_value *value;

  (void) state;
  assert_text (event, "email", "a@b.c");
  assert_text (event, "firstName", "J\xc3\xa9\n");
  assert_text (event, "score", "12.50");
  assert_text (event, "played", "true");
  assert_text (event, "cp", "");
  assert_text (event, "customText", "[1, \"x\"]");
  assert_text (event, "lastName", "Doe");
  assert_text (event, "unknown member", "{\"a\":{}}");
  assert_text (event, "id", "");
  assert_text (event, "emai", "");
  value = event_field (event, "cp", 2);
  assert_int_equal (value->kind, JSON_NULL);
  value = event_field (event, "firstName", 9);
  assert_int_equal (value->kind, JSON_STRING);
  assert_true (value->has_escapes);
  assert_memory_equal (value->text, "J\\u00e9\\n", value->len);
  assert_non_null (event_field (event, "", 0));
  assert_null (event_field (event, "absent", 6));
  assert_true (event_has (event, "email", 5));
  assert_true (event_has (event, "score", 5));
  assert_false (event_has (event, "cp", 2));
  assert_false (event_has (event, "town", 4));
  assert_false (event_has (event, "absent", 6));
  event_release (event);
}

/* An event outlives its reader, its text and all owners but one. */
static void
test_owners (void **state)
{
  struct event_reader *reader = event_reader_new (NULL);
  char *text = strdup (HEAD ",\"data\":{\"email\":\"x\"}}");
  struct event_error error;
  struct event *event, *other;

  (void) state;
  assert_int_equal (event_reader_read (reader, text, strlen (text), &event,
                                       &error), 0);
  memset (text, 'z', strlen (text));
  free (text);
  assert_int_equal (event_reader_read (reader, "{", 1, &other, &error), -1);
  event_reader_free (reader);
  event_reader_free (NULL);
  assert_ptr_equal (event_hold (event), event);
  event_release (event);
  assert_text (event, "email", "x");
  event_release (event);
}

static void
test_not_json (void **state)
{
  struct buf deep = BUF_INIT (0);

  (void) state;
  assert_refused ("", "not JSON at byte 1");
  assert_refused ("nonsense", "not JSON at byte ");
  assert_refused (HEAD ",\"data\":{}", "not JSON at byte ");
  assert_refused (HEAD "} x", "not JSON at byte ");
  assert_refused ("  {\"a\":x}", "not JSON at byte 8: ");
  assert_refused (HEAD ",\"data\":{\"a\":1,\"a\":2}}", "not JSON at byte ");
  assert_refused (HEAD ",\"id\":\"b\"}", "not JSON at byte ");
  assert_refused (HEAD ",\"data\":{\"a\":\"\xff\"}}", "not JSON at byte ");
  assert_refused (HEAD ",\"data\":{\"a\":\"\xed\xa0\x80\"}}", "not JSON at");
  assert_refused_of (HEAD "\0}", sizeof HEAD "\0}" - 1, "not JSON at byte ");
  assert_refused ("[]", "is not an object");
  assert_refused ("\"specversion\"", "is not an object");
  for (int i = 0; i < 1 << 20; i++)
    buf_add_char (&deep, '[');
  assert_refused_of (deep.data, deep.len, "not JSON at byte 65");
  buf_done (&deep);
}

static void
test_not_a_cloudevent (void **state)
{
  (void) state;
  assert_refused ("{\"a\":1}", "--workspace");
  assert_refused ("{\"specversion\":\"0.3\"}", "specversion is not 1.0");
  assert_refused ("{\"specversion\":1.0}", "specversion is not a string");
  assert_refused ("{\"specversion\":null}", "specversion is not 1.0");
  assert_refused ("{\"specversion\":\"1.0\"}", "id is missing");
  assert_refused ("{\"specversion\":\"1.0\",\"id\":\"\"}", "id is empty");
  assert_refused ("{\"specversion\":\"1.0\",\"id\":null}", "id is missing");
  assert_refused ("{\"specversion\":\"1.0\",\"id\":7}",
                  "id is not a string");
  assert_refused ("{\"specversion\":\"1.0\",\"id\":\"a\\nb\"}",
                  "id has a control character");
  assert_refused ("{\"specversion\":\"1.0\",\"id\":\"a\"}",
                  "source is missing");
  assert_refused ("{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\"}",
                  "type is missing");
  assert_refused ("{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\","
                  "\"type\":\"t\"}", "workspace is missing");
  assert_refused ("{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\","
                  "\"type\":\"t\",\"workspace\":[]}",
                  "workspace is not a string");
}

static void
test_bad_attributes (void **state)
{
  (void) state;
  assert_refused (HEAD ",\"time\":\"yesterday\"}", "time is no RFC 3339");
  assert_refused (HEAD ",\"time\":1}", "time is not a string");
  assert_refused (HEAD ",\"datacontenttype\":\"text/plain\"}",
                  "datacontenttype is not JSON");
  assert_refused (HEAD ",\"datacontenttype\":\"\"}",
                  "datacontenttype is not JSON");
  assert_refused (HEAD ",\"data\":\"x\"}", "data is not an object");
  assert_refused (HEAD ",\"data\":null}", "data is not an object");
  assert_refused (HEAD ",\"data\":[{}]}", "data is not an object");
  assert_refused (HEAD ",\"data_base64\":\"QQ==\"}", "data_base64 is not");
  assert_refused (HEAD ",\"ext\":{}}",
                  "attribute ext is not a string, number or boolean");
  assert_refused (HEAD ",\"Ext\":1}", "an attribute's name");
  assert_refused (HEAD ",\"\":1}", "an attribute's name");
  assert_refused (HEAD ",\"heraldto\":7}", "heraldto is not a string");
  assert_refused (HEAD ",\"subject\":7}", "subject is not a string");
}

/* A reason is for operators and logs: no value, no foreign key. */
static void
test_reasons_quote_nothing (void **state)
{
  static const char *const bad[] = {
    HEAD ",\"jane@doe.example\":1}", HEAD ",\"time\":\"jane@doe.example\"}",
    HEAD ",\"data\":\"jane@doe.example\"}",
    HEAD ",\"data\":{\"jane@doe.example\":1,\"jane@doe.example\":1}}",
    HEAD ",\"datacontenttype\":\"jane@doe.example\"}",
    "{\"specversion\":\"jane@doe.example\"}",
  };

  (void) state;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct event_reader *reader = event_reader_new (NULL);
    struct event_error error = { "" };
    struct event *event;

    assert_int_equal (event_reader_read (reader, bad[i], strlen (bad[i]),
                                         &event, &error), -1);
    assert_null (strstr (error.reason, "jane"));
    assert_true (strlen (error.reason) > 0);
    event_reader_free (reader);
  }
}

static void
test_data_alone (void **state)
{
  struct event *event, *other;
  struct buf out = BUF_INIT (0);
  struct event *again;

  (void) state;
  date_set_now (INT64_C (1795418130500));
  event = read_event ("{\"email\":\"a@b.c\",\n\"id\":7}", "ac\"me");
  other = read_event ("{}", "acme");
  date_set_now (-1);
  assert_int_equal (strlen (event_id (event)), 36);
  assert_string_not_equal (event_id (event), event_id (other));
  assert_string_equal (event_source (event), "urn:herald:send");
  assert_string_equal (event_type (event), "participation");
  assert_string_equal (event_workspace (event), "ac\"me");
  assert_int_equal (event_time_ms (event), INT64_C (1795418130500));
  assert_text (event, "id", "7");

  event_add_json (event, "crm", &out);
  assert_null (strchr (out.data, '\n'));
  again = read_event (out.data, NULL);
  assert_string_equal (event_id (again), event_id (event));
  assert_string_equal (event_source (again), "urn:herald:send");
  assert_string_equal (event_workspace (again), "ac\"me");
  assert_string_equal (event_only_for (again), "crm");
  assert_int_equal (event_time_ms (again), event_time_ms (event));
  assert_text (again, "email", "a@b.c");
  assert_text (again, "id", "7");
  buf_done (&out);
  event_release (again);
  event_release (event);
  event_release (other);
}

static void
test_json (void **state)
{
  struct event *event = read_event (HEAD ",\r\n\"data\":{\"a\":\"\\n\"}}",
                                    NULL);

  (void) state;
  assert_json (event, NULL, HEAD ",  \"data\":{\"a\":\"\\n\"}}");
  assert_json (event, "", HEAD ",  \"data\":{\"a\":\"\\n\"}}");
  assert_json (event, "crm mail",
               "{\"heraldto\":\"crm mail\",\"specversion\":\"1.0\","
               "\"id\":\"a1\",\"source\":\"urn:x\",\"type\":\"t\","
               "\"workspace\":\"acme\",  \"data\":{\"a\":\"\\n\"}}");
  event_release (event);

  event = read_event (HEAD ",\"heraldto\":\"cr\\u006d\",\"x\":1}", NULL);
  assert_string_equal (event_only_for (event), "crm");
  assert_json (event, "mail", HEAD ",\"heraldto\":\"mail\",\"x\":1}");
  assert_json (event, "", HEAD ",\"heraldto\":\"\",\"x\":1}");
  event_release (event);

  /* Written twice it would be a duplicate key. */
  event = read_event (HEAD ",\"heraldto\":null}", NULL);
  assert_string_equal (event_only_for (event), "");
  assert_json (event, "mail", HEAD ",\"heraldto\":\"mail\"}");
  event_release (event);
}

/* One reader, many events: nothing of one shows in the next. */
static void
test_reader_forgets (void **state)
{
  struct event_reader *reader = event_reader_new ("acme");
  struct event_error error;
  struct event *event;
  const char *first = HEAD ",\"heraldto\":\"x\",\"time\":"
                      "\"2026-11-23T08:15:30Z\",\"data\":{\"email\":\"x\"}}";

  (void) state;
  assert_int_equal (event_reader_read (reader, first, strlen (first),
                                       &event, &error), 0);
  event_release (event);
  assert_int_equal (event_reader_read (reader, HEAD "}", strlen (HEAD "}"),
                                       &event, &error), 0);
  assert_string_equal (event_only_for (event), "");
  assert_int_equal (event_time_ms (event), 0);
  assert_null (event_field (event, "email", 5));
  assert_null (event_field (event, "id", 2));
  assert_json (event, NULL, HEAD "}");
  event_release (event);
  assert_int_equal (event_reader_read (reader, "{}", 2, &event, &error), 0);
  assert_string_equal (event_only_for (event), "");
  event_release (event);
  event_reader_free (reader);
}

/* A workspace from outside becomes a part of the event. */
static void
test_lent_workspace (void **state)
{
  static const char lacking[]
    = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\","
      "\"type\":\"t\",\"heraldto\":\"crm\",\"data\":{\"a\\u0062\":\n\"x\"}}";
  static const char null[] = "{\"specversion\":\"1.0\",\"id\":\"1\","
    "\"source\":\"s\",\"type\":\"t\",\"workspace\":null}";
  struct event_reader *reader = event_reader_new (NULL);
  struct event_error error;
  struct event *event, *again;
  const char *line;
  size_t len;

  (void) state;
  event_reader_lend (reader, "ac\"me");
  assert_int_equal (event_reader_read (reader, lacking, strlen (lacking),
                                       &event, &error), 0);
  assert_string_equal (event_workspace (event), "ac\"me");
  line = event_line (event, &len);
  assert_int_equal (strlen (line), len);
  assert_null (strchr (line, '\n'));
  assert_json (event, NULL, line);
  event_reader_lend (reader, NULL);
  assert_int_equal (event_reader_read (reader, line, len, &again, &error), 0);
  assert_string_equal (event_workspace (again), "ac\"me");
  assert_memory_equal (event_field (again, "ab", 2)->text, "x", 1);
  event_release (again);
  assert_string_equal (event_only_for (event), "crm");
  assert_memory_equal (event_field (event, "ab", 2)->text, "x", 1);
  event_release (event);

  /* Their own workspace stays; null is none, and can't be had twice. */
  event_reader_lend (reader, "lent");
  assert_int_equal (event_reader_read (reader, HEAD "}", strlen (HEAD "}"),
                                       &event, &error), 0);
  assert_string_equal (event_workspace (event), "acme");
  event_release (event);
  assert_int_equal (event_reader_read (reader, null, strlen (null), &event,
                                       &error), -1);
  assert_string_equal (error.reason, "workspace is missing");
  event_reader_lend (reader, NULL);
  assert_int_equal (event_reader_read (reader, lacking, strlen (lacking),
                                       &event, &error), -1);
  assert_string_equal (error.reason, "workspace is missing");
  assert_int_equal (event_reader_read (reader, "{}", 2, &event, &error), -1);
  assert_string_equal (error.reason, "specversion is missing");
  event_reader_free (reader);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_attributes),
    cmocka_unit_test (test_fields),
    cmocka_unit_test (test_owners),
    cmocka_unit_test (test_not_json),
    cmocka_unit_test (test_not_a_cloudevent),
    cmocka_unit_test (test_bad_attributes),
    cmocka_unit_test (test_reasons_quote_nothing),
    cmocka_unit_test (test_data_alone),
    cmocka_unit_test (test_json),
    cmocka_unit_test (test_reader_forgets),
    cmocka_unit_test (test_lent_workspace),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
