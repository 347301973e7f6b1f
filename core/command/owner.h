/* owner.h - as whom must a command be run?
 *
 * Store, counts and what is remembered belong to the user that the daemon
 * runs as.  Another can't read them, and what root writes there the daemon
 * can't read.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_OWNER_H
#define HERALD_OWNER_H

#include <stdbool.h>

/* Whether path is ours, or not there yet. */
bool owner_is_me (const char *path);
/* Log as whom to run instead: who has path, or the nearest directory above
 * it that can be seen. */
void owner_say (const char *path);

#endif
