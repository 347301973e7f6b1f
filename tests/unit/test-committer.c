/* test-committer.c - events go to the queue in groups, and everybody hears
 * what became of theirs.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "config-fixture.h"
#include "intake/committer.h"

enum { MOST = 10 };

struct world {
  char *directory;
  struct loop *loop;
  struct routes *routes;
  struct committer *committer;
  size_t n_done;                /* commits */
  size_t n_accepted, n_seen, n_failed;
  uint64_t n_timed;             /* by the thread */
};

struct request {                /* a commit and what it points to */
  struct commit commit;
  struct queue_event events[MOST];
  enum queue_answer answers[MOST];
  uint32_t wanted[MOST];
  char ids[MOST][16];
};

static void
on_done (void *data, struct commit *commits, const char *reason)
{
  struct world *world = data;

  for (; commits != NULL; commits = commits->next) {
    world->n_done++;
    if (commits->error != QUEUE_OK) {
      assert_true (*reason != '\0');
      world->n_failed += commits->n;
      continue;
    }
    for (size_t i = 0; i < commits->n; i++)
      if (commits->answers[i] == QUEUE_ACCEPTED)
        world->n_accepted++;
      else
        world->n_seen++;
  }
}

static void
on_timed (void *data, int64_t us)
{
  struct world *world = data;

  assert_true (us >= 0);
  __atomic_fetch_add (&world->n_timed, 1, __ATOMIC_RELAXED);
}

static struct routes *
make_routes (const char *directory)
{
  struct problems *problems = problems_new ();
  struct configuration *configuration;
  struct routes *routes;

  assert_int_equal (mkdir (fixture_path (directory, "conf.d"), 0755), 0);
  fixture_write (directory, "herald.xml",
                 "<herald xmlns=\"urn:herald:config:1\"><workspaces>"
                 "<workspace name=\"acme\"/></workspaces></herald>", 0644);
  fixture_write (directory, "conf.d/web.xml",
                 "<integration xmlns=\"urn:herald:integration:1\" "
                 "name=\"web\" provider=\"custom-api\" enabled=\"true\">"
                 "<workspaces all=\"true\"/><settings>"
                 "<setting name=\"endpoint\">https://x.example/</setting>"
                 "</settings><map><field name=\"a\" value=\"b\"/></map>"
                 "</integration>", 0644);
  configuration = configuration_read (directory, SECRETS_UNREAD, problems);
  assert_non_null (configuration);
  routes = routes_new (configuration);
  configuration_free (configuration);
  problems_free (problems);
  return routes;
}

static int
setup (void **state)
{
  static struct world world;
  struct committer_config config = {
    .queue = { .engine = "memory", .where = "", .window_ms = 60000 },
    .wait_ms = 60000, .most = MOST, .done = on_done, .timed = on_timed,
    .data = &world,
  };
  char reason[400] = "";

  memset (&world, 0, sizeof world);
  world.directory = fixture_directory ();
  world.routes = make_routes (world.directory);
  world.loop = loop_new ();
  config.loop = world.loop;
  world.committer = committer_new (&config, reason, sizeof reason);
  if (world.committer == NULL)
    fail_msg ("%s", reason);
  *state = &world;
  return 0;
}

static int
teardown (void **state)
{
  struct world *world = *state;

  committer_free (world->committer);
  routes_release (world->routes);
  loop_free (world->loop);
  fixture_remove (world->directory);
  return 0;
}

static void
put (struct world *world, struct request *request, size_t first, size_t n)
{
  memset (request, 0, sizeof *request);
  request->commit = (struct commit) {
    .routes = world->routes, .events = request->events, .n = n,
    .wanted = request->wanted, .n_wanted = n, .answers = request->answers,
  };
  for (size_t i = 0; i < n; i++) {
    snprintf (request->ids[i], sizeof request->ids[i], "%zu", first + i);
    request->events[i] = (struct queue_event) {
      .source = "s", .id = request->ids[i], .body = "{}", .len = 2,
      .lanes = &request->wanted[i], .n_lanes = 1,
    };
  }
  committer_put (world->committer, &request->commit);
}

static void
wait_for (struct world *world, size_t n)
{
  int64_t end_us = date_monotonic_us () + 20 * 1000 * 1000;

  while (world->n_done < n && date_monotonic_us () < end_us)
    loop_turn (world->loop, 20);
  assert_int_equal (world->n_done, n);
}

/* What comes in one go is one commit; each request has its own answers. */
static void
test_group (void **state)
{
  struct world *world = *state;
  static struct request requests[3];

  put (world, &requests[0], 1, 2);
  put (world, &requests[1], 2, 2);
  assert_true (committer_gathers (world->committer));
  assert_int_equal (committer_waiting (world->committer), 4);
  committer_turn (world->committer, false);     /* more comes in */
  assert_true (committer_gathers (world->committer));
  put (world, &requests[2], 9, 1);
  committer_turn (world->committer, true);
  assert_false (committer_gathers (world->committer));
  wait_for (world, 3);
  assert_int_equal (world->n_timed, 1);
  assert_int_equal (world->n_accepted, 4);
  assert_int_equal (world->n_seen, 1);
  assert_int_equal (requests[1].answers[0], QUEUE_SEEN);
  assert_int_equal (requests[1].answers[1], QUEUE_ACCEPTED);
  assert_int_equal (committer_waiting (world->committer), 0);
  /* The integration has become its lane's number. */
  assert_true (requests[0].wanted[0] > 0);
}

/* A full group does not wait for silence, and no group is larger. */
static void
test_most (void **state)
{
  struct world *world = *state;
  static struct request requests[3];

  put (world, &requests[0], 0, 6);
  put (world, &requests[1], 10, 6);
  put (world, &requests[2], 20, 4);
  committer_turn (world->committer, false);
  wait_for (world, 3);
  assert_int_equal (world->n_timed, 2);
  assert_int_equal (world->n_accepted, 16);
}

/* Whoever waits when it ends gets an answer, and the event is kept. */
static void
test_end (void **state)
{
  struct world *world = *state;
  static struct request request;

  put (world, &request, 0, 3);
  committer_free (world->committer);
  world->committer = NULL;
  assert_int_equal (world->n_done, 1);
  assert_int_equal (world->n_accepted, 3);
}

static void
test_no_store (void **state)
{
  struct committer_config config = {
    .queue = { .engine = "none", .where = "" }, .done = on_done,
  };
  char reason[400] = "";

  (void) state;
  config.loop = loop_new ();
  assert_null (committer_new (&config, reason, sizeof reason));
  assert_true (*reason != '\0');
  loop_free (config.loop);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_group, setup, teardown),
    cmocka_unit_test_setup_teardown (test_most, setup, teardown),
    cmocka_unit_test_setup_teardown (test_end, setup, teardown),
    cmocka_unit_test (test_no_store),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
