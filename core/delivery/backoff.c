/* backoff.c - how long to wait before the next attempt.
 *
 * SPDX-License-Identifier: MIT
 */

#include "backoff.h"

#include "base/crypto.h"

/* Between 0 and 65535; jitter asks for no better randomness. */
static int64_t
backoff_chance (void)
{
  static uint64_t state;

  while (state == 0)
    crypto_random (&state, sizeof state);
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (int64_t) (state >> 48);
}

int64_t
backoff_delay_ms (const int64_t *schedule, size_t n, uint32_t attempt)
{
  int64_t ms;

  if (attempt == 0 || attempt > n)
    return -1;
  ms = schedule[attempt - 1];
  return ms - ms / 5 + ms / 5 * 2 * backoff_chance () / 65535;
}

int64_t
backoff_spread_ms (int64_t ms)
{
  return ms + ms / 10 * backoff_chance () / 65535;
}
