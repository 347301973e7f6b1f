/* sqlite_schema.c - the tables of a store, and what is asked of them.
 *
 * herald-store(5) describes them.  What decides their shape: every row is
 * added at the end of its table, or of its lane, and there is no second
 * index where events pass, so a group of a hundred touches a dozen pages.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "queue/sqlite_store.h"

enum {
  STORE_VERSION = 1,
  STORE_APPLICATION = 0x68726c64        /* "hrld" */
};

/* Of a new file, before anything is in it. */
static const char schema_file[] =
  "PRAGMA page_size=16384;"
  "PRAGMA auto_vacuum=INCREMENTAL;"
  "PRAGMA journal_mode=WAL;";

/* Of every opener. */
static const char schema_habits[] =
  "PRAGMA journal_mode=WAL;"
  "PRAGMA synchronous=FULL;"
  "PRAGMA secure_delete=FAST;"
  "PRAGMA cache_size=-8192;"
  "PRAGMA mmap_size=0;"
  "PRAGMA temp_store=MEMORY;"
  "PRAGMA trusted_schema=OFF;"
  "PRAGMA wal_autocheckpoint=512;"
  "PRAGMA journal_size_limit=16777216;";

static const char schema_tables[] =
  "CREATE TABLE store (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
  "CREATE TABLE lanes (lane INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
  "  is_paused INTEGER NOT NULL DEFAULT 0,"
  "  resumed INTEGER NOT NULL DEFAULT 0,"
  "  changes INTEGER NOT NULL DEFAULT 0,"
  "  waiting INTEGER NOT NULL DEFAULT 0,"
  "  retrying INTEGER NOT NULL DEFAULT 0,"
  "  dead INTEGER NOT NULL DEFAULT 0);"
  "CREATE TABLE accepted (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,"
  "  hash INTEGER NOT NULL, id TEXT NOT NULL);"
  "CREATE TABLE events (seq INTEGER PRIMARY KEY,"
  "  accepted_ms INTEGER NOT NULL, deliveries INTEGER NOT NULL,"
  "  body TEXT NOT NULL);"
  "CREATE TABLE shares (seq INTEGER PRIMARY KEY, open INTEGER NOT NULL);"
  "CREATE TABLE waiting (lane INTEGER, seq INTEGER,"
  "  PRIMARY KEY (lane, seq)) WITHOUT ROWID;"
  "CREATE TABLE retries (lane INTEGER, due_ms INTEGER, seq INTEGER,"
  "  attempts INTEGER NOT NULL, first_ms INTEGER NOT NULL,"
  "  key INTEGER NOT NULL,"
  "  PRIMARY KEY (lane, due_ms, seq)) WITHOUT ROWID;"
  "CREATE INDEX retries_seq ON retries (lane, seq);"
  "CREATE TABLE marks (lane INTEGER, seq INTEGER, crashes INTEGER NOT NULL,"
  "  PRIMARY KEY (lane, seq)) WITHOUT ROWID;"
  "CREATE TABLE dead (n INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  lane INTEGER NOT NULL, seq INTEGER NOT NULL, died_ms INTEGER NOT NULL,"
  "  attempts INTEGER NOT NULL, reason TEXT NOT NULL);"
  "CREATE TABLE history (n INTEGER PRIMARY KEY, seq INTEGER NOT NULL,"
  "  lane INTEGER NOT NULL, at_ms INTEGER NOT NULL, end INTEGER NOT NULL,"
  "  attempts INTEGER NOT NULL, status INTEGER NOT NULL,"
  "  reason TEXT NOT NULL, reference TEXT NOT NULL,"
  "  via TEXT NOT NULL);";

/* CROSS JOIN keeps SQLite's planner from turning a join round. */
const char *const sqlite_statements[SQLITE_STATEMENTS] = {
  [ACCEPTED_LAST] = "SELECT max(seq) FROM accepted",
  [ACCEPTED_SINCE] =
    "SELECT seq, hash FROM accepted WHERE seq > ?1 ORDER BY seq",
  [ACCEPTED_BACK] =
    "SELECT seq, at_ms, hash FROM accepted WHERE seq < ?1 ORDER BY seq DESC",
  [ACCEPTED_GET] = "SELECT at_ms, hash, id FROM accepted WHERE seq = ?1",
  [ACCEPTED_PUT] = "INSERT INTO accepted VALUES (?1, ?2, ?3, ?4)",
  [EVENT_PUT] = "INSERT INTO events VALUES (?1, ?2, ?3, ?4)",
  [SHARE_PUT] = "INSERT INTO shares VALUES (?1, ?2)",
  [FRESH_PUT] = "INSERT INTO waiting VALUES (?1, ?2)",
  [STORE_PAGES] = "PRAGMA page_count",
  [STORE_FREE] = "PRAGMA freelist_count",

  [LANE_GET] = "SELECT lane FROM lanes WHERE name = ?1",
  [LANE_PUT] = "INSERT INTO lanes (name) VALUES (?1) RETURNING lane",
  [LANE_PAUSE] =
    "UPDATE lanes SET is_paused = ?2, resumed = resumed + (?2 = 0),"
    " changes = changes + 1 WHERE lane = ?1",
  [LANE_LAST] = "SELECT max(lane) FROM lanes",
  [LANE_COUNT] =
    "UPDATE lanes SET waiting = waiting + ?2, retrying = retrying + ?3,"
    " dead = dead + ?4, changes = changes + ?5 WHERE lane = ?1",
  [LANE_LOOK] =
    "SELECT is_paused, changes, resumed FROM lanes WHERE lane = ?1",
  [LANE_STATE] =
    "SELECT lane, is_paused, waiting, retrying, dead,"
    " (SELECT accepted_ms FROM events WHERE seq = (SELECT min(low) FROM"
    "   (SELECT min(seq) AS low FROM waiting WHERE lane = l.lane UNION ALL"
    "    SELECT min(seq) FROM retries WHERE lane = l.lane))),"
    " name FROM lanes AS l ORDER BY lane LIMIT 1 OFFSET ?1",

  [FRESH_TAKE] =
    "SELECT w.seq, e.accepted_ms, e.deliveries, m.crashes, e.body"
    " FROM waiting AS w CROSS JOIN events AS e ON e.seq = w.seq"
    " LEFT JOIN marks AS m ON m.lane = w.lane AND m.seq = w.seq"
    " WHERE w.lane = ?1 AND w.seq > ?2 ORDER BY w.seq",
  [RETRY_TAKE] =
    "SELECT r.seq, e.accepted_ms, e.deliveries, m.crashes, e.body,"
    " r.due_ms, r.attempts, r.first_ms"
    " FROM retries AS r CROSS JOIN events AS e ON e.seq = r.seq"
    " LEFT JOIN marks AS m ON m.lane = r.lane AND m.seq = r.seq"
    " WHERE r.lane = ?1 AND (r.due_ms, r.seq) > (?2, ?3)"
    " ORDER BY r.due_ms, r.seq",
  [RETRY_NEXT] =
    "SELECT due_ms, seq FROM retries"
    " WHERE lane = ?1 AND (due_ms, seq) > (?2, ?3) ORDER BY due_ms, seq",
  [RETRY_KEYS] =
    "SELECT seq, key, due_ms FROM retries WHERE lane = ?1 AND key != 0"
    " ORDER BY due_ms, seq",
  [FRESH_REMOVE] = "DELETE FROM waiting WHERE lane = ?1 AND seq = ?2",
  [RETRY_REMOVE] =
    "DELETE FROM retries WHERE lane = ?1 AND seq = ?2 AND due_ms = ?3",
  [RETRY_PUT] = "INSERT INTO retries VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
  [DEAD_PUT] =
    "INSERT INTO dead (lane, seq, died_ms, attempts, reason)"
    " VALUES (?1, ?2, ?3, ?4, ?5)",
  [HISTORY_PUT] =
    "INSERT INTO history (seq, lane, at_ms, end, attempts, status, reason,"
    " reference, via) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
  [MARK_PUT] =
    "INSERT INTO marks SELECT ?1, ?2, 1 WHERE"
    " EXISTS (SELECT 1 FROM waiting WHERE lane = ?1 AND seq = ?2)"
    " OR EXISTS (SELECT 1 FROM retries WHERE lane = ?1 AND seq = ?2)"
    " ON CONFLICT DO UPDATE SET crashes = crashes + 1",
  [MARK_REMOVE] = "DELETE FROM marks WHERE lane = ?1 AND seq = ?2",
  [EVENT_REMOVE] = "DELETE FROM events WHERE seq = ?1",
  [SHARE_LESS] =
    "UPDATE shares SET open = open - 1 WHERE seq = ?1 RETURNING open",
  [SHARE_REMOVE] = "DELETE FROM shares WHERE seq = ?1",

  [DEAD_LAST] = "SELECT max(n) FROM dead",
  [DEAD_NEXT] =
    "SELECT d.n, d.lane, d.seq, d.died_ms, d.attempts, e.deliveries,"
    " d.reason, e.body FROM dead AS d CROSS JOIN events AS e ON e.seq = d.seq"
    " WHERE d.n > ?1 AND d.n <= ?6"
    " AND (?2 = 0 OR d.lane = ?2) AND (?3 = 0 OR d.seq = ?3)"
    " AND (?4 = 0 OR d.died_ms < ?4) AND instr (d.reason, ?5) ORDER BY d.n",
  [DEAD_REMOVE] = "DELETE FROM dead WHERE n = ?1",

  [TRACE_ENDS] =
    "SELECT (SELECT min(seq) FROM accepted), (SELECT max(seq) FROM accepted)",
  [TRACE_EVENTS] =
    "SELECT seq FROM accepted WHERE seq > ?2 AND seq <= ?3 AND id = ?1"
    " ORDER BY seq",
  [TRACE_HISTORY] =
    "SELECT lane, at_ms, end, attempts, status, reason, reference, via"
    " FROM history WHERE n > ?2 AND n <= ?3 AND seq = ?1 ORDER BY n",
  [TRACE_LEFT] =
    "SELECT w.lane, e.accepted_ms, 0, 0, 0 FROM lanes AS l"
    " CROSS JOIN waiting AS w ON w.lane = l.lane AND w.seq = ?1"
    " CROSS JOIN events AS e ON e.seq = w.seq UNION ALL "
    "SELECT r.lane, e.accepted_ms, r.attempts, r.due_ms, 0 FROM lanes AS l"
    " CROSS JOIN retries AS r ON r.lane = l.lane AND r.seq = ?1"
    " CROSS JOIN events AS e ON e.seq = r.seq UNION ALL "
    "SELECT d.lane, e.accepted_ms, d.attempts, 0, 1 FROM dead AS d"
    " CROSS JOIN events AS e ON e.seq = d.seq WHERE d.seq = ?1 ORDER BY 1",
  [EVENT_NEXT] = "SELECT seq, body FROM events WHERE seq > ?1 ORDER BY seq",
  [FORGOTTEN_PUT] = "INSERT INTO temp.forgotten VALUES (?1)",

  [HISTORY_ENDS] =
    "SELECT (SELECT min(n) FROM history), (SELECT max(n) FROM history)",
  [HISTORY_FIRST] = "SELECT n, at_ms FROM history ORDER BY n",
  [HISTORY_CUT] = "DELETE FROM history WHERE n <= ?1",
  [ACCEPTED_OLD] =
    "SELECT a.seq, a.at_ms, e.seq FROM accepted AS a"
    " LEFT JOIN events AS e ON e.seq = a.seq WHERE a.seq > ?1 ORDER BY a.seq",
  [ACCEPTED_FROM] =
    "SELECT seq, at_ms FROM accepted WHERE seq >= ?1 ORDER BY seq",
  [ACCEPTED_REMOVE] = "DELETE FROM accepted WHERE seq = ?1",
};

static int
schema_refuse (struct sqlite_store *store, char *ret_reason, size_t size,
               const char *why)
{
  snprintf (ret_reason, size, "%s: %s", place_db_path (store->place), why);
  return -1;
}

static void
schema_make (struct db *db)
{
  unsigned char salt[16];
  struct buf sql = BUF_INIT (512);

  crypto_random (salt, sizeof salt);
  db_run_text (db, schema_file);
  db_begin (db);
  db_run_text (db, schema_tables);
  buf_add_text (&sql, "INSERT INTO store VALUES ('salt', x'");
  crypto_add_hex (&sql, salt, sizeof salt);
  buf_printf (&sql, "'); PRAGMA application_id=%d; PRAGMA user_version=%d",
              STORE_APPLICATION, STORE_VERSION);
  db_run_text (db, sql.data);
  buf_done (&sql);
  if (db_error (db) == QUEUE_OK)
    db_run_text (db, "COMMIT");
}

static int
schema_read_salt (struct sqlite_store *store)
{
  struct db_query *query = db_prepare (
    store->db, "SELECT value FROM store WHERE name = 'salt'");
  size_t len = 0;

  if (db_next (query)) {
    const char *salt = db_text (query, 0, &len);

    if (len == sizeof store->salt)
      memcpy (store->salt, salt, len);
    db_stop (query);
  }
  return len == sizeof store->salt ? 0 : -1;
}

int
sqlite_schema_ready (struct sqlite_store *store, char *ret_reason,
                     size_t size)
{
  struct db *db = store->db;
  int64_t version = db_number (db, "PRAGMA user_version");
  int64_t application = db_number (db, "PRAGMA application_id");
  int64_t n_tables = db_number (db, "SELECT count(*) FROM sqlite_schema");

  if (db_error (db) != QUEUE_OK)
    return schema_refuse (store, ret_reason, size, db_reason (db));
  if (n_tables == 0 && version == 0)
    schema_make (db);
  else if (application != STORE_APPLICATION)
    return schema_refuse (store, ret_reason, size,
                          "this is not a store of herald's");
  else if (version > STORE_VERSION)
    return schema_refuse (store, ret_reason, size,
                          "a newer herald has used it; install that again");
  db_run_text (db, schema_habits);
  if (db_error (db) != QUEUE_OK)
    return schema_refuse (store, ret_reason, size, db_reason (db));
  if (schema_read_salt (store) != 0)
    return schema_refuse (store, ret_reason, size, "its salt is missing");
  return 0;
}
