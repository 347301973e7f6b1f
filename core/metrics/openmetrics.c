/* openmetrics.c - how a figure is spelt in OpenMetrics 1.0.
 *
 * SPDX-License-Identifier: MIT
 */

#include "metrics/openmetrics.h"

#include <stdio.h>

#include "base/text.h"

void
openmetrics_family (struct buf *out, const char *family, const char *type,
                    const char *unit, const char *help)
{
  buf_printf (out, "# TYPE %s %s\n", family, type);
  if (unit != NULL)
    buf_printf (out, "# UNIT %s %s\n", family, unit);
  buf_printf (out, "# HELP %s %s\n", family, help);
}

/* The text must be UTF-8; what is not goes out as "?". */
static void
openmetrics_escape (struct buf *out, const char *text)
{
  while (*text != '\0') {
    size_t n = text_char_len (text, 4);

    if (*text == '\\' || *text == '"') {
      buf_add_char (out, '\\');
      buf_add_char (out, *text);
    } else if (*text == '\n')
      buf_add_text (out, "\\n");
    else if (n == 0)
      buf_add_char (out, '?');
    else
      buf_add (out, text, n);
    text += n > 0 ? n : 1;
  }
}

static void
openmetrics_add_labels (struct buf *out, const char *const *labels)
{
  for (size_t i = 0; labels[i] != NULL; i += 2) {
    buf_printf (out, "%s%s=\"", i > 0 ? "," : "", labels[i]);
    openmetrics_escape (out, labels[i + 1]);
    buf_add_char (out, '"');
  }
}

void
openmetrics_labels (struct buf *out, const char *sample,
                    const char *const *labels)
{
  buf_printf (out, "%s{", sample);
  openmetrics_add_labels (out, labels);
  buf_add_char (out, '}');
}

void
openmetrics_number (struct buf *out, uint64_t value)
{
  buf_printf (out, " %llu\n", (unsigned long long) value);
}

/* 1500000 as "1.5", with one digit at least behind the point, which is how
 * a bucket's bound must be spelt ("canonical numbers"). */
static void
openmetrics_add_seconds (struct buf *out, int64_t us)
{
  char digits[24];
  int len = snprintf (digits, sizeof digits, "%lld.%06lld",
                      (long long) (us / 1000000), (long long) (us % 1000000));

  while (digits[len - 1] == '0' && digits[len - 2] != '.')
    len--;
  buf_add (out, digits, (size_t) len);
}

void
openmetrics_seconds (struct buf *out, int64_t us)
{
  buf_add_char (out, ' ');
  openmetrics_add_seconds (out, us);
  buf_add_char (out, '\n');
}

void
openmetrics_histogram (struct buf *out, const char *family,
                       const char *const *labels,
                       const struct histogram *histogram)
{
  uint64_t n = 0;

  for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++) {
    n += histogram->n[k];
    buf_printf (out, "%s_bucket{", family);
    openmetrics_add_labels (out, labels);
    buf_add_text (out, ",le=\"");
    if (k + 1 == HISTOGRAM_BUCKETS)
      buf_add_text (out, "+Inf");
    else
      openmetrics_add_seconds (out, histogram_bound_us (k));
    buf_printf (out, "\"} %llu\n", (unsigned long long) n);
  }
  buf_printf (out, "%s_count{", family);
  openmetrics_add_labels (out, labels);
  buf_printf (out, "} %llu\n%s_sum{", (unsigned long long) n, family);
  openmetrics_add_labels (out, labels);
  buf_add_char (out, '}');
  openmetrics_seconds (out, (int64_t) histogram->sum_us);
}
