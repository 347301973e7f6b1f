/* loader.h - plugins from a directory (only here: libltdl).
 *
 * DIR/NAME.so, by absolute path, bound at once (RTLD_NOW), with local
 * symbols, never unloaded.  The file and its directory must be safe to
 * believe (trust.h).  What a plugin declares is checked and copied
 * here, so the rest of the core never reads past what an older plugin
 * knows.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LOADER_H
#define HERALD_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "herald-plugin.h"

struct provider {
  const char *name;
  const char *path;             /* of the module */
  struct herald_plugin plugin;  /* the core's copy; what the plugin does not
                                   know is zero */
  struct herald_field *fields;  /* copies too; plugin.settings points here */
  size_t n_fields;
  uint16_t abi_minor;           /* that it was built for */
};

struct loader;

/* directory: relative names are made absolute.  NULL: none, only
 * loader_open () finds anything, and takes files as they are, whoever may
 * write to them: for the test kit, which runs its user's own build. */
struct loader *loader_new (const char *directory);
void loader_free (struct loader *loader);       /* modules stay */

/* Load once, then the same again.  NULL with one clear sentence: no such
 * file (with the nearest name there is, and the package to install), not
 * safe, not a module (what dlerror said), no herald_plugin_abi, another
 * MAJOR, a newer MINOR, a name that is not the file's, a declaration that
 * is wrong (which field, and why). */
const struct provider *loader_find (struct loader *loader,
                                    const char *name,
                                    char *ret_reason, size_t size);
/* The same for any file; its name is the file's without .so. */
const struct provider *loader_open (struct loader *loader,
                                    const char *path,
                                    char *ret_reason, size_t size);
/* The names of all *.so in the directory, sorted, ending with NULL; the
 * loader's, until the next call. */
const char *const *loader_names (struct loader *loader);

/* A plugin that is linked in: unit tests. */
const struct provider *loader_adopt (struct loader *loader,
                                     const struct herald_abi *abi,
                                     const struct herald_plugin *plugin,
                                     char *ret_reason, size_t size);

#endif
