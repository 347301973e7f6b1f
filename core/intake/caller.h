/* caller.h - who may put events in, and for which workspaces.
 *
 * A token of the tokens file, or a user of this host at a Unix socket.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CALLER_H
#define HERALD_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct caller {
  unsigned n_holders;
  char *name;                   /* for the log: "shop", "uid 33" */
  bool all_workspaces;
  size_t n_workspaces;
  char **workspaces;
  size_t n_requests;            /* of it, in work now ... */
  size_t held;                  /* ... and the memory they take */
};

struct caller *caller_new (const char *name);
struct caller *caller_hold (struct caller *caller);
void caller_release (struct caller *caller);    /* NULL is fine */

/* "*" stands for all; one that it has is not added again. */
void caller_add (struct caller *caller, const char *workspace, size_t len);
bool caller_may (const struct caller *caller, const char *workspace);
/* The one workspace it may write to; NULL: there are several. */
const char *caller_only (const struct caller *caller);

#endif
