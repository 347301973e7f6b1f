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

struct setting {
  const char *name;
  const char *value;            /* NULL: could not be fetched, and a problem
                                   says why; or it was not wanted */
  const char *file;             /* where it stands, for messages */
  unsigned line;
  bool is_inline;               /* the value is in the XML file itself, ... */
  bool is_private;              /* ... which others can't read */
};

/* Read one element.  A value that is not inline is registered as a secret
 * (redact.h), until setting_forget ().  Without wants_value how it is
 * written is checked, and nothing else: no value is kept, no file opened. */
void setting_read (const struct xml_doc *doc, const struct xml_node *node,
                   const char *integration, bool wants_value,
                   struct arena *arena, struct problems *problems,
                   struct setting *ret_setting);
/* The arena is about to go. */
void setting_forget (const struct setting *setting);

#endif
