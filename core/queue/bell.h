/* bell.h - tells other processes which lanes to look at.
 *
 * A file of counters, one for a lane (lanes a thousand apart share one),
 * watched by whoever wants to hear.  Nothing depends on it but speed: an
 * owner looks at its lanes once a second without it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_BELL_H
#define HERALD_BELL_H

#include <stdint.h>

struct bell;

/* Both belong to the caller and stay. */
struct bell *bell_open (int fd, const char *path);
void bell_close (struct bell *bell);            /* NULL is fine */

/* Something changed for that lane; bell_ring () tells of all such, by one
 * process at a time. */
void bell_note (struct bell *bell, uint32_t lane);
void bell_ring (struct bell *bell);
void bell_unnote (struct bell *bell);   /* it did not change after all */

/* -1: there is none. */
int bell_watch_fd (struct bell *bell);
void bell_heard (struct bell *bell);
/* Differs from what it was before if something has changed. */
uint32_t bell_count (const struct bell *bell, uint32_t lane);

#endif
