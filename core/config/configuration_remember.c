/* configuration_remember.c - a copy of each file that is good.
 *
 * SPDX-License-Identifier: MIT
 */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/new_file.h"
#include "base/trust.h"
#include "config/configuration_parts.h"
#include "config/xml.h"

struct remembering {
  const struct configuration *configuration;
  const char *good;             /* the directory of the copies */
  const char *new_path;         /* of a copy that is not in its place yet */
  bool has_changed;
  char *reason;                 /* the first; "": none */
  size_t size;
};

static void
complain (struct remembering *remembering, const char *what,
          const char *path)
{
  if (*remembering->reason == '\0')
    snprintf (remembering->reason, remembering->size, "%s can't be %s: %s",
              path, what, strerror (errno));
}

static char *
path_in (const char *directory, const char *name)
{
  struct buf path = BUF_INIT (0);

  buf_printf (&path, "%s/%s", directory, name);
  return buf_steal (&path);
}

/* A file that is good. */
struct original {
  const char *path;
  const char *copy;             /* its name among the copies */
  /* Whether others may read the file decides what may stand in it, so the
   * copy says the same by its mode; its directory is closed to them. */
  bool is_private;
  const struct descriptor *descriptor;  /* NULL: herald.xml */
};

static mode_t
mode_of (const struct original *original)
{
  return original->is_private ? 0600 : 0644;
}

static bool
is_there (const struct original *original, const char *copy,
          const char *text, size_t len)
{
  struct stat status;
  char reason[400], *found;
  size_t found_len;
  bool is_same;

  if (lstat (copy, &status) < 0
      || (status.st_mode & 07777) != mode_of (original)
      || (uintmax_t) status.st_size != len)
    return false;
  found = trust_read (copy, 0, XML_MAX_LEN, &found_len, reason,
                      sizeof reason);
  is_same = found != NULL && found_len == len
            && memcmp (found, text, len) == 0;
  if (found != NULL)
    memory_wipe (found, found_len);
  free (found);
  return is_same;
}

static bool
is_same_descriptor (const struct remembering *remembering,
                    const struct descriptor *descriptor, struct arena *arena,
                    struct problems *problems)
{
  struct descriptor *copy;
  bool is_same;

  copy = descriptor_read_copy (remembering->new_path, descriptor->path,
                               remembering->configuration->herald, arena,
                               problems);
  is_same = copy != NULL && !copy->has_errors
            && memcmp (copy->digest, descriptor->digest,
                       sizeof copy->digest) == 0;
  if (copy != NULL)
    descriptor_forget (copy);
  return is_same;
}

static bool
is_good_host (const char *copy, const char *path, struct arena *arena,
              struct problems *problems)
{
  struct herald_xml *host = herald_xml_read_copy (copy, path, SECRETS_UNREAD,
                                                  arena, problems);

  herald_xml_done (host);
  return host != NULL;
}

/* The file may be another since it was read, and not good any more. */
static bool
is_meant (const struct remembering *remembering,
          const struct original *original)
{
  struct arena *arena = arena_new (0);
  struct problems *problems = problems_new ();
  bool is_fine;

  is_fine = original->descriptor != NULL
              ? is_same_descriptor (remembering, original->descriptor, arena,
                                    problems)
              : is_good_host (remembering->new_path, original->path, arena,
                              problems);
  problems_free (problems);
  arena_free (arena);
  return is_fine;
}

static void
put (struct remembering *remembering, const struct original *original,
     const char *copy, const char *text, size_t len)
{
  if (new_file_write (remembering->new_path, text, len,
                      mode_of (original)) < 0)
    complain (remembering, "written", remembering->new_path);
  else if (!is_meant (remembering, original))
    unlink (remembering->new_path);
  else if (rename (remembering->new_path, copy) < 0) {
    complain (remembering, "replaced", copy);
    unlink (remembering->new_path);
  } else
    remembering->has_changed = true;
}

static void
remember (struct remembering *remembering, const struct original *original)
{
  char reason[400], *copy, *text;
  size_t len;

  text = trust_read (original->path, 0, XML_MAX_LEN, &len, reason,
                     sizeof reason);
  if (text == NULL)
    return;                     /* it was good a moment ago */
  copy = path_in (remembering->good, original->copy);
  if (!is_there (original, copy, text, len))
    put (remembering, original, copy, text, len);
  memory_wipe (text, len);
  free (text);
  free (copy);
}

static void
remember_descriptor (struct remembering *remembering,
                     const struct descriptor *descriptor)
{
  struct original original = {
    .path = descriptor->path, .copy = strrchr (descriptor->path, '/') + 1,
    .is_private = descriptor->is_private, .descriptor = descriptor,
  };

  remember (remembering, &original);
}

static void
remember_host (struct remembering *remembering)
{
  const struct herald_xml *host = remembering->configuration->herald;
  struct original original = {
    .path = host->path, .copy = CONFIGURATION_HOST_COPY,
    .is_private = host->is_private,
  };

  if (!host->is_recalled)
    remember (remembering, &original);
}

/* Of files that are not in conf.d any more. */
static void
forget_gone (struct remembering *remembering)
{
  DIR *directory = opendir (remembering->good);
  struct dirent *entry;

  while (directory != NULL && (entry = readdir (directory)) != NULL) {
    struct buf path = BUF_INIT (0);
    struct stat status;
    char *copy;

    buf_printf (&path, "%s/conf.d/%s",
                remembering->configuration->directory, entry->d_name);
    if (configuration_is_file (entry->d_name)
        && lstat (path.data, &status) < 0 && errno == ENOENT) {
      copy = path_in (remembering->good, entry->d_name);
      if (unlink (copy) < 0)
        complain (remembering, "removed", copy);
      remembering->has_changed = true;
      free (copy);
    }
    buf_done (&path);
  }
  if (directory != NULL)
    closedir (directory);
  else
    complain (remembering, "read", remembering->good);
}

int
configuration_remember (const struct configuration *configuration,
                        const char *state_directory, char *ret_reason,
                        size_t size)
{
  struct remembering remembering = {
    .configuration = configuration, .reason = ret_reason, .size = size,
  };
  struct buf good = BUF_INIT (0);
  char *new_path;

  *ret_reason = '\0';
  configuration_add_good (configuration, state_directory, &good);
  new_path = path_in (good.data, ".new");
  remembering.good = good.data;
  remembering.new_path = new_path;
  if (mkdir (good.data, 0700) < 0 && errno != EEXIST)
    complain (&remembering, "made", good.data);
  else {
    for (size_t k = 0; k < configuration->n_descriptors; k++)
      if (configuration->owners[k] == NULL
          && !configuration->descriptors[k]->is_recalled
          && !configuration->descriptors[k]->has_errors)
        remember_descriptor (&remembering, configuration->descriptors[k]);
    forget_gone (&remembering);
    remember_host (&remembering);
    if (remembering.has_changed && new_file_sync_directory (good.data) < 0)
      complain (&remembering, "written", good.data);
  }
  free (new_path);
  buf_done (&good);
  return *ret_reason == '\0' ? 0 : -1;
}
