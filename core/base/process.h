/* process.h - what a system lets processes know and do about each other.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_PROCESS_H
#define HERALD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The program that runs, to be run once more: a name that stays good when
 * its file is replaced (an upgrade), or where the system knows none, argv0,
 * to be looked for as a shell does. */
const char *process_program (const char *argv0);

/* What ps and top call this process. */
void process_rename (const char *name);

/* For a child between fork and exec: it gets the signal when parent ends,
 * also if that has ended already. */
void process_end_with (pid_t parent, int signal);

/* Stopped by SIGSTOP or by a debugger. */
bool process_is_stopped (pid_t pid);

/* "segmentation fault", "SIGTERM", "signal 40". */
const char *process_signal_name (int signal);

#endif
