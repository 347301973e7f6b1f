/* limiter.c - a token bucket.
 *
 * SPDX-License-Identifier: MIT
 */

#include "limiter.h"

static void
limiter_fill (struct limiter *limiter, int64_t now_us)
{
  if (now_us > limiter->at_us) {
    limiter->tokens += (double) (now_us - limiter->at_us) * limiter->per_us;
    if (limiter->tokens > limiter->capacity)
      limiter->tokens = limiter->capacity;
  }
  limiter->at_us = now_us;
}

void
limiter_set (struct limiter *limiter, uint32_t requests, uint32_t per_ms,
             int64_t now_us)
{
  double was = limiter->per_us;
  double most = requests;

  if (requests == 0 || per_ms == 0) {
    limiter->per_us = 0;
    return;
  }
  limiter->capacity = most >= 10 ? (double) (requests / 10) : 1;
  most -= limiter->capacity;
  limiter->per_us = (most >= 1 ? most : 1) / ((double) per_ms * 1000);
  if (was <= 0)
    limiter->tokens = limiter->capacity;
  else if (limiter->tokens > limiter->capacity)
    limiter->tokens = limiter->capacity;
  limiter->at_us = now_us;
}

int64_t
limiter_wait_us (struct limiter *limiter, int64_t now_us)
{
  if (limiter->per_us <= 0)
    return 0;
  limiter_fill (limiter, now_us);
  if (limiter->tokens >= 1)
    return 0;
  return (int64_t) ((1 - limiter->tokens) / limiter->per_us) + 1;
}

void
limiter_take (struct limiter *limiter, uint32_t n, int64_t now_us)
{
  if (limiter->per_us <= 0)
    return;
  limiter_fill (limiter, now_us);
  limiter->tokens -= n;
}
