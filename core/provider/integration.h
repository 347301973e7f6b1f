/* integration.h - a descriptor and its plugin, ready to work.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_INTEGRATION_H
#define HERALD_INTEGRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "config/configuration.h"
#include "config/settings.h"
#include "loader.h"
#include "token.h"

struct integration {
  const struct descriptor *descriptor;
  const char *name;
  const char *label;            /* the descriptor's, or "HubSpot
                                   Integration" made of the provider's */
  const struct provider *provider;
  struct herald_settings *settings;
  void *instance;
  struct arena *arena;          /* of settings and instance */
  struct token token;
  bool is_mailer;

  /* What holds after descriptor, plugin and built-in defaults are put
   * together. */
  size_t n_retries;
  const int64_t *retry_ms;
  uint32_t rate_limit, rate_ms; /* 0: none */
  uint32_t batch_max;           /* 1 at least */
  int64_t batch_wait_ms;
  uint32_t in_flight;
  int64_t connect_ms, total_ms;
  bool http2;
  const struct herald_field *order_key; /* NULL: none */
};

/* Load the provider, check settings, mapping and mail against what it
 * declares (a mailer needs <mail>, a webhook <map>; caps: reply-to, bcc,
 * headers, template ids, numbered ones, a fixed sender; batch max above
 * the provider's), call .open.  NULL with problems added.  Must not be
 * called for a descriptor with errors. */
struct integration *
integration_open (const struct configuration *configuration,
                  const struct descriptor *descriptor,
                  struct loader *loader, struct problems *problems);
/* A template id that is a number loses its zeros in front, where the plugin
 * wants numbers. */
void integration_number_template (const struct integration *integration,
                                  struct herald_mail *mail);
void integration_close (struct integration *integration);

#endif
