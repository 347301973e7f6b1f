/* drimify.c - mails by way of the house relay that herald.xml names.
 *
 * herald-drimify(7) tells operators what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <stdbool.h>
#include <string.h>

/* Whoever else sends from this address fails its domain's DMARC policy. */
static const char drimify_sender[] = "notification@digitaservice.com";

/* In the order of the choices below. */
static const int drimify_tls[]
  = { HERALD_TLS_ALWAYS, HERALD_TLS_IF_OFFERED, HERALD_TLS_NEVER };

static const struct herald_choice drimify_choices[] = {
  { "starttls", "STARTTLS" }, { "if-offered", "STARTTLS if offered" },
  { "none", "None" }, { NULL, NULL }
};

static const struct herald_field drimify_settings[] = {
  { .name = "relay", .label = "Mail Relay", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_HOST_ONLY, .min = 1, .max = 300,
    .help = "The server that takes the mails; smtps:// for TLS from the "
            "start.",
    .example = "smtp://relay.example:25" },
  { .name = "relay-security", .label = "Relay Security",
    .type = HERALD_CHOICE, .flags = HERALD_HOST_ONLY,
    .choices = drimify_choices, .preset = "starttls",
    .help = "Of smtp://: whether the connection must, may or shall not "
            "become an encrypted one." },
  { .name = "relay-login", .label = "Relay Login", .type = HERALD_TEXT,
    .flags = HERALD_HOST_ONLY,
    .help = "Empty for a relay that knows this host." },
  { .name = "relay-password", .label = "Relay Password",
    .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET | HERALD_HOST_ONLY,
    .when = "relay-login" }
};

/* scheme://host or scheme://host:port, an IPv6 address in brackets. */
static bool
drimify_is_relay (const char *relay)
{
  static const char digits[] = "0123456789";
  static const char letters[]
    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  const char *host = strstr (relay, "://");
  size_t len;

  if (strncmp (relay, "smtp://", 7) != 0 && strncmp (relay, "smtps://", 8) != 0)
    return false;
  host += 3;
  if (*host == '[') {
    len = 1 + strspn (host + 1, "0123456789abcdefABCDEF:.");
    if (len < 3 || host[len++] != ']')
      return false;
  } else
    len = strspn (host, letters);
  host += len;
  if (len == 0 || *host == '\0')
    return len > 0;
  len = *host == ':' ? strspn (host + 1, digits) : 0;
  return len > 0 && len < 6 && host[1 + len] == '\0';
}

static int
drimify_open (const struct herald_settings *settings, void **instance)
{
  const char *relay = herald->text (settings, "relay");

  (void) instance;
  if (!drimify_is_relay (relay))
    herald->complain (settings, "relay",
                      "must be smtp:// or smtps:// and a host, with a port or "
                      "without, like smtp://relay.example:25");
  else if (herald->text (settings, "relay-login") != NULL
           && strncmp (relay, "smtps:", 6) != 0
           && drimify_tls[herald->number (settings, "relay-security")]
                != HERALD_TLS_ALWAYS)
    herald->warn (settings, "relay-security",
                  "is \"%s\": the password may go over the network "
                  "unencrypted",
                  herald->text (settings, "relay-security"));
  return 0;
}

/* The core reads a mail server's replies. */
static struct herald_request *
drimify_request (struct herald_job *job, const char *method)
{
  const struct herald_settings *settings = herald->settings (job);
  const char *relay = herald->text (settings, "relay");
  const char *login = herald->text (settings, "relay-login");
  struct herald_request *request
    = herald->request (job, method, herald->format ("%s/", relay), NULL);

  if (strncmp (relay, "smtps:", 6) != 0)
    herald->tls (request,
                 drimify_tls[herald->number (settings, "relay-security")]);
  if (login != NULL)
    herald->basic_auth (request, login,
                        herald->text (settings, "relay-password"));
  return request;
}

static int
drimify_verify (void *instance, struct herald_job *job)
{
  (void) instance;
  drimify_request (job, "NOOP");
  return 0;
}

static int
drimify_build (void *instance, struct herald_job *job)
{
  const struct herald_mailbox from
    = { herald->mail (job, 0)->from.name, drimify_sender };

  (void) instance;
  herald->message (drimify_request (job, "MAIL"), 0, &from);
  return 0;
}

static const struct herald_plugin drimify_plugin = {
  .name = "drimify",
  .label = "Drimify",
  .summary = "Sends e-mails by way of the host's mail relay",
  .version = "1.0",
  .homepage = "https://drimify.com",
  .category = HERALD_MAILER,
  .caps = HERALD_REPLY_TO | HERALD_BCC | HERALD_HEADERS
          | HERALD_FIXED_SENDER,
  .max_batch = 1,
  .n_settings = HERALD_COUNT (drimify_settings),
  .settings = drimify_settings,
  .open = drimify_open,
  .verify = drimify_verify,
  .build = drimify_build
};

HERALD_REGISTER (drimify_plugin);
