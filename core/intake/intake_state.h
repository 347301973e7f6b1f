/* intake_state.h - what the files of the intake share; nobody else
 * includes it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_INTAKE_STATE_H
#define HERALD_INTAKE_STATE_H

#include "allows.h"
#include "body.h"
#include "committer.h"
#include "http.h"
#include "intake.h"
#include "listener.h"
#include "routes.h"
#include "scraper.h"
#include "submission.h"
#include "tokens.h"

enum {
  INTAKE_HELD = 64 << 20,       /* bytes of requests in memory */
  INTAKE_FULL_US = 1000 * 1000, /* how often a full store is tried */
  INTAKE_READY_US = 10 * INTAKE_FULL_US /* a failure older than that says
                                           nothing */
};

struct intake {
  struct intake_config config;
  struct configuration *first;  /* whose words the queue's config uses */
  struct routes *routes;
  struct tokens *tokens;        /* NULL: there is no such file */
  struct allows *allows;
  struct http *http;
  struct committer *committer;
  struct scraper *scraper;
  struct listeners listeners;
  struct loop_timer *accept_timer;      /* descriptors ran out */
  struct event_reader *reader;
  struct board_intake *board;
  uint64_t activity;            /* grows with whatever is received */
  uint64_t seen_activity;       /* at the last turn */
  size_t held;                  /* memory of all requests */
  int64_t failed_us;            /* when the last commit failed, by the clock
                                   that nobody sets; 0: it did not */
  enum queue_error error;       /* of it */
  char reason[200];
  bool is_stopping;
};

/* What is kept with a request to POST /v1/events. */
struct posting {
  struct submission *submission;
  struct body *body;
  struct http_request *request;
  size_t held;                  /* as counted in intake and caller */
};

/* POST /v1/events (intake_events.c). */
void intake_events_begin (struct intake *intake,
                          struct http_request *request);
void intake_events_piece (struct intake *intake, struct posting *posting,
                          const char *bytes, size_t len);
void intake_events_whole (struct intake *intake, struct posting *posting);
void intake_events_over (struct intake *intake, struct posting *posting);
void intake_events_done (struct intake *intake, struct commit *commits,
                         const char *reason);
/* By its token, or by its user; NULL: neither. */
struct caller *intake_caller (struct intake *intake,
                              struct http_request *request);
void intake_refuse (struct intake *intake, struct http_request *request,
                    enum board_refusal why, struct http_answer *answer);

/* GET (intake_health.c). */
void intake_look (struct intake *intake, struct http_request *request);

#endif
