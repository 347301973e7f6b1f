/* date.h - dates of RFC 9110, RFC 5322 and RFC 3339, and the clocks.
 *
 * All times are milliseconds since 1970-01-01T00:00:00Z.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_DATE_H
#define HERALD_DATE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* The wall clock.  A test may fix it: date_set_now (-1) lets it run. */
int64_t date_now_ms (void);
void date_set_now (int64_t ms);
/* A clock that never jumps, for intervals only, in microseconds. */
int64_t date_monotonic_us (void);

/* The readers give -1 for dates before 1970 too: nothing herald reads is
 * that old. */

/* "Sun, 06 Nov 1994 08:49:37 GMT", the two obsolete forms of RFC 9110,
 * and RFC 5322 dates with a zone.  -1 if it is none. */
int64_t date_read_header (const char *text);
/* "2026-11-23T08:15:30.123+01:00" (CloudEvents' time).  -1 if none. */
int64_t date_read_rfc3339 (const char *text, size_t len);

/* What a Retry-After header asks for, in ms from now: seconds or a date,
 * 0 if the date is past, -1 if it is neither.  At most 30 days. */
int64_t date_retry_after_ms (const char *value, int64_t now_ms);

void date_add_rfc3339 (struct buf *out, int64_t ms);    /* UTC, ms, "Z" */
void date_add_mail (struct buf *out, int64_t ms);       /* RFC 5322, +0000 */

#endif
