/* lane.c - one integration's line of deliveries, with its own limits.
 *
 *   admit -> (order key free?) -> shelf -> run -> settle
 *                  ^                ^       |
 *                  |                +-- retries, groups of a split
 *                  +-- the next of a key, when the one before has ended
 *
 * Here is what comes; lane_pump.c lets it go, lane_run.c carries it to its
 * end, lane_settle.c and lane_order.c let it leave.  lane_weigh.c learns of
 * the service from each run, lane_mode.c knows whether the lane may work.
 *
 * SPDX-License-Identifier: MIT
 */

#include "lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "lane_state.h"

enum {
  LANE_MIN_HELD = 1024,         /* deliveries a lane holds before it is full */
  LANE_MAX_HELD = 16384
};

/* A century: longer is as good as without end, and can be reckoned with. */
static const int64_t lane_max_patience_ms = 100LL * 366 * 24 * 3600 * 1000;

void
lane_tell (struct lane *lane)
{
  if (lane->changed != NULL)
    lane->changed (lane->data, lane);
}

static void
lane_on_timer (void *data)
{
  struct lane *lane = data;

  lane_review (lane);
  lane_pump (lane);
  lane_tell (lane);
}

/* A few wait behind those on their way; with an order key many may not go
 * yet. */
static size_t
lane_most_held (const struct integration *integration)
{
  size_t most = (size_t) integration->in_flight * integration->batch_max;

  most += integration->order_key != NULL ? most : most / 8;
  return most < LANE_MIN_HELD   ? LANE_MIN_HELD
         : most > LANE_MAX_HELD ? LANE_MAX_HELD
                                : most;
}

struct lane *
lane_new (const struct lane_config *config)
{
  struct integration *integration = config->integration;
  struct lane *lane = memory_zeroed (1, sizeof *lane);
  int64_t patience_ms = config->patience_ms;

  lane->integration = integration;
  lane->exchanger = config->exchanger;
  lane->loop = config->loop;
  lane->timer = loop_timer_new (lane->loop, lane_on_timer, lane);
  if (patience_ms > lane_max_patience_ms)
    patience_ms = lane_max_patience_ms;
  lane->patience_us = patience_ms < 0 ? -1 : patience_ms * 1000;
  lane->has_store = config->has_store;
  lane->settled = config->settled;
  lane->changed = config->changed;
  lane->data = config->data;
  limiter_set (&lane->limiter, integration->rate_limit,
               integration->rate_ms, loop_now_us (lane->loop));
  cut_init (&lane->cut, integration->in_flight);
  if (integration->order_key != NULL)
    lane->keyring = keyring_new ();
  lane->shelf = shelf_new (integration->batch_max,
                           integration->batch_wait_ms * 1000);
  lane->scratch = arena_new (0);
  lane->max_held = lane_most_held (integration);
  return lane;
}

void
lane_free (struct lane *lane)
{
  if (lane == NULL)
    return;
  lane_free_runs (lane);
  loop_timer_free (lane->timer);
  keyring_free (lane->keyring);
  shelf_free (lane->shelf);
  retries_done (&lane->retries);
  arena_free (lane->scratch);
  stats_done (&lane->stats);
  free (lane->state_reason);
  free (lane->blocked);
  free (lane->broken);
  free (lane);
}

/* Mails: who must not share a job, and who may. */
static void
lane_read_mail (struct lane *lane, struct delivery *delivery)
{
  const char *source = lane->integration->descriptor->mail->to_source;
  unsigned char hash[CRYPTO_SHA256_LEN];
  struct buf to;

  buf_init (&to, 0);
  event_add_field_text (delivery->event, source, strlen (source), &to);
  if (to.len > 0) {
    text_fold (to.data);
    crypto_sha256 (to.data, to.len, hash);
    memcpy (&delivery->to_hash, hash, sizeof delivery->to_hash);
  }
  buf_done (&to);
  arena_reset (lane->scratch);
  delivery->alike = job_alike (lane->integration, delivery->event,
                               lane->scratch);
}

/* Nobody waits here who could go: one more, for the probe. */
static bool
lane_wants_probe (const struct lane *lane)
{
  return lane->state == LANE_TRYING && !lane->has_probe
         && lane->n_held == lane->n_flying;
}

void
lane_admit (struct lane *lane, struct delivery *delivery)
{
  bool is_welcome = lane->state == LANE_OPEN || lane_wants_probe (lane);

  delivery->lane = lane;
  delivery->next = NULL;
  delivery->order_hash = 0;
  delivery->waited_ms = 0;
  if (!lane->has_store)
    delivery->seq = ++lane->n_admitted;
  lane->n_held++;
  if (lane->keyring != NULL)
    lane_read_order_key (lane, delivery);
  if (!is_welcome) {
    lane_send_back (lane, delivery, lane->state_reason);
    return;
  }
  if (lane->integration->is_mailer && lane->integration->batch_max > 1)
    lane_read_mail (lane, delivery);
  if (delivery->order_hash != 0 && !lane_takes_key (lane, delivery))
    return;
  if (delivery->n_faults > 0)   /* alone, so it waits for no company */
    shelf_put_back (lane->shelf, delivery);
  else
    shelf_put (lane->shelf, delivery, loop_now_us (lane->loop));
  lane_pump (lane);
}

size_t
lane_room (const struct lane *lane)
{
  if (lane->gate_us > loop_now_us (lane->loop))
    return 0;
  if (lane->state == LANE_OPEN)
    return lane->n_held < lane->max_held ? lane->max_held - lane->n_held : 0;
  return lane_wants_probe (lane) ? 1 : 0;
}

bool
lane_has_room (const struct lane *lane)
{
  return lane->state != LANE_OPEN || lane->n_held < lane->max_held;
}

bool
lane_is_idle (const struct lane *lane)
{
  return lane->n_held == 0;
}

void
lane_flush (struct lane *lane)
{
  shelf_flush (lane->shelf);
  lane_pump (lane);
}

void
lane_expect (struct lane *lane, uint64_t seq, uint64_t order_hash,
             int64_t due_ms)
{
  if (lane->keyring != NULL)
    keyring_expect (lane->keyring, seq, order_hash, due_ms);
}

const struct integration *
lane_integration (const struct lane *lane)
{
  return lane->integration;
}

enum lane_state
lane_state (const struct lane *lane)
{
  return lane->state;
}

const char *
lane_state_reason (const struct lane *lane)
{
  return lane->state_reason != NULL ? lane->state_reason : "";
}

int64_t
lane_until_us (const struct lane *lane)
{
  if (lane->state == LANE_BROKEN)
    return lane->breaker.until_us;
  return lane->gate_us > loop_now_us (lane->loop) ? lane->gate_us : 0;
}

size_t
lane_in_flight (const struct lane *lane)
{
  return lane->n_runs;
}

double
lane_in_flight_cap (const struct lane *lane)
{
  return lane->cut.cap;
}

size_t
lane_held (const struct lane *lane)
{
  return lane->n_held;
}

size_t
lane_retrying (const struct lane *lane)
{
  return lane->retries.n;
}

struct stats *
lane_stats (struct lane *lane)
{
  return &lane->stats;
}
