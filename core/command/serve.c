/* serve.c - herald serve: the daemon.
 *
 * SPDX-License-Identifier: MIT
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/number.h"
#include "base/process.h"
#include "command.h"
#include "logging.h"
#include "options.h"
#include "serve/supervisor.h"
#include "session.h"

enum { SERVE_WORKERS = 64, SERVE_ARGUMENTS = 16 };

/* Errors of single integrations are told by who would have used them. */
static void
serve_read (void *data, const struct problems *problems,
            const struct herald_xml *host)
{
  const struct command_globals *globals = data;
  size_t errors = problems_errors (problems);

  if (host == NULL)
    problems_log (problems, true);
  else {
    logging_daemon (globals, "serve", &host->log);
    if (errors > 0)
      log_warning ("the configuration has %zu error%s: see \"herald check\"",
                   errors, errors == 1 ? "" : "s");
  }
}

/* The options of this run, for the children. */
static void
serve_arguments (const struct command_globals *globals,
                 const char *ret_arguments[SERVE_ARGUMENTS])
{
  size_t n = 0;

  ret_arguments[n++] = "herald";
  ret_arguments[n++] = "--config";
  ret_arguments[n++] = globals->config_directory;
  ret_arguments[n++] = "--plugins";
  ret_arguments[n++] = globals->plugin_directory;
  if (globals->log_format != NULL) {
    ret_arguments[n++] = "--log";
    ret_arguments[n++] = globals->log_format;
  }
  if (globals->verbosity > 0)
    ret_arguments[n++] = "-v";
  if (globals->verbosity > 1)
    ret_arguments[n++] = "-v";
  ret_arguments[n] = NULL;
}

static int
serve_run (const struct command_globals *globals, uint32_t n_workers)
{
  const char *arguments[SERVE_ARGUMENTS];
  struct command_globals kept = *globals;
  struct supervisor_config config = {
    .program = process_program (globals->program),
    .arguments = arguments, .config_directory = globals->config_directory,
    .state_directory = globals->state_directory, .n_workers = n_workers,
    .final_exit = EXIT_CONFIG, .file_exit = EXIT_FILE,
    .read = serve_read, .data = &kept,
  };
  struct problems *problems = problems_new ();
  struct configuration *configuration
    = configuration_read (globals->config_directory, SECRETS_UNREAD, problems);

  serve_arguments (globals, arguments);
  serve_read (&kept, problems,
              configuration != NULL ? configuration->herald : NULL);
  problems_free (problems);
  return configuration != NULL ? supervisor_run (&config, configuration)
                               : EXIT_CONFIG;
}

static const char serve_about[] =
  "Take events over HTTP, keep them on disk, and deliver them: one process "
  "that takes (\"herald intake\"), and others that deliver (\"herald "
  "worker\"), which are started again when they crash or hang.\n\nSIGHUP or "
  "\"herald reload\" reads the configuration again, SIGTERM ends it all "
  "when what is in flight is finished.  See herald-serve(8).";

int
command_serve (const struct command_globals *globals, int argc, char **argv)
{
  const char *workers = NULL;
  int64_t n_workers = 0;
  const struct option_row rows[] = {
    { OPTION_TEXT, "workers", 'n', "NUMBER",
      "worker processes, whatever herald.xml says", &workers },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "serve", .usage = "[options]", .about = serve_about,
    .rows = rows,
    .notes = "exit codes: 0 stopped by a signal, 2 bad usage, 3 the "
             "configuration can't be used, 4 a socket or file can't be used, "
             "or herald serve runs already",
  };
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  if (workers != NULL
      && number_read (workers, strlen (workers), 1, SERVE_WORKERS,
                      &n_workers) != 0) {
    fprintf (stderr, "herald serve: --workers is a number from 1 to %d\n",
             SERVE_WORKERS);
    return EXIT_USAGE;
  }
  loop_hold_signal (SIGHUP);
  loop_hold_signal (SIGTERM);
  logging_daemon (globals, "serve", NULL);
  return serve_run (globals, (uint32_t) n_workers);
}
