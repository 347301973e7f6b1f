/* http.c - an HTTP/1.1 server on the loop (only here: libmicrohttpd).
 *
 * libmicrohttpd runs without a thread or a listening socket of its own: it
 * is given connections and its epoll set is one descriptor of our loop.
 * What it does not do itself is done around it: it knows one time-out for
 * silence only, takes two Content-Length for one, can't answer while a body
 * comes in, and resets a connection whose body it did not read.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "intake/answer.h"
#include "intake/crowd.h"
#include "intake/framing.h"
#include "intake/linger.h"

enum {
  HTTP_POOL = 32 << 10,         /* a head at most, and half of it a piece */
  HTTP_SLACK = 256,             /* connections that are being closed */
  HTTP_STRIDE = 64 << 10,       /* bytes a time-out is for */
  HTTP_SWEEP_US = 500 * 1000,
  HTTP_FRESH_US = 1000 * 1000   /* for a first request, when it ends */
};

enum http_phase {
  PHASE_IDLE,                   /* no request line has come */
  PHASE_HEAD,
  PHASE_BEGIN,                  /* in config.begin () */
  PHASE_BODY,
  PHASE_WHOLE,                  /* in config.whole () */
  PHASE_HELD,                   /* waits for its answer, suspended */
  PHASE_ANSWER                  /* is being sent */
};

struct http_request {           /* a connection, and its present request */
  struct seat seat;             /* first: a seat is its request */
  struct http *http;
  struct MHD_Connection *mhd;
  int fd;
  struct peer peer;
  enum http_phase phase;
  int64_t deadline_us;
  bool is_fresh;                /* nothing of it was answered yet */
  bool is_cut;                  /* shut down: it will be closed */
  bool is_begun;                /* config.begin () has seen it */
  bool expects;                 /* 100 Continue */
  bool is_refused;              /* answered while its body came in */
  int linger_fd;                /* -1: need not linger */
  size_t taken;                 /* bytes of the body */
  size_t stride;                /* of these, since the deadline was set */
  struct http_head head;
  struct MHD_Response *answer;  /* to send when the body is through */
  unsigned status;
  size_t answer_len;
  void *kept;
};

struct http {
  struct http_config config;
  struct MHD_Daemon *daemon;
  int epoll_fd;
  struct crowd *crowd;
  struct lingers *lingers;
  struct loop_timer *run_timer, *sweep_timer;
  struct http_request *entering;        /* given to libmicrohttpd just now */
  size_t n_requests;
  size_t n_cut;
  bool is_finishing;
};

/* ------------------------------------------------------------------ */
/* Time. */

static void
http_allow (struct http_request *request, size_t len)
{
  int64_t strides = 1 + (int64_t) (len / HTTP_STRIDE);

  request->deadline_us = loop_now_us (request->http->config.loop)
                         + strides * request->http->config.timeout_ms * 1000;
}

/* Nothing more is read or written; libmicrohttpd sees the end. */
static void
http_cut (struct http_request *request)
{
  if (request->is_cut)
    return;
  request->is_cut = true;
  request->seat.is_held = true;
  request->http->n_cut++;
  shutdown (request->fd, SHUT_RDWR);
}

/* ------------------------------------------------------------------ */
/* Answers that libmicrohttpd can't give. */

static void
http_write (struct http_request *request, const struct http_answer *answer)
{
  struct buf out = BUF_INIT (0);

  answer_add_bytes (answer, MHD_get_reason_phrase_for (answer->status), &out);
  /* A client that does not even take this gets none. */
  if (send (request->fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    log_debug ("an answer of status %u could not be sent: %m",
               answer->status);
  buf_done (&out);
}

static void
http_write_problem (struct http_request *request, unsigned status,
                    const char *detail)
{
  struct http_answer answer;

  answer_problem (&answer, status, "%s", detail);
  request->status = status;
  http_write (request, &answer);
  free (answer.body);
}

/* The connection goes, its socket stays for what is still sent to it. */
static void
http_linger (struct http_request *request)
{
  if (request->linger_fd < 0)
    request->linger_fd = fcntl (request->fd, F_DUPFD_CLOEXEC, 0);
}

/* ------------------------------------------------------------------ */
/* Heads. */

struct http_scan {
  struct http_request *request;
  struct framing framing;
};

/* libmicrohttpd (0.9.75) makes of a field that goes on in the next line one
 * of another name, which does not lie before its value: so it is known. */
static bool
http_is_folded (const char *name, const char *value)
{
  uintptr_t distance = (uintptr_t) value - (uintptr_t) name;

  return distance <= strlen (name) || distance > HTTP_POOL;
}

static enum MHD_Result
http_scan_field (void *data, enum MHD_ValueKind kind, const char *name,
                 const char *value)
{
  struct http_scan *scan = data;
  struct http_head *head = &scan->request->head;

  (void) kind;
  if (value == NULL)
    value = "";
  else if (http_is_folded (name, value))
    scan->framing.is_folded = true;
  framing_take (&scan->framing, name, value);
  if (text_equal_fold (name, "authorization"))
    head->authorization = value;
  else if (text_equal_fold (name, "content-type"))
    head->content_type = value;
  else if (text_equal_fold (name, "content-encoding"))
    head->content_encoding = value;
  return MHD_YES;
}

/* Of an absolute-form, too (RFC 9112, 3.2.2). */
static const char *
http_path (const char *target)
{
  size_t len = strncasecmp (target, "http://", 7) == 0 ? 7
               : strncasecmp (target, "https://", 8) == 0 ? 8 : 0;

  if (len == 0)
    return target;
  target += len;
  target += strcspn (target, "/");
  return *target != '\0' ? target : "/";
}

static void
http_begin (struct http_request *request, const char *path,
            const char *method, const char *version)
{
  struct http_scan scan = { .request = request };
  struct http_answer answer;
  const char *detail;
  unsigned status;

  request->phase = PHASE_BEGIN;
  memset (&request->head, 0, sizeof request->head);
  request->head.method = method;
  request->head.path = http_path (path);
  MHD_get_connection_values (request->mhd, MHD_HEADER_KIND, http_scan_field,
                             &scan);
  status = framing_judge (&scan.framing,
                          strcmp (version, MHD_HTTP_VERSION_1_1) == 0,
                          &request->head.body_len, &detail);
  request->expects = scan.framing.expect != NULL
                     && request->head.body_len != 0;
  request->is_begun = true;
  request->http->n_requests++;
  if (status == 0) {
    request->http->config.begin (request->http->config.data, request);
    return;
  }
  /* Where the body ends is not known: none of it is read. */
  request->head.body_len = -1;
  answer_problem (&answer, status, "%s", detail);
  answer.is_last = true;
  http_answer (request, &answer);
}

/* ------------------------------------------------------------------ */
/* Answers. */

static struct MHD_Response *
http_response (struct http_request *request,
               const struct http_answer *answer)
{
  struct MHD_Response *response;

  if (answer->body != NULL)
    response = MHD_create_response_from_buffer (answer->len, answer->body,
                                                MHD_RESPMEM_MUST_FREE);
  else
    response = MHD_create_response_from_buffer (0, NULL,
                                                MHD_RESPMEM_PERSISTENT);
  if (response == NULL)
    memory_exhausted ();
  if (answer->type != NULL)
    MHD_add_response_header (response, "Content-Type", answer->type);
  for (size_t i = 0; i < HTTP_MAX_FIELDS && answer->fields[i].name != NULL;
       i++)
    MHD_add_response_header (response, answer->fields[i].name,
                             answer->fields[i].value);
  if (answer->is_last || request->http->is_finishing)
    MHD_add_response_header (response, "Connection", "close");
  return response;
}

static enum MHD_Result
http_send (struct http_request *request)
{
  struct MHD_Response *response = request->answer;
  enum MHD_Result result;

  request->answer = NULL;
  request->phase = PHASE_ANSWER;
  request->seat.is_held = request->is_cut;
  http_allow (request, request->answer_len);
  result = MHD_queue_response (request->mhd, request->status, response);
  MHD_destroy_response (response);
  return result;
}

void
http_answer (struct http_request *request, const struct http_answer *answer)
{
  bool is_held = request->phase == PHASE_HELD;

  request->status = answer->status;
  if (request->phase == PHASE_BODY) {
    request->is_refused = true;
    http_write (request, answer);
    http_linger (request);
    free (answer->body);
    return;
  }
  request->answer = http_response (request, answer);
  request->answer_len = answer->len;
  if (!is_held)
    return;
  http_send (request);
  MHD_resume_connection (request->mhd);
  /* Without threads of its own libmicrohttpd wakes nobody for that. */
  loop_timer_set (request->http->run_timer, 0);
}

/* There is an answer, and the body has not been read.  Of a short one the
 * rest is read first, so that the connection can be used again. */
static enum MHD_Result
http_answer_early (struct http_request *request)
{
  int64_t len = request->head.body_len;

  if (len == 0 || (len > 0 && len <= HTTP_STRIDE && !request->expects))
    return MHD_YES;
  http_linger (request);
  return http_send (request);
}

/* ------------------------------------------------------------------ */
/* What libmicrohttpd calls. */

static enum MHD_Result
http_take_piece (struct http_request *request, const char *bytes, size_t len)
{
  struct http *http = request->http;

  request->phase = PHASE_BODY;
  request->taken += len;
  request->stride += len;
  if (request->stride >= HTTP_STRIDE) {
    request->stride = 0;
    http_allow (request, 0);
  }
  if (request->answer == NULL)
    http->config.piece (http->config.data, request, bytes, len);
  /* Answered, and not by way of libmicrohttpd: it shall let go. */
  return request->is_refused ? MHD_NO : MHD_YES;
}

static enum MHD_Result
http_take_whole (struct http_request *request)
{
  struct http *http = request->http;

  if (request->answer == NULL) {
    request->phase = PHASE_WHOLE;
    http->config.whole (http->config.data, request);
  }
  if (request->answer != NULL)
    return http_send (request);
  request->phase = PHASE_HELD;
  request->seat.is_held = true;
  request->deadline_us = INT64_MAX;
  MHD_suspend_connection (request->mhd);
  return MHD_YES;
}

static enum MHD_Result
http_on_request (void *data, struct MHD_Connection *mhd, const char *path,
                 const char *method, const char *version, const char *bytes,
                 size_t *len, void **context)
{
  struct http_request *request = *context;

  (void) data;
  (void) mhd;
  if (request == NULL || request->is_cut)
    return MHD_NO;
  if (request->phase == PHASE_HEAD) {
    http_begin (request, path, method, version);
    if (request->answer != NULL && http_answer_early (request) != MHD_YES)
      return MHD_NO;
    if (request->phase == PHASE_BEGIN)
      request->phase = PHASE_BODY;
    http_allow (request, request->answer_len);
    return MHD_YES;
  }
  if (*len == 0)
    return http_take_whole (request);
  if (http_take_piece (request, bytes, *len) != MHD_YES)
    return MHD_NO;
  *len = 0;
  return MHD_YES;
}

/* The request line is there; the other lines have their own time. */
static void *
http_on_line (void *data, const char *uri, struct MHD_Connection *mhd)
{
  const union MHD_ConnectionInfo *info
    = MHD_get_connection_info (mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  struct http_request *request = info != NULL ? info->socket_context : NULL;

  (void) data;
  (void) uri;
  if (request == NULL)
    return NULL;
  request->phase = PHASE_HEAD;
  http_allow (request, 0);
  return request;
}

static void
http_on_over (void *data, struct MHD_Connection *mhd, void **context,
              enum MHD_RequestTerminationCode why)
{
  struct http_request *request = *context;
  struct http *http = data;

  (void) mhd;
  (void) why;
  if (request == NULL)
    return;
  *context = NULL;
  if (request->is_begun) {
    http->config.over (http->config.data, request);
    http->n_requests--;
  }
  if (request->answer != NULL)
    MHD_destroy_response (request->answer);
  request->answer = NULL;
  request->kept = NULL;
  request->is_fresh = request->is_begun = false;
  request->phase = PHASE_IDLE;
  request->status = 0;
  request->taken = request->stride = request->answer_len = 0;
  crowd_touch (http->crowd, &request->seat);
  http_allow (request, 0);
}

static void
http_on_connection (void *data, struct MHD_Connection *mhd, void **context,
                    enum MHD_ConnectionNotificationCode what)
{
  struct http *http = data;
  struct http_request *request;

  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    *context = http->entering;
    http->entering->mhd = mhd;
    http->entering = NULL;
    return;
  }
  request = *context;
  *context = NULL;
  if (request == NULL)
    return;
  if (request->linger_fd >= 0)
    lingers_add (http->lingers, request->linger_fd);
  if (request->is_cut)
    http->n_cut--;
  crowd_leave (http->crowd, &request->seat);
  free (request);
}

static void http_on_log (void *data, const char *fmt, va_list args)
  __attribute__ ((__format__ (__printf__, 2, 0)));

static void
http_on_log (void *data, const char *fmt, va_list args)
{
  char line[200];

  (void) data;
  vsnprintf (line, sizeof line, fmt, args);
  line[strcspn (line, "\r\n")] = '\0';
  log_debug ("libmicrohttpd: %s", line);
}

/* ------------------------------------------------------------------ */
/* The loop. */

static void
http_run (struct http *http)
{
  MHD_UNSIGNED_LONG_LONG ms;

  MHD_run (http->daemon);
  if (MHD_get_timeout (http->daemon, &ms) == MHD_YES)
    loop_timer_set (http->run_timer, loop_now_us (http->config.loop)
                                       + (int64_t) ms * 1000);
}

static void
http_on_ready (void *data, int fd, unsigned ready)
{
  (void) fd;
  (void) ready;
  http_run (data);
}

static void
http_on_run_timer (void *data)
{
  http_run (data);
}

static void
http_on_sweep (void *data)
{
  struct http *http = data;
  int64_t now = loop_now_us (http->config.loop);

  for (struct seat *seat = crowd_first (http->crowd); seat != NULL;
       seat = seat->next) {
    struct http_request *request = (struct http_request *) seat;

    if (request->is_cut || request->deadline_us > now)
      continue;
    /* Also instead of an answer that only waits for the body. */
    if (request->phase == PHASE_HEAD || request->phase == PHASE_BODY)
      http_write_problem (request, 408, "the request came too slowly");
    http_cut (request);
  }
  loop_timer_set (http->sweep_timer, now + HTTP_SWEEP_US);
}

void
http_accept (struct http *http, int fd, const struct peer *peer)
{
  struct http_request *request = memory_zeroed (1, sizeof *request);
  struct seat *victim;
  bool is_full;

  victim = crowd_victim (http->crowd, peer->key, &is_full);
  if (victim != NULL) {
    http_cut ((struct http_request *) victim);
    http_run (http);            /* so that its seat is free */
  }
  request->http = http;
  request->fd = fd;
  request->peer = *peer;
  request->linger_fd = -1;
  request->is_fresh = true;
  if (is_full || http->is_finishing) {
    http_write_problem (request, 503, "all connections are taken");
    close (fd);
    free (request);
    return;
  }
  http_allow (request, 0);
  crowd_enter (http->crowd, &request->seat, peer->key);
  http->entering = request;
  /* Closes the descriptor if it fails. */
  if (MHD_add_connection (http->daemon, fd, NULL, 0) == MHD_YES
      || http->entering == NULL)
    return;
  http->entering = NULL;
  crowd_leave (http->crowd, &request->seat);
  free (request);
}

struct http *
http_new (const struct http_config *config, char *ret_reason, size_t size)
{
  struct http *http = memory_zeroed (1, sizeof *http);
  const union MHD_DaemonInfo *info;

  http->config = *config;
  http->daemon = MHD_start_daemon (
    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET
      | MHD_USE_ERROR_LOG,
    0, NULL, NULL, http_on_request, http,
    /* First, so that it hears of the others. */
    MHD_OPTION_EXTERNAL_LOGGER, http_on_log, http,
    MHD_OPTION_CONNECTION_LIMIT, config->max_connections + HTTP_SLACK,
    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) HTTP_POOL,
    MHD_OPTION_CONNECTION_TIMEOUT, 0u,
    MHD_OPTION_STRICT_FOR_CLIENT, 1,
    MHD_OPTION_URI_LOG_CALLBACK, http_on_line, http,
    MHD_OPTION_NOTIFY_COMPLETED, http_on_over, http,
    MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, http,
    MHD_OPTION_END);
  info = http->daemon == NULL ? NULL
         : MHD_get_daemon_info (http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == NULL) {
    snprintf (ret_reason, size, "libmicrohttpd can't be started: %s",
              MHD_is_feature_supported (MHD_FEATURE_EPOLL) == MHD_YES
                ? strerror (errno) : "it was built without epoll");
    if (http->daemon != NULL)
      MHD_stop_daemon (http->daemon);
    free (http);
    return NULL;
  }
  http->crowd = crowd_new (config->max_connections);
  http->lingers = lingers_new (config->loop);
  http->run_timer = loop_timer_new (config->loop, http_on_run_timer, http);
  http->sweep_timer = loop_timer_new (config->loop, http_on_sweep, http);
  http->epoll_fd = info->epoll_fd;
  loop_want (config->loop, http->epoll_fd, LOOP_READ, http_on_ready, http);
  loop_timer_set (http->sweep_timer, date_monotonic_us () + HTTP_SWEEP_US);
  return http;
}

void
http_free (struct http *http)
{
  if (http == NULL)
    return;
  loop_forget (http->config.loop, http->epoll_fd);
  MHD_stop_daemon (http->daemon);
  lingers_free (http->lingers);
  loop_timer_free (http->run_timer);
  loop_timer_free (http->sweep_timer);
  crowd_free (http->crowd);
  free (http);
}

void
http_finish (struct http *http)
{
  int64_t until_us = loop_now_us (http->config.loop) + HTTP_FRESH_US;

  http->is_finishing = true;
  for (struct seat *seat = crowd_first (http->crowd); seat != NULL;
       seat = seat->next) {
    struct http_request *request = (struct http_request *) seat;

    if (request->phase != PHASE_IDLE)
      continue;
    /* Who has just come is about to ask. */
    if (!request->is_fresh)
      http_cut (request);
    else if (request->deadline_us > until_us)
      request->deadline_us = until_us;
  }
  http_run (http);
}

size_t
http_connections (const struct http *http)
{
  return crowd_count (http->crowd) - http->n_cut;
}

bool
http_is_idle (const struct http *http)
{
  if (http->n_requests > 0)
    return false;
  for (const struct seat *seat = crowd_first (http->crowd); seat != NULL;
       seat = seat->next) {
    const struct http_request *request = (const struct http_request *) seat;

    if (!request->is_cut
        && (request->is_fresh || request->phase != PHASE_IDLE))
      return false;
  }
  return true;
}

const struct http_head *
http_head (const struct http_request *request)
{
  return &request->head;
}

const struct peer *
http_peer (const struct http_request *request)
{
  return &request->peer;
}

struct http_walk {
  http_field_fn *fn;
  void *data;
};

static enum MHD_Result
http_walk_field (void *data, enum MHD_ValueKind kind, const char *name,
                 const char *value)
{
  struct http_walk *walk = data;

  (void) kind;
  return walk->fn (walk->data, name, value != NULL ? value : "") ? MHD_YES
                                                                 : MHD_NO;
}

void
http_each_field (struct http_request *request, http_field_fn *fn, void *data)
{
  struct http_walk walk = { fn, data };

  MHD_get_connection_values (request->mhd, MHD_HEADER_KIND, http_walk_field,
                             &walk);
}

unsigned
http_status (const struct http_request *request)
{
  return request->status;
}

void *
http_kept (const struct http_request *request)
{
  return request->kept;
}

void
http_keep (struct http_request *request, void *kept)
{
  request->kept = kept;
}
