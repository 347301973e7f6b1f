/* intake_health.c - GET /healthz, /readyz and /metrics.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/intake_state.h"

#include <stdio.h>

#include "base/date.h"
#include "intake/answer.h"

enum { HEALTH_MAX_BOARDS = 256 };

/* Workers whose last sign of life is fresh. */
static unsigned
intake_workers_up (const struct intake *intake)
{
  struct board *boards[HEALTH_MAX_BOARDS];
  size_t n = board_look_all (intake->config.run_directory, boards,
                             HEALTH_MAX_BOARDS);
  unsigned n_up = 0;

  for (size_t i = 0; i < n; i++) {
    n_up += board_role (boards[i]) == BOARD_WORKER
            && board_is_up (boards[i], date_now_ms ());
    board_close (boards[i]);
  }
  return n_up;
}

/* False, with why. */
static bool
intake_is_ready (const struct intake *intake, char ret_why[200])
{
  const struct herald_xml *xml
    = routes_configuration (intake->routes)->herald;
  unsigned n_up;

  if (intake->is_stopping) {
    snprintf (ret_why, 200, "herald is being stopped");
    return false;
  }
  /* Nobody may have tried since a failure: then it is not known to last. */
  if (intake->error != QUEUE_OK
      && date_monotonic_us () - intake->failed_us < INTAKE_READY_US) {
    snprintf (ret_why, 200, "the store takes no events: %s",
              intake->error == QUEUE_FULL ? "it is full"
              : intake->error == QUEUE_BUSY ? "another process holds it"
                                            : "it can't be trusted");
    return false;
  }
  n_up = intake_workers_up (intake);
  if (n_up < xml->workers.number) {
    snprintf (ret_why, 200, "%u of %u workers are up", n_up,
              xml->workers.number);
    return false;
  }
  return true;
}

static void
intake_look_ready (struct intake *intake, struct http_request *request)
{
  struct http_answer answer;
  char why[200];

  if (intake_is_ready (intake, why))
    answer_text (&answer, 200, "ready");
  else {
    answer_problem (&answer, 503, "%s", why);
    answer_field (&answer, "Retry-After", "2");
  }
  answer_field (&answer, "Cache-Control", "no-store");
  http_answer (request, &answer);
}

/* For who is on this host, and who has a token. */
static void
intake_look_metrics (struct intake *intake, struct http_request *request)
{
  const struct peer *peer = http_peer (request);
  struct http_answer answer;

  if (peer->is_local || peer->is_loopback
      || intake_caller (intake, request) != NULL) {
    scraper_ask (intake->scraper, request);
    return;
  }
  answer_problem (&answer, 401, "from another host the figures are for who "
                  "has a token");
  answer_field (&answer, "WWW-Authenticate", "Bearer realm=\"herald\"");
  intake_refuse (intake, request, BOARD_UNAUTHORIZED, &answer);
}

void
intake_look (struct intake *intake, struct http_request *request)
{
  const char *path = http_head (request)->path;
  struct http_answer answer;

  if (path[1] == 'm')
    intake_look_metrics (intake, request);
  else if (path[1] == 'r')
    intake_look_ready (intake, request);
  else {
    answer_text (&answer, 200, "alive");
    answer_field (&answer, "Cache-Control", "no-store");
    http_answer (request, &answer);
  }
}
