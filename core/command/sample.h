/* sample.h - an event made up for tests: every source field has a value.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SAMPLE_H
#define HERALD_SAMPLE_H

#include "event/catalogue.h"
#include "event/event.h"

/* workspace: of the event; email: its address, or NULL for one that is
 * reserved for examples.  The id is a random one. */
struct event *sample_event (const struct catalogue *catalogue,
                            const char *workspace, const char *email);

#endif
