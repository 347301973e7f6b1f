/* store.h - what commands that look after the store start with.
 *
 * The configuration is read without any plugin or secret; the store is
 * opened beside the processes that use it, and never made.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_STORE_H
#define HERALD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "command.h"
#include "config/configuration.h"
#include "queue/queue.h"

struct store_lane {
  uint32_t lane;
  struct queue_lane_state state;
};

struct store {
  struct problems *problems;
  struct configuration *configuration;
  char *state_directory;
  char *directory;              /* of the store */
  char *run_directory;          /* of the boards */
  struct queue *queue;          /* NULL: there is no store yet */
  size_t n_lanes;               /* after store_look () */
  struct store_lane *lanes;
};

/* NULL after saying on standard error why not, with the exit code: the
 * configuration can't be used, the store can't be opened. */
struct store *store_open (const struct command_globals *globals,
                          int *ret_status);
void store_close (struct store *store);         /* NULL is fine */
/* The same without a word: NULL if that can't be done, or is not there. */
struct store *store_peek (struct configuration *configuration,
                          const char *state_directory);

/* Say where there is no store yet, on standard error. */
void store_say_none (const struct store *store);
/* Log why the queue failed; the exit code. */
int store_failed (const struct store *store);

/* Read the state of every lane (again); none without a store.  One that was
 * made meanwhile is opened. */
void store_look (struct store *store);
/* After store_look (). */
const struct store_lane *store_lane (const struct store *store,
                                     const char *name);
/* The name of a lane, or "?". */
const char *store_lane_name (const struct store *store, uint32_t lane);
/* The descriptor of that name, or NULL. */
const struct descriptor *store_descriptor (const struct store *store,
                                           const char *name);
/* Say that there is no such integration and lane, and what was meant. */
void store_say_unknown (const struct store *store, const char *name);

#endif
