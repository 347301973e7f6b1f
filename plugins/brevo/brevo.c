/* brevo.c - mails by way of Brevo's transactional API.
 *
 * herald-brevo(7) tells operators what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <stdbool.h>
#include <string.h>

#include "plain.h"
#include "refusal.h"

enum {
  BREVO_MOST_PARAMS = 100 * 1000,       /* bytes of one mail's ... */
  BREVO_MOST_ALL_PARAMS = 1000 * 1000,  /* ... and of a request's */
  BREVO_MOST_TEXT = 4 << 20             /* of a job; our own limit */
};

static const struct herald_field brevo_settings[] = {
  { .name = "api-key", .label = "API Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET,
    .help = "An API key, which begins with xkeysib-, not an SMTP key." },
  { .name = "tag", .label = "Tag", .type = HERALD_TEXT,
    .flags = HERALD_MANY | HERALD_ADVANCED, .min = 1, .max = 100,
    .help = "Groups mails in Brevo's reports.", .example = "summer-2026" },
  { .name = "sandbox", .label = "Sandbox Mode", .type = HERALD_BOOL,
    .flags = HERALD_ADVANCED, .preset = "false",
    .help = "Brevo checks the mails and sends none." },
  { .name = "base-url", .label = "Base URL", .type = HERALD_BASE_URL,
    .flags = HERALD_ADVANCED, .preset = "https://api.brevo.com",
    .help = "Without the version." },
  { .name = "version", .label = "API Version", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .preset = "v3", .min = 1, .max = 10 },
  { .name = "extra", .label = "Extra Fields", .type = HERALD_JSON,
    .flags = HERALD_ADVANCED,
    .help = "Further members of the request, as the API names them.",
    .example = "{\"scheduledAt\": \"2026-12-24T18:00:00.000Z\"}" }
};

/* Requests. */

static const char *
brevo_person (const struct herald_mailbox *who)
{
  const char *address = herald->quote (who->address);

  if (who->name == NULL)
    return herald->format ("{\"email\":%s}", address);
  return herald->format ("{\"email\":%s,\"name\":%s}", address,
                         herald->quote (plain_name (who->name)));
}

/* 0: none; Brevo refuses an empty object. */
static size_t
brevo_params_len (const struct herald_job *job, size_t i)
{
  const char *record = herald->record (job, i);

  if (herald->mail (job, i)->template_id == NULL || strcmp (record, "{}") == 0)
    return 0;
  return strlen (record);
}

/* What mails of one request may differ in. */
static void
brevo_add_mail (struct herald_request *request, struct herald_job *job,
                size_t i)
{
  const struct herald_mail *mail = herald->mail (job, i);

  herald->append (request, "\"to\":[%s]", brevo_person (&mail->to));
  if (mail->bcc.address != NULL)
    herald->append (request, ",\"bcc\":[%s]", brevo_person (&mail->bcc));
  if (mail->reply_to.address != NULL)
    herald->append (request, ",\"replyTo\":%s",
                    brevo_person (&mail->reply_to));
  herald->append_member (request, "subject", plain_text (mail->subject));
  if (brevo_params_len (job, i) > 0)
    herald->append (request, ",\"params\":%s", herald->record (job, i));
  if (mail->template_id != NULL)
    return;
  herald->append (request, ",\"htmlContent\":%s",
                  herald->quote (plain_html (mail)));
  herald->append_member (request, "textContent", plain_text (mail->text));
}

/* What mails must have in common to share a request: sender and headers
 * have no place in a version. */
static const char *
brevo_common (const struct herald_job *job, size_t i)
{
  static const char own[] = " idempotencykey x-mailin-custom x-sib-sandbox ";
  const struct herald_mail *mail = herald->mail (job, i);
  const char *text = herald->format (
    "{\"sender\":%s,\"headers\":{%s", brevo_person (&mail->from),
    herald->number (herald->settings (job), "sandbox") != 0
      ? "\"X-Sib-Sandbox\":\"drop\","
      : "");

  for (uint32_t k = 0; k < mail->n_headers; k++) {
    const char *name = mail->headers[k].name;
    const char *value = herald->encoded (plain_text (mail->headers[k].value));

    if (strcasestr (own, herald->format (" %s ", name)) == NULL)
      text = herald->format ("%s%s:%s,", text, herald->quote (name),
                             herald->quote (value));
  }
  return text;
}

static struct herald_request *
brevo_request (struct herald_job *job, const char *method, const char *path,
               herald_reply_fn *on_reply)
{
  const struct herald_settings *settings = herald->settings (job);
  const char *url = herald->format (
    "%s/%s/%s", herald->text (settings, "base-url"),
    herald->url_escape (herald->text (settings, "version")), path);
  struct herald_request *request
    = herald->request (job, method, url, on_reply);

  herald->header (request, "api-key", herald->text (settings, "api-key"));
  return request;
}

/* Replies. */

/* The ids are in the order of the versions. */
static int
brevo_reply (void *instance, struct herald_job *job,
             const struct herald_reply *reply)
{
  bool is_list = herald->json_kind (reply, "messageIds") == HERALD_JSON_ARRAY;
  const char *code = herald->json_text (reply, "code");
  /* An earlier attempt did arrive, its idempotency key says. */
  bool is_repeated = strcmp (code, "duplicate_request") == 0
                     || strcmp (code, "Request already processed") == 0;
  size_t i;

  (void) instance;
  if (reply->status / 100 != 2 && !is_repeated) {
    refusal_settle (job, reply);
    return 0;
  }
  for (size_t k = 0; (i = herald->covered (reply, k)) != HERALD_END; k++) {
    const char *id = is_list ? herald->json_text (reply, "messageIds.%zu", k)
                             : herald->json_text (reply, "messageId");

    if (*id == '\0')
      herald->log (HERALD_WARNING, "Brevo accepts the mail and gives no id");
    herald->delivered (job, i, id);
  }
  return 0;
}

static void
brevo_send (struct herald_job *job, const char *common, const size_t *group,
            size_t n)
{
  const char *template_id = herald->mail (job, group[0])->template_id;
  const char *key = herald->delivery (job, group[0])->id;
  struct herald_request *request
    = brevo_request (job, "POST", "smtp/email", brevo_reply);

  /* A UUID of what it covers; the last digits tell a job's requests apart. */
  if (n > 1)
    key = group[0] == 0 ? herald->job_id (job)
                        : herald->format ("%.32s%04zx", herald->job_id (job),
                                          group[0]);
  herald->append (request,
                  "%s\"idempotencyKey\":\"%s\",\"X-Mailin-custom\":\"%s\"}",
                  common, key, key);
  herald->append_values (request, "tags", "tag");
  if (template_id != NULL)
    herald->append (request, ",\"templateId\":%s", template_id);
  else if (n > 1) /* else versions have none; nobody gets these */
    herald->append (request, ",\"subject\":\"-\",\"htmlContent\":\"<p></p>\"");
  for (size_t k = 0; k < n; k++) {
    herald->covers (request, group[k]);
    herald->append (request, n == 1   ? ","
                             : k == 0 ? ",\"messageVersions\":[{"
                                      : "},{");
    brevo_add_mail (request, job, group[k]);
  }
  herald->append (request, n > 1 ? "}]}" : "}");
  herald->merge (request, "", herald->text (herald->settings (job), "extra"));
}

static bool
brevo_is_large (const struct herald_job *job)
{
  size_t text_len = 0, params_len = 0;

  for (size_t i = 0; i < herald->count (job); i++) {
    const struct herald_mail *mail = herald->mail (job, i);

    text_len += mail->html != NULL ? strlen (mail->html) : 0;
    text_len += mail->text != NULL ? 2 * strlen (mail->text) : 0;
    params_len += brevo_params_len (job, i);
  }
  return text_len > BREVO_MOST_TEXT || params_len > BREVO_MOST_ALL_PARAMS;
}

/* One request for all that have the same in common. */
static int
brevo_build (void *instance, struct herald_job *job)
{
  size_t n = herald->count (job), n_alike;
  size_t *alike = herald->alloc (n * sizeof *alike);
  const char *like, **common = herald->alloc (n * sizeof *common);

  (void) instance;
  for (size_t i = 0; i < n; i++)
    if (brevo_params_len (job, i) <= BREVO_MOST_PARAMS)
      common[i] = brevo_common (job, i);
    else
      herald->rejected (job, i, "the template's parameters are larger than "
                                "the 100 KB that Brevo takes");
  if (n > 1 && brevo_is_large (job)) {
    herald->settle (job, NULL, HERALD_SPLIT, "more than Brevo takes at once");
    return 0;
  }
  for (size_t i = 0; i < n; i++) {
    if ((like = common[i]) == NULL)
      continue;
    n_alike = 0;
    for (size_t k = i; k < n; k++)
      if (common[k] != NULL && strcmp (common[k], like) == 0) {
        alike[n_alike++] = k;
        common[k] = NULL;
      }
    brevo_send (job, like, alike, n_alike);
  }
  return 0;
}

/* Verify Connection. */

static int
brevo_verified (void *instance, struct herald_job *job,
                const struct herald_reply *reply)
{
  (void) instance;
  if (reply->status / 100 == 2
      && herald->json_kind (reply, NULL) != HERALD_JSON_OBJECT)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "what answers is not Brevo; check Base URL");
  else if (reply->status / 100 == 2)
    herald->verified (job, HERALD_PROVEN, "Brevo accepts this key");
  else if (reply->status == 403)
    herald->verified (job, HERALD_UNPROVEN,
                      "valid, but the key may not read the account");
  else
    refusal_settle (job, reply);
  return 0;
}

/* Brevo allows a hundred such calls an hour. */
static int
brevo_verify (void *instance, struct herald_job *job)
{
  (void) instance;
  brevo_request (job, "GET", "account", brevo_verified);
  return 0;
}

/* Not HERALD_REPEATABLE: Brevo forgets idempotency keys after 30 minutes. */
static const struct herald_plugin brevo_plugin = {
  .name = "brevo",
  .label = "Brevo",
  .summary = "Sends e-mails by way of Brevo",
  .version = "1.0",
  .homepage = "https://www.brevo.com",
  .category = HERALD_MAILER,
  .caps = HERALD_TEMPLATES | HERALD_NUMBERED_TEMPLATES | HERALD_BCC
          | HERALD_REPLY_TO | HERALD_HEADERS,
  .max_batch = 1000,            /* 2000 recipients, BCC among them */
  .rate = 1000,
  .rate_ms = 1000,
  .n_settings = HERALD_COUNT (brevo_settings),
  .settings = brevo_settings,
  .verify = brevo_verify,
  .build = brevo_build
};

HERALD_REGISTER (brevo_plugin);
