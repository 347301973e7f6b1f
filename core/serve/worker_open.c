/* worker_open.c - all that a worker works with, opened and closed.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "serve/deadman.h"
#include "serve/worker_state.h"

enum {
  SPARE_CONNECTIONS = 64,       /* for integrations that come later */
  DEADMAN_MS = 1000,
  /* Settlements of a group at most.  While one is written the next is
   * gathered; a larger one would wait for what may not go yet. */
  GROUP_MOST = FEEDING_UNSETTLED / 2
};

/* ------------------------------------------------------------------ */
/* What plugins do, for the flight recorder. */

static void
worker_enter (void *data, const struct host_scope *scope)
{
  static const enum flight_step steps[] = {
    [JOB_DELIVER] = FLIGHT_WORK,
    [JOB_TOKEN] = FLIGHT_TOKEN,
    [JOB_VERIFY] = FLIGHT_VERIFY,
  };
  struct worker *worker = data;
  struct flight *flight = worker->feeding.flight;
  size_t n;

  if (scope->job == NULL) {
    flight_enter (flight, scope->integration, FLIGHT_OPEN);
    return;
  }
  flight_enter (flight, scope->integration, steps[job_kind (scope->job)]);
  n = job_count (scope->job);
  for (size_t i = 0; i < n; i++) {
    uint32_t lane;
    uint64_t seq = job_tag (scope->job, i, &lane);

    flight_add (flight, lane, seq);
  }
}

static void
worker_left (void *data, const struct host_scope *scope)
{
  struct worker *worker = data;

  (void) scope;
  flight_leave (worker->feeding.flight);
}

static void
worker_tell_crash (const struct worker *worker)
{
  const char *integration;
  enum flight_step step;
  int number;

  if (!flight_last (worker->feeding.flight, &integration, &step, &number))
    return;
  log_context (integration, NULL);
  if (number == 0)
    log_error ("the worker before was ended by its plugin, in %s",
               flight_step_name (step));
  else
    log_error ("the worker before crashed in its plugin, in %s (%s)",
               flight_step_name (step), strsignal (number));
  log_context (NULL, NULL);
}

/* ------------------------------------------------------------------ */
/* Before and after. */

static char *
worker_path (const char *directory, const char *name)
{
  struct buf path = BUF_INIT (0);

  buf_printf (&path, "%s/%s", directory, name);
  return buf_steal (&path);
}

static int
worker_open_run (struct worker *worker)
{
  char reason[500], name[40], *path;

  worker->feeding.board
    = board_open (worker->run_directory, BOARD_WORKER, worker->config->index,
                  reason, sizeof reason);
  if (worker->feeding.board == NULL) {
    log_error ("%s", reason);
    return -1;
  }
  if (*reason != '\0')
    log_warning ("%s", reason);
  snprintf (name, sizeof name, "worker-%u.flight",
            (unsigned) worker->config->index);
  path = worker_path (worker->run_directory, name);
  worker->feeding.flight = flight_open (path, reason, sizeof reason);
  free (path);
  if (worker->feeding.flight == NULL) {
    log_error ("%s", reason);
    return -1;
  }
  if (*reason != '\0')
    log_warning ("%s: after a crash nobody will know of what", reason);
  worker_tell_crash (worker);
  return 0;
}

static int
worker_open_store (struct worker *worker)
{
  const struct herald_store *store = &worker->configuration->herald->store;
  struct queue_config queue = {
    .engine = store->engine, .where = worker->store_directory,
    .window_ms = store->window_ms, .history_ms = store->history_ms,
    .history_rows = store->history_rows, .most_bytes = store->most_bytes,
  };
  struct ledger_config config = {
    .loop = worker->loop, .commit_ms = store->commit_ms,
    .commit_most = store->commit_most < GROUP_MOST ? store->commit_most
                                                   : GROUP_MOST,
    .is_tidier = worker->config->index == 0,
    .flight = worker->feeding.flight,
    .trouble = worker_on_trouble, .data = worker,
  };
  char reason[500];

  config.queue = worker->queue = queue_open (&queue, reason, sizeof reason);
  if (worker->queue == NULL) {
    log_error ("%s", reason);
    return -1;
  }
  config.commits = &board_process (worker->feeding.board)->commit;
  worker->feeding.ledger = ledger_new (&config);
  return 0;
}

static unsigned
worker_connections (const struct configuration *configuration)
{
  unsigned n = SPARE_CONNECTIONS;

  for (size_t i = 0; i < configuration->n_descriptors; i++) {
    const struct descriptor *descriptor = configuration->descriptors[i];
    uint32_t own = descriptor->delivery.in_flight;

    if (descriptor->is_enabled)
      n += own != 0 ? own : 32;
  }
  return n;
}

static int
worker_connect (struct worker *worker)
{
  const struct herald_xml *host = worker->configuration->herald;
  struct transport_config config = {
    .ca_file = host->ca_file,
    .proxy = host->proxy,
    .max_reply = (size_t) host->max_reply,
    .max_connections = worker_connections (worker->configuration),
  };
  char reason[200];

  worker->guard = guard_new (host->allowed, host->n_allowed, reason);
  if (worker->guard != NULL) {
    config.guard = worker->guard;
    worker->transport = transport_new (worker->loop, &config, reason);
  }
  if (worker->transport == NULL) {
    log_error ("%s: %s", host->path, reason);
    return -1;
  }
  worker->feeding.exchanger = exchanger_new (worker->transport);
  return 0;
}

static int
worker_read (struct worker *worker)
{
  const struct worker_config *config = worker->config;
  struct problems *problems = problems_new ();
  const char *state = config->state_directory;
  const struct herald_xml *host;

  worker->configuration
    = configuration_read_or_recall (config->config_directory, state,
                                    SECRETS_READ, problems);
  if (worker->configuration == NULL) {
    problems_log (problems, true);
    problems_free (problems);
    return -1;
  }
  host = worker->configuration->herald;
  if (config->read != NULL)
    config->read (config->data, host);
  configuration_recall (worker->configuration, state, problems);
  problems_log (problems, true);
  problems_free (problems);
  configuration_host_digest (worker->configuration, worker->host_digest);
  if (state == NULL)
    state = host->state_directory != NULL ? host->state_directory
                                          : HERALD_STATEDIR;
  worker->state_directory = memory_strdup (state);
  worker->run_directory = worker_path (state, "run");
  worker->store_directory = host->store.directory != NULL
                              ? memory_strdup (host->store.directory)
                              : worker_path (state, "store");
  return 0;
}

enum worker_end
worker_open_all (struct worker *worker)
{
  struct problems *problems;

  if (worker_read (worker) != 0)
    return WORKER_CONFIG;
  worker->loop = loop_new ();
  worker->loader = loader_new (worker->config->plugin_directory);
  if (worker_open_run (worker) != 0 || worker_open_store (worker) != 0)
    return WORKER_FILE;
  if (worker_connect (worker) != 0)
    return WORKER_CONFIG;
  worker->feeding.loop = worker->loop;
  worker->feeding.reader = event_reader_new (NULL);
  worker->feeding.state_directory = worker->state_directory;
  worker->watch = (struct host_watch) { worker_enter, worker_left, worker };
  flight_watch (worker->feeding.flight);
  /* After a supervisor's watchdog, if there is one. */
  deadman_start (worker->configuration->herald->workers.watchdog_ms * 3 / 2
                 + DEADMAN_MS);
  host_watch (&worker->watch);
  problems = problems_new ();
  worker_set_posts (worker, worker->configuration, problems);
  problems_log (problems, true);
  problems_free (problems);
  return WORKER_ENDED;
}

/* Lanes are stopped before what is in flight is cut off, and both before
 * the ledger takes what comes of it. */
static void
worker_close_posts (struct worker *worker)
{
  size_t n_lost;

  for (size_t i = 0; i < worker->n_posts; i++)
    worker_let_go (worker, worker->posts[i].feeder);
  worker->feeding.is_dropping = true;
  transport_free (worker->transport);
  n_lost = ledger_free (worker->feeding.ledger);
  if (n_lost > 0)
    log_error ("what became of %zu deliveries could not be kept: they are "
               "tried again", n_lost);
  for (size_t i = 0; i < worker->n_leaving; i++)
    feeder_free (worker->leaving[i]);
  free (worker->posts);
  free (worker->leaving);
}

void
worker_close (struct worker *worker)
{
  worker_close_posts (worker);
  host_watch (NULL);
  deadman_stop ();
  flight_close (worker->feeding.flight);
  queue_close (worker->queue);
  board_close (worker->feeding.board);
  exchanger_free (worker->feeding.exchanger);
  guard_free (worker->guard);
  event_reader_free (worker->feeding.reader);
  service_beat_free (worker->beat);
  loop_timer_free (worker->second);
  loop_timer_free (worker->deadline);
  loop_free (worker->loop);
  loader_free (worker->loader);
  configuration_free (worker->configuration);
  free (worker->state_directory);
  free (worker->run_directory);
  free (worker->store_directory);
}
