/* intake_events.c - POST /v1/events.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/intake_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "intake/answer.h"
#include "intake/binary.h"
#include "intake/framing.h"
#include "intake/media.h"

void
intake_refuse (struct intake *intake, struct http_request *request,
               enum board_refusal why, struct http_answer *answer)
{
  board_add (&intake->board->refused[why], 1);
  http_answer (request, answer);
}

/* ------------------------------------------------------------------ */
/* Who it is. */

struct caller *
intake_caller (struct intake *intake, struct http_request *request)
{
  const struct peer *peer = http_peer (request);
  const char *word = http_head (request)->authorization;

  if (word == NULL)
    return peer->is_local ? allows_find (intake->allows, peer) : NULL;
  if (intake->tokens == NULL || strncasecmp (word, "bearer ", 7) != 0)
    return NULL;
  word += 7 + strspn (word + 7, " ");
  return tokens_find (intake->tokens, word, framing_value_len (word));
}

static void
intake_refuse_stranger (struct intake *intake, struct http_request *request)
{
  struct http_answer answer;
  bool has_token = http_head (request)->authorization != NULL;

  answer_problem (&answer, 401, has_token
                  ? "the token is not known here"
                  : "a token is needed: Authorization: Bearer TOKEN");
  answer_field (&answer, "WWW-Authenticate", has_token
                ? "Bearer realm=\"herald\", error=\"invalid_token\""
                : "Bearer realm=\"herald\"");
  log_info ("a request was refused: %s",
            has_token ? "its token is in no line of the tokens file"
                      : "it had no token");
  intake_refuse (intake, request, BOARD_UNAUTHORIZED, &answer);
}

/* ------------------------------------------------------------------ */
/* Whether there is room. */

static void
intake_refuse_later (struct intake *intake, struct http_request *request,
                     enum board_refusal why, unsigned status,
                     const char *detail, const char *retry_after)
{
  struct http_answer answer;

  answer_problem (&answer, status, "%s", detail);
  answer_field (&answer, "Retry-After", retry_after);
  intake_refuse (intake, request, why, &answer);
}

/* Nobody may take more than half of what there is. */
static bool
intake_has_memory (const struct intake *intake, const struct caller *caller)
{
  return intake->held < INTAKE_HELD && caller->held < INTAKE_HELD / 2;
}

static bool
intake_has_room (const struct intake *intake, const struct caller *caller)
{
  const struct herald_intake *about
    = &routes_configuration (intake->routes)->herald->intake;

  return intake_has_memory (intake, caller)
         && 2 * caller->n_requests < about->max_connections;
}

/* True: it was refused. */
static bool
intake_is_closed (struct intake *intake, struct http_request *request)
{
  if (intake->error != QUEUE_OK
      && date_monotonic_us () - intake->failed_us < INTAKE_FULL_US) {
    intake_refuse_later (intake, request,
                         intake->error == QUEUE_FULL ? BOARD_FULL
                                                     : BOARD_UNAVAILABLE,
                         503, "the store takes no events at present", "5");
    return true;
  }
  return false;
}

/* ------------------------------------------------------------------ */
/* The head. */

struct attributes {             /* ce- fields on their way into an event */
  struct buf *out;
  bool has_any;
  int result;
  char *reason;
};

static bool
attributes_look (void *data, const char *name, const char *value)
{
  struct attributes *attributes = data;

  (void) value;
  attributes->has_any = binary_is_attribute (name);
  return !attributes->has_any;
}

static bool
attributes_take (void *data, const char *name, const char *value)
{
  struct attributes *attributes = data;

  if (binary_is_attribute (name))
    attributes->result = binary_add (attributes->out, name, value,
                                     attributes->reason);
  return attributes->result == 0;
}

static bool
posting_event (void *data, struct event *event)
{
  struct posting *posting = data;

  submission_add (posting->submission, event);
  return true;
}

static bool
posting_bad (void *data, const char *reason)
{
  struct posting *posting = data;

  submission_add_bad (posting->submission, reason);
  return true;
}

static void
intake_refuse_media (struct intake *intake, struct http_request *request,
                     bool is_encoding)
{
  struct http_answer answer;

  if (is_encoding) {
    answer_problem (&answer, 415, "no Content-Encoding but gzip is "
                    "understood");
    answer_field (&answer, "Accept-Encoding", "gzip");
  } else {
    answer_problem (&answer, 415, "this Content-Type is not read here; what "
                    "is: %s; or ce- header fields with a JSON object",
                    media_accepted);
    answer_field (&answer, "Accept", media_accepted);
  }
  intake_refuse (intake, request, BOARD_MEDIA_TYPE, &answer);
}

static void
intake_refuse_size (struct intake *intake, struct http_request *request,
                    const char *detail)
{
  struct http_answer answer;

  answer_problem (&answer, 413, "%s", detail);
  intake_refuse (intake, request, BOARD_TOO_LARGE, &answer);
}

static void
intake_refuse_body (struct intake *intake, struct http_request *request,
                    const char *detail)
{
  struct http_answer answer;

  answer_problem (&answer, 400, "%s", detail);
  intake_refuse (intake, request, BOARD_INVALID, &answer);
}

/* What the binary mode's event begins with; -1: it was refused. */
static int
intake_read_attributes (struct intake *intake, struct http_request *request,
                        struct buf *out)
{
  char reason[200];
  struct attributes attributes = { .out = out, .reason = reason };

  buf_add_char (out, '{');
  http_each_field (request, attributes_take, &attributes);
  if (attributes.result != 0) {
    intake_refuse_body (intake, request, reason);
    return -1;
  }
  binary_add_data (out);
  return 0;
}

static void
intake_open_posting (struct intake *intake, struct http_request *request,
                     struct caller *caller, struct body_config *config)
{
  struct posting *posting = memory_zeroed (1, sizeof *posting);

  posting->request = request;
  posting->submission = submission_new (caller, intake->routes);
  config->event = posting_event;
  config->bad = posting_bad;
  config->data = posting;
  posting->body = body_new (config);
  submission_keep (posting->submission, request);
  http_keep (request, posting);
  caller->n_requests++;
}

void
intake_events_begin (struct intake *intake, struct http_request *request)
{
  const struct herald_xml *xml
    = routes_configuration (intake->routes)->herald;
  const struct http_head *head = http_head (request);
  struct body_config config = {
    .expected = head->body_len, .reader = intake->reader,
    .max_body = (size_t) xml->intake.max_body,
    .max_event = (size_t) xml->max_event,
    .max_events = xml->intake.max_events,
  };
  struct attributes attributes = { 0 };
  struct buf text = BUF_INIT (0);
  struct caller *caller;

  if (intake_is_closed (intake, request))
    return;
  caller = intake_caller (intake, request);
  if (caller == NULL) {
    intake_refuse_stranger (intake, request);
    return;
  }
  http_each_field (request, attributes_look, &attributes);
  if (media_read (head->content_type, attributes.has_any, &config.mode) != 0)
    intake_refuse_media (intake, request, false);
  else if (media_read_encoding (head->content_encoding, &config.is_gzip)
           != 0)
    intake_refuse_media (intake, request, true);
  else if (head->body_len > xml->intake.max_body)
    intake_refuse_size (intake, request, "the body is larger than <limits "
                        "body> of herald.xml allows");
  else if (!intake_has_room (intake, caller))
    intake_refuse_later (intake, request, BOARD_LIMITED, 429,
                         "too much is waiting to be stored", "1");
  else if (config.mode != BODY_BINARY
           || intake_read_attributes (intake, request, &text) == 0) {
    config.workspace = caller_only (caller);
    config.head = text.data;
    config.head_len = text.len;
    intake_open_posting (intake, request, caller, &config);
  }
  buf_done (&text);
}

/* ------------------------------------------------------------------ */
/* The body. */

static void
posting_count (struct intake *intake, struct posting *posting)
{
  struct caller *caller = submission_caller (posting->submission);
  size_t held = submission_memory (posting->submission)
                + (posting->body != NULL ? body_memory (posting->body) : 0);

  intake->held += held - posting->held;
  caller->held += held - posting->held;
  posting->held = held;
}

/* True: there is a fault, and it was answered. */
static bool
posting_has_fault (struct intake *intake, struct posting *posting,
                   enum body_fault fault)
{
  const char *reason = body_reason (posting->body);

  switch (fault) {
  case BODY_FINE:
    return false;
  case BODY_TOO_LARGE:
    intake_refuse_size (intake, posting->request, reason);
    return true;
  case BODY_MALFORMED:
  case BODY_STOPPED:
    break;
  }
  intake_refuse_body (intake, posting->request, reason);
  return true;
}

void
intake_events_piece (struct intake *intake, struct posting *posting,
                     const char *bytes, size_t len)
{
  board_add (&intake->board->bytes, len);
  if (posting_has_fault (intake, posting,
                         body_feed (posting->body, bytes, len)))
    return;
  posting_count (intake, posting);
  /* Of those that come in the largest gives way, when it has grown. */
  if (!intake_has_memory (intake, submission_caller (posting->submission)))
    intake_refuse_later (intake, posting->request, BOARD_LIMITED, 429,
                         "too much is waiting to be stored", "1");
}

static void
posting_answer (struct intake *intake, struct posting *posting)
{
  struct submission_counts counts;
  struct http_answer answer;

  submission_answer (posting->submission, &answer, &counts);
  board_add (&intake->board->accepted, counts.accepted);
  board_add (&intake->board->seen, counts.seen);
  board_add (&intake->board->refused[BOARD_INVALID], counts.invalid);
  board_add (&intake->board->refused[BOARD_FORBIDDEN], counts.forbidden);
  http_answer (posting->request, &answer);
}

void
intake_events_whole (struct intake *intake, struct posting *posting)
{
  struct commit *commit;

  if (posting_has_fault (intake, posting, body_finish (posting->body)))
    return;
  body_free (posting->body);
  posting->body = NULL;
  posting_count (intake, posting);
  commit = submission_commit (posting->submission);
  if (commit != NULL)
    committer_put (intake->committer, commit);
  else
    posting_answer (intake, posting);
}

void
intake_events_over (struct intake *intake, struct posting *posting)
{
  struct caller *caller = submission_caller (posting->submission);

  intake->held -= posting->held;
  caller->held -= posting->held;
  caller->n_requests--;
  body_free (posting->body);
  submission_free (posting->submission);
  free (posting);
}

/* ------------------------------------------------------------------ */
/* After the commit. */

static void
intake_note (struct intake *intake, enum queue_error error,
             const char *reason)
{
  if (error == QUEUE_OK) {
    if (intake->error != QUEUE_OK)
      log_notice ("the store takes events again");
    intake->error = QUEUE_OK;
    intake->failed_us = 0;
    return;
  }
  if (intake->error != error)
    log_error ("events are refused with 503: %s", reason);
  intake->error = error;
  intake->failed_us = date_monotonic_us ();
  snprintf (intake->reason, sizeof intake->reason, "%s", reason);
}

void
intake_events_done (struct intake *intake, struct commit *commits,
                    const char *reason)
{
  while (commits != NULL) {
    struct commit *commit = commits;
    struct http_request *request = submission_kept (submission_of (commit));
    struct posting *posting = http_kept (request);

    commits = commit->next;
    intake_note (intake, commit->error, reason);
    if (commit->error == QUEUE_OK)
      posting_answer (intake, posting);
    else if (commit->error == QUEUE_FULL)
      intake_refuse_later (intake, request, BOARD_FULL, 503,
                           "the store is full; nothing was kept", "5");
    else
      intake_refuse_later (intake, request, BOARD_UNAVAILABLE, 503,
                           "the store can't be written to at present; "
                           "nothing was kept", "2");
  }
}
