/* ses.c - e-mails by way of Amazon SES, API version 2.
 *
 * herald-ses(7) tells operators what to expect.  send_email.c writes mails,
 * sigv4.c signs, account.c and refusal.c read replies.
 *
 * SPDX-License-Identifier: MIT
 */

#include "account.h"
#include "refusal.h"
#include "send_email.h"
#include "sigv4.h"

#include <string.h>

enum {
  SES_MOST_HEADERS = 15,
  SES_SECOND_MS = 1000,
  SES_SOON_MS = 5 * 60 * 1000,
  SES_ACCOUNT_MS = 60 * 60 * 1000
};

struct ses {
  struct sigv4_keys keys;
  const char *base;                     /* with the version's path */
  const char *host;
  const char *path;                     /* of base, "" or "/..." */
  const char *tags;                     /* JSON: all but the delivery's */
  struct account account;
};

static const struct herald_field ses_settings[] = {
  { .name = "access-key", .label = "API Access Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED, .min = 8, .max = 128,
    .help = "The access key ID of a user that may ses:SendEmail.",
    .example = "AKIAIOSFODNN7EXAMPLE" },
  { .name = "secret-key", .label = "API Private Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET, .min = 8, .max = 200,
    .help = "The secret access key that belongs to it." },
  { .name = "region", .label = "Region", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED, .min = 4, .max = 40,
    .help = "Where the sender's address or domain is verified.",
    .example = "eu-west-1" },
  { .name = "session-token", .label = "Session Token", .type = HERALD_TEXT,
    .flags = HERALD_SECRET,
    .help = "Of temporary keys only, which end after some hours." },
  { .name = "configuration-set", .label = "Configuration Set",
    .type = HERALD_TEXT, .flags = HERALD_ADVANCED, .min = 1, .max = 64,
    .help = "Says what Amazon does with opens, bounces and the like." },
  { .name = "tag", .label = "Message Tag", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED | HERALD_MANY, .min = 3, .max = 513,
    .help = "A name and a value that Amazon's events then carry.",
    .example = "campaign=summer-2026" },
  { .name = "extra", .label = "Extra Fields", .type = HERALD_JSON,
    .flags = HERALD_ADVANCED, .help = "Merged into every SendEmail's body." },
  { .name = "version", .label = "API Version", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .preset = "v2", .min = 2, .max = 10 },
  { .name = "base-url", .label = "Base URL", .type = HERALD_BASE_URL,
    .flags = HERALD_ADVANCED,
    .help = "If empty, https://email.REGION.amazonaws.com.",
    .example = "https://email-fips.us-east-1.amazonaws.com" }
};

/* Settings. */

static const char *
ses_read_base (const struct herald_settings *settings, const char *region)
{
  const char *base = herald->text (settings, "base-url");

  if (base == NULL)
    base = herald->format ("https://email.%s.amazonaws.com%s", region,
                           strncmp (region, "cn-", 3) == 0 ? ".cn" : "");
  return herald->format ("%s/%s/email", base,
                         herald->url_escape (
                           herald->text (settings, "version")));
}

/* As curl writes the header Host: without the scheme's own port. */
static const char *
ses_read_host (const char *base)
{
  const char *port = strncmp (base, "https:", 6) == 0 ? ":443" : ":80";
  const char *host = strstr (base, "://") + 3;
  size_t len = strcspn (host, "/"), port_len = strlen (port);

  if (len > port_len && strncmp (host + len - port_len, port, port_len) == 0)
    len -= port_len;
  return herald->format ("%.*s", (int) len, host);
}

static const char *
ses_read_tags (const struct herald_settings *settings)
{
  static const char word[] = "abcdefghijklmnopqrstuvwxyz0123456789-_"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const char *made = "", *tag;

  for (size_t k = 0; (tag = herald->text_at (settings, "tag", k)) != NULL;
       k++) {
    size_t len = strspn (tag, word), end = len + 1;

    if (tag[len] == '=')
      end += strspn (tag + end, word);
    if (len == 0 || tag[len] != '=' || end == len + 1 || tag[end] != '\0')
      herald->complain (settings, "tag",
                        "must be like campaign=summer-2026, of letters, "
                        "digits, - and _");
    else
      made = herald->format ("%s,{\"Name\":\"%.*s\",\"Value\":\"%s\"}", made,
                             (int) len, tag, tag + len + 1);
  }
  return made;
}

static int
ses_open (const struct herald_settings *settings, void **instance)
{
  struct ses *ses = herald->alloc (sizeof *ses);
  const char *region = herald->text (settings, "region");

  if (region[strspn (region, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0'
      || strchr (region, '-') == NULL)
    herald->complain (settings, "region",
                      "must be a region's short name, like eu-west-1");
  ses->keys.access_key = herald->text (settings, "access-key");
  ses->keys.secret_key = herald->text (settings, "secret-key");
  ses->keys.session_token = herald->text (settings, "session-token");
  ses->keys.region = region;
  ses->keys.service = "ses";
  ses->base = ses_read_base (settings, region);
  ses->host = ses_read_host (ses->base);
  ses->path = strchr (strstr (ses->base, "://") + 3, '/');
  ses->tags = ses_read_tags (settings);
  if (strncmp (ses->keys.access_key, "ASIA", 4) == 0
      && ses->keys.session_token == NULL)
    herald->complain (settings, "session-token",
                      "is missing: a key that begins with ASIA is temporary");
  if (herald->mail_form (settings)->n_headers > SES_MOST_HEADERS)
    herald->complain (settings, NULL,
                      "Amazon SES takes %d headers: remove some from <mail>",
                      SES_MOST_HEADERS);
  *instance = ses;
  return 0;
}

/* Replies. */

static int
ses_reply (void *instance, struct herald_job *job,
           const struct herald_reply *reply)
{
  const char *id = herald->json_text (reply, "MessageId");

  (void) instance;
  if (reply->status / 100 != 2) {
    refusal_settle (job, reply);
    return 0;
  }
  if (*id == '\0')
    herald->log (HERALD_WARNING, "Amazon SES answers without a MessageId");
  herald->delivered (job, 0, id);
  return 0;
}

/* There is no token: it stands for having asked what the account may do.
 * Where that can't be learnt, mails go all the same, and tell what is
 * wrong. */
static int
ses_tokened (void *instance, struct herald_job *job,
             const struct herald_reply *reply)
{
  static const char token[] = "GetAccount-was-asked";
  struct ses *ses = instance;

  if (account_learn (&ses->account, reply)) {
    if (ses->account.rate > 0)
      herald->rate (job, ses->account.rate, SES_SECOND_MS);
    herald->token (job, token, NULL, SES_ACCOUNT_MS);
  } else if (reply->status == 401 || reply->status == 403)
    refusal_settle (job, reply);
  else
    herald->token (job, token, NULL, SES_SOON_MS);
  return 0;
}

static int
ses_verified (void *instance, struct herald_job *job,
              const struct herald_reply *reply)
{
  struct ses *ses = instance;

  if (account_learn (&ses->account, reply))
    account_report (&ses->account, job);
  else if (reply->status / 100 == 2)
    herald->settle (job, reply, HERALD_BLOCKED,
                    "what answers is not Amazon SES; check Base URL");
  else
    refusal_settle (job, reply);
  return 0;
}

/* Requests. */

/* Sign what is complete, and have curl say the same host. */
static void
ses_sign (const struct ses *ses, struct herald_request *request,
          const char *method, const char *action)
{
  const struct herald_header headers[]
    = { { "Host", ses->host }, { "Content-Type", "application/json" } };
  struct sigv4_request wire = {
    .method = method, .path = herald->format ("%s/%s", ses->path, action),
    .headers = headers, .n_headers = 1, .time_ms = herald->now_ms ()
  };
  struct sigv4_signature signature;

  wire.body = herald->body_text (request, &wire.body_len);
  if (wire.body_len > 0) {
    wire.n_headers = 2;
    herald->header (request, headers[1].name, headers[1].value);
  }
  sigv4_sign (&wire, &ses->keys, &signature);
  herald->header (request, "X-Amz-Date", signature.date);
  herald->header (request, "X-Amz-Security-Token", ses->keys.session_token);
  herald->header (request, "Authorization", signature.authorization);
}

static void
ses_ask (const struct ses *ses, struct herald_job *job,
         herald_reply_fn *on_reply)
{
  const char *url = herald->format ("%s/account", ses->base);

  ses_sign (ses, herald->request (job, "GET", url, on_reply), "GET",
            "account");
}

static int
ses_token (void *instance, struct herald_job *job)
{
  ses_ask (instance, job, ses_tokened);
  return 0;
}

static int
ses_verify (void *instance, struct herald_job *job)
{
  const struct ses *ses = instance;

  if (account_is_recent (&ses->account))
    account_report (&ses->account, job);
  else
    ses_ask (ses, job, ses_verified);
  return 0;
}

static int
ses_build (void *instance, struct herald_job *job)
{
  const struct ses *ses = instance;
  const struct herald_mail *mail = herald->mail (job, 0);
  const struct herald_settings *settings = herald->settings (job);
  const char *url;
  struct herald_request *request;

  url = herald->format ("%s/outbound-emails", ses->base);
  request = herald->request (job, "POST", url, ses_reply);
  herald->append (request, "{");
  send_email_append (request, mail);
  herald->append_member (request, "ConfigurationSetName",
                         herald->text (settings, "configuration-set"));
  herald->append (request,
                  ",\"EmailTags\":[{\"Name\":\"delivery_id\","
                  "\"Value\":%s}%s]}",
                  herald->quote (herald->delivery (job, 0)->id), ses->tags);
  herald->merge (request, "", herald->text (settings, "extra"));
  ses_sign (ses, request, "POST", "outbound-emails");
  return 0;
}

static const struct herald_plugin ses_plugin = {
  .name = "ses", .label = "Amazon SES",
  .summary = "Sends e-mails by way of Amazon SES",
  .version = "1.0",
  .category = HERALD_MAILER, .max_batch = 1,
  .caps = HERALD_REPLY_TO | HERALD_BCC | HERALD_HEADERS,
  .n_settings = HERALD_COUNT (ses_settings),
  .settings = ses_settings,
  .open = ses_open,
  .token = ses_token,
  .verify = ses_verify,
  .build = ses_build
};

HERALD_REGISTER (ses_plugin);
