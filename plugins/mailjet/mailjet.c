/* mailjet.c - mails by way of Mailjet's Send API v3.1.
 *
 * herald-mailjet(7) tells operators what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <stdbool.h>
#include <string.h>

enum {
  MAILJET_MOST_MESSAGES = 50,   /* of a request */
  MAILJET_MOST_SUBJECT = 255,   /* characters */
  MAILJET_MOST_QUOTED = 300     /* of an error's text */
};

static const struct herald_choice mailjet_tracking[] = {
  { "account_default", "As the account says" }, { "enabled", "Enabled" },
  { "disabled", "Disabled" }, { NULL, NULL }
};

static const struct herald_field mailjet_settings[] = {
  { .name = "access-key", .label = "API Access Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED, .min = 1, .max = 100,
    .help = "Of the account, or of a subaccount that is to send." },
  { .name = "secret-key", .label = "API Private Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET },
  { .name = "campaign", .label = "Campaign", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .min = 1, .max = 255,
    .help = "Groups mails in Mailjet's statistics.",
    .example = "Summer 2026" },
  { .name = "track-opens", .label = "Track Opens", .type = HERALD_CHOICE,
    .flags = HERALD_ADVANCED, .choices = mailjet_tracking },
  { .name = "track-clicks", .label = "Track Clicks", .type = HERALD_CHOICE,
    .flags = HERALD_ADVANCED, .choices = mailjet_tracking },
  { .name = "sandbox", .label = "Sandbox Mode", .type = HERALD_BOOL,
    .flags = HERALD_ADVANCED, .preset = "false",
    .help = "Mailjet checks the mails and sends none." },
  { .name = "base-url", .label = "Base URL", .type = HERALD_BASE_URL,
    .flags = HERALD_ADVANCED, .preset = "https://api.mailjet.com",
    .help = "Of an account in the US https://api.us.mailjet.com." },
  { .name = "version", .label = "API Version", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .preset = "v3.1", .min = 1, .max = 10 },
  { .name = "extra", .label = "Extra Fields", .type = HERALD_JSON,
    .flags = HERALD_ADVANCED,
    .help = "Further members of the request, as the API names them.",
    .example = "{\"Globals\": {\"URLTags\": \"source=herald\"}}" }
};

/* Requests. */

static struct herald_request *
mailjet_request (struct herald_job *job, const char *method, const char *path,
                 herald_reply_fn *on_reply)
{
  const struct herald_settings *settings = herald->settings (job);
  const char *url
    = herald->format ("%s/%s", herald->text (settings, "base-url"), path);
  struct herald_request *request
    = herald->request (job, method, url, on_reply);

  herald->basic_auth (request, herald->text (settings, "access-key"),
                      herald->text (settings, "secret-key"));
  return request;
}

/* Nothing without an address. */
static void
mailjet_append_person (struct herald_request *request, const char *name,
                       bool is_list, const struct herald_mailbox *who)
{
  if (who->address == NULL)
    return;
  herald->append (request, ",\"%s\":%s", name, is_list ? "[{" : "{");
  herald->append_member (request, "Email", who->address);
  herald->append_member (request, "Name", who->name);
  herald->append (request, is_list ? "}]" : "}");
}

/* Without TemplateLanguage Mailjet leaves {{var:x}} as it is. */
static void
mailjet_append_content (struct herald_request *request, struct herald_job *job,
                     size_t i)
{
  const struct herald_mail *mail = herald->mail (job, i);

  herald->append_member (request, "Subject",
                         herald->clip (mail->subject, MAILJET_MOST_SUBJECT));
  herald->append_member (request, "TextPart", mail->text);
  herald->append_member (request, "HTMLPart", mail->html);
  if (mail->template_id == NULL)
    herald->append (request, ",\"TemplateLanguage\":false");
  else
    herald->append (request, ",\"TemplateID\":%s,\"TemplateLanguage\":true"
                             ",\"Variables\":%s",
                    mail->template_id, herald->record (job, i));
}

static void
mailjet_append_message (struct herald_request *request, struct herald_job *job,
                     size_t i)
{
  const struct herald_settings *settings = herald->settings (job);
  const struct herald_mail *mail = herald->mail (job, i);

  herald->append (request, "{\"CustomID\":\"%s\"",
                  herald->delivery (job, i)->id);
  mailjet_append_person (request, "From", false, &mail->from);
  mailjet_append_person (request, "To", true, &mail->to);
  mailjet_append_person (request, "Bcc", true, &mail->bcc);
  mailjet_append_person (request, "ReplyTo", false, &mail->reply_to);
  mailjet_append_content (request, job, i);
  herald->append_member (request, "CustomCampaign",
                         herald->text (settings, "campaign"));
  herald->append_member (request, "TrackOpens",
                         herald->text (settings, "track-opens"));
  herald->append_member (request, "TrackClicks",
                         herald->text (settings, "track-clicks"));
  if (mail->n_headers > 0) {
    herald->append (request, ",\"Headers\":{");
    for (uint32_t k = 0; k < mail->n_headers; k++)
      herald->append_member (request, mail->headers[k].name,
                             mail->headers[k].value);
    herald->append (request, "}");
  }
  herald->append (request, "}");
}

/* Replies. */

/* What would be refused for every mail, whatever its status says: an account
 * that is suspended, wrong keys, a sender that is not authorised. */
static bool
mailjet_is_block (const struct herald_reply *reply, const char *at)
{
  static const char *const codes[] = { "mj-0001", "mj-0015", "send-0008" };
  const char *code = herald->json_text (reply, "%sErrorCode", at);
  int64_t status = herald->json_number (reply, "%sStatusCode", at);

  for (size_t k = 0; k < HERALD_COUNT (codes); k++)
    if (strcmp (code, codes[k]) == 0)
      return true;
  return status == 401 || status == 403;
}

/* "mj-0013: "x" is an invalid email address (To[0].Email)"; at is where
 * the error is: "Messages.0.Errors.0.", or "" of one of all messages. */
static const char *
mailjet_problem (const struct herald_reply *reply, const char *at)
{
  const char *where = herald->json_text (reply, "%sErrorRelatedTo.0", at);
  const char *text = herald->clip (
    herald->json_text (reply, "%sErrorMessage", at), MAILJET_MOST_QUOTED);

  if (*where != '\0')
    text = herald->format ("%s (%s)", text, where);
  return herald->format ("%s: %s",
                         herald->json_text (reply, "%sErrorCode", at), text);
}

/* The reply's message of the request's k-th, which is delivery i: the one
 * in its place, unless that says it is another's. */
static const char *
mailjet_find (struct herald_job *job, const struct herald_reply *reply,
              size_t k, size_t i)
{
  const char *id = herald->delivery (job, i)->id;
  const char *own = herald->json_text (reply, "Messages.%zu.CustomID", k);

  if (*own == '\0' || strcmp (own, id) == 0)
    return herald->format ("Messages.%zu", k);
  for (size_t m = 0; m < MAILJET_MOST_MESSAGES; m++)
    if (strcmp (herald->json_text (reply, "Messages.%zu.CustomID", m), id) == 0)
      return herald->format ("Messages.%zu", m);
  return "none";
}

/* What Mailjet says of one message.  Returns what it would refuse every
 * mail for, or NULL. */
static const char *
mailjet_settle_one (struct herald_job *job, const struct herald_reply *reply,
                    const char *message, size_t i)
{
  const char *status = herald->json_text (reply, "%s.Status", message);
  const char *at = herald->format ("%s.Errors.0.", message);
  const char *id = herald->json_text (reply, "%s.To.0.MessageID", message);
  int64_t code = herald->json_number (reply, "%sStatusCode", at);

  if (strcmp (status, "success") == 0) {
    if (*id == '\0')                    /* of the sandbox mode */
      id = herald->json_text (reply, "%s.To.0.MessageUUID", message);
    herald->delivered (job, i, id);
  } else if (strcmp (status, "error") != 0) {
    if (reply->status / 100 == 2)
      herald->log (HERALD_WARNING, "Mailjet accepts a mail and gives no id");
  } else if (mailjet_is_block (reply, at))
    return mailjet_problem (reply, at);
  else if (code == 429 || code >= 500)
    herald->retry (job, i, 0, "%s", mailjet_problem (reply, at));
  else
    herald->rejected (job, i, "%s", mailjet_problem (reply, at));
  return NULL;
}

/* A 400 may well hold successes, so the messages are read first. */
static int
mailjet_reply (void *instance, struct herald_job *job,
               const struct herald_reply *reply)
{
  int outcome = mailjet_is_block (reply, "") ? HERALD_BLOCKED
                                             : HERALD_BY_STATUS;
  const char *block, *why = "";
  size_t i;

  (void) instance;
  if (*herald->json_text (reply, "ErrorCode") != '\0')
    why = mailjet_problem (reply, "");
  for (size_t k = 0; (i = herald->covered (reply, k)) != HERALD_END; k++) {
    block
      = mailjet_settle_one (job, reply, mailjet_find (job, reply, k, i), i);
    if (block != NULL) {
      why = block;
      outcome = HERALD_BLOCKED;
    }
  }
  herald->settle (job, reply, outcome, "%s", why);
  return 0;
}

static int
mailjet_build (void *instance, struct herald_job *job)
{
  const struct herald_settings *settings = herald->settings (job);
  const char *version
    = herald->url_escape (herald->text (settings, "version"));
  struct herald_request *request
    = mailjet_request (job, "POST", herald->format ("%s/send", version),
                       mailjet_reply);

  (void) instance;
  for (size_t i = 0; i < herald->count (job); i++) {
    herald->append (request, i == 0 ? "{\"Messages\":[" : ",");
    mailjet_append_message (request, job, i);
  }
  herald->append (request, herald->number (settings, "sandbox") != 0
                             ? "],\"SandboxMode\":true}" : "]}");
  herald->merge (request, "", herald->text (settings, "extra"));
  return 0;
}

/* Verify Connection. */

static int
mailjet_verified (void *instance, struct herald_job *job,
                  const struct herald_reply *reply)
{
  (void) instance;
  if (reply->status / 100 == 2
      && herald->json_kind (reply, "Data") != HERALD_JSON_ARRAY)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "what answers is not Mailjet; check Base URL");
  else if (reply->status / 100 == 2)
    herald->verified (job, HERALD_PROVEN, "Mailjet accepts these keys");
  else if (reply->status == 403)
    herald->verified (job, HERALD_UNPROVEN,
                      "valid, but the keys may not read the account");
  else
    herald->settle (job, reply, HERALD_BY_STATUS, "%s",
                    reply->status == 401
                      ? "check API Access Key and API Private Key" : "");
  return 0;
}

static int
mailjet_verify (void *instance, struct herald_job *job)
{
  (void) instance;
  mailjet_request (job, "GET", "v3/REST/myprofile", mailjet_verified);
  return 0;
}

static const struct herald_plugin mailjet_plugin = {
  .name = "mailjet",
  .label = "Mailjet",
  .summary = "Sends e-mails by way of Mailjet",
  .version = "1.0",
  .homepage = "https://www.mailjet.com",
  .category = HERALD_MAILER,
  .caps = HERALD_TEMPLATES | HERALD_NUMBERED_TEMPLATES | HERALD_BCC
          | HERALD_REPLY_TO | HERALD_HEADERS,
  .max_batch = MAILJET_MOST_MESSAGES,
  .n_settings = HERALD_COUNT (mailjet_settings),
  .settings = mailjet_settings,
  .verify = mailjet_verify,
  .build = mailjet_build
};

HERALD_REGISTER (mailjet_plugin);
