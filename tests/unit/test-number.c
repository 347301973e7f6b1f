/* test-number.c - base/number reads what it should and nothing else.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/number.h"

static void
assert_reads (const char *text, int64_t expected)
{
  int64_t value = 4711;

  assert_int_equal (number_read (text, strlen (text), INT64_MIN, INT64_MAX,
                                 &value), 0);
  assert_true (value == expected);
}

static void
test_integers (void **state)
{
  static const char *const wrong[] = {
    "", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "--1", "1-", "a",
    "9223372036854775808", "-9223372036854775809",
    "99999999999999999999999999", "1\n",
  };
  int64_t value = 4711;

  (void) state;
  assert_reads ("0", 0);
  assert_reads ("-0", 0);
  assert_reads ("007", 7);
  assert_reads ("-12", -12);
  assert_reads ("9223372036854775807", INT64_MAX);
  assert_reads ("-9223372036854775808", INT64_MIN);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    if (number_read (wrong[i], strlen (wrong[i]), INT64_MIN, INT64_MAX,
                     &value) != -1)
      fail_msg ("\"%s\" is read", wrong[i]);
  assert_int_equal (number_read ("1\0002", 3, 0, 100, &value), -1);
  assert_int_equal (number_read ("11", 2, 0, 10, &value), -1);
  assert_int_equal (number_read ("-1", 2, 0, 10, &value), -1);
  assert_int_equal (value, 4711);
  assert_int_equal (number_read ("123", 2, 0, 12, &value), 0);
  assert_int_equal (value, 12);
}

static void
test_reals (void **state)
{
  static const struct { const char *text; double value; } right[] = {
    { "0", 0 }, { "-0", 0 }, { "1", 1 }, { "-12", -12 }, { "1.50", 1.5 },
    { "0.1", 0.1 }, { "1e3", 1000 }, { "1E+3", 1000 }, { "25e-1", 2.5 },
    { "0e999999999999999999", 0 }, { "1e-400", 0 }, { "0.5e1", 5 },
    { "9007199254740993", 9007199254740992.0 },
    { "123456789012345678901234567890", 123456789012345678901234567890.0 },
    { "1.7976931348623157e308", 1.7976931348623157e308 },
    { "3.141592653589793", 3.141592653589793 },
  };
  static const char *const wrong[] = {
    "", "-", "007", "+3", " 12", "12 ", ".5", "5.", "1e", "1e+", "1.e3",
    "0x10", "inf", "nan", "NaN", "1,5", "--1", "1e400", "-1e400", "01.5",
    "1e99999999999999999999", "1e3.5", "1_000",
  };
  double value = 4711;

  (void) state;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    if (number_read_real (wrong[i], strlen (wrong[i]), &value) != -1)
      fail_msg ("\"%s\" is read", wrong[i]);
  assert_true (value == 4711);
  for (size_t i = 0; i < sizeof right / sizeof *right; i++)
    if (number_read_real (right[i].text, strlen (right[i].text), &value) != 0
        || value != right[i].value)
      fail_msg ("\"%s\" is %.17g", right[i].text, value);
  assert_int_equal (number_read_real ("1.5e3", 3, &value), 0);
  assert_true (value == 1.5);
}

static void
test_durations (void **state)
{
  static const struct { const char *text; int64_t ms; } right[] = {
    { "0", 0 }, { "0s", 0 }, { "200ms", 200 }, { "30s", 30000 },
    { "5m", 300000 }, { "24h", 86400000 }, { "7d", 604800000 },
  };
  static const char *const wrong[] = {
    "", "s", "30", "30 s", "30S", "-5s", "+5s", "1.5s", "5sec", "5mm",
    " 5s", "5s ", "00", "1w", "9223372036854775807s", "106751991168d",
  };
  int64_t ms = 4711;

  (void) state;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    if (number_read_duration (wrong[i], &ms) != -1)
      fail_msg ("\"%s\" is read", wrong[i]);
  assert_int_equal (ms, 4711);
  for (size_t i = 0; i < sizeof right / sizeof *right; i++)
    if (number_read_duration (right[i].text, &ms) != 0 || ms != right[i].ms)
      fail_msg ("\"%s\" is not read right", right[i].text);
}

static void
test_sizes (void **state)
{
  static const char *const wrong[] = {
    "", "k", "-1", "1.5M", "10MB", "10 M", "1T", "9007199254740992k",
  };
  int64_t bytes = 4711;

  (void) state;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    if (number_read_size (wrong[i], &bytes) != -1)
      fail_msg ("\"%s\" is read", wrong[i]);
  assert_int_equal (bytes, 4711);
  assert_int_equal (number_read_size ("512", &bytes), 0);
  assert_int_equal (bytes, 512);
  assert_int_equal (number_read_size ("64k", &bytes), 0);
  assert_int_equal (bytes, 65536);
  assert_int_equal (number_read_size ("10M", &bytes), 0);
  assert_int_equal (bytes, 10485760);
  assert_int_equal (number_read_size ("1G", &bytes), 0);
  assert_int_equal (bytes, 1073741824);
}

static void
test_spoken (void **state)
{
  static const struct { int64_t ms; const char *text; } cases[] = {
    { 0, "0 ms" }, { 200, "200 ms" }, { 999, "999 ms" }, { 1000, "1 s" },
    { 1500, "1.5 s" }, { 59999, "59.9 s" }, { 180000, "3 min" },
    { 90000, "1.5 min" }, { 3600000, "1 h" }, { 86400000, "1 d" },
    { 2592000000, "30 d" }, { -1500, "-1.5 s" },
    { INT64_MIN, "-106751991167.3 d" },
  };
  struct buf out = BUF_INIT (0);

  (void) state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    number_add_duration (&out, cases[i].ms);
    assert_string_equal (out.data, cases[i].text);
    buf_clear (&out);
  }
  buf_done (&out);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_integers),
    cmocka_unit_test (test_reals),
    cmocka_unit_test (test_durations),
    cmocka_unit_test (test_sizes),
    cmocka_unit_test (test_spoken),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
