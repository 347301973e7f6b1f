/* command.h - the subcommands of herald.
 *
 * Each takes its arguments (argv[0] is the first one behind its name) and
 * returns an exit code.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_COMMAND_H
#define HERALD_COMMAND_H

#include <stdbool.h>

enum {                          /* exit codes, as in herald(1) */
  EXIT_DONE = 0,                /* all delivered; nothing wrong */
  EXIT_NOT_ALL = 1,             /* some not delivered; something is wrong */
  EXIT_USAGE = 2,
  EXIT_CONFIG = 3,              /* the configuration can't be used */
  EXIT_FILE = 4                 /* a file could not be read or written */
};

struct command_globals {        /* the options before the command */
  const char *program;          /* argv[0] */
  const char *config_directory;
  const char *plugin_directory;
  const char *state_directory;  /* NULL: as herald.xml says, or built in */
  const char *log_format;       /* of --log; NULL: not given */
  unsigned verbosity;           /* how often -v was given */
};

typedef int command_fn (const struct command_globals *globals, int argc,
                        char **argv);
command_fn command_reload, command_serve;

command_fn command_add, command_check, command_dead, command_describe,
  command_disable, command_enable, command_explain, command_forget,
  command_intake, command_list, command_pause, command_providers,
  command_queue, command_remove, command_resume, command_send, command_status,
  command_submit, command_test, command_trace, command_verify, command_worker;

#endif
