/* xml_canonical.c - an element as bytes in which no two that differ read
 * alike.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "config/xml.h"

static void
add_text (struct buf *out, const char *text)
{
  size_t len = strlen (text);

  buf_printf (out, "%zu:", len);
  buf_add (out, text, len);
}

/* As deep as XML_MAX_DEPTH. */
void
xml_add_canonical (const struct xml_node *node, struct buf *out)
{
  const struct xml_node *child;

  buf_add_char (out, '<');
  add_text (out, node->name);
  for (size_t k = 0; k < node->n_attributes; k++) {
    buf_add_char (out, '@');
    add_text (out, node->attributes[k].name);
    add_text (out, node->attributes[k].value);
  }
  buf_add_char (out, '=');
  add_text (out, node->text);
  for (child = node->child; child != NULL; child = child->next)
    xml_add_canonical (child, out);
  buf_add_char (out, '>');
}
