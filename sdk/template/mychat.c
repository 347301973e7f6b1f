/* mychat.c - tells a chat room about each event.
 *
 * A starting point: copy this directory, rename what says mychat, and see
 * herald-plugin(3).
 *
 * SPDX-License-Identifier: MIT
 */

#include <herald-plugin.h>

static const struct herald_field mychat_settings[] = {
  { .name = "endpoint", .label = "API Endpoint", .type = HERALD_BASE_URL,
    .flags = HERALD_REQUIRED, .example = "https://chat.example/api",
    .help = "Where the chat's API is." },
  { .name = "room", .label = "Room", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED, .max = 80, .example = "winners" },
  { .name = "token", .label = "Access Token", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET }
};

/* What quote () wraps and url_escape () escapes can't break out, whatever
 * a participant typed; record () is JSON already.
 */
static int
mychat_build (void *instance, struct herald_job *job)
{
  const struct herald_settings *settings = herald->settings (job);
  struct herald_request *request;
  const char *url;
  size_t i;

  (void) instance;
  url = herald->format ("%s/rooms/%s/messages",
                        herald->text (settings, "endpoint"),
                        herald->url_escape (herald->text (settings, "room")));
  for (i = 0; i < herald->count (job); i++) {
    request = herald->request (job, "POST", url, NULL);
    herald->covers (request, i);
    herald->bearer_auth (request, herald->text (settings, "token"));
    herald->header (request, "Idempotency-Key",
                    herald->delivery (job, i)->id);
    herald->append (request, "{\"text\":%s,\"event\":%s}",
                    herald->quote (herald->value (job, i, "text")),
                    herald->record (job, i));
  }
  return 0;
}

/* Proves endpoint and token without writing to the room. */
static int
mychat_verify (void *instance, struct herald_job *job)
{
  const struct herald_settings *settings = herald->settings (job);
  struct herald_request *request;

  (void) instance;
  request = herald->request (job, "GET",
                             herald->format ("%s/me",
                                             herald->text (settings,
                                                           "endpoint")),
                             NULL);
  herald->bearer_auth (request, herald->text (settings, "token"));
  return 0;
}

static const struct herald_plugin mychat = {
  .name = "mychat",
  .label = "My Chat",
  .summary = "Tells a chat room about each event",
  .version = "1.0",
  .homepage = "https://chat.example",
  .category = HERALD_WEBHOOK,
  .caps = HERALD_REPEATABLE,
  .n_settings = HERALD_COUNT (mychat_settings),
  .settings = mychat_settings,
  .build = mychat_build,
  .verify = mychat_verify
};

HERALD_REGISTER (mychat);
