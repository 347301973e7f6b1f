/* custom-api.c - records as JSON to any HTTP endpoint.
 *
 * herald-custom-api(7) tells operators and endpoints what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum {
  CUSTOM_API_FIRST_STATUS = 200,
  CUSTOM_API_LAST_STATUS = 599,
  /* Bytes of a key, by the Standard Webhooks specification. */
  CUSTOM_API_LEAST_KEY = 24,
  CUSTOM_API_MOST_KEY = 64
};

struct custom_api_key {
  const unsigned char *bytes;
  size_t len;
};

struct custom_api {
  const char *endpoint, *method;
  const char *auth_name, *auth_value;   /* a header, or NULL */
  size_t n_keys;
  struct custom_api_key *keys;          /* to sign with */
  bool is_array;                        /* the body, of every request */
  bool is_success[CUSTOM_API_LAST_STATUS + 1];
};

static const struct herald_choice custom_api_methods[] = {
  { "POST", "POST" }, { "PUT", "PUT" }, { "PATCH", "PATCH" }, { NULL, NULL }
};

enum { CUSTOM_API_NONE, CUSTOM_API_API_KEY, CUSTOM_API_BEARER,
       CUSTOM_API_BASIC, CUSTOM_API_HEADER };

static const struct herald_choice custom_api_auths[] = {
  { "none", "None" },
  { "api-key", "API Key" },
  { "bearer", "Bearer Token" },
  { "basic", "Basic Authentication" },
  { "header", "Custom Header" },
  { NULL, NULL }
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
    .choices = custom_api_auths, .preset = "none",
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

/* Settings. */

/* False of those, too, that herald sets itself. */
static bool
custom_api_is_header_name (const char *name)
{
  /* A token of RFC 9110, section 5.6.2. */
  static const char letters[]
    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "!#$%&'*+-.^_`|~";
  static const char *const reserved[] = {
    "Connection", "Content-Length", "Content-Type", "Expect", "Host",
    "Idempotency-Key", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding",
    "Upgrade", "webhook-id", "webhook-signature", "webhook-timestamp"
  };

  for (size_t k = 0; k < HERALD_COUNT (reserved); k++)
    if (strcasecmp (name, reserved[k]) == 0)
      return false;
  return name[strspn (name, letters)] == '\0';
}

static void
custom_api_read_auth (struct custom_api *api,
                      const struct herald_settings *settings)
{
  const char *key = herald->text (settings, "api-key");

  switch (herald->number (settings, "auth")) {
  case CUSTOM_API_API_KEY:
    api->auth_name = "X-API-KEY";
    api->auth_value = key;
    break;
  case CUSTOM_API_BEARER:
    api->auth_name = "Authorization";
    api->auth_value = herald->format ("Bearer %s", key);
    break;
  case CUSTOM_API_BASIC:
    if (strchr (key, ':') == NULL)
      herald->complain (settings, "api-key",
                        "must read username:password, as \"auth\" is "
                        "\"basic\"");
    api->auth_name = "Authorization";
    api->auth_value
      = herald->format ("Basic %s", herald->base64 (key, strlen (key)));
    break;
  case CUSTOM_API_HEADER:
    api->auth_name = herald->text (settings, "header-name");
    api->auth_value = key;
    if (!custom_api_is_header_name (api->auth_name))
      herald->complain (settings, "header-name",
                        "must be the name of a header (letters, digits and -) "
                        "that herald does not set itself");
    break;
  }
}

static void
custom_api_read_keys (struct custom_api *api,
                      const struct herald_settings *settings)
{
  static const char prefix[] = "whsec_";
  const size_t skip = sizeof prefix - 1;
  size_t n = 0;

  while (herald->text_at (settings, "signing-secret", n) != NULL)
    n++;
  api->n_keys = n;
  api->keys = herald->alloc (n * sizeof *api->keys);
  for (size_t k = 0; k < n; k++) {
    const char *secret = herald->text_at (settings, "signing-secret", k);
    struct custom_api_key *key = &api->keys[k];

    if (strncmp (secret, prefix, skip) == 0)
      key->bytes = herald->base64_decode (secret + skip, &key->len);
    if (key->len < CUSTOM_API_LEAST_KEY || key->len > CUSTOM_API_MOST_KEY)
      herald->complain (settings, "signing-secret",
                        "must be whsec_ and %d to %d bytes in base64; to make "
                        "one: echo whsec_$(openssl rand -base64 32)",
                        CUSTOM_API_LEAST_KEY, CUSTOM_API_MOST_KEY);
  }
}

/* What follows the three digits, or NULL. */
static const char *
custom_api_read_status (const char *text, int *ret_status)
{
  int status = 0;

  for (size_t k = 0; k < 3; k++) {
    if (text[k] < '0' || text[k] > '9')
      return NULL;
    status = status * 10 + (text[k] - '0');
  }
  if (status < CUSTOM_API_FIRST_STATUS || status > CUSTOM_API_LAST_STATUS)
    return NULL;
  *ret_status = status;
  return text + 3 + strspn (text + 3, " ");
}

/* "200-204, 409" */
static int
custom_api_read_success (struct custom_api *api, const char *text)
{
  int first, last;

  for (;; text += 1 + strspn (text + 1, " ")) {
    text = custom_api_read_status (text, &first);
    if (text == NULL)
      return -1;
    last = first;
    if (*text == '-')
      text = custom_api_read_status (text + 1 + strspn (text + 1, " "), &last);
    if (text == NULL || last < first)
      return -1;
    memset (&api->is_success[first], true, (size_t) (last - first + 1));
    if (*text != ',')
      return *text == '\0' ? 0 : -1;
  }
}

static int
custom_api_open (const struct herald_settings *settings, void **instance)
{
  struct custom_api *api = herald->alloc (sizeof *api);

  api->endpoint = herald->text (settings, "endpoint");
  api->method = herald->text (settings, "method");
  api->is_array = herald->batch (settings) > 1;
  custom_api_read_auth (api, settings);
  custom_api_read_keys (api, settings);
  if (custom_api_read_success (api, herald->text (settings, "success")) < 0)
    herald->complain (settings, "success",
                      "must list statuses between %d and %d, like \"200-204, "
                      "409\"",
                      CUSTOM_API_FIRST_STATUS, CUSTOM_API_LAST_STATUS);
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
  if (api->auth_name != NULL)
    herald->header (request, api->auth_name, api->auth_value);
  return request;
}

/* Standard Webhooks: each key signs "id.timestamp.body".  The body must be
 * complete. */
static void
custom_api_sign (const struct custom_api *api, struct herald_request *request,
                 const char *id)
{
  const char *timestamp, *text, *signatures = "";
  unsigned char mac[32];

  if (api->n_keys == 0)
    return;
  timestamp = herald->format ("%lld", (long long) herald->now_ms () / 1000);
  text = herald->format ("%s.%s.%s", id, timestamp,
                         herald->body_text (request, NULL));
  for (size_t k = 0; k < api->n_keys; k++) {
    herald->hmac_sha256 (api->keys[k].bytes, api->keys[k].len, text,
                         strlen (text), mac);
    signatures = herald->format ("%s%sv1,%s", signatures, k > 0 ? " " : "",
                                 herald->base64 (mac, sizeof mac));
  }
  herald->header (request, "webhook-id", id);
  herald->header (request, "webhook-timestamp", timestamp);
  herald->header (request, "webhook-signature", signatures);
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

  if (reply->status >= CUSTOM_API_FIRST_STATUS
      && reply->status <= CUSTOM_API_LAST_STATUS
      && api->is_success[reply->status]) {
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
  custom_api_sign (api, request, id);
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
                      api->auth_name != NULL
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
  custom_api_sign (api, request, herald->job_id (job));
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
