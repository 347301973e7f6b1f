/* lane-world.c - the network and the clock of a lane, played by its test.
 *
 * SPDX-License-Identifier: MIT
 */

#include "lane-world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "base/memory.h"
#include "mock.h"

struct flight flights[MOST_FLIGHTS];
size_t n_flights;
bool answers_at_once;
void (*on_flight) (const struct job *job);
int64_t clock_us = 1000000000;

bool
exchange_run (struct exchanger *exchanger, struct job *job,
              exchange_done_fn *done, void *data)
{
  (void) exchanger;
  assert_true (n_flights < MOST_FLIGHTS);
  job_build (job);
  if (on_flight != NULL)
    on_flight (job);
  if (answers_at_once) {
    mock_reply (job, 200, "");
    return true;
  }
  flights[n_flights++] = (struct flight) { job, done, data };
  return false;
}

struct flight
flight_take (size_t k)
{
  struct flight flight = flights[k];

  assert_true (k < n_flights);
  memmove (&flights[k], &flights[k + 1],
           (--n_flights - k) * sizeof flights[0]);
  return flight;
}

void
flight_answer_header (size_t k, int status, const char *name,
                      const char *value)
{
  struct flight flight = flight_take (k);

  mock_reply_header (flight.job, status, "", name, value);
  flight.done (flight.data, flight.job);
}

void
flight_answer (size_t k, int status)
{
  flight_answer_header (k, status, "x-nothing", "");
}

void
flight_fail (size_t k, enum failure_class class)
{
  struct flight flight = flight_take (k);
  struct herald_request *request;

  while ((request = job_take (flight.job)) != NULL)
    job_no_answer (flight.job, request, false, class, "no answer");
  flight.done (flight.data, flight.job);
}

/* ------------------------------------------------------------------ */
/* The clock: --wrap sends calls of NAME to __wrap_NAME. */

struct loop_timer {
  struct loop_timer *next;
  loop_timer_fn *fn;
  void *data;
  int64_t at_us;                /* -1: it is not set */
};

static struct loop_timer *timers;

int64_t __wrap_backoff_delay_ms (const int64_t *schedule, size_t n,
                                 uint32_t attempt);
int64_t __wrap_backoff_spread_ms (int64_t ms);
int64_t __wrap_date_now_ms (void);
int64_t __wrap_loop_now_us (const struct loop *loop);
struct loop_timer *__wrap_loop_timer_new (struct loop *loop,
                                          loop_timer_fn *fn, void *data);
void __wrap_loop_timer_free (struct loop_timer *timer);
void __wrap_loop_timer_set (struct loop_timer *timer, int64_t at_us);
void __wrap_loop_timer_stop (struct loop_timer *timer);

/* Nothing by chance. */
int64_t
__wrap_backoff_delay_ms (const int64_t *schedule, size_t n, uint32_t attempt)
{
  return attempt == 0 || attempt > n ? -1 : schedule[attempt - 1];
}

int64_t
__wrap_backoff_spread_ms (int64_t ms)
{
  return ms;
}

int64_t
clock_ms (void)
{
  return 1800000000000 + clock_us / 1000;
}

int64_t
__wrap_date_now_ms (void)
{
  return clock_ms ();
}

int64_t
__wrap_loop_now_us (const struct loop *loop)
{
  (void) loop;
  return clock_us;
}

struct loop_timer *
__wrap_loop_timer_new (struct loop *loop, loop_timer_fn *fn, void *data)
{
  struct loop_timer *timer = memory_zeroed (1, sizeof *timer);

  (void) loop;
  timer->fn = fn;
  timer->data = data;
  timer->at_us = -1;
  timer->next = timers;
  timers = timer;
  return timer;
}

void
__wrap_loop_timer_free (struct loop_timer *timer)
{
  struct loop_timer **link = &timers;

  while (*link != timer)
    link = &(*link)->next;
  *link = timer->next;
  free (timer);
}

void
__wrap_loop_timer_set (struct loop_timer *timer, int64_t at_us)
{
  timer->at_us = at_us;
}

void
__wrap_loop_timer_stop (struct loop_timer *timer)
{
  timer->at_us = -1;
}

void
clock_pass (int64_t us)
{
  int64_t end_us = clock_us + us;
  int n_fired = 0;

  for (;;) {
    struct loop_timer *first = NULL;

    for (struct loop_timer *timer = timers; timer != NULL;
         timer = timer->next)
      if (timer->at_us >= 0 && timer->at_us <= end_us
          && (first == NULL || timer->at_us < first->at_us))
        first = timer;
    if (first == NULL)
      break;
    if (first->at_us > clock_us)
      clock_us = first->at_us;
    first->at_us = -1;
    first->fn (first->data);
    assert_true (++n_fired < 100000);   /* a timer that sets itself */
  }
  clock_us = end_us;
}
