/* reload.c - herald reload: have the daemon read the configuration again.
 *
 * SPDX-License-Identifier: MIT
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/process.h"
#include "check.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "serve/pidfile.h"
#include "serve/renewal.h"
#include "session.h"

enum {
  RELOAD_WAIT_MS = 90 * 1000,   /* the daemon gives up before */
  RELOAD_LOOK_MS = 20
};

static int64_t
reload_number (const char *run_directory, const char *name)
{
  struct json_doc *doc = renewal_read (run_directory);
  int64_t number = json_doc_as_number (json_doc_get (doc, name));

  json_doc_free (doc);
  return number;
}

/* What became of the first reload that begins after begun.  NULL after
 * saying why it is not known. */
static struct json_doc *
reload_wait (const char *state_directory, const char *run_directory,
             pid_t pid, int64_t begun)
{
  const struct timespec nap = { .tv_nsec = RELOAD_LOOK_MS * 1000000L };
  int64_t end_us = date_monotonic_us () + RELOAD_WAIT_MS * INT64_C (1000);

  while (reload_number (run_directory, "done") <= begun) {
    if (pidfile_find (state_directory) != pid) {
      log_error ("herald serve (pid %ld) has ended meanwhile", (long) pid);
      return NULL;
    }
    if (date_monotonic_us () > end_us) {
      log_error ("herald serve (pid %ld) does not answer; its log may say "
                 "why", (long) pid);
      return NULL;
    }
    nanosleep (&nap, NULL);
  }
  return renewal_read (run_directory);
}

static void
reload_print_lines (const struct json_doc *doc, const char *name,
                    const char *none)
{
  const struct json_doc *lines = json_doc_get (doc, name);

  for (size_t i = 0; i < json_doc_count (lines); i++)
    printf ("%s: %s\n", name, json_doc_as_text (json_doc_at (lines, i)));
  if (none != NULL && json_doc_count (lines) == 0)
    printf ("%s\n", none);
}

/* The exit code. */
static int
reload_print (struct json_doc *doc, bool is_json, bool has_errors)
{
  const char *result = json_doc_as_text (json_doc_get (doc, "result"));
  int status = EXIT_DONE;

  if (result != NULL && strcmp (result, "failed") == 0)
    status = EXIT_CONFIG;
  else if (has_errors || result == NULL || strcmp (result, "done") != 0)
    status = EXIT_NOT_ALL;
  if (is_json)
    output_json (doc);
  else {
    reload_print_lines (doc, "changed", "nothing of herald.xml or the "
                                        "descriptors changed; secrets and "
                                        "tokens were read again");
    reload_print_lines (doc, "kept", NULL);
    json_doc_free (doc);
  }
  return status;
}

/* Who may not look there can't tell whether it runs. */
static void
reload_say_none (const char *state_directory)
{
  struct buf path = BUF_INIT (0);

  buf_printf (&path, "%s/run/serve.pid", state_directory);
  if (access (path.data, R_OK) != 0 && errno == EACCES)
    log_error ("%s: %m; run this as the user that herald serve runs as, or "
               "as root", path.data);
  else
    log_error ("herald serve does not run with the state directory %s",
               state_directory);
  buf_done (&path);
}

static int
reload_run (const struct session *session, bool is_json)
{
  pid_t pid = pidfile_find (session->state_directory);
  struct buf run_directory = BUF_INIT (0);
  struct json_doc *doc = NULL;
  int64_t begun;

  if (pid == 0) {
    reload_say_none (session->state_directory);
    return EXIT_FILE;
  }
  buf_printf (&run_directory, "%s/run", session->state_directory);
  begun = reload_number (run_directory.data, "begun");
  if (kill (pid, SIGHUP) != 0)
    log_error ("herald serve (pid %ld) can't be told: %m", (long) pid);
  else
    doc = reload_wait (session->state_directory, run_directory.data, pid,
                       begun);
  buf_done (&run_directory);
  return doc == NULL ? EXIT_FILE
                     : reload_print (doc, is_json,
                                     problems_errors (session->problems)
                                       > 0);
}

int
command_reload (const struct command_globals *globals, int argc, char **argv)
{
  bool is_json = false;
  const struct option_row rows[] = {
    { OPTION_FLAG, "json", 0, NULL, "print what became of it as JSON",
      &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "reload", .usage = "[options]",
    .about = "Check the configuration as \"herald check\" does, have the "
             "herald serve that runs with this state directory read it "
             "again, and wait until all its processes have.  An integration "
             "whose file has errors goes on as it was; when herald.xml can't "
             "be used nothing changes.",
    .rows = rows,
    .notes = "exit codes: 0 done, 1 errors, or something stays as it was, "
             "2 bad usage, 3 the configuration can't be used: nothing "
             "changed, 4 herald serve does not run or does not answer",
  };
  struct session *session;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  session = session_open (globals, SECRETS_ELSEWHERE);
  check_intake (session);
  session_report (session);
  if (session->configuration == NULL) {
    log_error ("nothing was reloaded");
    status = EXIT_CONFIG;
  } else
    status = reload_run (session, is_json);
  session_close (session);
  return status;
}
