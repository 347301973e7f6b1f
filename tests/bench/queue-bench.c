/* queue-bench.c - what the queue costs, beside the same commits bare.
 *
 * usage: queue-bench [EVENTS [WAITING]]
 *
 * In and out: EVENTS of 500 bytes are put in groups, taken and settled, by
 * the queue, by a bare SQLite program with the same rows in the same
 * commits, and as plain bytes written and synced as often.  They take turns,
 * and medians of three are compared.
 *
 * Waiting: WAITING events are put and nobody takes them; a fresh process
 * then opens the store, reads the ids of the window, owns the lane and
 * takes the first.
 *
 * The store lies in TMPDIR, else in the current directory: a disk, not a
 * tmpfs, or the syncs cost nothing.  Exits 1 if a requirement is missed.
 *
 * SPDX-License-Identifier: MIT
 */

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "queue/queue.h"

enum { BODY_LEN = 500, GROUP_MOST = 1000, ROUNDS = 3 };

static char directory[256], store[300];
static int n_missed;

static double
now (void)
{
  struct timespec at;

  clock_gettime (CLOCK_MONOTONIC, &at);
  return (double) at.tv_sec + (double) at.tv_nsec / 1e9;
}

static void
check (bool is_well, const char *what)
{
  if (is_well)
    return;
  fprintf (stderr, "queue-bench: %s\n", what);
  exit (2);
}

static void
require (const char *what, double value, double limit, bool is_ceiling)
{
  bool is_met = is_ceiling ? value < limit : value >= limit;

  printf ("  %s %s: %.2f, required %s %g\n", is_met ? "PASS" : "FAIL", what,
          value, is_ceiling ? "<" : ">=", limit);
  n_missed += !is_met;
}

static int
remove_one (const char *path, const struct stat *about, int type,
            struct FTW *where)
{
  (void) about;
  (void) type;
  (void) where;
  return remove (path);
}

static void
clean (void)
{
  nftw (store, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *
body (void)
{
  static char text[BODY_LEN + 1];

  memset (text, 'x', BODY_LEN);
  return text;
}

/* ------------------------------------------------------------------ */
/* The queue. */

static struct queue *
queue_of_store (void)
{
  static const int64_t day_ms = 86400000;
  struct queue_config config = {
    .engine = "sqlite", .where = store, .window_ms = day_ms,
    .history_ms = 30 * day_ms, .history_rows = 1000000 };
  char reason[256];
  struct queue *queue = queue_open (&config, reason, sizeof reason);

  check (queue != NULL, reason);
  return queue;
}

static void
put_group (struct queue *queue, uint32_t lane, size_t first, size_t n)
{
  static struct queue_event events[GROUP_MOST];
  static enum queue_answer answers[GROUP_MOST];
  static char ids[GROUP_MOST][40];

  for (size_t i = 0; i < n; i++) {
    snprintf (ids[i], sizeof ids[i], "01234567-89ab-cdef-%016zx", first + i);
    events[i] = (struct queue_event) {
      .source = "/games/summer", .id = ids[i], .body = body (),
      .len = BODY_LEN, .lanes = &lane, .n_lanes = 1 };
  }
  check (queue_put (queue, events, n, answers) == QUEUE_OK,
         queue_reason (queue));
}

static void
deliver_group (struct queue *queue, uint32_t lane, size_t n)
{
  static struct queue_item items[GROUP_MOST];
  static struct queue_settlement settlements[GROUP_MOST];
  size_t n_taken;

  check (queue_take (queue, lane, 1, n, items, &n_taken) == QUEUE_OK
         && n_taken == n, queue_reason (queue));
  for (size_t i = 0; i < n; i++)
    settlements[i] = (struct queue_settlement) {
      .lane = lane, .seq = items[i].seq, .end = QUEUE_DELIVERED,
      .attempts = 1, .at_ms = 1, .status = 200, .reason = "",
      .reference = "", .via = "" };
  check (queue_settle (queue, settlements, n) == QUEUE_OK,
         queue_reason (queue));
}

static void
run_queue (size_t n, size_t group)
{
  struct queue *queue = queue_of_store ();
  uint32_t lane = queue_lane (queue, "crm");

  check (queue_own (queue, lane), "the lane is not free");
  for (size_t i = 0; i < n; i += group) {
    put_group (queue, lane, i, group);
    deliver_group (queue, lane, group);
  }
  queue_close (queue);
}

/* ------------------------------------------------------------------ */
/* The same rows, bare. */

enum { BEGIN, COMMIT, PUT_ID, PUT_EVENT, PUT_WAITING, TAKE, GO_WAITING,
       PUT_HISTORY, GO_EVENT, BARE_STATEMENTS };

static const char *const bare_statements[BARE_STATEMENTS] = {
  [BEGIN] = "BEGIN IMMEDIATE", [COMMIT] = "COMMIT",
  [PUT_ID] = "INSERT INTO accepted VALUES (?1, ?1, ?1,"
             " '01234567-89ab-cdef-0123456789abcdef')",
  [PUT_EVENT] = "INSERT INTO events VALUES (?1, ?1, 1, ?2)",
  [PUT_WAITING] = "INSERT INTO waiting VALUES (1, ?1)",
  [TAKE] = "SELECT body FROM waiting JOIN events USING (seq)"
           " WHERE lane = 1 AND seq = ?1",
  [GO_WAITING] = "DELETE FROM waiting WHERE lane = 1 AND seq = ?1",
  [PUT_HISTORY] = "INSERT INTO history VALUES (NULL, ?1, 1, 1, 0, 1, 200,"
                  " '', '', '')",
  [GO_EVENT] = "DELETE FROM events WHERE seq = ?1"
};

static const char bare_tables[] =
  "PRAGMA page_size=16384; PRAGMA auto_vacuum=INCREMENTAL;"
  "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
  "PRAGMA cache_size=-8192; PRAGMA wal_autocheckpoint=512;"
  "CREATE TABLE accepted (seq INTEGER PRIMARY KEY, at_ms, hash, id);"
  "CREATE TABLE events (seq INTEGER PRIMARY KEY, at_ms, n, body);"
  "CREATE TABLE waiting (lane, seq, PRIMARY KEY (lane, seq)) WITHOUT ROWID;"
  "CREATE TABLE history (n INTEGER PRIMARY KEY, seq, lane, at_ms, e, a, s,"
  " reason, reference, via);";

static void
bare_step (sqlite3_stmt *statement, size_t seq)
{
  if (sqlite3_bind_parameter_count (statement) > 0)
    sqlite3_bind_int64 (statement, 1, (sqlite3_int64) seq);
  while (sqlite3_step (statement) == SQLITE_ROW)
    ;
  check (sqlite3_reset (statement) == SQLITE_OK, "bare SQLite failed");
}

static void
bare_group (sqlite3_stmt **statements, size_t first, size_t n)
{
  bare_step (statements[BEGIN], 0);
  for (size_t i = first; i < first + n; i++)
    for (int k = PUT_ID; k <= PUT_WAITING; k++)
      bare_step (statements[k], i);
  bare_step (statements[COMMIT], 0);
  for (size_t i = first; i < first + n; i++)
    bare_step (statements[TAKE], i);
  bare_step (statements[BEGIN], 0);
  for (size_t i = first; i < first + n; i++)
    for (int k = GO_WAITING; k <= GO_EVENT; k++)
      bare_step (statements[k], i);
  bare_step (statements[COMMIT], 0);
}

static void
run_bare (size_t n, size_t group)
{
  sqlite3_stmt *statements[BARE_STATEMENTS];
  char path[320];
  sqlite3 *db;

  check (mkdir (store, 0700) == 0, store);
  snprintf (path, sizeof path, "%s/bare.db", store);
  check (sqlite3_open (path, &db) == SQLITE_OK
         && sqlite3_exec (db, bare_tables, NULL, NULL, NULL) == SQLITE_OK,
         "bare SQLite can't begin");
  for (int k = 0; k < BARE_STATEMENTS; k++)
    check (sqlite3_prepare_v2 (db, bare_statements[k], -1, &statements[k],
                               NULL) == SQLITE_OK, bare_statements[k]);
  sqlite3_bind_text (statements[PUT_EVENT], 2, body (), BODY_LEN,
                     SQLITE_STATIC);
  for (size_t i = 0; i < n; i += group)
    bare_group (statements, i + 1, group);
  for (int k = 0; k < BARE_STATEMENTS; k++)
    sqlite3_finalize (statements[k]);
  sqlite3_close (db);
}

/* Two records for a group, each synced. */
static void
run_bytes (size_t n, size_t group)
{
  static char bytes[GROUP_MOST * (BODY_LEN + 100)];
  char path[320];
  int fd;

  check (mkdir (store, 0700) == 0, store);
  snprintf (path, sizeof path, "%s/bytes", store);
  fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  check (fd >= 0, path);
  for (size_t i = 0; i < n; i += group) {
    ssize_t in = (ssize_t) (group * (BODY_LEN + 100));
    ssize_t out = (ssize_t) (group * 100);

    check (write (fd, bytes, (size_t) in) == in && fdatasync (fd) == 0
           && write (fd, bytes, (size_t) out) == out && fdatasync (fd) == 0,
           "bytes can't be written");
  }
  close (fd);
}

/* ------------------------------------------------------------------ */

static const struct {
  const char *name;
  void (*run) (size_t n, size_t group);
} programs[] = {
  { "queue", run_queue }, { "SQLite", run_bare }, { "bytes", run_bytes }
};
enum { PROGRAMS = sizeof programs / sizeof *programs };

static int
compare (const void *a, const void *b)
{
  const double *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

static void
bench_flow (size_t n, size_t group, double least)
{
  double rates[PROGRAMS][ROUNDS];

  n -= n % group;
  for (int round = 0; round < ROUNDS; round++)
    for (int k = 0; k < PROGRAMS; k++) {
      double start;

      clean ();
      start = now ();
      programs[k].run (n, group);
      rates[k][round] = (double) n / (now () - start);
    }
  clean ();
  printf ("\nin and out: %zu events in groups of %zu\n", n, group);
  printf ("  %-20s%10s%10s%8s\n", "", "a second", "us each", "ratio");
  for (int k = 0; k < PROGRAMS; k++)
    qsort (rates[k], ROUNDS, sizeof (double), compare);
  for (int k = 0; k < PROGRAMS; k++)
    printf ("  %-20s%10.0f%10.1f%8.2f\n", programs[k].name,
            rates[k][ROUNDS / 2], 1e6 / rates[k][ROUNDS / 2],
            rates[k][ROUNDS / 2] / rates[1][ROUNDS / 2]);
  require ("rate beside bare SQLite",
           rates[0][ROUNDS / 2] / rates[1][ROUNDS / 2], least, false);
}

static double
resident_mib (void)
{
  FILE *file = fopen ("/proc/self/status", "r");
  char line[128];
  double kib = 0;

  while (file != NULL && fgets (line, sizeof line, file) != NULL)
    if (strncmp (line, "VmHWM:", 6) == 0)
      kib = strtod (line + 6, NULL);
  if (file != NULL)
    fclose (file);
  return kib / 1024;
}

/* What a fresh process finds. */
static int
run_fresh (void)
{
  struct queue_item item;
  struct queue_lane_state state;
  double start = now (), opened, seen, taken, looked;
  struct queue *queue = queue_of_store ();
  uint32_t lane;
  size_t n;

  opened = now ();
  check (queue_put (queue, NULL, 0, NULL) == QUEUE_OK, queue_reason (queue));
  seen = now ();
  lane = queue_lane (queue, "crm");
  check (queue_own (queue, lane)
         && queue_take (queue, lane, 1, 1, &item, &n) == QUEUE_OK && n == 1,
         queue_reason (queue));
  taken = now ();
  check (queue_lane_state (queue, 0, &lane, &state), "no state");
  looked = now ();
  printf ("  open %.0f ms, ids of the window %.0f ms, own and take %.1f ms, "
          "state of the lane %.2f ms, %.2f GB\n", (opened - start) * 1e3,
          (seen - opened) * 1e3, (taken - seen) * 1e3,
          (looked - taken) * 1e3, (double) queue_bytes (queue) / 1e9);
  require ("seconds until the first is taken", taken - start, 1, true);
  require ("ms for the state of a lane", (looked - taken) * 1e3, 5, true);
  require ("peak memory, MiB", resident_mib (), 64, true);
  queue_close (queue);
  return n_missed > 0;
}

static void
bench_waiting (const char *self, size_t n)
{
  struct queue *queue;
  double start = now ();
  uint32_t lane;
  int status;
  pid_t child;

  clean ();
  queue = queue_of_store ();
  lane = queue_lane (queue, "crm");
  for (size_t i = 0; i < n; i += GROUP_MOST)
    put_group (queue, lane, i, GROUP_MOST);
  queue_close (queue);
  printf ("\nwaiting: %zu events, put in groups of %d, %.0f a second\n", n,
          GROUP_MOST, (double) n / (now () - start));
  fflush (NULL);
  child = fork ();
  if (child == 0) {
    execl (self, self, "--fresh", store, (char *) NULL);
    _exit (2);
  }
  check (waitpid (child, &status, 0) == child, "no child");
  n_missed += status != 0;
  clean ();
}

int
main (int argc, char *argv[])
{
  const char *top = getenv ("TMPDIR") != NULL ? getenv ("TMPDIR") : ".";
  size_t n = argc > 1 ? strtoul (argv[1], NULL, 10) : 100000;
  size_t waiting = argc > 2 ? strtoul (argv[2], NULL, 10) : 1000000;

  if (argc == 3 && strcmp (argv[1], "--fresh") == 0) {
    snprintf (store, sizeof store, "%s", argv[2]);
    return run_fresh ();
  }
  snprintf (directory, sizeof directory, "%s/queue-bench.XXXXXX", top);
  check (mkdtemp (directory) != NULL, directory);
  snprintf (store, sizeof store, "%s/store", directory);
  bench_flow (n / 20, 1, 0.5);
  bench_flow (n, 100, 0.5);
  bench_waiting ("/proc/self/exe", waiting);
  rmdir (directory);
  return n_missed > 0;
}
