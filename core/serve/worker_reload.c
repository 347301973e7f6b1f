/* worker_reload.c - the configuration is read anew, and what has changed
 * begins anew.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/log.h"
#include "serve/worker_state.h"

/* Parked because its plugin crashed: whoever reloads has mended it. */
static void
worker_forgive (struct worker *worker)
{
  for (size_t i = 0; i < worker->n_posts; i++)
    if (feeder_integration (worker->posts[i].feeder) == NULL)
      flight_forgive (worker->feeding.flight,
                      feeder_name (worker->posts[i].feeder));
}

static void
worker_adopt (struct worker *worker, struct configuration *fresh,
              struct problems *problems)
{
  const struct worker_config *config = worker->config;
  unsigned char digest[CRYPTO_SHA256_LEN];

  configuration_host_digest (fresh, digest);
  if (memcmp (digest, worker->host_digest, sizeof digest) != 0) {
    configuration_free (fresh);
    worker_stop (worker, "ending to start anew: herald.xml has changed in "
                         "what all integrations share");
    return;
  }
  worker_forgive (worker);
  worker_set_posts (worker, fresh, problems);
  configuration_free (worker->configuration);
  worker->configuration = fresh;
  if (config->read != NULL)
    config->read (config->data, fresh->herald);
  log_notice ("the configuration was read again: %zu integrations are served "
              "here", worker->n_posts);
}

void
worker_reload (struct worker *worker)
{
  struct problems *problems = problems_new ();
  struct configuration *fresh;

  service_notify_reloading ();
  fresh = configuration_read (worker->config->config_directory, SECRETS_READ,
                              problems);
  if (fresh != NULL) {
    configuration_keep_old (fresh, worker->configuration, problems);
    configuration_recall (fresh, worker->state_directory, problems);
    worker_adopt (worker, fresh, problems);
  }
  problems_log (problems, true);
  problems_free (problems);
  if (fresh == NULL)
    log_error ("the configuration stays as it was");
  if (worker->phase == WORKER_RUNS)
    service_ready (worker->beat);
}
