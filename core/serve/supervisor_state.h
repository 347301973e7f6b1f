/* supervisor_state.h - the supervisor from inside; its own files' only.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SUPERVISOR_STATE_H
#define HERALD_SUPERVISOR_STATE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/service.h"
#include "serve/child.h"
#include "serve/renewal.h"
#include "serve/supervisor.h"

enum supervisor_phase {
  SUPERVISOR_RUNS,
  SUPERVISOR_STOPS_INTAKE,
  SUPERVISOR_STOPS_WORKERS,
  SUPERVISOR_IS_DONE
};

struct supervisor {
  const struct supervisor_config *config;
  struct configuration *configuration;
  const char *state_directory;
  enum supervisor_phase phase;
  int exit_code;
  bool was_ready;               /* all children at once, at one time */
  bool is_replacing;            /* workers end, to be another number */
  bool is_reloading, is_reload_due;
  bool is_interrupted;          /* SIGINT came before */
  struct loop *loop;
  struct pidfile *pidfile;
  struct service_inbox *inbox;
  struct listeners *listeners;
  struct renewal *renewal;
  struct service_beat *beat;
  struct loop_timer *listen_timer;      /* until the sockets are free */
  int64_t listen_until_us;
  struct loop_timer *reload_timer;      /* reloading takes no longer */
  const char *notify_path;      /* absolute */
  struct child *intake;
  struct child **workers;
  uint32_t n_workers;
  struct arena *arena;          /* arguments of the children */
};

uint32_t supervisor_wants_workers (const struct supervisor *supervisor);
int64_t supervisor_stop_ms (const struct supervisor *supervisor);
/* Up, all that are to be. */
bool supervisor_is_settled (const struct supervisor *supervisor);
/* Make as many workers as are wanted, and start them; there is none. */
void supervisor_start_workers (struct supervisor *supervisor);
void supervisor_free_workers (struct supervisor *supervisor);
/* Tell the service manager how we are. */
void supervisor_tell (struct supervisor *supervisor, const char *first);

/* The last good copies of what is broken in it are taken, and those of
 * what is good are made. */
void supervisor_keep_copies (struct supervisor *supervisor,
                             struct configuration *configuration);
/* Read the configuration again, now or when that is over. */
void supervisor_reload (struct supervisor *supervisor);
/* A child has changed: perhaps the reload is over. */
void supervisor_reload_goes_on (struct supervisor *supervisor);

#endif
