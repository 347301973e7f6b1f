/* smtp.c - mails by way of any mail server.
 *
 * herald-smtp(7) tells operators what to expect.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

#include <string.h>

struct smtp {
  const char *url;
  const char *login, *password;         /* NULL: none */
  int tls;
};

/* In the order of the choices below. */
static const struct {
  const char *scheme;
  int port;
  int tls;
} smtp_securities[] = {
  { "smtp", 587, HERALD_TLS_ALWAYS },
  { "smtps", 465, HERALD_TLS_ALWAYS },
  { "smtp", 25, HERALD_TLS_NEVER }
};

static const struct herald_choice smtp_choices[] = {
  { "starttls", "STARTTLS" }, { "tls", "TLS" }, { "none", "None" },
  { NULL, NULL }
};

static const struct herald_field smtp_settings[] = {
  { .name = "host", .label = "Host", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED, .min = 1, .max = 253,
    .help = "The mail server's name or address.",
    .example = "smtp.example.com" },
  { .name = "port", .label = "Port", .type = HERALD_NUMBER,
    .min = 1, .max = 65535,
    .help = "If empty 587 with STARTTLS, 465 with TLS, 25 with none.",
    .example = "587" },
  { .name = "login", .label = "Login", .type = HERALD_TEXT,
    .help = "Empty for a server that asks for none.",
    .example = "play@acme.example" },
  { .name = "password", .label = "Password", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET, .when = "login" },
  { .name = "security", .label = "Security", .type = HERALD_CHOICE,
    .choices = smtp_choices, .preset = "starttls",
    .help = "STARTTLS or TLS: nothing is sent unencrypted. None is for a "
            "server on this host or in a trusted network." },
  { .name = "ehlo-name", .label = "EHLO Name", .type = HERALD_TEXT,
    .flags = HERALD_ADVANCED, .min = 1, .max = 253,
    .help = "How herald introduces itself; if empty with the name of the "
            "host it runs on.",
    .example = "play.acme.example" }
};

/* Settings. */

/* The host as a URL has it; an IPv6 address may have its brackets or
 * not. */
static const char *
smtp_read_host (const struct herald_settings *settings)
{
  const char *host = herald->text (settings, "host");
  const char *colon = strchr (host, ':');

  if (strpbrk (host, " /\\@?#%\"'<>(),;") != NULL)
    herald->complain (settings, "host",
                      "must be a name or an address alone, like "
                      "smtp.example.com");
  else if (colon != NULL && strchr (colon + 1, ':') == NULL)
    herald->complain (settings, "host",
                      "must not hold the port: there is the setting \"port\" "
                      "(Port)");
  else if (colon != NULL
           && host[strspn (host, "[]0123456789abcdefABCDEF:.")] != '\0')
    herald->complain (settings, "host", "is no IPv6 address");
  return colon != NULL && *host != '[' ? herald->format ("[%s]", host) : host;
}

static const char *
smtp_read_ehlo_name (const struct herald_settings *settings)
{
  /* RFC 5321, section 4.1.3: a domain, or an address in brackets. */
  static const char letters[]
    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "-.:[]";
  const char *name = herald->text (settings, "ehlo-name");

  if (name == NULL)
    return "";
  if (name[strspn (name, letters)] != '\0')
    herald->complain (settings, "ehlo-name",
                      "must be a host's name, like play.acme.example, or its "
                      "address in brackets");
  return herald->url_escape (name);
}

static int
smtp_open (const struct herald_settings *settings, void **instance)
{
  struct smtp *smtp = herald->alloc (sizeof *smtp);
  int64_t security = herald->number (settings, "security");
  int64_t port = herald->number (settings, "port");

  if (port == 0)
    port = smtp_securities[security].port;
  smtp->url = herald->format (
    "%s://%s:%d/%s", smtp_securities[security].scheme,
    smtp_read_host (settings), (int) port, smtp_read_ehlo_name (settings));
  smtp->tls = smtp_securities[security].tls;
  smtp->login = herald->text (settings, "login");
  smtp->password = herald->text (settings, "password");
  if (smtp->login != NULL && smtp->tls == HERALD_TLS_NEVER)
    herald->warn (settings, "security",
                  "is \"none\": the password goes over the network "
                  "unencrypted");
  *instance = smtp;
  return 0;
}

/* Requests; the core reads a mail server's replies. */

static struct herald_request *
smtp_request (const struct smtp *smtp, struct herald_job *job,
              const char *method)
{
  struct herald_request *request
    = herald->request (job, method, smtp->url, NULL);

  herald->tls (request, smtp->tls);
  if (smtp->login != NULL)
    herald->basic_auth (request, smtp->login, smtp->password);
  return request;
}

static int
smtp_verify (void *instance, struct herald_job *job)
{
  smtp_request (instance, job, "NOOP");
  return 0;
}

static int
smtp_build (void *instance, struct herald_job *job)
{
  herald->message (smtp_request (instance, job, "MAIL"), 0, NULL);
  return 0;
}

static const struct herald_plugin smtp_plugin = {
  .name = "smtp",
  .label = "SMTP",
  .summary = "Sends e-mails by way of your own mail server",
  .version = "1.0",
  .category = HERALD_MAILER,
  .caps = HERALD_REPLY_TO | HERALD_BCC | HERALD_HEADERS,
  .max_batch = 1,
  .n_settings = HERALD_COUNT (smtp_settings),
  .settings = smtp_settings,
  .open = smtp_open,
  .verify = smtp_verify,
  .build = smtp_build
};

HERALD_REGISTER (smtp_plugin);
