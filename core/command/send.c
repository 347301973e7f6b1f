/* send.c - herald send: events from files, delivered now.
 *
 * SPDX-License-Identifier: MIT
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/log.h"
#include "command.h"
#include "delivery/dispatcher.h"
#include "input.h"
#include "options.h"
#include "outfile.h"
#include "progress.h"
#include "rejects.h"
#include "report.h"
#include "session.h"

enum {
  SEND_PATIENCE_MS = 5 * 60 * 1000,
  SEND_TURN_MS = 100,           /* how often the progress is looked at */
  SEND_BITE = 1000,             /* events read before the loop is turned */
  SEND_TOLD = 20                /* events that could be written nowhere */
};

struct send_options {
  const char *workspace;
  const char *only;             /* one integration */
  const char *rejects_path;
  const char *undelivered_path;
  int64_t patience_ms;
  bool is_json;
  bool is_quiet;
};

struct send {
  const struct send_options *options;
  struct session *session;
  struct dispatcher *dispatcher;
  struct input *input;
  struct rejects *rejects;
  struct outfile *rejects_file;
  struct outfile *undelivered;
  struct progress *progress;
  struct report report;
  struct buf line;
  uint64_t n_lost;              /* could not be written to undelivered */
  unsigned n_signals;
  bool is_read;                 /* the input is at its end */
};

/* ------------------------------------------------------------------ */
/* What was not delivered. */

static void
send_stop (struct send *send)
{
  if (send->report.is_stopped)
    return;
  send->report.is_stopped = true;
  input_cut (send->input);
  dispatcher_stop (send->dispatcher);
}

static void
send_write_unsent (struct send *send, const struct event *event,
                   const char *only_for)
{
  send->report.unsent++;
  if (send->undelivered == NULL)
    return;
  buf_clear (&send->line);
  event_add_json (event, only_for, &send->line);
  buf_add_char (&send->line, '\n');
  if (outfile_add (send->undelivered, send->line.data, send->line.len) == 0)
    return;
  /* Whatever more is sent now could be lost: end here, and name those
   * that are in no file but the input. */
  if (++send->n_lost <= SEND_TOLD)
    log_error ("event %s was not delivered%s%s, and could not be kept",
               event_id (event), only_for != NULL ? " to " : "",
               only_for != NULL ? only_for : "");
  send_stop (send);
}

static void
send_unsent (void *data, const struct event *event, const char *unsent)
{
  send_write_unsent (data, event, unsent);
}

/* ------------------------------------------------------------------ */
/* Events in. */

static void
send_offer (struct send *send, const struct stream_item *item)
{
  struct event *event = item->event;
  char reason[200];

  if (send->report.is_stopped) {
    send->report.not_offered++;
    send_write_unsent (send, event, NULL);
    return;
  }
  switch (dispatcher_offer (send->dispatcher, event)) {
  case DISPATCHER_TAKEN:
    send->report.events++;
    break;
  case DISPATCHER_NO_MATCH:
    send->report.events++;
    send->report.no_match++;
    break;
  case DISPATCHER_NO_WORKSPACE:
    snprintf (reason, sizeof reason, "herald.xml does not declare the "
              "workspace %.64s", event_workspace (event));
    rejects_add_event (send->rejects, input_file (send->input), item->line,
                       reason, event);
    break;
  }
}

static bool
send_has_room (const struct send *send)
{
  return !send->is_read
         && (send->report.is_stopped
             || dispatcher_has_room (send->dispatcher));
}

/* Read on, but not for long: signals are to be heard.  False: what comes
 * next must be waited for. */
static bool
send_feed (struct send *send)
{
  struct stream_item item;

  for (int n = 0; n < SEND_BITE && send_has_room (send); n++)
    switch (input_next (send->input, &item)) {
    case INPUT_EVENT:
      send_offer (send, &item);
      event_release (item.event);
      break;
    case INPUT_BAD:
      rejects_add (send->rejects, input_file (send->input), &item);
      break;
    case INPUT_LATER:
      return false;
    case INPUT_END:
      send->is_read = true;
      dispatcher_flush (send->dispatcher);
      break;
    }
  return send_has_room (send);
}

/* ------------------------------------------------------------------ */
/* The run. */

static void
send_on_signal (void *data, int number)
{
  struct send *send = data;

  (void) number;
  if (send->n_signals++ > 0) {
    log_notice ("stopped at once: what was in flight may have arrived");
    transport_free (send->session->transport);
    send->session->transport = NULL;
    return;
  }
  log_notice ("stopping: what is in flight is finished first; once more to "
              "stop at once");
  send_stop (send);
}

static void
send_draw (struct send *send)
{
  struct progress_now now = {
    .events = send->report.events,
    .offset = input_offset (send->input),
    .size = input_size (send->input),
  };

  if (send->progress == NULL)
    return;
  for (size_t i = 0; i < dispatcher_lanes (send->dispatcher); i++) {
    struct lane *lane = dispatcher_lane (send->dispatcher, i);
    const struct stats *stats = lane_stats (lane);

    now.delivered += stats->delivered;
    now.failed += stats->rejected + stats->undelivered;
    now.retrying += lane_retrying (lane);
  }
  progress_draw (send->progress, &now);
}

static void
send_loop (struct send *send)
{
  int64_t start_us = date_monotonic_us ();

  for (;;) {
    bool has_more = send_feed (send);

    if (send->is_read && dispatcher_is_idle (send->dispatcher))
      break;
    loop_turn (send->session->loop, has_more ? 0 : SEND_TURN_MS);
    send_draw (send);
  }
  send->report.elapsed_us = date_monotonic_us () - start_us;
}

/* ------------------------------------------------------------------ */
/* Before and after. */

/* Lanes for what can be used; the rest counts what it misses. */
static size_t
send_add_lanes (struct send *send)
{
  const struct session *session = send->session;
  size_t connections = 0;

  for (size_t i = 0; i < session->n_integrations; i++) {
    const struct descriptor *descriptor
      = session->configuration->descriptors[i];
    struct integration *integration = session->integrations[i];
    char reason[200];

    if (!descriptor->is_enabled
        || (send->options->only != NULL
            && strcmp (send->options->only, descriptor->name) != 0))
      continue;
    if (integration == NULL)
      snprintf (reason, sizeof reason,
                "its configuration has errors, see \"herald check\"");
    else if (session_is_untested (session, integration))
      snprintf (reason, sizeof reason, "its test e-mail was not accepted "
                "with its present settings: run \"herald test %s\"",
                descriptor->name);
    else {
      dispatcher_add_lane (send->dispatcher, integration);
      connections += integration->in_flight;
      continue;
    }
    log_warning ("%s is skipped: %s", descriptor->name, reason);
    dispatcher_add_absent (send->dispatcher, descriptor, reason);
  }
  return connections;
}

static size_t
send_connections (const struct session *session)
{
  size_t n = 4;

  for (size_t i = 0; i < session->n_integrations; i++)
    if (session->integrations[i] != NULL
        && session->integrations[i]->descriptor->is_enabled)
      n += session->integrations[i]->in_flight;
  return n;
}

static int
send_open_files (struct send *send)
{
  const struct send_options *options = send->options;

  if (options->rejects_path != NULL) {
    send->rejects_file = outfile_open (options->rejects_path);
    if (send->rejects_file == NULL)
      return -1;
  }
  if (options->undelivered_path != NULL) {
    send->undelivered = outfile_open (options->undelivered_path);
    if (send->undelivered == NULL)
      return -1;
  }
  send->rejects = rejects_new (send->rejects_file);
  return 0;
}

/* -1 after a complaint if a file is named for two ends. */
static int
send_check_files (const struct send *send)
{
  const struct {
    const char *option, *path;
    const struct outfile *outfile;
  } files[] = {
    { "--rejects", send->options->rejects_path, send->rejects_file },
    { "--undelivered", send->options->undelivered_path, send->undelivered },
  };

  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    const char *input = files[i].outfile == NULL ? NULL
                        : input_same (send->input, files[i].outfile);

    if (input == NULL)
      continue;
    log_error ("%s %s is the file that %s is read from; name another",
               files[i].option, files[i].path, input);
    return -1;
  }
  if (send->rejects_file == NULL || send->undelivered == NULL
      || !outfile_is_same (send->rejects_file, send->undelivered))
    return 0;
  log_error ("--rejects and --undelivered are the same file, %s; name "
             "another for one", send->options->undelivered_path);
  return -1;
}

static int
send_go (struct send *send)
{
  struct dispatcher_config config = {
    .configuration = send->session->configuration,
    .loop = send->session->loop,
    .exchanger = send->session->exchanger,
    .patience_ms = send->options->patience_ms,
    .unsent = send_unsent,
    .data = send,
  };

  send->dispatcher = dispatcher_new (&config);
  send_add_lanes (send);
  if (dispatcher_lanes (send->dispatcher)
        + dispatcher_absents (send->dispatcher) == 0)
    log_warning ("no integration is enabled in %s/conf.d: nothing will be "
                 "sent", send->session->configuration->directory);
  loop_on_signal (send->session->loop, SIGINT, send_on_signal, send);
  loop_on_signal (send->session->loop, SIGTERM, send_on_signal, send);
  send->progress = progress_new (send->options->is_quiet, "delivered");
  send_loop (send);
  progress_free (send->progress);
  send->report.dispatcher = send->dispatcher;
  send->report.bad_lines = rejects_count (send->rejects);
  if (send->options->is_json)
    report_print_json (&send->report);
  else if (!send->options->is_quiet)
    report_print (&send->report);
  /* What a descriptor that can't be read would have got is known to
   * nobody, so it can't be said that all is delivered. */
  return report_is_all (&send->report)
         && send->session->configuration->n_unread == 0 ? EXIT_DONE
                                                        : EXIT_NOT_ALL;
}

/* Both files are closed and on disk before the exit code says so. */
static int
send_close_files (struct send *send, int status)
{
  bool is_kept = send->undelivered != NULL && send->n_lost == 0;

  if (send->n_lost > SEND_TOLD)
    log_error ("%llu events in all could not be kept; they are in the input "
               "still", (unsigned long long) send->n_lost);
  if (outfile_close (send->undelivered) != 0
      || send->input == NULL || input_has_failed (send->input))
    status = EXIT_FILE;
  else if (is_kept && send->report.unsent > 0 && !send->options->is_quiet)
    log_notice ("%llu event%s in %s: \"herald send\" takes them again",
                (unsigned long long) send->report.unsent,
                send->report.unsent == 1 ? " is" : "s are",
                send->options->undelivered_path);
  if (outfile_close (send->rejects_file) != 0)
    status = EXIT_FILE;
  return status;
}

static int
send_run (struct session *session, const struct send_options *options,
          char *const *paths, size_t n_paths)
{
  struct send send = { .options = options, .session = session };
  struct input_config input = {
    .paths = paths, .n_paths = n_paths, .workspace = options->workspace,
    .max_event = (size_t) session->configuration->herald->max_event,
  };
  int status = EXIT_FILE;

  if (session_connect (session, (unsigned) send_connections (session)) != 0)
    return EXIT_CONFIG;
  buf_init (&send.line, 0);
  input.loop = session->loop;
  send.input = input_new (&input);
  if (send.input != NULL && send_open_files (&send) == 0)
    status = send_check_files (&send) == 0 ? send_go (&send) : EXIT_USAGE;
  status = send_close_files (&send, status);
  rejects_free (send.rejects);
  dispatcher_free (send.dispatcher);
  input_free (send.input);
  buf_done (&send.line);
  return status;
}

static const char send_about[] =
  "Read events (CloudEvents 1.0 as NDJSON or a JSON array) from files or "
  "standard input, and deliver them to every enabled integration that "
  "wants them, with retries.  The report tells of each integration what was "
  "delivered, rejected (the record is wrong), and undelivered (the lane is "
  "blocked, or time ran out).\n\nA mailer is skipped until its test e-mail "
  "was accepted (\"herald test\").  Ctrl-C once: what is in flight is "
  "finished, and the report comes; twice: at once.";

static const char send_notes[] =
  "exit codes: 0 all delivered, 1 some not (or bad lines, or a descriptor that "
  "can't be read), 2 bad usage, 3 the configuration can't be used, 4 a file "
  "could not be read or written";

int
command_send (const struct command_globals *globals, int argc, char **argv)
{
  static char standard_input[] = "-", *const default_paths[]
    = { standard_input };
  struct send_options o = { .patience_ms = SEND_PATIENCE_MS };
  const struct option_row rows[] = {
    { OPTION_TEXT, "integration", 'i', "NAME", "only to this one", &o.only },
    { OPTION_TEXT, "workspace", 'w', "NAME",
      "of objects without specversion: data alone", &o.workspace },
    { OPTION_TEXT, "rejects", 0, "FILE",
      "append lines that are no events, with the reason", &o.rejects_path },
    { OPTION_TEXT, "undelivered", 0, "FILE",
      "append events that were not delivered", &o.undelivered_path },
    { OPTION_DURATION, "retry-for", 0, "TIME",
      "give up a delivery after this long (5m)", &o.patience_ms },
    { OPTION_FLAG, "json", 0, NULL, "print the report as JSON", &o.is_json },
    { OPTION_FLAG, "quiet", 'q', NULL, "no progress, no report",
      &o.is_quiet },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "send", .usage = "[options] [FILE...]", .about = send_about,
    .rows = rows, .max_operands = -1, .notes = send_notes,
  };
  struct session *session;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  if (n == 0 && isatty (STDIN_FILENO)) {
    fprintf (stderr, "herald send: name a file of events, or \"-\" for "
             "standard input\n");
    return EXIT_USAGE;
  }
  session = session_open (globals, SECRETS_READ);
  session_report (session);
  if (session->configuration == NULL
      || (o.only != NULL && session_descriptor (session, o.only) == NULL))
    status = EXIT_CONFIG;
  else
    status = n > 0 ? send_run (session, &o, argv, (size_t) n)
                   : send_run (session, &o, default_paths, 1);
  session_close (session);
  return status;
}
