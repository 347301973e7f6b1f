/* test-template.c - event/template fills in fields and reads them once.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "event/template.h"

static const char line[]
  = "{\"firstName\":\"J\\u00e9\",\"lastName\":\"<b>&\\\"'\","
    "\"email\":\"{{firstName}}\",\"score\":12.50,\"played\":true,"
    "\"town\":null,\"customText\":[1,\"<p>\"],\"username\":\"<\\u003c\"}";

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
assert_fills (struct fixture *fixture, const char *text, bool is_html,
              const char *expected)
{
  char reason[200] = "";
  struct buf out = BUF_INIT (0);
  struct template *template = template_new (fixture->arena, text, is_html,
                                            fixture->catalogue, reason);

  assert_string_equal (reason, "");
  assert_non_null (template);
  template_write (template, fixture->event, &out);
  assert_string_equal (out.data, expected);
  buf_done (&out);
}

static void
assert_refused (struct fixture *fixture, const char *text,
                const char *expected)
{
  char reason[200] = "";

  assert_null (template_new (fixture->arena, text, false,
                             fixture->catalogue, reason));
  assert_string_equal (reason, expected);
}

static void
test_text (void **state)
{
  assert_fills (*state, "Hi {{firstName}}!", false, "Hi J\xc3\xa9!");
  assert_fills (*state, "{{ firstName }}{{\tscore\n}}", false,
                "J\xc3\xa9" "12.50");
  assert_fills (*state, "{{played}} {{town}}{{cp}}.", false, "true .");
  assert_fills (*state, "{{customText}}", false, "[1,\"<p>\"]");
  assert_fills (*state, "{{lastName}}", false, "<b>&\"'");
  assert_fills (*state, "", false, "");
}

static void
test_braces_that_are_text (void **state)
{
  assert_fills (*state, "{ } {x} }} }}} { {", false, "{ } {x} }} }}} { {");
  assert_fills (*state, "{\"a\":{\"b\":{{score}}}}", false,
                "{\"a\":{\"b\":12.50}}");
  assert_fills (*state, "%s%n{{score}}%d", false, "%s%n12.50%d");
}

static void
test_html (void **state)
{
  struct buf expected = BUF_INIT (0);

  assert_fills (*state, "<i>{{firstName}}</i>", true,
                "<i>J\xc3\xa9</i>");
  assert_fills (*state, "{{{lastName}}}", true, "<b>&\"'");
  assert_fills (*state, "{{{ lastName }}}", false, "<b>&\"'");
  assert_fills (*state, "{{username}}", true, "&lt;&lt;");
  assert_fills (*state, "{{town}}{{cp}}", true, "");
  buf_add_text (&expected, "&lt;b&gt;&amp;");
  {
    struct fixture *fixture = *state;
    char reason[200];
    struct buf out = BUF_INIT (0);
    struct template *template = template_new (fixture->arena,
                                              "{{lastName}}{{customText}}",
                                              true, fixture->catalogue,
                                              reason);

    template_write (template, fixture->event, &out);
    assert_memory_equal (out.data, expected.data, expected.len);
    assert_null (strpbrk (out.data, "<>\"'"));
    buf_done (&out);
  }
  buf_done (&expected);
}

/* What a participant wrote is no template. */
static void
test_values_are_not_read (void **state)
{
  assert_fills (*state, "{{email}}", false, "{{firstName}}");
  assert_fills (*state, "{{{email}}}", true, "{{firstName}}");
}

static void
test_refused (void **state)
{
  assert_refused (*state, "a {{firstName", "{{ is not closed by }}");
  assert_refused (*state, "a {{firstName}", "{{ is not closed by }}");
  assert_refused (*state, "{{{firstName}}", "{{{ is not closed by }}}");
  assert_refused (*state, "{{fistName}}",
                  "unknown source field fistName; did you mean firstName?");
  assert_refused (*state, "{{City}}",
                  "unknown source field City; did you mean town?");
  assert_refused (*state, "{{quixoticZebra}}",
                  "unknown source field quixoticZebra");
  assert_refused (*state, "{{ }}",
                  "{{}} names no source field; write {{firstName}}");
  assert_refused (*state, "{{a\nb}}",
                  "what stands between {{ and }} is no source field");
  assert_refused (*state, "{{first {{firstName}}",
                  "unknown source field first {{firstName");
}

static void
test_long_key (void **state)
{
  struct fixture *fixture = *state;
  struct buf text = BUF_INIT (0);
  char reason[200] = "";

  buf_add_text (&text, "{{");
  for (int i = 0; i < 10000; i++)
    buf_add_text (&text, "\xe2\x82\xac");
  buf_add_text (&text, "}}");
  assert_null (template_new (fixture->arena, text.data, true,
                             fixture->catalogue, reason));
  assert_true (strlen (reason) > 0);
  buf_done (&text);
}

static void
test_constant (void **state)
{
  struct fixture *fixture = *state;
  char reason[200];

  assert_true (template_is_constant (
    template_new (fixture->arena, "Acme {x}", false, fixture->catalogue,
                  reason)));
  assert_true (template_is_constant (
    template_new (fixture->arena, "", false, fixture->catalogue, reason)));
  assert_false (template_is_constant (
    template_new (fixture->arena, "Acme {{town}}", false,
                  fixture->catalogue, reason)));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_text),
    cmocka_unit_test (test_braces_that_are_text),
    cmocka_unit_test (test_html),
    cmocka_unit_test (test_values_are_not_read),
    cmocka_unit_test (test_refused),
    cmocka_unit_test (test_long_key),
    cmocka_unit_test (test_constant),
  };

  return cmocka_run_group_tests (tests, setup, teardown);
}
