/* configuration.h - herald.xml and all of conf.d.
 *
 * A broken descriptor disables only what it defines.  Files of conf.d are
 * read in the order of their names; those that do not end in .xml, or
 * start with a dot, are not read.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CONFIGURATION_H
#define HERALD_CONFIGURATION_H

#include <stddef.h>

#include "base/arena.h"
#include "descriptor.h"
#include "herald_xml.h"
#include "problem.h"

struct configuration {
  struct arena *arena;
  const char *directory;
  struct herald_xml *herald;
  size_t n_descriptors;
  struct descriptor **descriptors;
  size_t n_unread;              /* files of conf.d that are none */
};

/* directory holds herald.xml and conf.d/.  NULL if herald.xml can't be
 * read or there is no conf.d; problems says why.  Two descriptors of one
 * name: the second is an error that names the first. */
struct configuration *configuration_read (const char *directory,
                                          struct problems *problems);
void configuration_free (struct configuration *configuration);

const struct descriptor *
configuration_find (const struct configuration *configuration,
                    const char *name);
/* The host's defaults for a provider, or NULL. */
const struct herald_defaults *
configuration_defaults (const struct configuration *configuration,
                        const char *provider);

#endif
