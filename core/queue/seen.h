/* seen.h - where the ids of a window were put.
 *
 * About eleven bytes of memory for an id: a part of its hash and of its
 * number.  What is found here is only a hint; whoever asks reads the row.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SEEN_H
#define HERALD_SEEN_H

#include <stddef.h>
#include <stdint.h>

struct seen;

struct seen *seen_new (void);
void seen_free (struct seen *seen);             /* NULL is fine */

void seen_add (struct seen *seen, uint64_t hash, uint64_t seq);
/* It was not put after all. */
void seen_remove (struct seen *seen, uint64_t hash, uint64_t seq);

/* The k-th number (from 0) under which that hash may have been put; 0: no
 * more.  Numbers are right within the last four thousand million. */
uint64_t seen_at (const struct seen *seen, uint64_t hash, size_t k);

/* Numbers below it count no longer; their memory is used again. */
void seen_forget_before (struct seen *seen, uint64_t seq);
size_t seen_bytes (const struct seen *seen);

#endif
