/* salesforce.c - records as contacts, leads, or others, of Salesforce's CRM.
 *
 * Upserts by an external id: one record in the request's path, or up to 200
 * as a collection.  herald-salesforce(7) tells operators what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <string.h>

#include "refusal.h"
#include "review.h"

enum {
  SALESFORCE_MOST_RECORDS = 200,
  SALESFORCE_MOST_ID = 255              /* characters of an external id */
};

static const struct herald_field salesforce_settings[] = {
  { .name = "domain", .label = "Salesforce Domain", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED, .min = 4, .max = 253,
    .help = "Your My Domain host.", .example = "acme.my.salesforce.com" },
  { .name = "consumer-key", .label = "Consumer Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED,
    .help = "Of an External Client App with the Client Credentials Flow." },
  { .name = "consumer-secret", .label = "Consumer Secret",
    .type = HERALD_TEXT, .flags = HERALD_REQUIRED | HERALD_SECRET },
  { .name = "object", .label = "Object", .type = HERALD_TEXT,
    .preset = "Contact", .min = 1, .max = 80,
    .help = "Contact, Lead, or the API name of another object.",
    .example = "Player__c" },
  { .name = "external-id-field", .label = "External ID Field Name",
    .type = HERALD_TEXT, .flags = HERALD_REQUIRED, .min = 1, .max = 80,
    .help = "The API name of the object's field, marked External ID and "
            "Unique, by which Salesforce finds the record.",
    .example = "Herald_Id__c" },
  { .name = "external-id-source", .label = "External ID Source",
    .type = HERALD_SOURCE, .preset = "email",
    .flags = HERALD_ORDER_KEY | HERALD_FOLD_CASE,
    .help = "The source field whose value goes into it." },
  { .name = "allow-duplicates", .label = "Save Duplicates",
    .type = HERALD_BOOL, .flags = HERALD_ADVANCED, .preset = "false",
    .help = "Save what a duplicate rule that only alerts would stop." },
  { .name = "extra", .label = "Extra Fields", .type = HERALD_JSON,
    .flags = HERALD_ADVANCED,
    .help = "Merged into every record, where <map> has no such field." },
  { .name = "version", .label = "API Version", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .preset = "v68.0", .min = 5, .max = 6 },
  { .name = "base-url", .label = "Base URL", .type = HERALD_BASE_URL,
    .flags = HERALD_ADVANCED,
    .help = "Where tokens are asked for, if not at Salesforce Domain." }
};

static int
salesforce_open (const struct herald_settings *settings, void **instance)
{
  (void) instance;
  review_settings (settings);
  review_map (settings);
  return 0;
}

/* Replies. */

/* Of a single upsert, and of a collection, which is answered in the order
 * of its records. */
static int
salesforce_reply (void *instance, struct herald_job *job,
                  const struct herald_reply *reply)
{
  int kind = herald->json_kind (reply, NULL);
  size_t n = 0;

  (void) instance;
  while (herald->covered (reply, n) != HERALD_END)
    n++;
  if (reply->status / 100 != 2)
    refusal_settle (job, reply);
  else if (kind == HERALD_JSON_OBJECT && n == 1)
    refusal_or_delivered (job, reply, herald->covered (reply, 0), "");
  else if (kind == HERALD_JSON_ARRAY
           && herald->json_count (reply, NULL) == n)
    for (size_t k = 0; k < n; k++)
      refusal_or_delivered (job, reply, herald->covered (reply, k),
                            herald->format ("%zu.", k));
  else if (reply->status == 204 && n == 1)
    herald->delivered (job, herald->covered (reply, 0), "");
  else
    herald->settle (job, reply, HERALD_RETRY,
                    "what answers is not Salesforce");
  return 0;
}

/* Requests. */

static const char *
salesforce_base_url (const struct herald_job *job)
{
  const struct herald_settings *settings = herald->settings (job);
  const char *base = herald->text (settings, "base-url");

  return base != NULL
           ? base
           : herald->format ("https://%s", herald->text (settings, "domain"));
}

static struct herald_request *
salesforce_request (struct herald_job *job, const char *method,
                    const char *path, herald_reply_fn *on_reply)
{
  const char *version = herald->text (herald->settings (job), "version");
  const char *url = herald->token_url (job);
  struct herald_request *request = herald->request (
    job, method,
    herald->format ("%s/services/data/%s/%s",
                    *url != '\0' ? url : salesforce_base_url (job), version,
                    path),
    on_reply);

  herald->bearer_auth (request, NULL);
  return request;
}

/* A record is its JSON object with two members more, in front. */
static void
salesforce_append_collection (struct herald_request *request,
                              struct herald_job *job, const size_t *list,
                              size_t n)
{
  const struct herald_settings *settings = herald->settings (job);
  const char *key = herald->text (settings, "external-id-source");
  const char *type = herald->quote (herald->text (settings, "object"));
  const char *field
    = herald->quote (herald->text (settings, "external-id-field"));

  herald->append (request, "{\"allOrNone\":false,\"records\":[");
  for (size_t k = 0; k < n; k++) {
    const char *record = herald->record (job, list[k]);

    herald->append (request, "%s{\"attributes\":{\"type\":%s},%s:%s%s",
                    k > 0 ? "," : "", type, field,
                    herald->quote (herald->source (job, list[k], key)),
                    record[1] == '}' ? "" : ",");
    herald->append (request, "%s", record + 1);
  }
  herald->append (request, "]}");
  herald->merge (request, "records.*", herald->text (settings, "extra"));
}

static int
salesforce_build (void *instance, struct herald_job *job)
{
  const struct herald_settings *settings = herald->settings (job);
  const char *key = herald->text (settings, "external-id-source");
  const char *what
    = herald->format ("%s/%s", herald->text (settings, "object"),
                      herald->text (settings, "external-id-field"));
  size_t count = herald->count (job), n = 0;
  size_t *list = herald->alloc (count * sizeof *list);
  struct herald_request *request;
  const char *id;

  (void) instance;
  for (size_t i = 0; i < count; i++) {
    id = herald->source (job, i, key);
    if (*id == '\0')
      herald->rejected (job, i, "the event has no %s to match on", key);
    else if (strlen (herald->clip (id, SALESFORCE_MOST_ID)) < strlen (id))
      herald->rejected (job, i, "its %s is longer than %d characters", key,
                        SALESFORCE_MOST_ID);
    else
      list[n++] = i;
  }
  if (n == 0)
    return 0;
  id = herald->source (job, list[0], key);
  /* A path must not hold "." or "..". */
  if (n == 1 && id[strspn (id, ".")] != '\0') {
    request = salesforce_request (
      job, "PATCH",
      herald->format ("sobjects/%s/%s", what, herald->url_escape (id)),
      salesforce_reply);
    herald->append (request, "%s", herald->record (job, list[0]));
    herald->merge (request, "", herald->text (settings, "extra"));
  } else {
    request = salesforce_request (
      job, "PATCH", herald->format ("composite/sobjects/%s", what),
      salesforce_reply);
    salesforce_append_collection (request, job, list, n);
  }
  if (herald->number (settings, "allow-duplicates") != 0)
    herald->header (request, "Sforce-Duplicate-Rule-Header", "allowSave=true");
  return 0;
}

/* Tokens. */

/* They have no lifetime: one is used until it is refused. */
static int
salesforce_token_reply (void *instance, struct herald_job *job,
                        const struct herald_reply *reply)
{
  const char *token = herald->json_text (reply, "access_token");
  const char *error = herald->json_text (reply, "error");
  const char *text
    = herald->clip (herald->json_text (reply, "error_description"),
                    REFUSAL_MOST_QUOTED);

  (void) instance;
  if (reply->status / 100 == 2 && *token != '\0')
    herald->token (job, token, herald->json_text (reply, "instance_url"), 0);
  else if (*error == '\0')
    herald->settle (job, reply, HERALD_RETRY,
                    "what answers is not Salesforce");
  else if (strncmp (error, "invalid_client", 14) == 0)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "check Consumer Key and Consumer Secret: %s: %s", error,
                    text);
  else
    herald->settle (job, reply, HERALD_BLOCKED,
                    "check Salesforce Domain, and that the app has the Client "
                    "Credentials Flow with a user to run as: %s: %s",
                    error, text);
  return 0;
}

static int
salesforce_token (void *instance, struct herald_job *job)
{
  const struct herald_settings *settings = herald->settings (job);
  struct herald_request *request = herald->request (
    job, "POST",
    herald->format ("%s/services/oauth2/token", salesforce_base_url (job)),
    salesforce_token_reply);

  (void) instance;
  herald->param (request, "grant_type", "client_credentials");
  herald->param (request, "client_id",
                 herald->text (settings, "consumer-key"));
  herald->param (request, "client_secret",
                 herald->text (settings, "consumer-secret"));
  return 0;
}

/* Verify Connection. */

static int
salesforce_verified (void *instance, struct herald_job *job,
                     const struct herald_reply *reply)
{
  (void) instance;
  if (reply->status == 404)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "Salesforce does not know this API Version");
  else if (reply->status / 100 != 2)
    refusal_settle (job, reply);
  else
    herald->verified (
      job, HERALD_PROVEN, "%s of %s API calls are left for today",
      herald->json_text (reply, "DailyApiRequests.Remaining"),
      herald->json_text (reply, "DailyApiRequests.Max"));
  return 0;
}

static int
salesforce_verify (void *instance, struct herald_job *job)
{
  (void) instance;
  salesforce_request (job, "GET", "limits", salesforce_verified);
  return 0;
}

static const struct herald_plugin salesforce_plugin = {
  .name = "salesforce",
  .label = "Salesforce",
  .summary = "Creates and updates contacts, leads or others in Salesforce",
  .version = "1.0",
  .homepage = "https://developer.salesforce.com/docs",
  .category = HERALD_WEBHOOK,
  .caps = HERALD_REPEATABLE,
  .max_batch = SALESFORCE_MOST_RECORDS,
  .n_settings = HERALD_COUNT (salesforce_settings),
  .settings = salesforce_settings,
  .open = salesforce_open,
  .token = salesforce_token,
  .verify = salesforce_verify,
  .build = salesforce_build
};

HERALD_REGISTER (salesforce_plugin);
