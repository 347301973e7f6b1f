/* dispatcher.h - events to lanes.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_DISPATCHER_H
#define HERALD_DISPATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/configuration.h"
#include "event/event.h"
#include "exchange.h"
#include "lane.h"

struct dispatcher;

/* All deliveries of an event have ended, some of them not delivered:
 * unsent names those integrations, separated by spaces. */
typedef void dispatcher_unsent_fn (void *data, const struct event *event,
                                   const char *unsent);

struct dispatcher_config {
  const struct configuration *configuration;
  struct loop *loop;
  struct exchanger *exchanger;
  int64_t patience_ms;          /* see lane_config */
  dispatcher_unsent_fn *unsent;
  void *data;
};

struct dispatcher *dispatcher_new (const struct dispatcher_config *config);
/* Must be idle. */
void dispatcher_free (struct dispatcher *dispatcher);

/* A lane for an open integration; it stays the caller's. */
struct lane *dispatcher_add_lane (struct dispatcher *dispatcher,
                                  struct integration *integration);

/* An integration that ought to be there but can't be (broken, untested):
 * what it would get is counted and counts as unsent. */
struct dispatcher_absent {
  const struct descriptor *descriptor;
  char *reason;                 /* copied */
  uint64_t n;                   /* events it would have got */
};
void dispatcher_add_absent (struct dispatcher *dispatcher,
                            const struct descriptor *descriptor,
                            const char *reason);

/* Is the event for that integration: its workspace, its conditions, and
 * what the event itself says. */
bool dispatcher_wants (const struct descriptor *descriptor,
                       const struct event *event);

enum dispatcher_answer {
  DISPATCHER_TAKEN,
  DISPATCHER_NO_MATCH,          /* no integration wants it: that is fine */
  DISPATCHER_NO_WORKSPACE       /* herald.xml does not declare it */
};

/* Hand an event to every lane that wants it.  The dispatcher holds it
 * itself as long as needed. */
enum dispatcher_answer dispatcher_offer (struct dispatcher *dispatcher,
                                         struct event *event);

/* False: offer no more until something has been settled. */
bool dispatcher_has_room (const struct dispatcher *dispatcher);
bool dispatcher_is_idle (const struct dispatcher *dispatcher);
void dispatcher_flush (struct dispatcher *dispatcher);
void dispatcher_stop (struct dispatcher *dispatcher);

size_t dispatcher_lanes (const struct dispatcher *dispatcher);
struct lane *dispatcher_lane (const struct dispatcher *dispatcher, size_t k);
size_t dispatcher_absents (const struct dispatcher *dispatcher);
const struct dispatcher_absent *
dispatcher_absent (const struct dispatcher *dispatcher, size_t k);

#endif
