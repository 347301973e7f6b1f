/* queue-fixture.h - a queue of its own, of either engine, for a test.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef QUEUE_FIXTURE_H
#define QUEUE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue/queue.h"

enum { FIXTURE_MOST = 64 };     /* items of a take */

struct queue_fixture {
  char directory[64];           /* all of it goes at the end */
  char store[80];               /* a directory in it */
  struct queue_config config;
  struct queue *queue;
  struct queue_item items[FIXTURE_MOST];        /* taken last */
  size_t n;
};

/* cmocka's setup and teardown; *state is the fixture. */
int queue_fixture_memory (void **state);
int queue_fixture_sqlite (void **state);
int queue_fixture_done (void **state);

/* Each test for both engines. */
#define FOR_BOTH(test)                                                    \
  { "memory: " #test, test, queue_fixture_memory, queue_fixture_done,     \
    NULL },                                                               \
  { "sqlite: " #test, test, queue_fixture_sqlite, queue_fixture_done,     \
    NULL }
#define FOR_SQLITE(test)                                                  \
  { #test, test, queue_fixture_sqlite, queue_fixture_done, NULL }

bool fixture_survives (const struct queue_fixture *fixture);
/* Another opener of the same store, for processes to have their own. */
struct queue *fixture_open (struct queue_fixture *fixture);
/* Close and open again what survives that. */
void fixture_reopen (struct queue_fixture *fixture);

/* Put one event; the answer. */
enum queue_answer fixture_put (struct queue *queue, const char *id,
                               const char *body, uint32_t lane,
                               uint32_t other_lane);
/* Take up to most from an owned lane, into items; how many. */
size_t fixture_take (struct queue_fixture *fixture, uint32_t lane,
                     int64_t now_ms, size_t most);
/* Is the k-th item taken last this body? */
void fixture_assert_body (const struct queue_fixture *fixture, size_t k,
                          const char *body);
/* The sequence number of the only one there is to take. */
uint64_t fixture_take_one (struct queue_fixture *fixture, uint32_t lane,
                           int64_t now_ms);
void fixture_settle (struct queue *queue, uint32_t lane, uint64_t seq,
                     enum queue_end end, int64_t due_ms);
/* The three counts of a lane. */
void fixture_assert_counts (struct queue *queue, uint32_t lane,
                            uint64_t waiting, uint64_t retrying,
                            uint64_t dead);
/* Does a store of SQLite's hold together: SQLite's own check, the counts of
 * lanes, every delivery its event, every event a delivery? */
void fixture_assert_whole (const char *store);
/* The first value of a query of a store. */
int64_t fixture_query (const char *store, const char *sql);
/* queue_tidy () until there is nothing more to do. */
void fixture_tidy (struct queue *queue, int64_t now_ms);
struct queue_lane_state fixture_state (struct queue *queue, uint32_t lane);

#endif
