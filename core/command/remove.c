/* remove.c - herald remove: delete an integration's descriptor.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "command.h"
#include "options.h"
#include "session.h"

static bool
remove_is_meant (const char *path)
{
  char answer[16] = "";

  if (!isatty (STDIN_FILENO)) {
    fprintf (stderr, "herald remove: say --yes to delete %s\n", path);
    return false;
  }
  printf ("delete %s? [y/N] ", path);
  fflush (stdout);
  return fgets (answer, sizeof answer, stdin) != NULL
         && (answer[0] == 'y' || answer[0] == 'Y');
}

static int
remove_run (const struct session *session, const char *name, bool is_sure)
{
  const struct descriptor *descriptor = session_descriptor (session, name);

  if (descriptor == NULL)
    return EXIT_CONFIG;
  if (!is_sure && !remove_is_meant (descriptor->path))
    return EXIT_USAGE;
  if (unlink (descriptor->path) != 0) {
    log_error ("%s: %m", descriptor->path);
    return EXIT_FILE;
  }
  proof_remove (session->state_directory, name);
  printf ("%s is gone; files its secrets came from were left\n",
          descriptor->path);
  session_say_reload (session);
  return EXIT_DONE;
}

int
command_remove (const struct command_globals *globals, int argc,
                char **argv)
{
  bool is_sure = false;
  const struct option_row rows[] = {
    { OPTION_FLAG, "yes", 'y', NULL, "do not ask", &is_sure },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "remove",
    .usage = "[options] INTEGRATION",
    .about = "Delete an integration's descriptor, and what is remembered of "
             "its test.  To stop it for a while use \"herald disable\".",
    .rows = rows,
    .min_operands = 1,
    .max_operands = 1,
  };
  struct session *session;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  session = session_open (globals, SECRETS_ELSEWHERE);
  if (session->configuration == NULL) {
    session_report (session);
    status = EXIT_CONFIG;
  } else
    status = remove_run (session, argv[0], is_sure);
  session_close (session);
  return status;
}
