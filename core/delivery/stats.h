/* stats.h - what a lane has done, counted.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_STATS_H
#define HERALD_STATS_H

#include <stddef.h>
#include <stdint.h>

enum {
  STATS_REASONS = 32,           /* different ones kept apart */
  STATS_BUCKETS = 512
};

struct stats_reason {
  char *text;                   /* redacted */
  uint64_t n;
};

struct stats {                  /* { 0 } at first */
  uint64_t delivered;
  uint64_t rejected;
  uint64_t undelivered;
  uint64_t retried;             /* attempts that will be made again */
  uint64_t requests;
  size_t n_reasons;
  struct stats_reason reasons[STATS_REASONS];
  uint64_t other_reasons;       /* past STATS_REASONS */
  uint64_t latency[STATS_BUCKETS];      /* attempts that were answered */
};

void stats_done (struct stats *stats);
/* Why something was not delivered. */
void stats_reason (struct stats *stats, const char *text);
/* Most frequent first. */
void stats_sort_reasons (struct stats *stats);

void stats_latency (struct stats *stats, int64_t us);
/* The latency that percent of the attempts stayed below, within 4 %;
 * microseconds, 0 if there were none. */
int64_t stats_percentile (const struct stats *stats, double percent);

#endif
