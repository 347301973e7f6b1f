/* stats.c - what a lane has done, counted.
 *
 * SPDX-License-Identifier: MIT
 */

#include "stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void
stats_done (struct stats *stats)
{
  for (size_t i = 0; i < stats->n_reasons; i++)
    free (stats->reasons[i].text);
  memset (stats, 0, sizeof *stats);
}

void
stats_reason (struct stats *stats, const char *text)
{
  for (size_t i = 0; i < stats->n_reasons; i++)
    if (strcmp (stats->reasons[i].text, text) == 0) {
      stats->reasons[i].n++;
      return;
    }
  if (stats->n_reasons == STATS_REASONS) {
    stats->other_reasons++;
    return;
  }
  stats->reasons[stats->n_reasons].text = memory_strdup (text);
  stats->reasons[stats->n_reasons].n = 1;
  stats->n_reasons++;
}

static int
stats_compare (const void *a, const void *b)
{
  const struct stats_reason *x = a, *y = b;

  return (x->n < y->n) - (x->n > y->n);
}

void
stats_sort_reasons (struct stats *stats)
{
  qsort (stats->reasons, stats->n_reasons, sizeof stats->reasons[0],
         stats_compare);
}

/* Buckets: 16 to each power of two, so each is 4 to 6 % wide. */
static size_t
stats_bucket (int64_t us)
{
  unsigned power;

  if (us < 16)
    return us < 0 ? 0 : (size_t) us;
  power = 63 - (unsigned) __builtin_clzll ((unsigned long long) us);
  if (power > 34)
    return STATS_BUCKETS - 1;
  return (power - 3) * 16 + (((size_t) us >> (power - 4)) & 15);
}

static int64_t
stats_bucket_middle (size_t bucket)
{
  unsigned power;
  int64_t low;

  if (bucket < 16)
    return (int64_t) bucket;
  power = (unsigned) (bucket / 16) + 3;
  low = (int64_t) (16 + bucket % 16) << (power - 4);
  return low + ((int64_t) 1 << (power - 4)) / 2;
}

void
stats_latency (struct stats *stats, int64_t us)
{
  stats->latency[stats_bucket (us)]++;
}

int64_t
stats_percentile (const struct stats *stats, double percent)
{
  uint64_t all = 0, seen = 0;

  for (size_t i = 0; i < STATS_BUCKETS; i++)
    all += stats->latency[i];
  for (size_t i = 0; i < STATS_BUCKETS; i++) {
    seen += stats->latency[i];
    if (seen > 0 && (double) seen >= (double) all * percent / 100)
      return stats_bucket_middle (i);
  }
  return 0;
}
