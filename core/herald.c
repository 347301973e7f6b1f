/* herald.c - main: the table of subcommands.
 *
 * SPDX-License-Identifier: MIT
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/text.h"
#include "command/command.h"
#include "command/logging.h"
#include "herald-plugin.h"

static const struct {
  const char *name;
  const char *summary;
  command_fn *run;
} herald_commands[] = {
  { "send", "deliver events from files, now", command_send },
  { "submit", "put events from files in through the intake",
    command_submit },
  { "serve", "take events and deliver them, as a daemon", command_serve },
  { "reload", "have the daemon read the configuration again",
    command_reload },
  { "explain", "show what would become of an event, send nothing",
    command_explain },
  { "check", "say what is wrong with the configuration", command_check },
  { "list", "show the integrations", command_list },
  { "verify", "ask a service whether the credentials hold", command_verify },
  { "test", "send a test e-mail or a sample record", command_test },
  { "add", "write a descriptor to start from", command_add },
  { "enable", "switch an integration on", command_enable },
  { "disable", "switch an integration off", command_disable },
  { "remove", "delete an integration", command_remove },
  { "status", "show how it stands, live", command_status },
  { "queue", "show what waits in the store", command_queue },
  { "trace", "show what became of an event", command_trace },
  { "dead", "look after what was given up", command_dead },
  { "pause", "hold an integration's deliveries", command_pause },
  { "resume", "let them go again", command_resume },
  { "forget", "erase what is kept of a participant", command_forget },
  { "providers", "show the plugins installed", command_providers },
  { "describe", "tell a provider's settings", command_describe },
  { "intake", "take events over HTTP into the store", command_intake },
  { "worker", "deliver what the store holds", command_worker },
};

static void
herald_help (FILE *out)
{
  fprintf (out,
    "usage: herald [options] COMMAND [...]\n\n"
    "Delivers events to services, through plugins.\n\ncommands:\n");
  for (size_t i = 0; i < HERALD_COUNT (herald_commands); i++)
    fprintf (out, "  %-10s %s\n", herald_commands[i].name,
             herald_commands[i].summary);
  fprintf (out,
    "\noptions (before the command):\n"
    "  --config DIR      herald.xml and conf.d (%s)\n"
    "  --plugins DIR     the plugins (%s)\n"
    "  --state DIR       what is remembered between runs (%s)\n"
    "  --log FORMAT      auto, plain, logfmt or json\n"
    "  -v, --verbose     tell more; twice: tell all\n"
    "  --version         and the plugin ABI\n"
    "  -h, --help        this text; \"herald COMMAND --help\" for one "
    "command\n\n"
    "HERALD_CONFIG, HERALD_PLUGINS and HERALD_STATE in the environment do "
    "as\n--config, --plugins and --state do.\n",
    HERALD_SYSCONFDIR, HERALD_PLUGINDIR, HERALD_STATEDIR);
}

static int
herald_unknown (const char *what, const char *name)
{
  const char *names[HERALD_COUNT (herald_commands) + 1] = { NULL };
  const char *nearest;

  for (size_t i = 0; i < HERALD_COUNT (herald_commands); i++)
    names[i] = herald_commands[i].name;
  nearest = *name == '-' ? NULL : text_nearest (name, names);
  fprintf (stderr, "herald: %s %s", what, name);
  if (nearest != NULL)
    fprintf (stderr, "; did you mean %s?", nearest);
  fprintf (stderr, "\nrun \"herald --help\" for what there is\n");
  return EXIT_USAGE;
}

/* The options before the command; the number of arguments used, 0: not an
 * option, -1: the exit code is in *ret_status. */
static int
herald_option (struct command_globals *globals, int argc, char **argv,
               int *ret_status)
{
  const struct {
    const char *name;
    const char **value;
  } texts[] = {
    { "--config", &globals->config_directory },
    { "--plugins", &globals->plugin_directory },
    { "--state", &globals->state_directory },
    { "--log", &globals->log_format },
  };
  const char *value = NULL;
  int used = 1;

  *ret_status = EXIT_DONE;
  if (strcmp (argv[0], "--help") == 0 || strcmp (argv[0], "-h") == 0) {
    herald_help (stdout);
    return -1;
  }
  if (strcmp (argv[0], "--version") == 0) {
    printf ("herald %s\nplugin ABI %d.%d\n", PACKAGE_VERSION,
            HERALD_ABI_MAJOR, HERALD_ABI_MINOR);
    return -1;
  }
  if (strcmp (argv[0], "-v") == 0 || strcmp (argv[0], "--verbose") == 0) {
    globals->verbosity++;
    return 1;
  }
  for (size_t i = 0; i < HERALD_COUNT (texts); i++) {
    size_t len = strlen (texts[i].name);

    if (strncmp (argv[0], texts[i].name, len) != 0
        || (argv[0][len] != '\0' && argv[0][len] != '='))
      continue;
    if (argv[0][len] == '=')
      value = argv[0] + len + 1;
    else if (argc > 1) {
      value = argv[1];
      used = 2;
    } else {
      *ret_status = herald_unknown ("a value is missing after", argv[0]);
      return -1;
    }
    *texts[i].value = value;
    if (texts[i].value != &globals->log_format || logging_is_format (value))
      return used;
    *ret_status = herald_unknown ("--log is auto, plain, logfmt or json, not",
                                  value);
    return -1;
  }
  *ret_status = herald_unknown ("there is no option", argv[0]);
  return -1;
}

static const char *
herald_default (const char *variable, const char *built_in)
{
  const char *value = getenv (variable);

  return value != NULL && *value != '\0' ? value : built_in;
}

/* Whoever started herald may have closed some: the next file opened would
 * be taken for standard output, and the report written into it.  Opened
 * the wrong way round, so that using one still fails. */
static void
herald_fill_standard_files (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 && errno == EBADF
        && open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
      _exit (EXIT_FILE);
}

int
main (int argc, char **argv)
{
  struct command_globals globals = {
    .program = argv[0],
    .config_directory = herald_default ("HERALD_CONFIG", HERALD_SYSCONFDIR),
    .plugin_directory = herald_default ("HERALD_PLUGINS", HERALD_PLUGINDIR),
    .state_directory = herald_default ("HERALD_STATE", NULL),
  };
  int i = 1, status;

  herald_fill_standard_files ();
  /* Only what a terminal shows may depend on the locale. */
  setlocale (LC_CTYPE, "");
  process_rename ("herald");    /* a child of serve would be "exe" */
  signal (SIGPIPE, SIG_IGN);
  while (i < argc && argv[i][0] == '-') {
    int used = herald_option (&globals, argc - i, argv + i, &status);

    if (used < 0)
      return status;
    i += used;
  }
  if (i == argc) {
    herald_help (stderr);
    return EXIT_USAGE;
  }
  logging_begin (&globals);
  for (size_t k = 0; k < HERALD_COUNT (herald_commands); k++)
    if (strcmp (argv[i], herald_commands[k].name) == 0) {
      status = herald_commands[k].run (&globals, argc - i - 1, argv + i + 1);
      /* What was printed must have arrived: a full disk is no success. */
      if (fflush (stdout) != 0 || ferror (stdout)) {
        log_error ("standard output can't be written: %m");
        return EXIT_FILE;
      }
      return status;
    }
  return herald_unknown ("there is no command", argv[i]);
}
