/* configuration.c - herald.xml and all of conf.d.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/configuration_parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/trust.h"

enum { MAX_FILES = 10000 };

/* The names of a directory's descriptors. */
struct names {
  size_t n, size;
  char **items;
};

bool
configuration_is_file (const char *name)
{
  size_t len = strlen (name);

  return name[0] != '.' && len > 4 && strcmp (name + len - 4, ".xml") == 0;
}

/* Not alphasort: its order is the locale's. */
static int
compare (const void *a, const void *b)
{
  char *const *first = a, *const *second = b;

  return strcmp (*first, *second);
}

static void
names_add (struct names *names, const char *name)
{
  if (names->n == names->size) {
    names->size = names->size > 0 ? 2 * names->size : 16;
    names->items = memory_resize (names->items, names->size,
                                  sizeof *names->items);
  }
  names->items[names->n++] = memory_strdup (name);
}

static void
names_done (struct names *names)
{
  for (size_t k = 0; k < names->n; k++)
    free (names->items[k]);
  free (names->items);
}

/* Takes fd over. */
static int
list (int fd, const char *path, struct names *names,
      struct problems *problems)
{
  DIR *directory = fdopendir (fd);
  struct dirent *entry;

  if (directory == NULL) {
    problems_add (problems, PROBLEM_ERROR, path, 0, NULL,
                  "it can't be read: %s", strerror (errno));
    close (fd);
    return -1;
  }
  while (names->n < MAX_FILES && (entry = readdir (directory)) != NULL)
    if (configuration_is_file (entry->d_name))
      names_add (names, entry->d_name);
  if (names->n == MAX_FILES)
    problems_add (problems, PROBLEM_ERROR, path, 0, NULL,
                  "it holds more than %d descriptors; the rest is not read",
                  MAX_FILES - 1);
  closedir (directory);
  if (names->n > 0)
    qsort (names->items, names->n, sizeof *names->items, compare);
  return 0;
}

/* Of two with one name the first is meant. */
static void
check_name (const struct configuration *configuration,
            struct descriptor *descriptor, struct problems *problems)
{
  const struct descriptor *first;

  first = configuration_find (configuration, descriptor->name);
  if (first == NULL)
    return;
  descriptor->has_errors = true;
  problems_add (problems, PROBLEM_ERROR, descriptor->path, descriptor->line,
                descriptor->name, "integration \"%s\" is defined already in "
                "%s:%u; give this one another name", descriptor->name,
                first->path, first->line);
}

static void
read_descriptors (struct configuration *configuration, const char *path,
                  const struct names *names, struct problems *problems)
{
  configuration->descriptors
    = arena_zeroed (configuration->arena, names->n + 1,
                    sizeof *configuration->descriptors);
  configuration->owners = arena_zeroed (configuration->arena, names->n + 1,
                                        sizeof *configuration->owners);
  configuration->unread = arena_zeroed (configuration->arena, names->n + 1,
                                        sizeof *configuration->unread);
  for (size_t k = 0; k < names->n; k++) {
    const char *file = arena_printf (configuration->arena, "%s/%s", path,
                                     names->items[k]);
    struct descriptor *descriptor;

    descriptor = descriptor_read (file, configuration->herald,
                                  configuration->arena, problems);
    if (descriptor == NULL) {
      configuration->unread[configuration->n_unread++] = file;
      continue;
    }
    check_name (configuration, descriptor, problems);
    configuration->descriptors[configuration->n_descriptors++] = descriptor;
  }
}

static struct herald_xml *
recall_host (struct arena *arena, const char *path,
             const char *state_directory, enum secrets secrets,
             struct problems *problems)
{
  const char *copy = arena_printf (arena, "%s/good/" CONFIGURATION_HOST_COPY,
                                   state_directory);
  struct problems *own = problems_new ();
  struct herald_xml *host = NULL;

  if (access (copy, F_OK) == 0) {
    host = herald_xml_read_copy (copy, path, secrets, arena, own);
    if (host != NULL)
      problems_add (problems, PROBLEM_WARNING, path, 0, NULL, "all goes on "
                    "as it was when this was last good, until it is mended");
    else
      problems_add (problems, PROBLEM_WARNING, path, 0, NULL, "its last good "
                    "copy, %s, can't be used either: %s", copy,
                    problems_at (own, 0)->text);
  }
  problems_free (own);
  if (host != NULL)
    host->is_recalled = true;
  return host;
}

/* state_directory NULL: nothing is recalled. */
static int
read_all (struct configuration *configuration, const char *state_directory,
          enum secrets secrets, struct problems *problems)
{
  struct arena *arena = configuration->arena;
  const char *own = arena_printf (arena, "%s/herald.xml",
                                  configuration->directory);
  const char *path = arena_printf (arena, "%s/conf.d",
                                   configuration->directory);
  struct names names = { 0 };
  char reason[400];
  int fd, status;

  configuration->herald = herald_xml_read (own, secrets, arena, problems);
  if (configuration->herald == NULL && state_directory != NULL)
    configuration->herald = recall_host (arena, own, state_directory,
                                         secrets, problems);
  if (configuration->herald == NULL)
    return -1;
  fd = trust_open (path, TRUST_DIRECTORY, reason, sizeof reason);
  if (fd < 0) {
    problems_add (problems, PROBLEM_ERROR, path, 0, NULL, "%s", reason);
    return -1;
  }
  status = list (fd, path, &names, problems);
  if (status == 0) {
    read_descriptors (configuration, path, &names, problems);
    configuration_check_fallbacks (configuration, problems);
  }
  names_done (&names);
  return status;
}

struct configuration *
configuration_read (const char *directory, enum secrets secrets,
                    struct problems *problems)
{
  return configuration_read_or_recall (directory, NULL, secrets, problems);
}

struct configuration *
configuration_read_or_recall (const char *directory,
                              const char *state_directory,
                              enum secrets secrets,
                              struct problems *problems)
{
  struct configuration *configuration
    = memory_zeroed (1, sizeof *configuration);

  configuration->n_holds = 1;
  configuration->arena = arena_new (0);
  configuration->directory = arena_strdup (configuration->arena, directory);
  if (read_all (configuration, state_directory, secrets, problems) < 0) {
    configuration_free (configuration);
    return NULL;
  }
  return configuration;
}

struct configuration *
configuration_hold (struct configuration *configuration)
{
  if (configuration != NULL)
    configuration->n_holds++;
  return configuration;
}

void
configuration_free (struct configuration *configuration)
{
  if (configuration == NULL || --configuration->n_holds > 0)
    return;
  for (size_t k = 0; k < configuration->n_descriptors; k++)
    if (configuration->owners[k] != NULL)
      configuration_free (configuration->owners[k]);
    else
      descriptor_forget (configuration->descriptors[k]);
  herald_xml_done (configuration->herald);
  arena_free (configuration->arena);
  free (configuration);
}

const struct descriptor *
configuration_find (const struct configuration *configuration,
                    const char *name)
{
  for (size_t k = 0; k < configuration->n_descriptors; k++)
    if (strcmp (configuration->descriptors[k]->name, name) == 0)
      return configuration->descriptors[k];
  return NULL;
}

/* Those of settings put at names, of which there are n; as many. */
static size_t
add_variables (const struct setting *settings, size_t n, const char **names)
{
  size_t n_names = 0;

  for (size_t k = 0; k < n; k++)
    if (settings[k].variable != NULL)
      names[n_names++] = settings[k].variable;
  return n_names;
}

const char *const *
configuration_variables (const struct configuration *configuration)
{
  const struct herald_xml *host = configuration->herald;
  const char **names;
  size_t n = 0, most = 0;

  for (size_t k = 0; k < host->n_defaults; k++)
    most += host->defaults[k].n_settings;
  for (size_t k = 0; k < configuration->n_descriptors; k++)
    most += configuration->descriptors[k]->n_settings;
  names = arena_zeroed (configuration->arena, most + 1, sizeof *names);
  for (size_t k = 0; k < host->n_defaults; k++)
    n += add_variables (host->defaults[k].settings,
                        host->defaults[k].n_settings, names + n);
  for (size_t k = 0; k < configuration->n_descriptors; k++)
    n += add_variables (configuration->descriptors[k]->settings,
                        configuration->descriptors[k]->n_settings, names + n);
  return names;
}

const struct herald_defaults *
configuration_defaults (const struct configuration *configuration,
                        const char *provider)
{
  const struct herald_xml *herald_xml = configuration->herald;

  for (size_t k = 0; k < herald_xml->n_defaults; k++)
    if (strcmp (herald_xml->defaults[k].provider, provider) == 0)
      return &herald_xml->defaults[k];
  return NULL;
}
