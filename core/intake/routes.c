/* routes.c - which lanes an event goes to, by one configuration.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/routes.h"

#include <stdlib.h>

#include "base/memory.h"
#include "delivery/dispatcher.h"

struct routes {
  unsigned n_holders;
  struct configuration *configuration;
  size_t n;
  struct route {
    const struct descriptor *descriptor;
    uint32_t lane;              /* 0: not known yet; the committer's */
  } all[];
};

struct routes *
routes_new (struct configuration *configuration)
{
  size_t n = configuration->n_descriptors;
  struct routes *routes
    = memory_zeroed (1, sizeof *routes + n * sizeof routes->all[0]);

  routes->n_holders = 1;
  routes->configuration = configuration_hold (configuration);
  for (size_t i = 0; i < n; i++) {
    const struct descriptor *descriptor = configuration->descriptors[i];

    if (descriptor->is_enabled && !descriptor->has_errors)
      routes->all[routes->n++].descriptor = descriptor;
  }
  return routes;
}

struct routes *
routes_hold (struct routes *routes)
{
  routes->n_holders++;
  return routes;
}

void
routes_release (struct routes *routes)
{
  if (routes == NULL || --routes->n_holders > 0)
    return;
  configuration_free (routes->configuration);
  free (routes);
}

const struct configuration *
routes_configuration (const struct routes *routes)
{
  return routes->configuration;
}

size_t
routes_count (const struct routes *routes)
{
  return routes->n;
}

size_t
routes_find (const struct routes *routes, const struct event *event,
             uint32_t *ret_wanted)
{
  size_t n = 0;

  for (size_t i = 0; i < routes->n; i++)
    if (dispatcher_wants (routes->all[i].descriptor, event))
      ret_wanted[n++] = (uint32_t) i;
  return n;
}

int
routes_lanes (struct routes *routes, struct queue *queue, uint32_t *wanted,
              size_t n)
{
  for (size_t i = 0; i < n; i++) {
    struct route *route = &routes->all[wanted[i]];

    if (route->lane == 0)
      route->lane = queue_lane (queue, route->descriptor->name);
    if (route->lane == 0)
      return -1;
    wanted[i] = route->lane;
  }
  return 0;
}
