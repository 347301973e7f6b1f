/* configuration_keep.c - what was good stays while its file is broken.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "config/configuration_parts.h"

static bool
is_unread (const struct configuration *configuration, const char *path)
{
  for (size_t k = 0; k < configuration->n_unread; k++)
    if (strcmp (configuration->unread[k], path) == 0)
      return true;
  return false;
}

/* Whether the file says nothing that can be used. */
static bool
is_broken (const struct configuration *configuration, const char *path)
{
  for (size_t k = 0; k < configuration->n_descriptors; k++)
    if (strcmp (configuration->descriptors[k]->path, path) == 0)
      return configuration->descriptors[k]->has_errors;
  return is_unread (configuration, path);
}

size_t
configuration_place (const struct configuration *configuration,
                     const char *name)
{
  size_t k = 0;

  while (k < configuration->n_descriptors
         && strcmp (configuration->descriptors[k]->name, name) != 0)
    k++;
  return k;
}

/* Put old's k-th into the place, for which there is room.  It is held
 * where it was read, not where it was kept before: else a file that stays
 * broken would keep all that were ever read. */
static void
keep (struct configuration *fresh, size_t place, struct configuration *old,
      size_t k)
{
  struct configuration *owner = old->owners[k];

  if (place == fresh->n_descriptors)
    fresh->n_descriptors++;
  else if (fresh->owners[place] != NULL)
    configuration_free (fresh->owners[place]);
  else
    descriptor_forget (fresh->descriptors[place]);
  fresh->owners[place] = configuration_hold (owner != NULL ? owner : old);
  fresh->descriptors[place] = old->descriptors[k];
}

void
configuration_make_room (struct configuration *fresh, size_t n)
{
  size_t size = fresh->n_descriptors + n;
  struct descriptor **descriptors = arena_zeroed (fresh->arena, size + 1,
                                                  sizeof *descriptors);
  struct configuration **owners = arena_zeroed (fresh->arena, size + 1,
                                                sizeof *owners);

  for (size_t k = 0; k < fresh->n_descriptors; k++) {
    descriptors[k] = fresh->descriptors[k];
    owners[k] = fresh->owners[k];
  }
  fresh->descriptors = descriptors;
  fresh->owners = owners;
}

void
configuration_keep_old (struct configuration *fresh,
                        struct configuration *old, struct problems *problems)
{
  bool *was_broken = arena_zeroed (fresh->arena, old->n_descriptors + 1,
                                   sizeof *was_broken);

  /* Before anything is put back, which may be of the same file. */
  for (size_t k = 0; k < old->n_descriptors; k++)
    was_broken[k] = is_broken (fresh, old->descriptors[k]->path);
  configuration_make_room (fresh, old->n_descriptors);
  for (size_t k = 0; k < old->n_descriptors; k++) {
    const struct descriptor *descriptor = old->descriptors[k];
    size_t place = configuration_place (fresh, descriptor->name);
    bool is_there = place < fresh->n_descriptors;

    if (descriptor->has_errors
        || (is_there && !fresh->descriptors[place]->has_errors)
        || (!is_there && !was_broken[k]))
      continue;
    keep (fresh, place, old, k);
    problems_add (problems, PROBLEM_WARNING, descriptor->path, 0,
                  descriptor->name, "integration \"%s\" stays as it was until "
                  "its file is mended", descriptor->name);
  }
}
