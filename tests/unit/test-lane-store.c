/* test-lane-store.c - a lane that has a store to give back to.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "delivery/lane.h"
#include "lane-world.h"
#include "mock.h"
#include "provider/job_state.h"

enum { MOST = 100 };

struct fixture {
  struct mock mock;
  struct loop *loop;
  struct lane *lane;
  struct delivery deliveries[MOST];
  struct delivery_result results[MOST];
  char reasons[MOST][100];
  unsigned ended[5];            /* by enum delivery_end */
  unsigned n_changed;
  size_t n;
};

static int
post_all (void *instance, struct herald_job *job)
{
  struct herald_request *request
    = herald->request (job, "POST", "https://api.example.org/", NULL);

  (void) instance;
  herald->append (request, "{}");
  return 0;
}

static int
forget (void *instance, struct herald_job *job)
{
  (void) instance;
  (void) job;
  return 0;
}

static void
settled (void *data, struct delivery *delivery,
         const struct delivery_result *result)
{
  struct fixture *f = data;
  size_t i = (size_t) (delivery - f->deliveries);

  f->ended[result->end]++;
  f->results[i] = *result;
  snprintf (f->reasons[i], sizeof f->reasons[i], "%s", result->reason);
  event_release (delivery->event);
  delivery->event = NULL;
}

static void
changed (void *data, struct lane *lane)
{
  struct fixture *f = data;

  assert_ptr_equal (lane, f->lane);
  f->n_changed++;
}

static struct fixture *
start (unsigned in_flight, unsigned batch)
{
  static const int64_t schedule[] = { 1000, 1000, 600000 };
  struct fixture *f = memory_zeroed (1, sizeof *f);
  struct lane_config config = {
    .integration = &f->mock.integration,
    .patience_ms = -1,
    .has_store = true,
    .settled = settled,
    .changed = changed,
    .data = f,
  };

  n_flights = 0;
  mock_open (&f->mock, HERALD_WEBHOOK, 0);
  f->mock.provider.plugin.build = post_all;
  f->mock.integration.in_flight = in_flight;
  f->mock.integration.batch_max = batch;
  f->mock.integration.batch_wait_ms = 20;
  f->mock.integration.retry_ms = schedule;
  f->mock.integration.n_retries = 3;
  config.loop = f->loop = loop_new ();
  f->lane = lane_new (&config);
  return f;
}

static void
stop (struct fixture *f)
{
  assert_true (lane_is_idle (f->lane));
  assert_int_equal (lane_held (f->lane), 0);
  assert_int_equal (lane_in_flight (f->lane), 0);
  lane_free (f->lane);
  loop_free (f->loop);
  mock_close (&f->mock);
  free (f);
}

/* deliveries[i] has the number i + 1. */
static void
admit (struct fixture *f, size_t i)
{
  struct delivery *delivery = &f->deliveries[i];
  uint32_t attempts = delivery->attempts, n_faults = delivery->n_faults;

  *delivery = (struct delivery) {
    .seq = i + 1, .queue_lane = 7, .attempts = attempts,
    .n_faults = n_faults,
  };
  delivery->event = mock_event (&f->mock, "{\"email\":\"a@example.org\"}");
  snprintf (delivery->id, sizeof delivery->id, "id-%zu", i);
  lane_admit (f->lane, delivery);
}

static void
admit_many (struct fixture *f, size_t n)
{
  while (n-- > 0)
    admit (f, f->n++);
}

/* What comes may be answered with this, one by one. */
static void
answer_all (int status)
{
  while (n_flights > 0)
    flight_answer (0, status);
}

static void
assert_end (struct fixture *f, size_t i, enum delivery_end end,
            enum failure_class class, const char *reason)
{
  assert_int_equal (f->results[i].end, end);
  assert_int_equal (f->results[i].class, class);
  if (strstr (f->reasons[i], reason) == NULL)
    fail_msg ("\"%s\" is not in \"%s\"", reason, f->reasons[i]);
}

/* Failures enough to open the breaker. */
static void
break_it (struct fixture *f)
{
  for (int i = 0; i < 5; i++) {
    assert_int_equal (lane_state (f->lane), LANE_OPEN);
    admit_many (f, 1);
    flight_fail (n_flights - 1, FAILURE_CONNECT);
  }
  assert_int_equal (lane_state (f->lane), LANE_BROKEN);
}

static void
test_later (void **state)
{
  struct fixture *f = start (3, 1);

  (void) state;
  admit_many (f, 1);
  clock_pass (5000);
  flight_answer (0, 500);
  assert_end (f, 0, DELIVERY_LATER, FAILURE_SERVER, "HTTP 500");
  assert_int_equal (f->results[0].status, 500);
  assert_int_equal (f->results[0].due_ms, clock_ms () + 1000);
  assert_int_equal (f->results[0].latency_us, 5000);
  assert_int_equal (f->deliveries[0].attempts, 1);
  assert_true (lane_is_idle (f->lane));
  admit (f, 0);
  flight_fail (0, FAILURE_TIMEOUT);
  assert_end (f, 0, DELIVERY_LATER, FAILURE_TIMEOUT, "no answer");
  f->deliveries[0].attempts = 3;
  admit (f, 0);
  flight_answer (0, 503);
  assert_end (f, 0, DELIVERY_UNDELIVERED, FAILURE_SERVER,
              "every attempt failed: HTTP 503");
  assert_true (f->n_changed >= 3);
  stop (f);
}

/* A flight recorder tells by it what was in a plugin's hands. */
static void
test_tags (void **state)
{
  struct fixture *f = start (1, 2);
  uint32_t lane;

  (void) state;
  admit_many (f, 2);
  assert_int_equal (n_flights, 1);
  assert_int_equal (job_tag (flights[0].job, 0, &lane), 1);
  assert_int_equal (lane, 7);
  assert_int_equal (job_tag (flights[0].job, 1, &lane), 2);
  assert_int_equal (lane, 7);
  answer_all (200);
  stop (f);
}

static void
test_room (void **state)
{
  struct fixture *f = start (2, 1);
  size_t room = lane_room (f->lane);

  (void) state;
  assert_true (room >= 1024);
  admit_many (f, 5);
  assert_int_equal (lane_room (f->lane), room - 5);
  answer_all (200);
  assert_int_equal (lane_room (f->lane), room);
  stop (f);
}

static void
test_blocked_and_resumed (void **state)
{
  struct fixture *f = start (2, 1);

  (void) state;
  admit_many (f, 5);
  flight_answer (0, 401);
  assert_int_equal (lane_state (f->lane), LANE_BLOCKED);
  assert_int_equal (f->ended[DELIVERY_BACK], 4);
  assert_end (f, 0, DELIVERY_BACK, FAILURE_CREDENTIALS, "HTTP 401");
  assert_int_equal (f->deliveries[0].attempts, 0);
  assert_int_equal (f->results[4].latency_us, -1);
  assert_int_equal (lane_room (f->lane), 0);
  flight_answer (0, 503);       /* was on its way already */
  assert_end (f, 1, DELIVERY_LATER, FAILURE_SERVER, "HTTP 503");
  admit_many (f, 1);
  assert_end (f, 5, DELIVERY_BACK, FAILURE_NONE, "blocked: HTTP 401");
  lane_resume (f->lane);
  assert_int_equal (lane_state (f->lane), LANE_OPEN);
  assert_string_equal (lane_state_reason (f->lane), "");
  admit (f, 0);
  answer_all (200);
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 1);
  lane_park (f->lane, "its test e-mail was not accepted");
  assert_int_equal (lane_state (f->lane), LANE_BLOCKED);
  assert_non_null (strstr (lane_state_reason (f->lane), "test e-mail"));
  stop (f);
}

/* Whatever happens to a lane that is held, it stays so. */
static void
test_held (void **state)
{
  struct fixture *f = start (1, 1);

  (void) state;
  admit_many (f, 3);
  lane_hold (f->lane, true);
  assert_int_equal (lane_state (f->lane), LANE_HELD);
  assert_int_equal (f->ended[DELIVERY_BACK], 2);
  flight_answer (0, 401);
  assert_int_equal (f->ended[DELIVERY_BACK], 3);
  assert_int_equal (lane_state (f->lane), LANE_HELD);
  lane_hold (f->lane, false);
  assert_int_equal (lane_state (f->lane), LANE_BLOCKED);
  lane_hold (f->lane, true);
  lane_resume (f->lane);
  assert_int_equal (lane_state (f->lane), LANE_HELD);
  assert_int_equal (lane_room (f->lane), 0);
  lane_hold (f->lane, false);
  assert_int_equal (lane_state (f->lane), LANE_OPEN);
  lane_stop (f->lane);
  lane_hold (f->lane, false);
  lane_resume (f->lane);
  assert_int_equal (lane_state (f->lane), LANE_STOPPED);
  stop (f);
}

/* While the store is behind nothing goes, and all stays where it is. */
static void
test_suspended (void **state)
{
  struct fixture *f = start (2, 1);

  (void) state;
  admit_many (f, 5);
  lane_suspend (f->lane, true);
  flight_answer (0, 200);
  flight_answer (0, 200);
  assert_int_equal (n_flights, 0);
  assert_int_equal (lane_held (f->lane), 3);
  assert_int_equal (lane_state (f->lane), LANE_OPEN);
  lane_suspend (f->lane, false);
  assert_int_equal (n_flights, 2);
  answer_all (200);
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 5);
  stop (f);
}

static void
test_stop (void **state)
{
  struct fixture *f = start (2, 1);

  (void) state;
  admit_many (f, 5);
  lane_stop (f->lane);
  assert_int_equal (f->ended[DELIVERY_BACK], 3);
  flight_answer (0, 200);
  flight_answer (0, 503);
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 1);
  assert_int_equal (f->ended[DELIVERY_LATER], 1);
  stop (f);
}

static void
test_breaker (void **state)
{
  struct fixture *f = start (8, 1);
  unsigned changes;

  (void) state;
  admit_many (f, 7);            /* in flight all the while */
  break_it (f);
  assert_non_null (strstr (lane_state_reason (f->lane), "no answer"));
  assert_int_equal (lane_room (f->lane), 0);
  assert_true (lane_until_us (f->lane) == clock_us + 5000000);
  flight_answer (0, 200);       /* began before: says nothing */
  assert_int_equal (lane_state (f->lane), LANE_BROKEN);
  changes = f->n_changed;
  clock_pass (5000000);
  assert_int_equal (lane_state (f->lane), LANE_TRYING);
  assert_true (f->n_changed > changes);
  assert_int_equal (lane_room (f->lane), 1);
  f->ended[DELIVERY_BACK] = 0;
  admit_many (f, 2);            /* one goes, one goes back */
  assert_int_equal (n_flights, 7);
  assert_int_equal (f->ended[DELIVERY_BACK], 1);
  assert_int_equal (lane_room (f->lane), 0);
  flight_answer (0, 500);       /* one of the first again */
  assert_int_equal (lane_state (f->lane), LANE_TRYING);
  flight_answer (5, 500);       /* the probe */
  assert_int_equal (lane_state (f->lane), LANE_BROKEN);
  assert_true (lane_until_us (f->lane) == clock_us + 10000000);
  clock_pass (10000000);
  admit_many (f, 1);
  flight_answer (n_flights - 1, 204);
  assert_int_equal (lane_state (f->lane), LANE_OPEN);
  assert_true (lane_room (f->lane) > 1000);
  answer_all (200);
  stop (f);
}

/* A probe is one delivery, does not wait for company, and what is not the
 * service's fault proves nothing. */
static void
test_probe (void **state)
{
  struct fixture *f = start (4, 10);

  (void) state;
  for (int i = 0; i < 5; i++) {
    admit_many (f, 1);
    clock_pass (20000);
    flight_answer (0, 502);
  }
  assert_int_equal (lane_state (f->lane), LANE_BROKEN);
  clock_pass (5000000);
  f->mock.provider.plugin.build = forget;
  admit_many (f, 1);
  assert_int_equal (n_flights, 1);
  assert_int_equal (job_count (flights[0].job), 1);
  /* A fault of the plugin's: again at once, then it is given up. */
  for (int i = 0; i < 2; i++) {
    struct flight flight = flight_take (0);

    flight.done (flight.data, flight.job);
    assert_int_equal (lane_state (f->lane), LANE_TRYING);
  }
  assert_end (f, 5, DELIVERY_UNDELIVERED, FAILURE_PLUGIN,
              "the plugin failed");
  assert_int_equal (lane_room (f->lane), 1);
  f->mock.provider.plugin.build = post_all;
  admit_many (f, 1);
  flight_answer (0, 422);       /* an answer all the same */
  assert_int_equal (f->ended[DELIVERY_REJECTED], 1);
  assert_int_equal (lane_state (f->lane), LANE_OPEN);
  stop (f);
}

static void
test_resume_mends_the_breaker (void **state)
{
  struct fixture *f = start (8, 1);

  (void) state;
  break_it (f);
  lane_resume (f->lane);
  assert_int_equal (lane_state (f->lane), LANE_OPEN);
  break_it (f);                 /* five again, not one */
  stop (f);
}

static void
test_cut (void **state)
{
  struct fixture *f = start (8, 1);

  (void) state;
  admit_many (f, 20);
  assert_int_equal (n_flights, 8);
  clock_pass (1000);
  flight_answer (0, 429);
  assert_true (lane_in_flight_cap (f->lane) == 4);
  flight_answer (0, 429);       /* went before the cut */
  assert_true (lane_in_flight_cap (f->lane) == 4);
  assert_int_equal (n_flights, 6);
  assert_int_equal (lane_state (f->lane), LANE_OPEN);
  flight_answer (0, 200);
  flight_answer (0, 200);
  assert_int_equal (n_flights, 4);      /* no more than that again */
  flight_answer (0, 200);
  assert_int_equal (n_flights, 4);
  for (int i = 0; i < 3; i++)
    flight_answer (0, 200);
  assert_int_equal (n_flights, 5);
  answer_all (200);
  stop (f);
}

static void
test_short_gate (void **state)
{
  struct fixture *f = start (2, 1);

  (void) state;
  admit_many (f, 4);
  flight_answer_header (0, 429, "retry-after", "20");
  assert_end (f, 0, DELIVERY_LATER, FAILURE_LIMITED, "HTTP 429");
  assert_int_equal (f->results[0].due_ms, clock_ms () + 20000);
  flight_answer (0, 200);
  assert_int_equal (n_flights, 0);
  assert_int_equal (lane_room (f->lane), 0);
  assert_int_equal (lane_held (f->lane), 2);
  assert_true (lane_until_us (f->lane) == clock_us + 20000000);
  clock_pass (19999999);
  assert_int_equal (n_flights, 0);
  clock_pass (1);
  assert_int_equal (n_flights, 2);
  assert_true (lane_room (f->lane) > 0);
  answer_all (200);
  stop (f);
}

/* Nobody waits an hour in memory. */
static void
test_long_gate (void **state)
{
  struct fixture *f = start (2, 1);
  unsigned changes;

  (void) state;
  admit_many (f, 4);
  flight_answer_header (0, 503, "retry-after", "3600");
  assert_int_equal (f->ended[DELIVERY_BACK], 2);
  assert_end (f, 3, DELIVERY_BACK, FAILURE_NONE, "to wait 3600 s");
  assert_int_equal (lane_state (f->lane), LANE_OPEN);
  flight_answer (0, 200);
  assert_int_equal (lane_room (f->lane), 0);
  changes = f->n_changed;
  clock_pass (3600LL * 1000000);
  assert_true (f->n_changed > changes);
  assert_true (lane_room (f->lane) > 0);
  stop (f);
}

static void
test_crashed_goes_alone (void **state)
{
  struct fixture *f = start (4, 3);

  (void) state;
  f->deliveries[1].n_faults = 1;
  admit_many (f, 3);
  assert_int_equal (n_flights, 1);
  clock_pass (20000);
  assert_int_equal (n_flights, 2);
  for (size_t k = 0; k < 2; k++) {
    bool is_alone = job_count (flights[k].job) == 1;

    assert_int_equal (strcmp (flights[k].job->slots[0].delivery.id, "id-1")
                      == 0, is_alone);
  }
  answer_all (200);
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 3);
  stop (f);
}

static void
test_fault_twice (void **state)
{
  struct fixture *f = start (4, 3);

  (void) state;
  f->mock.provider.plugin.build = forget;
  admit_many (f, 3);
  for (int i = 0; i < 4; i++) {
    struct flight flight = flight_take (0);

    flight.done (flight.data, flight.job);
    clock_pass (20000);
  }
  assert_int_equal (f->ended[DELIVERY_UNDELIVERED], 3);
  assert_end (f, 2, DELIVERY_UNDELIVERED, FAILURE_PLUGIN,
              "the plugin failed");
  stop (f);
}

static void
test_split_stays (void **state)
{
  struct fixture *f = start (4, 4);

  (void) state;
  admit_many (f, 4);
  flight_answer (0, 422);
  assert_int_equal (n_flights, 2);
  assert_int_equal (f->ended[DELIVERY_LATER], 0);
  flight_answer (0, 200);
  lane_hold (f->lane, true);
  flight_answer (0, 422);       /* its halves are not tried any more */
  assert_int_equal (f->ended[DELIVERY_BACK], 2);
  assert_int_equal (f->deliveries[3].attempts, 0);
  stop (f);
}

/* ------------------------------------------------------------------ */
/* The idempotency key is of exactly the deliveries of a job. */

static void
assert_job (size_t n, const char *id, bool is_same)
{
  assert_int_equal (n_flights, 1);
  assert_int_equal (job_count (flights[0].job), n);
  assert_int_equal (strcmp (job_make_id (flights[0].job), id) == 0, is_same);
}

static void
test_idempotency_key (void **state)
{
  struct fixture *f = start (1, 3);
  char id[40];

  (void) state;
  admit_many (f, 3);
  snprintf (id, sizeof id, "%s", job_make_id (flights[0].job));
  assert_int_equal (strlen (id), 36);
  flight_answer (0, 503);
  assert_int_equal (f->results[0].due_ms, f->results[2].due_ms);
  /* The same company, however it comes. */
  admit (f, 2);
  admit (f, 0);
  admit (f, 1);
  assert_job (3, id, true);
  flight_answer (0, 503);
  /* One of them and another. */
  admit (f, 0);
  admit (f, 1);
  f->n = 3;
  admit_many (f, 1);
  assert_job (3, id, false);
  flight_answer (0, 503);
  /* Fewer. */
  f->deliveries[0].attempts = f->deliveries[1].attempts = 1;
  admit (f, 0);
  admit (f, 1);
  clock_pass (20000);
  assert_job (2, id, false);
  answer_all (200);
  stop (f);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_later),
    cmocka_unit_test (test_tags),
    cmocka_unit_test (test_room),
    cmocka_unit_test (test_blocked_and_resumed),
    cmocka_unit_test (test_held),
    cmocka_unit_test (test_suspended),
    cmocka_unit_test (test_stop),
    cmocka_unit_test (test_breaker),
    cmocka_unit_test (test_probe),
    cmocka_unit_test (test_resume_mends_the_breaker),
    cmocka_unit_test (test_cut),
    cmocka_unit_test (test_short_gate),
    cmocka_unit_test (test_long_gate),
    cmocka_unit_test (test_crashed_goes_alone),
    cmocka_unit_test (test_fault_twice),
    cmocka_unit_test (test_split_stays),
    cmocka_unit_test (test_idempotency_key),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
