/* describe.c - herald describe: what a provider can be configured with.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/json_doc.h"
#include "base/log.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "provider/loader.h"

static const struct {
  uint32_t flag;
  const char *name;
} describe_flags[] = {
  { HERALD_REQUIRED, "required" }, { HERALD_SECRET, "secret" },
  { HERALD_MANY, "many" }, { HERALD_ADVANCED, "advanced" },
  { HERALD_DEPRECATED, "deprecated" }, { HERALD_HOST_ONLY, "host only" },
  { HERALD_ORDER_KEY, "order key" }, { HERALD_FOLD_CASE, "case folded" },
}, describe_caps[] = {
  { HERALD_REPEATABLE, "repeatable" }, { HERALD_TEXT_VALUES, "text values" },
  { HERALD_TEMPLATES, "templates" },
  { HERALD_NUMBERED_TEMPLATES, "numbered templates" }, { HERALD_BCC, "bcc" },
  { HERALD_REPLY_TO, "reply-to" }, { HERALD_HEADERS, "headers" },
  { HERALD_ALIKE, "alike" }, { HERALD_FIXED_SENDER, "fixed sender" },
};

static const char *
describe_type (uint32_t type)
{
  static const char *const names[] = {
    [HERALD_TEXT] = "text", [HERALD_LONG_TEXT] = "long text",
    [HERALD_NUMBER] = "number", [HERALD_BOOL] = "true or false",
    [HERALD_CHOICE] = "choice", [HERALD_URL] = "URL",
    [HERALD_BASE_URL] = "base URL", [HERALD_EMAIL] = "e-mail address",
    [HERALD_DURATION] = "duration", [HERALD_HEADER] = "header",
    [HERALD_JSON] = "JSON object", [HERALD_SOURCE] = "source field",
    [HERALD_TARGET] = "target of a mapping row",
  };

  return type < HERALD_COUNT (names) && names[type] != NULL ? names[type]
                                                            : "unknown";
}

static struct json_doc *
describe_field_json (const struct herald_field *field)
{
  struct json_doc *row = json_doc_object ();
  struct json_doc *flags = json_doc_array ();

  json_doc_put (row, "name", json_doc_text (field->name));
  json_doc_put (row, "label", json_doc_text (field->label));
  json_doc_put (row, "type", json_doc_text (describe_type (field->type)));
  for (size_t i = 0; i < HERALD_COUNT (describe_flags); i++)
    if (field->flags & describe_flags[i].flag)
      json_doc_push (flags, json_doc_text (describe_flags[i].name));
  json_doc_put (row, "flags", flags);
  json_doc_put (row, "preset", json_doc_text (field->preset));
  json_doc_put (row, "help", json_doc_text (field->help));
  json_doc_put (row, "example", json_doc_text (field->example));
  if (field->choices != NULL) {
    struct json_doc *choices = json_doc_array ();

    for (const struct herald_choice *choice = field->choices;
         choice->value != NULL; choice++) {
      struct json_doc *one = json_doc_object ();

      json_doc_put (one, "value", json_doc_text (choice->value));
      json_doc_put (one, "label", json_doc_text (choice->label));
      json_doc_push (choices, one);
    }
    json_doc_put (row, "choices", choices);
  }
  if (field->min != 0 || field->max != 0)
    json_doc_put (row, "min", json_doc_number (field->min));
  if (field->max >= field->min && (field->min != 0 || field->max != 0))
    json_doc_put (row, "max", json_doc_number (field->max));
  json_doc_put (row, "when", json_doc_text (field->when));
  return row;
}

static void
describe_print_json (const struct provider *provider)
{
  const struct herald_plugin *plugin = &provider->plugin;
  struct json_doc *doc = json_doc_object ();
  struct json_doc *caps = json_doc_array (), *fields = json_doc_array ();

  json_doc_put (doc, "name", json_doc_text (provider->name));
  json_doc_put (doc, "label", json_doc_text (plugin->label));
  json_doc_put (doc, "summary", json_doc_text (plugin->summary));
  json_doc_put (doc, "category",
                json_doc_text (plugin->category == HERALD_MAILER
                                 ? "mailer" : "webhook"));
  json_doc_put (doc, "version", json_doc_text (plugin->version));
  json_doc_put (doc, "homepage", json_doc_text (plugin->homepage));
  for (size_t i = 0; i < HERALD_COUNT (describe_caps); i++)
    if (plugin->caps & describe_caps[i].flag)
      json_doc_push (caps, json_doc_text (describe_caps[i].name));
  json_doc_put (doc, "capabilities", caps);
  json_doc_put (doc, "maxBatch",
                json_doc_number (plugin->max_batch > 0 ? plugin->max_batch
                                                       : 1));
  json_doc_put (doc, "rate", json_doc_number (plugin->rate));
  json_doc_put (doc, "ratePerMs", json_doc_number (plugin->rate_ms));
  json_doc_put (doc, "canVerify", json_doc_bool (plugin->verify != NULL));
  for (size_t i = 0; i < provider->n_fields; i++)
    json_doc_push (fields, describe_field_json (&provider->fields[i]));
  json_doc_put (doc, "settings", fields);
  output_json (doc);
}

static void
describe_print_field (const struct herald_field *field)
{
  printf ("\n  %s - %s\n      %s", field->name, field->label,
          describe_type (field->type));
  for (size_t i = 0; i < HERALD_COUNT (describe_flags); i++)
    if (field->flags & describe_flags[i].flag)
      printf (", %s", describe_flags[i].name);
  if (field->max < field->min)
    printf (", at least %lld", (long long) field->min);
  else if (field->min != 0 || field->max != 0)
    printf (", %lld to %lld", (long long) field->min,
            (long long) field->max);
  if (field->preset != NULL)
    printf (", preset %s", field->preset);
  if (field->when != NULL)
    printf (strchr (field->when, '=') != NULL ? ", when %s"
                                              : ", when %s is given",
            field->when);
  printf ("\n");
  if (field->choices != NULL)
    for (const struct herald_choice *choice = field->choices;
         choice->value != NULL; choice++)
      printf ("        %-14s %s\n", choice->value, choice->label);
  if (field->help != NULL)
    printf ("      %s\n", field->help);
  if (field->example != NULL)
    printf ("      example: %s\n", field->example);
}

static void
describe_print (const struct provider *provider)
{
  const struct herald_plugin *plugin = &provider->plugin;

  printf ("%s - %s\n", provider->name, plugin->label);
  if (plugin->summary != NULL)
    printf ("%s\n", plugin->summary);
  printf ("\n%s, %s%s", plugin->category == HERALD_MAILER ? "mailer"
                                                          : "webhook",
          provider->path, plugin->version != NULL ? ", version " : "");
  printf ("%s\n", plugin->version != NULL ? plugin->version : "");
  if (plugin->homepage != NULL)
    printf ("%s\n", plugin->homepage);
  if (plugin->max_batch > 1)
    printf ("up to %u deliveries in a request\n", plugin->max_batch);
  if (plugin->rate > 0)
    printf ("at most %u requests in %u ms unless set otherwise\n",
            plugin->rate, plugin->rate_ms);
  printf ("\nsettings:\n");
  for (size_t i = 0; i < provider->n_fields; i++)
    describe_print_field (&provider->fields[i]);
}

int
command_describe (const struct command_globals *globals, int argc,
                  char **argv)
{
  bool is_json = false;
  const struct option_row rows[] = {
    { OPTION_FLAG, "json", 0, NULL, "print JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "describe",
    .usage = "[options] PROVIDER",
    .about = "Tell what a provider is, what it can do, and each of its "
             "settings, as the plugin itself declares them.",
    .rows = rows,
    .min_operands = 1,
    .max_operands = 1,
  };
  const struct provider *provider;
  struct loader *loader;
  char reason[500];
  int n, status = EXIT_DONE;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  loader = loader_new (globals->plugin_directory);
  provider = loader_find (loader, argv[0], reason, sizeof reason);
  if (provider == NULL) {
    log_error ("%s", reason);
    status = EXIT_CONFIG;
  } else if (is_json)
    describe_print_json (provider);
  else
    describe_print (provider);
  loader_free (loader);
  return status;
}
