/* integration.c - a descriptor and its plugin, ready to work.
 *
 * SPDX-License-Identifier: MIT
 */

#include "integration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "host.h"

enum {
  INTEGRATION_IN_FLIGHT = 32,
  INTEGRATION_BATCH_WAIT_MS = 200,
  INTEGRATION_CONNECT_MS = 10 * 1000,
  INTEGRATION_TOTAL_MS = 60 * 1000,
  /* What an instance may allocate; a plugin that asks for more in .open
   * does not know what it does. */
  INTEGRATION_CEILING = 16 << 20
};

/* "5s 30s 2m 10m 1h 6h 24h" */
static const int64_t integration_retry_ms[] = {
  5000, 30000, 120000, 600000, 3600000, 21600000, 86400000
};

/* What the checks are about, handed around. */
struct review {
  const struct descriptor *descriptor;
  const struct provider *provider;
  struct problems *problems;
};

/* All the reasons at once: nothing stops at the first. */
#define REFUSE(review, line, ...)                                   \
  problems_add ((review)->problems, PROBLEM_ERROR,                  \
                (review)->descriptor->path, (line),                 \
                (review)->descriptor->name, __VA_ARGS__)

static bool
can (const struct review *review, uint32_t cap)
{
  return (review->provider->plugin.caps & cap) != 0;
}

/* The descriptor's reader has seen to it that there is something to say,
 * in one of the two ways. */
static void
review_template (const struct review *review)
{
  const struct mail_form *mail = review->descriptor->mail;
  unsigned line = review->descriptor->mail_line;
  const char *label = review->provider->plugin.label;
  int64_t number;

  if (mail->template_id == NULL)
    return;
  if (!can (review, HERALD_TEMPLATES))
    REFUSE (review, line, "%s has no templates of its own: write <subject>"
                          " and <text> or <html> instead of <template>",
            label);
  else if (can (review, HERALD_NUMBERED_TEMPLATES)
           && number_read (mail->template_id, strlen (mail->template_id), 1,
                           INT64_MAX, &number) == -1)
    REFUSE (review, line, "the template id \"%s\" is no number: templates of"
                          " %s have numbers", mail->template_id, label);
}

static void
review_mail (const struct review *review)
{
  const struct descriptor *descriptor = review->descriptor;
  const struct mail_form *mail = descriptor->mail;
  unsigned line = descriptor->mail_line;
  const char *label = review->provider->plugin.label;

  if (descriptor->has_map)
    REFUSE (review, descriptor->map_line,
            "%s sends e-mails and has no <map>: move its rows to"
            " <parameters> in <mail>", label);
  if (mail == NULL) {
    REFUSE (review, descriptor->line, "%s sends e-mails: say which in a"
                                      " <mail> element", label);
    return;
  }
  if (can (review, HERALD_FIXED_SENDER)) {
    if (mail->from_address != NULL)
      REFUSE (review, line, "%s sends from an address of its own: leave"
                            " out the address of <from>", label);
  } else if (mail->from_address == NULL)
    REFUSE (review, line, "<mail> has no sender: add"
                          " <from address=\"...\"/>");
  if (mail->bcc_address != NULL && !can (review, HERALD_BCC))
    REFUSE (review, line, "%s can't send blind copies: remove <bcc>", label);
  if (mail->reply_to_address != NULL && !can (review, HERALD_REPLY_TO))
    REFUSE (review, line, "%s can't set where answers go: remove"
                          " <reply-to>", label);
  if (mail->n_headers > 0 && !can (review, HERALD_HEADERS))
    REFUSE (review, line, "%s can't send headers of your own: remove them"
                          " (\"%s\" is the first)", label,
            mail->headers[0].name);
  review_template (review);
}

static void
review_map (const struct review *review)
{
  const struct descriptor *descriptor = review->descriptor;
  const char *label = review->provider->plugin.label;

  if (descriptor->mail != NULL)
    REFUSE (review, descriptor->mail_line,
            "%s sends no e-mails: remove <mail>", label);
  if (!descriptor->has_map || mapping_count (descriptor->mapping) == 0)
    REFUSE (review,
            descriptor->has_map ? descriptor->map_line : descriptor->line,
            "%s gets nothing of an event: say what in a <map> of"
            " <field name=\"...\" source=\"...\"/>", label);
}

static void
review_batch (const struct review *review)
{
  const struct herald_plugin *plugin = &review->provider->plugin;
  uint32_t wanted = review->descriptor->delivery.batch_max;

  if (wanted > plugin->max_batch)
    REFUSE (review, review->descriptor->line,
            "<batch max=\"%u\"> is more than %s takes: at most %u", wanted,
            plugin->label, plugin->max_batch);
}

void
integration_number_template (const struct integration *integration,
                             struct herald_mail *mail)
{
  uint32_t caps = integration->provider->plugin.caps;

  if (mail->template_id != NULL && (caps & HERALD_NUMBERED_TEMPLATES) != 0)
    mail->template_id += strspn (mail->template_id, "0");
}

/* What each mail will have. */
static const struct herald_mail *
constant_mail (const struct integration *integration)
{
  const struct mail_form *form = integration->descriptor->mail;
  struct herald_mail *mail;

  if (!integration->is_mailer || form == NULL)
    return NULL;
  mail = arena_zeroed (integration->arena, 1, sizeof *mail);
  mail_form_write_constant (form, integration->arena, mail);
  integration_number_template (integration, mail);
  return mail;
}

static struct herald_settings *
check_settings (const struct integration *integration,
                const struct configuration *configuration,
                struct problems *problems)
{
  const struct descriptor *descriptor = integration->descriptor;
  const struct provider *provider = integration->provider;
  const struct herald_defaults *defaults;
  struct settings_scope scope = { 0 };

  defaults = configuration_defaults (configuration, provider->name);
  scope.integration = integration->name;
  scope.file = descriptor->path;
  scope.line = descriptor->settings_line != 0 ? descriptor->settings_line
                                              : descriptor->line;
  scope.catalogue = configuration->herald->catalogue;
  scope.mapping = descriptor->mail == NULL ? descriptor->mapping
                                           : descriptor->mail->parameters;
  scope.mail = constant_mail (integration);
  scope.allow_http = configuration->herald->allow_http;
  scope.is_private_file = descriptor->is_private;
  return settings_new (integration->arena, &scope, provider->fields,
                       provider->n_fields, descriptor->settings,
                       descriptor->n_settings,
                       defaults == NULL ? NULL : defaults->settings,
                       defaults == NULL ? 0 : defaults->n_settings,
                       problems);
}

static int64_t
first_of (int64_t a, int64_t b, int64_t c)
{
  if (a > 0)
    return a;
  return b > 0 ? b : c;
}

/* Descriptor, else plugin or herald.xml, else built in. */
static void
put_together (struct integration *integration,
              const struct configuration *configuration)
{
  const struct descriptor_delivery *own
    = &integration->descriptor->delivery;
  const struct herald_plugin *plugin = &integration->provider->plugin;
  const struct herald_xml *host = configuration->herald;

  integration->n_retries = own->n_retries;
  integration->retry_ms = own->retry_ms;
  if (own->retry_ms == NULL) {
    integration->n_retries = HERALD_COUNT (integration_retry_ms);
    integration->retry_ms = integration_retry_ms;
  }
  integration->rate_limit = own->rate_limit != 0 ? own->rate_limit
                                                 : plugin->rate;
  integration->rate_ms = own->rate_limit != 0 ? own->rate_ms
                                              : plugin->rate_ms;
  integration->batch_max
    = (uint32_t) first_of (own->batch_max, plugin->batch, plugin->max_batch);
  integration->batch_wait_ms = own->batch_wait_ms >= 0
                               ? own->batch_wait_ms
                               : INTEGRATION_BATCH_WAIT_MS;
  integration->in_flight = own->in_flight != 0 ? own->in_flight
                                               : INTEGRATION_IN_FLIGHT;
  integration->connect_ms = first_of (own->connect_ms, host->connect_ms,
                                      INTEGRATION_CONNECT_MS);
  integration->total_ms = first_of (own->total_ms, host->total_ms,
                                    INTEGRATION_TOTAL_MS);
  integration->http2 = own->http2;
}

/* Whether the plugin accepts its settings; it may lower the batch. */
static int
open_instance (struct integration *integration, const struct review *review)
{
  const struct herald_plugin *plugin = &integration->provider->plugin;
  struct herald_settings *settings = integration->settings;
  struct host_scope scope;
  uint32_t limit;
  int status = 0;

  settings_set_batch (settings, integration->batch_max);
  if (plugin->open != NULL) {
    host_enter (&scope, integration->arena, NULL, integration->name);
    status = plugin->open (settings, &integration->instance);
    host_leave (&scope);
  }
  if (settings_complaints (settings) > 0)
    return -1;
  if (status != 0) {
    REFUSE (review, review->descriptor->line, "%s refused the settings"
                                              " without saying why",
            plugin->label);
    return -1;
  }
  if (arena_is_over (integration->arena))
    REFUSE (review, review->descriptor->line, "%s asked for more than %d"
                                              " bytes of memory when opened",
            plugin->label, INTEGRATION_CEILING);

  limit = settings_batch_limit (settings);
  if (limit != 0 && limit < integration->batch_max) {
    if (review->descriptor->delivery.batch_max > limit)
      problems_add (review->problems, PROBLEM_WARNING,
                    review->descriptor->path, review->descriptor->line,
                    integration->name,
                    "<batch max=\"%u\"> is more than %s takes with these"
                    " settings: %u is used",
                    review->descriptor->delivery.batch_max, plugin->label,
                    limit);
    integration->batch_max = limit;
    settings_set_batch (settings, limit);
  }
  return 0;
}

static struct integration *
integration_new (const struct descriptor *descriptor,
                 const struct provider *provider)
{
  struct integration *integration = memory_zeroed (1, sizeof *integration);

  integration->arena = arena_new (INTEGRATION_CEILING);
  integration->descriptor = descriptor;
  integration->provider = provider;
  integration->name = descriptor->name;
  integration->label = descriptor->label;
  if (integration->label == NULL)
    integration->label = arena_printf (integration->arena, "%s Integration",
                                       provider->plugin.label);
  integration->is_mailer = provider->plugin.category == HERALD_MAILER;
  return integration;
}

static void
integration_free (struct integration *integration)
{
  settings_forget (integration->settings);
  token_done (&integration->token);
  arena_free (integration->arena);
  free (integration);
}

struct integration *
integration_open (const struct configuration *configuration,
                  const struct descriptor *descriptor,
                  struct loader *loader, struct problems *problems)
{
  struct review review = { descriptor, NULL, problems };
  struct integration *integration;
  size_t errors = problems_errors (problems);
  char reason[1024];
  bool is_open = false;

  review.provider = loader_find (loader, descriptor->provider, reason,
                                 sizeof reason);
  if (review.provider == NULL) {
    REFUSE (&review, descriptor->line, "%s", reason);
    return NULL;
  }
  integration = integration_new (descriptor, review.provider);
  if (integration->is_mailer)
    review_mail (&review);
  else
    review_map (&review);
  review_batch (&review);
  integration->settings = check_settings (integration, configuration,
                                          problems);
  put_together (integration, configuration);

  /* The plugin is asked about sound settings only. */
  if (integration->settings != NULL && problems_errors (problems) == errors)
    is_open = open_instance (integration, &review) == 0;
  if (problems_errors (problems) == errors && is_open) {
    /* problems is the caller's, and may not outlive this call. */
    settings_seal (integration->settings);
    integration->order_key = settings_order_key (integration->settings);
    return integration;
  }
  if (is_open)
    integration_close (integration);
  else
    integration_free (integration);
  return NULL;
}

void
integration_close (struct integration *integration)
{
  struct host_scope scope;

  if (integration == NULL)
    return;
  if (integration->provider->plugin.close != NULL) {
    host_enter (&scope, integration->arena, NULL, integration->name);
    integration->provider->plugin.close (integration->instance);
    host_leave (&scope);
  }
  integration_free (integration);
}
