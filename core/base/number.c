/* number.c - the one place where numbers and durations are read.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool
is_digit (char c)
{
  return c >= '0' && c <= '9';
}

int
number_read (const char *text, size_t len, int64_t min, int64_t max,
             int64_t *ret_value)
{
  bool is_negative = len > 0 && text[0] == '-';
  size_t i = is_negative ? 1 : 0;
  int64_t value = 0;

  if (i == len)
    return -1;
  for (; i < len; i++) {
    int digit = text[i] - '0';

    if (!is_digit (text[i]) || __builtin_mul_overflow (value, 10, &value)
        || __builtin_add_overflow (value, is_negative ? -digit : digit,
                                   &value))
      return -1;
  }
  if (value < min || value > max)
    return -1;
  *ret_value = value;
  return 0;
}

/* Where the digits from i on end. */
static size_t
skip_digits (const char *text, size_t i, size_t len)
{
  while (i < len && is_digit (text[i]))
    i++;
  return i;
}

/* The parts of a number of RFC 8259, section 6. */
struct parts {
  size_t whole, point, fraction, end;   /* offsets of digits; [point] may
                                           be no point */
  int64_t exponent;
};

/* A far exponent is as good as any: the double is 0 or too large. */
enum { FAR_EXPONENT = 1000000 };

static int
read_exponent (const char *text, size_t i, size_t len, int64_t *ret_exponent)
{
  bool is_negative = i < len && text[i] == '-';
  int64_t exponent = 0;

  if (i < len && (text[i] == '-' || text[i] == '+'))
    i++;
  if (i == len || skip_digits (text, i, len) != len)
    return -1;
  for (; i < len; i++)
    if (exponent < FAR_EXPONENT)
      exponent = exponent * 10 + (text[i] - '0');
  *ret_exponent = is_negative ? -exponent : exponent;
  return 0;
}

static int
read_parts (const char *text, size_t len, struct parts *ret_parts)
{
  struct parts parts = { 0, 0, 0, 0, 0 };

  parts.whole = len > 0 && text[0] == '-' ? 1 : 0;
  parts.point = skip_digits (text, parts.whole, len);
  if (parts.point == parts.whole
      || (text[parts.whole] == '0' && parts.point > parts.whole + 1))
    return -1;
  parts.fraction = parts.end = parts.point;
  if (parts.point < len && text[parts.point] == '.') {
    parts.fraction = parts.point + 1;
    parts.end = skip_digits (text, parts.fraction, len);
    if (parts.end == parts.fraction)
      return -1;
  }
  if (parts.end < len) {
    if ((text[parts.end] | 0x20) != 'e'
        || read_exponent (text, parts.end + 1, len, &parts.exponent) < 0)
      return -1;
  }
  *ret_parts = parts;
  return 0;
}

/* strtod () takes the locale's decimal point, so it is given none: 1.50e3
 * is read as 150e1. */
static double
parts_value (const char *text, const struct parts *parts)
{
  struct buf digits = BUF_INIT (0);
  int64_t exponent;
  double value;

  exponent = parts->exponent - (int64_t) (parts->end - parts->fraction);
  buf_add (&digits, text, parts->point);
  buf_add (&digits, text + parts->fraction, parts->end - parts->fraction);
  buf_printf (&digits, "e%lld", (long long) exponent);
  value = strtod (digits.data, NULL);
  buf_done (&digits);
  return value;
}

int
number_read_real (const char *text, size_t len, double *ret_value)
{
  struct parts parts;
  int64_t small;
  double value;

  if (read_parts (text, len, &parts) < 0)
    return -1;
  /* Exact in a double, and most numbers are. */
  if (parts.point == len && len < 16
      && number_read (text, len, INT64_MIN, INT64_MAX, &small) == 0) {
    *ret_value = (double) small;
    return 0;
  }
  value = parts_value (text, &parts);
  if (!isfinite (value))
    return -1;
  *ret_value = value;
  return 0;
}

struct unit {
  const char *name;
  int64_t value;
};

static const struct unit duration_units[] = {
  { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
  { "d", 86400000 }, { NULL, 0 }
};

static const struct unit size_units[] = {
  { "", 1 }, { "k", 1024 }, { "K", 1024 }, { "M", 1024 * 1024 },
  { "G", 1024 * 1024 * 1024 }, { NULL, 0 }
};

/* Digits followed by one of units. */
static int
read_with_unit (const char *text, const struct unit *units,
                int64_t *ret_value)
{
  size_t digits = skip_digits (text, 0, strlen (text));
  int64_t n;

  if (number_read (text, digits, 0, INT64_MAX, &n) < 0)
    return -1;
  for (; units->name != NULL; units++)
    if (strcmp (text + digits, units->name) == 0) {
      if (__builtin_mul_overflow (n, units->value, &n))
        return -1;
      *ret_value = n;
      return 0;
    }
  return -1;
}

int
number_read_duration (const char *text, int64_t *ret_ms)
{
  if (strcmp (text, "0") == 0) {
    *ret_ms = 0;
    return 0;
  }
  return read_with_unit (text, duration_units, ret_ms);
}

int
number_read_size (const char *text, int64_t *ret_bytes)
{
  return read_with_unit (text, size_units, ret_bytes);
}

static const struct unit spoken_units[] = {
  { "d", 86400000 }, { "h", 3600000 }, { "min", 60000 }, { "s", 1000 },
  { "ms", 1 }
};

void
number_add_duration (struct buf *out, int64_t ms)
{
  const struct unit *unit = spoken_units;
  uint64_t size = ms < 0 ? 0 - (uint64_t) ms : (uint64_t) ms;
  uint64_t one, tenth;

  while (unit->value > 1 && size < (uint64_t) unit->value)
    unit++;
  one = (uint64_t) unit->value;
  tenth = size % one * 10 / one;
  buf_printf (out, "%s%llu", ms < 0 ? "-" : "",
              (unsigned long long) (size / one));
  if (tenth > 0)
    buf_printf (out, ".%llu", (unsigned long long) tenth);
  buf_printf (out, " %s", unit->name);
}
