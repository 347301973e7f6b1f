/* mandrill.c - mails by way of Mandrill (Mailchimp Transactional).
 *
 * herald-mandrill(7) tells operators what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "refusal.h"

static const struct herald_field mandrill_settings[] = {
  { .name = "api-key", .label = "API Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET },
  { .name = "tag", .label = "Tag", .type = HERALD_TEXT, .max = 50,
    .flags = HERALD_MANY | HERALD_ADVANCED,
    .help = "Groups mails in the service's reports." },
  { .name = "subaccount", .label = "Subaccount", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .help = "The subaccount's id." },
  { .name = "ip-pool", .label = "IP Pool", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .help = "The dedicated addresses to use." },
  { .name = "track-opens", .label = "Track Opens", .type = HERALD_BOOL,
    .flags = HERALD_ADVANCED, .help = "If empty as the account says." },
  { .name = "track-clicks", .label = "Track Clicks", .type = HERALD_BOOL,
    .flags = HERALD_ADVANCED, .help = "If empty as the account says." },
  { .name = "base-url", .label = "Base URL", .type = HERALD_BASE_URL,
    .flags = HERALD_ADVANCED, .preset = "https://mandrillapp.com" },
  { .name = "version", .label = "API Version", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .preset = "1.0", .example = "1.3" },
  { .name = "extra", .label = "Extra Fields", .type = HERALD_JSON,
    .flags = HERALD_ADVANCED, .example = "{\"important\": true}",
    .help = "Further members of \"message\", as the API names them." }
};

static int
mandrill_open (const struct herald_settings *settings, void **instance)
{
  const char *version = herald->text (settings, "version");
  const char *extra = herald->text (settings, "extra"), *tag;

  (void) instance;
  if (version[strspn (version, "0123456789.")] != '\0')
    herald->complain (settings, "version", "must be a number like 1.0 or 1.3");
  for (size_t k = 0; (tag = herald->text_at (settings, "tag", k)) != NULL; k++)
    if (*tag == '_')
      herald->complain (settings, "tag", "must not begin with an underscore");
  /* They would make the service expand what participants typed. */
  if (extra != NULL && strstr (extra, "merge_vars\"") != NULL)
    herald->complain (settings, "extra",
                      "must not hold merge variables; use <parameters>");
  /* A BCC address gets one copy a call, so each mail has a call. */
  if (herald->mail_form (settings)->bcc.address != NULL)
    herald->limit_batch (settings, 1);
  return 0;
}

/* Replies. */

static int
mandrill_reply (void *instance, struct herald_job *job,
                const struct herald_reply *reply)
{
  (void) instance;
  refusal_settle (job, reply);
  return 0;
}

static int
mandrill_verified (void *instance, struct herald_job *job,
                   const struct herald_reply *reply)
{
  const char *name = herald->json_text (reply, "name");

  (void) instance;
  if (strcmp (herald->json_text (reply, "PING"), "PONG!") == 0)
    herald->verified (job, HERALD_PROVEN, "the service accepts this key");
  else if (reply->status == 403 && strcmp (name, "Invalid_Key") != 0)
    herald->verified (job, HERALD_UNPROVEN,
                      "valid, but the key may not ask for itself");
  else if (reply->status / 100 == 2 && *name == '\0')
    herald->settle (job, reply, HERALD_BLOCKED,
                    "what answers is not Mandrill; check Base URL");
  else
    refusal_settle_error (job, reply);
  return 0;
}

/* Requests. */

static struct herald_request *
mandrill_request (struct herald_job *job, const char *call,
                  herald_reply_fn *on_reply)
{
  const struct herald_settings *settings = herald->settings (job);
  const char *version = herald->text (settings, "version");
  const char *suffix = strcmp (version, "1.0") == 0 ? ".json" : "";
  struct herald_request *request = herald->request (
    job, "POST",
    herald->format ("%s/api/%s/%s%s", herald->text (settings, "base-url"),
                    version, call, suffix),
    on_reply);

  herald->append (request, "{\"key\":%s",
                  herald->quote (herald->text (settings, "api-key")));
  return request;
}

/* {"a":1} as the service has it: {"name":"a","content":1} */
static void
mandrill_append_variables (struct herald_request *request, const char *record)
{
  const char *name, *value;

  for (size_t k = 0; (value = herald->member (record, k, &name)) != NULL; k++)
    herald->append (request, "%s{\"name\":%s,\"content\":%s}",
                    k > 0 ? "," : "", herald->quote (name), value);
}

/* Whom a call goes to: its mails' recipients, then the BCC address of the
 * one that it has. */
struct mandrill_list {
  struct herald_job *job;
  size_t n, n_boxes;
};

static const struct herald_mailbox *
mandrill_box (const struct mandrill_list *list, size_t k)
{
  return k < list->n ? &herald->mail (list->job, k)->to
                     : &herald->mail (list->job, 0)->bcc;
}

static void
mandrill_append_to (struct herald_request *request,
                    const struct mandrill_list *list)
{
  herald->append (request, ",\"to\":[");
  for (size_t k = 0; k < list->n_boxes; k++) {
    const struct herald_mailbox *box = mandrill_box (list, k);

    herald->append (request, k > 0 ? ",{" : "{");
    herald->append_member (request, "email", box->address);
    herald->append_member (request, "name", box->name);
    herald->append_member (request, "type", k < list->n ? "to" : "bcc");
    herald->append (request, "}");
  }
  herald->append (request, "]");
}

/* What is a recipient's alone.  The BCC address gets what the one recipient
 * gets. */
static void
mandrill_append_own (struct herald_request *request,
                     const struct mandrill_list *list, bool has_variables)
{
  herald->append (request, ",\"recipient_metadata\":[");
  for (size_t k = 0; k < list->n_boxes; k++)
    herald->append (
      request, "%s{\"rcpt\":%s,\"values\":{\"delivery_id\":\"%s\"}}",
      k > 0 ? "," : "", herald->quote (mandrill_box (list, k)->address),
      herald->delivery (list->job, k < list->n ? k : 0)->id);
  herald->append (request, "],\"merge\":%s", has_variables ? "true" : "false");
  if (!has_variables)
    return;
  herald->append (request, ",\"merge_vars\":[");
  for (size_t k = 0; k < list->n_boxes; k++) {
    herald->append (request, "%s{\"rcpt\":%s,\"vars\":[", k > 0 ? "," : "",
                    herald->quote (mandrill_box (list, k)->address));
    mandrill_append_variables (
      request, herald->record (list->job, k < list->n ? k : 0));
    herald->append (request, "]}");
  }
  herald->append (request, "]");
}

/* The BCC address gets nothing if it is the recipient's. */
static void
mandrill_append_recipients (struct herald_request *request,
                            struct herald_job *job)
{
  const struct herald_mail *mail = herald->mail (job, 0);
  size_t n = herald->count (job);
  bool has_bcc = mail->bcc.address != NULL
                 && strcasecmp (mail->bcc.address, mail->to.address) != 0;
  const struct mandrill_list list = { job, n, n + has_bcc };

  mandrill_append_to (request, &list);
  herald->append (request, ",\"preserve_recipients\":%s",
                  has_bcc ? "true" : "false");
  mandrill_append_own (request, &list, mail->template_id != NULL);
}

static void
mandrill_append_options (struct herald_request *request,
                         const struct herald_settings *settings,
                         const struct herald_mail *mail)
{
  const char *opens = herald->text (settings, "track-opens");
  const char *clicks = herald->text (settings, "track-clicks");

  if (mail->reply_to.address != NULL || mail->n_headers > 0) {
    herald->append (request, ",\"headers\":{");
    herald->append_member (request, "Reply-To",
                           herald->mailbox (&mail->reply_to));
    for (uint32_t k = 0; k < mail->n_headers; k++)
      herald->append_member (request, mail->headers[k].name,
                             mail->headers[k].value);
    herald->append (request, "}");
  }
  herald->append_values (request, "tags", "tag");
  if (opens != NULL)
    herald->append (request, ",\"track_opens\":%s", opens);
  if (clicks != NULL)
    herald->append (request, ",\"track_clicks\":%s", clicks);
}

static int
mandrill_build (void *instance, struct herald_job *job)
{
  const struct herald_settings *settings = herald->settings (job);
  const struct herald_mail *mail = herald->mail (job, 0);
  const char *call = mail->template_id != NULL ? "messages/send-template"
                                               : "messages/send";
  struct herald_request *request
    = mandrill_request (job, call, mandrill_reply);

  (void) instance;
  herald->append_member (request, "template_name", mail->template_id);
  if (mail->template_id != NULL)
    herald->append (request, ",\"template_content\":[]");
  herald->append (request, ",\"async\":false");
  herald->append_member (request, "ip_pool",
                         herald->text (settings, "ip-pool"));
  herald->append (request, ",\"message\":{");
  herald->append_member (request, "from_email", mail->from.address);
  herald->append_member (request, "from_name", mail->from.name);
  herald->append_member (request, "subject", mail->subject);
  herald->append_member (request, "text", mail->text);
  herald->append_member (request, "html", mail->html);
  herald->append_member (request, "subaccount",
                         herald->text (settings, "subaccount"));
  mandrill_append_options (request, settings, mail);
  mandrill_append_recipients (request, job);
  herald->append (request, "}}");
  herald->merge (request, "message", herald->text (settings, "extra"));
  return 0;
}

static int
mandrill_verify (void *instance, struct herald_job *job)
{
  (void) instance;
  herald->append (mandrill_request (job, "users/ping2", mandrill_verified),
                  "}");
  return 0;
}

static const struct herald_plugin mandrill_plugin = {
  .name = "mandrill",
  .label = "Mandrill",
  .summary = "Sends e-mails by way of Mandrill (Mailchimp Transactional)",
  .version = "1.0",
  .category = HERALD_MAILER,
  .caps = HERALD_TEMPLATES | HERALD_BCC | HERALD_REPLY_TO | HERALD_HEADERS
          | HERALD_ALIKE,
  .max_batch = REFUSAL_MOST_RECIPIENTS,
  .n_settings = HERALD_COUNT (mandrill_settings),
  .settings = mandrill_settings,
  .open = mandrill_open,
  .verify = mandrill_verify,
  .build = mandrill_build
};

HERALD_REGISTER (mandrill_plugin);
