/* deadman.h - a process that hangs ends itself.
 *
 * Whoever looks after it may have died before it, or not be there at all.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_DEADMAN_H
#define HERALD_DEADMAN_H

#include <stdint.h>

/* SIGABRT if deadman_alive () is not called for so long, in whole seconds
 * of running: time for which the process was stopped does not count. */
void deadman_start (int64_t most_ms);
void deadman_alive (void);
void deadman_stop (void);

#endif
