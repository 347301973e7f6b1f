/* histogram.h - how long things took, counted where others can read it.
 *
 * The bounds are fixed (100 us to 1 h, about 1-2-5), so that the figures of
 * several processes add up.  One process adds, others read meanwhile.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_HISTOGRAM_H
#define HERALD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 24 };

struct histogram {              /* { 0 } at first */
  uint64_t n[HISTOGRAM_BUCKETS];        /* not cumulative */
  uint64_t sum_us;
};

/* What bucket k holds at most, in microseconds; INT64_MAX for the last. */
int64_t histogram_bound_us (size_t k);
/* Less than 0 counts as 0. */
void histogram_add (struct histogram *histogram, int64_t us);

/* Add what another process has counted so far. */
void histogram_sum (struct histogram *sum, const struct histogram *other);
/* What was added to now since before (which was read earlier). */
void histogram_since (struct histogram *ret_new,
                      const struct histogram *now,
                      const struct histogram *before);
uint64_t histogram_count (const struct histogram *histogram);
/* The time that percent of them stayed below, interpolated within its
 * bucket (the last bucket's is its lower bound); 0 if there were none. */
int64_t histogram_percentile (const struct histogram *histogram,
                              double percent);

#endif
