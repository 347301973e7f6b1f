/* test-date.c - base/date reads every form and writes two.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/date.h"

static const int64_t now_ms = INT64_C (1795421730123);  /* 2026-11-23 */
static const int64_t month_ms = INT64_C (30) * 86400000;

static void
test_clocks (void **state)
{
  int64_t before = date_monotonic_us ();

  (void) state;
  date_set_now (-1);
  assert_true (date_now_ms () / 1000 - (int64_t) time (NULL) <= 1);
  assert_true ((int64_t) time (NULL) - date_now_ms () / 1000 <= 1);
  date_set_now (0);
  assert_int_equal (date_now_ms (), 0);
  date_set_now (now_ms);
  assert_true (date_now_ms () == now_ms);
  date_set_now (-1);
  assert_true (date_now_ms () != now_ms);
  assert_true (date_monotonic_us () >= before);
}

struct reading {
  const char *text;
  int64_t ms;
};

static void
test_headers (void **state)
{
  static const struct reading readings[] = {
    { "Sun, 06 Nov 1994 08:49:37 GMT", INT64_C (784111777000) },
    { "Sunday, 06-Nov-94 08:49:37 GMT", INT64_C (784111777000) },
    { "Sun Nov  6 08:49:37 1994", INT64_C (784111777000) },
    { "sun, 06 nov 1994 08:49:37 gmt", INT64_C (784111777000) },
    { "  Sun, 06 Nov 1994 08:49:37 GMT  ", INT64_C (784111777000) },
    { "6 Nov 1994 08:49:37 +0000", INT64_C (784111777000) },
    { "Sun, 6 Nov 1994 09:49:37 +0100", INT64_C (784111777000) },
    { "Sun, 6 Nov 1994 03:49:37 EST", INT64_C (784111777000) },
    { "Sun, 6 Nov 1994 08:49:37 +0000 (UTC)", INT64_C (784111777000) },
    { "Sun, 6 Nov 1994 08:49:37 -0000", INT64_C (784111777000) },
    { "Sun, 6 Nov 1994 08:49 GMT", INT64_C (784111740000) },
    { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "Thu, 29 Feb 2024 00:00:00 GMT", INT64_C (1709164800000) },
    { "Tue, 29 Feb 2000 00:00:00 GMT", INT64_C (951782400000) },
    { "Sat, 31 Dec 2016 23:59:60 GMT", INT64_C (1483228800000) },
    { "Fri, 31 Dec 9999 23:59:59 GMT", INT64_C (253402300799000) },
    { "Wed, 01-Jan-75 00:00:00 GMT", INT64_C (3313526400000) },
    { "Wed, 01-Jan-77 00:00:00 GMT", INT64_C (220924800000) },
    { "", -1 }, { " ", -1 }, { "x", -1 }, { "Sun", -1 }, { "Sun,", -1 },
    { "Sun, 06 Nov 1994", -1 }, { "Sun, 06 Nov 1994 08:49:37", -1 },
    { "Sun, 06 Nov 1994 08:49:37 XYZ", -1 },
    { "Sun, 06 Nov 1994 08:49:37 GMT x", -1 },
    { "Sun, 06 Nov 1994 08:49:37 GMT (", -1 },
    { "Sun, 32 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 31 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 00 Nov 1994 08:49:37 GMT", -1 },
    { "Thu, 29 Feb 2023 00:00:00 GMT", -1 },
    { "Thu, 29 Feb 2100 00:00:00 GMT", -1 },
    { "Sun, 06 Nov 1994 24:00:00 GMT", -1 },
    { "Sun, 06 Nov 1994 08:60:00 GMT", -1 },
    { "Sun, 06 Nov 1994 08:00:61 GMT", -1 },
    { "Sun, 06 Nov 1994 8:49:37 GMT", -1 },
    { "Sun, 06 Nov 994 08:49:37 GMT", -1 },
    { "Sun, 06 Nov 19941 08:49:37 GMT", -1 },
    { "Sun, 06-Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 06 Now 1994 08:49:37 GMT", -1 },
    { "Sol, 06 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 06 Nov 1994 08:49:37 +2400", -1 },
    { "Sun, 06 Nov 1994 08:49:37 +01", -1 },
    { "Sun, -6 Nov 1994 08:49:37 GMT", -1 },
    { "Sun, 06 Nov 1994 +8:49:37 GMT", -1 },
    { "Sun Nov 6 08:49:37 94", -1 },
    { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
    { "1994-11-06T08:49:37Z", -1 },
  };

  (void) state;
  date_set_now (1735689600000);         /* 2025 */
  for (size_t i = 0; i < sizeof readings / sizeof *readings; i++)
    if (date_read_header (readings[i].text) != readings[i].ms)
      fail_msg ("\"%s\": %lld", readings[i].text,
                (long long) date_read_header (readings[i].text));
  date_set_now (-1);
}

static void
test_rfc3339 (void **state)
{
  static const struct reading readings[] = {
    { "2026-11-23T08:15:30.123+01:00", INT64_C (1795418130123) },
    { "2026-11-23T08:15:30Z", INT64_C (1795421730000) },
    { "2026-11-23t08:15:30z", INT64_C (1795421730000) },
    { "2026-11-23T08:15:30.1Z", INT64_C (1795421730100) },
    { "2026-11-23T08:15:30.123987654321987Z", INT64_C (1795421730123) },
    { "2026-11-23T08:15:30-00:00", INT64_C (1795421730000) },
    { "2026-11-22T23:15:30-09:00", INT64_C (1795421730000) },
    { "1970-01-01T00:00:00Z", 0 },
    { "9999-12-31T23:59:59.999Z", INT64_C (253402300799999) },
    { "2016-12-31T23:59:60Z", INT64_C (1483228800000) },
    { "", -1 }, { "2026-11-23", -1 }, { "2026-11-23T08:15:30", -1 },
    { "2026-11-23 08:15:30Z", -1 }, { "2026-11-23T08:15Z", -1 },
    { "2026-11-23T08:15:30.Z", -1 }, { "2026-11-23T08:15:30,1Z", -1 },
    { "2026-11-23T08:15:30+0100", -1 }, { "2026-11-23T08:15:30+01", -1 },
    { "2026-11-23T08:15:30+24:00", -1 }, { "2026-11-23T08:15:30+01:60", -1 },
    { "2026-13-23T08:15:30Z", -1 }, { "2026-00-23T08:15:30Z", -1 },
    { "2026-02-29T08:15:30Z", -1 }, { "2026-11-23T24:15:30Z", -1 },
    { "2026-11-23T08:15:30Zx", -1 }, { " 2026-11-23T08:15:30Z", -1 },
    { "26-11-23T08:15:30Z", -1 }, { "2026-1-23T08:15:30Z", -1 },
    { "02026-11-23T08:15:30Z", -1 }, { "+2026-11-23T08:15:30Z", -1 },
    { "1969-12-31T23:59:59Z", -1 }, { "1970-01-01T00:00:00+00:01", -1 },
  };

  (void) state;
  for (size_t i = 0; i < sizeof readings / sizeof *readings; i++)
    if (date_read_rfc3339 (readings[i].text, strlen (readings[i].text))
        != readings[i].ms)
      fail_msg ("\"%s\"", readings[i].text);
  assert_int_equal (date_read_rfc3339 ("2026-11-23T08:15:30Z", 19), -1);
  assert_int_equal (date_read_rfc3339 ("1970-01-01T00:00:00Z\0", 21), -1);
}

static void
test_retry_after (void **state)
{
  const struct reading readings[] = {
    { "0", 0 }, { "120", 120000 }, { " 120 ", 120000 }, { "007", 7000 },
    { "0.75", 750 }, { "1.5", 1500 }, { "2592000", month_ms },
    { "2592001", month_ms }, { "99999999999999999999999999999", month_ms },
    { "Mon, 23 Nov 2026 08:16:30 GMT", 59877 },
    { "Mon, 23 Nov 2026 08:15:30 GMT", 0 },
    { "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
    { "Thu, 01 Jan 1903 00:00:00 GMT", 0 },
    { "Fri, 31 Dec 9999 23:59:59 GMT", month_ms },
    { "", -1 }, { " ", -1 }, { "-1", -1 }, { "+1", -1 }, { "1s", -1 },
    { "soon", -1 }, { "1 2", -1 }, { "1.", -1 }, { ".5", -1 }, { "1e3", -1 },
    { "0x10", -1 }, { "120\n", -1 }, { "Mon, 23 Nov 2026", -1 },
  };

  (void) state;
  for (size_t i = 0; i < sizeof readings / sizeof *readings; i++)
    if (date_retry_after_ms (readings[i].text, now_ms) != readings[i].ms)
      fail_msg ("\"%s\"", readings[i].text);
}

static void
assert_written (int64_t ms, const char *rfc3339, const char *mail)
{
  struct buf out = BUF_INIT (0);

  date_add_rfc3339 (&out, ms);
  assert_string_equal (out.data, rfc3339);
  buf_clear (&out);
  date_add_mail (&out, ms);
  assert_string_equal (out.data, mail);
  buf_done (&out);
}

static void
test_writing (void **state)
{
  (void) state;
  assert_written (0, "1970-01-01T00:00:00.000Z",
                  "Thu, 01 Jan 1970 00:00:00 +0000");
  assert_written (784111777009, "1994-11-06T08:49:37.009Z",
                  "Sun, 06 Nov 1994 08:49:37 +0000");
  assert_written (-1, "1969-12-31T23:59:59.999Z",
                  "Wed, 31 Dec 1969 23:59:59 +0000");
}

/* Every day of four centuries, there and back, against gmtime_r (). */
static void
test_calendar (void **state)
{
  struct buf out = BUF_INIT (0);

  (void) state;
  for (int64_t day = 0; day < 146097 + 366; day++) {
    int64_t ms = day * 86400000 + 43261007;
    time_t seconds = (time_t) (ms / 1000);
    struct tm tm;
    char expected[40];

    buf_clear (&out);
    date_add_rfc3339 (&out, ms);
    assert_non_null (gmtime_r (&seconds, &tm));
    strftime (expected, sizeof expected, "%Y-%m-%dT12:01:01.007Z", &tm);
    if (strcmp (out.data, expected) != 0)
      fail_msg ("%s is not %s", out.data, expected);
    assert_true (date_read_rfc3339 (out.data, out.len) == ms);
    buf_clear (&out);
    date_add_mail (&out, ms);
    assert_true (date_read_header (out.data) == ms - 7);
    strftime (expected, sizeof expected, "%a, %d %b %Y 12:01:01 +0000", &tm);
    assert_string_equal (out.data, expected);
  }
  buf_done (&out);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_clocks),
    cmocka_unit_test (test_headers),
    cmocka_unit_test (test_rfc3339),
    cmocka_unit_test (test_retry_after),
    cmocka_unit_test (test_writing),
    cmocka_unit_test (test_calendar),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
