/* test-limits.c - the token bucket, back-off, and the counters.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "delivery/backoff.h"
#include "delivery/limiter.h"
#include "delivery/stats.h"

/* Send as fast as the limiter lets us for a minute; the most requests in
 * any window of that length. */
static unsigned
most_in_a_window (uint32_t requests, uint32_t per_ms)
{
  static int64_t sent[100000];
  struct limiter limiter = { 0 };
  int64_t now_us = 1000000, end_us = now_us + 60000000;
  size_t n = 0, first = 0;
  unsigned most = 0;

  limiter_set (&limiter, requests, per_ms, now_us);
  while (now_us < end_us) {
    int64_t wait_us = limiter_wait_us (&limiter, now_us);

    if (wait_us > 0) {
      now_us += wait_us;
      continue;
    }
    limiter_take (&limiter, 1, now_us);
    sent[n++] = now_us;
    while (sent[first] <= now_us - (int64_t) per_ms * 1000)
      first++;
    if (n - first > most)
      most = (unsigned) (n - first);
  }
  /* It must not be much slower than the limit either. */
  assert_true ((double) n > 0.85 * requests * 60000 / per_ms);
  return most;
}

static void
test_window (void **state)
{
  (void) state;
  assert_true (most_in_a_window (100, 10000) <= 100);
  assert_true (most_in_a_window (10, 1000) <= 10);
  assert_true (most_in_a_window (1000, 1000) <= 1000);
  assert_true (most_in_a_window (1, 1000) <= 1);
}

static void
test_no_limit (void **state)
{
  struct limiter limiter = { 0 };

  (void) state;
  limiter_take (&limiter, 1000, 5);
  assert_int_equal (limiter_wait_us (&limiter, 5), 0);
  limiter_set (&limiter, 1, 1000, 5);
  limiter_set (&limiter, 0, 0, 5);
  limiter_take (&limiter, 1000, 5);
  assert_int_equal (limiter_wait_us (&limiter, 5), 0);
}

static void
test_debt (void **state)
{
  struct limiter limiter = { 0 };

  (void) state;
  limiter_set (&limiter, 10, 1000, 1000000);
  limiter_take (&limiter, 10, 1000000);         /* one was there */
  assert_true (limiter_wait_us (&limiter, 1000000) > 1000000);
  limiter_set (&limiter, 20, 1000, 1000000);    /* the debt stays */
  assert_true (limiter_wait_us (&limiter, 1000000) > 500000);
}

static void
test_backoff (void **state)
{
  static const int64_t schedule[] = { 1000, 60000 };
  int64_t least = INT64_MAX, most = 0;

  (void) state;
  for (int i = 0; i < 1000; i++) {
    int64_t ms = backoff_delay_ms (schedule, 2, 1);

    assert_in_range (ms, 800, 1200);
    least = ms < least ? ms : least;
    most = ms > most ? ms : most;
    assert_in_range (backoff_spread_ms (5000), 5000, 5500);
  }
  assert_true (least < 900 && most > 1100);
  assert_in_range (backoff_delay_ms (schedule, 2, 2), 48000, 72000);
  assert_int_equal (backoff_delay_ms (schedule, 2, 3), -1);
  assert_int_equal (backoff_delay_ms (schedule, 0, 1), -1);
}

static void
test_percentiles (void **state)
{
  struct stats stats = { 0 };

  (void) state;
  assert_int_equal (stats_percentile (&stats, 50), 0);
  for (int64_t us = 1; us <= 10000; us++)
    stats_latency (&stats, us);
  assert_in_range (stats_percentile (&stats, 50), 4700, 5300);
  assert_in_range (stats_percentile (&stats, 95), 9000, 10000);
  stats_latency (&stats, -5);
  stats_latency (&stats, INT64_MAX);
  assert_true (stats_percentile (&stats, 100) > 10000);
  stats_done (&stats);
}

static void
test_reasons (void **state)
{
  struct stats stats = { 0 };
  char text[32];

  (void) state;
  for (int i = 0; i < 40; i++) {
    snprintf (text, sizeof text, "reason %d", i);
    stats_reason (&stats, text);
  }
  stats_reason (&stats, "reason 7");
  stats_sort_reasons (&stats);
  assert_string_equal (stats.reasons[0].text, "reason 7");
  assert_int_equal (stats.reasons[0].n, 2);
  assert_int_equal (stats.n_reasons, STATS_REASONS);
  assert_int_equal (stats.other_reasons, 40 - STATS_REASONS);
  stats_done (&stats);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_window),
    cmocka_unit_test (test_no_limit),
    cmocka_unit_test (test_debt),
    cmocka_unit_test (test_backoff),
    cmocka_unit_test (test_percentiles),
    cmocka_unit_test (test_reasons),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
