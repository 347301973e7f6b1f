/* test-histogram.c - times counted in buckets that add up.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metrics/histogram.h"

static void
test_bounds (void **state)
{
  (void) state;
  assert_int_equal (histogram_bound_us (0), 100);
  for (size_t k = 1; k < HISTOGRAM_BUCKETS; k++)
    assert_true (histogram_bound_us (k) > histogram_bound_us (k - 1));
  assert_true (histogram_bound_us (HISTOGRAM_BUCKETS - 1) == INT64_MAX);
  assert_true (histogram_bound_us (HISTOGRAM_BUCKETS - 2)
               == INT64_C (3600) * 1000000);
}

/* A bound belongs to its bucket (le). */
static void
test_buckets (void **state)
{
  struct histogram histogram = { 0 };

  (void) state;
  histogram_add (&histogram, -5);
  histogram_add (&histogram, 100);
  histogram_add (&histogram, 101);
  histogram_add (&histogram, INT64_C (3600) * 1000000 + 1);
  assert_int_equal (histogram.n[0], 2);
  assert_int_equal (histogram.n[1], 1);
  assert_int_equal (histogram.n[HISTOGRAM_BUCKETS - 1], 1);
  assert_int_equal (histogram_count (&histogram), 4);
  assert_true (histogram.sum_us
               == 100 + 101 + UINT64_C (3600) * 1000000 + 1);
}

static void
test_sum_and_since (void **state)
{
  struct histogram a = { 0 }, b = { 0 }, sum = { 0 }, gain;

  (void) state;
  histogram_add (&a, 50);
  histogram_add (&b, 50);
  histogram_add (&b, 5000);
  histogram_sum (&sum, &a);
  histogram_sum (&sum, &b);
  assert_int_equal (sum.n[0], 2);
  assert_int_equal (sum.sum_us, 5100);

  histogram_since (&gain, &sum, &a);
  assert_int_equal (gain.n[0], 1);
  assert_int_equal (gain.sum_us, 5050);
  /* Begun again in between. */
  histogram_since (&gain, &a, &sum);
  assert_int_equal (gain.n[0], 1);
  assert_int_equal (gain.sum_us, 50);
}

static void
test_percentiles (void **state)
{
  struct histogram histogram = { 0 };

  (void) state;
  assert_int_equal (histogram_percentile (&histogram, 50), 0);
  for (int i = 0; i < 98; i++)
    histogram_add (&histogram, 1500);
  histogram_add (&histogram, 40000);
  histogram_add (&histogram, INT64_C (7200) * 1000000);
  /* Half of what lies between 1 ms and 2 ms, a little above the middle. */
  assert_in_range (histogram_percentile (&histogram, 50), 1500, 1520);
  assert_in_range (histogram_percentile (&histogram, 99), 20001, 50000);
  assert_true (histogram_percentile (&histogram, 100)
               == INT64_C (3600) * 1000000);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_bounds),
    cmocka_unit_test (test_buckets),
    cmocka_unit_test (test_sum_and_since),
    cmocka_unit_test (test_percentiles),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
