/* exchange.h - carry a job to its end over the transport.
 *
 * One continuation a request: what a job's plugin wants sent is sent, the
 * answers are put in, until the job is done.  Tokens are fetched here,
 * once however many jobs wait.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_EXCHANGE_H
#define HERALD_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "provider/job.h"
#include "transport/transport.h"

struct exchanger;
struct exchange;

/* The job is done (job_is_done); it stays the caller's. */
typedef void exchange_done_fn (void *data, struct job *job);

struct exchanger *exchanger_new (struct transport *transport);
/* Nothing may be on its way any more (transport_free first). */
void exchanger_free (struct exchanger *exchanger);

/* True: the job is done already, nothing had to be sent, and done will
 * not be called.  Else done is called once, mostly from within loop_turn,
 * but before this returns if a token could not even be asked for. */
bool exchange_run (struct exchanger *exchanger, struct job *job,
                   exchange_done_fn *done, void *data);

#endif
