/* test.c - herald test: a test e-mail, or a sample record to a webhook.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/crypto.h"
#include "base/log.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "owner.h"
#include "sample.h"
#include "session.h"
#include "trial.h"

static const char *
test_workspace (const struct session *session,
                const struct integration *integration)
{
  const struct descriptor *descriptor = integration->descriptor;
  const struct herald_xml *host = session->configuration->herald;

  if (descriptor->n_workspaces > 0)
    return descriptor->workspaces[0];
  return host->n_workspaces > 0 ? host->workspaces[0] : "test";
}

/* Where a test e-mail goes if nobody says: back to its sender. */
static const char *
test_address (const struct integration *integration, const char *to)
{
  const struct mail_form *mail = integration->descriptor->mail;

  if (to != NULL || mail == NULL)
    return to;
  return mail->reply_to_address != NULL ? mail->reply_to_address
                                        : mail->from_address;
}

static int
test_print (const struct session *session,
            const struct integration *integration,
            const struct outcome *outcome, const char *to, bool is_json)
{
  bool is_good = outcome->kind == OUTCOME_DELIVERED;
  const char *result = is_good ? "accepted" : outcome_name (outcome->kind);
  char reason[300];

  if (is_json) {
    struct json_doc *doc = json_doc_object ();

    json_doc_put (doc, "integration", json_doc_text (integration->name));
    json_doc_put (doc, "result", json_doc_text (result));
    json_doc_put (doc, "status", json_doc_number (outcome->status));
    json_doc_put (doc, "reference", json_doc_text (outcome->reference));
    json_doc_put (doc, "reason", json_doc_text (outcome->reason));
    output_json (doc);
  } else if (is_good)
    printf ("%s: %s%s accepted%s%s%s\n", integration->name,
            integration->is_mailer ? "test e-mail to " : "sample record",
            integration->is_mailer ? to : "",
            *outcome->reference != '\0' ? " (" : "", outcome->reference,
            *outcome->reference != '\0' ? ")" : "");
  else
    printf ("%s: %s: %s\n", integration->name, result, outcome->reason);
  if (!is_good)
    return EXIT_NOT_ALL;
  if (integration->is_mailer
      && proof_write (session->state_directory, integration, reason,
                      sizeof reason) != 0) {
    log_error ("that the test was accepted could not be remembered: %s",
               reason);
    return EXIT_FILE;
  }
  return EXIT_DONE;
}

static int
test_run (struct session *session, const char *name, const char *to,
          bool is_json)
{
  struct integration *integration = session_find (session, name);
  struct job_item item = { .attempt = 1 };
  char id[CRYPTO_UUID_LEN + 1];
  struct job *job;
  int status;

  if (integration == NULL)
    return EXIT_CONFIG;
  to = test_address (integration, to);
  if (integration->is_mailer && to == NULL) {
    fprintf (stderr, "herald test: say where the test e-mail shall go: "
             "--to ADDRESS\n");
    return EXIT_USAGE;
  }
  /* Before anything is sent that could not be remembered. */
  if (integration->is_mailer && !owner_is_me (session->state_directory)) {
    owner_say (session->state_directory);
    return EXIT_FILE;
  }
  if (session_connect (session, 4) != 0)
    return EXIT_CONFIG;
  crypto_uuid_random (id);
  item.id = id;
  item.to_address = integration->is_mailer ? to : NULL;
  item.event = sample_event (session->configuration->herald->catalogue,
                             test_workspace (session, integration), to);
  job = trial_run (session, integration, JOB_DELIVER, &item, 1);
  status = test_print (session, integration, job_outcome (job, 0), to,
                       is_json);
  job_free (job);
  event_release (item.event);
  return status;
}

static bool
test_is_address (const char *to)
{
  const char *reason;
  struct buf out;
  bool is_good;

  buf_init (&out, 0);
  is_good = address_add (&out, to, strlen (to), &reason) == 0;
  buf_done (&out);
  if (!is_good)
    fprintf (stderr, "herald test: --to is no e-mail address: it %s\n",
             reason);
  return is_good;
}

int
command_test (const struct command_globals *globals, int argc, char **argv)
{
  bool is_json = false;
  const char *to = NULL;
  const struct option_row rows[] = {
    { OPTION_TEXT, "to", 0, "ADDRESS",
      "who gets the test e-mail; else its reply-to or sender", &to },
    { OPTION_FLAG, "json", 0, NULL, "print JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "test",
    .usage = "[options] INTEGRATION",
    .about = "Send one made-up event through an integration, for real: a "
             "test e-mail by a mailer, a sample record to a webhook.  A "
             "mailer delivers nothing else until its test e-mail was "
             "accepted with exactly its present settings.  Disabled "
             "integrations can be tested.",
    .rows = rows,
    .min_operands = 1,
    .max_operands = 1,
    .notes = "exit codes: 0 accepted, 1 not accepted, 2 bad usage, 3 the "
             "integration can't be used, 4 the result could not be "
             "remembered",
  };
  struct session *session;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  if (to != NULL && !test_is_address (to))
    return EXIT_USAGE;
  session = session_open (globals, SECRETS_READ);
  if (session->configuration == NULL) {
    session_report (session);
    status = EXIT_CONFIG;
  } else
    status = test_run (session, argv[0], to, is_json);
  session_close (session);
  return status;
}
