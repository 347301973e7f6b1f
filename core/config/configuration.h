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
  struct configuration **owners;        /* of each descriptor: who keeps its
                                   memory; NULL: this one */
  size_t n_unread;              /* files of conf.d that are none */
  const char **unread;          /* their paths */
  unsigned n_holds;
};

/* directory holds herald.xml and conf.d/.  NULL if herald.xml can't be
 * read or there is no conf.d; problems says why.  Two descriptors of one
 * name: the second is an error that names the first.  SECRETS_UNREAD is
 * for who only wants to know which integrations an event is for (workspaces,
 * conditions, what is enabled): no file is opened then but herald.xml and
 * those of conf.d. */
struct configuration *configuration_read (const char *directory,
                                          enum secrets secrets,
                                          struct problems *problems);

/* The same for a process that starts while a service runs: if herald.xml
 * can't be used, its last good copy in the state directory (see below) is
 * in its place, and a warning says so. */
struct configuration *
configuration_read_or_recall (const char *directory,
                              const char *state_directory,
                              enum secrets secrets,
                              struct problems *problems);

/* One more needs it: configuration_free () takes one off, and frees what
 * nobody needs any more.  Secrets of its settings are masked until then.
 * NULL is fine. */
struct configuration *
configuration_hold (struct configuration *configuration);
void configuration_free (struct configuration *configuration);

/* After a reload: what is broken in fresh, or in a file that can't be
 * read, and was good in old, stays as it was, and a warning says so.  What
 * is gone, is gone.  fresh holds what it keeps; old may be freed. */
void configuration_keep_old (struct configuration *fresh,
                             struct configuration *old,
                             struct problems *problems);

/* While a process runs, configuration_keep_old () has what was good; for
 * one that starts it is in STATE/good: a copy of herald.xml, and of each
 * file of conf.d, as it was when it was last good.  state_directory may be
 * NULL: the one of herald.xml.
 *
 * configuration_recall (): what is broken, or in a file that can't be
 * read, is read from its copy, and a warning says so.  A copy that has
 * errors itself, such as a workspace that herald.xml does not declare any
 * more, is no use, which another warning says.  Where there is none,
 * nothing is said.  After configuration_keep_old (), if that is called.
 *
 * configuration_remember (): the copies are made those of what is good in
 * it; of files that are broken they stay, of those that are gone they go.
 * Only for the one process that owns the state directory, which must
 * exist.  -1 with the first reason if one could not be written; the
 * others then are. */
void configuration_recall (struct configuration *configuration,
                           const char *state_directory,
                           struct problems *problems);
int configuration_remember (const struct configuration *configuration,
                            const char *state_directory, char *ret_reason,
                            size_t size);

/* Of all that an integration's work depends on: its file (but for
 * comments), its secrets, its provider's defaults, and what it sees of the
 * host (source fields, timeouts, whether plain http is allowed).  Equal:
 * nothing changed.  Holds within a process only. */
void configuration_digest (const struct configuration *configuration,
                           const struct descriptor *descriptor,
                           unsigned char ret_digest[CRYPTO_SHA256_LEN]);
/* Of what the transport is made of: network, certificates, timeouts and
 * limits. */
void configuration_host_digest (const struct configuration *configuration,
                                unsigned char ret_digest[CRYPTO_SHA256_LEN]);

const struct descriptor *
configuration_find (const struct configuration *configuration,
                    const char *name);
/* The variables of the environment that settings are taken from, up to
 * NULL, some perhaps twice; the configuration's memory. */
const char *const *
configuration_variables (const struct configuration *configuration);
/* The host's defaults for a provider, or NULL. */
const struct herald_defaults *
configuration_defaults (const struct configuration *configuration,
                        const char *provider);

/* Who takes over from an integration; NULL: nobody. */
const struct descriptor *
configuration_fallback (const struct configuration *configuration,
                        const struct descriptor *descriptor);
/* The last of those that take over, one from the other; the integration
 * itself if nobody does.  All that lead to one root belong together; the
 * root has no fallback, whatever it says. */
const struct descriptor *
configuration_root (const struct configuration *configuration,
                    const struct descriptor *descriptor);

#endif
