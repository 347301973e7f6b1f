/* routes.h - which lanes an event goes to, by one configuration.
 *
 * The loop's thread asks; the committer's turns what it got into numbers
 * of lanes, which only the queue knows.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_ROUTES_H
#define HERALD_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/configuration.h"
#include "event/event.h"
#include "queue/queue.h"

struct routes;

/* Holds the configuration. */
struct routes *routes_new (struct configuration *configuration);
struct routes *routes_hold (struct routes *routes);
void routes_release (struct routes *routes);    /* NULL is fine */

const struct configuration *routes_configuration (const struct routes *routes);
/* How many an event can have at most. */
size_t routes_count (const struct routes *routes);
/* The integrations that want it, as numbers for routes_lanes (). */
size_t routes_find (const struct routes *routes, const struct event *event,
                    uint32_t *ret_wanted);
/* Turn these into lanes, in place; -1 with queue_reason ().  Only by the
 * thread that has the queue. */
int routes_lanes (struct routes *routes, struct queue *queue,
                  uint32_t *wanted, size_t n);

#endif
