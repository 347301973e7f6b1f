/* db.h - statements and transactions (only here: sqlite3).
 *
 * Errors stick: after the first, nothing is done until db_rollback () or
 * db_clear (), every row is the last and every value 0.  So what belongs
 * together is written down in one go, and looked at once, at its end.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_DB_H
#define HERALD_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/queue.h"

struct db;
struct db_query;

/* The file exists.  NULL with a reason. */
struct db *db_open (const char *path, char *ret_reason, size_t size);
void db_close (struct db *db);                  /* NULL is fine */

enum queue_error db_error (const struct db *db);
/* Why; static or as long as the next call. */
const char *db_reason (const struct db *db);
void db_clear (struct db *db);

/* SQL without results. */
void db_run_text (struct db *db, const char *sql);
/* The first value of SQL's first row. */
int64_t db_number (struct db *db, const char *sql);

/* A statement for the life of db; NULL is an error that sticks. */
struct db_query *db_prepare (struct db *db, const char *sql);

/* Values of a statement's ?1, ?2 ...; text must stay until it is run to
 * its end or stopped. */
void db_bind (struct db_query *query, int k, int64_t value);
void db_bind_text (struct db_query *query, int k, const char *text,
                   size_t len);
/* Is there a (further) row?  After the last it may be bound again. */
bool db_next (struct db_query *query);
void db_stop (struct db_query *query);          /* before the last row */
/* All of it; the number of rows changed. */
int64_t db_run (struct db_query *query);

int64_t db_value (struct db_query *query, int column);
/* Until the next db_next; not NUL-terminated, never NULL. */
const char *db_text (struct db_query *query, int column, size_t *ret_len);

void db_begin_read (struct db *db);
void db_end_read (struct db *db);
void db_begin (struct db *db);
/* On failure it is rolled back. */
enum queue_error db_commit (struct db *db);
void db_rollback (struct db *db);

/* Does a commit wait until it is on disk? (at first: yes) */
void db_set_durable (struct db *db, bool is_durable);

/* Move what the log holds to the main file, and is_truncated: leave it
 * empty.  Hardly waits for those who read; false: not all of it. */
bool db_checkpoint (struct db *db, bool is_truncated);

#endif
