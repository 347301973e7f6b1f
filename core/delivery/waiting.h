/* waiting.h - what of each order key waits in the store.
 *
 * Sorted by key and number.  There may be a million: 32 bytes each.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_WAITING_H
#define HERALD_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct waiting;

struct wait {
  uint64_t hash;                /* of the order key */
  uint64_t seq;
  uint64_t due_ms : 55;         /* date_now_ms () time */
  uint64_t is_back : 1;         /* it was given back and has no time; due_ms is
                                   when it was missed first */
  uint64_t misses : 8;          /* how often it was looked for after its time
                                   and was not there */
  uint32_t left, right;         /* waiting.c's */
};

struct waiting *waiting_new (void);
void waiting_free (struct waiting *waiting);

/* due_ms 0: it was given back, and has no time.  What is there already gets
 * the new one. */
void waiting_put (struct waiting *waiting, uint64_t hash, uint64_t seq,
                  int64_t due_ms);
/* *ret_due_ms: its time, 0 if it has none. */
bool waiting_remove (struct waiting *waiting, uint64_t hash, uint64_t seq,
                     int64_t *ret_due_ms);
/* The least number of that key, or NULL; good until the next put. */
struct wait *waiting_first (struct waiting *waiting, uint64_t hash);
/* Of that key the greatest number below seq, or NULL. */
struct wait *waiting_before (struct waiting *waiting, uint64_t hash,
                             uint64_t seq);
size_t waiting_count (const struct waiting *waiting);

#endif
