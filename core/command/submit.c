/* submit.c - herald submit: events from files, put in through the intake.
 *
 * SPDX-License-Identifier: MIT
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/redact.h"
#include "base/trust.h"
#include "command.h"
#include "config/herald_xml.h"
#include "config/network.h"
#include "input.h"
#include "options.h"
#include "outfile.h"
#include "output.h"
#include "post.h"
#include "progress.h"
#include "rejects.h"

enum {
  SUBMIT_IN_FLIGHT = 4,
  SUBMIT_PATIENCE_MS = 5 * 60 * 1000,
  SUBMIT_TURN_MS = 100,         /* how often the progress is looked at */
  SUBMIT_BITE = 1000,           /* events read before the loop is turned */
  SUBMIT_MAX_REPLY = 4 << 20,
  SUBMIT_MAX_TOKEN = 4096
};

struct submit_options {
  const char *url, *socket_path, *token_path, *workspace, *rejects_path;
  int64_t patience_ms;
  bool is_json, is_quiet;
};

struct submit {
  const struct submit_options *options;
  struct loop *loop;
  struct transport *transport;
  struct input *input;
  struct outfile *rejects_file;
  struct rejects *rejects;
  struct progress *progress;
  char *url, *unix_socket, *authorization;
  size_t max_event;
  struct post *filling;         /* NULL: none */
  size_t n_posts;               /* on their way */
  struct post **posts;
  char **files;                 /* names of inputs, for rejects */
  size_t n_files;
  uint64_t accepted, seen, unsent;
  bool is_read, is_stopped, has_told_wait, is_refused;
  char reason[400];             /* why some are unsent */
  int64_t elapsed_us;
};

/* ------------------------------------------------------------------ */
/* What becomes of the events. */

static void
submit_settled (void *data, const struct event *event, const char *file,
                uint64_t line, enum post_end end, const char *reason)
{
  struct submit *submit = data;

  switch (end) {
  case POST_ACCEPTED:
    submit->accepted++;
    break;
  case POST_SEEN:
    submit->seen++;
    break;
  case POST_REJECTED:
    rejects_add_event (submit->rejects, file, line, reason, event);
    break;
  case POST_UNSENT:
    submit->unsent++;
    snprintf (submit->reason, sizeof submit->reason, "%s", reason);
    break;
  }
}

static void
submit_sent (void *data, struct post *post)
{
  struct submit *submit = data;

  submit->posts = memory_resize (submit->posts, submit->n_posts + 1,
                                 sizeof submit->posts[0]);
  submit->posts[submit->n_posts++] = post;
}

static void
submit_over (void *data, struct post *post)
{
  struct submit *submit = data;

  for (size_t i = 0; i < submit->n_posts; i++)
    if (submit->posts[i] == post) {
      submit->posts[i] = submit->posts[--submit->n_posts];
      return;
    }
}

static void
submit_stop (struct submit *submit)
{
  submit->is_stopped = submit->is_read = true;
  input_cut (submit->input);
}

static void
submit_refused (void *data, int status, const char *reason)
{
  struct submit *submit = data;

  if (submit->is_refused)
    return;
  submit->is_refused = true;
  log_error ("%s: %s%s", submit->unix_socket != NULL
               ? submit->unix_socket : submit->url, reason,
             status == 401 && submit->authorization == NULL
               ? "; name a file that holds one with --token-file" : "");
  submit_stop (submit);
}

static void
submit_waits (void *data, const char *reason)
{
  struct submit *submit = data;

  if (!submit->has_told_wait)
    log_notice ("%s; trying again", reason);
  submit->has_told_wait = true;
}

/* ------------------------------------------------------------------ */
/* Events in. */

/* The name of the present input, which lives on. */
static const char *
submit_file (struct submit *submit)
{
  const char *name = input_file (submit->input);
  size_t n = submit->n_files;

  if (n > 0 && strcmp (submit->files[n - 1], name) == 0)
    return submit->files[n - 1];
  submit->files = memory_resize (submit->files, n + 1,
                                 sizeof submit->files[0]);
  submit->files[submit->n_files++] = memory_strdup (name);
  return submit->files[n];
}

static void
submit_send (struct submit *submit)
{
  struct post *post = submit->filling;

  if (post == NULL)
    return;
  submit->filling = NULL;
  post_send (post);
}

static void
submit_add (struct submit *submit, struct stream_item *item)
{
  const struct post_config config = {
    .loop = submit->loop, .transport = submit->transport,
    .url = submit->url, .authorization = submit->authorization,
    .patience_ms = submit->options->patience_ms,
    .settled = submit_settled, .refused = submit_refused,
    .sent = submit_sent, .over = submit_over, .waits = submit_waits,
    .data = submit,
  };

  if (submit->filling == NULL)
    submit->filling = post_new (&config);
  post_add (submit->filling, item->event, submit_file (submit), item->line);
  if (post_is_full (submit->filling))
    submit_send (submit);
}

/* False: what comes next must be waited for. */
static bool
submit_feed (struct submit *submit)
{
  struct stream_item item;

  for (int n = 0; n < SUBMIT_BITE; n++) {
    if (submit->is_read || submit->n_posts >= SUBMIT_IN_FLIGHT)
      return false;
    switch (input_next (submit->input, &item)) {
    case INPUT_EVENT:
      submit_add (submit, &item);
      break;
    case INPUT_BAD:
      rejects_add (submit->rejects, input_file (submit->input), &item);
      break;
    case INPUT_LATER:
      submit_send (submit);
      return false;
    case INPUT_END:
      submit->is_read = true;
      submit_send (submit);
      break;
    }
  }
  return true;
}

/* ------------------------------------------------------------------ */
/* The run. */

static void
submit_give_up (struct submit *submit, const char *reason)
{
  submit_send (submit);
  while (submit->n_posts > 0)
    post_cancel (submit->posts[submit->n_posts - 1], reason);
}

static void
submit_on_signal (void *data, int number)
{
  struct submit *submit = data;

  (void) number;
  if (submit->is_stopped) {
    log_notice ("stopped at once: what was on its way may have arrived");
    submit_give_up (submit, "stopped");
    return;
  }
  log_notice ("stopping: what is on its way is answered first; once more to "
              "stop at once");
  submit_stop (submit);
}

static void
submit_draw (struct submit *submit)
{
  struct progress_now now = {
    .events = submit->accepted + submit->seen,
    .delivered = submit->accepted,
    .failed = rejects_count (submit->rejects),
    .offset = input_offset (submit->input),
    .size = input_size (submit->input),
  };

  if (submit->progress != NULL)
    progress_draw (submit->progress, &now);
}

static void
submit_loop (struct submit *submit)
{
  int64_t start_us = date_monotonic_us ();

  loop_on_signal (submit->loop, SIGINT, submit_on_signal, submit);
  loop_on_signal (submit->loop, SIGTERM, submit_on_signal, submit);
  for (;;) {
    bool has_more = submit_feed (submit);

    if (submit->is_refused)
      submit_give_up (submit, "those before them were not taken");
    if (submit->is_stopped)
      submit_send (submit);
    if (submit->is_read && submit->filling == NULL && submit->n_posts == 0)
      break;
    loop_turn (submit->loop, has_more ? 0 : SUBMIT_TURN_MS);
    submit_draw (submit);
  }
  submit->elapsed_us = date_monotonic_us () - start_us;
}

static void
submit_report (const struct submit *submit)
{
  unsigned long long rejected = rejects_count (submit->rejects);
  struct buf elapsed = BUF_INIT (0);
  struct json_doc *doc;

  if (submit->options->is_json) {
    doc = json_doc_object ();
    json_doc_put (doc, "accepted",
                  json_doc_number ((int64_t) submit->accepted));
    json_doc_put (doc, "duplicate", json_doc_number ((int64_t) submit->seen));
    json_doc_put (doc, "rejected", json_doc_number ((int64_t) rejected));
    json_doc_put (doc, "unsent", json_doc_number ((int64_t) submit->unsent));
    json_doc_put (doc, "stopped", json_doc_bool (submit->is_stopped));
    json_doc_put (doc, "elapsedMs",
                  json_doc_number (submit->elapsed_us / 1000));
    output_json (doc);
    return;
  }
  if (submit->options->is_quiet)
    return;
  number_add_duration (&elapsed, submit->elapsed_us / 1000);
  printf ("%llu accepted, %llu accepted before, %llu rejected in %s\n",
          (unsigned long long) submit->accepted,
          (unsigned long long) submit->seen, rejected, elapsed.data);
  buf_done (&elapsed);
}

static int
submit_status (const struct submit *submit)
{
  if (submit->unsent > 0)
    log_error ("%llu events%s were not put in: %s",
               (unsigned long long) submit->unsent,
               submit->is_stopped ? ", and what comes after them," : "",
               submit->reason);
  if (input_has_failed (submit->input))
    return EXIT_FILE;
  return submit->unsent == 0 && rejects_count (submit->rejects) == 0
           && !submit->is_stopped ? EXIT_DONE : EXIT_NOT_ALL;
}

/* ------------------------------------------------------------------ */
/* Before and after. */

static char *
submit_join (const char *a, const char *b, const char *c)
{
  struct buf text = BUF_INIT (0);

  buf_printf (&text, "%s%s%s", a, b, c);
  return buf_steal (&text);
}

/* -1 after saying what is wrong. */
static int
submit_use_socket (struct submit *submit, const char *path)
{
  if (strlen (path) >= sizeof ((struct sockaddr_un *) NULL)->sun_path) {
    log_error ("the socket's path is longer than the system takes: %s", path);
    return -1;
  }
  submit->unix_socket = memory_strdup (path);
  submit->url = memory_strdup ("http://localhost/v1/events");
  return 0;
}

/* -1 after saying what is wrong. */
static int
submit_read_url (struct submit *submit, const char *url)
{
  size_t len = strlen (url);
  char reason[200];

  if (network_check_url (url, true, true, reason) != 0) {
    log_error ("--url %s", reason);
    return -1;
  }
  submit->url = submit_join (url, len > 0 && url[len - 1] == '/' ? "" : "/",
                             "v1/events");
  return 0;
}

/* The first <listen> of herald.xml. */
static int
submit_read_listen (struct submit *submit, const char *directory)
{
  struct arena *arena = arena_new (0);
  struct problems *problems = problems_new ();
  char *path = submit_join (directory, "/", "herald.xml");
  struct herald_xml *xml = herald_xml_read (path, SECRETS_UNREAD, arena,
                                            problems);
  const struct herald_listen *listen;

  problems_log (problems, false);
  if (xml != NULL) {
    listen = &xml->intake.listens[0];
    submit->max_event = (size_t) xml->max_event;
    if (listen->socket != NULL)
      submit_use_socket (submit, listen->socket);
    else
      submit->url = submit_join ("http://", listen->address, "/v1/events");
    herald_xml_done (xml);
  }
  free (path);
  problems_free (problems);
  arena_free (arena);
  return submit->url != NULL ? 0 : -1;
}

/* Where to: as the options say, or herald.xml. */
static int
submit_find (struct submit *submit, const char *directory)
{
  const struct submit_options *options = submit->options;

  if (options->socket_path != NULL)
    return submit_use_socket (submit, options->socket_path);
  return options->url != NULL ? submit_read_url (submit, options->url)
                              : submit_read_listen (submit, directory);
}

static int
submit_read_token (struct submit *submit, const char *path)
{
  char reason[400];
  size_t len;
  char *text = trust_read (path, TRUST_PRIVATE, SUBMIT_MAX_TOKEN, &len,
                           reason, sizeof reason);
  char *token;

  if (text == NULL) {
    log_error ("%s: %s", path, reason);
    return -1;
  }
  token = text + strspn (text, " \t\r\n");
  token[strcspn (token, " \t\r\n")] = '\0';
  redact_secret (token, strlen (token));
  if (*token != '\0')
    submit->authorization = submit_join ("Bearer ", token, "");
  else
    log_error ("%s: it holds no token", path);
  memory_wipe (text, len);
  free (text);
  return submit->authorization != NULL ? 0 : -1;
}

static int
submit_open (struct submit *submit, char *const *paths, size_t n_paths)
{
  const struct submit_options *options = submit->options;
  struct input_config input = {
    .loop = submit->loop, .paths = paths, .n_paths = n_paths,
    .workspace = options->workspace, .lends_workspace = true,
    .max_event = submit->max_event,
  };
  struct transport_config transport = {
    .unix_socket = submit->unix_socket, .max_reply = SUBMIT_MAX_REPLY,
    .max_connections = 2 * SUBMIT_IN_FLIGHT,
  };
  char reason[200];

  submit->transport = transport_new (submit->loop, &transport, reason);
  if (submit->transport == NULL) {
    log_error ("%s", reason);
    return EXIT_CONFIG;
  }
  submit->input = input_new (&input);
  if (submit->input == NULL)
    return EXIT_FILE;
  if (options->rejects_path != NULL) {
    submit->rejects_file = outfile_open (options->rejects_path);
    if (submit->rejects_file == NULL)
      return EXIT_FILE;
    if (input_same (submit->input, submit->rejects_file) != NULL) {
      log_error ("--rejects %s is a file that events are read from; name "
                 "another", options->rejects_path);
      return EXIT_USAGE;
    }
  }
  submit->rejects = rejects_new (submit->rejects_file);
  return EXIT_DONE;
}

static void
submit_free (struct submit *submit)
{
  transport_free (submit->transport);
  input_free (submit->input);
  rejects_free (submit->rejects);
  loop_free (submit->loop);
  if (submit->authorization != NULL)
    memory_wipe (submit->authorization, strlen (submit->authorization));
  free (submit->authorization);
  free (submit->url);
  free (submit->unix_socket);
  for (size_t i = 0; i < submit->n_files; i++)
    free (submit->files[i]);
  free (submit->files);
  free (submit->posts);
}

static int
submit_run (const struct command_globals *globals,
            const struct submit_options *options, char *const *paths,
            size_t n_paths)
{
  struct submit submit = { .options = options, .max_event = EVENT_MAX_LEN };
  int status = EXIT_CONFIG;

  submit.loop = loop_new ();
  if (submit_find (&submit, globals->config_directory) == 0
      && (options->token_path == NULL
          || submit_read_token (&submit, options->token_path) == 0))
    status = submit_open (&submit, paths, n_paths);
  if (status == EXIT_DONE) {
    submit.progress = progress_new (options->is_quiet, "accepted");
    submit_loop (&submit);
    progress_free (submit.progress);
    submit_report (&submit);
    status = submit_status (&submit);
  }
  if (outfile_close (submit.rejects_file) != 0)
    status = EXIT_FILE;
  submit_free (&submit);
  return status;
}

static const char submit_about[] =
  "Read events (CloudEvents 1.0 as NDJSON or a JSON array) from files or "
  "standard input, and put them in through the intake, which keeps them "
  "until they are delivered.  When this ends, what was accepted is on the "
  "intake's disk.  It may be run again with the same files: what was "
  "accepted before is not accepted twice.  Data alone, which has no id, "
  "is.";

static const char submit_notes[] =
  "exit codes: 0 all accepted, 1 some not, 2 bad usage, 3 the configuration "
  "can't be used, 4 a file could not be read or written";

int
command_submit (const struct command_globals *globals, int argc, char **argv)
{
  static char standard_input[] = "-", *const default_paths[]
    = { standard_input };
  struct submit_options o = { .patience_ms = SUBMIT_PATIENCE_MS };
  const struct option_row rows[] = {
    { OPTION_TEXT, "url", 'u', "URL",
      "the intake: https://..., or http://127.0.0.1:8414 (the first "
      "<listen> of herald.xml)", &o.url },
    { OPTION_TEXT, "socket", 's', "PATH", "its Unix socket instead",
      &o.socket_path },
    { OPTION_TEXT, "token-file", 't', "FILE",
      "holds the token, as its first word", &o.token_path },
    { OPTION_TEXT, "workspace", 'w', "NAME", "of events that have none",
      &o.workspace },
    { OPTION_TEXT, "rejects", 0, "FILE",
      "append what was not accepted, with the reason", &o.rejects_path },
    { OPTION_DURATION, "retry-for", 0, "TIME",
      "give up after this long without the intake's yes or no (5m)",
      &o.patience_ms },
    { OPTION_FLAG, "json", 0, NULL, "print the report as JSON", &o.is_json },
    { OPTION_FLAG, "quiet", 'q', NULL, "no progress, no report",
      &o.is_quiet },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "submit", .usage = "[options] [FILE...]",
    .about = submit_about, .rows = rows, .max_operands = -1,
    .notes = submit_notes,
  };
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  if (n == 0 && isatty (STDIN_FILENO)) {
    fprintf (stderr, "herald submit: name a file of events, or \"-\" for "
             "standard input\n");
    return EXIT_USAGE;
  }
  return n > 0 ? submit_run (globals, &o, argv, (size_t) n)
               : submit_run (globals, &o, default_paths, 1);
}
