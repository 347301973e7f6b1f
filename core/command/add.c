/* add.c - herald add: write a descriptor to start from.
 *
 * SPDX-License-Identifier: MIT
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "command.h"
#include "config/descriptor.h"
#include "options.h"
#include "provider/loader.h"

static const char *
add_value (char **given, int n, const char *name)
{
  size_t len = strlen (name);

  for (int i = 0; i < n; i++)
    if (strncmp (given[i], name, len) == 0 && given[i][len] == '=')
      return given[i] + len + 1;
  return NULL;
}

static void
add_xml (struct buf *out, const char *text)
{
  text_add_html (out, text, strlen (text));
}

/* Where a secret is to be found: file:PATH, env:NAME, credential:NAME. */
static const struct add_place {
  const char *prefix;
  const char *from;
  const char *attribute;
} add_places[] = {
  { "file:", "file", "path" },
  { "env:", "env", "variable" },
  { "credential:", "credential", "credential" },
};

static const struct add_place *
add_place (const char *value)
{
  for (size_t i = 0; i < sizeof add_places / sizeof add_places[0]; i++)
    if (strncmp (value, add_places[i].prefix,
                 strlen (add_places[i].prefix)) == 0)
      return &add_places[i];
  return NULL;
}

static void
add_secret (struct buf *out, const char *name,
            const struct herald_field *field, const char *value)
{
  const struct add_place *place = value != NULL ? add_place (value) : NULL;

  buf_printf (out, "    <setting name=\"%s\" ", field->name);
  if (place != NULL) {
    buf_printf (out, "from=\"%s\" %s=\"", place->from, place->attribute);
    add_xml (out, value + strlen (place->prefix));
    buf_add_text (out, "\"/>\n");
  } else
    buf_printf (out, "from=\"file\" path=\"%s.%s\"/>\n", name, field->name);
}

/* Without the "--" that would end it. */
static void
add_comment (struct buf *out, const char *text)
{
  buf_add_text (out, "    <!-- ");
  for (; *text != '\0'; text++) {
    buf_add_char (out, *text);
    if (text[0] == '-' && text[1] == '-')
      buf_add_char (out, ' ');
  }
  buf_add_text (out, " -->\n");
}

static void
add_setting (struct buf *out, const char *name,
             const struct herald_field *field, const char *value)
{
  bool is_needed = (field->flags & HERALD_REQUIRED) && field->when == NULL
                   && field->preset == NULL;

  if (field->flags & HERALD_HOST_ONLY)
    return;
  if (value == NULL && !is_needed)
    return;
  add_comment (out, field->label);
  if (field->flags & HERALD_SECRET) {
    add_secret (out, name, field, value);
    return;
  }
  buf_printf (out, "    <setting name=\"%s\">", field->name);
  add_xml (out, value != NULL            ? value
                : field->example != NULL ? field->example
                                         : "");
  buf_add_text (out, "</setting>\n");
}

static void
add_content (struct buf *out, const struct provider *provider)
{
  if (provider->plugin.category != HERALD_MAILER) {
    buf_add_text (out,
      "  <map>\n"
      "    <field name=\"email\" source=\"email\"/>\n"
      "    <field name=\"firstName\" source=\"firstName\"/>\n"
      "    <field name=\"lastName\" source=\"lastName\"/>\n"
      "    <field name=\"score\" source=\"score\" as=\"number\"/>\n"
      "  </map>\n");
    return;
  }
  buf_add_text (out, "  <mail>\n");
  if (provider->plugin.caps & HERALD_FIXED_SENDER)
    buf_add_text (out, "    <from name=\"Example Games\"/>\n");
  else
    buf_add_text (out, "    <from name=\"Example Games\" "
                       "address=\"play@example.com\"/>\n");
  buf_add_text (out,
    "    <to source=\"email\" name=\"{{firstName}} {{lastName}}\"/>\n"
    "    <subject>Well done, {{firstName}}</subject>\n"
    "    <text>You scored {{score}} points.</text>\n"
    "  </mail>\n");
}

static void
add_write (struct buf *out, const struct provider *provider,
           const char *name, char **given, int n_given)
{
  buf_printf (out,
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<!-- \"herald describe %s\" tells every setting; herald-conf(5) all "
    "the rest. -->\n"
    "<integration xmlns=\"urn:herald:integration:1\" name=\"%s\" "
    "provider=\"%s\"\n"
    "             enabled=\"false\">\n"
    "  <workspaces all=\"true\"/>\n"
    "  <settings>\n", provider->name, name, provider->name);
  for (size_t i = 0; i < provider->n_fields; i++)
    add_setting (out, name, &provider->fields[i],
                 add_value (given, n_given, provider->fields[i].name));
  buf_add_text (out, "  </settings>\n");
  add_content (out, provider);
  buf_add_text (out, "</integration>\n");
}

/* Each given setting must be declared, and no secret may stand in an argv,
 * where every user of the host can read it. */
static int
add_check (const struct provider *provider, char **given, int n)
{
  for (int i = 0; i < n; i++) {
    const char *equals = strchr (given[i], '=');
    size_t len = equals != NULL ? (size_t) (equals - given[i]) : 0;
    const struct herald_field *field = NULL;

    for (size_t k = 0; k < provider->n_fields; k++)
      if (strlen (provider->fields[k].name) == len
          && memcmp (provider->fields[k].name, given[i], len) == 0)
        field = &provider->fields[k];
    if (field == NULL) {
      log_error ("%s has no setting %.*s; \"herald describe %s\" tells what "
                 "there is", provider->name, (int) (equals != NULL ? len : 20),
                 given[i], provider->name);
      return -1;
    }
    if ((field->flags & HERALD_SECRET) && add_place (equals + 1) == NULL) {
      log_error ("%s is a secret, which must not be on a command line: give "
                 "%s=file:PATH, env:NAME or credential:NAME",
                 field->name, field->name);
      return -1;
    }
  }
  return 0;
}

static int
add_save (const char *path, const struct buf *text)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  size_t done = 0;

  if (fd < 0) {
    log_error ("%s: %s", path,
               errno == EEXIST ? "there is such an integration already"
                               : strerror (errno));
    return -1;
  }
  while (done < text->len) {
    ssize_t n = write (fd, text->data + done, text->len - done);

    if (n < 0)
      break;
    done += (size_t) n;
  }
  if (done < text->len || fsync (fd) != 0) {
    log_error ("%s: %m", path);
    close (fd);
    unlink (path);
    return -1;
  }
  close (fd);
  return 0;
}

static int
add_run (const struct command_globals *globals, int n, char **argv)
{
  struct loader *loader = loader_new (globals->plugin_directory);
  const struct provider *provider;
  char reason[500];
  int status = EXIT_DONE;
  struct buf text, path;

  buf_init (&text, 0);
  buf_init (&path, 0);
  provider = loader_find (loader, argv[0], reason, sizeof reason);
  if (provider == NULL) {
    log_error ("%s", reason);
    status = EXIT_CONFIG;
  } else if (add_check (provider, argv + 2, n - 2) != 0)
    status = EXIT_USAGE;
  else {
    buf_printf (&path, "%s/conf.d/%s.xml", globals->config_directory,
                argv[1]);
    add_write (&text, provider, argv[1], argv + 2, n - 2);
    if (add_save (path.data, &text) != 0)
      status = EXIT_FILE;
    else
      printf ("%s was written, disabled.\nEdit it, then run: herald check, "
              "herald test %s, herald enable %s\n", path.data, argv[1],
              argv[1]);
  }
  buf_done (&text);
  buf_done (&path);
  loader_free (loader);
  return status;
}

int
command_add (const struct command_globals *globals, int argc, char **argv)
{
  const struct option_row rows[] = { { .kind = OPTION_END } };
  const struct options options = {
    .command = "add",
    .usage = "PROVIDER NAME [SETTING=VALUE...]",
    .about = "Write conf.d/NAME.xml for a provider, disabled, with the "
             "settings given and places for those it needs.  A secret is "
             "given as SETTING=file:PATH, env:NAME or credential:NAME.",
    .rows = rows,
    .min_operands = 2,
    .max_operands = -1,
  };
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  if (!descriptor_is_name (argv[1])) {
    log_error ("%s can't be the name of an integration: small letters, "
               "digits and dashes, a letter first", argv[1]);
    return EXIT_USAGE;
  }
  return add_run (globals, n, argv);
}
