/* unsteady.c - a plugin that crashes where no delivery is in its hands.
 *
 * The setting "where" is open, token or verify; the file that "unless"
 * names, if it is there, makes it well.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "herald-plugin.h"

static const struct herald_field unsteady_settings[] = {
  { .name = "endpoint", .label = "Endpoint", .type = HERALD_URL,
    .flags = HERALD_REQUIRED },
  { .name = "where", .label = "Where", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED },
  { .name = "unless", .label = "Unless", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED }
};

static void
unsteady_crash (const struct herald_settings *settings, const char *where)
{
  if (strcmp (herald->text (settings, "where"), where) == 0
      && access (herald->text (settings, "unless"), F_OK) != 0)
    abort ();
}

static int
unsteady_open (const struct herald_settings *settings, void **instance)
{
  *instance = NULL;
  unsteady_crash (settings, "open");
  return 0;
}

static int
unsteady_token (void *instance, struct herald_job *job)
{
  (void) instance;
  unsteady_crash (herald->settings (job), "token");
  herald->token (job, "a-token-for-all", NULL, 0);
  return 0;
}

static int
unsteady_build (void *instance, struct herald_job *job)
{
  (void) instance;
  herald->append (herald->request (job, "POST",
                                   herald->text (herald->settings (job),
                                                 "endpoint"), NULL),
                  "%s", herald->record (job, 0));
  return 0;
}

static const struct herald_plugin unsteady = {
  .name = "unsteady",
  .label = "Unsteady",
  .category = HERALD_WEBHOOK,
  .max_batch = 1,
  .n_settings = HERALD_COUNT (unsteady_settings),
  .settings = unsteady_settings,
  .open = unsteady_open,
  .token = unsteady_token,
  .build = unsteady_build
};

HERALD_REGISTER (unsteady);
