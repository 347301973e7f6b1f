/* fuzz-retry-after.c - base/date on any header's text.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const int64_t month_ms = INT64_C (30) * 86400000;
static const int64_t now_ms = INT64_C (1795421730123);

/* A date that is read can be written and read again. */
static void
check_date (int64_t ms)
{
  struct buf out = BUF_INIT (0);

  if (ms < -1)
    abort ();
  if (ms >= 0) {
    date_add_mail (&out, ms);
    if (date_read_header (out.data) != ms / 1000 * 1000)
      abort ();
    buf_clear (&out);
    date_add_rfc3339 (&out, ms);
    /* Year 9999 may end in the next by its zone. */
    if (out.len == 24 && date_read_rfc3339 (out.data, out.len) != ms)
      abort ();
  }
  buf_done (&out);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  char *text = malloc (size + 1);
  int64_t after_ms, at_ms;

  if (text == NULL)
    return 0;
  if (size > 0)
    memcpy (text, data, size);
  text[size] = '\0';
  date_set_now (now_ms);
  after_ms = date_retry_after_ms (text, now_ms);
  if (after_ms < -1 || after_ms > month_ms)
    abort ();
  at_ms = date_read_header (text);
  /* A date within reach is exactly that far away. */
  if (at_ms > now_ms && at_ms - now_ms < month_ms
      && after_ms != at_ms - now_ms)
    abort ();
  check_date (at_ms);
  check_date (date_read_rfc3339 ((const char *) data, size));
  free (text);
  return 0;
}
