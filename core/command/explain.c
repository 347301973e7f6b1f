/* explain.c - herald explain: what would become of an event, and why.
 *
 * SPDX-License-Identifier: MIT
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/redact.h"
#include "command.h"
#include "delivery/delivery.h"
#include "delivery/dispatcher.h"
#include "event/stream.h"
#include "options.h"
#include "output.h"
#include "session.h"

static void
explain_print_text (const struct buf *text)
{
  struct buf masked;

  buf_init (&masked, 0);
  redact_add_secrets_only (&masked, text->data, text->len);
  for (const char *line = masked.data; *line != '\0';) {
    size_t len = strcspn (line, "\n");

    fputs ("    ", stdout);
    output_line (line, len);
    line += len + (line[len] == '\n');
  }
  buf_done (&masked);
}

static void
explain_print_requests (struct job *job)
{
  struct herald_request *request;
  struct buf text;

  while ((request = job_take (job)) != NULL) {
    buf_init (&text, 0);
    request_add_text (request, &text);
    printf ("  request:\n");
    explain_print_text (&text);
    buf_done (&text);
  }
}

/* A token can't be had without a network: its request is shown, and a
 * stand-in used. */
static void
explain_token (struct integration *integration)
{
  struct job *job = job_new (integration, JOB_TOKEN, NULL, 0);

  printf ("  first, for a token:\n");
  job_build (job);
  explain_print_requests (job);
  job_free (job);
  token_set (&integration->token, "TOKEN", NULL, 0, 0);
}

static void
explain_delivery (struct integration *integration, struct event *event)
{
  struct delivery delivery = { .event = event };
  struct job_item item = { .event = event, .id = delivery.id, .attempt = 1 };
  const struct outcome *outcome;
  struct job *job;

  delivery_make_id (&delivery, integration->name);
  job = job_new (integration, JOB_DELIVER, &item, 1);
  if (job_wants_token (job))
    explain_token (integration);
  printf ("  delivery: %s\n", delivery.id);
  outcome = job_outcome (job, 0);
  if (outcome->kind == OUTCOME_NONE) {
    struct buf record;

    buf_init (&record, 0);
    buf_add_text (&record, job_record (job, 0));
    printf ("  record:\n");
    explain_print_text (&record);
    buf_done (&record);
    job_build (job);
    explain_print_requests (job);
    outcome = job_outcome (job, 0);
  }
  if (outcome->kind != OUTCOME_NONE)
    printf ("  %s: %s\n", outcome_name (outcome->kind), outcome->reason);
  for (size_t i = 0; i < job_faults (job); i++)
    printf ("  fault of the plugin: %s\n", job_fault (job, i));
  job_free (job);
}

/* Why an integration does not get the event, or NULL. */
static const char *
explain_mismatch (const struct session *session, size_t k,
                  const struct event *event, struct buf *text)
{
  const struct descriptor *descriptor
    = session->configuration->descriptors[k];
  const struct condition *unmet;

  if (session->integrations[k] == NULL)
    return "its configuration has errors, see \"herald check\"";
  if (!descriptor->is_enabled)
    return "it is disabled";
  if (!descriptor_serves (descriptor, event_workspace (event))) {
    buf_printf (text, "it does not serve workspace %s",
                event_workspace (event));
    return text->data;
  }
  unmet = descriptor_unmet (descriptor, event);
  if (unmet != NULL) {
    buf_add_text (text, "a condition does not hold: ");
    condition_add_text (unmet, text);
    return text->data;
  }
  if (!dispatcher_wants (descriptor, event))
    return "the event's heraldto names others only";
  return NULL;
}

static void
explain_event (struct session *session, struct event *event,
               const char *only)
{
  const struct configuration *configuration = session->configuration;

  printf ("event %s of workspace %s", event_id (event),
          event_workspace (event));
  if (!herald_xml_has_workspace (configuration->herald,
                                 event_workspace (event)))
    printf (", which herald.xml does not declare: it is refused");
  printf ("\n");
  for (size_t i = 0; i < session->n_integrations; i++) {
    const struct descriptor *descriptor = configuration->descriptors[i];
    const char *mismatch;
    struct buf text;

    if (only != NULL && strcmp (only, descriptor->name) != 0)
      continue;
    buf_init (&text, 0);
    mismatch = explain_mismatch (session, i, event, &text);
    if (mismatch != NULL)
      printf ("\n%s: no, %s\n", descriptor->name, mismatch);
    else {
      bool is_untested
        = session_is_untested (session, session->integrations[i]);

      printf ("\n%s: yes%s\n", descriptor->name,
              is_untested ? ", once its test e-mail was accepted (\"herald "
                            "test\")"
                          : "");
    }
    if (session->integrations[i] != NULL && (mismatch == NULL || only != NULL))
      explain_delivery (session->integrations[i], event);
    buf_done (&text);
  }
}

/* Every event of a stream; the exit code. */
static int
explain_stream (struct session *session, struct stream *stream,
                const char *only)
{
  struct stream_item item;
  int status = EXIT_DONE;

  for (;;)
    switch (stream_next (stream, &item)) {
    case STREAM_EVENT:
      explain_event (session, item.event, only);
      event_release (item.event);
      break;
    case STREAM_BAD:
      if (item.is_first)
        log_error ("line %llu: %s", (unsigned long long) item.line,
                   item.reason);
      status = EXIT_NOT_ALL;
      break;
    case STREAM_MORE:
    case STREAM_END:
      return status;
    }
}

static int
explain_file (struct session *session, const char *path,
              const char *workspace, const char *only)
{
  struct event_reader *reader = event_reader_new (workspace);
  struct stream *stream
    = stream_new (reader,
                  (size_t) session->configuration->herald->max_event);
  int fd = strcmp (path, "-") == 0 ? 0 : open (path, O_RDONLY | O_CLOEXEC);
  int status = EXIT_DONE;
  ssize_t n = 0;

  if (fd < 0) {
    log_error ("%s: %m", path);
    status = EXIT_FILE;
  } else {
    do {
      size_t size;
      char *space = stream_space (stream, &size);
      int one;

      n = read (fd, space, size);
      if (n > 0)
        stream_feed (stream, (size_t) n);
      else
        stream_finish (stream);
      one = explain_stream (session, stream, only);
      if (one != EXIT_DONE)
        status = one;
    } while (n > 0);
    if (n < 0) {
      log_error ("%s: %m", path);
      status = EXIT_FILE;
    }
    if (fd > 0)
      close (fd);
  }
  stream_free (stream);
  event_reader_free (reader);
  return status;
}

int
command_explain (const struct command_globals *globals, int argc,
                 char **argv)
{
  const char *only = NULL, *workspace = NULL;
  const struct option_row rows[] = {
    { OPTION_TEXT, "integration", 'i', "NAME",
      "only this one, also when it does not match", &only },
    { OPTION_TEXT, "workspace", 'w', "NAME",
      "of objects without specversion: data alone", &workspace },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "explain",
    .usage = "[options] EVENT-FILE",
    .about = "For each event of a file (\"-\": standard input): which "
             "integrations get it, and why the others don't; the record "
             "that the mapping makes; the exact request, with secrets "
             "masked.  Nothing is sent.",
    .rows = rows,
    .min_operands = 1,
    .max_operands = 1,
    .notes = "exit codes: 0 explained, 1 some lines are no events, 2 bad "
             "usage, 3 the configuration can't be used, 4 the file can't "
             "be read",
  };
  struct session *session;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  session = session_open (globals, SECRETS_READ);
  if (session->configuration == NULL) {
    session_report (session);
    status = EXIT_CONFIG;
  } else if (only != NULL && session_descriptor (session, only) == NULL)
    status = EXIT_CONFIG;
  else
    status = explain_file (session, argv[0], workspace, only);
  session_close (session);
  return status;
}
