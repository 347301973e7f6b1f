/* worker_state.h - what the parts of a worker share; nobody else includes
 * it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_WORKER_STATE_H
#define HERALD_WORKER_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/crypto.h"
#include "base/service.h"
#include "provider/host.h"
#include "serve/feeder.h"
#include "serve/worker.h"
#include "transport/transport.h"

/* An integration of this worker. */
struct post {
  struct feeder *feeder;
  unsigned char digest[CRYPTO_SHA256_LEN];
};

enum worker_phase { WORKER_RUNS, WORKER_STOPS, WORKER_IS_OVER };

struct worker {
  const struct worker_config *config;
  struct configuration *configuration;
  unsigned char host_digest[CRYPTO_SHA256_LEN];
  char *state_directory, *run_directory, *store_directory;
  struct loader *loader;
  struct loop *loop;
  struct guard *guard;
  struct transport *transport;
  struct queue *queue;
  struct host_watch watch;
  struct service_beat *beat;
  struct loop_timer *second, *deadline;
  struct feeding feeding;

  size_t n_posts;
  struct post *posts;
  size_t n_leaving;
  struct feeder **leaving;

  enum worker_phase phase;
  enum worker_end end;
  bool is_settling;             /* all that is left of a stop */
  bool is_last_try;             /* nothing more is waited for */
  uint64_t status_told;
};

/* worker_posts.c: make the posts those of the configuration.  The first
 * time, and again after a reload, with the old one still in place. */
void worker_set_posts (struct worker *worker,
                       struct configuration *configuration,
                       struct problems *problems);
void worker_let_go (struct worker *worker, struct feeder *feeder);

/* worker_reload.c: the configuration is read again. */
void worker_reload (struct worker *worker);

/* worker_open.c: WORKER_ENDED if all is there.  Closed in any case. */
enum worker_end worker_open_all (struct worker *worker);
void worker_close (struct worker *worker);

/* worker.c: what the ledger says of the store. */
void worker_on_trouble (void *data, enum queue_error error,
                        const char *reason);
/* End; phase by phase, from the loop. */
void worker_stop (struct worker *worker, const char *why);

#endif
