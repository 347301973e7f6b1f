/* herald_xml.c - herald.xml: what the host decides.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/herald_xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/trust.h"
#include "config/herald_reading.h"
#include "config/names.h"
#include "config/network.h"
#include "event/event.h"

#define NS "urn:herald:config:1"

enum {
  CONNECT_MS = 10 * 1000, TOTAL_MS = 60 * 1000, /* unless it says */
  MAX_REPLY = 1 << 20,
  MAX_BUNDLE = 64 << 20,
  MAX_NAME = 128
};

static const struct herald_range timeout_range = {
  1, 3600 * 1000, "1ms and 1h"
};
static const struct herald_range limit_range = {
  1024, 64 << 20, "1k and 64M"
};

static const char *const root_children[] = {
  "workspaces", "fields", "network", "tls", "timeouts", "limits", "state",
  "store", "intake", "workers", "log", "defaults", NULL
};
static const char *const root_repeated[] = { "defaults", NULL };

static void
read_workspaces (const struct herald_reading *reading,
                 const struct xml_node *node)
{
  static const char *const children[] = { "workspace", NULL };
  static const char *const attributes[] = { "name", NULL };
  struct herald_xml *xml = reading->xml;
  const struct xml_node *child;

  herald_expect (reading, node, NULL, children);
  xml->workspaces = arena_zeroed (reading->arena,
                                  xml_count (node, "workspace") + 1,
                                  sizeof *xml->workspaces);
  for (child = node->child; child != NULL; child = child->next) {
    const char *name;

    if (strcmp (child->name, "workspace") != 0)
      continue;
    herald_expect (reading, child, attributes, NULL);
    name = herald_required (reading, child, "name");
    if (name == NULL)
      continue;
    if (strlen (name) > MAX_NAME || !text_is_one_line (name, strlen (name)))
      herald_complain (reading, PROBLEM_ERROR, child, "a workspace's name is "
                       "one line of at most %d bytes", MAX_NAME);
    else if (!names_insert (xml->workspaces, &xml->n_workspaces,
                            arena_strdup (reading->arena, name)))
      herald_complain (reading, PROBLEM_ERROR, child, "workspace \"%s\" is "
                       "declared twice; remove one", name);
  }
}

static void
read_fields (const struct herald_reading *reading, const struct xml_node *node)
{
  static const char *const children[] = { "field", NULL };
  static const char *const attributes[] = { "key", "label", NULL };
  struct catalogue *catalogue = reading->xml->catalogue;
  const struct xml_node *child;

  herald_expect (reading, node, NULL, children);
  for (child = node->child; child != NULL; child = child->next) {
    const char *key, *label;

    if (strcmp (child->name, "field") != 0)
      continue;
    herald_expect (reading, child, attributes, NULL);
    key = herald_required (reading, child, "key");
    if (key == NULL)
      continue;
    label = xml_attribute (child, "label");
    if (catalogue_find (catalogue, key, strlen (key)) != NULL)
      herald_complain (reading, PROBLEM_ERROR, child, "field \"%.64s\" exists "
                       "already; remove this one", key);
    else if (catalogue_add (catalogue, key,
                            label != NULL && label[0] != '\0' ? label
                                                              : key) < 0)
      herald_complain (reading, PROBLEM_ERROR, child, "field key \"%.64s\" is "
                       "not a letter followed by letters, digits and _, at "
                       "most 64", key);
  }
}

static void
read_allow (const struct herald_reading *reading, const struct xml_node *node)
{
  static const char *const attributes[] = { "cidr", NULL };
  struct herald_xml *xml = reading->xml;
  const char *cidr;
  char reason[200];

  herald_expect (reading, node, attributes, NULL);
  cidr = herald_required (reading, node, "cidr");
  if (cidr == NULL)
    return;
  if (network_check_range (cidr, reason) < 0) {
    herald_complain (reading, PROBLEM_ERROR, node, "cidr=\"%.64s\" %s", cidr,
                     reason);
    return;
  }
  if (strcmp (cidr + strlen (cidr) - 2, "/0") == 0)
    herald_complain (reading, PROBLEM_WARNING, node, "cidr=\"%.64s\" lets "
                     "integrations reach every address of this host's "
                     "networks", cidr);
  xml->allowed[xml->n_allowed++] = arena_strdup (reading->arena, cidr);
}

static void
read_proxy (const struct herald_reading *reading, const struct xml_node *node)
{
  static const char *const attributes[] = { "url", NULL };
  const char *url;
  char reason[200];

  herald_expect (reading, node, attributes, NULL);
  url = herald_required (reading, node, "url");
  if (url == NULL)
    return;
  if (network_check_proxy (url, reason) < 0)
    herald_complain (reading, PROBLEM_ERROR, node, "the proxy's url %s",
                     reason);
  else
    reading->xml->proxy = arena_strdup (reading->arena, url);
}

static void
read_network (const struct herald_reading *reading,
              const struct xml_node *node)
{
  static const char *const children[] = {
    "allow", "allow-http", "proxy", NULL
  };
  static const char *const repeated[] = { "allow", NULL };
  struct herald_xml *xml = reading->xml;
  const struct xml_node *child;

  herald_expect (reading, node, NULL, children);
  xml_expect_once (reading->doc, node, repeated, NULL, reading->problems);
  xml->allowed = arena_zeroed (reading->arena, xml_count (node, "allow") + 1,
                               sizeof *xml->allowed);
  for (child = node->child; child != NULL; child = child->next) {
    if (strcmp (child->name, "allow") == 0) {
      read_allow (reading, child);
    } else if (strcmp (child->name, "allow-http") == 0) {
      herald_expect (reading, child, NULL, NULL);
      xml->allow_http = true;
    } else if (strcmp (child->name, "proxy") == 0) {
      read_proxy (reading, child);
    }
  }
}

static void
read_tls (const struct herald_reading *reading, const struct xml_node *node)
{
  static const char *const attributes[] = { "ca-file", NULL };
  const char *path;
  char *bundle;
  char reason[400];
  size_t len;

  herald_expect (reading, node, attributes, NULL);
  path = herald_required (reading, node, "ca-file");
  if (path == NULL)
    return;
  path = herald_beside (reading, path);
  if (reading->xml->secrets == SECRETS_UNREAD) {
    reading->xml->ca_file = path;
    return;
  }
  /* Who may write it decides whom herald believes. */
  bundle = trust_read (path, 0, MAX_BUNDLE, &len, reason, sizeof reason);
  if (bundle == NULL)
    herald_complain (reading, PROBLEM_ERROR, node, "ca-file %s: %s", path,
                     reason);
  else if (strstr (bundle, "-----BEGIN ") == NULL)
    herald_complain (reading, PROBLEM_ERROR, node, "ca-file %s holds no "
                     "certificate in PEM form", path);
  else {
    reading->xml->ca_file = path;
    crypto_sha256 (bundle, len, reading->xml->ca_digest);
  }
  free (bundle);
}

static void
read_timeouts (const struct herald_reading *reading,
               const struct xml_node *node)
{
  static const char *const attributes[] = { "connect", "total", NULL };
  struct herald_xml *xml = reading->xml;

  herald_expect (reading, node, attributes, NULL);
  herald_read_duration (reading, node, "connect", &timeout_range,
                        &xml->connect_ms);
  herald_read_duration (reading, node, "total", &timeout_range,
                        &xml->total_ms);
  if (xml->total_ms < xml->connect_ms)
    herald_complain (reading, PROBLEM_ERROR, node, "the total timeout is "
                     "shorter than the one to connect");
}

static void
read_limits (const struct herald_reading *reading, const struct xml_node *node)
{
  static const char *const attributes[] = { "event", "reply", NULL };

  herald_expect (reading, node, attributes, NULL);
  herald_read_size (reading, node, "event", &limit_range,
                    &reading->xml->max_event);
  herald_read_size (reading, node, "reply", &limit_range,
                    &reading->xml->max_reply);
}

static void
read_state (const struct herald_reading *reading, const struct xml_node *node)
{
  static const char *const attributes[] = { "directory", NULL };
  const char *path;

  herald_expect (reading, node, attributes, NULL);
  path = herald_required (reading, node, "directory");
  if (path != NULL && path[0] != '/')
    herald_complain (reading, PROBLEM_ERROR, node, "the state directory must "
                     "start with /");
  else if (path != NULL)
    reading->xml->state_directory = arena_strdup (reading->arena, path);
}

/* The defaults of one provider; false if they must be left out. */
static bool
read_provider (const struct herald_reading *reading,
               const struct xml_node *node,
               struct herald_defaults *ret_defaults)
{
  static const char *const attributes[] = { "provider", NULL };
  static const char *const children[] = { "setting", NULL };
  struct herald_defaults defaults = { NULL, node->line, 0, NULL };
  const struct xml_node *child;
  struct setting *settings;
  const char *provider;

  herald_expect (reading, node, attributes, children);
  provider = herald_required (reading, node, "provider");
  if (provider == NULL)
    return false;
  for (size_t k = 0; k < reading->xml->n_defaults; k++)
    if (strcmp (reading->xml->defaults[k].provider, provider) == 0) {
      herald_complain (reading, PROBLEM_ERROR, node, "there are <defaults> "
                       "for provider \"%.64s\" already, in line %u; write all "
                       "into one", provider, reading->xml->defaults[k].line);
      return false;
    }
  defaults.provider = arena_strdup (reading->arena, provider);
  settings = arena_zeroed (reading->arena, xml_count (node, "setting") + 1,
                           sizeof *settings);
  for (child = node->child; child != NULL; child = child->next)
    if (strcmp (child->name, "setting") == 0)
      setting_read (reading->doc, child, NULL, reading->xml->secrets,
                    reading->arena, reading->problems,
                    &settings[defaults.n_settings++]);
  defaults.settings = settings;
  *ret_defaults = defaults;
  return true;
}

static void
read_defaults (const struct herald_reading *reading,
               const struct xml_node *root)
{
  struct herald_xml *xml = reading->xml;
  struct herald_defaults *defaults;
  const struct xml_node *node;

  defaults = arena_zeroed (reading->arena, xml_count (root, "defaults") + 1,
                           sizeof *defaults);
  xml->defaults = defaults;
  for (node = root->child; node != NULL; node = node->next)
    if (strcmp (node->name, "defaults") == 0
        && read_provider (reading, node, &defaults[xml->n_defaults]))
      xml->n_defaults++;
}

struct part {
  const char *name;
  void (*read) (const struct herald_reading *reading,
                const struct xml_node *node);
};

static const struct part parts[] = {
  { "workspaces", read_workspaces }, { "fields", read_fields },
  { "network", read_network }, { "tls", read_tls },
  { "timeouts", read_timeouts }, { "limits", read_limits },
  { "state", read_state }
};

static void
read_root (const struct herald_reading *reading)
{
  const struct xml_node *root = xml_root (reading->doc);

  herald_expect (reading, root, NULL, root_children);
  xml_expect_once (reading->doc, root, root_repeated, NULL,
                   reading->problems);
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
    const struct xml_node *node = xml_child (root, parts[k].name);

    if (node != NULL)
      parts[k].read (reading, node);
  }
  herald_read_store (reading, xml_child (root, "store"));
  herald_read_intake (reading, xml_child (root, "intake"));
  herald_read_workers (reading, xml_child (root, "workers"));
  herald_read_log (reading, xml_child (root, "log"));
  read_defaults (reading, root);
  if (reading->xml->n_workspaces == 0)
    herald_complain (reading, PROBLEM_WARNING, root, "no workspace is "
                     "declared, so every event is refused; add "
                     "<workspaces><workspace name=\"...\"/></workspaces>");
}

/* Takes doc over, which may be NULL.  errors: how many there were before
 * it was read. */
static struct herald_xml *
read_doc (struct xml_doc *doc, enum secrets secrets, struct arena *arena,
          struct problems *problems, size_t errors)
{
  struct herald_xml *xml;
  struct herald_reading reading;

  if (doc == NULL)
    return NULL;
  xml = arena_zeroed (arena, 1, sizeof *xml);
  xml->path = arena_strdup (arena, xml_path (doc));
  xml->is_private = xml_is_private (doc);
  xml->secrets = secrets;
  xml->catalogue = catalogue_new ();
  xml->connect_ms = CONNECT_MS;
  xml->total_ms = TOTAL_MS;
  xml->max_event = EVENT_MAX_LEN;
  xml->max_reply = MAX_REPLY;
  reading = (struct herald_reading) { doc, xml, arena, problems };
  read_root (&reading);
  xml_free (doc);
  /* It says what may be reached: half of it is worse than none. */
  if (problems_errors (problems) > errors) {
    herald_xml_done (xml);
    return NULL;
  }
  return xml;
}

struct herald_xml *
herald_xml_read_copy (const char *copy, const char *path,
                      enum secrets secrets, struct arena *arena,
                      struct problems *problems)
{
  size_t errors = problems_errors (problems);

  return read_doc (xml_read_copy (copy, path, "herald", NS, problems),
                   secrets, arena, problems, errors);
}

struct herald_xml *
herald_xml_read (const char *path, enum secrets secrets, struct arena *arena,
                 struct problems *problems)
{
  return herald_xml_read_copy (path, path, secrets, arena, problems);
}

struct herald_xml *
herald_xml_read_text (const char *text, size_t len, const char *path,
                      enum secrets secrets, struct arena *arena,
                      struct problems *problems)
{
  size_t errors = problems_errors (problems);

  return read_doc (xml_read_text (text, len, path, "herald", NS, problems),
                   secrets, arena, problems, errors);
}

void
herald_xml_done (struct herald_xml *xml)
{
  if (xml == NULL)
    return;
  for (size_t k = 0; k < xml->n_defaults; k++)
    for (size_t i = 0; i < xml->defaults[k].n_settings; i++)
      setting_forget (&xml->defaults[k].settings[i]);
  xml->n_defaults = 0;
  catalogue_free (xml->catalogue);
  xml->catalogue = NULL;
}

bool
herald_xml_has_workspace (const struct herald_xml *xml, const char *name)
{
  return names_have (xml->workspaces, xml->n_workspaces, name);
}
