/* herald_intake.c - <intake> of herald.xml: where events come in, and who
 * may bring them.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/herald_reading.h"

#include <string.h>
#include <sys/un.h>

#include "base/service.h"
#include "base/text.h"
#include "config/network.h"

#define SECOND INT64_C (1000)

enum {
  MODE = 0660,                  /* of a socket, unless it says */
  MAX_NAME = 256,               /* of a user or group */
  MAX_SOCKET = sizeof ((struct sockaddr_un *) NULL)->sun_path - 1
};

static const struct herald_listen default_listen = {
  .address = "127.0.0.1:8414"
};

static const struct herald_range body_range = {
  1024, INT64_C (1) << 30, "1k and 1G"
};
static const struct herald_range timeout_range = {
  100, 3600 * SECOND, "100ms and 1h"
};
static const struct herald_range count_range = { 1, 100000, "1 and 100000" };

/* The declared workspace that is len bytes of text; NULL after a
 * complaint. */
static const char *
find_workspace (const struct herald_reading *reading,
                const struct xml_node *node, const char *text, size_t len)
{
  const struct herald_xml *xml = reading->xml;
  const char *name = arena_strndup (reading->arena, text, len);
  const char **known, *nearest;

  if (herald_xml_has_workspace (xml, name))
    return name;
  known = arena_zeroed (reading->arena, xml->n_workspaces + 1,
                        sizeof *known);
  for (size_t k = 0; k < xml->n_workspaces; k++)
    known[k] = xml->workspaces[k];
  nearest = text_nearest (name, known);
  if (nearest != NULL)
    herald_complain (reading, PROBLEM_ERROR, node, "workspace \"%.64s\" is "
                     "not declared; did you mean \"%s\"?", name, nearest);
  else
    herald_complain (reading, PROBLEM_ERROR, node, "workspace \"%.64s\" is "
                     "not declared; add <workspace name=\"%.64s\"/> to "
                     "<workspaces>, or write workspace=\"*\" for all", name,
                     name);
  return NULL;
}

/* "acme", "acme,globex" or "*".  A name may have a comma in it. */
static void
read_rights (const struct herald_reading *reading,
             const struct xml_node *node, struct herald_allow *allow)
{
  const char *text = herald_required (reading, node, "workspace");
  size_t most = 1;

  if (text == NULL)
    return;
  allow->all_workspaces = strcmp (text, "*") == 0;
  if (allow->all_workspaces)
    return;
  if (!herald_xml_has_workspace (reading->xml, text))
    for (const char *at = text; *at != '\0'; at++)
      most += *at == ',';
  allow->workspaces = arena_zeroed (reading->arena, most,
                                    sizeof *allow->workspaces);
  for (const char *at = text; most > 0; most--) {
    size_t len = most > 1 ? strcspn (at, ",") : strlen (at);
    const char *name = find_workspace (reading, node, at, len);

    if (name != NULL)
      allow->workspaces[allow->n_workspaces++] = name;
    at += len + 1;
  }
}

static void
read_allow (const struct herald_reading *reading,
            const struct xml_node *node, struct herald_allow *allow)
{
  static const char *const attributes[] = {
    "user", "group", "workspace", NULL
  };
  const char *user = xml_attribute (node, "user");
  const char *group = xml_attribute (node, "group");
  const char *name = user != NULL ? user : group;

  herald_expect (reading, node, attributes, NULL);
  if ((user == NULL) == (group == NULL))
    herald_complain (reading, PROBLEM_ERROR, node, "<allow> must have either "
                     "user= or group=");
  else if (name[0] == '\0' || strlen (name) > MAX_NAME
           || !text_is_one_line (name, strlen (name)))
    herald_complain (reading, PROBLEM_ERROR, node, "the %s of <allow> is no "
                     "name of 1 to %d bytes", user != NULL ? "user"
                     : "group", MAX_NAME);
  allow->user = arena_strdup (reading->arena, user);
  allow->group = arena_strdup (reading->arena, group);
  read_rights (reading, node, allow);
}

static void
read_allows (const struct herald_reading *reading,
             const struct xml_node *node, struct herald_listen *listen)
{
  size_t n = xml_count (node, "allow");
  struct herald_allow *allows;
  const struct xml_node *child;

  if (n > 0 && listen->socket == NULL) {
    herald_complain (reading, PROBLEM_ERROR, xml_child (node, "allow"),
                     "<allow> is for a socket; who may write to an address "
                     "is said by <tokens>");
    return;
  }
  allows = arena_zeroed (reading->arena, n + 1, sizeof *allows);
  for (child = node->child; child != NULL; child = child->next)
    if (strcmp (child->name, "allow") == 0)
      read_allow (reading, child, &allows[listen->n_allows++]);
  listen->allows = allows;
}

static void
read_mode (const struct herald_reading *reading, const struct xml_node *node,
           struct herald_listen *listen)
{
  const char *text = xml_attribute (node, "mode");
  unsigned mode = 0;
  size_t digits;

  if (text == NULL)
    return;
  digits = strspn (text, "01234567");
  for (size_t i = 0; i < digits && digits <= 4; i++)
    mode = 8 * mode + (unsigned) (text[i] - '0');
  if (digits < 3 || digits > 4 || text[digits] != '\0' || mode > 0777)
    herald_complain (reading, PROBLEM_ERROR, node, "mode=\"%.32s\" is no "
                     "mode in octal; write it like 0660", text);
  else if (listen->socket == NULL)
    herald_complain (reading, PROBLEM_ERROR, node, "mode= is for a socket; "
                     "remove it");
  else
    listen->mode = mode;
}

static void
read_socket (const struct herald_reading *reading,
             const struct xml_node *node, const char *path,
             struct herald_listen *listen)
{
  if (path[0] != '/')
    herald_complain (reading, PROBLEM_ERROR, node, "the socket's path must "
                     "start with /");
  else if (strlen (path) > MAX_SOCKET)
    herald_complain (reading, PROBLEM_ERROR, node, "the socket's path is "
                     "longer than %d bytes, which is all the system takes; "
                     "choose a shorter one", MAX_SOCKET);
  listen->socket = arena_strdup (reading->arena, path);
  listen->mode = MODE;
}

static void
read_address (const struct herald_reading *reading,
              const struct xml_node *node, const char *text,
              struct herald_listen *listen)
{
  struct network_address address;
  char reason[200];

  listen->address = arena_strdup (reading->arena, text);
  if (network_read_address (text, &address, reason) < 0) {
    herald_complain (reading, PROBLEM_ERROR, node, "address=\"%.64s\" %s",
                     text, reason);
    return;
  }
  listen->address = arena_strdup (reading->arena, address.text);
  if (!address.is_loopback)
    herald_complain (reading, PROBLEM_WARNING, node, "address=\"%s\" can be "
                     "reached from other hosts, and tokens pass in clear; "
                     "listen on 127.0.0.1 and put a TLS proxy in front",
                     address.text);
}

/* Of those before, one at the same place, or NULL. */
static const struct herald_listen *
find_twin (const struct herald_intake *intake,
           const struct herald_listen *listen)
{
  for (size_t k = 0; k < intake->n_listens; k++) {
    const struct herald_listen *other = &intake->listens[k];

    if (listen->socket != NULL && other->socket != NULL
        && strcmp (listen->socket, other->socket) == 0)
      return other;
    if (listen->address != NULL && other->address != NULL
        && strcmp (listen->address, other->address) == 0)
      return other;
  }
  return NULL;
}

static void
read_listen (const struct herald_reading *reading,
             const struct xml_node *node, struct herald_listen *listen)
{
  static const char *const attributes[] = {
    "address", "socket", "mode", NULL
  };
  static const char *const children[] = { "allow", NULL };
  const char *address = xml_attribute (node, "address");
  const char *path = xml_attribute (node, "socket");
  const struct herald_listen *twin;

  herald_expect (reading, node, attributes, children);
  listen->line = node->line;
  if ((address == NULL) == (path == NULL)) {
    herald_complain (reading, PROBLEM_ERROR, node, "<listen> must have "
                     "either address= or socket=");
    return;
  }
  if (path != NULL)
    read_socket (reading, node, path, listen);
  else
    read_address (reading, node, address, listen);
  read_mode (reading, node, listen);
  read_allows (reading, node, listen);
  twin = find_twin (&reading->xml->intake, listen);
  if (twin != NULL)
    herald_complain (reading, PROBLEM_ERROR, node, "%s is listened to "
                     "already, in line %u; remove one",
                     path != NULL ? listen->socket : listen->address,
                     twin->line);
}

/* With an address that nobody has a token for, somebody forgot something. */
static void
check_tokens (const struct herald_reading *reading)
{
  const struct herald_intake *intake = &reading->xml->intake;
  struct xml_node place = { .line = 0 };

  if (intake->tokens_path != NULL)
    return;
  for (size_t k = 0; k < intake->n_listens; k++) {
    place.line = intake->listens[k].line;
    if (intake->listens[k].address != NULL && place.line > 0) {
      herald_complain (reading, PROBLEM_WARNING, &place, "nobody can write "
                       "to %s without a token; add <tokens "
                       "path=\"intake.tokens\"/>",
                       intake->listens[k].address);
      return;
    }
  }
}

static void
read_listens (const struct herald_reading *reading,
              const struct xml_node *node)
{
  struct herald_intake *intake = &reading->xml->intake;
  size_t n = xml_count (node, "listen");
  struct herald_listen *listens;
  const struct xml_node *child;

  if (n == 0)
    return;
  if (n > SERVICE_SOCKETS_MAX)
    herald_complain (reading, PROBLEM_ERROR, node, "there are more than %d "
                     "<listen>", SERVICE_SOCKETS_MAX);
  listens = arena_zeroed (reading->arena, n, sizeof *listens);
  intake->listens = listens;
  intake->n_listens = 0;
  for (child = node->child; child != NULL; child = child->next)
    if (strcmp (child->name, "listen") == 0) {
      read_listen (reading, child, &listens[intake->n_listens]);
      intake->n_listens++;
    }
}

static void
read_tokens (const struct herald_reading *reading,
             const struct xml_node *node)
{
  static const char *const attributes[] = { "path", NULL };
  struct herald_intake *intake = &reading->xml->intake;
  const char *path;

  herald_expect (reading, node, attributes, NULL);
  path = herald_required (reading, node, "path");
  if (path != NULL)
    intake->tokens_path = herald_beside (reading, path);
  intake->tokens_line = node->line;
}

static void
read_limits (const struct herald_reading *reading,
             const struct xml_node *node)
{
  static const char *const attributes[] = {
    "body", "connections", "timeout", "events", NULL
  };
  struct herald_intake *intake = &reading->xml->intake;
  int64_t connections = intake->max_connections;
  int64_t events = intake->max_events;

  herald_expect (reading, node, attributes, NULL);
  herald_read_size (reading, node, "body", &body_range, &intake->max_body);
  herald_read_count (reading, node, "connections", &count_range,
                     &connections);
  herald_read_duration (reading, node, "timeout", &timeout_range,
                        &intake->timeout_ms);
  herald_read_count (reading, node, "events", &count_range, &events);
  intake->max_connections = (uint32_t) connections;
  intake->max_events = (uint32_t) events;
}

void
herald_read_intake (const struct herald_reading *reading,
                    const struct xml_node *node)
{
  static const char *const children[] = {
    "listen", "tokens", "limits", NULL
  };
  static const char *const repeated[] = { "listen", NULL };

  reading->xml->intake = (struct herald_intake) {
    .n_listens = 1,
    .listens = &default_listen,
    .max_body = 8 << 20,
    .timeout_ms = 10 * SECOND,
    .max_connections = 1000,
    .max_events = 10000
  };
  if (node == NULL)
    return;
  herald_expect (reading, node, NULL, children);
  xml_expect_once (reading->doc, node, repeated, NULL, reading->problems);
  read_listens (reading, node);
  if (xml_child (node, "tokens") != NULL)
    read_tokens (reading, xml_child (node, "tokens"));
  if (xml_child (node, "limits") != NULL)
    read_limits (reading, xml_child (node, "limits"));
  check_tokens (reading);
}
