/* dispatcher.c - events to lanes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "dispatcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { DISPATCHER_MAX_HELD = 8 << 20 }; /* bytes of events in memory */

/* All deliveries of one event, in one block. */
struct consignment {
  struct dispatcher *dispatcher;
  struct event *event;
  size_t n_open;                /* deliveries that have not ended */
  char *unsent;                 /* names of integrations, or NULL */
  struct delivery deliveries[];
};

struct dispatcher {
  struct dispatcher_config config;
  size_t n_lanes;
  struct lane **lanes;
  struct lane **wanted;         /* room for the lanes of one event */
  size_t n_absents;
  struct dispatcher_absent *absents;
  size_t n_open;                /* consignments */
  size_t held;                  /* bytes of their events */
};

struct dispatcher *
dispatcher_new (const struct dispatcher_config *config)
{
  struct dispatcher *dispatcher = memory_zeroed (1, sizeof *dispatcher);

  dispatcher->config = *config;
  return dispatcher;
}

void
dispatcher_free (struct dispatcher *dispatcher)
{
  if (dispatcher == NULL)
    return;
  for (size_t i = 0; i < dispatcher->n_lanes; i++)
    lane_free (dispatcher->lanes[i]);
  for (size_t i = 0; i < dispatcher->n_absents; i++)
    free (dispatcher->absents[i].reason);
  free (dispatcher->absents);
  free (dispatcher->lanes);
  free (dispatcher->wanted);
  free (dispatcher);
}

static void
consignment_add_unsent (struct consignment *consignment, const char *name)
{
  char *was = consignment->unsent;
  size_t len = was != NULL ? strlen (was) : 0, n = strlen (name);
  char *names = memory_resize (was, len + n + 2, 1);

  if (len > 0)
    names[len++] = ' ';
  memcpy (names + len, name, n + 1);
  consignment->unsent = names;
}

static void
consignment_close (struct consignment *consignment)
{
  struct dispatcher *dispatcher = consignment->dispatcher;

  if (consignment->unsent != NULL)
    dispatcher->config.unsent (dispatcher->config.data, consignment->event,
                               consignment->unsent);
  dispatcher->n_open--;
  dispatcher->held -= event_memory (consignment->event);
  event_release (consignment->event);
  free (consignment->unsent);
  free (consignment);
}

static void
dispatcher_settled (void *data, struct delivery *delivery,
                    const struct delivery_result *result)
{
  struct consignment *consignment = delivery->consignment;

  (void) data;
  if (result->end != DELIVERY_DELIVERED)
    consignment_add_unsent (consignment,
                            lane_integration (delivery->lane)->name);
  if (--consignment->n_open == 0)
    consignment_close (consignment);
}

struct lane *
dispatcher_add_lane (struct dispatcher *dispatcher,
                     struct integration *integration)
{
  struct dispatcher_config *config = &dispatcher->config;
  size_t n = dispatcher->n_lanes + 1;
  struct lane_config with = {
    .integration = integration,
    .exchanger = config->exchanger,
    .loop = config->loop,
    .patience_ms = config->patience_ms,
    .settled = dispatcher_settled,
    .data = dispatcher,
  };
  struct lane *lane = lane_new (&with);

  dispatcher->lanes = memory_resize (dispatcher->lanes, n, sizeof lane);
  dispatcher->wanted = memory_resize (dispatcher->wanted, n, sizeof lane);
  dispatcher->lanes[dispatcher->n_lanes++] = lane;
  return lane;
}

/* Is name one of the words in list?  An empty list names all. */
static bool
dispatcher_is_addressed (const char *list, const char *name)
{
  size_t len = strlen (name);

  if (*list == '\0')
    return true;
  while (*list != '\0') {
    size_t n = strcspn (list, " ");

    if (n == len && memcmp (list, name, n) == 0)
      return true;
    list += n;
    list += strspn (list, " ");
  }
  return false;
}

bool
dispatcher_wants (const struct descriptor *descriptor,
                  const struct event *event)
{
  return descriptor_serves (descriptor, event_workspace (event))
         && dispatcher_is_addressed (event_only_for (event),
                                     descriptor->name)
         && descriptor_unmet (descriptor, event) == NULL;
}

void
dispatcher_add_absent (struct dispatcher *dispatcher,
                       const struct descriptor *descriptor,
                       const char *reason)
{
  size_t n = dispatcher->n_absents;

  dispatcher->absents = memory_resize (dispatcher->absents, n + 1,
                                       sizeof dispatcher->absents[0]);
  dispatcher->absents[n] = (struct dispatcher_absent) {
    .descriptor = descriptor, .reason = memory_strdup (reason),
  };
  dispatcher->n_absents++;
}

static void
dispatcher_count_absents (struct consignment *consignment)
{
  struct dispatcher *dispatcher = consignment->dispatcher;

  for (size_t i = 0; i < dispatcher->n_absents; i++) {
    struct dispatcher_absent *absent = &dispatcher->absents[i];

    if (!dispatcher_wants (absent->descriptor, consignment->event))
      continue;
    absent->n++;
    consignment_add_unsent (consignment, absent->descriptor->name);
  }
}

static void
dispatcher_consign (struct dispatcher *dispatcher, struct event *event,
                    size_t n)
{
  struct consignment *consignment
    = memory_zeroed (1, sizeof *consignment
                          + n * sizeof consignment->deliveries[0]);

  consignment->dispatcher = dispatcher;
  consignment->event = event_hold (event);
  /* One more than there are, so that it is not closed while lanes are
   * still being given theirs. */
  consignment->n_open = n + 1;
  dispatcher->n_open++;
  dispatcher->held += event_memory (event);
  dispatcher_count_absents (consignment);
  for (size_t i = 0; i < n; i++) {
    struct delivery *delivery = &consignment->deliveries[i];

    delivery->consignment = consignment;
    delivery->event = event;
    delivery_make_id (delivery,
                      lane_integration (dispatcher->wanted[i])->name);
    lane_admit (dispatcher->wanted[i], delivery);
  }
  if (--consignment->n_open == 0)
    consignment_close (consignment);
}

enum dispatcher_answer
dispatcher_offer (struct dispatcher *dispatcher, struct event *event)
{
  bool is_wanted = false;
  size_t n = 0;

  if (!herald_xml_has_workspace (dispatcher->config.configuration->herald,
                                 event_workspace (event)))
    return DISPATCHER_NO_WORKSPACE;
  for (size_t i = 0; i < dispatcher->n_lanes; i++)
    if (dispatcher_wants (lane_integration (dispatcher->lanes[i])->descriptor,
                          event))
      dispatcher->wanted[n++] = dispatcher->lanes[i];
  for (size_t i = 0; i < dispatcher->n_absents; i++)
    is_wanted |= dispatcher_wants (dispatcher->absents[i].descriptor, event);
  if (n == 0 && !is_wanted)
    return DISPATCHER_NO_MATCH;
  dispatcher_consign (dispatcher, event, n);
  return DISPATCHER_TAKEN;
}

bool
dispatcher_has_room (const struct dispatcher *dispatcher)
{
  if (dispatcher->held >= DISPATCHER_MAX_HELD)
    return false;
  for (size_t i = 0; i < dispatcher->n_lanes; i++)
    if (!lane_has_room (dispatcher->lanes[i]))
      return false;
  return true;
}

bool
dispatcher_is_idle (const struct dispatcher *dispatcher)
{
  return dispatcher->n_open == 0;
}

void
dispatcher_flush (struct dispatcher *dispatcher)
{
  for (size_t i = 0; i < dispatcher->n_lanes; i++)
    lane_flush (dispatcher->lanes[i]);
}

void
dispatcher_stop (struct dispatcher *dispatcher)
{
  for (size_t i = 0; i < dispatcher->n_lanes; i++)
    lane_stop (dispatcher->lanes[i]);
}

size_t
dispatcher_lanes (const struct dispatcher *dispatcher)
{
  return dispatcher->n_lanes;
}

struct lane *
dispatcher_lane (const struct dispatcher *dispatcher, size_t k)
{
  return dispatcher->lanes[k];
}

size_t
dispatcher_absents (const struct dispatcher *dispatcher)
{
  return dispatcher->n_absents;
}

const struct dispatcher_absent *
dispatcher_absent (const struct dispatcher *dispatcher, size_t k)
{
  return &dispatcher->absents[k];
}
