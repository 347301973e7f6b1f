/* test-body.c - content modes, gzip, and limits of a request's body.
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

#include "base/buf.h"
#include "intake/binary.h"
#include "intake/body.h"
#include "intake/media.h"

#define ONE(id) "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"s\"," \
  "\"type\":\"t\",\"workspace\":\"acme\"}"

/* "[]" packed by gzip(1). */
static const char packed[]
  = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x8b\x8e\x05\x00\x29\xbb\x4c"
    "\x0d\x02\x00\x00\x00";

struct taken {                  /* "1 bad 2 " */
  struct buf text;
  bool stops;
};

static bool
take_event (void *data, struct event *event)
{
  struct taken *taken = data;

  buf_printf (&taken->text, "%s@%s ", event_id (event),
              event_workspace (event));
  event_release (event);
  return !taken->stops;
}

static bool
take_bad (void *data, const char *reason)
{
  struct taken *taken = data;

  buf_printf (&taken->text, "bad(%s) ", reason);
  return !taken->stops;
}

static enum body_fault
read_body (struct body_config *config, const char *bytes, size_t len,
           size_t piece, struct taken *taken, char *ret_reason)
{
  struct event_reader *reader = event_reader_new (NULL);
  enum body_fault fault = BODY_FINE;
  struct body *body;

  config->reader = reader;
  config->event = take_event;
  config->bad = take_bad;
  config->data = taken;
  body = body_new (config);
  for (size_t at = 0; at < len && fault == BODY_FINE; at += piece)
    fault = body_feed (body, bytes + at,
                       len - at < piece ? len - at : piece);
  if (fault == BODY_FINE)
    fault = body_finish (body);
  strcpy (ret_reason, body_reason (body));
  body_free (body);
  event_reader_free (reader);
  return fault;
}

/* In one piece, and byte by byte. */
static void
check (enum body_mode mode, const char *text, enum body_fault fault,
       const char *expected)
{
  for (size_t piece = 1; piece <= 1000; piece += 999) {
    struct body_config config = {
      .mode = mode, .expected = (int64_t) strlen (text), .max_body = 4000,
      .max_event = 500, .max_events = 4,
    };
    struct taken taken = { .text = BUF_INIT (0) };
    char reason[200];

    assert_int_equal (read_body (&config, text, strlen (text), piece, &taken,
                                 reason), fault);
    assert_string_equal (fault == BODY_FINE ? taken.text.data : reason,
                         expected);
    buf_done (&taken.text);
  }
}

static void
test_modes (void **state)
{
  (void) state;
  check (BODY_STRUCTURED, " " ONE ("1") "\n", BODY_FINE, "1@acme ");
  check (BODY_STRUCTURED, "[" ONE ("1") "]", BODY_FINE,
         "bad(is not an object) ");
  check (BODY_STRUCTURED, "", BODY_FINE, "bad(not JSON at byte 1: a value is "
         "expected) ");
  check (BODY_BATCH, "[" ONE ("1") ",{}, " ONE ("2") "]", BODY_FINE,
         "1@acme bad(specversion is missing) 2@acme ");
  check (BODY_BATCH, "\n[ ]", BODY_FINE, "");
  check (BODY_BATCH, ONE ("1"), BODY_MALFORMED, "a batch is a JSON array");
  check (BODY_BATCH, " ", BODY_MALFORMED, "the body is empty");
  check (BODY_LINES, ONE ("1") "\r\n\n" ONE ("2"), BODY_FINE,
         "1@acme 2@acme ");
  check (BODY_LINES, "", BODY_FINE, "");
  check (BODY_EITHER, "\n " ONE ("1"), BODY_FINE, "1@acme ");
  check (BODY_EITHER, "\n [" ONE ("1") "]", BODY_FINE, "1@acme ");
}

static void
test_limits (void **state)
{
  char *text = malloc (5001);

  (void) state;
  check (BODY_BATCH, "[1,1,1,1,1]", BODY_TOO_LARGE,
         "more than 4 events in a request");
  memset (text, ' ', 5000);
  text[5000] = '\0';
  check (BODY_LINES, text, BODY_TOO_LARGE, "a body longer than 4000 bytes");
  text[600] = '\0';
  check (BODY_STRUCTURED, text, BODY_TOO_LARGE,
         "an event longer than 500 bytes");
  free (text);
}

static void
test_lent (void **state)
{
  static const char lacking[] = "{\"specversion\":\"1.0\",\"id\":\"1\","
                                "\"source\":\"s\",\"type\":\"t\"}";
  struct body_config config = {
    .mode = BODY_STRUCTURED, .expected = -1, .max_body = 4000,
    .max_event = 500, .max_events = 4, .workspace = "beta",
  };
  struct taken taken = { .text = BUF_INIT (0) };
  char reason[200];

  (void) state;
  assert_int_equal (read_body (&config, lacking, strlen (lacking), 10, &taken,
                               reason), BODY_FINE);
  assert_string_equal (taken.text.data, "1@beta ");
  buf_done (&taken.text);
}

static void
test_stop (void **state)
{
  struct body_config config = {
    .mode = BODY_BATCH, .expected = -1, .max_body = 4000, .max_event = 500,
    .max_events = 4,
  };
  struct taken taken = { .text = BUF_INIT (0), .stops = true };
  char reason[200];

  (void) state;
  assert_int_equal (read_body (&config, "[1,2]", 5, 5, &taken, reason),
                    BODY_STOPPED);
  buf_done (&taken.text);
}

static void
test_gzip (void **state)
{
  struct body_config config = {
    .mode = BODY_BATCH, .is_gzip = true, .expected = -1, .max_body = 4000,
    .max_event = 500, .max_events = 4,
  };
  struct taken taken = { .text = BUF_INIT (0) };
  size_t len = sizeof packed - 1;
  char reason[200];

  (void) state;
  for (size_t piece = 1; piece <= len; piece++)
    assert_int_equal (read_body (&config, packed, len, piece, &taken, reason),
                      BODY_FINE);
  for (size_t cut = 1; cut < len; cut++) {
    assert_int_equal (read_body (&config, packed, cut, 5, &taken, reason),
                      BODY_MALFORMED);
    assert_string_equal (reason, "the body ends in the middle of gzip");
  }
  assert_int_equal (read_body (&config, "[]", 2, 2, &taken, reason),
                    BODY_MALFORMED);
  assert_string_equal (reason, "the body is not gzip");
  config.max_body = 1;
  assert_int_equal (read_body (&config, packed, len, len, &taken, reason),
                    BODY_TOO_LARGE);
  buf_done (&taken.text);
}

static void
test_binary (void **state)
{
  struct buf out = BUF_INIT (0);
  char reason[200];

  (void) state;
  assert_true (binary_is_attribute ("Ce-Id"));
  assert_false (binary_is_attribute ("cent"));
  buf_add_char (&out, '{');
  assert_int_equal (binary_add (&out, "CE-Id", "a%20b%E2%82%AC", reason), 0);
  assert_int_equal (binary_add (&out, "ce-source", "\"q \\\"x\\\" %22\"",
                                reason), 0);
  assert_int_equal (binary_add (&out, "ce-x", "100% %4", reason), 0);
  binary_add_data (&out);
  assert_string_equal (out.data,
                       "{\"id\":\"a b\xe2\x82\xac\",\"source\":\"q \\\"x\\\" "
                       "\\\"\",\"x\":\"100% %4\",\"datacontenttype\":"
                       "\"application/json\",\"data\":");
  assert_int_equal (binary_add (&out, "ce-id", "%ff", reason), -1);
  assert_string_equal (reason, "ce-id is no UTF-8, or too long");
  assert_int_equal (binary_add (&out, "ce-Data", "x", reason), -1);
  assert_int_equal (binary_add (&out, "ce-", "x", reason), -1);
  buf_done (&out);
}

static void
test_media (void **state)
{
  static const struct {
    const char *type;
    bool has_attributes;
    int mode;                   /* -1: refused */
  } cases[] = {
    { "application/cloudevents+json", false, BODY_STRUCTURED },
    { "application/cloudevents+json", true, BODY_STRUCTURED },
    { "Application/CloudEvents-Batch+JSON; charset=\"UTF-8\"", false,
      BODY_BATCH },
    { "application/x-ndjson", false, BODY_LINES },
    { "application/json;charset=utf-8 ; x=y", false, BODY_EITHER },
    { "application/json", true, BODY_BINARY },
    { "application/vnd.acme+json", true, BODY_BINARY },
    { NULL, true, BODY_BINARY },
    { NULL, false, -1 },
    { "application/vnd.acme+json", false, -1 },
    { "text/xml", true, -1 },
    { "application/cloudevents+avro", true, -1 },
    { "application/cloudevents+xml", false, -1 },
    { "application/json; charset=utf-16", false, -1 },
    { "", false, -1 },
  };
  bool is_gzip;

  (void) state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    enum body_mode mode = BODY_LINES;
    int result = media_read (cases[i].type, cases[i].has_attributes, &mode);

    assert_int_equal (result, cases[i].mode < 0 ? -1 : 0);
    if (result == 0)
      assert_int_equal (mode, cases[i].mode);
  }
  assert_int_equal (media_read_encoding (NULL, &is_gzip), 0);
  assert_false (is_gzip);
  assert_int_equal (media_read_encoding ("GZip", &is_gzip), 0);
  assert_true (is_gzip);
  assert_int_equal (media_read_encoding ("identity", &is_gzip), 0);
  assert_int_equal (media_read_encoding ("gzip, gzip", &is_gzip), -1);
  assert_int_equal (media_read_encoding ("br", &is_gzip), -1);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_modes),
    cmocka_unit_test (test_limits),
    cmocka_unit_test (test_lent),
    cmocka_unit_test (test_stop),
    cmocka_unit_test (test_gzip),
    cmocka_unit_test (test_binary),
    cmocka_unit_test (test_media),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
