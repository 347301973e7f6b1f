/* descriptor_map.c - the mapping rows of a descriptor.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/text.h"
#include "config/descriptor_reading.h"

static const char *const row_attributes[] = {
  "name", "source", "value", "template", "as", "default", "missing", NULL
};

static const char *const as_names[] = {
  "string", "number", "boolean", NULL
};
static const enum mapping_as as_values[] = {
  MAPPING_STRING, MAPPING_NUMBER, MAPPING_BOOLEAN
};

static const char *const missing_names[] = { "omit", "null", "fail", NULL };
static const enum mapping_missing missing_values[] = {
  MAPPING_OMIT, MAPPING_NULL, MAPPING_FAIL
};

/* Which of names an attribute has: its number, -1 if it is not there, -2
 * after a complaint. */
static int
choice_of (const struct descriptor_reading *reading,
           const struct xml_node *node, const char *attribute,
           const char *const *names)
{
  const char *value = xml_attribute (node, attribute);
  const char *nearest;

  if (value == NULL)
    return -1;
  for (int k = 0; names[k] != NULL; k++)
    if (strcmp (value, names[k]) == 0)
      return k;
  nearest = text_nearest (value, names);
  descriptor_complain (reading, node, "%s=\"%.32s\" is none of %s, %s and "
                       "%s%s%s%s", attribute, value, names[0], names[1],
                       names[2], nearest != NULL ? "; did you mean " : "",
                       nearest != NULL ? nearest : "",
                       nearest != NULL ? "?" : "");
  return -2;
}

/* -1 after a complaint. */
static int
check_origin (const struct descriptor_reading *reading,
              const struct xml_node *node, const struct mapping_row *row)
{
  int n = (row->source != NULL) + (row->value != NULL)
          + (row->template != NULL);

  if (n == 1)
    return 0;
  if (n == 0)
    descriptor_complain (reading, node, "<%s name=\"%.64s\"> has no source=, "
                         "value= or template=", node->name, row->target);
  else
    descriptor_complain (reading, node, "<%s name=\"%.64s\"> has more than "
                         "one of source=, value= and template=", node->name,
                         row->target);
  return -1;
}

static void
read_row (const struct descriptor_reading *reading,
          const struct xml_node *node, struct mapping *mapping)
{
  struct mapping_row row = { 0 };
  int as = choice_of (reading, node, "as", as_names);
  int missing = choice_of (reading, node, "missing", missing_names);
  char reason[200];

  descriptor_expect (reading, node, row_attributes, NULL);
  row.target = descriptor_required (reading, node, "name");
  row.source = xml_attribute (node, "source");
  row.value = xml_attribute (node, "value");
  row.template = xml_attribute (node, "template");
  row.fallback = xml_attribute (node, "default");
  if (row.target == NULL || as == -2 || missing == -2
      || check_origin (reading, node, &row) < 0)
    return;
  row.as = as >= 0 ? as_values[as] : MAPPING_AS_IS;
  row.missing = missing >= 0 ? missing_values[missing] : MAPPING_OMIT;
  if (mapping_add (mapping, &row, reading->host->catalogue, reason) < 0)
    descriptor_complain (reading, node, "<%s name=\"%.64s\">: %s",
                         node->name, row.target, reason);
}

void
descriptor_read_rows (const struct descriptor_reading *reading,
                      const struct xml_node *node, const char *row_name,
                      struct mapping *mapping)
{
  for (node = node->child; node != NULL; node = node->next)
    if (strcmp (node->name, row_name) == 0)
      read_row (reading, node, mapping);
}
