/* xml_expect.c - which elements and attributes may stand where.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "config/xml.h"

/* No element of ours has as many; of what is unknown the first few are
 * enough to tell. */
enum { MOST_KINDS = 32 };

static const char *const none[] = { NULL };

static bool
is_among (const char *name, const char *const *names)
{
  for (; *names != NULL; names++)
    if (strcmp (name, *names) == 0)
      return true;
  return false;
}

/* "did you mean X?", or what there is to choose from. */
static void
add_hint (struct buf *out, const char *name, const char *const *names,
          const char *open, const char *close)
{
  const char *nearest = text_nearest (name, names);

  if (nearest != NULL) {
    buf_printf (out, "; did you mean %s%s%s?", open, nearest, close);
    return;
  }
  for (size_t k = 0; names[k] != NULL; k++)
    buf_printf (out, "%s%s%s%s", k == 0 ? "; known are " : ", ", open,
                names[k], close);
}

static void
expect_attributes (const struct xml_doc *doc, const struct xml_node *node,
                   const char *const *names, const char *integration,
                   struct problems *problems)
{
  for (size_t k = 0; k < node->n_attributes; k++) {
    const char *name = node->attributes[k].name;
    struct buf hint = BUF_INIT (1024);

    if (is_among (name, names))
      continue;
    add_hint (&hint, name, names, "\"", "\"");
    problems_add (problems, PROBLEM_ERROR, xml_path (doc), node->line,
                  integration, "<%s> has no attribute \"%.64s\"%s",
                  node->name, name, hint.data);
    buf_done (&hint);
  }
}

static void
expect_children (const struct xml_doc *doc, const struct xml_node *node,
                 const char *const *names, const char *integration,
                 struct problems *problems)
{
  const struct xml_node *child;

  for (child = node->child; child != NULL; child = child->next) {
    struct buf hint = BUF_INIT (1024);

    if (is_among (child->name, names))
      continue;
    add_hint (&hint, child->name, names, "<", ">");
    problems_add (problems, PROBLEM_ERROR, xml_path (doc), child->line,
                  integration, "<%s> has no element <%.64s>%s", node->name,
                  child->name, hint.data);
    buf_done (&hint);
  }
}

void
xml_expect (const struct xml_doc *doc, const struct xml_node *node,
            const char *const *attributes, const char *const *children,
            int has_text, const char *integration, struct problems *problems)
{
  expect_attributes (doc, node, attributes != NULL ? attributes : none,
                     integration, problems);
  expect_children (doc, node, children != NULL ? children : none,
                   integration, problems);
  /* The text may be a secret in the wrong place: it is not quoted. */
  if (!has_text && node->text[strspn (node->text, " \t\r\n")] != '\0')
    problems_add (problems, PROBLEM_ERROR, xml_path (doc), node->line,
                  integration, "<%s> has text in it, which belongs into an "
                  "element or attribute", node->name);
}

void
xml_expect_once (const struct xml_doc *doc, const struct xml_node *node,
                 const char *const *repeated, const char *integration,
                 struct problems *problems)
{
  const struct xml_node *firsts[MOST_KINDS], *child;
  size_t n = 0;

  for (child = node->child; child != NULL; child = child->next) {
    size_t k = 0;

    while (k < n && strcmp (firsts[k]->name, child->name) != 0)
      k++;
    if (k == n && n < MOST_KINDS)
      firsts[n++] = child;
    else if (k < n && (repeated == NULL
                       || !is_among (child->name, repeated)))
      problems_add (problems, PROBLEM_ERROR, xml_path (doc), child->line,
                    integration, "<%.64s> is there already, in line %u; one "
                    "is enough", child->name, firsts[k]->line);
  }
}

bool
xml_bool (const struct xml_doc *doc, const struct xml_node *node,
          const char *name, bool fallback, const char *integration,
          struct problems *problems)
{
  const char *value = xml_attribute (node, name);

  if (value == NULL)
    return fallback;
  if (strcmp (value, "true") == 0)
    return true;
  if (strcmp (value, "false") != 0)
    problems_add (problems, PROBLEM_ERROR, xml_path (doc), node->line,
                  integration, "%s=\"%.32s\" of <%s> is neither \"true\" nor "
                  "\"false\"", name, value, node->name);
  return false;
}
