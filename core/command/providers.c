/* providers.c - herald providers: the plugins installed here.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/json_doc.h"
#include "base/log.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "provider/loader.h"
#include "table.h"

static struct json_doc *
providers_json (const struct provider *provider)
{
  struct json_doc *row = json_doc_object ();
  const struct herald_plugin *plugin = &provider->plugin;

  json_doc_put (row, "name", json_doc_text (provider->name));
  json_doc_put (row, "label", json_doc_text (plugin->label));
  json_doc_put (row, "category",
                json_doc_text (plugin->category == HERALD_MAILER
                                 ? "mailer" : "webhook"));
  json_doc_put (row, "summary", json_doc_text (plugin->summary));
  json_doc_put (row, "version", json_doc_text (plugin->version));
  json_doc_put (row, "homepage", json_doc_text (plugin->homepage));
  json_doc_put (row, "file", json_doc_text (provider->path));
  return row;
}

/* True if every module is a plugin. */
static bool
providers_print (struct loader *loader, bool is_json)
{
  static const char *const titles[] = { "NAME", "LABEL", "CATEGORY",
                                        "VERSION", "SUMMARY", NULL };
  struct table *table = table_new (titles);
  struct json_doc *doc = json_doc_array ();
  const char *const *names = loader_names (loader);
  bool is_good = true;
  char reason[500];

  for (size_t i = 0; names[i] != NULL; i++) {
    const struct provider *provider
      = loader_find (loader, names[i], reason, sizeof reason);

    if (provider == NULL) {
      log_error ("%s", reason);
      is_good = false;
      continue;
    }
    json_doc_push (doc, providers_json (provider));
    table_add (table, "%s", provider->name);
    table_add (table, "%s", provider->plugin.label);
    table_add (table, "%s",
               provider->plugin.category == HERALD_MAILER ? "mailer"
                                                          : "webhook");
    table_add (table, "%s",
               provider->plugin.version != NULL ? provider->plugin.version
                                                : "-");
    table_add (table, "%s",
               provider->plugin.summary != NULL ? provider->plugin.summary
                                                : "");
  }
  if (is_json)
    output_json (doc);
  else {
    table_print (table);
    json_doc_free (doc);
  }
  table_free (table);
  return is_good;
}

int
command_providers (const struct command_globals *globals, int argc,
                   char **argv)
{
  bool is_json = false;
  const struct option_row rows[] = {
    { OPTION_FLAG, "json", 0, NULL, "print JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "providers",
    .usage = "[options]",
    .about = "Show the plugins that are installed.  \"herald describe NAME\" "
             "tells the settings of one.",
    .rows = rows,
    .notes = "exit codes: 0 all could be loaded, 1 some could not, 2 bad "
             "usage",
  };
  struct loader *loader;
  int n, status = EXIT_DONE;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  loader = loader_new (globals->plugin_directory);
  if (*loader_names (loader) == NULL)
    log_notice ("there is no plugin in %s", globals->plugin_directory);
  if (!providers_print (loader, is_json))
    status = EXIT_NOT_ALL;
  loader_free (loader);
  return status;
}
