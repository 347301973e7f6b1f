/* worker.c - herald worker: delivers what the store holds.
 *
 * One of the processes that herald serve looks after; it runs alone as
 * well, as a service of systemd or from a terminal.
 *
 * SPDX-License-Identifier: MIT
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/number.h"
#include "command.h"
#include "logging.h"
#include "options.h"
#include "serve/worker.h"

enum { MOST_WORKERS = 64 };

struct worker_logging {
  const struct command_globals *globals;
  const char *name;
};

static void
worker_was_read (void *data, const struct herald_xml *herald)
{
  const struct worker_logging *logging = data;

  logging_daemon (logging->globals, logging->name, &herald->log);
}

/* False after a complaint. */
static bool
worker_read_number (const char *option, const char *text, int64_t least,
                    int64_t most, uint32_t *ret_number)
{
  int64_t number;

  if (text == NULL)
    return true;
  if (number_read (text, strlen (text), least, most, &number) != 0) {
    fprintf (stderr, "herald worker: --%s is a number from %lld to %lld, not "
             "%s\n", option, (long long) least, (long long) most, text);
    return false;
  }
  *ret_number = (uint32_t) number;
  return true;
}

int
command_worker (const struct command_globals *globals, int argc, char **argv)
{
  static char name[32];
  static const int ends[] = {
    [WORKER_ENDED] = EXIT_DONE,
    [WORKER_CONFIG] = EXIT_CONFIG,
    [WORKER_FILE] = EXIT_FILE,
  };
  struct worker_logging logging = { globals, name };
  struct worker_config config = {
    .config_directory = globals->config_directory,
    .plugin_directory = globals->plugin_directory,
    .state_directory = globals->state_directory,
    .of = 1, .stop_ms = -1, .read = worker_was_read, .data = &logging,
  };
  const char *index = NULL, *of = NULL;
  const struct option_row rows[] = {
    { OPTION_TEXT, "index", 0, "I", "which worker this is (0)", &index },
    { OPTION_TEXT, "of", 0, "N", "of how many (1)", &of },
    { OPTION_DURATION, "stop", 0, "TIME",
      "how long SIGTERM waits for what is in flight", &config.stop_ms },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "worker", .usage = "[options]",
    .about = "Delivers what the store holds, through the plugins, until it "
             "is stopped. \"herald serve\" runs it together with the intake "
             "that fills the store.",
    .rows = rows,
    .notes = "Of N workers each has every N-th lane. SIGHUP reads the "
             "configuration again, SIGTERM ends it when what is in flight "
             "has ended; a second one at once.",
  };
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  if (!worker_read_number ("of", of, 1, MOST_WORKERS, &config.of)
      || !worker_read_number ("index", index, 0, config.of - 1,
                              &config.index))
    return EXIT_USAGE;
  snprintf (name, sizeof name, "worker-%u", (unsigned) config.index);
  loop_hold_signal (SIGHUP);
  loop_hold_signal (SIGTERM);
  logging_daemon (globals, name, NULL);
  status = ends[worker_run (&config)];
  log_settle (true);
  return status;
}
