/* owner.c - as whom must a command be run?
 *
 * SPDX-License-Identifier: MIT
 */

#include "owner.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

bool
owner_is_me (const char *path)
{
  struct stat about;

  if (stat (path, &about) != 0)
    return errno != EACCES;
  return about.st_uid == geteuid ();
}

void
owner_say (const char *path)
{
  char *above = memory_strdup (path), *slash;
  const struct passwd *owner;
  struct stat about = { .st_uid = 0 };

  while (stat (above, &about) != 0 && (slash = strrchr (above, '/')) != NULL)
    *(slash > above ? slash : slash + 1) = '\0';
  owner = getpwuid (about.st_uid);
  if (owner != NULL)
    log_error ("%s can't be used: it is for user %s; run: sudo -u %s herald "
               "...", path, owner->pw_name, owner->pw_name);
  else
    log_error ("%s can't be used: it is for user %lu, who runs herald here",
               path, (unsigned long) about.st_uid);
  free (above);
}
