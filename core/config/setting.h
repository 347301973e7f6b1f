/* setting.h - <setting name="..."> as written, its value fetched.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SETTING_H
#define HERALD_SETTING_H

#include <stdbool.h>

#include "base/arena.h"
#include "problem.h"
#include "xml.h"

/* Which secrets whoever reads a configuration needs. */
enum secrets {
  SECRETS_READ,                 /* all: one that can't be had is an error */
  SECRETS_ELSEWHERE,            /* of the service, which this process is not:
                                   what its environment and its credentials
                                   lack is a warning */
  SECRETS_UNREAD                /* none: settings have no values */
};

struct setting {
  const char *name;
  const char *value;            /* NULL: could not be fetched, and a problem
                                   says why; or it was not wanted */
  const char *variable;         /* of the environment, with from="env" */
  const char *file;             /* where it stands, for messages */
  unsigned line;
  bool is_inline;               /* the value is in the XML file itself, ... */
  bool is_private;              /* ... which others can't read */
  const char *missing;          /* why the value could not be fetched, when
                                   no problem says so yet; or NULL */
};

/* Read one element.  A value that is not inline is registered as a secret
 * (redact.h), until setting_forget ().  With SECRETS_UNREAD how it is
 * written is checked, and nothing else: no value is kept, no file opened.
 * integration is NULL for <defaults>: that the value can't be fetched is
 * the problem of those that need it. */
void setting_read (const struct xml_doc *doc, const struct xml_node *node,
                   const char *integration, enum secrets secrets,
                   struct arena *arena, struct problems *problems,
                   struct setting *ret_setting);
/* The arena is about to go. */
void setting_forget (const struct setting *setting);

#endif
