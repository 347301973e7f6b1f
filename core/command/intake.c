/* intake.c - herald intake: takes events over HTTP into the store.
 *
 * One of the processes that herald serve looks after; it runs alone as
 * well, as a service of systemd or from a terminal.
 *
 * SPDX-License-Identifier: MIT
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/service.h"
#include "command.h"
#include "intake/intake.h"
#include "logging.h"
#include "options.h"

enum { INTAKE_TURN_MS = 1000 };

struct intake_run {
  const struct command_globals *globals;
  struct loop *loop;
  struct configuration *configuration;
  char *store_directory, *run_directory;
  struct board *board;
  struct intake *intake;
  struct service_beat *beat;
  bool is_stopping;
  int64_t stop_us;              /* when to end whatever there is */
};

/* In the place of what is broken: as it was until now, or, at the start,
 * as it was when it was last good. */
static void
intake_keep (const struct intake_run *run, struct configuration *fresh,
             struct problems *problems)
{
  if (run->configuration != NULL)
    configuration_keep_old (fresh, run->configuration, problems);
  configuration_recall (fresh, run->globals->state_directory, problems);
}

static void
intake_on_reload (void *data, int number)
{
  struct intake_run *run = data;
  struct problems *problems = problems_new ();
  struct configuration *fresh;

  (void) number;
  if (run->is_stopping) {
    problems_free (problems);
    return;
  }
  service_notify_reloading ();
  fresh = configuration_read (run->globals->config_directory, SECRETS_UNREAD,
                              problems);
  if (fresh != NULL)
    intake_keep (run, fresh, problems);
  problems_log (problems, true);
  problems_free (problems);
  if (fresh == NULL)
    log_error ("the configuration stays as it was");
  else {
    intake_reload (run->intake, fresh);
    configuration_free (run->configuration);
    run->configuration = fresh;
    logging_daemon (run->globals, "intake", &fresh->herald->log);
    log_notice ("the configuration was read again");
  }
  service_ready (run->beat);
}

static void
intake_on_stop (void *data, int number)
{
  struct intake_run *run = data;

  (void) number;
  if (run->is_stopping) {
    run->stop_us = 0;
    return;
  }
  log_notice ("stopping: what has come is answered first");
  service_notify ("STOPPING=1");
  run->is_stopping = true;
  run->stop_us = date_monotonic_us ()
                 + run->configuration->herald->workers.stop_ms * 1000;
  intake_stop (run->intake);
}

static int
intake_go (struct intake_run *run)
{
  int wait_ms = 0;

  loop_on_signal (run->loop, SIGHUP, intake_on_reload, run);
  loop_on_signal (run->loop, SIGTERM, intake_on_stop, run);
  loop_on_signal (run->loop, SIGINT, intake_on_stop, run);
  run->beat = service_beat_new (run->loop);
  service_ready (run->beat);
  service_notify ("STATUS=taking events");
  for (;;) {
    loop_turn (run->loop, wait_ms < 0 ? INTAKE_TURN_MS : wait_ms);
    wait_ms = intake_turn (run->intake);
    board_beat (run->board, date_now_ms ());
    log_settle (false);
    if (intake_is_broken (run->intake)) {
      log_error ("ending: the store can't be trusted");
      return EXIT_FILE;
    }
    if (run->is_stopping && (intake_is_idle (run->intake)
                             || date_monotonic_us () >= run->stop_us))
      return EXIT_DONE;
  }
}

static char *
intake_path (const char *directory, const char *name)
{
  struct buf path = BUF_INIT (0);

  buf_printf (&path, "%s/%s", directory, name);
  return buf_steal (&path);
}

static int
intake_open (struct intake_run *run)
{
  const struct herald_xml *xml = run->configuration->herald;
  const char *state = run->globals->state_directory;
  struct intake_config config = {
    .loop = run->loop, .configuration = run->configuration,
  };
  char reason[500];

  if (state == NULL)
    state = xml->state_directory;
  if (state == NULL)
    state = HERALD_STATEDIR;
  run->run_directory = intake_path (state, "run");
  run->store_directory = xml->store.directory != NULL
                           ? memory_strdup (xml->store.directory)
                           : intake_path (state, "store");
  run->board = board_open (run->run_directory, BOARD_INTAKE, 0, reason,
                           sizeof reason);
  if (run->board == NULL) {
    log_error ("%s", reason);
    return EXIT_FILE;
  }
  if (*reason != '\0')
    log_warning ("%s", reason);
  config.run_directory = run->run_directory;
  config.board = run->board;
  config.queue = (struct queue_config) {
    .engine = xml->store.engine, .where = run->store_directory,
    .window_ms = xml->store.window_ms,
    .history_ms = xml->store.history_ms,
    .history_rows = xml->store.history_rows,
    .most_bytes = xml->store.most_bytes,
  };
  run->intake = intake_new (&config, reason, sizeof reason);
  if (run->intake != NULL)
    return EXIT_DONE;
  log_error ("%s", reason);
  return EXIT_FILE;
}

static void
intake_done (struct intake_run *run)
{
  intake_free (run->intake);
  service_beat_free (run->beat);
  board_close (run->board);
  loop_free (run->loop);
  configuration_free (run->configuration);
  free (run->store_directory);
  free (run->run_directory);
  log_settle (true);
}

int
command_intake (const struct command_globals *globals, int argc, char **argv)
{
  static const struct option_row rows[] = { { .kind = OPTION_END } };
  const struct options options = {
    .command = "intake", .usage = "",
    .about = "Takes events over HTTP into the store, until it is stopped. "
             "\"herald serve\" runs it together with the workers that "
             "deliver them.",
    .rows = rows,
    .notes = "Where it listens and who may write to which workspace is told "
             "by <intake> of herald.xml; herald-intake(7) tells what it "
             "answers. SIGHUP reads the configuration and the tokens again, "
             "SIGTERM ends it when what has come is answered.",
  };
  struct intake_run run = { .globals = globals };
  struct configuration *configuration;
  struct problems *problems;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  loop_hold_signal (SIGHUP);
  loop_hold_signal (SIGTERM);
  logging_daemon (globals, "intake", NULL);
  problems = problems_new ();
  configuration = configuration_read_or_recall (globals->config_directory,
                                                globals->state_directory,
                                                SECRETS_UNREAD, problems);
  if (configuration != NULL)
    intake_keep (&run, configuration, problems);
  problems_log (problems, true);
  problems_free (problems);
  if (configuration == NULL)
    return EXIT_CONFIG;
  run.configuration = configuration;
  logging_daemon (globals, "intake", &run.configuration->herald->log);
  run.loop = loop_new ();
  status = intake_open (&run);
  if (status == EXIT_DONE)
    status = intake_go (&run);
  intake_done (&run);
  return status;
}
