/* careless.c - a plugin with one fault at a time, for test-plugin-test.sh.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "herald-plugin.h"

static const struct herald_choice careless_faults[] = {
  { "none", "None" },
  { "unquoted", "Values are not quoted" },
  { "item", "Values of a list are not quoted" },
  { "url", "The URL is not escaped" },
  { "twice", "Settles twice" },
  { "forgets", "Forgets a delivery" },
  { "undeclared", "Reads an undeclared setting" },
  { "endless", "Asks without end" },
  { NULL, NULL }
};

static const struct herald_field careless_settings[] = {
  { .name = "fault", .label = "Fault", .type = HERALD_CHOICE,
    .choices = careless_faults, .preset = "none" },
  { .name = "key", .label = "Key -- of -->", .type = HERALD_SOURCE,
    .flags = HERALD_ORDER_KEY }
};

static int
is_fault (struct herald_job *job, const char *name)
{
  return strcmp (herald->text (herald->settings (job), "fault"), name) == 0;
}

static int
careless_reply (void *instance, struct herald_job *job,
                const struct herald_reply *reply)
{
  (void) instance;
  if (is_fault (job, "forgets"))
    return 0;
  if (is_fault (job, "endless")) {
    herald->request (job, "GET", "https://api.example/more", careless_reply);
    return 0;
  }
  if (is_fault (job, "twice"))
    herald->rejected (job, herald->covered (reply, 0), "no");
  herald->delivered (job, herald->covered (reply, 0),
                     herald->json_text (reply, "id"));
  return 0;
}

static void
careless_write (struct herald_job *job, size_t i)
{
  struct herald_request *request;
  const char *name = herald->value (job, i, "name");

  if (is_fault (job, "url")) {
    request = herald->request (job, "GET",
                               herald->format ("https://api.example/%s",
                                               name), careless_reply);
    herald->covers (request, i);
    return;
  }
  request = herald->request (job, "POST", "https://api.example/events",
                             careless_reply);
  herald->covers (request, i);
  herald->header (request, "Job-Size",
                  herald->format ("%zu", herald->count (job)));
  if (is_fault (job, "undeclared"))
    herald->text (herald->settings (job), "nobody-declared-this");
  if (is_fault (job, "unquoted"))
    herald->append (request, "{\"people\":[{\"name\":\"%s\"}]}", name);
  else if (is_fault (job, "item"))
    herald->append (request, "{\"names\":[\"%s\"]}", name);
  else
    herald->append (request, "{\"name\":%s}", herald->quote (name));
}

static int
careless_build (void *instance, struct herald_job *job)
{
  (void) instance;
  for (size_t i = 0; i < herald->count (job); i++)
    careless_write (job, i);
  return 0;
}

static const struct herald_plugin careless = {
  .name = "careless",
  .label = "Careless",
  .category = HERALD_WEBHOOK,
  .max_batch = 10,
  .n_settings = HERALD_COUNT (careless_settings),
  .settings = careless_settings,
  .build = careless_build
};

HERALD_REGISTER (careless);
