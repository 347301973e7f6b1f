/* worker.c - delivers what the store holds, through the plugins.
 *
 * SPDX-License-Identifier: MIT
 */

#include "serve/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "serve/worker_state.h"

enum {
  SECOND_US = 1000 * 1000,
  LAST_TRY_US = 5 * SECOND_US,  /* for the last settlements */
  SPARE_CONNECTIONS = 64        /* for integrations that come later */
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
/* The end. */

static size_t
worker_out (const struct worker *worker)
{
  size_t n = 0;

  for (size_t i = 0; i < worker->n_leaving; i++)
    n += feeder_out (worker->leaving[i]);
  return n;
}

void
worker_stop (struct worker *worker, const char *why)
{
  int64_t stop_ms = worker->config->stop_ms;

  if (worker->phase != WORKER_RUNS)
    return;
  log_notice ("%s", why);
  service_notify ("STOPPING=1");
  worker->phase = WORKER_STOPS;
  if (stop_ms < 0)
    stop_ms = worker->configuration->herald->workers.stop_ms;
  loop_timer_set (worker->deadline,
                  loop_now_us (worker->loop) + stop_ms * 1000);
  for (size_t i = 0; i < worker->n_posts; i++)
    worker_let_go (worker, worker->posts[i].feeder);
  worker->n_posts = 0;
}

/* What is in flight is cut off, and is there for the next. */
static void
worker_drop (struct worker *worker)
{
  size_t n = worker_out (worker);

  if (worker->transport == NULL)
    return;
  if (n > 0)
    log_warning ("%zu deliveries were cut off in flight: they are tried "
                 "again, so some may arrive twice", n);
  worker->feeding.is_dropping = true;
  transport_free (worker->transport);
  worker->transport = NULL;
  loop_timer_set (worker->deadline,
                  loop_now_us (worker->loop) + LAST_TRY_US);
}

static void
worker_on_deadline (void *data)
{
  struct worker *worker = data;

  if (worker->transport != NULL)
    worker_drop (worker);
  else
    worker->is_last_try = true;
}

static void
worker_on_signal (void *data, int number)
{
  struct worker *worker = data;

  if (number == SIGHUP) {
    if (worker->phase == WORKER_RUNS)
      worker_reload (worker);
    return;
  }
  if (worker->phase == WORKER_RUNS)
    worker_stop (worker, "stopping: what is in flight is finished first");
  else
    worker_drop (worker);
}

static void
worker_on_trouble (void *data, enum queue_error error, const char *reason)
{
  struct worker *worker = data;

  switch (error) {
  case QUEUE_OK:
    log_notice ("the store works again");
    break;
  case QUEUE_FULL:
  case QUEUE_BUSY:
    log_error ("the store can't keep what became of deliveries; it is tried "
               "again, and little is delivered until then: %s", reason);
    break;
  case QUEUE_BROKEN:
    log_error ("ending: the store can't be trusted: %s", reason);
    worker->phase = WORKER_IS_OVER;
    worker->end = WORKER_FILE;
    break;
  }
}

/* ------------------------------------------------------------------ */
/* Turn by turn. */

static void
worker_on_second (void *data)
{
  struct worker *worker = data;
  uint64_t n_delivered = 0;

  for (size_t i = 0; i < worker->n_posts; i++) {
    struct lane *lane = feeder_lane (worker->posts[i].feeder);

    feeder_look (worker->posts[i].feeder);
    if (lane != NULL)
      n_delivered += lane_stats (lane)->delivered;
  }
  if (n_delivered != worker->status_told)
    service_notify ("STATUS=%zu integrations, %llu delivered",
                    worker->n_posts, (unsigned long long) n_delivered);
  worker->status_told = n_delivered;
  board_beat (worker->feeding.board, date_now_ms ());
  log_settle (false);
  loop_timer_set (worker->second, loop_now_us (worker->loop) + SECOND_US);
}

static void
worker_tend (struct worker *worker)
{
  bool may_take = ledger_unsettled (worker->feeding.ledger)
                  < FEEDING_UNSETTLED;
  size_t n = 0;

  for (size_t i = 0; i < worker->n_posts; i++)
    feeder_tend (worker->posts[i].feeder, may_take);
  for (size_t i = 0; i < worker->n_leaving; i++) {
    feeder_tend (worker->leaving[i], false);
    if (feeder_is_gone (worker->leaving[i]))
      feeder_free (worker->leaving[i]);
    else
      worker->leaving[n++] = worker->leaving[i];
  }
  worker->n_leaving = n;
  if (worker->phase == WORKER_STOPS && n == 0
      && (ledger_is_idle (worker->feeding.ledger) || worker->is_last_try))
    worker->phase = WORKER_IS_OVER;
}

static void
worker_turn_until_over (struct worker *worker)
{
  static const int signals[] = { SIGHUP, SIGTERM, SIGINT };

  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    loop_on_signal (worker->loop, signals[i], worker_on_signal, worker);
  worker->beat = service_beat_new (worker->loop);
  worker->second = loop_timer_new (worker->loop, worker_on_second, worker);
  worker->deadline = loop_timer_new (worker->loop, worker_on_deadline,
                                     worker);
  loop_timer_set (worker->second, 0);
  service_notify ("READY=1\nSTATUS=%zu integrations", worker->n_posts);
  while (worker->phase != WORKER_IS_OVER) {
    worker_tend (worker);
    if (worker->phase != WORKER_IS_OVER)
      loop_turn (worker->loop, -1);
  }
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
    .commit_most = store->commit_most,
    .is_tidier = worker->config->index == 0,
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

  worker->configuration = configuration_read (config->config_directory,
                                              problems);
  if (worker->configuration == NULL) {
    worker_report (problems);
    problems_free (problems);
    return -1;
  }
  host = worker->configuration->herald;
  if (config->read != NULL)
    config->read (config->data, host);
  worker_report (problems);
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

static enum worker_end
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
  host_watch (&worker->watch);
  problems = problems_new ();
  worker_set_posts (worker, worker->configuration, problems);
  worker_report (problems);
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

static void
worker_close (struct worker *worker)
{
  worker_close_posts (worker);
  host_watch (NULL);
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

enum worker_end
worker_run (const struct worker_config *config)
{
  struct worker *worker = memory_zeroed (1, sizeof *worker);
  enum worker_end end;

  worker->config = config;
  end = worker_open_all (worker);
  if (end == WORKER_ENDED) {
    worker_turn_until_over (worker);
    end = worker->end;
  }
  worker_close (worker);
  free (worker);
  return end;
}
