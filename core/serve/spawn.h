/* spawn.h - fork and exec of a child, with what it is to find.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SPAWN_H
#define HERALD_SPAWN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "serve/listeners.h"

struct spawn {
  const char *program;
  char *const *arguments;       /* up to NULL */
  const char *const *hidden;    /* variables of the environment that it does
                                   not get, up to NULL; NULL: none */
  const char *notify_path;
  int64_t watchdog_ms;          /* 0: none */
  const struct listeners *listeners;    /* NULL: none */
  int place_fd;                 /* inherited, at any number */
};

/* Of a process with one thread.  The child is in a process group of its
 * own, has no signal caught and none blocked but SIGHUP (until it listens
 * to it), gets SIGTERM when we end, and finds the sockets that are wanted
 * as LISTEN_FDS, named "intake".  -1 with errno if it can't be made or the
 * program can't be run. */
pid_t spawn (const struct spawn *spawn);

#endif
