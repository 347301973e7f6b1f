/* lock.h - locks on the bytes of a file, between processes.
 *
 * The kernel gives a lock back when the descriptor is closed or its
 * process ends, however it ends.  Nothing is ever written to the file.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LOCK_H
#define HERALD_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The lock on one byte of the file, whether it exists or not.  fd is open
 * for writing.  False: someone else has it. */
bool lock_try (int fd, int64_t byte);
/* The same, but wait for it. */
bool lock_wait (int fd, int64_t byte, int64_t most_ms);
void lock_release (int fd, int64_t byte);

#endif
