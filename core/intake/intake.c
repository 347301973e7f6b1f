/* intake.c - events in, over HTTP.
 *
 * The loop's thread reads requests, checks events and finds their lanes;
 * the committer's writes them; an answer goes out when it has.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/intake_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "intake/answer.h"

enum {
  INTAKE_BITE = 64,             /* connections taken in a turn */
  INTAKE_PAUSE_US = 100 * 1000, /* without a descriptor to be had */
  INTAKE_SPARE_FILES = 400      /* those that are no connection */
};

static const struct {
  const char *path;
  bool is_post;
} intake_paths[] = {
  { "/v1/events", true },
  { "/healthz", false },
  { "/readyz", false },
  { "/metrics", false },
};

/* ------------------------------------------------------------------ */
/* Requests. */

/* Which of intake_paths; -1: none. */
static int
intake_find_path (const char *path)
{
  for (size_t i = 0; i < sizeof intake_paths / sizeof intake_paths[0]; i++)
    if (strcmp (intake_paths[i].path, path) == 0)
      return (int) i;
  return -1;
}

/* OPTIONS, and what the path has no use for. */
static void
intake_answer_method (struct http_request *request, bool is_post)
{
  const char *method = http_head (request)->method;
  const char *allowed = is_post ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
  struct http_answer answer = { .status = 204 };

  if (strcmp (method, "OPTIONS") != 0)
    answer_problem (&answer, 405, "what can be done here: %s", allowed);
  answer_field (&answer, "Allow", allowed);
  http_answer (request, &answer);
}

static void
intake_on_begin (void *data, struct http_request *request)
{
  struct intake *intake = data;
  const struct http_head *head = http_head (request);
  int k = intake_find_path (head->path);
  bool is_get = strcmp (head->method, "GET") == 0
                || strcmp (head->method, "HEAD") == 0;
  struct http_answer answer;

  intake->activity++;
  if (k < 0 && strcmp (head->path, "*") == 0
      && strcmp (head->method, "OPTIONS") == 0)
    intake_answer_method (request, false);
  else if (k < 0) {
    answer_problem (&answer, 404, "there is nothing here; events go to "
                    "POST /v1/events");
    http_answer (request, &answer);
  } else if (intake_paths[k].is_post
               ? strcmp (head->method, "POST") != 0 : !is_get)
    intake_answer_method (request, intake_paths[k].is_post);
  else if (intake_paths[k].is_post)
    intake_events_begin (intake, request);
}

static void
intake_on_piece (void *data, struct http_request *request, const char *bytes,
                 size_t len)
{
  struct intake *intake = data;
  struct posting *posting = http_kept (request);

  intake->activity++;
  if (posting != NULL)
    intake_events_piece (intake, posting, bytes, len);
}

static void
intake_on_whole (void *data, struct http_request *request)
{
  struct intake *intake = data;
  struct posting *posting = http_kept (request);

  intake->activity++;
  if (posting != NULL)
    intake_events_whole (intake, posting);
  else
    intake_look (intake, request);
}

static void
intake_on_over (void *data, struct http_request *request)
{
  struct intake *intake = data;
  struct posting *posting = http_kept (request);
  unsigned status = http_status (request);

  if (status >= 100 && status < 600)
    board_add (&intake->board->requests[status / 100], 1);
  if (status == 408)
    board_add (&intake->board->refused[BOARD_SLOW], 1);
  if (posting != NULL)
    intake_events_over (intake, posting);
}

static void
intake_on_done (void *data, struct commit *commits, const char *reason)
{
  intake_events_done (data, commits, reason);
}

static void
intake_on_timed (void *data, int64_t us)
{
  struct intake *intake = data;

  histogram_add (&board_process (intake->config.board)->commit, us);
}

/* ------------------------------------------------------------------ */
/* Connections. */

static void intake_on_accept (void *data, int fd, unsigned ready);

static void
intake_want (struct intake *intake, unsigned wanted)
{
  for (size_t i = 0; i < intake->listeners.n; i++)
    loop_want (intake->config.loop, intake->listeners.all[i].fd, wanted,
               intake_on_accept, intake);
}

static void
intake_on_accept_timer (void *data)
{
  intake_want (data, LOOP_READ);
}

static size_t
intake_listener_of (const struct intake *intake, int fd)
{
  size_t i = 0;

  while (i < intake->listeners.n && intake->listeners.all[i].fd != fd)
    i++;
  return i;
}

static void
intake_on_accept (void *data, int fd, unsigned ready)
{
  struct intake *intake = data;

  (void) ready;
  for (int n = 0; n < INTAKE_BITE; n++) {
    int connection = accept (fd, NULL, NULL);
    struct peer peer;

    if (connection < 0 && (errno == EMFILE || errno == ENFILE)) {
      log_warning ("no connection can be taken: %m");
      intake_want (intake, 0);
      loop_timer_set (intake->accept_timer,
                      loop_now_us (intake->config.loop) + INTAKE_PAUSE_US);
      return;
    }
    if (connection < 0)
      return;                   /* there is none, or it is gone again */
    fcntl (connection, F_SETFD, FD_CLOEXEC);
    if (peer_read (connection, &peer) != 0) {
      close (connection);
      continue;
    }
    peer.listen = intake_listener_of (intake, fd);
    http_accept (intake->http, connection, &peer);
  }
}

/* Each connection is a descriptor. */
static void
intake_raise_limit (uint32_t max_connections)
{
  rlim_t wanted = (rlim_t) max_connections + INTAKE_SPARE_FILES;
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return;
  limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
  setrlimit (RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < wanted)
    log_warning ("<limits connections=\"%u\"> needs %llu open files, this "
                 "process may have %llu; raise its limit (ulimit -n)",
                 max_connections, (unsigned long long) wanted,
                 (unsigned long long) limit.rlim_cur);
}

/* ------------------------------------------------------------------ */
/* Configuration. */

/* -1 with a reason; the tokens then are as they were. */
static int
intake_read_tokens (struct intake *intake,
                    const struct configuration *configuration,
                    char *ret_reason, size_t size)
{
  const char *path = configuration->herald->intake.tokens_path;
  struct tokens *tokens = NULL;
  char reason[400];

  if (path != NULL) {
    tokens = tokens_read (path, reason, sizeof reason);
    if (tokens == NULL) {
      snprintf (ret_reason, size, "%s: %s", path, reason);
      return -1;
    }
  }
  tokens_free (intake->tokens);
  intake->tokens = tokens;
  for (size_t k = 0; tokens != NULL && tokens_at (tokens, k) != NULL; k++) {
    const struct caller *caller = tokens_at (tokens, k);

    for (size_t i = 0; i < caller->n_workspaces; i++)
      if (!herald_xml_has_workspace (configuration->herald,
                                     caller->workspaces[i]))
        log_warning ("%s: token %s is for the workspace %s, which herald.xml "
                     "does not declare", path, caller->name,
                     caller->workspaces[i]);
  }
  return 0;
}

static void
intake_use (struct intake *intake, struct configuration *configuration)
{
  allows_free (intake->allows);
  routes_release (intake->routes);
  intake->routes = routes_new (configuration);
  intake->allows = allows_new (&configuration->herald->intake,
                               &intake->listeners);
}

void
intake_reload (struct intake *intake, struct configuration *configuration)
{
  char reason[500];

  intake_use (intake, configuration);
  if (intake_read_tokens (intake, configuration, reason, sizeof reason) != 0)
    log_error ("the tokens stay as they were: %s", reason);
}

/* ------------------------------------------------------------------ */
/* Life. */

static int
intake_start_http (struct intake *intake, char *ret_reason, size_t size)
{
  const struct herald_intake *about
    = &intake->config.configuration->herald->intake;
  struct http_config config = {
    .loop = intake->config.loop, .max_connections = about->max_connections,
    .timeout_ms = about->timeout_ms, .begin = intake_on_begin,
    .piece = intake_on_piece, .whole = intake_on_whole,
    .over = intake_on_over, .data = intake,
  };

  intake->http = http_new (&config, ret_reason, size);
  if (intake->http == NULL)
    return -1;
  if (listeners_open (about, &intake->listeners, ret_reason, size) != 0)
    return -1;
  for (size_t i = 0; i < intake->listeners.n; i++) {
    const char *name = intake->listeners.all[i].name;

    log_notice ("listening on %s", name);
    if (intake->tokens == NULL && *name != '/')
      log_warning ("herald.xml names no <tokens>: nobody may put events in "
                   "at %s", name);
  }
  return 0;
}

static int
intake_start_store (struct intake *intake, char *ret_reason, size_t size)
{
  const struct herald_store *about
    = &intake->config.configuration->herald->store;
  struct committer_config config = {
    .loop = intake->config.loop, .queue = intake->config.queue,
    .wait_ms = about->commit_ms, .most = about->commit_most,
    .done = intake_on_done, .timed = intake_on_timed, .data = intake,
  };

  intake->committer = committer_new (&config, ret_reason, size);
  if (intake->committer == NULL)
    return -1;
  intake->scraper = scraper_new (intake->config.loop,
                                 intake->config.run_directory,
                                 &intake->config.queue);
  if (intake->scraper != NULL)
    return 0;
  snprintf (ret_reason, size, "no thread can be started");
  return -1;
}

struct intake *
intake_new (const struct intake_config *config, char *ret_reason, size_t size)
{
  struct intake *intake = memory_zeroed (1, sizeof *intake);

  intake->config = *config;
  intake->first = configuration_hold (config->configuration);
  intake->board = board_intake (config->board);
  intake->reader = event_reader_new (NULL);
  intake->accept_timer = loop_timer_new (config->loop,
                                         intake_on_accept_timer, intake);
  intake_raise_limit (config->configuration->herald->intake.max_connections);
  if (intake_read_tokens (intake, config->configuration, ret_reason, size)
        == 0
      && intake_start_store (intake, ret_reason, size) == 0
      && intake_start_http (intake, ret_reason, size) == 0) {
    intake_use (intake, config->configuration);
    intake_want (intake, LOOP_READ);
    return intake;
  }
  intake_free (intake);
  return NULL;
}

static void
intake_close_listeners (struct intake *intake)
{
  for (size_t i = 0; i < intake->listeners.n; i++)
    loop_forget (intake->config.loop, intake->listeners.all[i].fd);
  loop_timer_stop (intake->accept_timer);
  listeners_close (&intake->listeners);
}

void
intake_free (struct intake *intake)
{
  if (intake == NULL)
    return;
  intake_close_listeners (intake);
  /* Who still waits for an answer gets it from these. */
  committer_free (intake->committer);
  scraper_free (intake->scraper);
  http_free (intake->http);
  event_reader_free (intake->reader);
  loop_timer_free (intake->accept_timer);
  tokens_free (intake->tokens);
  allows_free (intake->allows);
  routes_release (intake->routes);
  configuration_free (intake->first);
  free (intake);
}

int
intake_turn (struct intake *intake)
{
  bool is_quiet = intake->activity == intake->seen_activity;

  intake->seen_activity = intake->activity;
  board_set (&intake->board->connections, http_connections (intake->http));
  committer_turn (intake->committer, is_quiet);
  return committer_gathers (intake->committer) ? 0 : -1;
}

void
intake_stop (struct intake *intake)
{
  if (intake->is_stopping)
    return;
  intake->is_stopping = true;
  intake_close_listeners (intake);
  http_finish (intake->http);
}

bool
intake_is_idle (const struct intake *intake)
{
  return http_is_idle (intake->http);
}

bool
intake_is_broken (const struct intake *intake)
{
  return intake->error == QUEUE_BROKEN;
}
