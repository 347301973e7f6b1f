/* intake.h - events in, over HTTP.
 *
 *   POST /v1/events     CloudEvents in all content modes, NDJSON
 *   GET /healthz        this process is alive
 *   GET /readyz         the store takes events, and the workers are up
 *   GET /metrics        OpenMetrics text
 *
 * It loads no plugin and knows no secret but the tokens.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_INTAKE_H
#define HERALD_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"
#include "config/configuration.h"
#include "metrics/board.h"
#include "queue/queue.h"

struct intake;

struct intake_config {
  struct loop *loop;
  struct configuration *configuration;  /* of routes; held */
  struct queue_config queue;
  const char *run_directory;
  struct board *board;          /* BOARD_INTAKE; outlives the intake */
};

/* Opens the store and listens.  NULL with a reason. */
struct intake *intake_new (const struct intake_config *config,
                           char *ret_reason, size_t size);
/* What was gathered is committed before. */
void intake_free (struct intake *intake);       /* NULL is fine */

/* After each turn of the loop; how long the next may wait (-1: for ever). */
int intake_turn (struct intake *intake);

/* Go on by that configuration, and by the tokens file as it is now; what
 * can't be read leaves the tokens as they were, and is logged.  Sockets
 * stay as they are. */
void intake_reload (struct intake *intake,
                    struct configuration *configuration);

/* Take no more connections and answer what is there, and what the newest
 * of them ask within a second; each answer closes its connection. */
void intake_stop (struct intake *intake);
/* Nothing is left to answer. */
bool intake_is_idle (const struct intake *intake);
/* The store can't be trusted: end. */
bool intake_is_broken (const struct intake *intake);

#endif
