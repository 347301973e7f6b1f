/* herald_reading.c - what the parts that read herald.xml share.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/herald_reading.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/text.h"

void
herald_complain (const struct herald_reading *reading,
                 enum problem_severity severity,
                 const struct xml_node *node, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  problems_vadd (reading->problems, severity, xml_path (reading->doc),
                 node->line, NULL, fmt, args);
  va_end (args);
}

void
herald_expect (const struct herald_reading *reading,
               const struct xml_node *node, const char *const *attributes,
               const char *const *children)
{
  xml_expect (reading->doc, node, attributes, children, 0, NULL,
              reading->problems);
}

const char *
herald_required (const struct herald_reading *reading,
                 const struct xml_node *node, const char *name)
{
  const char *value = xml_attribute (node, name);

  if (value != NULL && value[0] != '\0')
    return value;
  herald_complain (reading, PROBLEM_ERROR, node, "<%s> has no %s=",
                   node->name, name);
  return NULL;
}

const char *
herald_beside (const struct herald_reading *reading, const char *path)
{
  const char *own = xml_path (reading->doc);
  const char *slash = strrchr (own, '/');

  if (path[0] == '/' || slash == NULL)
    return arena_strdup (reading->arena, path);
  return arena_printf (reading->arena, "%.*s/%s", (int) (slash - own), own,
                       path);
}

void
herald_read_duration (const struct herald_reading *reading,
                      const struct xml_node *node, const char *name,
                      const struct herald_range *range, int64_t *ret_ms)
{
  const char *text = xml_attribute (node, name);
  int64_t ms;

  if (text == NULL)
    return;
  if (number_read_duration (text, &ms) < 0 || ms < range->least
      || ms > range->most)
    herald_complain (reading, PROBLEM_ERROR, node, "%s=\"%.32s\" is no "
                     "duration between %s; write it like 10s", name, text,
                     range->text);
  else
    *ret_ms = ms;
}

void
herald_read_size (const struct herald_reading *reading,
                  const struct xml_node *node, const char *name,
                  const struct herald_range *range, int64_t *ret_bytes)
{
  const char *text = xml_attribute (node, name);
  int64_t bytes;

  if (text == NULL)
    return;
  if (number_read_size (text, &bytes) < 0 || bytes < range->least
      || bytes > range->most)
    herald_complain (reading, PROBLEM_ERROR, node, "%s=\"%.32s\" is no size "
                     "between %s", name, text, range->text);
  else
    *ret_bytes = bytes;
}

void
herald_read_count (const struct herald_reading *reading,
                   const struct xml_node *node, const char *name,
                   const struct herald_range *range, int64_t *ret_count)
{
  const char *text = xml_attribute (node, name);
  int64_t count;

  if (text == NULL)
    return;
  if (number_read (text, strlen (text), range->least, range->most,
                   &count) < 0)
    herald_complain (reading, PROBLEM_ERROR, node, "%s=\"%.32s\" is no "
                     "number between %s", name, text, range->text);
  else
    *ret_count = count;
}

void
herald_read_choice (const struct herald_reading *reading,
                    const struct xml_node *node, const char *name,
                    const char *const *choices, size_t *ret_choice)
{
  const char *text = xml_attribute (node, name);
  struct buf known = BUF_INIT (1024);
  const char *nearest;

  if (text == NULL)
    return;
  for (size_t k = 0; choices[k] != NULL; k++)
    if (strcmp (choices[k], text) == 0) {
      *ret_choice = k;
      return;
    }
  nearest = text_nearest (text, choices);
  if (nearest != NULL)
    buf_printf (&known, "; did you mean \"%s\"?", nearest);
  else
    for (size_t k = 0; choices[k] != NULL; k++)
      buf_printf (&known, "%s\"%s\"", k == 0 ? "; known are " : ", ",
                  choices[k]);
  herald_complain (reading, PROBLEM_ERROR, node, "%s=\"%.32s\" is not "
                   "known%s", name, text, known.data);
  buf_done (&known);
}
