/* test-lane.c - a lane without a store, against a network that is played.
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

#include "base/date.h"
#include "base/memory.h"
#include "delivery/lane.h"
#include "lane-world.h"
#include "mock.h"

enum { MOST = MOST_FLIGHTS };

struct fixture {
  struct mock mock;
  struct loop *loop;
  struct lane *lane;
  struct delivery deliveries[MOST];
  size_t n;
  unsigned ended[5];            /* by enum delivery_end */
  char order[MOST * 8];         /* numbers, in the order they ended */
  char reason[400];
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
  size_t len = strlen (f->order);

  f->ended[result->end]++;
  snprintf (f->order + len, sizeof f->order - len, "%zu ",
            (size_t) (delivery - f->deliveries));
  snprintf (f->reason, sizeof f->reason, "%s", result->reason);
}

static void
set_lane (struct fixture *f, int64_t patience_ms)
{
  struct lane_config config = {
    .integration = &f->mock.integration,
    .loop = f->loop,
    .patience_ms = patience_ms,
    .settled = settled,
    .data = f,
  };

  lane_free (f->lane);
  f->lane = lane_new (&config);
}

static struct fixture *
start (unsigned in_flight, unsigned batch, int64_t patience_ms)
{
  static const int64_t schedule[] = { 10, 10, 10 };
  struct fixture *f = memory_zeroed (1, sizeof *f);

  n_flights = 0;
  answers_at_once = false;
  mock_open (&f->mock, HERALD_WEBHOOK, 0);
  f->mock.provider.plugin.build = post_all;
  f->mock.integration.in_flight = in_flight;
  f->mock.integration.batch_max = batch;
  f->mock.integration.batch_wait_ms = 20;
  f->mock.integration.retry_ms = schedule;
  f->mock.integration.n_retries = 3;
  f->loop = loop_new ();
  set_lane (f, patience_ms);
  return f;
}

static void
stop (struct fixture *f)
{
  assert_true (lane_is_idle (f->lane));
  for (size_t i = 0; i < f->n; i++)
    event_release (f->deliveries[i].event);
  lane_free (f->lane);
  loop_free (f->loop);
  mock_close (&f->mock);
  free (f);
}

static void
admit (struct fixture *f, const char *data)
{
  struct delivery *delivery = &f->deliveries[f->n++];

  delivery->event = mock_event (&f->mock, data);
  delivery_make_id (delivery, "crm");
  lane_admit (f->lane, delivery);
}

static void
admit_many (struct fixture *f, size_t n)
{
  for (size_t i = 0; i < n; i++)
    admit (f, "{\"email\":\"a@example.org\"}");
}

static void
turn_until (struct fixture *f, size_t flying)
{
  int64_t end_us = date_monotonic_us () + 5000000;

  while (n_flights < flying && date_monotonic_us () < end_us)
    loop_turn (f->loop, 20);
  assert_int_equal (n_flights, flying);
}

static void
test_in_flight_cap (void **state)
{
  struct fixture *f = start (3, 1, -1);

  (void) state;
  admit_many (f, 10);
  assert_int_equal (n_flights, 3);
  flight_answer (1, 200);
  assert_int_equal (n_flights, 3);
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 1);
  while (n_flights > 0)
    flight_answer (0, 204);
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 10);
  assert_int_equal (lane_stats (f->lane)->delivered, 10);
  stop (f);
}

/* Thousands that end at once must not nest as deep. */
static void
test_at_once (void **state)
{
  struct fixture *f = start (2, 1, -1);

  (void) state;
  answers_at_once = true;
  admit_many (f, MOST);
  assert_int_equal (f->ended[DELIVERY_DELIVERED], MOST);
  stop (f);
}

static void
test_retry_then_good (void **state)
{
  struct fixture *f = start (3, 1, -1);

  (void) state;
  admit_many (f, 1);
  flight_answer (0, 503);
  assert_int_equal (n_flights, 0);
  assert_int_equal (lane_retrying (f->lane), 1);
  turn_until (f, 1);
  flight_answer (0, 500);
  turn_until (f, 1);
  assert_int_equal (f->deliveries[0].attempts, 2);
  flight_answer (0, 200);
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 1);
  assert_int_equal (lane_stats (f->lane)->retried, 2);
  stop (f);
}

static void
test_schedule_ends (void **state)
{
  struct fixture *f = start (3, 1, -1);

  (void) state;
  admit_many (f, 1);
  for (int i = 0; i < 4; i++) {
    turn_until (f, 1);
    flight_answer (0, 500);
  }
  assert_int_equal (f->ended[DELIVERY_UNDELIVERED], 1);
  assert_non_null (strstr (f->reason, "every attempt failed"));
  stop (f);
}

static void
test_patience_ends (void **state)
{
  struct fixture *f = start (3, 1, 5);

  (void) state;
  admit_many (f, 1);
  flight_answer (0, 500);
  assert_int_equal (f->ended[DELIVERY_UNDELIVERED], 1);
  assert_non_null (strstr (f->reason, "not delivered in time"));
  stop (f);
}

static void
test_retry_after_gates (void **state)
{
  struct fixture *f = start (2, 1, -1);
  int64_t start_us = date_monotonic_us ();

  (void) state;
  admit_many (f, 4);
  assert_int_equal (n_flights, 2);
  flight_answer_header (0, 429, "retry-after", "1");
  flight_answer (0, 200);
  assert_int_equal (n_flights, 0);      /* two wait though there is room */
  turn_until (f, 2);
  assert_true (date_monotonic_us () - start_us >= 1000000);
  while (n_flights > 0 || !lane_is_idle (f->lane))
    if (n_flights > 0)
      flight_answer (0, 200);
    else
      loop_turn (f->loop, 50);
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 4);
  stop (f);
}

static void
test_gate_beyond_patience (void **state)
{
  struct fixture *f = start (1, 1, 10000);

  (void) state;
  admit_many (f, 3);
  flight_answer_header (0, 429, "retry-after", "3600");
  assert_int_equal (f->ended[DELIVERY_UNDELIVERED], 3);
  assert_int_equal (lane_state (f->lane), LANE_BLOCKED);
  assert_non_null (strstr (f->reason, "3600 s"));
  stop (f);
}

static void
test_blocked (void **state)
{
  struct fixture *f = start (2, 1, -1);

  (void) state;
  admit_many (f, 5);
  flight_answer (0, 401);
  assert_int_equal (lane_state (f->lane), LANE_BLOCKED);
  assert_int_equal (f->ended[DELIVERY_UNDELIVERED], 4);
  flight_answer (0, 200);              /* was on its way already */
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 1);
  admit_many (f, 1);
  assert_int_equal (f->ended[DELIVERY_UNDELIVERED], 5);
  assert_int_equal (n_flights, 0);
  assert_true (lane_has_room (f->lane));
  stop (f);
}

static void
test_split_finds_the_culprit (void **state)
{
  struct fixture *f = start (8, 8, -1);

  (void) state;
  admit_many (f, 8);
  assert_int_equal (n_flights, 1);
  flight_answer (0, 422);              /* 8 -> 4 4 */
  assert_int_equal (n_flights, 2);
  flight_answer (1, 200);
  flight_answer (0, 422);              /* 4 -> 2 2 */
  flight_answer (1, 200);
  flight_answer (0, 422);              /* 2 -> 1 1 */
  flight_answer (1, 200);
  flight_answer (0, 422);
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 7);
  assert_int_equal (f->ended[DELIVERY_REJECTED], 1);
  assert_int_equal (lane_stats (f->lane)->retried, 0);
  stop (f);
}

static void
test_batch_waits (void **state)
{
  struct fixture *f = start (8, 4, -1);

  (void) state;
  admit_many (f, 6);
  assert_int_equal (n_flights, 1);
  turn_until (f, 2);
  assert_int_equal (job_count (flights[0].job), 4);
  assert_int_equal (job_count (flights[1].job), 2);
  admit_many (f, 1);
  lane_flush (f->lane);
  assert_int_equal (n_flights, 3);
  while (n_flights > 0)
    flight_answer (0, 200);
  stop (f);
}

static void
test_order_keys (void **state)
{
  static const struct herald_field field
    = { .name = "mode", .type = HERALD_TARGET, .flags = HERALD_ORDER_KEY };
  struct mapping_row row = { .target = "two", .source = "id" };
  struct fixture *f = start (8, 1, -1);
  char reason[200];

  (void) state;
  /* The setting "mode" reads "two": the target of this row. */
  assert_int_equal (mapping_add (f->mock.mapping, &row, f->mock.catalogue,
                                 reason), 0);
  f->mock.integration.order_key = &field;
  set_lane (f, -1);
  admit (f, "{\"id\":\"a\"}");
  admit (f, "{\"id\":\"a\"}");
  admit (f, "{\"id\":\"b\"}");
  admit (f, "{\"id\":\"a\"}");
  admit (f, "{}");
  assert_int_equal (n_flights, 3);      /* 0, 2 and 4 */
  flight_answer (0, 503);
  assert_int_equal (n_flights, 2);      /* 1 stays behind 0 */
  flight_answer (0, 200);
  flight_answer (0, 200);
  turn_until (f, 1);
  flight_answer (0, 200);
  turn_until (f, 1);
  flight_answer (0, 422);
  turn_until (f, 1);
  flight_answer (0, 200);
  assert_string_equal (f->order, "2 4 0 1 3 ");
  stop (f);
}

static void
test_stop (void **state)
{
  struct fixture *f = start (2, 1, -1);

  (void) state;
  admit_many (f, 5);
  lane_stop (f->lane);
  assert_int_equal (f->ended[DELIVERY_UNDELIVERED], 3);
  flight_answer (0, 200);
  flight_answer (0, 503);              /* is not tried again */
  assert_int_equal (f->ended[DELIVERY_DELIVERED], 1);
  assert_int_equal (f->ended[DELIVERY_UNDELIVERED], 4);
  stop (f);
}

static void
test_forgetful_plugin (void **state)
{
  struct fixture *f = start (2, 1, -1);

  (void) state;
  f->mock.provider.plugin.build = forget;
  answers_at_once = false;
  admit_many (f, 1);
  for (int i = 0; i < 2; i++) {
    struct flight flight;

    turn_until (f, 1);
    flight = flight_take (0);
    flight.done (flight.data, flight.job);
  }
  assert_int_equal (f->ended[DELIVERY_UNDELIVERED], 1);
  assert_non_null (strstr (f->reason, "the plugin failed"));
  assert_non_null (strstr (f->mock.log, "plugin mock"));
  stop (f);
}

static void
test_rate (void **state)
{
  struct fixture *f = start (100, 1, -1);

  (void) state;
  f->mock.integration.rate_limit = 50;
  f->mock.integration.rate_ms = 1000;
  set_lane (f, -1);
  admit_many (f, 20);
  assert_int_equal (n_flights, 5);
  turn_until (f, 20);
  while (n_flights > 0)
    flight_answer (0, 200);
  stop (f);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_in_flight_cap),
    cmocka_unit_test (test_at_once),
    cmocka_unit_test (test_retry_then_good),
    cmocka_unit_test (test_schedule_ends),
    cmocka_unit_test (test_patience_ends),
    cmocka_unit_test (test_retry_after_gates),
    cmocka_unit_test (test_gate_beyond_patience),
    cmocka_unit_test (test_blocked),
    cmocka_unit_test (test_split_finds_the_culprit),
    cmocka_unit_test (test_batch_waits),
    cmocka_unit_test (test_order_keys),
    cmocka_unit_test (test_stop),
    cmocka_unit_test (test_forgetful_plugin),
    cmocka_unit_test (test_rate),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
