/* loader.c - plugins from a directory (only here: libltdl).
 *
 * SPDX-License-Identifier: MIT
 */

#include "loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <ltdl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/trust.h"
#include "config/descriptor.h"
#include "declaration.h"
#include "host.h"

enum {
  LOADER_REASON_SIZE = 600,
  /* What even the first plugins knew of a setting. */
  LOADER_MIN_FIELD = offsetof (struct herald_field, preset),
  LOADER_MAX_STRUCT = 64 * 1024
};

struct loader_entry {
  struct loader_entry *next;
  struct provider provider;
};

struct loader {
  char *directory;              /* absolute, or NULL */
  struct loader_entry *entries;
  char **names;                 /* of loader_names () */
};

/* ------------------------------------------------------------------ */
/* Our own way to open a module, in front of libltdl's. */

/* What dlopen () said last: libltdl keeps "file not found" only. */
static char loader_error[LOADER_REASON_SIZE];

static lt_module
loader_module_open (lt_user_data data, const char *path, lt_dladvise advise)
{
  void *module;
  const char *error;

  (void) data;
  (void) advise;
  module = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  if (module == NULL) {
    error = dlerror ();
    snprintf (loader_error, sizeof loader_error, "%s",
              error == NULL ? "dlopen failed" : error);
  }
  return module;
}

static int
loader_module_close (lt_user_data data, lt_module module)
{
  (void) data;
  return dlclose (module);
}

static void *
loader_find_symbol (lt_user_data data, lt_module module, const char *name)
{
  (void) data;
  return dlsym (module, name);
}

/* Once a process, as libltdl's state is.  libltdl's own dlopen loader is
 * taken out: it would be asked after ours, and binds lazily, so that a
 * missing function would end the process when it is called. */
static int
loader_start (void)
{
  static const lt_dlvtable ours = {
    "herald", NULL, loader_module_open, loader_module_close,
    loader_find_symbol, NULL, NULL, NULL, LT_DLLOADER_PREPEND
  };
  static const lt_dlvtable *theirs;     /* libltdl's memory, not ours */

  if (theirs != NULL)
    return 0;
  if (lt_dlinit () != 0 || lt_dlloader_add (&ours) != 0)
    return -1;
  theirs = lt_dlloader_remove ("lt_dlopen");
  if (theirs == NULL)
    return -1;
  return 0;
}

/* ------------------------------------------------------------------ */

static int refuse (char *reason, size_t size, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 3, 4)));

static int
refuse (char *reason, size_t size, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  vsnprintf (reason, size, fmt, args);
  va_end (args);
  return -1;
}

static char *
absolute (const char *path)
{
  char here[PATH_MAX];
  size_t size;
  char *joined;

  if (path[0] == '/' || getcwd (here, sizeof here) == NULL)
    return memory_strdup (path);
  size = strlen (here) + strlen (path) + 2;
  joined = memory_alloc (size);
  snprintf (joined, size, "%s/%s", here, path);
  return joined;
}

struct loader *
loader_new (const char *directory)
{
  struct loader *loader = memory_zeroed (1, sizeof *loader);

  if (directory != NULL)
    loader->directory = absolute (directory);
  return loader;
}

static void
loader_forget_names (struct loader *loader)
{
  size_t k;

  for (k = 0; loader->names != NULL && loader->names[k] != NULL; k++)
    free (loader->names[k]);
  free (loader->names);
  loader->names = NULL;
}

static void
entry_free (struct loader_entry *entry)
{
  free (entry->provider.fields);
  free ((char *) (uintptr_t) entry->provider.path);
  free (entry);
}

void
loader_free (struct loader *loader)
{
  struct loader_entry *entry, *next;

  if (loader == NULL)
    return;
  for (entry = loader->entries; entry != NULL; entry = next) {
    next = entry->next;
    entry_free (entry);
  }
  loader_forget_names (loader);
  free (loader->directory);
  free (loader);
}

static int
check_abi (const struct herald_abi *abi, char *reason, size_t size)
{
  const size_t needed = offsetof (struct herald_plugin, build)
                        + sizeof (((struct herald_plugin *) NULL)->build);

  if (abi->major != HERALD_ABI_MAJOR)
    return refuse (reason, size,
                   "it was built for plugin ABI %u, and this herald has %u:"
                   " install the package that goes with this herald",
                   abi->major, HERALD_ABI_MAJOR);
  if (abi->minor > HERALD_ABI_MINOR)
    return refuse (reason, size,
                   "it needs plugin ABI %u.%u, and this herald has %u.%u:"
                   " install a newer herald", abi->major, abi->minor,
                   HERALD_ABI_MAJOR, HERALD_ABI_MINOR);
  if (abi->plugin_size < needed || abi->plugin_size > LOADER_MAX_STRUCT)
    return refuse (reason, size,
                   "its herald_plugin_abi gives struct herald_plugin %u"
                   " bytes, where %zu is the least: build it with"
                   " HERALD_REGISTER", abi->plugin_size, needed);
  if (abi->field_size < LOADER_MIN_FIELD
      || abi->field_size > LOADER_MAX_STRUCT
      || abi->field_size % _Alignof (struct herald_field) != 0)
    return refuse (reason, size,
                   "its herald_plugin_abi gives struct herald_field %u"
                   " bytes, which can't be: build it with HERALD_REGISTER",
                   abi->field_size);
  return 0;
}

/* An array whose members are as long as the plugin knew them. */
static struct herald_field *
copy_fields (const struct herald_plugin *plugin, uint32_t field_size)
{
  const size_t own = sizeof (struct herald_field);
  const char *from = (const char *) plugin->settings;
  struct herald_field *fields;
  size_t k;

  fields = memory_zeroed (plugin->n_settings + 1, own);
  for (k = 0; k < plugin->n_settings; k++, from += field_size)
    memcpy (&fields[k], from, field_size < own ? field_size : own);
  return fields;
}

/* Copy what the plugin declares and check the copy.  path is taken over
 * only if that went well. */
static const struct provider *
loader_take (struct loader *loader, const struct herald_abi *abi,
             const struct herald_plugin *plugin, const char *name,
             char *path, char *reason, size_t size)
{
  struct loader_entry *entry = memory_zeroed (1, sizeof *entry);
  struct provider *provider = &entry->provider;
  size_t own = sizeof provider->plugin;

  if (abi->plugin_size < own)
    own = abi->plugin_size;
  memcpy (&provider->plugin, plugin, own);
  if (provider->plugin.settings != NULL
      && provider->plugin.n_settings <= DECLARATION_MAX_SETTINGS) {
    provider->fields = copy_fields (&provider->plugin, abi->field_size);
    provider->plugin.settings = provider->fields;
  }
  if (declaration_check (&provider->plugin, name, reason, size) == -1) {
    entry_free (entry);
    return NULL;
  }
  if (provider->plugin.max_batch == 0)
    provider->plugin.max_batch = 1;
  provider->name = provider->plugin.name;
  provider->path = path;
  provider->n_fields = provider->plugin.n_settings;
  provider->abi_minor = abi->minor;
  entry->next = loader->entries;
  loader->entries = entry;
  return provider;
}

const struct provider *
loader_adopt (struct loader *loader, const struct herald_abi *abi,
              const struct herald_plugin *plugin, char *ret_reason,
              size_t size)
{
  char why[LOADER_REASON_SIZE] = "";
  const char *name = plugin->name == NULL ? "" : plugin->name;
  const struct provider *provider = NULL;
  char *path = memory_strdup ("");

  if (check_abi (abi, why, sizeof why) == 0)
    provider = loader_take (loader, abi, plugin, name, path, why,
                            sizeof why);
  if (provider == NULL) {
    free (path);
    refuse (ret_reason, size, "the plugin \"%s\" can't be used: %s", name,
            why);
  }
  return provider;
}

/* ------------------------------------------------------------------ */
/* Files. */

/* The file, and the directory whose writer could swap it. */
static int
check_trust (const char *path, char *reason, size_t size)
{
  char directory[PATH_MAX];
  char why[LOADER_REASON_SIZE];
  const char *slash = strrchr (path, '/');
  int fd;

  if (slash == NULL || slash - path >= (ptrdiff_t) sizeof directory)
    return refuse (reason, size, "its path is too long");
  snprintf (directory, sizeof directory, "%.*s",
            (int) (slash == path ? 1 : slash - path), path);
  fd = trust_open (directory, TRUST_DIRECTORY, why, sizeof why);
  if (fd == -1)
    return refuse (reason, size, "its directory is not safe: %s", why);
  close (fd);
  fd = trust_open (path, 0, why, sizeof why);
  if (fd == -1)
    return refuse (reason, size, "%s", why);
  close (fd);
  return 0;
}

/* Bind the module and read its ABI; herald_plugin_init is not called yet.
 * The handle stays with libltdl for good. */
static lt_dlhandle
open_module (const char *path, const struct herald_abi **ret_abi,
             char *reason, size_t size)
{
  lt_dlhandle handle;
  const struct herald_abi *abi;

  snprintf (loader_error, sizeof loader_error, "%s", strerror (ENOENT));
  if (access (path, R_OK) != 0) {
    refuse (reason, size, "%s", strerror (errno));
    return NULL;
  }
  if (loader_start () == -1 || (handle = lt_dlopen (path)) == NULL) {
    refuse (reason, size, "it can't be loaded: %s", loader_error);
    return NULL;
  }
  lt_dlmakeresident (handle);
  abi = lt_dlsym (handle, "herald_plugin_abi");
  if (abi == NULL) {
    refuse (reason, size, "it is no herald plugin: it has no"
                          " herald_plugin_abi (HERALD_REGISTER makes it)");
    return NULL;
  }
  if (check_abi (abi, reason, size) == -1)
    return NULL;
  *ret_abi = abi;
  return handle;
}

static const struct herald_plugin *
start_module (lt_dlhandle handle, char *reason, size_t size)
{
  typedef const struct herald_plugin *init_fn (const struct herald_host *);
  union { void *data; init_fn *call; } init;
  const struct herald_plugin *plugin;

  init.data = lt_dlsym (handle, "herald_plugin_init");
  if (init.data == NULL) {
    refuse (reason, size, "it is no herald plugin: it has no"
                          " herald_plugin_init (HERALD_REGISTER makes it)");
    return NULL;
  }
  plugin = init.call (&host_table);
  if (plugin == NULL)
    refuse (reason, size, "its herald_plugin_init returned NULL");
  return plugin;
}

static const struct provider *
load (struct loader *loader, char *path, const char *name, char *reason,
      size_t size)
{
  const struct herald_abi *abi;
  const struct herald_plugin *plugin;
  lt_dlhandle handle;

  if (loader->directory != NULL && check_trust (path, reason, size) == -1)
    return NULL;
  handle = open_module (path, &abi, reason, size);
  if (handle == NULL)
    return NULL;
  plugin = start_module (handle, reason, size);
  if (plugin == NULL)
    return NULL;
  return loader_take (loader, abi, plugin, name, path, reason, size);
}

const struct provider *
loader_open (struct loader *loader, const char *path, char *ret_reason,
             size_t size)
{
  const struct provider *provider = NULL;
  const struct loader_entry *entry;
  char why[LOADER_REASON_SIZE] = "";
  char *full = absolute (path);
  char *name = memory_strdup (strrchr (full, '/') == NULL
                              ? full : strrchr (full, '/') + 1);
  size_t len = strlen (name);

  for (entry = loader->entries; provider == NULL && entry != NULL;
       entry = entry->next)
    if (strcmp (entry->provider.path, full) == 0)
      provider = &entry->provider;

  if (provider != NULL)
    free (full);
  else if (len <= 3 || strcmp (name + len - 3, ".so") != 0) {
    refuse (ret_reason, size, "%s is no plugin: its name must end in .so",
            full);
    free (full);
  } else {
    name[len - 3] = '\0';
    provider = load (loader, full, name, why, sizeof why);
    if (provider == NULL) {
      refuse (ret_reason, size, "the plugin %s can't be used: %s", full,
              why);
      free (full);
    }
  }
  free (name);
  return provider;
}

static void
explain_missing (struct loader *loader, const char *name, char *ret_reason,
                 size_t size)
{
  const char *nearest = text_nearest (name, loader_names (loader));

  if (nearest != NULL)
    refuse (ret_reason, size,
            "there is no provider \"%s\" in %s: did you mean \"%s\"?", name,
            loader->directory, nearest);
  else
    refuse (ret_reason, size,
            "there is no provider \"%s\" in %s: install the package"
            " herald-plugin-%s", name, loader->directory, name);
}

const struct provider *
loader_find (struct loader *loader, const char *name, char *ret_reason,
             size_t size)
{
  const struct loader_entry *entry;
  const struct provider *provider;
  size_t path_size;
  char *path;

  for (entry = loader->entries; entry != NULL; entry = entry->next)
    if (strcmp (entry->provider.name, name) == 0)
      return &entry->provider;
  if (!descriptor_is_name (name)) {
    refuse (ret_reason, size, "\"%s\" is no name of a provider: these are"
                              " of the form [a-z][a-z0-9-]*", name);
    return NULL;
  }
  if (loader->directory == NULL) {
    refuse (ret_reason, size, "there is no provider \"%s\"", name);
    return NULL;
  }

  path_size = strlen (loader->directory) + strlen (name) + 5;
  path = memory_alloc (path_size);
  snprintf (path, path_size, "%s/%s.so", loader->directory, name);
  if (access (path, F_OK) != 0 && errno == ENOENT) {
    explain_missing (loader, name, ret_reason, size);
    provider = NULL;
  } else
    provider = loader_open (loader, path, ret_reason, size);
  free (path);
  return provider;
}

static int
compare_names (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

const char *const *
loader_names (struct loader *loader)
{
  DIR *directory = NULL;
  const struct dirent *entry;
  size_t n = 0, len;

  loader_forget_names (loader);
  loader->names = memory_zeroed (1, sizeof *loader->names);
  if (loader->directory != NULL)
    directory = opendir (loader->directory);
  while (directory != NULL && (entry = readdir (directory)) != NULL) {
    char *name;

    len = strlen (entry->d_name);
    if (len <= 3 || strcmp (entry->d_name + len - 3, ".so") != 0)
      continue;
    name = memory_strndup (entry->d_name, len - 3);
    if (!descriptor_is_name (name)) {
      free (name);
      continue;
    }
    loader->names = memory_resize (loader->names, n + 2,
                                   sizeof *loader->names);
    loader->names[n++] = name;
    loader->names[n] = NULL;
  }
  if (directory != NULL)
    closedir (directory);
  qsort (loader->names, n, sizeof *loader->names, compare_names);
  return (const char *const *) loader->names;
}
