/* xml.h - a small XML file as a tree (only here: libxml2).
 *
 * Read without network, DTD and entities, at most XML_MAX_LEN bytes and
 * 32 levels.  Each node keeps its line, so that every message can name
 * it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_XML_H
#define HERALD_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "problem.h"

enum { XML_MAX_LEN = 1 << 20, XML_MAX_DEPTH = 32 };

struct xml_attribute {
  const char *name;
  const char *value;
};

struct xml_node {
  const char *name;             /* local name */
  const char *text;             /* its own text, joined; "" if none */
  unsigned line;
  size_t n_attributes;
  const struct xml_attribute *attributes;
  const struct xml_node *child;         /* first */
  const struct xml_node *next;          /* sibling */
};

struct xml_doc;

/* Parse.  The root must be element root_name in namespace ns; elements of
 * another namespace, or too deep, are errors and left out.  NULL with
 * problems added.  path is for messages.  xml_read_file checks owner and
 * mode (trust.h) first; xml_read_copy reads another file as if it were
 * the one at path. */
struct xml_doc *xml_read_file (const char *path, const char *root_name,
                               const char *ns, struct problems *problems);
struct xml_doc *xml_read_copy (const char *copy, const char *path,
                               const char *root_name, const char *ns,
                               struct problems *problems);
struct xml_doc *xml_read_text (const char *text, size_t len,
                               const char *path, const char *root_name,
                               const char *ns, struct problems *problems);
void xml_free (struct xml_doc *doc);
const struct xml_node *xml_root (const struct xml_doc *doc);
const char *xml_path (const struct xml_doc *doc);
/* Read from a file that others can't read. */
bool xml_is_private (const struct xml_doc *doc);

const char *xml_attribute (const struct xml_node *node, const char *name);
                                        /* NULL if absent */
const struct xml_node *xml_child (const struct xml_node *node,
                                  const char *name);    /* first, or NULL */
/* How many children have that name. */
size_t xml_count (const struct xml_node *node, const char *name);

/* Name, attributes, text and children, in a form in which no two that
 * differ read alike; comments and lines do not count. */
void xml_add_canonical (const struct xml_node *node, struct buf *out);

/* "true" or "false"; absent: fallback.  What is neither is an error and
 * reads as false. */
bool xml_bool (const struct xml_doc *doc, const struct xml_node *node,
               const char *name, bool fallback, const char *integration,
               struct problems *problems);

/* Add an error for each attribute or child element whose name is not in
 * the lists (ending with NULL; NULL itself: none allowed), with the
 * nearest known name; and for text where none belongs unless has_text. */
void xml_expect (const struct xml_doc *doc, const struct xml_node *node,
                 const char *const *attributes,
                 const char *const *children, int has_text,
                 const char *integration, struct problems *problems);
/* Add an error for each child element that comes again, but for those
 * named in the list (ending with NULL; NULL itself: none may). */
void xml_expect_once (const struct xml_doc *doc,
                      const struct xml_node *node,
                      const char *const *repeated,
                      const char *integration, struct problems *problems);

#endif
