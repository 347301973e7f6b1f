/* date.c - dates of RFC 9110, RFC 5322 and RFC 3339, and the clocks.
 *
 * The calendar is computed here: timegm () is in no standard we ask for,
 * and strptime () and strftime () speak the locale's language.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/date.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/number.h"

enum { DAY_MS = 86400000 };

/* The wall clock that a test has fixed; -1: it runs. */
static int64_t fixed_now_ms = -1;

int64_t
date_now_ms (void)
{
  struct timespec now;

  if (fixed_now_ms >= 0)
    return fixed_now_ms;
  clock_gettime (CLOCK_REALTIME, &now);
  return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
date_set_now (int64_t ms)
{
  fixed_now_ms = ms;
}

int64_t
date_monotonic_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct date {
  int64_t year, month, day;     /* from 1 */
  int64_t hour, minute, second, ms;
  int64_t zone_minutes;         /* east of Greenwich */
};

/* Days since 1970-01-01, and back: Howard Hinnant's algorithms, with years
 * that begin in March so that the leap day is their last. */
static int64_t
days_of (int64_t year, int64_t month, int64_t day)
{
  int64_t era, of_era, of_year;

  if (month <= 2)
    year--;
  era = (year >= 0 ? year : year - 399) / 400;
  of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  of_era = (year - era * 400) * 365 + (year - era * 400) / 4
           - (year - era * 400) / 100 + of_year;
  return era * 146097 + of_era - 719468;
}

static void
date_split (int64_t ms, struct date *ret_date)
{
  struct date date = { 0 };
  int64_t days = ms / DAY_MS - (ms % DAY_MS < 0 ? 1 : 0);
  int64_t era, of_era, year, of_year, month;

  ms -= days * DAY_MS;
  days += 719468;
  era = (days >= 0 ? days : days - 146096) / 146097;
  of_era = days - era * 146097;
  year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  of_year = of_era - (365 * year + year / 4 - year / 100);
  month = (5 * of_year + 2) / 153;
  date.day = of_year - (153 * month + 2) / 5 + 1;
  date.month = month < 10 ? month + 3 : month - 9;
  date.year = year + era * 400 + (date.month <= 2 ? 1 : 0);
  date.hour = ms / 3600000;
  date.minute = ms / 60000 % 60;
  date.second = ms / 1000 % 60;
  date.ms = ms % 1000;
  *ret_date = date;
}

static bool
date_is_possible (const struct date *date)
{
  static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  bool is_leap = date->year % 4 == 0
                 && (date->year % 100 != 0 || date->year % 400 == 0);

  if (date->month < 1 || date->month > 12 || date->day < 1
      || date->day > days[date->month - 1])
    return false;
  if (date->month == 2 && date->day == 29 && !is_leap)
    return false;
  /* 60: a leap second, which is the next minute's first to us. */
  return date->hour <= 23 && date->minute <= 59 && date->second <= 60;
}

static int64_t
date_join (const struct date *date)
{
  int64_t minutes = date->hour * 60 + date->minute - date->zone_minutes;

  return days_of (date->year, date->month, date->day) * DAY_MS
         + minutes * 60000 + date->second * 1000 + date->ms;
}

/* What is left of a text. */
struct cursor {
  const char *p, *end;
};

static bool
take (struct cursor *cursor, char c)
{
  if (cursor->p == cursor->end || *cursor->p != c)
    return false;
  cursor->p++;
  return true;
}

/* Some space, or none if is_optional. */
static bool
take_space (struct cursor *cursor, bool is_optional)
{
  const char *start = cursor->p;

  while (cursor->p < cursor->end && (*cursor->p == ' ' || *cursor->p == '\t'))
    cursor->p++;
  return is_optional || cursor->p > start;
}

static bool
take_digits (struct cursor *cursor, size_t least, size_t most,
             int64_t *ret_value)
{
  size_t len = 0, left = (size_t) (cursor->end - cursor->p);

  while (len < left && len < most && cursor->p[len] >= '0'
         && cursor->p[len] <= '9')
    len++;
  if (len < least || number_read (cursor->p, len, 0, INT64_MAX, ret_value) < 0)
    return false;
  cursor->p += len;
  return true;
}

/* One of names, in any case; the longest that fits. */
static bool
take_name (struct cursor *cursor, const char *const *names, int64_t n,
           int64_t *ret_index)
{
  size_t best = 0;

  for (int64_t i = 0; i < n; i++) {
    size_t len = strlen (names[i]), k = 0;

    if (len > (size_t) (cursor->end - cursor->p) || len <= best)
      continue;
    while (k < len && (cursor->p[k] | 0x20) == (names[i][k] | 0x20))
      k++;
    if (k < len)
      continue;
    best = len;
    *ret_index = i;
  }
  cursor->p += best;
  return best > 0;
}

static const char *const day_names[] = {
  "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sunday", "Monday",
  "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"
};

static const char *const month_names[] = {
  "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
  "Nov", "Dec"
};

/* RFC 5322, section 4.3, in hours. */
static const char *const zone_names[] = {
  "GMT", "UTC", "UT", "Z", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST",
  "PDT"
};

static const int zone_hours[] = { 0, 0, 0, 0, -5, -4, -6, -5, -7, -6, -8, -7 };

static bool
take_month (struct cursor *cursor, struct date *date)
{
  int64_t month;

  if (!take_name (cursor, month_names, 12, &month))
    return false;
  date->month = month + 1;
  return true;
}

/* "08:49:37", the seconds optional where RFC 5322 has them so. */
static bool
take_time (struct cursor *cursor, struct date *date, bool needs_seconds)
{
  if (!take_digits (cursor, 2, 2, &date->hour) || !take (cursor, ':')
      || !take_digits (cursor, 2, 2, &date->minute))
    return false;
  if (!take (cursor, ':'))
    return !needs_seconds;
  return take_digits (cursor, 2, 2, &date->second);
}

/* "+0100" or, with a colon, "+01:00". */
static bool
take_offset (struct cursor *cursor, struct date *date, bool has_colon)
{
  int64_t hours, minutes, sign = 1;

  if (take (cursor, '-'))
    sign = -1;
  else if (!take (cursor, '+'))
    return false;
  if (!take_digits (cursor, 2, 2, &hours) || (has_colon && !take (cursor, ':'))
      || !take_digits (cursor, 2, 2, &minutes) || hours > 23 || minutes > 59)
    return false;
  date->zone_minutes = sign * (hours * 60 + minutes);
  return true;
}

static bool
take_zone (struct cursor *cursor, struct date *date)
{
  int64_t zone;

  if (take_offset (cursor, date, false))
    return true;
  if (!take_name (cursor, zone_names, 12, &zone))
    return false;
  date->zone_minutes = zone_hours[zone] * 60;
  return true;
}

/* RFC 9110, section 5.6.7: two digits are never more than 50 years ahead;
 * RFC 5322 draws its line at 1950, which agrees until 1999 is far gone. */
static int64_t
whole_year (int64_t short_year)
{
  struct date now;
  int64_t year;

  date_split (date_now_ms (), &now);
  year = now.year - now.year % 100 + short_year;
  return year > now.year + 50 ? year - 100 : year;
}

/* "Nov  6 08:49:37 1994": asctime's, after the day's name. */
static bool
take_asctime (struct cursor *cursor, struct date *date)
{
  return take_month (cursor, date) && take_space (cursor, false)
         && take_digits (cursor, 1, 2, &date->day)
         && take_space (cursor, false) && take_time (cursor, date, true)
         && take_space (cursor, false)
         && take_digits (cursor, 4, 4, &date->year);
}

/* "06 Nov 1994 08:49:37 GMT" or "06-Nov-94 08:49:37 GMT". */
static bool
take_day_first (struct cursor *cursor, struct date *date)
{
  const char *start;
  bool has_dashes;

  if (!take_digits (cursor, 1, 2, &date->day))
    return false;
  has_dashes = take (cursor, '-');
  if (!(has_dashes || take_space (cursor, false)) || !take_month (cursor, date)
      || !(has_dashes ? take (cursor, '-') : take_space (cursor, false)))
    return false;
  start = cursor->p;
  if (!take_digits (cursor, 2, 4, &date->year) || cursor->p - start == 3)
    return false;
  if (cursor->p - start == 2)
    date->year = whole_year (date->year);
  return take_space (cursor, false) && take_time (cursor, date, false)
         && take_space (cursor, false) && take_zone (cursor, date);
}

/* 0, or -1 with *ret_ms untouched; unlike date_read_header it tells a date
 * before 1970 from none. */
static int
read_header (const char *text, int64_t *ret_ms)
{
  struct cursor cursor = { text, text + strlen (text) };
  struct date date = { 0 };
  int64_t day;
  bool is_read;

  take_space (&cursor, true);
  if (take_name (&cursor, day_names, 14, &day)) {
    bool has_comma = take (&cursor, ',');

    if (!take_space (&cursor, has_comma))
      return -1;
    is_read = has_comma ? take_day_first (&cursor, &date)
                        : take_asctime (&cursor, &date);
  } else
    is_read = take_day_first (&cursor, &date);
  if (!is_read)
    return -1;
  take_space (&cursor, true);
  /* RFC 5322 allows a comment: "+0000 (UTC)". */
  if (cursor.p < cursor.end && (*cursor.p != '(' || cursor.end[-1] != ')'))
    return -1;
  if (!date_is_possible (&date))
    return -1;
  *ret_ms = date_join (&date);
  return 0;
}

int64_t
date_read_header (const char *text)
{
  int64_t ms;

  return read_header (text, &ms) == 0 && ms >= 0 ? ms : -1;
}

/* The digits of a second's fraction, as many as there are. */
static bool
take_fraction (struct cursor *cursor, int64_t *ret_ms)
{
  int64_t ms = 0, scale = 100;
  const char *start = cursor->p;

  for (; cursor->p < cursor->end && *cursor->p >= '0' && *cursor->p <= '9';
       cursor->p++) {
    ms += (*cursor->p - '0') * scale;
    scale /= 10;
  }
  if (cursor->p == start)
    return false;
  *ret_ms = ms;
  return true;
}

int64_t
date_read_rfc3339 (const char *text, size_t len)
{
  struct cursor cursor = { text, text + len };
  struct date date = { 0 };
  int64_t ms;

  if (!take_digits (&cursor, 4, 4, &date.year) || !take (&cursor, '-')
      || !take_digits (&cursor, 2, 2, &date.month) || !take (&cursor, '-')
      || !take_digits (&cursor, 2, 2, &date.day)
      || !(take (&cursor, 'T') || take (&cursor, 't'))
      || !take_time (&cursor, &date, true))
    return -1;
  if (take (&cursor, '.') && !take_fraction (&cursor, &date.ms))
    return -1;
  if (!take (&cursor, 'Z') && !take (&cursor, 'z')
      && !take_offset (&cursor, &date, true))
    return -1;
  if (cursor.p != cursor.end || !date_is_possible (&date))
    return -1;
  ms = date_join (&date);
  return ms >= 0 ? ms : -1;
}

static const int64_t most_retry_after_ms = (int64_t) 30 * DAY_MS;

/* "120", and "0.75" as some services have it; far too long is the most. */
static int
read_seconds (const char *text, int64_t *ret_ms)
{
  struct cursor cursor = { text, text + strlen (text) };
  int64_t seconds = 0, ms = 0;
  const char *start;

  take_space (&cursor, true);
  start = cursor.p;
  for (; cursor.p < cursor.end && *cursor.p >= '0' && *cursor.p <= '9';
       cursor.p++)
    if (seconds < most_retry_after_ms)
      seconds = seconds * 10 + (*cursor.p - '0');
  if (cursor.p == start
      || (take (&cursor, '.') && !take_fraction (&cursor, &ms)))
    return -1;
  take_space (&cursor, true);
  if (cursor.p != cursor.end)
    return -1;
  *ret_ms = seconds * 1000 + ms;
  return 0;
}

int64_t
date_retry_after_ms (const char *value, int64_t now_ms)
{
  int64_t ms;

  if (read_seconds (value, &ms) < 0) {
    if (read_header (value, &ms) < 0)
      return -1;
    ms = ms > now_ms ? ms - now_ms : 0;
  }
  return ms < most_retry_after_ms ? ms : most_retry_after_ms;
}

void
date_add_rfc3339 (struct buf *out, int64_t ms)
{
  struct date date;

  date_split (ms, &date);
  buf_printf (out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int) date.year,
              (int) date.month, (int) date.day, (int) date.hour,
              (int) date.minute, (int) date.second, (int) date.ms);
}

void
date_add_mail (struct buf *out, int64_t ms)
{
  struct date date;
  int64_t days = ms / DAY_MS - (ms % DAY_MS < 0 ? 1 : 0);

  date_split (ms, &date);
  /* 1970-01-01 was a Thursday. */
  buf_printf (out, "%s, %02d %s %04d %02d:%02d:%02d +0000",
              day_names[((days + 4) % 7 + 7) % 7], (int) date.day,
              month_names[date.month - 1], (int) date.year, (int) date.hour,
              (int) date.minute, (int) date.second);
}
