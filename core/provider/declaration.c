/* declaration.c - what a plugin says of itself, checked.
 *
 * SPDX-License-Identifier: MIT
 */

#include "declaration.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/number.h"
#include "base/text.h"
#include "config/descriptor.h"
#include "config/settings.h"

enum {
  ALL_FLAGS = (HERALD_FOLD_CASE << 1) - 1,
  ALL_CAPS = (HERALD_FIXED_SENDER << 1) - 1,
  MAIL_CAPS = HERALD_TEMPLATES | HERALD_NUMBERED_TEMPLATES | HERALD_BCC
              | HERALD_REPLY_TO | HERALD_HEADERS | HERALD_ALIKE
              | HERALD_FIXED_SENDER
};

/* Where the sentence goes. */
struct complaint {
  char *text;
  size_t size;
};

static int refuse (const struct complaint *complaint, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 2, 3)));

static int
refuse (const struct complaint *complaint, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  vsnprintf (complaint->text, complaint->size, fmt, args);
  va_end (args);
  return -1;
}

static bool
is_shown (const char *text)
{
  return text != NULL && *text != '\0' && text_is_utf8 (text, strlen (text))
         && text_is_one_line (text, strlen (text));
}

static int
check_identity (const struct herald_plugin *plugin, const char *name,
                const struct complaint *complaint)
{
  if (plugin->name == NULL || !descriptor_is_name (plugin->name))
    return refuse (complaint,
                   "its .name is not of the form [a-z][a-z0-9-]*");
  if (strcmp (plugin->name, name) != 0)
    return refuse (complaint,
                   "it calls itself \"%s\": its file must be named %s.so",
                   plugin->name, plugin->name);
  if (!is_shown (plugin->label))
    return refuse (complaint, "it has no .label");
  if (plugin->summary != NULL && !is_shown (plugin->summary))
    return refuse (complaint, "its .summary is not one line of text");
  if (plugin->version != NULL && !is_shown (plugin->version))
    return refuse (complaint, "its .version is not one line of text");
  if (plugin->category != HERALD_WEBHOOK
      && plugin->category != HERALD_MAILER)
    return refuse (complaint, "its .category is neither HERALD_WEBHOOK nor"
                              " HERALD_MAILER");
  return 0;
}

static int
check_abilities (const struct herald_plugin *plugin,
                 const struct complaint *complaint)
{
  uint32_t max_batch = plugin->max_batch == 0 ? 1 : plugin->max_batch;

  if (plugin->build == NULL)
    return refuse (complaint, "it has no .build");
  if ((plugin->caps & ~(uint32_t) ALL_CAPS) != 0)
    return refuse (complaint, "its .caps has bits without meaning (0x%x)",
                   plugin->caps & ~(uint32_t) ALL_CAPS);
  if (plugin->category == HERALD_WEBHOOK
      && (plugin->caps & (uint32_t) MAIL_CAPS) != 0)
    return refuse (complaint,
                   "it is a webhook, but its .caps speaks of mail");
  if ((plugin->caps & HERALD_NUMBERED_TEMPLATES) != 0
      && (plugin->caps & HERALD_TEMPLATES) == 0)
    return refuse (complaint, "its .caps has HERALD_NUMBERED_TEMPLATES"
                              " without HERALD_TEMPLATES");
  if (max_batch > DESCRIPTOR_MAX_BATCH)
    return refuse (complaint, "its .max_batch is %u: at most %d",
                   max_batch, DESCRIPTOR_MAX_BATCH);
  if (plugin->batch > max_batch)
    return refuse (complaint, "its .batch is %u, above its .max_batch of %u",
                   plugin->batch, max_batch);
  if ((plugin->rate == 0) != (plugin->rate_ms == 0))
    return refuse (complaint, "one of its .rate and .rate_ms is 0");
  if (plugin->n_settings > DECLARATION_MAX_SETTINGS)
    return refuse (complaint, "it declares %u settings: at most %d",
                   plugin->n_settings, DECLARATION_MAX_SETTINGS);
  if (plugin->n_settings > 0 && plugin->settings == NULL)
    return refuse (complaint, "its .settings is NULL");
  return 0;
}

static bool
has_choice (const struct herald_field *field, const char *value, size_t len)
{
  const struct herald_choice *choice;

  for (choice = field->choices; choice->value != NULL; choice++)
    if (strlen (choice->value) == len
        && memcmp (choice->value, value, len) == 0)
      return true;
  return false;
}

static int
check_choices (const struct herald_field *field,
               const struct complaint *complaint)
{
  size_t n, i;

  if (field->type != HERALD_CHOICE)
    return field->choices == NULL ? 0
           : refuse (complaint, "setting \"%s\" has .choices, but is no"
                                " HERALD_CHOICE", field->name);
  if (field->choices == NULL || field->choices[0].value == NULL)
    return refuse (complaint, "setting \"%s\" is a HERALD_CHOICE without"
                              " .choices", field->name);
  for (n = 0; field->choices[n].value != NULL; n++) {
    const char *value = field->choices[n].value;

    if (n == DECLARATION_MAX_SETTINGS)
      return refuse (complaint, "the .choices of setting \"%s\" do not end"
                                " with { NULL, NULL }", field->name);
    if (!is_shown (value) || !is_shown (field->choices[n].label))
      return refuse (complaint, "choice %zu of setting \"%s\" has no value"
                                " or no label", n + 1, field->name);
    for (i = 0; i < n; i++)
      if (strcmp (field->choices[i].value, value) == 0)
        return refuse (complaint, "setting \"%s\" has the choice \"%s\""
                                  " twice", field->name, value);
  }
  return 0;
}

static int
check_flags (const struct herald_field *field,
             const struct complaint *complaint)
{
  uint32_t flags = field->flags;

  if ((flags & ~(uint32_t) ALL_FLAGS) != 0)
    return refuse (complaint, "setting \"%s\" has flags without meaning"
                              " (0x%x)", field->name,
                   flags & ~(uint32_t) ALL_FLAGS);
  if ((flags & HERALD_ORDER_KEY) != 0 && field->type != HERALD_SOURCE
      && field->type != HERALD_TARGET)
    return refuse (complaint, "setting \"%s\" is a HERALD_ORDER_KEY, but no"
                              " HERALD_SOURCE or HERALD_TARGET",
                   field->name);
  if ((flags & HERALD_FOLD_CASE) != 0 && (flags & HERALD_ORDER_KEY) == 0)
    return refuse (complaint, "setting \"%s\" has HERALD_FOLD_CASE without"
                              " HERALD_ORDER_KEY", field->name);
  if ((flags & HERALD_SECRET) != 0 && field->preset != NULL)
    return refuse (complaint, "setting \"%s\" is a secret with a .preset",
                   field->name);
  if (field->max != 0 && field->min > field->max)
    return refuse (complaint, "setting \"%s\" has a .min above its .max",
                   field->name);
  return 0;
}

static int
check_field (const struct herald_plugin *plugin, size_t k,
             const struct complaint *complaint)
{
  const struct herald_field *field = &plugin->settings[k];
  size_t i;

  if (field->name == NULL || !descriptor_is_name (field->name))
    return refuse (complaint, "the name of its setting %zu (\"%s\") is not"
                              " of the form [a-z][a-z0-9-]*", k + 1,
                   field->name == NULL ? "" : field->name);
  for (i = 0; i < k; i++)
    if (strcmp (plugin->settings[i].name, field->name) == 0)
      return refuse (complaint, "it declares setting \"%s\" twice",
                     field->name);
  if (!is_shown (field->label))
    return refuse (complaint, "setting \"%s\" has no .label", field->name);
  if (field->type < HERALD_TEXT || field->type > HERALD_TARGET)
    return refuse (complaint, "setting \"%s\" has no known .type",
                   field->name);
  if (check_flags (field, complaint) == -1)
    return -1;
  return check_choices (field, complaint);
}

/* "auth=bearer,basic": a declared setting, and values that it can have;
 * "login": any value. */
static int
check_when (const struct herald_plugin *plugin,
            const struct herald_field *field,
            const struct complaint *complaint)
{
  const struct herald_field *other = NULL;
  const char *value;
  size_t name_len, len, k;

  if (field->when == NULL)
    return 0;
  name_len = strcspn (field->when, "=");
  for (k = 0; k < plugin->n_settings; k++)
    if (strlen (plugin->settings[k].name) == name_len
        && memcmp (plugin->settings[k].name, field->when, name_len) == 0)
      other = &plugin->settings[k];
  if (other == NULL || other == field)
    return refuse (complaint, "the .when of setting \"%s\" names \"%.*s\","
                              " which is no other setting", field->name,
                   (int) name_len, field->when);
  if (field->when[name_len] == '\0')
    return 0;
  for (value = field->when + name_len + 1;; value += len + 1) {
    len = strcspn (value, ",");
    if (other->type == HERALD_CHOICE && !has_choice (other, value, len))
      return refuse (complaint, "the .when of setting \"%s\" asks for"
                                " %s=%.*s, which is none of its choices",
                     field->name, other->name, (int) len, value);
    if (value[len] == '\0')
      return 0;
  }
}

/* A preset must pass the check that a value passes.  What stands in
 * <map> is not known here, so a HERALD_TARGET's is not looked at. */
static int
check_preset (const struct herald_field *field,
              const struct catalogue *catalogue,
              const struct complaint *complaint)
{
  struct herald_field alone = *field;
  struct setting value = { .name = field->name, .value = field->preset,
                           .file = "" };
  struct arena *arena;
  struct problems *problems;
  struct settings_scope scope = { 0 };
  int status = 0;

  if (field->preset == NULL || field->type == HERALD_TARGET)
    return 0;
  if (field->type == HERALD_CHOICE)
    return has_choice (field, field->preset, strlen (field->preset)) ? 0
           : refuse (complaint, "the .preset of setting \"%s\" is none of"
                                " its choices", field->name);
  alone.when = NULL;
  alone.flags &= ~(uint32_t) (HERALD_REQUIRED | HERALD_DEPRECATED);
  arena = arena_new (0);
  problems = problems_new ();
  scope.integration = scope.file = "";
  scope.catalogue = catalogue;
  scope.mapping = mapping_new (arena, false);
  scope.allow_http = scope.is_private_file = true;
  settings_new (arena, &scope, &alone, 1, NULL, 0, &value, 1, problems);
  if (problems_errors (problems) > 0)
    status = refuse (complaint, "the .preset of setting \"%s\" is no value"
                                " of it: %s", field->name,
                     problems_at (problems, 0)->text);
  problems_free (problems);
  arena_free (arena);
  return status;
}

int
declaration_check (const struct herald_plugin *plugin, const char *name,
                   char *ret_reason, size_t size)
{
  struct complaint complaint = { ret_reason, size };
  struct catalogue *catalogue;
  int status = 0;
  size_t k;

  if (check_identity (plugin, name, &complaint) == -1
      || check_abilities (plugin, &complaint) == -1)
    return -1;
  for (k = 0; k < plugin->n_settings; k++)
    if (check_field (plugin, k, &complaint) == -1)
      return -1;

  catalogue = catalogue_new ();
  for (k = 0; status == 0 && k < plugin->n_settings; k++) {
    const struct herald_field *field = &plugin->settings[k];

    status = check_when (plugin, field, &complaint);
    if (status == 0)
      status = check_preset (field, catalogue, &complaint);
  }
  catalogue_free (catalogue);
  return status;
}
