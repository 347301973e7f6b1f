/* verify.c - herald verify: do the credentials hold?
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>

#include "command.h"
#include "options.h"
#include "output.h"
#include "session.h"
#include "trial.h"

static int
verify_print (const struct integration *integration,
              const struct job_verdict *verdict, bool is_json)
{
  const char *result = verdict->how == HERALD_PROVEN     ? "proven"
                       : verdict->how == HERALD_UNPROVEN ? "unproven"
                                                         : "failed";
  const char *text = verdict->how != 0 ? verdict->text
                                       : verdict->outcome.reason;

  if (is_json) {
    struct json_doc *doc = json_doc_object ();

    json_doc_put (doc, "integration", json_doc_text (integration->name));
    json_doc_put (doc, "result", json_doc_text (result));
    json_doc_put (doc, "class",
                  json_doc_text (verdict->how != 0
                                   ? NULL
                                   : outcome_name (verdict->outcome.kind)));
    json_doc_put (doc, "status", json_doc_number (verdict->outcome.status));
    json_doc_put (doc, "text", json_doc_text (text));
    output_json (doc);
  } else
    printf ("%s: %s%s%s\n", integration->name, result,
            *text != '\0' ? ": " : "", text);
  return verdict->how != 0 ? EXIT_DONE : EXIT_NOT_ALL;
}

static int
verify_run (struct session *session, const char *name, bool is_json)
{
  struct integration *integration = session_find (session, name);
  struct job *job;
  int status;

  if (integration == NULL)
    return EXIT_CONFIG;
  if (integration->provider->plugin.verify == NULL) {
    fprintf (stderr, "herald verify: %s can't check a connection without "
             "sending something; use \"herald test %s\"\n",
             integration->provider->plugin.label, name);
    return EXIT_NOT_ALL;
  }
  if (session_connect (session, 4) != 0)
    return EXIT_CONFIG;
  job = trial_run (session, integration, JOB_VERIFY, NULL, 0);
  status = verify_print (integration, job_verdict (job), is_json);
  job_free (job);
  return status;
}

int
command_verify (const struct command_globals *globals, int argc,
                char **argv)
{
  bool is_json = false;
  const struct option_row rows[] = {
    { OPTION_FLAG, "json", 0, NULL, "print JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "verify",
    .usage = "[options] INTEGRATION",
    .about = "Ask the service whether the integration's endpoint and "
             "credentials hold.  Nothing is sent to anyone.  Results: "
             "proven (the service accepted them); unproven (nothing speaks "
             "against them, but the service would not say); failed.",
    .rows = rows,
    .min_operands = 1,
    .max_operands = 1,
    .notes = "exit codes: 0 proven or unproven, 1 failed, 2 bad usage, 3 the "
             "integration can't be used",
  };
  struct session *session;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  session = session_open (globals, SECRETS_READ);
  if (session->configuration == NULL) {
    session_report (session);
    status = EXIT_CONFIG;
  } else
    status = verify_run (session, argv[0], is_json);
  session_close (session);
  return status;
}
