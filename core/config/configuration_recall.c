/* configuration_recall.c - a broken file's last good copy in its place.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "config/configuration_parts.h"

void
configuration_add_good (const struct configuration *configuration,
                        const char *state_directory, struct buf *out)
{
  if (state_directory == NULL)
    state_directory = configuration->herald->state_directory;
  if (state_directory == NULL)
    state_directory = HERALD_STATEDIR;
  buf_printf (out, "%s/good", state_directory);
}

/* Whether something good of that file is there: kept, then. */
static bool
has_good (const struct configuration *configuration, const char *path)
{
  for (size_t k = 0; k < configuration->n_descriptors; k++)
    if (!configuration->descriptors[k]->has_errors
        && strcmp (configuration->descriptors[k]->path, path) == 0)
      return true;
  return false;
}

/* NULL if it is no use. */
static struct descriptor *
read_copy (struct configuration *configuration, const char *copy,
           const char *path, struct problems *problems)
{
  struct problems *own = problems_new ();
  struct descriptor *descriptor;

  descriptor = descriptor_read_copy (copy, path, configuration->herald,
                                     configuration->arena, own);
  if (problems_errors (own) > 0) {
    problems_add (problems, PROBLEM_WARNING, path, 0,
                  descriptor != NULL ? descriptor->name : NULL,
                  "its last good copy, %s, can't be used either: %s", copy,
                  problems_at (own, 0)->text);
    if (descriptor != NULL)
      descriptor_forget (descriptor);
    descriptor = NULL;
  }
  problems_free (own);
  return descriptor;
}

/* In the place of what is broken and has its name; else behind all. */
static void
recall (struct configuration *configuration, const char *good,
        const char *path, struct problems *problems)
{
  const char *copy = arena_printf (configuration->arena, "%s%s", good,
                                   strrchr (path, '/'));
  struct descriptor *descriptor;
  size_t place;

  if (has_good (configuration, path) || access (copy, F_OK) != 0)
    return;
  descriptor = read_copy (configuration, copy, path, problems);
  if (descriptor == NULL)
    return;
  place = configuration_place (configuration, descriptor->name);
  if (place < configuration->n_descriptors
      && !configuration->descriptors[place]->has_errors) {
    descriptor_forget (descriptor);     /* another file has it now */
    return;
  }
  if (place == configuration->n_descriptors)
    configuration->n_descriptors++;
  else
    descriptor_forget (configuration->descriptors[place]);
  descriptor->is_recalled = true;
  configuration->descriptors[place] = descriptor;
  problems_add (problems, PROBLEM_WARNING, path, 0, descriptor->name,
                "integration \"%s\" goes on as it was when its file was last "
                "good, until that is mended", descriptor->name);
}

void
configuration_recall (struct configuration *configuration,
                      const char *state_directory, struct problems *problems)
{
  size_t n = configuration->n_unread, n_broken = 0;
  const char **broken
    = arena_zeroed (configuration->arena,
                    n + configuration->n_descriptors + 1, sizeof *broken);
  struct buf good = BUF_INIT (0);

  /* Before any of them takes the place of another. */
  for (size_t k = 0; k < n; k++)
    broken[n_broken++] = configuration->unread[k];
  for (size_t k = 0; k < configuration->n_descriptors; k++)
    if (configuration->descriptors[k]->has_errors)
      broken[n_broken++] = configuration->descriptors[k]->path;
  configuration_add_good (configuration, state_directory, &good);
  configuration_make_room (configuration, n_broken);
  for (size_t k = 0; k < n_broken; k++)
    recall (configuration, good.data, broken[k], problems);
  buf_done (&good);
}
