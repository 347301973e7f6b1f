/* descriptor.c - one integration as its XML file describes it.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/descriptor.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/descriptor_reading.h"
#include "config/names.h"

enum { MAX_NAME = 64, MAX_LABEL = 200, MAX_TESTS = 16 };

static const char *const root_attributes[] = {
  "name", "provider", "enabled", NULL
};
static const char *const root_children[] = {
  "label", "workspaces", "when", "settings", "map", "mail", "delivery", NULL
};
static const char *const root_repeated[] = { "when", NULL };

void
descriptor_complain (const struct descriptor_reading *reading,
                     const struct xml_node *node, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  problems_vadd (reading->problems, PROBLEM_ERROR, xml_path (reading->doc),
                 node->line, reading->descriptor->name, fmt, args);
  va_end (args);
}

void
descriptor_expect (const struct descriptor_reading *reading,
                   const struct xml_node *node,
                   const char *const *attributes,
                   const char *const *children)
{
  xml_expect (reading->doc, node, attributes, children, 0,
              reading->descriptor->name, reading->problems);
}

const char *
descriptor_required (const struct descriptor_reading *reading,
                     const struct xml_node *node, const char *name)
{
  const char *value = xml_attribute (node, name);

  if (value != NULL && value[0] != '\0')
    return value;
  descriptor_complain (reading, node, "<%s> has no %s=", node->name, name);
  return NULL;
}

bool
descriptor_is_name (const char *name)
{
  size_t len = strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-");

  return name[0] >= 'a' && name[0] <= 'z' && name[len] == '\0'
         && len <= MAX_NAME;
}

static const char *
trimmed (const struct descriptor_reading *reading, const char *text)
{
  size_t len;

  text += strspn (text, " \t\r\n");
  for (len = strlen (text); len > 0; len--)
    if (strchr (" \t\r\n", text[len - 1]) == NULL)
      break;
  return arena_strndup (reading->arena, text, len);
}

static void
read_label (const struct descriptor_reading *reading,
            const struct xml_node *node)
{
  const char *label = trimmed (reading, node->text);

  xml_expect (reading->doc, node, NULL, NULL, 1, reading->descriptor->name,
              reading->problems);
  if (label[0] == '\0')
    return;
  if (!text_is_one_line (label, strlen (label))
      || strlen (label) > MAX_LABEL)
    descriptor_complain (reading, node, "the label must be one line of at "
                         "most %d bytes", MAX_LABEL);
  else
    reading->descriptor->label = label;
}

static void
read_workspace (const struct descriptor_reading *reading,
                const struct xml_node *node)
{
  struct descriptor *descriptor = reading->descriptor;
  const struct herald_xml *host = reading->host;
  const char *name = trimmed (reading, node->text);
  const char **known, *nearest;

  xml_expect (reading->doc, node, NULL, NULL, 1, descriptor->name,
              reading->problems);
  if (herald_xml_has_workspace (host, name)) {
    if (!names_insert (descriptor->workspaces, &descriptor->n_workspaces,
                       name))
      descriptor_complain (reading, node, "workspace \"%.64s\" is named "
                           "twice", name);
    return;
  }
  known = arena_zeroed (reading->arena, host->n_workspaces + 1,
                        sizeof *known);
  for (size_t k = 0; k < host->n_workspaces; k++)
    known[k] = host->workspaces[k];
  nearest = text_nearest (name, known);
  if (nearest != NULL)
    descriptor_complain (reading, node, "workspace \"%.64s\" is not declared "
                         "in herald.xml; did you mean \"%s\"?", name, nearest);
  else
    descriptor_complain (reading, node, "workspace \"%.64s\" is not declared "
                         "in herald.xml; add <workspace name=\"%.64s\"/> to "
                         "<workspaces> there", name, name);
}

static void
read_workspaces (const struct descriptor_reading *reading,
                 const struct xml_node *node)
{
  static const char *const attributes[] = { "all", NULL };
  static const char *const children[] = { "workspace", NULL };
  struct descriptor *descriptor = reading->descriptor;
  size_t n = xml_count (node, "workspace");
  const struct xml_node *child;

  descriptor_expect (reading, node, attributes, children);
  descriptor->all_workspaces = xml_bool (reading->doc, node, "all", false,
                                         descriptor->name,
                                         reading->problems);
  if (descriptor->all_workspaces && n > 0) {
    descriptor_complain (reading, node, "<workspaces> says all=\"true\" and "
                         "names some as well; remove one");
    return;
  }
  if (!descriptor->all_workspaces && n == 0)
    descriptor_complain (reading, node, "<workspaces> names none; add "
                         "<workspace>NAME</workspace> or say all=\"true\"");
  descriptor->workspaces = arena_zeroed (reading->arena, n + 1,
                                         sizeof *descriptor->workspaces);
  for (child = node->child; child != NULL; child = child->next)
    if (strcmp (child->name, "workspace") == 0)
      read_workspace (reading, child);
}

static const char **
when_attributes (const struct descriptor_reading *reading)
{
  const char **names;
  size_t n = 0;

  while (condition_test_names[n] != NULL)
    n++;
  names = arena_zeroed (reading->arena, n + 2, sizeof *names);
  names[0] = "source";
  for (size_t k = 0; k < n; k++)
    names[k + 1] = condition_test_names[k];
  return names;
}

static void
read_when (const struct descriptor_reading *reading,
           const struct xml_node *node)
{
  struct descriptor *descriptor = reading->descriptor;
  const char **names = when_attributes (reading);
  struct condition_test tests[MAX_TESTS];
  const char *source = descriptor_required (reading, node, "source");
  struct condition *condition;
  char reason[200];
  size_t n = 0;

  descriptor_expect (reading, node, names, NULL);
  for (size_t k = 1; names[k] != NULL && n < MAX_TESTS; k++) {
    const char *value = xml_attribute (node, names[k]);

    if (value != NULL)
      tests[n++] = (struct condition_test) { names[k], value };
  }
  if (source == NULL)
    return;
  if (n == 0) {
    descriptor_complain (reading, node, "<when> has no test, such as "
                         "is=\"true\" or present=\"true\"");
    return;
  }
  condition = condition_new (reading->arena, source, tests, n,
                             reading->host->catalogue, reason);
  if (condition == NULL)
    descriptor_complain (reading, node, "<when>: %s", reason);
  else
    descriptor->conditions[descriptor->n_conditions++] = condition;
}

static void
read_conditions (const struct descriptor_reading *reading,
                 const struct xml_node *root)
{
  struct descriptor *descriptor = reading->descriptor;
  const struct xml_node *node;

  descriptor->conditions = arena_zeroed (reading->arena,
                                         xml_count (root, "when") + 1,
                                         sizeof *descriptor->conditions);
  for (node = root->child; node != NULL; node = node->next)
    if (strcmp (node->name, "when") == 0)
      read_when (reading, node);
}

static void
read_settings (const struct descriptor_reading *reading,
               const struct xml_node *node)
{
  static const char *const children[] = { "setting", NULL };
  struct descriptor *descriptor = reading->descriptor;
  const struct xml_node *child;

  descriptor_expect (reading, node, NULL, children);
  descriptor->settings_line = node->line;
  descriptor->settings = arena_zeroed (reading->arena,
                                       xml_count (node, "setting") + 1,
                                       sizeof *descriptor->settings);
  for (child = node->child; child != NULL; child = child->next)
    if (strcmp (child->name, "setting") == 0)
      setting_read (reading->doc, child, descriptor->name,
                    reading->host->secrets, reading->arena,
                    reading->problems,
                    &descriptor->settings[descriptor->n_settings++]);
}

static void
read_map (const struct descriptor_reading *reading,
          const struct xml_node *node)
{
  static const char *const attributes[] = { "nested", NULL };
  static const char *const children[] = { "field", NULL };
  struct descriptor *descriptor = reading->descriptor;
  bool is_nested = xml_bool (reading->doc, node, "nested", false,
                             descriptor->name, reading->problems);

  descriptor_expect (reading, node, attributes, children);
  descriptor->has_map = true;
  descriptor->map_line = node->line;
  descriptor->mapping = mapping_new (reading->arena, is_nested);
  descriptor_read_rows (reading, node, "field", descriptor->mapping);
}

struct part {
  const char *name;
  void (*read) (const struct descriptor_reading *reading,
                const struct xml_node *node);
};

static const struct part parts[] = {
  { "label", read_label }, { "workspaces", read_workspaces },
  { "settings", read_settings }, { "map", read_map },
  { "mail", descriptor_read_mail }, { "delivery", descriptor_read_delivery }
};

/* The name is there already. */
static void
read_root (const struct descriptor_reading *reading)
{
  const struct xml_node *root = xml_root (reading->doc);
  struct descriptor *descriptor = reading->descriptor;
  const char *provider;

  descriptor_expect (reading, root, root_attributes, root_children);
  xml_expect_once (reading->doc, root, root_repeated, descriptor->name,
                   reading->problems);
  provider = descriptor_required (reading, root, "provider");
  if (provider != NULL && !descriptor_is_name (provider))
    descriptor_complain (reading, root, "provider=\"%.64s\" is no name: "
                         "small letters, digits and -", provider);
  else if (provider != NULL)
    descriptor->provider = arena_strdup (reading->arena, provider);
  descriptor->is_enabled = xml_bool (reading->doc, root, "enabled", true,
                                     descriptor->name, reading->problems);
  if (xml_child (root, "workspaces") == NULL)
    descriptor_complain (reading, root, "it does not say whom it serves; add "
                         "<workspaces all=\"true\"/>");
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
    const struct xml_node *node = xml_child (root, parts[k].name);

    if (node != NULL)
      parts[k].read (reading, node);
  }
  read_conditions (reading, root);
}

/* The root's name; NULL after a problem. */
static const char *
read_name (const struct xml_doc *doc, struct problems *problems)
{
  const struct xml_node *root = xml_root (doc);
  const char *name = xml_attribute (root, "name");

  if (name == NULL || name[0] == '\0')
    problems_add (problems, PROBLEM_ERROR, xml_path (doc), root->line, NULL,
                  "<integration> has no name=");
  else if (!descriptor_is_name (name))
    problems_add (problems, PROBLEM_ERROR, xml_path (doc), root->line, NULL,
                  "name=\"%.64s\" is no name: a small letter, then small "
                  "letters, digits and -, at most %d", name, MAX_NAME);
  else
    return name;
  return NULL;
}

/* With what its settings' values turned out to be. */
static void
take_digest (const struct xml_doc *doc, struct descriptor *descriptor)
{
  struct buf text = BUF_INIT (0);

  xml_add_canonical (xml_root (doc), &text);
  buf_printf (&text, "%d\n", descriptor->is_private);
  for (size_t k = 0; k < descriptor->n_settings; k++) {
    const char *value = descriptor->settings[k].value;

    if (value == NULL)
      buf_add_text (&text, "-\n");
    else
      buf_printf (&text, "%zu:%s\n", strlen (value), value);
  }
  crypto_sha256 (text.data, text.len, descriptor->digest);
  memory_wipe (text.data, text.len);
  buf_done (&text);
}

/* Takes doc over, which may be NULL.  errors: how many there were before
 * it was read. */
static struct descriptor *
read_doc (struct xml_doc *doc, const struct herald_xml *host,
          struct arena *arena, struct problems *problems, size_t errors)
{
  const char *name = doc != NULL ? read_name (doc, problems) : NULL;
  struct descriptor *descriptor = NULL;

  if (name != NULL) {
    struct descriptor_reading reading;

    descriptor = arena_zeroed (arena, 1, sizeof *descriptor);
    descriptor->path = arena_strdup (arena, xml_path (doc));
    descriptor->name = arena_strdup (arena, name);
    descriptor->provider = "";
    descriptor->line = xml_root (doc)->line;
    descriptor->settings_line = descriptor->line;
    descriptor->is_private = xml_is_private (doc);
    descriptor->mapping = mapping_new (arena, false);
    descriptor->delivery.batch_wait_ms = -1;
    reading = (struct descriptor_reading) { doc, host, arena, problems,
                                            descriptor };
    read_root (&reading);
    take_digest (doc, descriptor);
    descriptor->has_errors = problems_errors (problems) > errors;
  }
  xml_free (doc);
  return descriptor;
}

struct descriptor *
descriptor_read_copy (const char *copy, const char *path,
                      const struct herald_xml *host, struct arena *arena,
                      struct problems *problems)
{
  size_t errors = problems_errors (problems);
  struct xml_doc *doc = xml_read_copy (copy, path, "integration",
                                       DESCRIPTOR_NS, problems);

  return read_doc (doc, host, arena, problems, errors);
}

struct descriptor *
descriptor_read (const char *path, const struct herald_xml *host,
                 struct arena *arena, struct problems *problems)
{
  return descriptor_read_copy (path, path, host, arena, problems);
}

struct descriptor *
descriptor_read_text (const char *text, size_t len, const char *path,
                      const struct herald_xml *host, struct arena *arena,
                      struct problems *problems)
{
  size_t errors = problems_errors (problems);
  struct xml_doc *doc = xml_read_text (text, len, path, "integration",
                                       DESCRIPTOR_NS, problems);

  return read_doc (doc, host, arena, problems, errors);
}

void
descriptor_forget (const struct descriptor *descriptor)
{
  for (size_t k = 0; k < descriptor->n_settings; k++)
    setting_forget (&descriptor->settings[k]);
}

bool
descriptor_serves (const struct descriptor *descriptor,
                   const char *workspace)
{
  return descriptor->all_workspaces
         || names_have (descriptor->workspaces, descriptor->n_workspaces,
                        workspace);
}

const struct condition *
descriptor_unmet (const struct descriptor *descriptor,
                  const struct event *event)
{
  for (size_t k = 0; k < descriptor->n_conditions; k++)
    if (!condition_holds (descriptor->conditions[k], event))
      return descriptor->conditions[k];
  return NULL;
}
