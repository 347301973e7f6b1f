/* host.h - the table of functions that plugins are given.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_HOST_H
#define HERALD_HOST_H

#include "herald-plugin.h"
#include "base/arena.h"

struct job;

/* The one table; complete but for nothing: every member works. */
extern const struct herald_host host_table;

/* Around every call of a plugin: where alloc () and format () take their
 * memory, and whom log () names.  job may be NULL (.open).  Nestable.
 * Returns what host_leave () needs. */
struct host_scope {
  struct arena *arena;
  struct job *job;
  const char *integration;
  struct host_scope *outer;
};
void host_enter (struct host_scope *scope, struct arena *arena,
                 struct job *job, const char *integration);
void host_leave (struct host_scope *scope);

#endif
