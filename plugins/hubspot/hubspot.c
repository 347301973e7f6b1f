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
#include <strings.h>

enum {
  HUBSPOT_MOST_INPUTS = 100,
  HUBSPOT_MOST_QUOTED = 300,            /* characters of HubSpot's text */
  HUBSPOT_LOCKED_MS = 2 * 1000,
  HUBSPOT_MIGRATION_MS = 10 * 60 * 1000
};

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
  *instance = hubspot;
  return 0;
}

/* Replies that say the same of all records. */

/* What the three limits are called, and how long the vendor's own client
 * waits; the day ends at midnight where the account is, which is not said
 * here. */
static const struct {
  const char *policy;
  int64_t wait_ms;
} hubspot_limits[] = {
  { "SECONDLY", 1000 },
  { "TEN_SECONDLY_ROLLING", 10 * 1000 },
  { "DAILY", 60 * 60 * 1000 }
};

static void
hubspot_settle_wait (struct herald_job *job, const struct herald_reply *reply,
                     int64_t usual_ms, const char *text)
{
  herald->wait (job, reply->retry_after_ms > 0 ? reply->retry_after_ms
                                               : usual_ms);
  herald->settle (job, reply, HERALD_RETRY, "%s", text);
}

static void
hubspot_settle_limit (struct herald_job *job, const struct herald_reply *reply)
{
  const char *policy = herald->json_text (reply, "policyName");
  const char *text = herald->clip (herald->json_text (reply, "message"),
                                   HUBSPOT_MOST_QUOTED);
  int64_t wait_ms = hubspot_limits[1].wait_ms;

  for (size_t k = 0; k < HERALD_COUNT (hubspot_limits); k++)
    if (strcasecmp (hubspot_limits[k].policy, policy) == 0)
      wait_ms = hubspot_limits[k].wait_ms;
  hubspot_settle_wait (job, reply, wait_ms, text);
}

static void
hubspot_settle_error (struct herald_job *job, const struct herald_reply *reply)
{
  const char *text = herald->clip (herald->json_text (reply, "message"),
                                   HUBSPOT_MOST_QUOTED);

  switch (reply->status) {
  case 400:
    /* What is wrong with the mapping is wrong with every record. */
    if (strcmp (herald->json_text (reply, "errors.0.code"),
                "PROPERTY_DOESNT_EXIST")
        == 0)
      herald->settle (job, reply, HERALD_BLOCKED,
                      "%s; create the property in HubSpot, or remove its row "
                      "from <map>",
                      text);
    else
      herald->settle (job, reply, HERALD_SPLIT, "%s", text);
    break;
  case 401:
    herald->settle (job, reply, HERALD_BLOCKED,
                    "HubSpot refuses the token; check API Key / Access Token: "
                    "%s",
                    text);
    break;
  case 403:
    herald->settle (job, reply, HERALD_BLOCKED,
                    "the token may not write these objects; give it the "
                    "scopes: %s",
                    text);
    break;
  case 423:
    hubspot_settle_wait (job, reply, HUBSPOT_LOCKED_MS, text);
    break;
  case 429:
    hubspot_settle_limit (job, reply);
    break;
  case 477:
    hubspot_settle_wait (job, reply, HUBSPOT_MIGRATION_MS,
                         "HubSpot moves this account to another place");
    break;
  default:
    herald->settle (job, reply, HERALD_BY_STATUS, "%s", text);
  }
}

/* Replies per record. */

/* What is known of a batch while its reply is read.  Results come mostly in
 * the order of inputs, which is not promised: a search begins behind the
 * last one found. */
struct hubspot_batch {
  struct herald_job *job;
  const struct herald_reply *reply;
  const char *const *ids;               /* of inputs, by delivery */
  size_t n;                             /* covered by the reply */
  size_t next;
  bool *is_settled;                     /* by place among the covered */
};

static void
hubspot_batch_init (struct hubspot_batch *batch, struct herald_job *job,
                    const struct herald_reply *reply)
{
  memset (batch, 0, sizeof *batch);
  batch->job = job;
  batch->reply = reply;
  batch->ids = reply->tag;
  while (herald->covered (reply, batch->n) != HERALD_END)
    batch->n++;
  batch->is_settled = herald->alloc (batch->n * sizeof *batch->is_settled);
}

/* The delivery with that trace id, or else with that value of the unique
 * property, marked as settled; HERALD_END if there is none, or no longer. */
static size_t
hubspot_take (struct hubspot_batch *batch, const char *trace, const char *id)
{
  for (size_t k = 0; k < batch->n; k++) {
    size_t place = (batch->next + k) % batch->n;
    size_t i = herald->covered (batch->reply, place);

    if (*trace != '\0'
          ? strcmp (herald->delivery (batch->job, i)->id, trace) != 0
          : strcasecmp (batch->ids[i], id) != 0)
      continue;
    if (batch->is_settled[place])
      return HERALD_END;
    batch->is_settled[place] = true;
    batch->next = place + 1;
    return i;
  }
  return HERALD_END;
}

static void
hubspot_read_results (const struct hubspot *hubspot,
                      struct hubspot_batch *batch)
{
  size_t n = herald->json_count (batch->reply, "results"), i;
  const char *trace, *id = "";

  for (size_t k = 0; k < n && k < batch->n; k++) {
    trace = herald->json_text (batch->reply, "results.%zu.objectWriteTraceId",
                               k);
    if (*trace == '\0')
      id = herald->json_text (batch->reply, "results.%zu.properties.%s", k,
                              hubspot->id_property);
    if (*trace == '\0' && *id == '\0')
      continue;
    i = hubspot_take (batch, trace, id);
    if (i != HERALD_END)
      herald->delivered (batch->job, i,
                         herald->json_text (batch->reply, "results.%zu.id",
                                            k));
  }
}

static bool
hubspot_is_passing (const char *category)
{
  static const char *const passing[]
    = { "RATE_LIMITS", "INTERNAL_ERROR", "LOCKED", "TIMEOUT",
        "SERVICE_UNAVAILABLE" };

  for (size_t k = 0; k < HERALD_COUNT (passing); k++)
    if (strcmp (category, passing[k]) == 0)
      return true;
  return false;
}

/* Of a 207; an error may speak of several records. */
static void
hubspot_read_errors (struct hubspot_batch *batch)
{
  size_t n = herald->json_count (batch->reply, "errors"), left = batch->n;

  for (size_t k = 0; k < n && left > 0; k++, left--) {
    const char *text
      = herald->clip (herald->json_text (batch->reply, "errors.%zu.message",
                                         k),
                      HUBSPOT_MOST_QUOTED);
    bool is_passing = hubspot_is_passing (
      herald->json_text (batch->reply, "errors.%zu.category", k));
    const char *trace;

    for (size_t t = 0; left > 0; t++, left--) {
      size_t i;

      trace = herald->json_text (batch->reply,
                                 "errors.%zu.context.objectWriteTraceId.%zu",
                                 k, t);
      if (*trace == '\0')
        break;
      i = hubspot_take (batch, trace, "");
      if (i != HERALD_END && is_passing)
        herald->retry (batch->job, i, 0, "%s", text);
      else if (i != HERALD_END)
        herald->rejected (batch->job, i, "%s", text);
    }
  }
}

/* A 200 stands for all inputs, a 207 only for those it names.  A record
 * sent again does no harm, so none is believed delivered without a word. */
static void
hubspot_read_batch (const struct hubspot *hubspot, struct herald_job *job,
                    const struct herald_reply *reply)
{
  const char *status = herald->json_text (reply, "status");
  struct hubspot_batch batch;
  size_t n, i;

  if (strcmp (status, "COMPLETE") != 0) {
    herald->settle (job, reply, HERALD_RETRY, "%s",
                    *status != '\0' ? "HubSpot has not completed the batch"
                                    : "this is no answer of HubSpot's");
    return;
  }
  n = herald->json_count (reply, "results");
  hubspot_batch_init (&batch, job, reply);
  hubspot_read_results (hubspot, &batch);
  hubspot_read_errors (&batch);
  if (reply->status == 207)
    herald->settle (job, reply, HERALD_SPLIT, "%s",
                    herald->clip (herald->json_text (reply,
                                                     "errors.0.message"),
                                  HUBSPOT_MOST_QUOTED));
  else if (n < batch.n)
    herald->settle (job, reply, HERALD_RETRY,
                    "HubSpot answered %zu of %zu records", n, batch.n);
  else
    for (size_t k = 0; (i = herald->covered (reply, k)) != HERALD_END; k++)
      if (!batch.is_settled[k])
        herald->delivered (job, i, "");
}

static int
hubspot_reply (void *instance, struct herald_job *job,
               const struct herald_reply *reply)
{
  if (reply->status / 100 == 2)
    hubspot_read_batch (instance, job, reply);
  else
    hubspot_settle_error (job, reply);
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
                    "this is no answer of HubSpot's; check Base URL");
  else if (reply->status == 403)
    herald->verified (job, HERALD_UNPROVEN,
                      "valid, but may not ask which account it belongs to");
  else
    hubspot_settle_error (job, reply);
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
