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

#include "verdict.h"

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
  return 0;
}

/* Replies. */

static int
mandrill_reply (void *instance, struct herald_job *job,
                const struct herald_reply *reply)
{
  (void) instance;
  verdict_settle (job, reply);
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
    verdict_settle_error (job, reply);
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

/* ,"name":"value" if there is a value. */
static const char *
mandrill_member (const char *name, const char *value)
{
  if (value == NULL || *value == '\0')
    return "";
  return herald->format (",%s:%s", herald->quote (name),
                         herald->quote (value));
}

/* {"a":1} as the service has it: {"name":"a","content":1} */
static const char *
mandrill_variables (const char *record)
{
  const char *from = record + 1, *list = "";
  bool is_string = false;
  int depth = 0;

  for (const char *at = from; *at != '\0'; at++)
    if (is_string && *at == '\\')
      at++;
    else if (*at == '"')
      is_string = !is_string;
    else if (!is_string && depth == 0 && strchr (":,}", *at) != NULL) {
      if (*at == ':')
        list = herald->format ("%s{\"name\":%.*s", list, (int) (at - from),
                               from);
      else if (at > from)
        list = herald->format ("%s,\"content\":%.*s}%s", list,
                               (int) (at - from), from, *at == ',' ? "," : "");
      from = at + 1;
    } else if (!is_string)
      depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
  return list;
}

/* Who gets it and what is theirs alone.  The BCC address gets what the one
 * recipient gets, unless it is theirs. */
static void
mandrill_add_recipients (struct herald_request *request,
                         struct herald_job *job, size_t first, size_t n)
{
  const struct herald_mail *mail = herald->mail (job, first);
  bool has_bcc = mail->bcc.address != NULL
                 && strcasecmp (mail->bcc.address, mail->to.address) != 0;
  const char *to = "", *metadata = "", *variables = "";

  for (size_t k = 0; k < n + has_bcc; k++) {
    size_t i = k < n ? first + k : first;
    const struct herald_mailbox *box
      = k < n ? &herald->mail (job, i)->to : &mail->bcc;
    const char *address = herald->quote (box->address);

    to = herald->format ("%s,{\"email\":%s%s,\"type\":\"%s\"}", to, address,
                         mandrill_member ("name", box->name),
                         k < n ? "to" : "bcc");
    metadata = herald->format (
      "%s,{\"rcpt\":%s,\"values\":{\"delivery_id\":\"%s\"}}", metadata,
      address, herald->delivery (job, i)->id);
    variables
      = herald->format ("%s,{\"rcpt\":%s,\"vars\":[%s]}", variables, address,
                        mandrill_variables (herald->record (job, i)));
    if (k < n)
      herald->covers (request, i);
  }
  herald->append (
    request, ",\"to\":[%s],\"preserve_recipients\":%s,\"recipient_metadata\":"
    "[%s]", to + 1, has_bcc ? "true" : "false", metadata + 1);
  if (mail->template_id == NULL)
    herald->append (request, ",\"merge\":false");
  else
    herald->append (request, ",\"merge\":true,\"merge_vars\":[%s]",
                    variables + 1);
}

static void
mandrill_add_options (struct herald_request *request,
                      const struct herald_settings *settings,
                      const struct herald_mail *mail)
{
  const char *opens = herald->text (settings, "track-opens");
  const char *clicks = herald->text (settings, "track-clicks");
  const char *headers, *tags = "", *tag;

  headers = mandrill_member ("Reply-To", herald->mailbox (&mail->reply_to));
  for (uint32_t k = 0; k < mail->n_headers; k++)
    headers = herald->format (
      "%s%s", headers,
      mandrill_member (mail->headers[k].name, mail->headers[k].value));
  for (size_t k = 0; (tag = herald->text_at (settings, "tag", k)) != NULL; k++)
    tags = herald->format ("%s,%s", tags, herald->quote (tag));
  if (*headers != '\0')
    herald->append (request, ",\"headers\":{%s}", headers + 1);
  if (*tags != '\0')
    herald->append (request, ",\"tags\":[%s]", tags + 1);
  if (opens != NULL)
    herald->append (request, ",\"track_opens\":%s", opens);
  if (clicks != NULL)
    herald->append (request, ",\"track_clicks\":%s", clicks);
}

/* One call for the n mails from the first on. */
static void
mandrill_send (struct herald_job *job, size_t first, size_t n)
{
  const struct herald_settings *settings = herald->settings (job);
  const struct herald_mail *mail = herald->mail (job, first);
  struct herald_request *request
    = mandrill_request (job,
                        mail->template_id != NULL ? "messages/send-template"
                                                  : "messages/send",
                        mandrill_reply);

  if (mail->template_id != NULL)
    herald->append (request, "%s,\"template_content\":[]",
                    mandrill_member ("template_name", mail->template_id));
  herald->append (
    request, ",\"async\":false%s,\"message\":{\"from_email\":%s%s%s%s%s%s",
    mandrill_member ("ip_pool", herald->text (settings, "ip-pool")),
    herald->quote (mail->from.address),
    mandrill_member ("from_name", mail->from.name),
    mandrill_member ("subject", mail->subject),
    mandrill_member ("text", mail->text), mandrill_member ("html", mail->html),
    mandrill_member ("subaccount", herald->text (settings, "subaccount")));
  mandrill_add_options (request, settings, mail);
  mandrill_add_recipients (request, job, first, n);
  herald->append (request, "}}");
  herald->merge (request, "message", herald->text (settings, "extra"));
}

/* With a BCC address a call for each mail: it gets one copy a call. */
static int
mandrill_build (void *instance, struct herald_job *job)
{
  size_t n = herald->count (job);
  size_t most = herald->mail (job, 0)->bcc.address != NULL ? 1 : n;

  (void) instance;
  for (size_t first = 0; first < n; first += most)
    mandrill_send (job, first, most);
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
  .max_batch = VERDICT_MOST_RECIPIENTS,
  .n_settings = HERALD_COUNT (mandrill_settings),
  .settings = mandrill_settings,
  .open = mandrill_open,
  .verify = mandrill_verify,
  .build = mandrill_build
};

HERALD_REGISTER (mandrill_plugin);
