/* supervisor.c - herald serve: one intake and some workers, kept running.
 *
 * SPDX-License-Identifier: MIT
 */

#include "serve/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "serve/flight.h"
#include "serve/supervisor_state.h"

enum {
  INTAKE_PLACE = 0,             /* of pidfile_take () */
  WORKER_PLACE = 1,
  LISTEN_MS = 200,              /* between two tries to bind */
  TURN_MS = 10 * 1000,          /* lines held back are told by then */
  STOP_SLACK_MS = 5 * 1000      /* a child knows its deadline itself */
};

uint32_t
supervisor_wants_workers (const struct supervisor *supervisor)
{
  return supervisor->config->n_workers > 0
         ? supervisor->config->n_workers
         : supervisor->configuration->herald->workers.number;
}

int64_t
supervisor_stop_ms (const struct supervisor *supervisor)
{
  return supervisor->configuration->herald->workers.stop_ms + STOP_SLACK_MS;
}

bool
supervisor_is_settled (const struct supervisor *supervisor)
{
  if (supervisor->is_replacing || !child_is_settled (supervisor->intake))
    return false;
  for (uint32_t i = 0; i < supervisor->n_workers; i++)
    if (!child_is_settled (supervisor->workers[i]))
      return false;
  return true;
}

void
supervisor_tell (struct supervisor *supervisor, const char *first)
{
  uint32_t n_up = child_is_settled (supervisor->intake);

  for (uint32_t i = 0; i < supervisor->n_workers; i++)
    n_up += child_is_settled (supervisor->workers[i]);
  service_notify ("%sSTATUS=%u of %u processes up%s", first,
                  (unsigned) n_up, (unsigned) supervisor->n_workers + 1,
                  supervisor->phase != SUPERVISOR_RUNS ? ", stopping"
                  : supervisor->is_reloading ? ", reloading" : "");
}

/* Which provider a worker was in when it crashed, as its flight recorder
 * has it. */
static void
supervisor_explain (void *data, struct child *child, struct buf *out)
{
  struct supervisor *supervisor = data;
  const char *integration;
  enum flight_step step;
  struct flight *flight = NULL;
  struct buf path = BUF_INIT (0);
  char reason[200];
  int number;

  if (child_place (child) < WORKER_PLACE)
    return;
  buf_printf (&path, "%s/%s.flight",
              pidfile_directory (supervisor->pidfile), child_name (child));
  if (access (path.data, R_OK) == 0)
    flight = flight_open (path.data, reason, sizeof reason);
  if (flight != NULL && flight_last (flight, &integration, &step, &number)) {
    const struct descriptor *descriptor
      = configuration_find (supervisor->configuration, integration);

    buf_printf (out, "in %s of provider %s for integration %s",
                flight_step_name (step),
                descriptor != NULL ? descriptor->provider : "(unknown)",
                integration);
  }
  flight_close (flight);
  buf_done (&path);
}

static void
supervisor_is_ready (struct supervisor *supervisor)
{
  supervisor->was_ready = true;
  log_notice ("ready: an intake and %u worker%s are up",
              (unsigned) supervisor->n_workers,
              supervisor->n_workers == 1 ? "" : "s");
  supervisor_tell (supervisor, "READY=1\n");
}

static bool
supervisor_has_workers (const struct supervisor *supervisor)
{
  for (uint32_t i = 0; i < supervisor->n_workers; i++)
    if (child_state (supervisor->workers[i]) != CHILD_DOWN)
      return true;
  return false;
}

/* The intake first: what it has accepted is on disk then, and workers
 * that go on meanwhile have the less left over. */
static void
supervisor_stop_goes_on (struct supervisor *supervisor)
{
  if (supervisor->phase == SUPERVISOR_STOPS_INTAKE
      && child_state (supervisor->intake) == CHILD_DOWN) {
    supervisor->phase = SUPERVISOR_STOPS_WORKERS;
    for (uint32_t i = 0; i < supervisor->n_workers; i++)
      child_stop (supervisor->workers[i], supervisor_stop_ms (supervisor));
  }
  if (supervisor->phase == SUPERVISOR_STOPS_WORKERS
      && !supervisor_has_workers (supervisor))
    supervisor->phase = SUPERVISOR_IS_DONE;
}

static void
supervisor_stop (struct supervisor *supervisor, int exit_code)
{
  if (supervisor->phase != SUPERVISOR_RUNS)
    return;
  supervisor->phase = SUPERVISOR_STOPS_INTAKE;
  supervisor->exit_code = exit_code;
  supervisor->is_replacing = false;
  loop_timer_stop (supervisor->listen_timer);
  loop_timer_stop (supervisor->reload_timer);
  supervisor_tell (supervisor, "STOPPING=1\n");
  child_stop (supervisor->intake, supervisor_stop_ms (supervisor));
  supervisor_stop_goes_on (supervisor);
}

/* Before all were up once there is somebody who waits for the start, and
 * can do something about it. */
static bool
supervisor_gives_up (struct supervisor *supervisor, struct child *child)
{
  if (supervisor->was_ready || child_state (child) != CHILD_WAITING
      || child_exit_code (child) != supervisor->config->final_exit)
    return false;
  log_error ("%s can't be started with this configuration: stopping",
             child_name (child));
  supervisor_stop (supervisor, supervisor->config->final_exit);
  return true;
}

static void
supervisor_child_changed (void *data, struct child *child)
{
  struct supervisor *supervisor = data;

  if (supervisor->phase != SUPERVISOR_RUNS) {
    supervisor_stop_goes_on (supervisor);
    return;
  }
  if (supervisor_gives_up (supervisor, child))
    return;
  if (!supervisor->was_ready && supervisor_is_settled (supervisor))
    supervisor_is_ready (supervisor);
  else if (supervisor->was_ready)
    supervisor_tell (supervisor, "");
  supervisor_reload_goes_on (supervisor);
}

static void
supervisor_heard (void *data, const struct service_message *message)
{
  struct supervisor *supervisor = data;

  if (child_hear (supervisor->intake, message))
    return;
  for (uint32_t i = 0; i < supervisor->n_workers; i++)
    if (child_hear (supervisor->workers[i], message))
      return;
}

static void
supervisor_on_child (void *data, int number)
{
  struct supervisor *supervisor = data;
  int status;
  pid_t pid;

  (void) number;
  while ((pid = waitpid (-1, &status, WNOHANG)) > 0) {
    bool is_known = child_ended (supervisor->intake, pid, status);

    for (uint32_t i = 0; i < supervisor->n_workers && !is_known; i++)
      is_known = child_ended (supervisor->workers[i], pid, status);
  }
}

static void
supervisor_on_reload (void *data, int number)
{
  (void) number;
  supervisor_reload (data);
}

static void
supervisor_on_stop (void *data, int number)
{
  struct supervisor *supervisor = data;

  if (supervisor->phase == SUPERVISOR_RUNS) {
    log_notice ("stopping: what is in flight is finished first%s",
                number == SIGINT ? "; once more to end at once" : "");
    supervisor_stop (supervisor, 0);
  } else if (number == SIGINT && supervisor->is_interrupted) {
    log_warning ("ending at once: what is in flight may arrive twice");
    child_kill (supervisor->intake);
    for (uint32_t i = 0; i < supervisor->n_workers; i++)
      child_kill (supervisor->workers[i]);
  }
  supervisor->is_interrupted |= number == SIGINT;
}

/* The command line of a child; more ends with NULL. */
static char *const *
supervisor_arguments (struct supervisor *supervisor, const char *const *more)
{
  const char *const *given = supervisor->config->arguments;
  size_t n = 0, k = 0;
  char **arguments;

  while (given[n] != NULL)
    n++;
  arguments = arena_zeroed (supervisor->arena, n + 10, sizeof *arguments);
  for (; k < n; k++)
    arguments[k] = arena_strdup (supervisor->arena, given[k]);
  /* Said by name: herald.xml may change while we run. */
  arguments[k++] = arena_strdup (supervisor->arena, "--state");
  arguments[k++] = arena_strdup (supervisor->arena,
                                 supervisor->state_directory);
  for (; *more != NULL; more++)
    arguments[k++] = arena_strdup (supervisor->arena, *more);
  return arguments;
}

static struct child *
supervisor_child (struct supervisor *supervisor, const char *name,
                  unsigned place, const char *const *more)
{
  const struct child_config config = {
    .loop = supervisor->loop, .name = name,
    .program = supervisor->config->program,
    .arguments = supervisor_arguments (supervisor, more),
    .pidfile = supervisor->pidfile, .place = place,
    .notify_path = supervisor->notify_path, .inbox = supervisor->inbox,
    .listeners = place == INTAKE_PLACE ? supervisor->listeners : NULL,
    /* It knows no secret of an integration. */
    .hidden = place == INTAKE_PLACE
                ? configuration_variables (supervisor->configuration) : NULL,
    .watchdog_ms = supervisor->configuration->herald->workers.watchdog_ms,
    .explain = supervisor_explain, .changed = supervisor_child_changed,
    .data = supervisor,
  };

  return child_new (&config);
}

void
supervisor_free_workers (struct supervisor *supervisor)
{
  for (uint32_t i = 0; i < supervisor->n_workers; i++)
    child_free (supervisor->workers[i]);
  free (supervisor->workers);
  supervisor->workers = NULL;
  supervisor->n_workers = 0;
}

void
supervisor_start_workers (struct supervisor *supervisor)
{
  uint32_t n = supervisor_wants_workers (supervisor);
  char name[32], index[16], of[16];

  snprintf (of, sizeof of, "%u", (unsigned) n);
  supervisor->workers = memory_zeroed (n, sizeof *supervisor->workers);
  for (uint32_t i = 0; i < n; i++) {
    const char *const more[] = { "worker", "--index", index, "--of", of,
                                 NULL };

    snprintf (name, sizeof name, "worker-%u", (unsigned) i);
    snprintf (index, sizeof index, "%u", (unsigned) i);
    supervisor->workers[i] = supervisor_child (supervisor, name,
                                               WORKER_PLACE + i, more);
  }
  supervisor->n_workers = n;
  for (uint32_t i = 0; i < n; i++)
    child_start (supervisor->workers[i]);
}

/* Bind what is to be listened to; the intake starts when that is done. */
static void
supervisor_listen (void *data)
{
  struct supervisor *supervisor = data;
  int64_t now_us = loop_now_us (supervisor->loop);
  char reason[300];

  switch (listeners_set (supervisor->listeners,
                         &supervisor->configuration->herald->intake, reason,
                         sizeof reason)) {
    case LISTENERS_SAME:
    case LISTENERS_CHANGED:
      child_start (supervisor->intake);
      return;
    case LISTENERS_BUSY:
      /* An intake that lost its supervisor is finishing its requests. */
      if (pidfile_is_inherited (supervisor->pidfile)
          && now_us < supervisor->listen_until_us) {
        loop_timer_set (supervisor->listen_timer, now_us + LISTEN_MS * 1000);
        return;
      }
      break;
    case LISTENERS_FAILED:
      break;
  }
  log_error ("%s", reason);
  supervisor_stop (supervisor, supervisor->config->file_exit);
}

/* Sockets of systemd that no <listen> names stay unused, which nobody
 * would guess. */
static void
supervisor_check_sockets (const struct supervisor *supervisor)
{
  for (size_t i = 0; i < listeners_count (supervisor->listeners); i++) {
    const struct listener *listener
      = listeners_at (supervisor->listeners, i);

    if (!listener->is_wanted && listener->is_given)
      log_warning ("the service manager listens on %s, which no <listen> of "
                   "%s names: nobody answers there", listener->name,
                   supervisor->configuration->herald->path);
  }
}

/* Before anybody can find us: SIGHUP would be the end. */
static void
supervisor_hear_signals (struct supervisor *supervisor)
{
  loop_on_signal (supervisor->loop, SIGCHLD, supervisor_on_child,
                  supervisor);
  loop_on_signal (supervisor->loop, SIGHUP, supervisor_on_reload,
                  supervisor);
  loop_on_signal (supervisor->loop, SIGTERM, supervisor_on_stop, supervisor);
  loop_on_signal (supervisor->loop, SIGINT, supervisor_on_stop, supervisor);
}

/* -1 after saying why. */
static int
supervisor_open (struct supervisor *supervisor)
{
  struct service_socket *sockets = NULL;
  char reason[600], *directory;
  size_t n = 0;

  if (service_sockets (&sockets, &n, reason, sizeof reason) != 0) {
    log_error ("the service manager's sockets can't be used: %s", reason);
    return -1;
  }
  listeners_give (supervisor->listeners, sockets, n);
  free (sockets);
  supervisor_hear_signals (supervisor);
  supervisor->pidfile = pidfile_hold (supervisor->state_directory, reason,
                                      sizeof reason);
  if (supervisor->pidfile == NULL) {
    log_error ("%s", reason);
    return -1;
  }
  /* NOTIFY_SOCKET is an absolute path. */
  directory = realpath (pidfile_directory (supervisor->pidfile), NULL);
  supervisor->notify_path = arena_printf (supervisor->arena, "%s/notify",
                                          directory != NULL ? directory
                                                            : "");
  free (directory);
  supervisor->inbox = service_inbox_new (supervisor->loop,
                                         supervisor->notify_path,
                                         supervisor_heard, supervisor,
                                         reason, sizeof reason);
  if (supervisor->inbox == NULL) {
    log_error ("%s", reason);
    return -1;
  }
  supervisor->renewal
    = renewal_new (pidfile_directory (supervisor->pidfile));
  return 0;
}

static void
supervisor_begin (struct supervisor *supervisor)
{
  static const char *const intake[] = { "intake", NULL };

  supervisor_keep_copies (supervisor, supervisor->configuration);
  supervisor->beat = service_beat_new (supervisor->loop);
  supervisor->listen_until_us = loop_now_us (supervisor->loop)
                                + supervisor_stop_ms (supervisor) * 1000;
  supervisor->intake = supervisor_child (supervisor, "intake", INTAKE_PLACE,
                                         intake);
  supervisor_start_workers (supervisor);
  supervisor_listen (supervisor);
  supervisor_check_sockets (supervisor);
}

static void
supervisor_close (struct supervisor *supervisor)
{
  supervisor_free_workers (supervisor);
  child_free (supervisor->intake);
  service_beat_free (supervisor->beat);
  service_inbox_free (supervisor->inbox);
  loop_timer_free (supervisor->listen_timer);
  loop_timer_free (supervisor->reload_timer);
  renewal_free (supervisor->renewal);
  listeners_free (supervisor->listeners);
  pidfile_release (supervisor->pidfile);
  configuration_free (supervisor->configuration);
  loop_free (supervisor->loop);
  arena_free (supervisor->arena);
}

/* Not from within a worker's own call. */
static void
supervisor_replace_workers (struct supervisor *supervisor)
{
  if (!supervisor->is_replacing || supervisor_has_workers (supervisor))
    return;
  supervisor_free_workers (supervisor);
  supervisor->is_replacing = false;
  supervisor_start_workers (supervisor);
}

static void
supervisor_reload_is_late (void *data)
{
  struct supervisor *supervisor = data;

  supervisor_reload_goes_on (supervisor);
}

int
supervisor_run (const struct supervisor_config *config,
                struct configuration *configuration)
{
  struct supervisor supervisor = {
    .config = config, .configuration = configuration,
    .arena = arena_new (0), .loop = loop_new (),
    .listeners = listeners_new (),
  };
  const char *state = config->state_directory;

  if (state == NULL)
    state = configuration->herald->state_directory;
  supervisor.state_directory
    = arena_strdup (supervisor.arena, state != NULL ? state
                                                    : HERALD_STATEDIR);
  supervisor.listen_timer = loop_timer_new (supervisor.loop,
                                            supervisor_listen, &supervisor);
  supervisor.reload_timer = loop_timer_new (supervisor.loop,
                                            supervisor_reload_is_late,
                                            &supervisor);
  if (supervisor_open (&supervisor) != 0)
    supervisor.exit_code = config->file_exit;
  else {
    supervisor_begin (&supervisor);
    while (supervisor.phase != SUPERVISOR_IS_DONE) {
      loop_turn (supervisor.loop, TURN_MS);
      supervisor_replace_workers (&supervisor);
      log_settle (false);
    }
    if (supervisor.exit_code == 0)
      log_notice ("stopped");
  }
  supervisor_close (&supervisor);
  log_settle (true);
  return supervisor.exit_code;
}
