/* salesforce.c - records as contacts, leads, or others, of Salesforce's CRM.
 *
 * Upserts by an external id: one record in the request's path, or up to 200
 * as a collection.  herald-salesforce(7) tells operators what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  SALESFORCE_MOST_RECORDS = 200,
  SALESFORCE_MOST_ID = 255,             /* characters of an external id */
  SALESFORCE_FIRST_VERSION = 46,        /* earlier ones answer otherwise */
  SALESFORCE_MOST_QUOTED = 300,         /* characters of Salesforce's text */
  SALESFORCE_LIMIT_MS = 60 * 60 * 1000  /* of a count over 24 hours */
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

/* Settings. */

#define SALESFORCE_LETTERS \
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static void
salesforce_check_domain (const struct herald_settings *settings)
{
  const char *domain = herald->text (settings, "domain");

  if (strcasecmp (domain, "login.salesforce.com") == 0
      || strcasecmp (domain, "test.salesforce.com") == 0
      || strstr (domain, ".lightning.force.com") != NULL)
    herald->complain (settings, "domain",
                      "must be your My Domain host, like "
                      "acme.my.salesforce.com (see Setup, My Domain): %s gives "
                      "no token for an app's own credentials",
                      domain);
  else if (domain[strspn (domain, SALESFORCE_LETTERS "-.")] != '\0'
           || strchr (domain, '.') == NULL)
    herald->complain (settings, "domain",
                      "must be a host alone, like acme.my.salesforce.com");
}

static void
salesforce_check_name (const struct herald_settings *settings,
                       const char *name)
{
  const char *value = herald->text (settings, name);

  if (value[strspn (value, SALESFORCE_LETTERS "_")] != '\0')
    herald->complain (settings, name,
                      "must be an API name: letters, digits and _, like "
                      "Herald_Id__c");
}

static void
salesforce_check_version (const struct herald_settings *settings)
{
  const char *version = herald->text (settings, "version");

  if (*version != 'v'
      || strcmp (version + 1 + strspn (version + 1, "0123456789"), ".0") != 0
      || strtol (version + 1, NULL, 10) < SALESFORCE_FIRST_VERSION)
    herald->complain (settings, "version", "must be v%d.0 or later",
                      SALESFORCE_FIRST_VERSION);
}

/* What Salesforce asks of every contact and lead, and what it takes in the
 * path or beside the fields. */
static void
salesforce_check_map (const struct herald_settings *settings)
{
  const char *object = herald->text (settings, "object");
  const char *id_field = herald->text (settings, "external-id-field");
  bool is_lead = strcasecmp (object, "Lead") == 0;

  if (herald->maps (settings, id_field))
    herald->complain (settings, id_field,
                      "is the External ID Field, set from External ID Source: "
                      "remove its row from <map>");
  if (herald->maps (settings, "Id"))
    herald->complain (settings, "Id",
                      "is given by Salesforce: remove its row from <map>");
  if (!is_lead && strcasecmp (object, "Contact") != 0)
    return;
  if (!herald->maps (settings, "LastName"))
    herald->complain (settings, "LastName",
                      "is missing, and Salesforce makes no %s without it: add "
                      "<field name=\"LastName\" source=\"lastName\" "
                      "default=\"-\"/> to <map>",
                      object);
  if (!herald->maps (settings, "Email") && strcasecmp (id_field, "Email") != 0)
    herald->warn (settings, "Email",
                  "is not mapped, so nobody can write to these people: add "
                  "<field name=\"Email\" source=\"email\"/> to <map>");
  /* With person accounts a lead without one is a person: no error. */
  if (is_lead && !herald->maps (settings, "Company"))
    herald->warn (settings, "Company",
                  "is not mapped; unless person accounts are on, Salesforce "
                  "makes no Lead without it: add <field name=\"Company\" "
                  "value=\"-\"/> to <map>");
}

static int
salesforce_open (const struct herald_settings *settings, void **instance)
{
  (void) instance;
  salesforce_check_domain (settings);
  salesforce_check_name (settings, "object");
  salesforce_check_name (settings, "external-id-field");
  salesforce_check_version (settings);
  salesforce_check_map (settings);
  return 0;
}

/* Replies. */

/* What error codes mean beyond their status. */
static const struct {
  const char *code;
  int outcome;
  int64_t wait_ms;                      /* of the whole lane */
} salesforce_errors[] = {
  { "UNABLE_TO_LOCK_ROW", HERALD_RETRY, 0 },
  { "REQUEST_RUNNING_TOO_LONG", HERALD_RETRY, 0 },
  { "SERVER_UNAVAILABLE", HERALD_RETRY, 0 },
  { "UNKNOWN_EXCEPTION", HERALD_RETRY, 0 },
  { "REQUEST_LIMIT_EXCEEDED", HERALD_RETRY, SALESFORCE_LIMIT_MS },
  { "STORAGE_LIMIT_EXCEEDED", HERALD_RETRY, SALESFORCE_LIMIT_MS },
  { "ENTITY_IS_DELETED", HERALD_REJECTED, 0 },
  { "INSUFFICIENT_ACCESS_OR_READONLY", HERALD_REJECTED, 0 },
  { "", HERALD_BY_STATUS, 0 }           /* any other */
};

static size_t
salesforce_find_error (const char *code)
{
  size_t k = 0;

  while (*salesforce_errors[k].code != '\0'
         && strcmp (salesforce_errors[k].code, code) != 0)
    k++;
  return k;
}

/* The texts that jsforce knows, too: no token would help. */
static bool
salesforce_is_for_good (const struct herald_reply *reply)
{
  return strstr (reply->body, "Connected app is not attached to Agent") != NULL
         || strstr (reply->body,
                    "This session is not valid for use with the REST API")
              != NULL;
}

static void
salesforce_settle_error (struct herald_job *job,
                         const struct herald_reply *reply)
{
  const char *code = herald->json_text (reply, "0.errorCode");
  const char *text
    = herald->clip (herald->json_text (reply, "0.message"),
                    SALESFORCE_MOST_QUOTED);
  size_t error = salesforce_find_error (code);

  if (salesforce_errors[error].wait_ms > 0)
    herald->wait (job, salesforce_errors[error].wait_ms);
  if (reply->status == 300)
    herald->settle (job, reply, HERALD_REJECTED,
                    "several records have this external id; merge them, or "
                    "mark the field Unique");
  else if (reply->status == 401 && salesforce_is_for_good (reply))
    herald->settle (job, reply, HERALD_BLOCKED,
                    "the app's user may not use the API: %s", text);
  else if (reply->status == 401)
    herald->settle (job, reply, HERALD_RENEW, "%s: %s", code, text);
  else if (*code == '\0' && (reply->status == 400 || reply->status == 403))
    /* A page of HTML, while Salesforce is maintained. */
    herald->settle (job, reply, HERALD_RETRY,
                    "this is no answer of Salesforce's API");
  else
    herald->settle (job, reply, salesforce_errors[error].outcome, "%s: %s",
                    code, text);
}

/* What became of one record; at is where the reply speaks of it: "", or its
 * place in the list and a dot. */
static void
salesforce_judge (struct herald_job *job, const struct herald_reply *reply,
                  size_t i, const char *at)
{
  const char *code, *text;
  size_t error;

  if (strcmp (herald->json_text (reply, "%ssuccess", at), "true") == 0) {
    herald->delivered (job, i, herald->json_text (reply, "%sid", at));
    return;
  }
  code = herald->json_text (reply, "%serrors.0.statusCode", at);
  text = herald->clip (herald->json_text (reply, "%serrors.0.message", at),
                       SALESFORCE_MOST_QUOTED);
  error = salesforce_find_error (code);
  if (*code == '\0')
    herald->retry (job, i, 0, "Salesforce did not say what became of it");
  else if (salesforce_errors[error].outcome == HERALD_RETRY)
    herald->retry (job, i, salesforce_errors[error].wait_ms, "%s: %s", code,
                   text);
  else
    herald->rejected (job, i, "%s: %s", code, text);
}

/* Of a single upsert, and of a collection, which is answered in the order
 * of its records. */
static int
salesforce_reply (void *instance, struct herald_job *job,
                  const struct herald_reply *reply)
{
  int kind = herald->json_kind (reply, "%s", "");
  size_t n = 0;

  (void) instance;
  while (herald->covered (reply, n) != HERALD_END)
    n++;
  if (reply->status / 100 != 2)
    salesforce_settle_error (job, reply);
  else if (kind == HERALD_JSON_OBJECT && n == 1)
    salesforce_judge (job, reply, herald->covered (reply, 0), "");
  else if (kind == HERALD_JSON_ARRAY
           && herald->json_count (reply, "%s", "") == n)
    for (size_t k = 0; k < n; k++)
      salesforce_judge (job, reply, herald->covered (reply, k),
                        herald->format ("%zu.", k));
  else if (reply->status == 204 && n == 1)
    herald->delivered (job, herald->covered (reply, 0), "");
  else
    herald->settle (job, reply, HERALD_RETRY,
                    "this is no answer of Salesforce's API");
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
  const char *url = herald->token_url (job);    /* "" before there is one */
  struct herald_request *request = herald->request (
    job, method,
    herald->format ("%s/services/data/%s/%s",
                    *url != '\0' ? url : salesforce_base_url (job), version,
                    path),
    on_reply);

  herald->bearer_auth (request, NULL);
  return request;
}

/* The record with the members that come before its own. */
static void
salesforce_append_record (struct herald_request *request, const char *before,
                          const char *record)
{
  herald->append (request, "{");
  herald->append (request, "%s", before);
  if (record[1] != '}')
    herald->append (request, ",");
  herald->append (request, "%s", record + 1);
}

/* The rows are one object of JSON; what the external id is stands in the
 * path of a single upsert, and in each record of a collection. */
static void
salesforce_append_collection (struct herald_request *request,
                              struct herald_job *job, const size_t *list,
                              size_t n)
{
  const struct herald_settings *settings = herald->settings (job);
  const char *key = herald->text (settings, "external-id-source");
  const char *extra = herald->text (settings, "extra");
  const char *type = herald->quote (herald->text (settings, "object"));
  const char *field
    = herald->quote (herald->text (settings, "external-id-field"));

  herald->append (request, "{\"allOrNone\":false,\"records\":[");
  for (size_t k = 0; k < n; k++) {
    if (k > 0)
      herald->append (request, ",");
    salesforce_append_record (
      request,
      herald->format ("\"attributes\":{\"type\":%s},%s:%s", type, field,
                      herald->quote (herald->source (job, list[k], key))),
      herald->record (job, list[k]));
  }
  herald->append (request, "]}");
  for (size_t k = 0; k < n && extra != NULL; k++)
    herald->merge (request, herald->format ("records.%zu", k), extra);
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
                    SALESFORCE_MOST_QUOTED);

  (void) instance;
  if (reply->status / 100 == 2 && *token != '\0')
    herald->token (job, token, herald->json_text (reply, "instance_url"), 0);
  else if (*error == '\0')
    herald->settle (job, reply, HERALD_RETRY,
                    "this is no token of Salesforce's");
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
    salesforce_settle_error (job, reply);
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
