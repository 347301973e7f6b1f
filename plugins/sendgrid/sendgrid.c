/* sendgrid.c - mails by way of SendGrid.
 *
 * herald-sendgrid(7) tells operators what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <string.h>
#include <strings.h>

#include "refusal.h"

enum {
  SENDGRID_MOST_RECIPIENTS = 1000,      /* of a call, BCC addresses too */
  SENDGRID_MOST_CATEGORIES = 10,
  SENDGRID_MOST_SCOPES = 2000           /* of a key; there are some 250 */
};

static const struct herald_field sendgrid_settings[] = {
  { .name = "api-key", .label = "API Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET,
    .help = "Needs the permission Mail Send." },
  { .name = "category", .label = "Category", .type = HERALD_TEXT,
    .flags = HERALD_MANY | HERALD_ADVANCED, .max = 255,
    .help = "Groups mails in the service's statistics; up to 10." },
  { .name = "unsubscribe-group", .label = "Unsubscribe Group",
    .type = HERALD_NUMBER, .flags = HERALD_ADVANCED, .min = 1,
    .max = INT32_MAX, .help = "The group's id." },
  { .name = "ip-pool", .label = "IP Pool", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .min = 2, .max = 64,
    .help = "The dedicated addresses to use." },
  { .name = "track-opens", .label = "Track Opens", .type = HERALD_BOOL,
    .flags = HERALD_ADVANCED, .help = "If empty as the account says." },
  { .name = "track-clicks", .label = "Track Clicks", .type = HERALD_BOOL,
    .flags = HERALD_ADVANCED, .help = "If empty as the account says." },
  { .name = "sandbox", .label = "Sandbox Mode", .type = HERALD_BOOL,
    .flags = HERALD_ADVANCED,
    .help = "The service checks mails and sends none." },
  { .name = "base-url", .label = "Base URL", .type = HERALD_BASE_URL,
    .flags = HERALD_ADVANCED, .preset = "https://api.sendgrid.com",
    .help = "https://api.eu.sendgrid.com for a subuser in the EU." },
  { .name = "version", .label = "API Version", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .preset = "v3", .min = 1, .max = 10 },
  { .name = "extra", .label = "Extra Fields", .type = HERALD_JSON,
    .flags = HERALD_ADVANCED, .example = "{\"batch_id\": \"...\"}",
    .help = "Further members of the body, as the API names them." }
};

static int
sendgrid_open (const struct herald_settings *settings, void **instance)
{
  (void) instance;
  if (herald->text_at (settings, "category", SENDGRID_MOST_CATEGORIES) != NULL)
    herald->complain (settings, "category",
                      "must not be given more than %d times",
                      SENDGRID_MOST_CATEGORIES);
  if (herald->number (settings, "sandbox") != 0)
    herald->warn (settings, "sandbox",
                  "is on: nobody will get a mail of this integration");
  if (herald->mail_form (settings)->bcc.address != NULL)
    herald->limit_batch (settings, SENDGRID_MOST_RECIPIENTS / 2);
  return 0;
}

/* Replies. */

static int
sendgrid_reply (void *instance, struct herald_job *job,
                const struct herald_reply *reply)
{
  size_t i;

  (void) instance;
  if (reply->status / 100 != 2)
    refusal_settle (job, reply);
  else
    for (size_t k = 0; (i = herald->covered (reply, k)) != HERALD_END; k++)
      herald->delivered (job, i, herald->reply_header (reply, "X-Message-Id"));
  return 0;
}

static int
sendgrid_verified (void *instance, struct herald_job *job,
                   const struct herald_reply *reply)
{
  size_t n = herald->json_count (reply, "scopes"), k = 0;

  (void) instance;
  if (n > SENDGRID_MOST_SCOPES)
    n = SENDGRID_MOST_SCOPES;
  while (k < n
         && strcmp (herald->json_text (reply, "scopes.%zu", k), "mail.send"))
    k++;
  if (reply->status == 403)
    herald->verified (job, HERALD_UNPROVEN,
                      "valid, but the key may not ask for its permissions");
  else if (reply->status / 100 != 2)
    refusal_settle (job, reply);
  else if (herald->json_kind (reply, "scopes") != HERALD_JSON_ARRAY)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "what answers is not SendGrid; check Base URL");
  else if (k == n)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "the key lacks the permission Mail Send");
  else
    herald->verified (job, HERALD_PROVEN, "this key may send mails");
  return 0;
}

/* Requests. */

static struct herald_request *
sendgrid_request (struct herald_job *job, const char *method, const char *path,
                  herald_reply_fn *on_reply)
{
  const struct herald_settings *settings = herald->settings (job);
  struct herald_request *request = herald->request (
    job, method,
    herald->format ("%s/%s/%s", herald->text (settings, "base-url"),
                    herald->text (settings, "version"), path),
    on_reply);

  herald->bearer_auth (request, herald->text (settings, "api-key"));
  return request;
}

/* "name":{"email":...}.  The service refuses names with a semicolon or
 * comma. */
static void
sendgrid_append_mailbox (struct herald_request *request, const char *name,
                         const struct herald_mailbox *mailbox)
{
  size_t len = mailbox->name != NULL ? strlen (mailbox->name) : 0;
  char *text = herald->alloc (len + 1);

  for (size_t k = 0; k < len; k++)
    text[k]
      = strchr (";,", mailbox->name[k]) != NULL ? ' ' : mailbox->name[k];
  if (name != NULL)
    herald->append (request, ",\"%s\":", name);
  herald->append (request, "{");
  herald->append_member (request, "email", mailbox->address);
  herald->append_member (request, "name",
                         text[strspn (text, " ")] != '\0' ? text : NULL);
  herald->append (request, "}");
}

static void
sendgrid_append_content (struct herald_request *request,
                         const struct herald_mail *mail)
{
  const struct herald_header parts[]
    = { { "text/plain", mail->text }, { "text/html", mail->html } };
  size_t n = 0;

  for (size_t k = 0; k < HERALD_COUNT (parts); k++)
    if (parts[k].value != NULL && *parts[k].value != '\0')
      herald->append (request, "%s{\"type\":\"%s\",\"value\":%s}",
                      n++ == 0 ? ",\"content\":[" : ",", parts[k].name,
                      herald->quote (parts[k].value));
  herald->append (request, n > 0 ? "]" : "");
}

static void
sendgrid_append_mail (struct herald_request *request,
                      const struct herald_mail *mail)
{
  sendgrid_append_mailbox (request, "from", &mail->from);
  herald->append_member (request, "subject", mail->subject);
  herald->append_member (request, "template_id", mail->template_id);
  if (mail->reply_to.address != NULL)
    sendgrid_append_mailbox (request, "reply_to", &mail->reply_to);
  sendgrid_append_content (request, mail);
  if (mail->n_headers == 0)
    return;
  herald->append (request, ",\"headers\":{");
  for (uint32_t k = 0; k < mail->n_headers; k++)
    herald->append_member (request, mail->headers[k].name,
                           mail->headers[k].value);
  herald->append (request, "}");
}

static void
sendgrid_append_options (struct herald_request *request,
                         const struct herald_settings *settings)
{
  const char *opens = herald->text (settings, "track-opens");
  const char *clicks = herald->text (settings, "track-clicks");
  const char *group = herald->text (settings, "unsubscribe-group");

  herald->append_values (request, "categories", "category");
  if (opens != NULL || clicks != NULL)
    herald->append (request, ",\"tracking_settings\":{");
  if (opens != NULL)
    herald->append (request, "\"open_tracking\":{\"enable\":%s}%s", opens,
                    clicks != NULL ? "," : "}");
  if (clicks != NULL)
    herald->append (request, "\"click_tracking\":{\"enable\":%s}}", clicks);
  if (group != NULL)
    herald->append (request, ",\"asm\":{\"group_id\":%s}", group);
  if (herald->number (settings, "sandbox") != 0)
    herald->append (request,
                    ",\"mail_settings\":{\"sandbox_mode\":{\"enable\":true}}");
  herald->append_member (request, "ip_pool_name",
                         herald->text (settings, "ip-pool"));
}

/* No address may be in it twice. */
static void
sendgrid_append_recipient (struct herald_request *request,
                           struct herald_job *job, size_t i)
{
  const struct herald_mail *mail = herald->mail (job, i);

  herald->append (request, "{\"to\":[");
  sendgrid_append_mailbox (request, NULL, &mail->to);
  herald->append (request, "],\"custom_args\":{\"delivery_id\":\"%s\"}",
                  herald->delivery (job, i)->id);
  if (mail->bcc.address != NULL
      && strcasecmp (mail->bcc.address, mail->to.address) != 0)
    herald->append (request, ",\"bcc\":[{\"email\":%s}]",
                    herald->quote (mail->bcc.address));
  if (mail->template_id != NULL)
    herald->append (request, ",\"dynamic_template_data\":%s",
                    herald->record (job, i));
  herald->append (request, "}");
}

static int
sendgrid_build (void *instance, struct herald_job *job)
{
  const struct herald_settings *settings = herald->settings (job);
  struct herald_request *request
    = sendgrid_request (job, "POST", "mail/send", sendgrid_reply);

  (void) instance;
  herald->append (request, "{\"personalizations\":[");
  for (size_t i = 0; i < herald->count (job); i++) {
    herald->append (request, i > 0 ? "," : "");
    sendgrid_append_recipient (request, job, i);
  }
  herald->append (request, "]");
  sendgrid_append_mail (request, herald->mail (job, 0));
  sendgrid_append_options (request, settings);
  herald->append (request, "}");
  herald->merge (request, "", herald->text (settings, "extra"));
  return 0;
}

static int
sendgrid_verify (void *instance, struct herald_job *job)
{
  (void) instance;
  sendgrid_request (job, "GET", "scopes", sendgrid_verified);
  return 0;
}

static const struct herald_plugin sendgrid_plugin = {
  .name = "sendgrid",
  .label = "SendGrid",
  .summary = "Sends e-mails by way of SendGrid",
  .version = "1.0",
  .category = HERALD_MAILER,
  .caps = HERALD_TEMPLATES | HERALD_BCC | HERALD_REPLY_TO | HERALD_HEADERS
          | HERALD_ALIKE,
  .max_batch = SENDGRID_MOST_RECIPIENTS,
  .n_settings = HERALD_COUNT (sendgrid_settings),
  .settings = sendgrid_settings,
  .open = sendgrid_open,
  .verify = sendgrid_verify,
  .build = sendgrid_build
};

HERALD_REGISTER (sendgrid_plugin);
