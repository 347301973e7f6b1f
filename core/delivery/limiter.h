/* limiter.h - a token bucket: so many requests in so many milliseconds.
 *
 * Never more than the limit within any window of that length: the bucket
 * holds a tenth of the limit, and fills at the rate of the rest.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LIMITER_H
#define HERALD_LIMITER_H

#include <stdint.h>

struct limiter {                /* { 0 }: no limit */
  double capacity;              /* tokens */
  double per_us;                /* tokens a microsecond; 0: no limit */
  double tokens;                /* may be below 0: a debt */
  int64_t at_us;                /* when tokens was right */
};

/* requests 0: no limit.  A limit that is set again keeps its debt. */
void limiter_set (struct limiter *limiter, uint32_t requests,
                  uint32_t per_ms, int64_t now_us);
/* 0: one may go now; else the microseconds until one may. */
int64_t limiter_wait_us (struct limiter *limiter, int64_t now_us);
/* n requests went: n may exceed what is there. */
void limiter_take (struct limiter *limiter, uint32_t n, int64_t now_us);

#endif
