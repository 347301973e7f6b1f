/* caller.c - who may put events in, and for which workspaces.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/caller.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct caller *
caller_new (const char *name)
{
  struct caller *caller = memory_zeroed (1, sizeof *caller);

  caller->n_holders = 1;
  caller->name = memory_strdup (name);
  return caller;
}

struct caller *
caller_hold (struct caller *caller)
{
  caller->n_holders++;
  return caller;
}

void
caller_release (struct caller *caller)
{
  if (caller == NULL || --caller->n_holders > 0)
    return;
  for (size_t i = 0; i < caller->n_workspaces; i++)
    free (caller->workspaces[i]);
  free (caller->workspaces);
  free (caller->name);
  free (caller);
}

void
caller_add (struct caller *caller, const char *workspace, size_t len)
{
  size_t n = caller->n_workspaces;

  if (len == 1 && workspace[0] == '*') {
    caller->all_workspaces = true;
    return;
  }
  for (size_t i = 0; i < n; i++)
    if (strlen (caller->workspaces[i]) == len
        && memcmp (caller->workspaces[i], workspace, len) == 0)
      return;
  caller->workspaces = memory_resize (caller->workspaces, n + 1,
                                      sizeof caller->workspaces[0]);
  caller->workspaces[n] = memory_strndup (workspace, len);
  caller->n_workspaces++;
}

bool
caller_may (const struct caller *caller, const char *workspace)
{
  if (caller->all_workspaces)
    return true;
  for (size_t i = 0; i < caller->n_workspaces; i++)
    if (strcmp (caller->workspaces[i], workspace) == 0)
      return true;
  return false;
}

const char *
caller_only (const struct caller *caller)
{
  return !caller->all_workspaces && caller->n_workspaces == 1
           ? caller->workspaces[0] : NULL;
}
