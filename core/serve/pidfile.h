/* pidfile.h - who runs here: one supervisor, one intake, one worker of
 * each number.
 *
 * RUN/serve.pid holds the supervisor's process id, and locks, which the
 * kernel gives back however a process ends: on its first byte that of the
 * supervisor, behind it one for each child, which the child inherits.  So
 * a child that outlives its supervisor keeps its place until it has ended.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_PIDFILE_H
#define HERALD_PIDFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pidfile;

/* Make the run directory (in the state directory) if it is not there, and
 * become its supervisor.  NULL with a reason; another that runs is named
 * in it. */
struct pidfile *pidfile_hold (const char *state_directory, char *ret_reason,
                              size_t size);
/* The next one is told that nothing of ours is left.  NULL is fine. */
void pidfile_release (struct pidfile *pidfile);

/* STATE/run. */
const char *pidfile_directory (const struct pidfile *pidfile);
/* The supervisor before was killed: its children may be ending still. */
bool pidfile_is_inherited (const struct pidfile *pidfile);

/* A descriptor that holds place (0: the intake, 1 + I: worker I), to be
 * given to a child and closed here; without CLOEXEC.  -1 with errno,
 * EAGAIN: a child of a former supervisor has it. */
int pidfile_take (struct pidfile *pidfile, unsigned place);

/* The supervisor that runs with this state directory; 0: none. */
pid_t pidfile_find (const char *state_directory);

#endif
