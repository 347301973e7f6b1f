/* place.h - the directory of a store: who may use it, and its files.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_PLACE_H
#define HERALD_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct place;

/* The directory (made if it is not there, for its owner alone) with its
 * files store.db, locks and bell.  NULL with a reason: another user's,
 * open to others, read-only, on a network file system. */
struct place *place_open (const char *path, char *ret_reason, size_t size);
void place_close (struct place *place);         /* NULL is fine */

const char *place_path (const struct place *place);
const char *place_db_path (const struct place *place);
int place_bell_fd (const struct place *place);
const char *place_bell_path (const struct place *place);

/* One process at a time writes: false if another does for 2 seconds.
 * Nobody waits for ever while others take turns. */
bool place_begin (struct place *place);
void place_end (struct place *place);

/* One process at a time owns a lane. */
bool place_own (struct place *place, uint32_t lane);
void place_disown (struct place *place, uint32_t lane);

/* Space that is kept for what must go on when the disk is full: a file
 * that is given up then.  Is it there, or could it be made (between
 * place_begin and place_end)? */
bool place_has_reserve (struct place *place);
bool place_lacks_reserve (const struct place *place);
/* False if there was none. */
bool place_use_reserve (struct place *place);

int64_t place_bytes (const struct place *place);
int64_t place_log_bytes (const struct place *place);

#endif
