/* hubspot.c - records as contacts, or other objects, of HubSpot's CRM.
 *
 * One form for one record and for a hundred: batch upsert.  herald-hubspot(7)
 * tells operators what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <stdbool.h>
#include <string.h>

#include "batch.h"
#include "refusal.h"

enum { HUBSPOT_MOST_INPUTS = 100 };

struct hubspot {
  const char *upsert_url, *verify_url;
  const char *token, *extra;
  const char *id_property;
  const char *id_property_json;
  bool is_email;                        /* what records are matched on */
};

static const struct herald_field hubspot_settings[] = {
  { .name = "access-token", .label = "API Key / Access Token",
    .type = HERALD_TEXT, .flags = HERALD_REQUIRED | HERALD_SECRET,
    .min = 8, .max = 500,
    .help = "A service key, or the access token of an app, that may write "
            "the object." },
  { .name = "object", .label = "Object", .type = HERALD_TEXT,
    .preset = "contacts", .min = 1, .max = 100,
    .help = "contacts, companies, deals ..., or a custom object's type id.",
    .example = "2-3453932" },
  { .name = "id-property", .label = "Unique Property",
    .type = HERALD_TARGET, .preset = "email",
    .flags = HERALD_ORDER_KEY | HERALD_FOLD_CASE,
    .help = "The row of the mapping by which HubSpot finds the record: "
            "email, or a property with unique values.",
    .example = "player_id" },
  { .name = "version", .label = "API Version", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .preset = "2026-09", .min = 2, .max = 7,
    .help = "2026-09 or another version by date, or v3." },
  { .name = "extra", .label = "Extra Fields", .type = HERALD_JSON,
    .flags = HERALD_ADVANCED,
    .help = "Merged into the body of every request." },
  { .name = "base-url", .label = "Base URL", .type = HERALD_BASE_URL,
    .flags = HERALD_ADVANCED, .preset = "https://api.hubapi.com" }
};

/* Settings. */

/* "2026-09", from the first there was. */
static bool
hubspot_is_date (const char *version)
{
  static const char digits[] = "0123456789";

  return strlen (version) == 7 && strspn (version, digits) == 4
         && version[4] == '-' && strspn (version + 5, digits) == 2
         && strcmp (version, "2026-03") >= 0;
}

static int
hubspot_open (const struct herald_settings *settings, void **instance)
{
  struct hubspot *hubspot = herald->alloc (sizeof *hubspot);
  const char *base = herald->text (settings, "base-url");
  const char *version = herald->text (settings, "version");
  const char *object = herald->url_escape (herald->text (settings, "object"));

  if (strcmp (version, "v3") == 0)
    hubspot->upsert_url
      = herald->format ("%s/crm/v3/objects/%s/batch/upsert", base, object);
  else if (hubspot_is_date (version))
    hubspot->upsert_url = herald->format ("%s/crm/objects/%s/%s/batch/upsert",
                                          base, version, object);
  else
    herald->complain (settings, "version",
                      "must be v3, or a year and month like 2026-09");
  hubspot->verify_url
    = herald->format ("%s/account-info/%s/details", base, version);
  hubspot->token = herald->text (settings, "access-token");
  hubspot->extra = herald->text (settings, "extra");
  hubspot->id_property = herald->text (settings, "id-property");
  hubspot->id_property_json = herald->quote (hubspot->id_property);
  hubspot->is_email = strcmp (hubspot->id_property, "email") == 0;
  /* HubSpot: "partial upserts are not supported" by email. */
  if (hubspot->is_email)
    herald->whole_records (settings);
  *instance = hubspot;
  return 0;
}

/* Replies. */

static int
hubspot_reply (void *instance, struct herald_job *job,
               const struct herald_reply *reply)
{
  const struct hubspot *hubspot = instance;

  if (reply->status / 100 == 2)
    batch_settle (job, reply, hubspot->id_property);
  else
    refusal_settle (job, reply);
  return 0;
}

static int
hubspot_verified (void *instance, struct herald_job *job,
                  const struct herald_reply *reply)
{
  (void) instance;
  if (reply->status / 100 == 2
      && herald->json_kind (reply, "portalId") == HERALD_JSON_NUMBER)
    herald->verified (job, HERALD_PROVEN, "account %s accepts this token",
                      herald->json_text (reply, "portalId"));
  else if (reply->status / 100 == 2)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "what answers is not HubSpot; check Base URL");
  else if (reply->status == 403)
    herald->verified (job, HERALD_UNPROVEN,
                      "valid, but may not ask which account it belongs to");
  else
    refusal_settle (job, reply);
  return 0;
}

/* Requests. */

/* What HubSpot matches on; it keeps e-mail addresses in lower case. */
static const char *
hubspot_id (const struct hubspot *hubspot, struct herald_job *job, size_t i)
{
  const char *value = herald->value (job, i, hubspot->id_property);
  size_t len = strlen (value);
  char *id;

  if (!hubspot->is_email)
    return value;
  id = memcpy (herald->alloc (len + 1), value, len);
  for (char *p = id; *p != '\0'; p++)
    if (*p >= 'A' && *p <= 'Z')
      *p = (char) (*p - 'A' + 'a');
  return id;
}

static int
hubspot_build (void *instance, struct herald_job *job)
{
  const struct hubspot *hubspot = instance;
  size_t n = herald->count (job);
  const char **ids = herald->alloc (n * sizeof *ids);
  struct herald_request *request = NULL;

  for (size_t i = 0; i < n; i++) {
    ids[i] = hubspot_id (hubspot, job, i);
    if (*ids[i] == '\0') {
      herald->rejected (job, i, "the record has no %s to match on",
                        hubspot->id_property);
      continue;
    }
    if (request == NULL) {
      request
        = herald->request (job, "POST", hubspot->upsert_url, hubspot_reply);
      herald->append (request, "{\"inputs\":[");
    } else
      herald->append (request, "},");
    herald->append (request,
                    "{\"id\":%s,\"idProperty\":%s,\"objectWriteTraceId\":"
                    "\"%s\",\"properties\":",
                    herald->quote (ids[i]), hubspot->id_property_json,
                    herald->delivery (job, i)->id);
    herald->append (request, "%s", herald->record (job, i));
  }
  if (request == NULL)
    return 0;
  herald->append (request, "}]}");
  herald->merge (request, "", hubspot->extra);
  herald->bearer_auth (request, hubspot->token);
  herald->tag (request, ids);
  return 0;
}

static int
hubspot_verify (void *instance, struct herald_job *job)
{
  const struct hubspot *hubspot = instance;

  herald->bearer_auth (
    herald->request (job, "GET", hubspot->verify_url, hubspot_verified),
    hubspot->token);
  return 0;
}

/* The rate is that of the smallest account. */
static const struct herald_plugin hubspot_plugin = {
  .name = "hubspot",
  .label = "HubSpot",
  .summary = "Creates and updates contacts or other objects in HubSpot",
  .version = "1.0",
  .homepage = "https://developers.hubspot.com/docs/api",
  .category = HERALD_WEBHOOK,
  .caps = HERALD_REPEATABLE | HERALD_TEXT_VALUES,
  .max_batch = HUBSPOT_MOST_INPUTS,
  .rate = 100,
  .rate_ms = 10 * 1000,
  .n_settings = HERALD_COUNT (hubspot_settings),
  .settings = hubspot_settings,
  .open = hubspot_open,
  .verify = hubspot_verify,
  .build = hubspot_build
};

HERALD_REGISTER (hubspot_plugin);
