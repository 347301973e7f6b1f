/* worker.c - delivers what the store holds, through the plugins.
 *
 * SPDX-License-Identifier: MIT
 */

#include "serve/worker.h"

#include <signal.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "serve/deadman.h"
#include "serve/worker_state.h"

enum {
  SECOND_US = 1000 * 1000,
  /* For the last settlements; shorter than the patience of whoever has told
   * it to end. */
  LAST_TRY_US = 2 * SECOND_US
};

/* ------------------------------------------------------------------ */
/* The end. */

static size_t
worker_out (const struct worker *worker)
{
  size_t n = 0;

  for (size_t i = 0; i < worker->n_leaving; i++)
    n += feeder_out (worker->leaving[i]);
  return n;
}

void
worker_stop (struct worker *worker, const char *why)
{
  int64_t stop_ms = worker->config->stop_ms;

  if (worker->phase != WORKER_RUNS)
    return;
  log_notice ("%s", why);
  service_notify ("STOPPING=1");
  worker->phase = WORKER_STOPS;
  if (stop_ms < 0)
    stop_ms = worker->configuration->herald->workers.stop_ms;
  loop_timer_set (worker->deadline,
                  loop_now_us (worker->loop) + stop_ms * 1000);
  for (size_t i = 0; i < worker->n_posts; i++)
    worker_let_go (worker, worker->posts[i].feeder);
  worker->n_posts = 0;
}

/* What is in flight is cut off, and is there for the next. */
static void
worker_drop (struct worker *worker)
{
  size_t n = worker_out (worker);

  if (worker->transport == NULL)
    return;
  if (n > 0)
    log_warning ("%zu deliveries were cut off in flight: they are tried "
                 "again, so some may arrive twice", n);
  worker->feeding.is_dropping = true;
  transport_free (worker->transport);
  worker->transport = NULL;
  loop_timer_set (worker->deadline,
                  loop_now_us (worker->loop) + LAST_TRY_US);
}

static void
worker_on_deadline (void *data)
{
  struct worker *worker = data;

  if (worker->transport != NULL && worker_out (worker) > 0)
    worker_drop (worker);
  else
    worker->is_last_try = true;
}

static void
worker_on_signal (void *data, int number)
{
  struct worker *worker = data;

  if (number == SIGHUP) {
    if (worker->phase == WORKER_RUNS)
      worker_reload (worker);
    return;
  }
  if (worker->phase == WORKER_RUNS)
    worker_stop (worker, "stopping: what is in flight is finished first");
  else
    worker_drop (worker);
}

void
worker_on_trouble (void *data, enum queue_error error, const char *reason)
{
  struct worker *worker = data;

  switch (error) {
  case QUEUE_OK:
    log_notice ("the store works again");
    break;
  case QUEUE_FULL:
  case QUEUE_BUSY:
    log_error ("the store can't keep what became of deliveries; it is tried "
               "again, and little is delivered until then: %s", reason);
    break;
  case QUEUE_BROKEN:
    log_error ("ending: the store can't be trusted: %s", reason);
    worker->phase = WORKER_IS_OVER;
    worker->end = WORKER_FILE;
    break;
  }
}

/* ------------------------------------------------------------------ */
/* Turn by turn. */

static void
worker_on_second (void *data)
{
  struct worker *worker = data;
  uint64_t n_delivered = 0;

  for (size_t i = 0; i < worker->n_posts; i++) {
    struct lane *lane = feeder_lane (worker->posts[i].feeder);

    feeder_look (worker->posts[i].feeder);
    if (lane != NULL)
      n_delivered += lane_stats (lane)->delivered;
  }
  if (n_delivered != worker->status_told)
    service_notify ("STATUS=%zu integrations, %llu delivered",
                    worker->n_posts, (unsigned long long) n_delivered);
  worker->status_told = n_delivered;
  board_beat (worker->feeding.board, date_now_ms ());
  deadman_alive ();
  log_settle (false);
  loop_timer_set (worker->second, loop_now_us (worker->loop) + SECOND_US);
}

static void
worker_tend (struct worker *worker)
{
  bool may_go = ledger_unsettled (worker->feeding.ledger)
                < FEEDING_UNSETTLED;
  size_t n = 0;

  for (size_t i = 0; i < worker->n_posts; i++)
    feeder_tend (worker->posts[i].feeder, may_go);
  for (size_t i = 0; i < worker->n_leaving; i++) {
    feeder_tend (worker->leaving[i], may_go);
    if (feeder_is_gone (worker->leaving[i]))
      feeder_free (worker->leaving[i]);
    else
      worker->leaving[n++] = worker->leaving[i];
  }
  worker->n_leaving = n;
  /* Only settlements are left, and they may never be kept (a full disk). */
  if (worker->phase == WORKER_STOPS && n == 0 && !worker->is_settling) {
    worker->is_settling = true;
    loop_timer_set (worker->deadline,
                    loop_now_us (worker->loop) + LAST_TRY_US);
  }
  if (worker->phase == WORKER_STOPS
      && (worker->is_last_try
          || (n == 0 && ledger_is_idle (worker->feeding.ledger))))
    worker->phase = WORKER_IS_OVER;
}

static void
worker_turn_until_over (struct worker *worker)
{
  static const int signals[] = { SIGHUP, SIGTERM, SIGINT };

  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    loop_on_signal (worker->loop, signals[i], worker_on_signal, worker);
  worker->beat = service_beat_new (worker->loop);
  worker->second = loop_timer_new (worker->loop, worker_on_second, worker);
  worker->deadline = loop_timer_new (worker->loop, worker_on_deadline,
                                     worker);
  loop_timer_set (worker->second, 0);
  service_ready (worker->beat);
  service_notify ("STATUS=%zu integrations", worker->n_posts);
  while (worker->phase != WORKER_IS_OVER) {
    worker_tend (worker);
    if (worker->phase != WORKER_IS_OVER)
      loop_turn (worker->loop, -1);
  }
}

/* ------------------------------------------------------------------ */

enum worker_end
worker_run (const struct worker_config *config)
{
  struct worker *worker = memory_zeroed (1, sizeof *worker);
  enum worker_end end;

  worker->config = config;
  end = worker_open_all (worker);
  if (end == WORKER_ENDED) {
    worker_turn_until_over (worker);
    end = worker->end;
  }
  worker_close (worker);
  free (worker);
  return end;
}
