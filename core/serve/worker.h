/* worker.h - delivers what the store holds, through the plugins.
 *
 * A worker has the lanes that are dealt to it: those of a group (an
 * integration and all it may fall back to) always go together.  It ends
 * when it is told to, when the host's part of the configuration has
 * changed (whoever looks after it starts it again), and when the store
 * can't be trusted.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_WORKER_H
#define HERALD_WORKER_H

#include <stdint.h>

#include "config/herald_xml.h"

struct worker_config {
  const char *config_directory, *plugin_directory;
  const char *state_directory;  /* NULL: as herald.xml says, or built in */
  uint32_t index, of;           /* which of how many */
  int64_t stop_ms;              /* -1: as herald.xml says */
  /* herald.xml was read (again). */
  void (*read) (void *data, const struct herald_xml *herald);
  void *data;
};

enum worker_end {
  WORKER_ENDED,                 /* by itself, everything handed back */
  WORKER_CONFIG,                /* the configuration can't be used */
  WORKER_FILE                   /* a file or the store can't be used */
};

/* Runs until it ends; what went wrong is logged. */
enum worker_end worker_run (const struct worker_config *config);

#endif
