/* queue-fixture.c - a queue of its own, of either engine, for a test.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue-fixture.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"

static int
fixture_new (void **state, const char *engine)
{
  struct queue_fixture *fixture = calloc (1, sizeof *fixture);

  if (fixture == NULL)
    return -1;
  *state = fixture;
  snprintf (fixture->directory, sizeof fixture->directory,
            "/tmp/herald-queue.XXXXXX");
  if (mkdtemp (fixture->directory) == NULL)
    return -1;
  snprintf (fixture->store, sizeof fixture->store, "%s/store",
            fixture->directory);
  fixture->config = (struct queue_config) {
    .engine = engine, .where = fixture->store, .window_ms = 60 * 1000,
    .history_ms = 60 * 1000, .history_rows = 1000
  };
  fixture->queue = fixture_open (fixture);
  return 0;
}

int
queue_fixture_memory (void **state)
{
  return fixture_new (state, "memory");
}

int
queue_fixture_sqlite (void **state)
{
  return fixture_new (state, "sqlite");
}

static int
fixture_remove (const char *path, const struct stat *about, int type,
                struct FTW *where)
{
  (void) about;
  (void) type;
  (void) where;
  return remove (path);
}

int
queue_fixture_done (void **state)
{
  struct queue_fixture *fixture = *state;

  queue_close (fixture->queue);
  date_set_now (-1);
  nftw (fixture->directory, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
  free (fixture);
  return 0;
}

bool
fixture_survives (const struct queue_fixture *fixture)
{
  return strcmp (fixture->config.engine, "memory") != 0;
}

struct queue *
fixture_open (struct queue_fixture *fixture)
{
  char reason[256] = "";
  struct queue *queue = queue_open (&fixture->config, reason, sizeof reason);

  assert_string_equal (reason, "");
  assert_non_null (queue);
  return queue;
}

void
fixture_reopen (struct queue_fixture *fixture)
{
  if (!fixture_survives (fixture))
    return;
  queue_close (fixture->queue);
  fixture->queue = fixture_open (fixture);
}

enum queue_answer
fixture_put (struct queue *queue, const char *id, const char *body,
             uint32_t lane, uint32_t other_lane)
{
  uint32_t lanes[2] = { lane, other_lane };
  struct queue_event event = { .source = "/games", .id = id, .body = body,
                               .len = strlen (body), .lanes = lanes,
                               .n_lanes = (lane != 0) + (other_lane != 0) };
  enum queue_answer answer;

  assert_int_equal (queue_put (queue, &event, 1, &answer), QUEUE_OK);
  return answer;
}

size_t
fixture_take (struct queue_fixture *fixture, uint32_t lane, int64_t now_ms,
              size_t most)
{
  assert_true (most <= FIXTURE_MOST);
  assert_int_equal (queue_take (fixture->queue, lane, now_ms, most,
                                fixture->items, &fixture->n), QUEUE_OK);
  return fixture->n;
}

void
fixture_assert_body (const struct queue_fixture *fixture, size_t k,
                     const char *body)
{
  assert_true (k < fixture->n);
  assert_int_equal (fixture->items[k].len, strlen (body));
  assert_memory_equal (fixture->items[k].body, body, strlen (body));
}

uint64_t
fixture_take_one (struct queue_fixture *fixture, uint32_t lane,
                  int64_t now_ms)
{
  assert_int_equal (fixture_take (fixture, lane, now_ms, FIXTURE_MOST), 1);
  return fixture->items[0].seq;
}

void
fixture_settle (struct queue *queue, uint32_t lane, uint64_t seq,
                enum queue_end end, int64_t due_ms)
{
  struct queue_settlement settlement = {
    .lane = lane, .seq = seq, .end = end, .due_ms = due_ms, .first_ms = 11,
    .attempts = 1, .at_ms = 12, .status = 200, .reason = "no reason",
    .reference = "ref", .via = ""
  };

  assert_int_equal (queue_settle (queue, &settlement, 1), QUEUE_OK);
}

struct queue_lane_state
fixture_state (struct queue *queue, uint32_t lane)
{
  struct queue_lane_state state;
  uint32_t number;

  for (size_t k = 0; queue_lane_state (queue, k, &number, &state); k++)
    if (number == lane)
      return state;
  fail_msg ("lane %u is not there", lane);
  return (struct queue_lane_state) { .name = "" };
}

void
fixture_assert_counts (struct queue *queue, uint32_t lane, uint64_t waiting,
                       uint64_t retrying, uint64_t dead)
{
  struct queue_lane_state state = fixture_state (queue, lane);

  assert_int_equal (state.waiting, waiting);
  assert_int_equal (state.retrying, retrying);
  assert_int_equal (state.dead, dead);
}

void
fixture_tidy (struct queue *queue, int64_t now_ms)
{
  bool is_done = false;

  for (size_t i = 0; i < 100000 && !is_done; i++)
    assert_int_equal (queue_tidy (queue, now_ms, &is_done), QUEUE_OK);
  assert_true (is_done);
}

int64_t
fixture_query (const char *store, const char *sql)
{
  char path[128];
  sqlite3 *db;
  sqlite3_stmt *statement;
  int64_t value;

  snprintf (path, sizeof path, "%s/store.db", store);
  assert_int_equal (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE, NULL),
                    SQLITE_OK);
  sqlite3_busy_timeout (db, 5000);
  assert_int_equal (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL),
                    SQLITE_OK);
  assert_int_equal (sqlite3_step (statement), SQLITE_ROW);
  value = sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  sqlite3_close (db);
  return value;
}

#define DELIVERIES                                                        \
  "(SELECT lane, seq FROM waiting UNION ALL SELECT lane, seq FROM retries" \
  " UNION ALL SELECT lane, seq FROM dead)"

void
fixture_assert_whole (const char *store)
{
  static const char *const wrong[] = {
    "SELECT count(*) FROM lanes AS l WHERE"
    " waiting != (SELECT count(*) FROM waiting WHERE lane = l.lane) OR"
    " retrying != (SELECT count(*) FROM retries WHERE lane = l.lane) OR"
    " dead != (SELECT count(*) FROM dead WHERE lane = l.lane)",
    "SELECT count(*) FROM " DELIVERIES " WHERE seq NOT IN"
    " (SELECT seq FROM events)",
    "SELECT count(*) FROM events WHERE seq NOT IN"
    " (SELECT seq FROM " DELIVERIES ")",
    "SELECT count(*) FROM events AS e LEFT JOIN shares AS s ON s.seq = e.seq"
    " WHERE (e.deliveries > 1) != (s.seq IS NOT NULL) OR s.open !="
    " (SELECT count(*) FROM " DELIVERIES " AS d WHERE d.seq = e.seq)",
    "SELECT count(*) FROM shares WHERE seq NOT IN (SELECT seq FROM events)",
    "SELECT count(*) FROM events WHERE seq NOT IN (SELECT seq FROM accepted)",
    "SELECT count(*) FROM marks AS m WHERE NOT EXISTS"
    " (SELECT 1 FROM waiting WHERE lane = m.lane AND seq = m.seq)"
    " AND NOT EXISTS"
    " (SELECT 1 FROM retries WHERE lane = m.lane AND seq = m.seq)",
  };

  assert_int_equal (fixture_query (store, "SELECT integrity_check = 'ok'"
                                   " FROM pragma_integrity_check"), 1);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    if (fixture_query (store, wrong[i]) != 0)
      fail_msg ("not whole: %s", wrong[i]);
}
