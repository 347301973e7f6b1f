/* good.c - a plugin as small as can be, for test-loader.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

static const struct herald_field good_settings[] = {
  { .name = "endpoint", .label = "Endpoint", .type = HERALD_URL,
    .flags = HERALD_REQUIRED },
  { .name = "level", .label = "Level", .type = HERALD_NUMBER,
    .preset = "3", .min = 1, .max = 9 }
};

static int
good_build (void *instance, struct herald_job *job)
{
  const struct herald_settings *settings = herald->settings (job);

  (void) instance;
  herald->request (job, "POST", herald->text (settings, "endpoint"), NULL);
  return 0;
}

static const struct herald_plugin good = {
  .name = "good",
  .label = "Good",
  .category = HERALD_WEBHOOK,
  .n_settings = HERALD_COUNT (good_settings),
  .settings = good_settings,
  .build = good_build
};

HERALD_REGISTER (good);
