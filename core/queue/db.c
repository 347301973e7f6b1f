/* db.c - statements and transactions (only here: sqlite3).
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue/db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
  QUERIES_MOST = 96,
  WAIT_MS = 2000,               /* for programs that are not herald */
  WAIT_LOG_MS = 10              /* for those that read, to empty the log */
};

struct db_query {
  struct db *db;
  sqlite3_stmt *statement;
};

struct db {
  sqlite3 *handle;
  enum queue_error error;
  bool is_durable;
  char reason[200];
  struct db_query queries[QUERIES_MOST];
  size_t n_queries;
  struct db_query *begin, *begin_read, *commit;
};

/* A quota or a limit is a full disk as well, which SQLite knows only by
 * ENOSPC; and by the time it is asked, its errno may be another call's. */
static bool
db_is_full (sqlite3 *handle, int status)
{
  return (status & 0xff) == SQLITE_FULL || status == SQLITE_IOERR_SHMSIZE
    || (status == SQLITE_IOERR_WRITE && sqlite3_system_errno (handle) != EIO);
}

static enum queue_error
db_class (sqlite3 *handle, int status)
{
  if (db_is_full (handle, status))
    return QUEUE_FULL;
  switch (status & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return QUEUE_BUSY;
    case SQLITE_NOMEM:
      memory_exhausted ();
    default:
      return QUEUE_BROKEN;
  }
}

static void
db_fail (struct db *db, int status)
{
  static const char *const words[] = {
    [QUEUE_FULL] = "the disk is full",
    [QUEUE_BUSY] = "another program holds the store's lock",
    [QUEUE_BROKEN] = "the store can't be used"
  };

  if (db->error != QUEUE_OK)
    return;
  status = sqlite3_extended_errcode (db->handle) != SQLITE_OK
    ? sqlite3_extended_errcode (db->handle) : status;
  db->error = db_class (db->handle, status);
  snprintf (db->reason, sizeof db->reason, "%s: %s (SQLite %d)",
            words[db->error], sqlite3_errmsg (db->handle), status);
}

enum queue_error
db_error (const struct db *db)
{
  return db->error;
}

const char *
db_reason (const struct db *db)
{
  return db->reason;
}

void
db_clear (struct db *db)
{
  db->error = QUEUE_OK;
}

/* ------------------------------------------------------------------ */

struct db *
db_open (const char *path, char *ret_reason, size_t size)
{
  struct db *db = memory_zeroed (1, sizeof *db);
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX
    | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;

  if (sqlite3_open_v2 (path, &db->handle, flags, NULL) != SQLITE_OK) {
    snprintf (ret_reason, size, "%s: %s", path,
              db->handle != NULL ? sqlite3_errmsg (db->handle) : "no memory");
    db_close (db);
    return NULL;
  }
  /* herald's own lock comes first, so this is for those who look at the
   * store with another program. */
  sqlite3_busy_timeout (db->handle, WAIT_MS);
  sqlite3_db_config (db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  db->is_durable = true;
  return db;
}

void
db_close (struct db *db)
{
  if (db == NULL)
    return;
  for (size_t i = 0; i < db->n_queries; i++)
    sqlite3_finalize (db->queries[i].statement);
  sqlite3_close (db->handle);
  free (db);
}

void
db_run_text (struct db *db, const char *sql)
{
  int status;

  if (db->error != QUEUE_OK)
    return;
  status = sqlite3_exec (db->handle, sql, NULL, NULL, NULL);
  if (status != SQLITE_OK)
    db_fail (db, status);
}

int64_t
db_number (struct db *db, const char *sql)
{
  sqlite3_stmt *statement;
  int64_t value = 0;
  int status;

  if (db->error != QUEUE_OK)
    return 0;
  status = sqlite3_prepare_v2 (db->handle, sql, -1, &statement, NULL);
  if (status != SQLITE_OK) {
    db_fail (db, status);
    return 0;
  }
  status = sqlite3_step (statement);
  if (status == SQLITE_ROW)
    value = sqlite3_column_int64 (statement, 0);
  else if (status != SQLITE_DONE)
    db_fail (db, status);
  sqlite3_finalize (statement);
  return value;
}

struct db_query *
db_prepare (struct db *db, const char *sql)
{
  struct db_query *query;
  int status;

  if (db->error == QUEUE_OK && db->n_queries == QUERIES_MOST)
    db_fail (db, SQLITE_TOOBIG);
  if (db->error != QUEUE_OK)
    return NULL;
  query = &db->queries[db->n_queries];
  query->db = db;
  status = sqlite3_prepare_v3 (db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                               &query->statement, NULL);
  if (status != SQLITE_OK) {
    db_fail (db, status);
    return NULL;
  }
  db->n_queries++;
  return query;
}

/* ------------------------------------------------------------------ */

void
db_bind (struct db_query *query, int k, int64_t value)
{
  if (query != NULL)
    sqlite3_bind_int64 (query->statement, k, value);
}

void
db_bind_text (struct db_query *query, int k, const char *text, size_t len)
{
  if (query != NULL)
    sqlite3_bind_text64 (query->statement, k, text != NULL ? text : "", len,
                         SQLITE_STATIC, SQLITE_UTF8);
}

bool
db_next (struct db_query *query)
{
  int status;

  if (query == NULL || query->db->error != QUEUE_OK)
    return false;
  status = sqlite3_step (query->statement);
  if (status == SQLITE_ROW)
    return true;
  if (status != SQLITE_DONE)
    db_fail (query->db, status);
  sqlite3_reset (query->statement);
  return false;
}

void
db_stop (struct db_query *query)
{
  if (query != NULL)
    sqlite3_reset (query->statement);
}

int64_t
db_run (struct db_query *query)
{
  if (query == NULL || query->db->error != QUEUE_OK)
    return 0;
  while (db_next (query))
    ;
  return query->db->error == QUEUE_OK ? sqlite3_changes (query->db->handle)
                                      : 0;
}

int64_t
db_value (struct db_query *query, int column)
{
  return sqlite3_column_int64 (query->statement, column);
}

const char *
db_text (struct db_query *query, int column, size_t *ret_len)
{
  const char *text = sqlite3_column_blob (query->statement, column);

  *ret_len = (size_t) sqlite3_column_bytes (query->statement, column);
  return text != NULL ? text : "";
}

/* ------------------------------------------------------------------ */

static void
db_run_once (struct db *db, struct db_query **query, const char *sql)
{
  if (*query == NULL)
    *query = db_prepare (db, sql);
  db_run (*query);
}

void
db_begin_read (struct db *db)
{
  db_run_once (db, &db->begin_read, "BEGIN");
}

void
db_end_read (struct db *db)
{
  if (db->error != QUEUE_OK)
    db_rollback (db);
  else
    db_run_once (db, &db->commit, "COMMIT");
}

void
db_begin (struct db *db)
{
  db_run_once (db, &db->begin, "BEGIN IMMEDIATE");
}

enum queue_error
db_commit (struct db *db)
{
  enum queue_error error;

  db_run_once (db, &db->commit, "COMMIT");
  error = db->error;
  if (error != QUEUE_OK)
    db_rollback (db);
  return error;
}

/* SQLite rolls back by itself after some errors. */
void
db_rollback (struct db *db)
{
  db->error = QUEUE_OK;
  for (size_t i = 0; i < db->n_queries; i++)
    sqlite3_reset (db->queries[i].statement);
  if (!sqlite3_get_autocommit (db->handle))
    sqlite3_exec (db->handle, "ROLLBACK", NULL, NULL, NULL);
}

void
db_set_durable (struct db *db, bool is_durable)
{
  if (db->is_durable == is_durable)
    return;
  db_run_text (db, is_durable ? "PRAGMA synchronous=FULL"
                              : "PRAGMA synchronous=NORMAL");
  if (db->error == QUEUE_OK)
    db->is_durable = is_durable;
}

bool
db_checkpoint (struct db *db, bool is_truncated)
{
  int n_log = 0, n_moved = 0, status;

  sqlite3_busy_timeout (db->handle, WAIT_LOG_MS);
  status = sqlite3_wal_checkpoint_v2 (
    db->handle, NULL,
    is_truncated ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
    &n_log, &n_moved);
  sqlite3_busy_timeout (db->handle, WAIT_MS);
  return status == SQLITE_OK && n_log == n_moved;
}
