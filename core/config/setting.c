/* setting.c - <setting name="..."> as written, its value fetched.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/setting.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/redact.h"
#include "base/text.h"
#include "config/secret.h"

struct source {
  const char *from;
  const char *attribute;        /* that says where */
};

static const struct source sources[] = {
  { "file", "path" }, { "env", "variable" }, { "credential", "credential" }
};
enum { N_SOURCES = sizeof sources / sizeof *sources };

static const char *const froms[] = { "file", "env", "credential", NULL };

static const char *const attributes[] = {
  "name", "from", "path", "variable", "credential", NULL
};

/* What setting_read is at. */
struct reading {
  const struct xml_doc *doc;
  const struct xml_node *node;
  const char *name;
  const char *integration;
  enum secrets secrets;
  struct problems *problems;
};

static void __attribute__ ((__format__ (__printf__, 2, 3)))
complain (const struct reading *reading, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  problems_vadd (reading->problems, PROBLEM_ERROR, xml_path (reading->doc),
                 reading->node->line, reading->integration, fmt, args);
  va_end (args);
}

static const struct source *
source_find (const char *from)
{
  for (size_t k = 0; k < N_SOURCES; k++)
    if (strcmp (sources[k].from, from) == 0)
      return &sources[k];
  return NULL;
}

/* -1 if an attribute stands there that belongs to another from=, or to
 * none. */
static int
check_source (const struct reading *reading, const struct source *source)
{
  for (size_t k = 0; k < N_SOURCES; k++) {
    if (&sources[k] == source
        || xml_attribute (reading->node, sources[k].attribute) == NULL)
      continue;
    complain (reading, "setting \"%.64s\" has %s=, which goes with "
              "from=\"%s\"", reading->name, sources[k].attribute,
              sources[k].from);
    return -1;
  }
  return 0;
}

/* The text without the space around it: it is there for the reader. */
static const char *
trimmed (const char *text, struct arena *arena)
{
  size_t len;

  text += strspn (text, " \t\r\n");
  for (len = strlen (text); len > 0; len--)
    if (strchr (" \t\r\n", text[len - 1]) == NULL)
      break;
  return arena_strndup (arena, text, len);
}

static const char *
fetch (const struct reading *reading, const struct source *source,
       struct arena *arena, const char **ret_missing)
{
  const char *where = xml_attribute (reading->node, source->attribute);
  const char *path = xml_path (reading->doc);
  const char *slash = strrchr (path, '/');
  const char *dir, *copy;
  bool is_elsewhere;
  char reason[600];
  char *value;

  if (where == NULL || where[0] == '\0') {
    complain (reading, "setting \"%.64s\" has from=\"%s\" but no %s=",
              reading->name, source->from, source->attribute);
    return NULL;
  }
  if (reading->node->text[strspn (reading->node->text, " \t\r\n")] != '\0') {
    complain (reading, "setting \"%.64s\" has both from=\"%s\" and a text; "
              "remove one", reading->name, source->from);
    return NULL;
  }
  if (reading->secrets == SECRETS_UNREAD)
    return NULL;
  dir = slash == NULL ? "." : slash == path ? "/"
        : arena_strndup (arena, path, (size_t) (slash - path));
  value = secret_read (source->from, where, dir, &is_elsewhere, reason,
                       sizeof reason);
  if (value == NULL && is_elsewhere
      && reading->secrets == SECRETS_ELSEWHERE) {
    problems_add (reading->problems, PROBLEM_WARNING, path,
                  reading->node->line, reading->integration,
                  "setting \"%.64s\" can't be checked here: only the service "
                  "has the %s %s", reading->name, source->attribute, where);
    return NULL;
  }
  if (value == NULL) {
    if (reading->integration == NULL)
      *ret_missing = arena_strdup (arena, reason);
    else
      complain (reading, "setting \"%.64s\": %s", reading->name, reason);
    return NULL;
  }
  redact_secret (value, strlen (value));
  copy = arena_strdup (arena, value);
  memory_wipe (value, strlen (value));
  free (value);
  return copy;
}

static const char *
read_value (const struct reading *reading, struct arena *arena,
            struct setting *setting)
{
  const char *from = xml_attribute (reading->node, "from");
  const struct source *source;
  const char *nearest;

  if (from == NULL) {
    if (check_source (reading, NULL) < 0)
      return NULL;
    setting->is_inline = true;
    return reading->secrets != SECRETS_UNREAD
             ? trimmed (reading->node->text, arena) : NULL;
  }
  source = source_find (from);
  if (source == NULL) {
    nearest = text_nearest (from, froms);
    complain (reading, "setting \"%.64s\" has from=\"%.32s\", which is none "
              "of \"file\", \"env\" and \"credential\"%s%s%s", reading->name,
              from, nearest != NULL ? "; did you mean " : "",
              nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    return NULL;
  }
  if (check_source (reading, source) < 0)
    return NULL;
  if (strcmp (from, "env") == 0)
    setting->variable = arena_strdup (arena, xml_attribute (reading->node,
                                                            "variable"));
  return fetch (reading, source, arena, &setting->missing);
}

void
setting_read (const struct xml_doc *doc, const struct xml_node *node,
              const char *integration, enum secrets secrets,
              struct arena *arena, struct problems *problems,
              struct setting *ret_setting)
{
  struct reading reading = { doc, node, xml_attribute (node, "name"),
                             integration, secrets, problems };
  struct setting setting = { 0 };

  xml_expect (doc, node, attributes, NULL, 1, integration, problems);
  setting.file = arena_strdup (arena, xml_path (doc));
  setting.line = node->line;
  setting.is_private = xml_is_private (doc);
  if (reading.name == NULL || reading.name[0] == '\0') {
    complain (&reading, "<setting> has no name=");
    reading.name = "";
  } else {
    setting.value = read_value (&reading, arena, &setting);
  }
  setting.name = arena_strdup (arena, reading.name);
  *ret_setting = setting;
}

void
setting_forget (const struct setting *setting)
{
  if (!setting->is_inline && setting->value != NULL)
    redact_drop (setting->value, strlen (setting->value));
}
