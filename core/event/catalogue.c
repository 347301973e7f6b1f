/* catalogue.c - the source fields an event may have.
 *
 * SPDX-License-Identifier: MIT
 */

#include "catalogue.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/text.h"

enum { CATALOGUE_MAX_KEY = 64 };

static const struct catalogue_field catalogue_built_in[] = {
  { "address", "Postal Address" },
  { "appId", "App ID" },
  { "appReference", "App Reference" },
  { "code", "Code" },
  { "companyName", "Company Name" },
  { "connectionCountry", "Connection Country" },
  { "country", "Country" },
  { "countryCode", "Country Code" },
  { "customCheckbox", "Custom Checkbox" },
  { "customFormat", "Custom Format" },
  { "customText", "Custom Text Field" },
  { "date", "Date" },
  { "dob", "Date of Birth" },
  { "dateWithTimezone", "Date With Timezone" },
  { "email", "Email" },
  { "firstName", "First Name" },
  { "gender", "Gender" },
  { "id", "ID" },
  { "idunic", "Idunic" },
  { "ipAddress", "IP Address" },
  { "lastName", "Last Name" },
  { "levelsPlayed", "Levels Played" },
  { "locale", "Locale" },
  { "optinNewsletter", "Newsletter Opt-In" },
  { "phoneNumber", "Phone Number" },
  { "played", "Played" },
  { "cp", "Postal Code" },
  { "profil", "Profile" },
  { "profilUid", "Profile UID" },
  { "prizeRef", "Prize Ref" },
  { "prizeTitle", "Prize Title" },
  { "prizeUid", "Prize UID" },
  { "referral", "Referral" },
  { "score", "Score" },
  { "selectValue", "Select Value" },
  { "selectValue2", "Select Value 2" },
  { "sessionId", "Session ID" },
  { "timeTaken", "Time Taken" },
  { "town", "City" },
  { "updatedAt", "Updated At" },
  { "updatedAtTimeStamp", "Updated At Timestamp" },
  { "username", "Username" },
  { "website", "Website Address" },
};

enum {
  CATALOGUE_N_BUILT_IN = sizeof catalogue_built_in
                         / sizeof catalogue_built_in[0]
};

/* Fields lie in the arena, so a pointer to one outlives later additions. */
struct catalogue {
  struct arena *arena;
  const struct catalogue_field **fields;
  size_t n;
  size_t size;
};

static void
catalogue_append (struct catalogue *catalogue,
                  const struct catalogue_field *field)
{
  if (catalogue->n == catalogue->size) {
    catalogue->size = catalogue->size == 0 ? 64 : 2 * catalogue->size;
    catalogue->fields = memory_resize (catalogue->fields, catalogue->size,
                                       sizeof *catalogue->fields);
  }
  catalogue->fields[catalogue->n++] = field;
}

struct catalogue *
catalogue_new (void)
{
  struct catalogue *catalogue = memory_zeroed (1, sizeof *catalogue);

  catalogue->arena = arena_new (0);
  for (size_t i = 0; i < CATALOGUE_N_BUILT_IN; i++)
    catalogue_append (catalogue, &catalogue_built_in[i]);
  return catalogue;
}

void
catalogue_free (struct catalogue *catalogue)
{
  if (catalogue == NULL)
    return;
  arena_free (catalogue->arena);
  free (catalogue->fields);
  free (catalogue);
}

static bool
catalogue_is_letter (char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
catalogue_is_digit (char c)
{
  return c >= '0' && c <= '9';
}

static bool
catalogue_is_key (const char *key)
{
  size_t len = strlen (key);

  if (len > CATALOGUE_MAX_KEY || !catalogue_is_letter (key[0]))
    return false;
  for (size_t i = 1; i < len; i++)
    if (!catalogue_is_letter (key[i]) && !catalogue_is_digit (key[i])
        && key[i] != '_')
      return false;
  return true;
}

int
catalogue_add (struct catalogue *catalogue, const char *key,
               const char *label)
{
  struct catalogue_field *field;

  if (!catalogue_is_key (key)
      || catalogue_find (catalogue, key, strlen (key)) != NULL)
    return -1;
  field = arena_zeroed (catalogue->arena, 1, sizeof *field);
  field->key = arena_strdup (catalogue->arena, key);
  field->label = label != NULL && label[0] != '\0'
                   ? arena_strdup (catalogue->arena, label)
                   : field->key;
  catalogue_append (catalogue, field);
  return 0;
}

const struct catalogue_field *
catalogue_find (const struct catalogue *catalogue, const char *key,
                size_t len)
{
  for (size_t i = 0; i < catalogue->n; i++) {
    const char *name = catalogue->fields[i]->key;

    if (strlen (name) == len && memcmp (name, key, len) == 0)
      return catalogue->fields[i];
  }
  return NULL;
}

static char
catalogue_next_letter (const char **text)
{
  for (; **text != '\0'; (*text)++)
    if (catalogue_is_letter (**text) || catalogue_is_digit (**text)) {
      char c = *(*text)++;

      return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
    }
  return '\0';
}

/* Equal but for case and whatever separates words: first_name is
 * firstName is "First Name". */
static bool
catalogue_sounds_alike (const char *a, const char *b)
{
  for (;;) {
    char x = catalogue_next_letter (&a);
    char y = catalogue_next_letter (&b);

    if (x != y)
      return false;
    if (x == '\0')
      return true;
  }
}

const char *
catalogue_nearest (const struct catalogue *catalogue, const char *key)
{
  const char **names;
  const char *nearest;
  const char *empty = key;

  if (catalogue_next_letter (&empty) == '\0')
    return NULL;
  for (size_t i = 0; i < catalogue->n; i++)
    if (catalogue_sounds_alike (key, catalogue->fields[i]->key)
        || catalogue_sounds_alike (key, catalogue->fields[i]->label))
      return catalogue->fields[i]->key;

  names = memory_zeroed (catalogue->n + 1, sizeof *names);
  for (size_t i = 0; i < catalogue->n; i++)
    names[i] = catalogue->fields[i]->key;
  nearest = text_nearest (key, names);
  if (nearest == NULL) {
    for (size_t i = 0; i < catalogue->n; i++)
      names[i] = catalogue->fields[i]->label;
    nearest = text_nearest (key, names);
    for (size_t i = 0; nearest != NULL && i < catalogue->n; i++)
      if (nearest == names[i]) {
        nearest = catalogue->fields[i]->key;
        break;
      }
  }
  free (names);
  return nearest;
}

size_t
catalogue_count (const struct catalogue *catalogue)
{
  return catalogue->n;
}

const struct catalogue_field *
catalogue_at (const struct catalogue *catalogue, size_t k)
{
  return k < catalogue->n ? catalogue->fields[k] : NULL;
}
