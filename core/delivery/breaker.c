/* breaker.c - leave an endpoint alone that does not answer.
 *
 * SPDX-License-Identifier: MIT
 */

#include "breaker.h"

#include <string.h>

#include "backoff.h"

enum {
  BREAKER_IN_A_ROW = 5,
  BREAKER_SAMPLE = 20,          /* fewer say nothing of a share */
  BREAKER_FIRST_MS = 5000,
  BREAKER_MOST_MS = 300000
};

enum breaker_state
breaker_state (const struct breaker *breaker, int64_t now_us)
{
  if (!breaker->is_open)
    return BREAKER_CLOSED;
  return now_us < breaker->until_us ? BREAKER_OPEN : BREAKER_HALF;
}

static void
breaker_count (struct breaker *breaker, int64_t now_us, bool has_failed)
{
  int64_t second = now_us / 1000000;
  size_t i = (size_t) (second % BREAKER_SECONDS);

  if (breaker->seconds[i].second != second)
    memset (&breaker->seconds[i], 0, sizeof breaker->seconds[i]);
  breaker->seconds[i].second = second;
  breaker->seconds[i].n++;
  breaker->seconds[i].failed += has_failed;
}

static bool
breaker_is_due (const struct breaker *breaker, int64_t now_us)
{
  int64_t second = now_us / 1000000;
  uint32_t n = 0, failed = 0;

  if (breaker->in_a_row >= BREAKER_IN_A_ROW)
    return true;
  for (size_t i = 0; i < BREAKER_SECONDS; i++)
    if (breaker->seconds[i].second > second - BREAKER_SECONDS) {
      n += breaker->seconds[i].n;
      failed += breaker->seconds[i].failed;
    }
  return n >= BREAKER_SAMPLE && 2 * failed > n;
}

/* Longer than the last time, unless it has been well for as long. */
static void
breaker_open (struct breaker *breaker, int64_t now_us, bool is_again)
{
  if (!is_again)
    breaker->open_ms = BREAKER_FIRST_MS;
  else if (breaker->open_ms < BREAKER_MOST_MS / 2)
    breaker->open_ms *= 2;
  else
    breaker->open_ms = BREAKER_MOST_MS;
  breaker->is_open = true;
  breaker->until_us = now_us + backoff_spread_ms (breaker->open_ms) * 1000;
}

bool
breaker_failed (struct breaker *breaker, int64_t now_us)
{
  if (breaker->is_open) {
    breaker_open (breaker, now_us, true);
    return true;
  }
  breaker->in_a_row++;
  breaker_count (breaker, now_us, true);
  if (!breaker_is_due (breaker, now_us))
    return false;
  breaker_open (breaker, now_us, breaker->open_ms > 0
                && now_us - breaker->closed_us < breaker->open_ms * 1000);
  return true;
}

void
breaker_succeeded (struct breaker *breaker, int64_t now_us)
{
  breaker->in_a_row = 0;
  if (!breaker->is_open) {
    breaker_count (breaker, now_us, false);
    return;
  }
  breaker->is_open = false;
  breaker->closed_us = now_us;
  memset (breaker->seconds, 0, sizeof breaker->seconds);
}

void
breaker_reset (struct breaker *breaker)
{
  memset (breaker, 0, sizeof *breaker);
}
