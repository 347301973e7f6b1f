/* test-buf.c - base/buf grows, stops at its ceiling and says so.
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

static void
test_empty (void **state)
{
  struct buf buf = BUF_INIT (10);

  (void) state;
  assert_string_equal (buf.data, "");
  buf_clear (&buf);
  buf_drop (&buf, 5);
  buf_add (&buf, NULL, 0);
  buf_add_text (&buf, "");
  assert_int_equal (buf.len, 0);
  assert_int_equal (buf.size, 0);
  buf_done (&buf);
  buf_done (&buf);
  assert_int_equal (buf.ceiling, 10);
}

static void
test_grows (void **state)
{
  struct buf buf;

  (void) state;
  buf_init (&buf, 0);
  for (int i = 0; i < 100000; i++) {
    buf_add_char (&buf, (char) ('a' + i % 26));
    assert_int_equal (buf.data[buf.len], 0);
  }
  assert_int_equal (buf.len, 100000);
  for (int i = 0; i < 100000; i++)
    assert_int_equal (buf.data[i], 'a' + i % 26);
  buf_clear (&buf);
  assert_string_equal (buf.data, "");
  assert_true (buf.size > 100000);
  buf_done (&buf);
}

static void
test_ceiling (void **state)
{
  struct buf buf = BUF_INIT (5);

  (void) state;
  buf_add_text (&buf, "12345");
  assert_false (buf.is_over);
  buf_add (&buf, "", 0);
  assert_false (buf.is_over);
  buf_add_char (&buf, '6');
  assert_true (buf.is_over);
  assert_string_equal (buf.data, "12345");
  /* It sticks, though there would be room. */
  buf_drop (&buf, 3);
  buf_add_char (&buf, 'x');
  assert_string_equal (buf.data, "45");
  buf_clear (&buf);
  assert_false (buf.is_over);
  /* A piece that does not fit is left out whole. */
  buf_add_text (&buf, "abc");
  buf_add_text (&buf, "defg");
  assert_string_equal (buf.data, "abc");
  buf_add_text (&buf, "d");
  assert_string_equal (buf.data, "abc");
  buf_done (&buf);
  assert_false (buf.is_over);
  buf_add (&buf, "x", SIZE_MAX);
  assert_true (buf.is_over);
  buf_done (&buf);
}

static void
test_printf (void **state)
{
  struct buf buf = BUF_INIT (1000);
  char longer[600];

  (void) state;
  memset (longer, 'z', sizeof longer);
  longer[599] = '\0';
  buf_printf (&buf, "%s", "");
  assert_int_equal (buf.len, 0);
  buf_printf (&buf, "%d|", 42);
  buf_printf (&buf, "%s", longer);
  assert_int_equal (buf.len, 3 + 599);
  assert_memory_equal (buf.data, "42|zzz", 6);
  buf_printf (&buf, "%s", longer);
  assert_true (buf.is_over);
  assert_int_equal (buf.len, 3 + 599);
  assert_int_equal (buf.data[buf.len], 0);
  buf_done (&buf);
  for (int i = 250; i < 260; i++) {
    buf_printf (&buf, "%*d", i, 7);
    assert_int_equal (buf.len, i);
    assert_int_equal (buf.data[i - 1], '7');
    buf_clear (&buf);
  }
  buf_done (&buf);
}

static void
test_insert_and_drop (void **state)
{
  struct buf buf = BUF_INIT (8);

  (void) state;
  buf_insert (&buf, 0, "bd", 2);
  buf_insert (&buf, 0, "a", 1);
  buf_insert (&buf, 2, "c", 1);
  buf_insert (&buf, 4, "e", 1);
  buf_insert (&buf, 99, "f", 1);
  assert_string_equal (buf.data, "abcdef");
  buf_insert (&buf, 1, "123", 3);
  assert_true (buf.is_over);
  assert_string_equal (buf.data, "abcdef");
  buf_drop (&buf, 2);
  assert_string_equal (buf.data, "cdef");
  buf_drop (&buf, 100);
  assert_string_equal (buf.data, "");
  buf_done (&buf);
}

static void
test_reserve (void **state)
{
  struct buf buf = BUF_INIT (100);
  char *end;

  (void) state;
  buf_add_text (&buf, "ab");
  end = buf_reserve (&buf, 98);
  assert_ptr_equal (end, buf.data + 2);
  memset (end, 'x', 98);
  end[98] = '\0';
  buf.len += 98;
  assert_null (buf_reserve (&buf, 1));
  assert_true (buf.is_over);
  buf_done (&buf);
}

static void
test_steal (void **state)
{
  struct buf buf = BUF_INIT (0);
  char *text = buf_steal (&buf);

  (void) state;
  assert_string_equal (text, "");
  free (text);
  buf_add_text (&buf, "abc");
  text = buf_steal (&buf);
  assert_string_equal (text, "abc");
  assert_int_equal (buf.len, 0);
  buf_add_text (&buf, "d");
  assert_string_equal (buf.data, "d");
  assert_string_equal (text, "abc");
  free (text);
  buf_done (&buf);
  assert_string_equal (buf_nothing, "");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_empty),
    cmocka_unit_test (test_grows),
    cmocka_unit_test (test_ceiling),
    cmocka_unit_test (test_printf),
    cmocka_unit_test (test_insert_and_drop),
    cmocka_unit_test (test_reserve),
    cmocka_unit_test (test_steal),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
