/* test-lane-order.c - order keys, against a store that is played.
 *
 * The store hands out as queue.h says, a few at a time and after a while;
 * what is settled reaches it after a while, too, and in order.  Outcomes
 * are chance, the lane is paused, blocked, broken, restarted and crashes.
 * Of each key deliveries must be tried in the order of their numbers,
 * never two at once, and all must end.
 *
 *   HERALD_SEED=n: another course; HERALD_ROUNDS=n: more of them.
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
#include "delivery/lane_state.h"
#include "lane-world.h"
#include "mock.h"
#include "provider/job_state.h"

enum { MOST_ITEMS = 400, MOST_OPS = 4096, N_KEYS = 6 };

struct item {
  int key;                      /* 0: none */
  bool is_taken;
  bool has_ended;               /* on disk */
  bool is_over;                 /* as this process knows */
  int64_t due_ms;               /* 0: it was not tried yet */
  uint64_t hash;
  uint32_t attempts;
};

/* What the store is to do, in the order it was told. */
struct op {
  bool is_take;
  size_t n;                     /* of a take: at most; else the item */
  enum delivery_end end;
  int64_t due_ms;
  uint64_t hash;
  uint32_t attempts;
};

static struct {
  struct mock mock;
  struct loop *loop;
  struct lane *lane;
  struct item items[MOST_ITEMS];
  size_t n_items, n_over;
  struct op ops[MOST_OPS];
  size_t first_op, n_ops;
  size_t inbox[MOST_ITEMS];     /* taken, on their way to the lane */
  size_t n_inbox;
  bool is_asked;                /* a take is under way */
  bool is_dead;                 /* the process is: nothing it says counts */
  bool is_calm;                 /* every answer is good */
  bool is_down;                 /* the service: the breaker opens */
  size_t most_held;             /* of the lane */
  bool has_keys[N_KEYS + 1];    /* in flight */
  uint32_t random;
  uint64_t n_tried, n_later, n_back, n_probes;
} world;

static uint32_t
chance (uint32_t n)
{
  world.random = world.random * 1664525u + 1013904223u;
  return (world.random >> 10) % n;
}

/* ------------------------------------------------------------------ */
/* The store. */

static void
op_add (const struct op *op)
{
  assert_true (world.n_ops < MOST_OPS);
  world.ops[(world.first_op + world.n_ops++) % MOST_OPS] = *op;
}

static void
store_settle (const struct op *op)
{
  struct item *item = &world.items[op->n];

  if (!item->is_taken)          /* by the process that crashed */
    return;
  item->is_taken = false;
  switch (op->end) {
  case DELIVERY_BACK:
    break;
  case DELIVERY_LATER:
    item->due_ms = op->due_ms;
    item->attempts = op->attempts;
    item->hash = op->hash;
    break;
  default:
    item->has_ended = true;
  }
}

/* Due ones first, by time and number, then those that were never tried. */
static bool
store_is_before (const struct item *a, const struct item *b)
{
  if ((a->due_ms == 0) != (b->due_ms == 0))
    return a->due_ms != 0;
  return a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a < b);
}

static void
store_take (size_t most)
{
  while (most-- > 0) {
    struct item *first = NULL;

    for (size_t i = 0; i < world.n_items; i++) {
      struct item *item = &world.items[i];

      if (!item->is_taken && !item->has_ended && item->due_ms <= clock_ms ()
          && (first == NULL || store_is_before (item, first)))
        first = item;
    }
    if (first == NULL)
      break;
    first->is_taken = true;
    world.inbox[world.n_inbox++] = (size_t) (first - world.items);
  }
}

static void
store_work (void)
{
  struct op op = world.ops[world.first_op];

  if (world.n_ops == 0)
    return;
  world.first_op = (world.first_op + 1) % MOST_OPS;
  world.n_ops--;
  if (op.is_take)
    store_take (op.n);
  else
    store_settle (&op);
}

/* ------------------------------------------------------------------ */
/* The lane's owner. */

static void
settled (void *data, struct delivery *delivery,
         const struct delivery_result *result)
{
  struct op op = {
    .n = delivery->seq - 1, .end = result->end, .due_ms = result->due_ms,
    .hash = delivery->order_hash, .attempts = delivery->attempts,
  };
  struct item *item = &world.items[op.n];

  (void) data;
  if (!world.is_dead) {
    assert_false (item->is_over);
    if (result->end == DELIVERY_LATER)
      assert_true (result->due_ms > clock_ms () - 60000);
    if (result->end == DELIVERY_BACK || result->latency_us < 0)
      assert_int_equal (delivery->attempts, item->attempts);
    world.n_later += result->end == DELIVERY_LATER;
    world.n_back += result->end == DELIVERY_BACK;
    if (result->end != DELIVERY_LATER && result->end != DELIVERY_BACK) {
      item->is_over = true;
      world.n_over++;
    }
    op_add (&op);
  }
  event_release (delivery->event);
  free (delivery);
}

static void
owner_ask (void)
{
  size_t room = lane_room (world.lane);
  struct op op = { .is_take = true, .n = 1 + chance (4) };

  if (room == 0 || world.is_asked)
    return;
  if (op.n > room)
    op.n = room;
  op_add (&op);
  world.is_asked = true;
}

static void
owner_admit (void)
{
  struct delivery *delivery;
  size_t i = world.inbox[0];
  char data[64];

  if (world.n_inbox == 0)
    return;
  memmove (world.inbox, world.inbox + 1, --world.n_inbox * sizeof i);
  delivery = memory_zeroed (1, sizeof *delivery);
  delivery->seq = i + 1;
  delivery->queue_lane = 1;
  delivery->attempts = world.items[i].attempts;
  snprintf (delivery->id, sizeof delivery->id, "%zu", i);
  snprintf (data, sizeof data, world.items[i].key > 0 ? "{\"id\":\"k%d\"}"
            : "{\"name\":\"%d\"}", world.items[i].key);
  delivery->event = mock_event (&world.mock, data);
  lane_admit (world.lane, delivery);
}

/* A job goes: the promise is checked here. */
static void
tried (const struct job *job)
{
  world.n_probes += lane_state (world.lane) == LANE_TRYING;
  for (size_t k = 0; k < job->n_slots; k++) {
    size_t i = (size_t) atoi (job->slots[k].delivery.id);
    int key = world.items[i].key;

    world.n_tried++;
    if (key == 0)
      continue;
    assert_false (world.has_keys[key]);
    world.has_keys[key] = true;
    for (size_t before = 0; before < i; before++)
      if (world.items[before].key == key && !world.items[before].is_over)
        fail_msg ("%zu went before %zu", i, before);
  }
}

static void
answer_one (void)
{
  size_t k = n_flights > 0 ? chance ((uint32_t) n_flights) : 0;
  const struct job *job = n_flights > 0 ? flights[k].job : NULL;

  if (job == NULL)
    return;
  for (size_t i = 0; i < job->n_slots; i++)
    world.has_keys[world.items[atoi (job->slots[i].delivery.id)].key] = false;
  switch (world.is_calm ? 99 : chance (world.is_down ? 5 : 20)) {
  case 0: case 1: case 2:
    flight_answer (k, 503);
    break;
  case 3: case 4:
    flight_fail (k, FAILURE_CONNECT);
    break;
  case 5:
    flight_answer_header (k, 429, "retry-after", chance (2) ? "2" : "40");
    break;
  case 6:
    flight_answer (k, 429);
    break;
  case 7: case 8:
    flight_answer (k, 422);
    break;
  case 9:
    flight_answer (k, chance (5) ? 200 : 401);
    break;
  default:
    flight_answer (k, 200);
  }
}

static void
owner_begin (void)
{
  struct lane_config config = {
    .integration = &world.mock.integration, .loop = world.loop,
    .patience_ms = -1, .has_store = true, .settled = settled,
  };

  world.lane = lane_new (&config);
  world.lane->max_held = world.most_held;
  for (size_t i = 0; i < world.n_items; i++)
    if (world.items[i].due_ms > 0 && !world.items[i].has_ended)
      lane_expect (world.lane, i + 1, world.items[i].hash,
                   world.items[i].due_ms);
}

/* A clean end hands back and waits for the store; a crash does neither,
 * and what was not on disk has not been. */
static void
owner_end (bool is_crash)
{
  if (is_crash) {
    world.is_dead = true;
    world.n_ops = 0;
  }
  on_flight = NULL;
  lane_stop (world.lane);
  while (n_flights > 0)
    flight_answer (0, 200);
  while (world.n_ops > 0)
    store_work ();
  assert_true (lane_is_idle (world.lane));
  lane_free (world.lane);
  world.is_dead = world.is_asked = false;
  world.n_inbox = world.n_over = 0;
  memset (world.has_keys, 0, sizeof world.has_keys);
  for (size_t i = 0; i < world.n_items; i++) {
    world.items[i].is_taken = false;
    world.items[i].is_over = world.items[i].has_ended;
    world.n_over += world.items[i].has_ended;
  }
  on_flight = tried;
}

/* ------------------------------------------------------------------ */
/* The course. */

static int
post_all (void *instance, struct herald_job *job)
{
  struct herald_request *request
    = herald->request (job, "POST", "https://api.example.org/", NULL);

  (void) instance;
  herald->append (request, "{}");
  return 0;
}

static void
world_open (uint32_t seed)
{
  static const struct herald_field field
    = { .name = "mode", .type = HERALD_TARGET, .flags = HERALD_ORDER_KEY };
  static const int64_t schedule[]
    = { 10, 50, 400, 3000, 3000, 9000, 9000, 9000, 20000, 20000 };
  struct mapping_row row = { .target = "two", .source = "id" };
  char reason[200];

  memset (&world, 0, sizeof world);
  world.random = seed;
  mock_open (&world.mock, HERALD_WEBHOOK, 0);
  world.mock.provider.plugin.build = post_all;
  /* The setting "mode" reads "two": the target of this row. */
  assert_int_equal (mapping_add (world.mock.mapping, &row,
                                 world.mock.catalogue, reason), 0);
  world.mock.integration.order_key = &field;
  world.mock.integration.in_flight = 1 + chance (6);
  world.mock.integration.batch_max = chance (2) ? 1 : 3;
  world.mock.integration.batch_wait_ms = 20;
  world.mock.integration.retry_ms = schedule;
  world.mock.integration.n_retries = sizeof schedule / sizeof schedule[0];
  world.most_held = chance (2) ? 1024 : 2 + chance (8);
  world.loop = loop_new ();
  on_flight = tried;
  n_flights = 0;
  owner_begin ();
}

static void
world_close (void)
{
  owner_end (false);
  on_flight = NULL;
  loop_free (world.loop);
  mock_close (&world.mock);
}

static void
disturb (void)
{
  switch (chance (40)) {
  case 0:
    lane_hold (world.lane, true);
    break;
  case 1: case 2:
    lane_hold (world.lane, false);
    break;
  case 3:
    lane_park (world.lane, "for a test");
    break;
  case 4: case 5: case 6:
    lane_resume (world.lane);
    break;
  case 7:
    owner_end (chance (2));
    owner_begin ();
    break;
  case 8: case 9:
    world.is_down = !world.is_down;
    break;
  default:
    break;
  }
}

/* The store is never long behind. */
static void
pass_time (void)
{
  if (chance (20) > 0) {
    clock_pass (chance (100000));
    return;
  }
  while (world.n_ops > 0)
    store_work ();
  clock_pass (chance (30000000));
}

static void
step (void)
{
  switch (chance (8)) {
  case 0:
    if (world.n_items < MOST_ITEMS && !world.is_calm && chance (2))
      world.items[world.n_items++].key = (int) chance (N_KEYS + 1);
    break;
  case 1: case 2:
    answer_one ();
    break;
  case 3:
    pass_time ();
    break;
  case 4: case 5:
    store_work ();
    break;
  case 6:
    for (uint32_t n = chance (4); n > 0; n--)
      owner_admit ();
    if (world.n_inbox == 0)
      world.is_asked = false;
    owner_ask ();
    break;
  default:
    if (!world.is_calm && chance (10) == 0)
      disturb ();
  }
}

static void
run (uint32_t seed)
{
  int steps = 0;

  world_open (seed);
  for (int i = 0; i < 10000; i++)
    step ();
  /* Whatever was wrong is mended: all that is left goes. */
  world.is_calm = true;
  lane_hold (world.lane, false);
  lane_resume (world.lane);
  while (world.n_over < world.n_items) {
    step ();
    if (++steps > 200000)
      fail_msg ("seed %u: %zu of %zu have ended", (unsigned) seed,
                world.n_over, world.n_items);
  }
  assert_true (world.n_items > 300);
  assert_true (world.n_tried >= world.n_items);
  world_close ();
}

static uint32_t
setting (const char *name, uint32_t otherwise)
{
  const char *text = getenv (name);

  return text != NULL ? (uint32_t) strtoul (text, NULL, 10) : otherwise;
}

static void
test_order_holds (void **state)
{
  uint32_t seed = setting ("HERALD_SEED", 1);
  uint32_t rounds = setting ("HERALD_ROUNDS", 200);
  uint64_t n_later = 0, n_back = 0, n_probes = 0;

  (void) state;
  for (uint32_t i = 0; i < rounds; i++) {
    printf ("seed %u\n", (unsigned) (seed + i));
    run (seed + i);
    n_later += world.n_later;
    n_back += world.n_back;
    n_probes += world.n_probes;
  }
  /* It was no calm course. */
  if (rounds >= 100)
    assert_true (n_later > 50 * rounds && n_back > 5 * rounds
                 && n_probes > rounds);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_order_holds),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
