/* crowd.h - who holds how many connections, and who must go.
 *
 * The longest without a finished request is first.  When there is no seat
 * left, the first of the address that has most seats makes room, so that
 * one address with many connections never keeps out another with few.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CROWD_H
#define HERALD_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer.h"

struct crowd;
struct crowd_address;

struct seat {                   /* part of a connection */
  struct seat *prev, *next;
  struct crowd_address *address;
  bool is_held;                 /* may not be asked to go */
};

struct crowd *crowd_new (uint32_t most);
void crowd_free (struct crowd *crowd);          /* everybody has left */

/* Whom to send away before one with that key is let in; NULL: nobody.
 * *ret_is_full: and there is no room for it either. */
struct seat *crowd_victim (const struct crowd *crowd,
                           const unsigned char key[PEER_KEY_LEN],
                           bool *ret_is_full);
void crowd_enter (struct crowd *crowd, struct seat *seat,
                  const unsigned char key[PEER_KEY_LEN]);
void crowd_leave (struct crowd *crowd, struct seat *seat);
/* A request of it is done: it is the last to go. */
void crowd_touch (struct crowd *crowd, struct seat *seat);

/* The first, for a walk along next. */
struct seat *crowd_first (const struct crowd *crowd);
size_t crowd_count (const struct crowd *crowd);

#endif
