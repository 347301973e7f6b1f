/* mailgun.c - e-mails by way of Mailgun.
 *
 * Mails that are alike but for their recipients go in one request.
 * herald-mailgun(7) tells operators what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "plain.h"
#include "recipients.h"
#include "refusal.h"

#include <string.h>
#include <strings.h>

static const char *const mailgun_bases[]
  = { "https://api.mailgun.net", "https://api.eu.mailgun.net" };

static const struct herald_choice mailgun_regions[]
  = { { "us", "US" }, { "eu", "EU" }, { NULL, NULL } };
static const struct herald_choice mailgun_opens[]
  = { { "yes", "Yes" }, { "no", "No" }, { NULL, NULL } };
static const struct herald_choice mailgun_clicks[]
  = { { "yes", "Yes" }, { "no", "No" }, { "htmlonly", "In HTML Only" },
      { NULL, NULL } };

static const struct herald_field mailgun_settings[] = {
  { .name = "api-key", .label = "API Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET, .min = 8, .max = 200,
    .help = "A sending key of the domain, or an API key of the account." },
  { .name = "domain", .label = "API Domain", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED, .min = 3, .max = 253,
    .help = "The sending domain, as Mailgun lists it.",
    .example = "mg.example.com" },
  { .name = "region", .label = "API Region", .type = HERALD_CHOICE,
    .choices = mailgun_regions, .preset = "us",
    .help = "Where the domain was made: it is known there only." },
  { .name = "tag", .label = "Tag", .type = HERALD_TEXT, .max = 128,
    .flags = HERALD_ADVANCED | HERALD_MANY,
    .help = "Groups mails in Mailgun's statistics.",
    .example = "summer-2026" },
  { .name = "track-opens", .label = "Track Opens", .type = HERALD_CHOICE,
    .flags = HERALD_ADVANCED, .choices = mailgun_opens },
  { .name = "track-clicks", .label = "Track Clicks", .type = HERALD_CHOICE,
    .flags = HERALD_ADVANCED, .choices = mailgun_clicks },
  { .name = "test-mode", .label = "Test Mode", .type = HERALD_BOOL,
    .flags = HERALD_ADVANCED, .preset = "false",
    .help = "Mailgun takes the mails and sends none." },
  { .name = "base-url", .label = "Base URL", .type = HERALD_BASE_URL,
    .flags = HERALD_ADVANCED, .help = "If empty that of API Region.",
    .example = "https://api.eu.mailgun.net" },
  { .name = "version", .label = "API Version", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .preset = "v3", .min = 1, .max = 10,
    .help = "Of the messages API." },
  { .name = "extra", .label = "Extra Fields", .type = HERALD_JSON,
    .flags = HERALD_ADVANCED,
    .help = "Further fields of the form; an array repeats one.",
    .example = "{\"t:version\": \"winter\"}" }
};

/* What herald sets itself, or what would show recipients to each other. */
static const char *const mailgun_own[]
  = { "from", "to", "cc", "bcc", "subject", "text", "html", "template",
      "recipient-variables", "t:variables", "v:delivery_id", "h:Reply-To" };

/* Settings. */

static int
mailgun_open (const struct herald_settings *settings, void **instance)
{
  const char *domain = herald->text (settings, "domain");
  const char *extra = herald->text (settings, "extra"), *name;

  (void) instance;
  if (domain[strspn (domain, "abcdefghijklmnopqrstuvwxyz0123456789.-"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0'
      || strchr (domain, '.') == NULL)
    herald->complain (settings, "domain",
                      "must be a domain alone, like mg.example.com");
  if (herald->maps (settings, "delivery_id"))
    herald->complain (settings, "delivery_id",
                      "is a variable of herald's own: name the parameter "
                      "otherwise");
  /* Of a mail with a blind copy Mailgun would send one for each recipient. */
  if (herald->mail_form (settings)->bcc.address != NULL)
    herald->limit_batch (settings, 1);
  for (size_t i = 0; herald->member (extra, i, &name) != NULL; i++)
    for (size_t k = 0; k < HERALD_COUNT (mailgun_own); k++)
      if (strcasecmp (name, mailgun_own[k]) == 0)
        herald->complain (settings, "extra",
                          "must not have %s, which only herald sets",
                          mailgun_own[k]);
  return 0;
}

static const char *
mailgun_base (const struct herald_settings *settings)
{
  const char *base = herald->text (settings, "base-url");

  return base != NULL ? base
                      : mailgun_bases[herald->number (settings, "region")];
}

/* Requests. */

static struct herald_request *
mailgun_request (struct herald_job *job, const char *method, const char *url,
                 herald_reply_fn *on_reply)
{
  const struct herald_settings *settings = herald->settings (job);
  struct herald_request *request = herald->request (
    job, method, herald->format ("%s/%s", mailgun_base (settings), url),
    on_reply);

  herald->basic_auth (request, "api", herald->text (settings, "api-key"));
  return request;
}

static struct herald_request *
mailgun_messages (struct herald_job *job, herald_reply_fn *on_reply)
{
  const struct herald_settings *settings = herald->settings (job);

  return mailgun_request (
    job, "POST",
    herald->format ("%s/%s/messages",
                    herald->url_escape (herald->text (settings, "version")),
                    herald->text (settings, "domain")),
    on_reply);
}

static void
mailgun_add_mail (struct herald_request *request,
                  const struct herald_mail *mail)
{
  const char *subject = plain_text (mail->subject);

  herald->form (request, "from", plain_mailbox (&mail->from));
  herald->form (request, "bcc", plain_mailbox (&mail->bcc));
  if (mail->template_id == NULL || *subject != '\0')
    herald->form (request, "subject", subject);
  herald->form (request, "text", plain_text (mail->text));
  herald->form (request, "html", plain_html (mail->html));
  herald->form (request, "template", mail->template_id);
  herald->form (request, "h:Reply-To", plain_mailbox (&mail->reply_to));
  for (uint32_t k = 0; k < mail->n_headers; k++)
    herald->form (request, herald->format ("h:%s", mail->headers[k].name),
                  plain_text (mail->headers[k].value));
}

static void
mailgun_add_extra (struct herald_request *request, const char *extra)
{
  const char *name, *value, *item;

  for (size_t i = 0; (value = herald->member (extra, i, &name)) != NULL; i++) {
    if (*value != '[' && strcmp (value, "null") != 0)
      herald->form (request, name, herald->unquote (value));
    for (size_t k = 0;
         *value == '[' && (item = herald->member (value, k, NULL)) != NULL;
         k++)
      herald->form (request, name, herald->unquote (item));
  }
}

static void
mailgun_add_options (struct herald_request *request,
                     const struct herald_settings *settings)
{
  const char *tag;

  for (size_t k = 0; (tag = herald->text_at (settings, "tag", k)) != NULL;
       k++)
    herald->form (request, "o:tag", tag);
  herald->form (request, "o:tracking-opens",
                herald->text (settings, "track-opens"));
  herald->form (request, "o:tracking-clicks",
                herald->text (settings, "track-clicks"));
  if (herald->number (settings, "test-mode"))
    herald->form (request, "o:testmode", "yes");
  mailgun_add_extra (request, herald->text (settings, "extra"));
}

/* One id for all of a batch. */
static int
mailgun_reply (void *instance, struct herald_job *job,
               const struct herald_reply *reply)
{
  const char *id = herald->json_text (reply, "id");
  size_t i;

  (void) instance;
  if (reply->status / 100 != 2
      || strstr (reply->body, "Mailgun Magnificent API") != NULL) {
    refusal_settle (job, reply);
    return 0;
  }
  if (*id == '\0')
    herald->log (HERALD_WARNING, "Mailgun answers without an id");
  for (size_t k = 0; (i = herald->covered (reply, k)) != HERALD_END; k++)
    herald->delivered (job, i, id);
  return 0;
}

static int
mailgun_build (void *instance, struct herald_job *job)
{
  const struct herald_settings *settings = herald->settings (job);
  bool is_batch = herald->batch (settings) > 1;
  struct herald_request *request;

  (void) instance;
  for (size_t i = 0; is_batch && i < herald->count (job); i++)
    is_batch = recipients_can_join (job, i);
  if (!is_batch && herald->count (job) > 1) {
    herald->settle (job, NULL, HERALD_SPLIT, "one of these must go alone");
    return 0;
  }
  request = mailgun_messages (job, mailgun_reply);
  mailgun_add_mail (request, herald->mail (job, 0));
  recipients_add (request, job, is_batch);
  mailgun_add_options (request, settings);
  return 0;
}

/* Verify Connection. */

/* To a message without sender and recipient, which is none. */
static int
mailgun_probed (void *instance, struct herald_job *job,
                const struct herald_reply *reply)
{
  (void) instance;
  if (reply->status == 400 && strstr (reply->body, "from") != NULL)
    herald->verified (job, HERALD_PROVEN,
                      "valid: a key that may send for this domain and nothing "
                      "else, so the domain's state is unknown");
  else if (reply->status == 400)
    herald->verified (job, HERALD_UNPROVEN,
                      "valid, but the key may not ask for the domain; a test "
                      "e-mail proves the rest");
  else
    refusal_settle (job, reply);
  return 0;
}

static int
mailgun_verified (void *instance, struct herald_job *job,
                  const struct herald_reply *reply)
{
  const char *state = herald->json_text (reply, "domain.state");

  (void) instance;
  if (reply->status == 401 || reply->status == 403)
    herald->form (mailgun_messages (job, mailgun_probed), "o:testmode", "yes");
  else if (reply->status / 100 != 2
           || herald->json_kind (reply, "domain") != HERALD_JSON_OBJECT)
    refusal_settle (job, reply);
  else if (strcmp (state, "active") == 0)
    herald->verified (job, HERALD_PROVEN, "the key may send for this domain");
  else if (strcmp (state, "disabled") == 0)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "the key is valid, but Mailgun has disabled the domain");
  else
    herald->verified (job, HERALD_UNPROVEN,
                      "the key is valid, but the domain's state is \"%s\": "
                      "see its DNS records", herald->clip (state, 40));
  return 0;
}

static int
mailgun_verify (void *instance, struct herald_job *job)
{
  (void) instance;
  mailgun_request (
    job, "GET",
    herald->format ("v4/domains/%s",
                    herald->text (herald->settings (job), "domain")),
    mailgun_verified);
  return 0;
}

static const struct herald_plugin mailgun_plugin = {
  .name = "mailgun", .label = "Mailgun",
  .summary = "Sends e-mails by way of Mailgun",
  .version = "1.0", .category = HERALD_MAILER, .max_batch = 1000,
  .caps = HERALD_REPLY_TO | HERALD_BCC | HERALD_HEADERS | HERALD_TEMPLATES
          | HERALD_ALIKE,
  .n_settings = HERALD_COUNT (mailgun_settings),
  .settings = mailgun_settings,
  .open = mailgun_open,
  .verify = mailgun_verify,
  .build = mailgun_build
};

HERALD_REGISTER (mailgun_plugin);
