/* number.h - the one place where numbers and durations are read.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_NUMBER_H
#define HERALD_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* A decimal integer and nothing else (no space, no plus sign), between
 * min and max.  0, or -1 with *ret_value untouched. */
int number_read (const char *text, size_t len, int64_t min, int64_t max,
                 int64_t *ret_value);

/* A JSON number, or what reads like one in text ("007", "+3", ".5" and
 * " 12" do not).  1.50 is 1.5: compared by value where conditions ask.
 * -1 also for what no double can hold (1e400). */
int number_read_real (const char *text, size_t len, double *ret_value);

/* "200ms", "30s", "5m", "24h", "7d", to milliseconds; "0" is 0.  A
 * number without unit is an error. */
int number_read_duration (const char *text, int64_t *ret_ms);

/* "512", "64k", "10M", "1G" (powers of 1024) to bytes. */
int number_read_size (const char *text, int64_t *ret_bytes);

/* Milliseconds as people write them: "200 ms", "1.5 s", "3 min". */
void number_add_duration (struct buf *out, int64_t ms);

#endif
