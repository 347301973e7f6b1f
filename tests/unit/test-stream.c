/* test-stream.c - event/stream finds every event and loses no byte.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "event/stream.h"

/* What comes out, as text: an event's score, or !line:reason-start:text,
 * with + where a piece is not the last, all followed by a space. */
struct run {
  struct event_reader *reader;
  struct stream *stream;
  struct buf out;
};

static void
run_open (struct run *run, size_t max_event)
{
  run->reader = event_reader_new ("acme");
  run->stream = stream_new (run->reader, max_event);
  buf_init (&run->out, 0);
}

static void
run_close (struct run *run)
{
  stream_free (run->stream);
  event_reader_free (run->reader);
  buf_done (&run->out);
}

/* Ask until it wants more or is at its end; which of them. */
static enum stream_kind
run_drain (struct run *run)
{
  struct stream_item item;
  enum stream_kind kind;

  while ((kind = stream_next (run->stream, &item)) < STREAM_MORE)
    if (kind == STREAM_EVENT) {
      event_add_field_text (item.event, "score", 5, &run->out);
      buf_add_char (&run->out, ' ');
      event_release (item.event);
    } else {
      buf_printf (&run->out, "!%llu:%s%.*s%s ",
                  (unsigned long long) item.line, item.is_first ? "" : "+",
                  (int) item.len, item.text, item.is_last ? "" : "+");
      assert_true (strlen (item.reason) > 0);
      assert_null (strchr (item.reason, '\n'));
    }
  return kind;
}

static void
run_feed (struct run *run, const char *text, size_t len, size_t chunk)
{
  while (len > 0) {
    size_t n = len < chunk ? len : chunk;
    size_t room;
    char *space = stream_space (run->stream, &room);

    assert_true (room >= 64 << 10);
    memcpy (space, text, n);
    stream_feed (run->stream, n);
    text += n;
    len -= n;
    assert_int_equal (run_drain (run), STREAM_MORE);
  }
}

static void
assert_gives_of (const char *text, size_t len, const char *expected)
{
  static const size_t chunks[] = { 1, 2, 3, 7, 60000 };

  for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
    struct run run;

    run_open (&run, 1 << 20);
    run_feed (&run, text, len, chunks[i]);
    stream_finish (run.stream);
    assert_int_equal (run_drain (&run), STREAM_END);
    assert_int_equal (run_drain (&run), STREAM_END);
    assert_string_equal (run.out.data, expected);
    assert_int_equal (stream_offset (run.stream), len);
    run_close (&run);
  }
}

static void
assert_gives (const char *text, const char *expected)
{
  assert_gives_of (text, strlen (text), expected);
}

static void
test_lines (void **state)
{
  (void) state;
  assert_gives ("", "");
  assert_gives ("\n\r\n  \t\n", "");
  assert_gives ("{\"score\":1}\n{\"score\":2}\n", "1 2 ");
  assert_gives ("{\"score\":1}\r\n\r\n{\"score\":2}\r\n", "1 2 ");
  assert_gives ("  {\"score\":1}  \n{\"score\":2}", "1 2 ");
  assert_gives ("\xef\xbb\xbf{\"score\":1}", "1 ");
  assert_gives ("\xef\xbb\xbf", "");
  assert_gives ("\xef\xbb", "!1:\xef\xbb ");
}

static void
test_bad_lines (void **state)
{
  static const char nul[] = "{\"score\":1}\n\0\n{\"score\":2}\n";

  (void) state;
  assert_gives ("{\"score\":1}\nnonsense\n\n{\"score\":\n{\"score\":2}",
                "1 !2:nonsense !4:{\"score\": 2 ");
  assert_gives ("bad\r\n{\"score\":1}\r", "!1:bad 1 ");
  assert_gives ("{\"score\":1}\n[{\"score\":2}]\n", "1 !2:[{\"score\":2}] ");
  assert_gives ("x\n\xff\xfe\n{\"score\":3}", "!1:x !2:\xff\xfe 3 ");
  assert_gives_of (nul, sizeof nul - 1, "1 !2: 2 ");
}

static void
test_arrays (void **state)
{
  (void) state;
  assert_gives ("[]", "");
  assert_gives (" \n [ ] \n", "");
  assert_gives ("[{\"score\":1},{\"score\":2}]", "1 2 ");
  assert_gives ("\xef\xbb\xbf\n[\n  {\n\"score\"\n:\n1\n}\n,\r\n"
                "{\"score\":2,\"a\":\"],[}{\\\"\\\\\",\"b\":[[1],{}]}\n]\n",
                "1 2 ");
  assert_gives ("[{\"score\":1}]\n[{\"score\":2}]{\"score\":3}\n"
                "{\"score\":4}", "1 2 3 4 ");
}

static void
test_bad_arrays (void **state)
{
  (void) state;
  assert_gives ("[", "!1: ");
  assert_gives ("[1,2", "!1:1 !1:2 !1: ");
  assert_gives ("[{\"score\":1}", "1 !1: ");
  assert_gives ("[{\"score\":1},", "1 !1: ");
  assert_gives ("[{\"score\":1},\n]", "1 !2:, ");
  assert_gives ("[,{\"score\":1}]", "!1:, 1 ");
  assert_gives ("[{\"score\":1},,{\"score\":2}]", "1 !1:, 2 ");
  assert_gives ("[,]", "!1:, ");
  assert_gives ("[{\"score\":1} {\"score\":2},{\"score\":3}]",
                "!1:{\"score\":1} {\"score\":2} 3 ");
  assert_gives ("[{\"score\":1},\n nonsense ,\n{\"score\":2}]\nbehind\n",
                "1 !2:nonsense 2 !4:behind ");
  assert_gives ("[{\"score\":1},\n\n{\"score\":\n\n2", "1 !3:{\"score\":\n\n2 "
                "!5: ");
}

/* One element's slip leaves the others whole. */
static void
test_slips (void **state)
{
  (void) state;
  assert_gives ("[{\"a\":[1},{\"score\":2}]", "!1:{\"a\":[1} 2 ");
  assert_gives ("[{\"a\":1}},{\"score\":2}]", "!1:{\"a\":1}} 2 ");
  assert_gives ("[{\"a\":\"x\n},{\"score\":2}]", "!1:{\"a\":\"x\n} 2 ");
  assert_gives ("[{\"a\":\"x\\\n},{\"score\":2}]", "!1:{\"a\":\"x\\\n} 2 ");
  assert_gives ("[{\"a\":1]\n{\"score\":2}", "!1:{\"a\":1 2 ");
}

static void
test_deep_element (void **state)
{
  struct buf text = BUF_INIT (0);
  struct run run;

  (void) state;
  buf_add_text (&text, "[");
  for (int i = 0; i < 5000; i++)
    buf_add_text (&text, "[");
  for (int i = 0; i < 5000; i++)
    buf_add_text (&text, "]");
  buf_add_text (&text, ",{\"score\":2}]");
  run_open (&run, 1 << 20);
  run_feed (&run, text.data, text.len, 60000);
  assert_int_equal (run.out.len, 3 + 10000 + 1 + 2);
  assert_string_equal (run.out.data + run.out.len - 3, " 2 ");
  run_close (&run);
  buf_done (&text);
}

static void
assert_limited (const char *text, size_t max_event, size_t chunk,
                const char *expected)
{
  struct run run;

  run_open (&run, max_event);
  run_feed (&run, text, strlen (text), chunk);
  stream_finish (run.stream);
  assert_int_equal (run_drain (&run), STREAM_END);
  assert_string_equal (run.out.data, expected);
  run_close (&run);
}

/* Exactly as long as allowed, one byte longer, and on. */
static void
test_limit (void **state)
{
  (void) state;
  for (size_t chunk = 1; chunk < 60; chunk++)
    assert_limited ("{\"score\":1}\r\n{\"score\":12}\n{\"score\":3}\n", 11,
                    chunk, "1 !2:{\"score\":12} 3 ");
  for (size_t chunk = 1; chunk < 60; chunk++)
    assert_limited ("[{\"score\":1}  \n\n  ,\n{\"score\":12}\n\n,"
                    "{\"score\":3}\n\n\n]", 11, chunk,
                    "1 !4:{\"score\":12} 3 ");
  /* Blanks count for nothing, however many. */
  for (size_t chunk = 1; chunk < 60; chunk++)
    assert_limited ("{}\n                    \r\n   {\"score\":1}\nbad\n", 11,
                    chunk, " 1 !4:bad ");
  assert_limited ("abcdefghijkl\r\nxy\nlong again", 4, 5,
                  "!1:abcdefghi+ !1:+jkl !2:xy !3:long ag+ !3:+ai+ !3:+n ");
}

/* 100 MB without a line's end, then a good event: bounded memory, every
 * byte given out. */
static void
check_huge (const char *before, const char *after, uint64_t line)
{
  struct event_reader *reader = event_reader_new ("acme");
  struct stream *stream = stream_new (reader, 1 << 20);
  struct stream_item item;
  enum stream_kind kind;
  uint64_t fed = 0, bad = 0, firsts = 0, lasts = 0, events = 0;
  const uint64_t size = 100 << 20;
  bool is_fed = false;

  while ((kind = stream_next (stream, &item)) != STREAM_END) {
    size_t room;
    char *space;

    if (kind == STREAM_BAD) {
      bad += item.len;
      firsts += item.is_first;
      lasts += item.is_last;
      assert_int_equal (item.line, line);
      assert_string_equal (item.reason, "longer than 1048576 bytes");
      continue;
    }
    if (kind == STREAM_EVENT) {
      events++;
      event_release (item.event);
      continue;
    }
    space = stream_space (stream, &room);
    assert_true (room < 4 << 20);
    if (fed == 0) {
      memcpy (space, before, strlen (before));
      stream_feed (stream, strlen (before));
      fed = 1;
    } else if (fed < size) {
      memset (space, 'x', room);
      stream_feed (stream, room);
      fed += room;
    } else if (!is_fed) {
      memcpy (space, after, strlen (after));
      stream_feed (stream, strlen (after));
      is_fed = true;
    } else
      stream_finish (stream);
  }
  assert_int_equal (firsts, 1);
  assert_int_equal (lasts, 1);
  assert_int_equal (bad, fed - 1);
  assert_int_equal (events, 2);
  stream_free (stream);
  event_reader_free (reader);
}

static void
test_huge_line (void **state)
{
  (void) state;
  check_huge ("{}\n", "\n{}\n", 2);
}

static void
test_huge_element (void **state)
{
  (void) state;
  check_huge ("[\n{},", ",{}]\n", 2);
}

/* Asking for more again and again neither ends nor loses anything. */
static void
test_nothing_fed (void **state)
{
  struct run run;

  (void) state;
  run_open (&run, 100);
  for (int i = 0; i < 5; i++)
    assert_int_equal (run_drain (&run), STREAM_MORE);
  run_feed (&run, "{\"sco", 5, 5);
  for (int i = 0; i < 5; i++)
    assert_int_equal (run_drain (&run), STREAM_MORE);
  run_feed (&run, "re\":1}", 6, 6);
  assert_int_equal (run.out.len, 0);
  stream_finish (run.stream);
  assert_int_equal (run_drain (&run), STREAM_END);
  assert_string_equal (run.out.data, "1 ");
  run_close (&run);
  stream_free (NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_lines),
    cmocka_unit_test (test_bad_lines),
    cmocka_unit_test (test_arrays),
    cmocka_unit_test (test_bad_arrays),
    cmocka_unit_test (test_slips),
    cmocka_unit_test (test_deep_element),
    cmocka_unit_test (test_limit),
    cmocka_unit_test (test_huge_line),
    cmocka_unit_test (test_huge_element),
    cmocka_unit_test (test_nothing_fed),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
