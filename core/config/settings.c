/* settings.c - the values of one integration, checked against what its
 * plugin declares.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/settings.h"

#include <stdarg.h>
#include <string.h>

#include "base/redact.h"
#include "base/text.h"
#include "config/field_value.h"

/* All that is known of one declared field. */
struct slot {
  const struct herald_field *field;
  size_t n;                     /* values; after settings_new the effective
                                   ones, the preset among them */
  struct field_value *values;
  const struct setting *setting;        /* the first given, or NULL */
  const struct setting *missing;        /* one of the defaults that could not
                                   be fetched, or NULL */
  bool is_broken;               /* given, with an error */
  bool is_wanted;               /* .when holds */
};

/* What may change although the settings do not: what the plugin says. */
struct complaints {
  struct problems *problems;    /* NULL: sealed */
  size_t n;
  uint32_t batch_limit;
  uint32_t batch;               /* 0: not set */
  bool wants_whole;
};

struct herald_settings {
  struct settings_scope scope;
  struct arena *arena;
  size_t n_slots;
  struct slot *slots;
  size_t n_given, n_defaults;
  const struct setting *given, *defaults;
  struct complaints *complaints;
};

static void __attribute__ ((__format__ (__printf__, 5, 6)))
add_problem (const struct herald_settings *settings,
             enum problem_severity severity, const struct slot *slot,
             const struct setting *setting, const char *fmt, ...)
{
  const struct settings_scope *scope = &settings->scope;
  struct buf text = BUF_INIT (4096);
  va_list args;

  if (severity == PROBLEM_ERROR)
    settings->complaints->n++;
  if (settings->complaints->problems == NULL)
    return;
  va_start (args, fmt);
  if (slot != NULL)
    buf_printf (&text, "setting \"%s\" (%s) ", slot->field->name,
                slot->field->label != NULL ? slot->field->label
                                           : slot->field->name);
  buf_vprintf (&text, fmt, args);
  va_end (args);
  problems_add (settings->complaints->problems, severity,
                setting != NULL && setting->file != NULL ? setting->file
                                                         : scope->file,
                setting != NULL ? setting->line : scope->line,
                scope->integration, "%s", text.data);
  buf_done (&text);
}

static struct slot *
find_slot (const struct herald_settings *settings, const char *name,
           size_t len)
{
  for (size_t k = 0; k < settings->n_slots; k++)
    if (strncmp (settings->slots[k].field->name, name, len) == 0
        && settings->slots[k].field->name[len] == '\0')
      return &settings->slots[k];
  return NULL;
}

static void
complain_of_unknown (const struct herald_settings *settings,
                     const struct setting *setting)
{
  const char **names = arena_zeroed (settings->arena, settings->n_slots + 1,
                                     sizeof *names);
  struct buf hint = BUF_INIT (1024);
  const char *nearest;

  for (size_t k = 0; k < settings->n_slots; k++)
    names[k] = settings->slots[k].field->name;
  nearest = text_nearest (setting->name, names);
  if (nearest != NULL)
    buf_printf (&hint, "; did you mean \"%s\"?", nearest);
  else
    for (size_t k = 0; names[k] != NULL; k++)
      buf_printf (&hint, "%s%s", k == 0 ? "; known are " : ", ", names[k]);
  add_problem (settings, PROBLEM_ERROR, NULL, setting,
               "there is no setting \"%.64s\"%s", setting->name, hint.data);
  buf_done (&hint);
}

/* -1 after a complaint about where the value stands, or how often. */
static int
check_place (const struct herald_settings *settings, const struct slot *slot,
             const struct setting *setting, bool is_given)
{
  const struct herald_field *field = slot->field;
  bool is_private = setting->is_private
                    || (is_given && settings->scope.is_private_file);

  if (is_given && (field->flags & HERALD_HOST_ONLY) != 0) {
    add_problem (settings, PROBLEM_ERROR, slot, setting,
                 "is the host's: it may only stand in <defaults> of "
                 "herald.xml");
    return -1;
  }
  if ((field->flags & HERALD_SECRET) != 0 && setting->is_inline
      && !is_private) {
    add_problem (settings, PROBLEM_ERROR, slot, setting,
                 "is a secret in a file that others can read; write <setting "
                 "name=\"%s\" from=\"file\" path=\"...\"/>, or run: chmod "
                 "o-r %s", field->name,
                 setting->file != NULL ? setting->file
                                       : settings->scope.file);
    return -1;
  }
  if (slot->setting != NULL && (field->flags & HERALD_MANY) == 0) {
    add_problem (settings, PROBLEM_ERROR, slot, setting,
                 "is given already, in line %u; remove one",
                 slot->setting->line);
    return -1;
  }
  return 0;
}

static void
take_value (struct herald_settings *settings, struct slot *slot,
            const struct setting *setting, bool is_given)
{
  char reason[FIELD_VALUE_REASON];

  if (check_place (settings, slot, setting, is_given) < 0
      || setting->value == NULL) {
    slot->is_broken = true;
    if (setting->missing != NULL)
      slot->missing = setting;
  } else if (field_value_read (slot->field, setting->value,
                               &settings->scope, settings->arena,
                               &slot->values[slot->n], reason) < 0) {
    slot->is_broken = true;
    add_problem (settings, PROBLEM_ERROR, slot, setting, "%s", reason);
  } else {
    slot->n++;
  }
  if (slot->setting == NULL)
    slot->setting = setting;
}

/* fn is called with every secret of those given. */
static void
each_secret (const struct herald_settings *settings,
             const struct setting *given, size_t n,
             void (*fn) (const char *value, size_t len))
{
  for (size_t k = 0; k < n; k++) {
    const struct slot *slot = find_slot (settings, given[k].name,
                                         strlen (given[k].name));

    if (given[k].value != NULL && given[k].value[0] != '\0'
        && slot != NULL && (slot->field->flags & HERALD_SECRET) != 0)
      fn (given[k].value, strlen (given[k].value));
  }
}

/* is_given: from the descriptor, which goes before the host's defaults. */
static void
take_all (struct herald_settings *settings, const struct setting *given,
          size_t n, bool is_given)
{
  bool *was_given = arena_zeroed (settings->arena, settings->n_slots + 1,
                                  sizeof *was_given);

  for (size_t k = 0; k < settings->n_slots; k++)
    was_given[k] = settings->slots[k].setting != NULL;
  for (size_t k = 0; k < n; k++) {
    struct slot *slot = find_slot (settings, given[k].name,
                                   strlen (given[k].name));

    if (slot == NULL) {
      /* Without a name it has its problem already. */
      if (given[k].name[0] == '\0')
        settings->complaints->n++;
      else
        complain_of_unknown (settings, &given[k]);
      continue;
    }
    if (was_given[slot - settings->slots]
        || (given[k].value != NULL && given[k].value[0] == '\0'))
      continue;
    if (slot->values == NULL)
      slot->values = arena_zeroed (settings->arena, n + 1,
                                   sizeof *slot->values);
    take_value (settings, slot, &given[k], is_given);
    if (is_given && (slot->field->flags & HERALD_DEPRECATED) != 0)
      add_problem (settings, PROBLEM_WARNING, slot, &given[k],
                   "is deprecated; a later version will not know it%s%s",
                   slot->field->help != NULL ? ": " : "",
                   slot->field->help != NULL ? slot->field->help : "");
  }
}

static const char *
effective_text (const struct slot *slot)
{
  if (slot->n > 0)
    return slot->values[0].text;
  return slot->field->preset != NULL ? slot->field->preset : "";
}

/* "auth=bearer,basic", or "auth" for any value but an empty or false
 * one. */
static bool
when_holds (const struct herald_settings *settings, const char *when,
            const struct slot **ret_other)
{
  size_t name_len = strcspn (when, "=");
  const struct slot *other = find_slot (settings, when, name_len);
  const char *text, *at = when + name_len;

  *ret_other = other;
  if (other == NULL)
    return true;
  text = effective_text (other);
  if (*at == '\0')
    return text[0] != '\0' && strcmp (text, "false") != 0;
  while (*at != '\0') {
    size_t len = strcspn (at + 1, ",");

    if (strlen (text) == len && strncmp (text, at + 1, len) == 0)
      return true;
    at += 1 + len;
  }
  return false;
}

static void
complain_of_missing (const struct herald_settings *settings,
                     const struct slot *slot, const struct slot *because)
{
  const struct herald_field *field = slot->field;
  const char *example = field->example != NULL ? field->example : "...";
  struct buf why = BUF_INIT (512);

  if (because != NULL && (because->field->flags & HERALD_SECRET) == 0)
    buf_printf (&why, ", as \"%s\" is \"%s\"", because->field->name,
                effective_text (because));
  if ((field->flags & HERALD_SECRET) != 0)
    add_problem (settings, PROBLEM_ERROR, slot, NULL,
                 "is missing%s; add <setting name=\"%s\" from=\"file\" "
                 "path=\"...\"/> to <settings>", why.data, field->name);
  else if ((field->flags & HERALD_HOST_ONLY) != 0)
    add_problem (settings, PROBLEM_ERROR, slot, NULL,
                 "is missing%s; add <setting name=\"%s\">%s</setting> to "
                 "the provider's <defaults> in herald.xml", why.data,
                 field->name, example);
  else
    add_problem (settings, PROBLEM_ERROR, slot, NULL,
                 "is missing%s; add <setting name=\"%s\">%s</setting> to "
                 "<settings>", why.data, field->name, example);
  buf_done (&why);
}

/* Needs all values, so it comes after take_all. */
static void
check_when (struct herald_settings *settings)
{
  for (size_t k = 0; k < settings->n_slots; k++) {
    struct slot *slot = &settings->slots[k];
    const struct slot *other = NULL;

    slot->is_wanted = slot->field->when == NULL
                      || when_holds (settings, slot->field->when, &other);
    if (!slot->is_wanted && slot->setting != NULL)
      add_problem (settings, PROBLEM_WARNING, slot, slot->setting,
                   "is not used, as \"%s\" is not %s", other->field->name,
                   slot->field->when[strlen (other->field->name)] == '='
                     ? slot->field->when + strlen (other->field->name) + 1
                     : "set");
    if (slot->is_wanted && slot->setting == NULL
        && slot->field->preset == NULL
        && (slot->field->flags & HERALD_REQUIRED) != 0)
      complain_of_missing (settings, slot, other);
    /* Who does not use it does not miss it. */
    if (slot->is_wanted && slot->missing != NULL)
      add_problem (settings, PROBLEM_ERROR, slot, slot->missing,
                   "can't be had: %s", slot->missing->missing);
    else if (slot->missing != NULL)
      slot->is_broken = false;
  }
}

/* After this a slot's values are what the plugin reads. */
static void
settle_values (struct herald_settings *settings)
{
  for (size_t k = 0; k < settings->n_slots; k++) {
    struct slot *slot = &settings->slots[k];
    const char *preset = slot->field->preset;
    char reason[FIELD_VALUE_REASON];
    struct field_value value;

    if (!slot->is_wanted)
      slot->n = 0;
    if (slot->n > 0 || slot->is_broken || preset == NULL
        || preset[0] == '\0')
      continue;
    if (field_value_read (slot->field, preset, &settings->scope,
                          settings->arena, &value, reason) < 0) {
      if (!slot->is_wanted)
        continue;
      add_problem (settings, PROBLEM_ERROR, slot, NULL,
                   "is not given, and its preset %s", reason);
      continue;
    }
    slot->values = arena_zeroed (settings->arena, 1, sizeof *slot->values);
    slot->values[0] = value;
    slot->n = 1;
  }
}

struct herald_settings *
settings_new (struct arena *arena, const struct settings_scope *scope,
              const struct herald_field *fields, size_t n_fields,
              const struct setting *given, size_t n_given,
              const struct setting *defaults, size_t n_defaults,
              struct problems *problems)
{
  struct herald_settings *settings = arena_zeroed (arena, 1,
                                                   sizeof *settings);

  settings->scope = *scope;
  settings->arena = arena;
  settings->complaints = arena_zeroed (arena, 1,
                                       sizeof *settings->complaints);
  settings->complaints->problems = problems;
  settings->n_slots = n_fields;
  settings->slots = arena_zeroed (arena, n_fields + 1,
                                  sizeof *settings->slots);
  for (size_t k = 0; k < n_fields; k++)
    settings->slots[k].field = &fields[k];
  settings->given = given;
  settings->n_given = n_given;
  settings->defaults = defaults;
  settings->n_defaults = n_defaults;
  /* Whatever is said of it later, a secret is masked from here on. */
  each_secret (settings, given, n_given, redact_secret);
  each_secret (settings, defaults, n_defaults, redact_secret);
  take_all (settings, given, n_given, true);
  take_all (settings, defaults, n_defaults, false);
  check_when (settings);
  settle_values (settings);
  for (size_t k = 0; k < n_fields; k++)
    if (settings->slots[k].is_broken)
      return NULL;
  return settings->complaints->n > 0 ? NULL : settings;
}

void
settings_forget (const struct herald_settings *settings)
{
  if (settings == NULL)
    return;
  each_secret (settings, settings->given, settings->n_given, redact_drop);
  each_secret (settings, settings->defaults, settings->n_defaults,
               redact_drop);
}

const char *
settings_text_at (const struct herald_settings *settings, const char *name,
                  size_t k)
{
  const struct slot *slot = find_slot (settings, name, strlen (name));

  return slot != NULL && k < slot->n ? slot->values[k].text : NULL;
}

const char *
settings_text (const struct herald_settings *settings, const char *name)
{
  return settings_text_at (settings, name, 0);
}

int64_t
settings_number (const struct herald_settings *settings, const char *name)
{
  const struct slot *slot = find_slot (settings, name, strlen (name));

  return slot != NULL && slot->n > 0 ? slot->values[0].number : 0;
}

bool
settings_maps (const struct herald_settings *settings, const char *target)
{
  return settings->scope.mapping != NULL
         && mapping_has (settings->scope.mapping, target);
}

bool
settings_knows (const struct herald_settings *settings, const char *name)
{
  return find_slot (settings, name, strlen (name)) != NULL;
}

void
settings_complain (const struct herald_settings *settings,
                   enum problem_severity severity, const char *name,
                   const char *text)
{
  const struct slot *slot = NULL;

  if (name != NULL)
    slot = find_slot (settings, name, strlen (name));
  if (slot != NULL)
    add_problem (settings, severity, slot, slot->setting, "%s", text);
  else if (name != NULL)
    add_problem (settings, severity, NULL, NULL, "mapping row \"%.64s\": %s",
                 name, text);
  else
    add_problem (settings, severity, NULL, NULL, "%s", text);
}

size_t
settings_complaints (const struct herald_settings *settings)
{
  return settings->complaints->n;
}

void
settings_seal (struct herald_settings *settings)
{
  settings->complaints->problems = NULL;
}

void
settings_limit_batch (const struct herald_settings *settings, uint32_t most)
{
  uint32_t *limit = &settings->complaints->batch_limit;

  if (most > 0 && (*limit == 0 || most < *limit))
    *limit = most;
}

uint32_t
settings_batch_limit (const struct herald_settings *settings)
{
  return settings->complaints->batch_limit;
}

void
settings_set_batch (struct herald_settings *settings, uint32_t most)
{
  settings->complaints->batch = most;
}

uint32_t
settings_batch (const struct herald_settings *settings)
{
  return settings->complaints->batch > 0 ? settings->complaints->batch : 1;
}

const struct herald_mail *
settings_mail (const struct herald_settings *settings)
{
  return settings->scope.mail;
}

void
settings_want_whole (const struct herald_settings *settings)
{
  settings->complaints->wants_whole = true;
}

bool
settings_wants_whole (const struct herald_settings *settings)
{
  return settings->complaints->wants_whole;
}

const struct herald_field *
settings_order_key (const struct herald_settings *settings)
{
  for (size_t k = 0; k < settings->n_slots; k++) {
    const struct slot *slot = &settings->slots[k];

    if ((slot->field->flags & HERALD_ORDER_KEY) != 0 && slot->is_wanted
        && slot->n > 0)
      return slot->field;
  }
  return NULL;
}

void
settings_add_canonical (const struct herald_settings *settings,
                        struct buf *out)
{
  for (size_t k = 0; k < settings->n_slots; k++) {
    const struct slot *slot = &settings->slots[k];

    buf_printf (out, "%s %zu\n", slot->field->name, slot->n);
    for (size_t i = 0; i < slot->n; i++)
      buf_printf (out, "%zu:%s\n", strlen (slot->values[i].text),
                  slot->values[i].text);
  }
}
