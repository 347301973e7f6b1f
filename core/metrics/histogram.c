/* histogram.c - how long things took, counted where others can read it.
 *
 * SPDX-License-Identifier: MIT
 */

#include "metrics/histogram.h"

#define MS * (int64_t) 1000
#define S * (int64_t) 1000000

static const int64_t histogram_bounds[HISTOGRAM_BUCKETS] = {
  100, 200, 500,
  1 MS, 2 MS, 5 MS, 10 MS, 20 MS, 50 MS, 100 MS, 200 MS, 500 MS,
  1 S, 2 S, 5 S, 10 S, 30 S,
  60 S, 120 S, 300 S, 600 S, 1800 S, 3600 S,
  INT64_MAX
};

int64_t
histogram_bound_us (size_t k)
{
  return histogram_bounds[k < HISTOGRAM_BUCKETS ? k : HISTOGRAM_BUCKETS - 1];
}

void
histogram_add (struct histogram *histogram, int64_t us)
{
  size_t k = 0;

  if (us < 0)
    us = 0;
  while (us > histogram_bounds[k])
    k++;
  __atomic_fetch_add (&histogram->n[k], 1, __ATOMIC_RELAXED);
  __atomic_fetch_add (&histogram->sum_us, (uint64_t) us, __ATOMIC_RELAXED);
}

void
histogram_sum (struct histogram *sum, const struct histogram *other)
{
  for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++)
    sum->n[k] += __atomic_load_n (&other->n[k], __ATOMIC_RELAXED);
  sum->sum_us += __atomic_load_n (&other->sum_us, __ATOMIC_RELAXED);
}

/* A counter that has begun again is all new. */
static uint64_t
histogram_gain (uint64_t now, uint64_t before)
{
  return now >= before ? now - before : now;
}

void
histogram_since (struct histogram *ret_new, const struct histogram *now,
                 const struct histogram *before)
{
  for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++)
    ret_new->n[k] = histogram_gain (now->n[k], before->n[k]);
  ret_new->sum_us = histogram_gain (now->sum_us, before->sum_us);
}

uint64_t
histogram_count (const struct histogram *histogram)
{
  uint64_t n = 0;

  for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++)
    n += __atomic_load_n (&histogram->n[k], __ATOMIC_RELAXED);
  return n;
}

int64_t
histogram_percentile (const struct histogram *histogram, double percent)
{
  double all = (double) histogram_count (histogram);
  double rank = all * percent / 100, below = 0;

  for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++) {
    double n = (double) __atomic_load_n (&histogram->n[k], __ATOMIC_RELAXED);
    int64_t low = k > 0 ? histogram_bounds[k - 1] : 0;

    if (n > 0 && below + n >= rank) {
      if (k + 1 == HISTOGRAM_BUCKETS)
        return low;
      return low
             + (int64_t) ((double) (histogram_bounds[k] - low)
                          * (rank - below) / n);
    }
    below += n;
  }
  return 0;
}
