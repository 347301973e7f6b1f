/* supervisor.h - herald serve: one intake and some workers, kept running.
 *
 * It reads the configuration for itself without secrets and loads no
 * plugin, so there is little that could bring it down.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SUPERVISOR_H
#define HERALD_SUPERVISOR_H

#include <stdint.h>

#include "config/configuration.h"

struct supervisor_config {
  const char *program;          /* is run for a child, with ... */
  const char *const *arguments; /* ... "herald" and its options, up to NULL;
                                   "intake" or "worker" follow */
  const char *config_directory;
  const char *state_directory;  /* NULL: as herald.xml says */
  uint32_t n_workers;           /* 0: as herald.xml says */
  int final_exit;               /* a child's exit code at the start that
                                   means: never try again */
  int file_exit;                /* ours when a file or socket is missing */
  /* After each reading: log it (problems may be NULL), and as it says. */
  void (*read) (void *data, const struct problems *problems,
                const struct herald_xml *herald);
  void *data;
};

/* Until SIGTERM.  configuration is taken over.  The exit code. */
int supervisor_run (const struct supervisor_config *config,
                    struct configuration *configuration);

#endif
