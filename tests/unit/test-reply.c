/* test-reply.c - hostile answers, read as plugins read them.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "mock.h"

static struct arena *arena;
static struct reply reply;

static int
setup (void **state)
{
  (void) state;
  arena = arena_new (0);
  return 0;
}

static int
teardown (void **state)
{
  (void) state;
  reply_done (&reply);
  arena_free (arena);
  date_set_now (-1);
  return 0;
}

static const struct herald_reply *
read_text (const char *body)
{
  struct job_answer answer
    = { .status = 200, .body = body, .body_len = strlen (body) };

  reply_init (&reply, NULL, arena, &answer);
  return &reply.shown;
}

static void
test_json (void **state)
{
  const struct herald_reply *r
    = read_text ("{\"results\":[{\"id\":70650219165027410,\"new\":true},"
                 "{\"id\":\"12\",\"s\":\"a\\u00e9\\n\"}],\"none\":null,"
                 "\"real\":1.5,\"huge\":1e400,\"neg\":-1e30}");

  (void) state;
  assert_int_equal (herald->json_kind (r, NULL), HERALD_JSON_OBJECT);
  assert_int_equal (herald->json_kind (r, "results"), HERALD_JSON_ARRAY);
  assert_int_equal (herald->json_kind (r, "results.%zu.new", (size_t) 0),
                    HERALD_JSON_TRUE);
  assert_int_equal (herald->json_kind (r, "none"), HERALD_JSON_NULL);
  assert_int_equal (herald->json_kind (r, "nothing"), HERALD_JSON_NONE);
  assert_int_equal (herald->json_count (r, "results"), 2);
  assert_int_equal (herald->json_count (r, "results.0"), 2);
  assert_int_equal (herald->json_count (r, "none"), 0);
  assert_string_equal (herald->json_text (r, "results.%d.id", 0),
                       "70650219165027410");
  assert_true (herald->json_number (r, "results.0.id") == 70650219165027410);
  assert_int_equal (herald->json_number (r, "results.1.id"), 12);
  assert_string_equal (herald->json_text (r, "results.1.s"), "a\xc3\xa9\n");
  assert_string_equal (herald->json_text (r, "results.0.new"), "true");
  assert_string_equal (herald->json_text (r, "results"), "");
  assert_string_equal (herald->json_text (r, "none"), "");
  assert_string_equal (herald->json_text (r, "results.7.id"), "");
  assert_int_equal (herald->json_number (r, "real"), 1);
  assert_int_equal (herald->json_number (r, "results.1.s"), 0);
  assert_true (herald->json_number (r, "neg") == INT64_MIN);
  assert_true (herald->json_number (r, "huge") == 0);
}

static void
test_no_json (void **state)
{
  static const char *const bodies[]
    = { "", "Forbidden", "{", "{\"a\":1}}", "\xff", "[[[[", "nul" };

  (void) state;
  for (size_t i = 0; i < HERALD_COUNT (bodies); i++) {
    const struct herald_reply *r = read_text (bodies[i]);

    assert_int_equal (herald->json_kind (r, NULL), HERALD_JSON_NONE);
    assert_string_equal (herald->json_text (r, "a"), "");
    assert_int_equal (herald->json_number (r, "a"), 0);
    assert_int_equal (herald->json_count (r, NULL), 0);
    reply_done (&reply);
  }
}

static void
test_long_path (void **state)
{
  const struct herald_reply *r = read_text ("{\"a\":1}");
  char path[2000];

  (void) state;
  memset (path, 'a', sizeof path);
  path[sizeof path - 1] = '\0';
  assert_string_equal (herald->json_text (r, "%s", path), "");
  assert_int_equal (herald->json_kind (r, "%s%s", "a", ""),
                    HERALD_JSON_NUMBER);
}

static void
test_headers (void **state)
{
  static const struct request_header headers[]
    = { { "content-type", "text/html" },
        { "x-message-id", "abc" },
        { "x-reset", "1784111777; w=60" },
        { "x-endless", "99999999999999999999" },
        { "retry-after", "Sun, 06 Nov 1994 08:49:37 GMT" } };
  struct job_answer answer
    = { .status = 429, .headers = headers, .n_headers = 5 };

  (void) state;
  date_set_now (784111777000 - 5000);
  reply_init (&reply, NULL, arena, &answer);
  assert_int_equal (reply.shown.retry_after_ms, 5000);
  assert_string_equal (reply.shown.body, "");
  assert_string_equal (herald->reply_header (&reply.shown, "X-Message-Id"),
                       "abc");
  assert_string_equal (herald->reply_header (&reply.shown, "X-None"), "");
  assert_string_equal (herald->reply_header (&reply.shown, NULL), "");
  assert_int_equal (herald->header_number (&reply.shown, "X-Reset"),
                    1784111777);
  assert_int_equal (herald->header_number (&reply.shown, "X-Endless"),
                    INT64_MAX);
  assert_int_equal (herald->header_number (&reply.shown, "X-Message-Id"), -1);
  assert_int_equal (herald->header_number (&reply.shown, "X-None"), -1);
}

static void
test_null (void **state)
{
  const char *volatile nothing = NULL;

  (void) state;
  assert_int_equal (herald->json_kind (NULL, "a"), HERALD_JSON_NONE);
  assert_string_equal (herald->json_text (NULL, "a"), "");
  assert_int_equal (herald->json_number (NULL, "a"), 0);
  assert_int_equal (herald->json_count (NULL, "a"), 0);
  assert_string_equal (herald->reply_header (NULL, "a"), "");
  assert_int_equal (herald->covered (NULL, 0), HERALD_END);
  assert_int_equal (herald->covered (read_text ("{}"), 0), HERALD_END);
  assert_string_equal (reply_json_text (&reply, nothing), "");
}

int
main (void)
{
#define TEST(f) cmocka_unit_test_setup_teardown (f, setup, teardown)
  const struct CMUnitTest tests[]
    = { TEST (test_json), TEST (test_no_json), TEST (test_long_path),
        TEST (test_headers), TEST (test_null) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
