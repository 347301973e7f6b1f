/* enable.c - herald enable and disable: switch an integration.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>

#include "base/log.h"
#include "command.h"
#include "options.h"
#include "session.h"

static int
enable_set (const struct session *session, const char *name,
            bool is_enabled)
{
  const struct descriptor *descriptor = session_descriptor (session, name);
  char reason[400];

  if (descriptor == NULL)
    return EXIT_CONFIG;
  if (descriptor->is_enabled == is_enabled) {
    printf ("%s is %s already\n", name, is_enabled ? "enabled" : "disabled");
    return EXIT_DONE;
  }
  if (descriptor_set_enabled (descriptor->path, is_enabled, reason,
                              sizeof reason) != 0) {
    log_error ("%s: %s", descriptor->path, reason);
    return EXIT_FILE;
  }
  printf ("%s is %s now\n", name, is_enabled ? "enabled" : "disabled");
  if (is_enabled && descriptor->has_errors)
    log_warning ("%s has errors, so nothing will be sent; see \"herald "
                 "check\"", descriptor->path);
  session_say_reload (session);
  return EXIT_DONE;
}

static int
enable_run (const struct command_globals *globals, int argc, char **argv,
            const struct options *options, bool is_enabled)
{
  struct session *session;
  int n, status;

  if (!options_read (options, argc, argv, &n, &status))
    return status;
  session = session_open (globals, SECRETS_ELSEWHERE);
  if (session->configuration == NULL) {
    session_report (session);
    status = EXIT_CONFIG;
  } else
    status = enable_set (session, argv[0], is_enabled);
  session_close (session);
  return status;
}

int
command_enable (const struct command_globals *globals, int argc,
                char **argv)
{
  const struct option_row rows[] = { { .kind = OPTION_END } };
  const struct options options = {
    .command = "enable",
    .usage = "INTEGRATION",
    .about = "Set enabled=\"true\" in the integration's descriptor; all else "
             "in the file stays as it is.",
    .rows = rows,
    .min_operands = 1,
    .max_operands = 1,
  };

  return enable_run (globals, argc, argv, &options, true);
}

int
command_disable (const struct command_globals *globals, int argc,
                 char **argv)
{
  const struct option_row rows[] = { { .kind = OPTION_END } };
  const struct options options = {
    .command = "disable",
    .usage = "INTEGRATION",
    .about = "Set enabled=\"false\" in the integration's descriptor; all "
             "else in the file stays as it is.",
    .rows = rows,
    .min_operands = 1,
    .max_operands = 1,
  };

  return enable_run (globals, argc, argv, &options, false);
}
