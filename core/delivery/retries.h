/* retries.h - deliveries that wait for their next attempt, soonest first.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_RETRIES_H
#define HERALD_RETRIES_H

#include <stddef.h>
#include <stdint.h>

#include "delivery.h"

struct retries {                /* a heap; { 0 } at first */
  struct delivery **items;
  size_t n, size;
};

void retries_done (struct retries *retries);
void retries_add (struct retries *retries, struct delivery *delivery);
/* The first if it is due, or NULL.  Of those due at one time the first
 * admitted, so that a batch comes back in its order. */
struct delivery *retries_take (struct retries *retries, int64_t now_us);
int64_t retries_next_us (const struct retries *retries);        /* -1: none */

#endif
