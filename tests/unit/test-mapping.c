/* test-mapping.c - event/mapping writes records as their rows say.
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

#include "event/mapping.h"

static const char line[]
  = "{\"email\":\"a@b.c\",\"firstName\":\"J\\u00e9\\\"\",\"lastName\":\"Doe\","
    "\"score\":12345678901234567890.10,\"levelsPlayed\":\"7\","
    "\"played\":true,\"optinNewsletter\":\"Yes\",\"cp\":\"007\","
    "\"town\":null,\"code\":\"\",\"customText\":[1, \"x\"],"
    "\"address\":{\"a\":\"b\\n\"},\"timeTaken\":1,\"id\":\"\\u0031\\u0032\"}";

struct fixture {
  struct arena *arena;
  struct catalogue *catalogue;
  struct event *event;
};

static int
setup (void **state)
{
  static struct fixture fixture;
  struct event_reader *reader = event_reader_new ("acme");
  struct event_error error;

  fixture.arena = arena_new (0);
  fixture.catalogue = catalogue_new ();
  assert_int_equal (event_reader_read (reader, line, sizeof line - 1,
                                       &fixture.event, &error), 0);
  event_reader_free (reader);
  *state = &fixture;
  return 0;
}

static int
teardown (void **state)
{
  struct fixture *fixture = *state;

  event_release (fixture->event);
  catalogue_free (fixture->catalogue);
  arena_free (fixture->arena);
  return 0;
}

static void
add (struct fixture *fixture, struct mapping *mapping,
     struct mapping_row row)
{
  char reason[200] = "";

  if (mapping_add (mapping, &row, fixture->catalogue, reason) != 0)
    fail_msg ("%s", reason);
}

static void
assert_writes (struct fixture *fixture, const struct mapping *mapping,
               unsigned flags, const char *expected)
{
  struct buf out = BUF_INIT (0);
  char reason[200] = "";

  buf_add_text (&out, "before");
  if (mapping_write (mapping, fixture->event, flags, &out, reason) != 0)
    fail_msg ("%s", reason);
  assert_string_equal (out.data + 6, expected);
  buf_done (&out);
}

/* One row "t"; NULL: refused with a reason. */
static void
assert_row (void **state, struct mapping_row row, const char *expected,
            const char *expected_text)
{
  struct fixture *fixture = *state;
  struct mapping *mapping = mapping_new (fixture->arena, false);

  row.target = "t";
  add (fixture, mapping, row);
  assert_writes (fixture, mapping, 0, expected);
  assert_writes (fixture, mapping, MAPPING_TEXT, expected_text);
}

static void
assert_fails (void **state, struct mapping_row row, const char *expected)
{
  struct fixture *fixture = *state;
  struct mapping *mapping = mapping_new (fixture->arena, false);
  struct buf out = BUF_INIT (0);
  char reason[200] = "";

  row.target = "t";
  add (fixture, mapping, (struct mapping_row) { .target = "a",
                                                .value = "x" });
  add (fixture, mapping, row);
  buf_add_text (&out, "before");
  assert_int_equal (mapping_write (mapping, fixture->event, 0, &out,
                                   reason), -1);
  assert_string_equal (out.data, "before");
  assert_string_equal (reason, expected);
  buf_done (&out);
}

#define ROW(...) (struct mapping_row) { __VA_ARGS__ }

static void
test_as_is (void **state)
{
  assert_row (state, ROW (.source = "email"), "{\"t\":\"a@b.c\"}",
              "{\"t\":\"a@b.c\"}");
  assert_row (state, ROW (.source = "firstName"),
              "{\"t\":\"J\\u00e9\\\"\"}", "{\"t\":\"J\\u00e9\\\"\"}");
  assert_row (state, ROW (.source = "score"),
              "{\"t\":12345678901234567890.10}",
              "{\"t\":\"12345678901234567890.10\"}");
  assert_row (state, ROW (.source = "played"), "{\"t\":true}",
              "{\"t\":\"true\"}");
  assert_row (state, ROW (.source = "code"), "{\"t\":\"\"}",
              "{\"t\":\"\"}");
  assert_row (state, ROW (.source = "customText"), "{\"t\":[1, \"x\"]}",
              "{\"t\":\"[1, \\\"x\\\"]\"}");
  assert_row (state, ROW (.source = "address"),
              "{\"t\":{\"a\":\"b\\n\"}}",
              "{\"t\":\"{\\\"a\\\":\\\"b\\\\n\\\"}\"}");
}

static void
test_as_string (void **state)
{
  assert_row (state, ROW (.source = "timeTaken", .as = MAPPING_STRING),
              "{\"t\":\"1\"}", "{\"t\":\"1\"}");
  assert_row (state, ROW (.source = "played", .as = MAPPING_STRING),
              "{\"t\":\"true\"}", "{\"t\":\"true\"}");
  assert_row (state, ROW (.source = "customText", .as = MAPPING_STRING),
              "{\"t\":\"[1, \\\"x\\\"]\"}", "{\"t\":\"[1, \\\"x\\\"]\"}");
  assert_row (state, ROW (.source = "firstName", .as = MAPPING_STRING),
              "{\"t\":\"J\\u00e9\\\"\"}", "{\"t\":\"J\\u00e9\\\"\"}");
}

static void
test_as_number (void **state)
{
  assert_row (state, ROW (.source = "score", .as = MAPPING_NUMBER),
              "{\"t\":12345678901234567890.10}",
              "{\"t\":\"12345678901234567890.10\"}");
  assert_row (state, ROW (.source = "levelsPlayed", .as = MAPPING_NUMBER),
              "{\"t\":7}", "{\"t\":\"7\"}");
  assert_row (state, ROW (.source = "id", .as = MAPPING_NUMBER),
              "{\"t\":12}", "{\"t\":\"12\"}");
  assert_row (state, ROW (.template = "{{levelsPlayed}}{{id}}",
                          .as = MAPPING_NUMBER),
              "{\"t\":712}", "{\"t\":\"712\"}");
  assert_fails (state, ROW (.source = "cp", .as = MAPPING_NUMBER),
                "t: cp does not read as number");
  assert_fails (state, ROW (.source = "email", .as = MAPPING_NUMBER,
                            .fallback = "0"),
                "t: email does not read as number");
  assert_fails (state, ROW (.source = "played", .as = MAPPING_NUMBER),
                "t: played does not read as number");
  assert_fails (state, ROW (.source = "customText", .as = MAPPING_NUMBER),
                "t: customText does not read as number");
  assert_fails (state, ROW (.template = "{{email}}", .as = MAPPING_NUMBER),
                "t: its template does not read as number");
}

static void
test_as_boolean (void **state)
{
  assert_row (state, ROW (.source = "played", .as = MAPPING_BOOLEAN),
              "{\"t\":true}", "{\"t\":\"true\"}");
  assert_row (state, ROW (.source = "timeTaken", .as = MAPPING_BOOLEAN),
              "{\"t\":true}", "{\"t\":\"true\"}");
  assert_row (state, ROW (.source = "optinNewsletter",
                          .as = MAPPING_BOOLEAN),
              "{\"t\":true}", "{\"t\":\"true\"}");
  assert_row (state, ROW (.value = "off", .as = MAPPING_BOOLEAN),
              "{\"t\":false}", "{\"t\":\"false\"}");
  assert_fails (state, ROW (.source = "email", .as = MAPPING_BOOLEAN),
                "t: email does not read as boolean");
  assert_fails (state, ROW (.source = "code", .as = MAPPING_BOOLEAN),
                "t: code does not read as boolean");
  assert_fails (state, ROW (.source = "levelsPlayed",
                            .as = MAPPING_BOOLEAN),
                "t: levelsPlayed does not read as boolean");
}

static void
test_missing (void **state)
{
  assert_row (state, ROW (.source = "town"), "{}", "{}");
  assert_row (state, ROW (.source = "gender"), "{}", "{}");
  assert_row (state, ROW (.source = "town", .missing = MAPPING_NULL),
              "{\"t\":null}", "{\"t\":null}");
  assert_row (state, ROW (.source = "gender", .fallback = "0",
                          .missing = MAPPING_FAIL),
              "{\"t\":\"0\"}", "{\"t\":\"0\"}");
  assert_row (state, ROW (.source = "town", .fallback = "0",
                          .as = MAPPING_NUMBER),
              "{\"t\":0}", "{\"t\":\"0\"}");
  assert_row (state, ROW (.source = "code", .fallback = "0"),
              "{\"t\":\"\"}", "{\"t\":\"\"}");
  assert_row (state, ROW (.template = "{{town}}"), "{}", "{}");
  assert_row (state, ROW (.template = "{{town}}", .fallback = "none"),
              "{\"t\":\"none\"}", "{\"t\":\"none\"}");
  assert_fails (state, ROW (.source = "town", .missing = MAPPING_FAIL),
                "t: the event has no town");
  assert_fails (state, ROW (.template = "{{town}}",
                            .missing = MAPPING_FAIL),
                "t: its template has no text");
}

/* Rows of which the event has nothing stay in a whole record. */
static void
test_whole (void **state)
{
  struct fixture *fixture = *state;
  struct mapping *mapping = mapping_new (fixture->arena, true);

  add (fixture, mapping, ROW (.target = "a", .source = "town"));
  add (fixture, mapping, ROW (.target = "b.c", .template = "{{town}}"));
  add (fixture, mapping, ROW (.target = "b.d", .source = "town",
                              .as = MAPPING_NUMBER));
  add (fixture, mapping, ROW (.target = "e", .source = "town",
                              .missing = MAPPING_NULL));
  add (fixture, mapping, ROW (.target = "f", .source = "town",
                              .fallback = "x"));
  assert_writes (fixture, mapping, MAPPING_WHOLE,
                 "{\"a\":null,\"b\":{\"c\":null,\"d\":null},\"e\":null,"
                 "\"f\":\"x\"}");
  assert_writes (fixture, mapping, MAPPING_WHOLE | MAPPING_TEXT,
                 "{\"a\":\"\",\"b\":{\"c\":\"\",\"d\":\"\"},\"e\":null,"
                 "\"f\":\"x\"}");
  add (fixture, mapping, ROW (.target = "g", .source = "town",
                              .missing = MAPPING_FAIL));
  {
    struct buf out = BUF_INIT (0);
    char reason[200] = "";

    assert_int_equal (mapping_write (mapping, fixture->event, MAPPING_WHOLE,
                                     &out, reason),
                      -1);
    assert_string_equal (reason, "g: the event has no town");
    buf_done (&out);
  }
}

static void
test_values_and_templates (void **state)
{
  assert_row (state, ROW (.value = "12\"\n"), "{\"t\":\"12\\\"\\n\"}",
              "{\"t\":\"12\\\"\\n\"}");
  assert_row (state, ROW (.value = ""), "{\"t\":\"\"}", "{\"t\":\"\"}");
  assert_row (state, ROW (.value = "-1.50", .as = MAPPING_NUMBER),
              "{\"t\":-1.50}", "{\"t\":\"-1.50\"}");
  assert_row (state, ROW (.template = "{{firstName}} {{lastName}}"),
              "{\"t\":\"J\xc3\xa9\\\" Doe\"}",
              "{\"t\":\"J\xc3\xa9\\\" Doe\"}");
}

/* Order kept, what is left out leaves no comma. */
static void
test_order (void **state)
{
  struct fixture *fixture = *state;
  struct mapping *mapping = mapping_new (fixture->arena, false);

  assert_writes (fixture, mapping, 0, "{}");
  add (fixture, mapping, ROW (.target = "gone", .source = "town"));
  add (fixture, mapping, ROW (.target = "z", .source = "email"));
  add (fixture, mapping, ROW (.target = "gone too", .source = "gender"));
  add (fixture, mapping, ROW (.target = "a.b\"", .value = "1"));
  add (fixture, mapping, ROW (.target = "gone last", .source = "town"));
  assert_writes (fixture, mapping, 0,
                 "{\"z\":\"a@b.c\",\"a.b\\\"\":\"1\"}");
  assert_int_equal (mapping_count (mapping), 5);
  assert_string_equal (mapping_target (mapping, 1), "z");
  assert_null (mapping_target (mapping, 5));
  assert_true (mapping_has (mapping, "a.b\""));
  assert_false (mapping_has (mapping, "a"));
}

static void
test_nested (void **state)
{
  struct fixture *fixture = *state;
  struct mapping *mapping = mapping_new (fixture->arena, true);

  add (fixture, mapping, ROW (.target = "p.email", .source = "email"));
  add (fixture, mapping, ROW (.target = "x", .value = "1"));
  add (fixture, mapping, ROW (.target = "p.home.town", .source = "town"));
  add (fixture, mapping, ROW (.target = "p.last", .source = "lastName"));
  add (fixture, mapping, ROW (.target = "e.f.g", .source = "town"));
  add (fixture, mapping, ROW (.target = "e.f.h", .source = "gender"));
  assert_writes (fixture, mapping, 0,
                 "{\"p\":{\"email\":\"a@b.c\",\"last\":\"Doe\"},"
                 "\"x\":\"1\"}");
  add (fixture, mapping, ROW (.target = "e.i", .source = "town",
                              .missing = MAPPING_NULL));
  assert_writes (fixture, mapping, 0,
                 "{\"p\":{\"email\":\"a@b.c\",\"last\":\"Doe\"},"
                 "\"x\":\"1\",\"e\":{\"i\":null}}");
  assert_true (mapping_has (mapping, "p.home.town"));
  assert_false (mapping_has (mapping, "p.home"));
}

static void
assert_refused (struct fixture *fixture, struct mapping *mapping,
                struct mapping_row row, const char *expected)
{
  size_t before = mapping_count (mapping);
  char reason[200] = "";

  assert_int_equal (mapping_add (mapping, &row, fixture->catalogue, reason),
                    -1);
  assert_string_equal (reason, expected);
  assert_int_equal (mapping_count (mapping), before);
}

static void
test_refused (void **state)
{
  struct fixture *fixture = *state;
  struct mapping *mapping = mapping_new (fixture->arena, true);

  add (fixture, mapping, ROW (.target = "a.b", .value = "1"));
  assert_refused (fixture, mapping, ROW (.target = "a.b", .value = "2"),
                  "a.b is mapped twice");
  assert_refused (fixture, mapping, ROW (.target = "a", .value = "2"),
                  "a is mapped both as a value and as an object");
  assert_refused (fixture, mapping, ROW (.target = "a.b.c", .value = "2"),
                  "a.b is mapped both as a value and as an object");
  assert_refused (fixture, mapping, ROW (.target = "", .value = "2"),
                  "a target has no name");
  assert_refused (fixture, mapping, ROW (.target = "c..d", .value = "2"),
                  "c..d is no target name");
  assert_refused (fixture, mapping, ROW (.target = ".c", .value = "2"),
                  ".c is no target name");
  assert_refused (fixture, mapping, ROW (.target = "c.", .value = "2"),
                  "c. is no target name");
  assert_refused (fixture, mapping,
                  ROW (.target = "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a",
                       .value = "2"),
                  "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a is no target name");
  assert_refused (fixture, mapping, ROW (.target = "c", .source = "emial"),
                  "unknown source field emial for c; did you mean email?");
  assert_refused (fixture, mapping, ROW (.target = "c",
                                         .template = "{{emial}}"),
                  "unknown source field emial; did you mean email?");
  assert_refused (fixture, mapping, ROW (.target = "c"),
                  "c needs one of source, value and template");
  assert_refused (fixture, mapping, ROW (.target = "c", .value = "x",
                                         .source = "email"),
                  "c needs one of source, value and template");
  assert_refused (fixture, mapping, ROW (.target = "c", .value = "007",
                                         .as = MAPPING_NUMBER),
                  "the value of c does not read as number");
  assert_refused (fixture, mapping,
                  ROW (.target = "c", .source = "email", .fallback = "maybe",
                       .as = MAPPING_BOOLEAN),
                  "the default of c does not read as boolean");
  assert_writes (fixture, mapping, 0, "{\"a\":{\"b\":\"1\"}}");

  /* Without nesting a dot is a character like others. */
  mapping = mapping_new (fixture->arena, false);
  add (fixture, mapping, ROW (.target = "a.b", .value = "1"));
  add (fixture, mapping, ROW (.target = "a", .value = "2"));
  add (fixture, mapping, ROW (.target = ".", .value = "3"));
  assert_refused (fixture, mapping, ROW (.target = "a.b", .value = "2"),
                  "a.b is mapped twice");
}

static void
test_long_names (void **state)
{
  struct fixture *fixture = *state;
  struct mapping *mapping = mapping_new (fixture->arena, true);
  char reason[200];
  char target[3000];

  memset (target, 'x', sizeof target - 1);
  target[sizeof target - 1] = '\0';
  add (fixture, mapping, ROW (.target = target, .value = "1"));
  assert_int_equal (mapping_add (mapping, &ROW (.target = target,
                                                .value = "1"),
                                 fixture->catalogue, reason), -1);
  target[2500] = '.';
  add (fixture, mapping, ROW (.target = target, .value = "1"));
  target[2500] = '\0';
  assert_int_equal (mapping_add (mapping, &ROW (.target = target,
                                                .value = "1"),
                                 fixture->catalogue, reason), -1);
  assert_int_equal (mapping_add (mapping, &ROW (.target = "a",
                                                .source = target),
                                 fixture->catalogue, reason), -1);
}

/* A reason names row and field, never what the participant gave. */
static void
test_reasons_quote_nothing (void **state)
{
  struct fixture *fixture = *state;
  struct mapping *mapping = mapping_new (fixture->arena, false);
  struct buf out = BUF_INIT (0);
  char reason[200];

  add (fixture, mapping, ROW (.target = "t", .template = "{{email}}",
                              .as = MAPPING_BOOLEAN));
  assert_int_equal (mapping_write (mapping, fixture->event, 0, &out,
                                   reason), -1);
  assert_null (strstr (reason, "a@b.c"));
  buf_done (&out);
}

static void
assert_target_text (struct fixture *fixture, const struct mapping *mapping,
                    const char *target, const char *expected)
{
  struct buf out = BUF_INIT (0);

  buf_add_text (&out, "1");
  mapping_add_text (mapping, target, fixture->event, &out);
  assert_string_equal (out.data + 1, expected);
  buf_done (&out);
}

static void
test_text_of_a_target (void **state)
{
  struct fixture *fixture = *state;
  struct mapping *mapping = mapping_new (fixture->arena, true);

  add (fixture, mapping, ROW (.target = "a.b", .source = "firstName"));
  add (fixture, mapping, ROW (.target = "c", .value = "x\"y"));
  add (fixture, mapping, ROW (.target = "d", .template = "<{{score}}>"));
  add (fixture, mapping, ROW (.target = "e", .source = "town"));
  add (fixture, mapping, ROW (.target = "f", .source = "town",
                              .fallback = "none"));
  add (fixture, mapping, ROW (.target = "g", .source = "optinNewsletter",
                              .as = MAPPING_BOOLEAN));
  add (fixture, mapping, ROW (.target = "h", .source = "code",
                              .fallback = "none"));
  assert_target_text (fixture, mapping, "a.b", "J\xc3\xa9\"");
  assert_target_text (fixture, mapping, "c", "x\"y");
  assert_target_text (fixture, mapping, "d", "<12345678901234567890.10>");
  assert_target_text (fixture, mapping, "e", "");
  assert_target_text (fixture, mapping, "f", "none");
  assert_target_text (fixture, mapping, "g", "true");
  assert_target_text (fixture, mapping, "h", "");
  assert_target_text (fixture, mapping, "absent", "");
}

/* Past the buffer's ceiling nothing breaks. */
static void
test_ceiling (void **state)
{
  struct fixture *fixture = *state;
  struct mapping *mapping = mapping_new (fixture->arena, true);
  char reason[200];

  add (fixture, mapping, ROW (.target = "a.b", .source = "firstName"));
  add (fixture, mapping, ROW (.target = "a.c", .source = "town"));
  add (fixture, mapping, ROW (.target = "d.c", .source = "town"));
  for (size_t ceiling = 1; ceiling < 30; ceiling++) {
    struct buf out = BUF_INIT (ceiling);

    mapping_write (mapping, fixture->event, 0, &out, reason);
    assert_true (out.len <= ceiling);
    buf_done (&out);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_as_is),
    cmocka_unit_test (test_as_string),
    cmocka_unit_test (test_as_number),
    cmocka_unit_test (test_as_boolean),
    cmocka_unit_test (test_missing),
    cmocka_unit_test (test_whole),
    cmocka_unit_test (test_values_and_templates),
    cmocka_unit_test (test_order),
    cmocka_unit_test (test_nested),
    cmocka_unit_test (test_refused),
    cmocka_unit_test (test_long_names),
    cmocka_unit_test (test_reasons_quote_nothing),
    cmocka_unit_test (test_text_of_a_target),
    cmocka_unit_test (test_ceiling),
  };

  return cmocka_run_group_tests (tests, setup, teardown);
}
