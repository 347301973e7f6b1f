/* custom-api.c - records as JSON to any HTTP endpoint.
 *
 * herald-custom-api(7) tells operators and endpoints what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <stdbool.h>

#include "auth.h"
#include "signature.h"
#include "success.h"

struct custom_api {
  const char *endpoint, *method;
  struct auth auth;
  struct signature signature;
  struct success success;
  bool is_array;                        /* the body, of every request */
};

static const struct herald_choice custom_api_methods[] = {
  { "POST", "POST" }, { "PUT", "PUT" }, { "PATCH", "PATCH" }, { NULL, NULL }
};

enum { CUSTOM_API_HEAD, CUSTOM_API_GET, CUSTOM_API_OPTIONS,
       CUSTOM_API_PING };

static const struct herald_choice custom_api_probes[] = {
  { "head", "HEAD" }, { "get", "GET" }, { "options", "OPTIONS" },
  { "ping", "Ping" }, { NULL, NULL }
};

static const struct herald_field custom_api_settings[] = {
  { .name = "endpoint", .label = "API Endpoint", .type = HERALD_URL,
    .flags = HERALD_REQUIRED,
    .help = "Where records are sent to, with https.",
    .example = "https://api.example.com/players" },
  { .name = "method", .label = "HTTP Method", .type = HERALD_CHOICE,
    .choices = custom_api_methods, .preset = "POST" },
  { .name = "auth", .label = "API Key Type", .type = HERALD_CHOICE,
    .choices = auth_choices, .preset = "none",
    .help = "How the endpoint recognises herald. API Key is the header "
            "X-API-KEY." },
  { .name = "header-name", .label = "Custom Header Name",
    .type = HERALD_TEXT, .flags = HERALD_REQUIRED, .min = 1, .max = 100,
    .help = "The header that carries the API key.",
    .example = "X-Access-Key", .when = "auth=header" },
  { .name = "api-key", .label = "API Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET,
    .help = "The key or token; of Basic Authentication "
            "username:password.",
    .when = "auth=api-key,bearer,basic,header" },
  { .name = "header", .label = "Extra Header", .type = HERALD_HEADER,
    .flags = HERALD_MANY | HERALD_ADVANCED,
    .help = "Sent with every request. Not for secrets.",
    .example = "X-Tenant: acme" },
  { .name = "signing-secret", .label = "Signing Secret",
    .type = HERALD_TEXT,
    .flags = HERALD_SECRET | HERALD_MANY | HERALD_ADVANCED,
    .help = "Signs requests as Standard Webhooks says: whsec_ and 24 to 64 "
            "bytes in base64. Give the old and the new one while you change "
            "it." },
  { .name = "success", .label = "Success Statuses", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .preset = "200-299",
    .help = "The HTTP statuses that mean delivered.",
    .example = "200-204, 409" },
  { .name = "order-key", .label = "Order By", .type = HERALD_SOURCE,
    .flags = HERALD_ADVANCED | HERALD_ORDER_KEY,
    .help = "Events with the same value of this source field arrive one "
            "after the other.",
    .example = "email" },
  { .name = "verify-with", .label = "Verify With", .type = HERALD_CHOICE,
    .flags = HERALD_ADVANCED, .choices = custom_api_probes,
    .preset = "head",
    .help = "The request that tries the credentials. Ping is the HTTP "
            "Method with an empty body and the header Herald-Verify." }
};

static int
custom_api_open (const struct herald_settings *settings, void **instance)
{
  struct custom_api *api = herald->alloc (sizeof *api);

  api->endpoint = herald->text (settings, "endpoint");
  api->method = herald->text (settings, "method");
  api->is_array = herald->batch (settings) > 1;
  auth_read (&api->auth, settings);
  signature_read (&api->signature, settings);
  success_read (&api->success, settings);
  *instance = api;
  return 0;
}

/* Requests. */

/* What every request has.  herald's own headers come last: the later of a
 * name replaces the earlier. */
static struct herald_request *
custom_api_request (const struct custom_api *api, struct herald_job *job,
                    const char *method, herald_reply_fn *on_reply)
{
  const struct herald_settings *settings = herald->settings (job);
  struct herald_request *request
    = herald->request (job, method, api->endpoint, on_reply);
  const char *line;

  for (size_t k = 0; (line = herald->text_at (settings, "header", k)) != NULL;
       k++)
    herald->header_line (request, line);
  if (api->auth.name != NULL)
    herald->header (request, api->auth.name, api->auth.value);
  return request;
}

/* No redirect is followed: the credentials are meant for this host. */
static void
custom_api_settle_redirect (struct herald_job *job,
                            const struct herald_reply *reply)
{
  const char *location = herald->reply_header (reply, "Location");

  herald->settle (job, reply, HERALD_BLOCKED,
                  "the endpoint redirects to %s, which is not followed; "
                  "correct API Endpoint",
                  *location != '\0' ? location : "elsewhere");
}

static int
custom_api_reply (void *instance, struct herald_job *job,
                  const struct herald_reply *reply)
{
  const struct custom_api *api = instance;
  const char *reference = "";
  size_t i;

  if (success_has (&api->success, reply->status)) {
    if (*reply->body == '{')
      reference = herald->json_text (reply, "id");
    for (size_t k = 0; (i = herald->covered (reply, k)) != HERALD_END; k++)
      herald->delivered (job, i, reference);
  } else if (reply->status == 410)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "the endpoint is gone; correct API Endpoint, or disable "
                    "the integration");
  else if (reply->status / 100 == 3)
    custom_api_settle_redirect (job, reply);
  else if (reply->status / 100 == 2)
    herald->settle (job, reply, HERALD_REJECTED,
                    "not one of Success Statuses (%s)",
                    herald->text (herald->settings (job), "success"));
  else
    herald->settle (job, reply, HERALD_BY_STATUS, NULL);
  return 0;
}

static int
custom_api_build (void *instance, struct herald_job *job)
{
  const struct custom_api *api = instance;
  struct herald_request *request
    = custom_api_request (api, job, api->method, custom_api_reply);
  const char *id
    = api->is_array ? herald->job_id (job) : herald->delivery (job, 0)->id;
  size_t n = herald->count (job);

  if (!api->is_array)
    herald->append (request, "%s", herald->record (job, 0));
  else {
    herald->append (request, "[");
    for (size_t i = 0; i < n; i++) {
      if (i > 0)
        herald->append (request, ",");
      herald->append (request, "%s", herald->record (job, i));
    }
    herald->append (request, "]");
  }
  herald->header (request, "Idempotency-Key", id);
  signature_add (&api->signature, request, id);
  return 0;
}

/* Verify Connection. */

static int
custom_api_verified (void *instance, struct herald_job *job,
                     const struct herald_reply *reply)
{
  const struct custom_api *api = instance;

  switch (reply->status) {
  case 401:
  case 403:
  case 407:
    herald->settle (job, reply, HERALD_BLOCKED,
                    "the endpoint refuses these credentials; check API Key "
                    "Type and API Key");
    return 0;
  case 404:
  case 410:
    herald->settle (job, reply, HERALD_BLOCKED,
                    "there is no such endpoint; check API Endpoint");
    return 0;
  case 400:
  case 405:
  case 415:
  case 422:
  case 501:
    herald->verified (job, HERALD_UNPROVEN,
                      "the endpoint answers, but does not take \"%s\": "
                      "credentials not proven; set verify-with to another of "
                      "head, get, options, ping",
                      herald->text (herald->settings (job), "verify-with"));
    return 0;
  }
  if (reply->status / 100 == 2)
    herald->verified (job, HERALD_PROVEN, "%s",
                      api->auth.name != NULL
                        ? "the endpoint accepts these credentials"
                        : "the endpoint answers and asks for no credentials");
  else if (reply->status / 100 == 3)
    custom_api_settle_redirect (job, reply);
  else
    herald->settle (job, reply, HERALD_BY_STATUS, NULL);
  return 0;
}

/* A probe with the same credentials, which delivers nothing. */
static int
custom_api_verify (void *instance, struct herald_job *job)
{
  static const char *const methods[] = { [CUSTOM_API_HEAD] = "HEAD",
                                         [CUSTOM_API_GET] = "GET",
                                         [CUSTOM_API_OPTIONS] = "OPTIONS" };
  const struct custom_api *api = instance;
  int64_t probe = herald->number (herald->settings (job), "verify-with");
  struct herald_request *request;

  if (probe != CUSTOM_API_PING) {
    custom_api_request (api, job, methods[probe], custom_api_verified);
    return 0;
  }
  request = custom_api_request (api, job, api->method, custom_api_verified);
  herald->header (request, "Herald-Verify", "1");
  herald->append (request, "%s", api->is_array ? "[]" : "{}");
  signature_add (&api->signature, request, herald->job_id (job));
  return 0;
}

/* Not HERALD_REPEATABLE: whether a repetition does harm is up to the
 * endpoint, which may or may not look at Idempotency-Key. */
static const struct herald_plugin custom_api_plugin = {
  .name = "custom-api",
  .label = "Custom API",
  .summary = "Sends records as JSON to an HTTP endpoint of your own",
  .version = "1.0",
  .category = HERALD_WEBHOOK,
  .max_batch = 1000,
  .batch = 1,
  .n_settings = HERALD_COUNT (custom_api_settings),
  .settings = custom_api_settings,
  .open = custom_api_open,
  .verify = custom_api_verify,
  .build = custom_api_build
};

HERALD_REGISTER (custom_api_plugin);
