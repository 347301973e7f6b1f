/* older.c - a plugin whose header knew less of a setting, for test-loader.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

struct older_field {            /* a herald_field to .choices */
  const char *name;
  const char *label;
  uint32_t type;
  uint32_t flags;
  const char *preset;
  const char *help;
  const char *example;
  const struct herald_choice *choices;
};

static const struct older_field older_settings[] = {
  { .name = "first", .label = "First", .type = HERALD_TEXT },
  { .name = "second", .label = "Second", .type = HERALD_TEXT },
  { .name = "third", .label = "Third", .type = HERALD_NUMBER,
    .preset = "7" }
};

static int
older_build (void *instance, struct herald_job *job)
{
  (void) instance;
  (void) job;
  return -1;
}

static struct herald_plugin older = {
  .name = "older",
  .label = "Older",
  .category = HERALD_WEBHOOK,
  .n_settings = HERALD_COUNT (older_settings),
  .build = older_build
};

HERALD_EXPORT extern const struct herald_abi herald_plugin_abi;
HERALD_EXPORT const struct herald_plugin *
herald_plugin_init (const struct herald_host *host);

const struct herald_abi herald_plugin_abi = {
  HERALD_ABI_MAJOR, 0, sizeof (struct herald_plugin),
  sizeof (struct older_field), 0
};

const struct herald_plugin *
herald_plugin_init (const struct herald_host *host)
{
  (void) host;
  older.settings = (const struct herald_field *) (const void *)
                   older_settings;
  return &older;
}
