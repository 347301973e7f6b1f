/* backoff.h - how long to wait before the next attempt.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_BACKOFF_H
#define HERALD_BACKOFF_H

#include <stddef.h>
#include <stdint.h>

/* After attempt number attempt (1 the first) has failed: the schedule's
 * entry, 20 % up or down by chance so that what failed together does not
 * come back together; -1 when the schedule is at its end. */
int64_t backoff_delay_ms (const int64_t *schedule, size_t n,
                          uint32_t attempt);

/* ms and up to a tenth more, for what a service asked for: never less. */
int64_t backoff_spread_ms (int64_t ms);

#endif
