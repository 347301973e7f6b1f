/* test-queue-store.c - the files of SQLite's engine: whose, how large, full.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue-fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/date.h"
#include "queue/seen.h"
#include "queue/sqlite_store.h"

static void
assert_refused (struct queue_fixture *fixture, const char *why)
{
  char reason[256] = "";

  assert_null (queue_open (&fixture->config, reason, sizeof reason));
  if (strstr (reason, why) == NULL)
    fail_msg ("\"%s\" is not why: %s", why, reason);
}

/* Who accepts without a pause forgets ids as the window moves on, though
 * nobody has it tidied. */
static void
test_window_moves_on (void **state)
{
  enum { ROUNDS = 60, EACH = 2000 };
  struct queue_fixture *fixture = *state;
  static char ids[EACH][24];
  static struct queue_event events[EACH];
  static enum queue_answer answers[EACH];
  char reason[256];

  queue_close (fixture->queue);
  fixture->config.window_ms = 200;
  fixture->queue = queue_open (&fixture->config, reason, sizeof reason);
  assert_non_null (fixture->queue);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < EACH; i++) {
      snprintf (ids[i], sizeof ids[i], "%d-%d", round, i);
      events[i] = (struct queue_event) { .source = "s", .id = ids[i],
                                         .body = "{}", .len = 2 };
    }
    assert_int_equal (queue_put (fixture->queue, events, EACH, answers),
                      QUEUE_OK);
    usleep (20 * 1000);
  }
  /* All of them would be 8 bytes each at least. */
  assert_in_range (seen_bytes (sqlite_store_of (fixture->queue)->seen), 1,
                   ROUNDS * EACH * 8);
  assert_int_equal (queue_put (fixture->queue, events, EACH, answers),
                    QUEUE_OK);
  assert_int_equal (answers[EACH - 1], QUEUE_SEEN);
}

static void
test_modes (void **state)
{
  struct queue_fixture *fixture = *state;
  struct stat about;
  struct dirent *entry;
  DIR *directory;
  char path[400];
  size_t n = 0;

  fixture_put (fixture->queue, "1", "", queue_lane (fixture->queue, "crm"),
               0);
  assert_int_equal (stat (fixture->store, &about), 0);
  assert_int_equal (about.st_mode & 07777, 0700);
  directory = opendir (fixture->store);
  assert_non_null (directory);
  while ((entry = readdir (directory)) != NULL) {
    snprintf (path, sizeof path, "%s/%s", fixture->store, entry->d_name);
    assert_int_equal (stat (path, &about), 0);
    if (!S_ISREG (about.st_mode))
      continue;
    assert_int_equal (about.st_mode & 07777, 0600);
    n++;
  }
  closedir (directory);
  assert_int_equal (n, 6);
}

static void
test_refusals (void **state)
{
  struct queue_fixture *fixture = *state;
  char path[160];

  queue_close (fixture->queue);
  fixture->queue = NULL;
  assert_int_equal (chmod (fixture->store, 0750), 0);
  assert_refused (fixture, "chmod 0700");
  assert_int_equal (chmod (fixture->store, 0700), 0);
  fixture->config.where = "/nowhere/at/all";
  assert_refused (fixture, "/nowhere/at/all");
  fixture->config.where = fixture->store;
  snprintf (path, sizeof path, "%s/bell", fixture->store);
  assert_int_equal (unlink (path), 0);
  assert_int_equal (symlink ("/etc/passwd", path), 0);
  assert_refused (fixture, "bell");
  assert_int_equal (unlink (path), 0);
  fixture->queue = fixture_open (fixture);
}

/* PRAGMAs without a row. */
static void
store_change (const char *store, const char *sql)
{
  char path[128];
  sqlite3 *db;

  snprintf (path, sizeof path, "%s/store.db", store);
  assert_int_equal (sqlite3_open (path, &db), SQLITE_OK);
  assert_int_equal (sqlite3_exec (db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close (db);
}

static void
test_versions (void **state)
{
  struct queue_fixture *fixture = *state;
  char path[128];
  FILE *file;

  queue_close (fixture->queue);
  fixture->queue = NULL;
  store_change (fixture->store, "PRAGMA user_version = 99");
  assert_refused (fixture, "newer herald");
  store_change (fixture->store,
                "PRAGMA user_version = 1; PRAGMA application_id = 5");
  assert_refused (fixture, "not a store");
  snprintf (path, sizeof path, "%s/store.db", fixture->store);
  file = fopen (path, "w");
  assert_non_null (file);
  for (int i = 0; i < 5000; i++)
    fputs ("this is a diary\n", file);
  fclose (file);
  assert_refused (fixture, "store.db");
}

/* Someone looks with the sqlite3 shell while herald works. */
static void
test_onlooker (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");

  fixture_put (fixture->queue, "1", "{\"score\":7}", lane, 0);
  assert_int_equal (fixture_query (fixture->store,
    "SELECT json_extract (body, '$.score') FROM events"
    " JOIN waiting USING (seq) JOIN lanes USING (lane)"
    " WHERE name = 'crm'"), 7);
  fixture_put (fixture->queue, "2", "{}", lane, 0);
  fixture_assert_whole (fixture->store);
}

/* ------------------------------------------------------------------ */

static bool
has_word (void *data, const char *body, size_t len)
{
  return memmem (body, len, data, strlen (data)) != NULL;
}

static size_t
count_word (const char *path, const char *word)
{
  static char bytes[64 << 20];
  FILE *file = fopen (path, "r");
  size_t len, n = 0;
  const char *at;

  if (file == NULL)
    return 0;
  len = fread (bytes, 1, sizeof bytes, file);
  fclose (file);
  for (at = bytes; (at = memmem (at, len - (size_t) (at - bytes), word,
                                 strlen (word))) != NULL; at++)
    n++;
  return n;
}

static size_t
count_word_in_store (const char *store, const char *word)
{
  static const char *const names[] = { "store.db", "store.db-wal",
                                       "store.db-shm", "reserve" };
  char path[128];
  size_t n = 0;

  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf (path, sizeof path, "%s/%s", store, names[i]);
    n += count_word (path, word);
  }
  return n;
}

/* Of events that wait, that died, that were delivered long ago, large and
 * small. */
static void
test_forget_leaves_nothing (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm");
  static char word[] = "ada.lovelace@analytical.example";
  static char body[60001];
  char id[16];
  uint64_t n;

  assert_true (queue_own (queue, lane));
  for (size_t i = 0; i < 600; i++) {
    size_t len = i % 100 == 7 ? 60000 : 50 + i;

    memset (body, ' ', len);
    body[len] = '\0';
    if (i % 3 == 0)
      memcpy (body + len - strlen (word), word, strlen (word));
    snprintf (id, sizeof id, "%zu", i);
    fixture_put (queue, id, body, lane, 0);
    if (i % 5 != 0)
      continue;
    fixture_take (fixture, lane, 1, 1);
    fixture_settle (queue, lane, fixture->items[0].seq,
                    i % 2 ? QUEUE_DEAD : QUEUE_DELIVERED, 0);
  }
  assert_true (count_word_in_store (fixture->store, word) > 100);
  assert_int_equal (queue_forget (queue, has_word, word, &n), QUEUE_OK);
  assert_in_range (n, 100, 200);
  assert_int_equal (count_word_in_store (fixture->store, word), 0);
  fixture_assert_whole (fixture->store);
}

/* ------------------------------------------------------------------ */
/* Sizes. */

static enum queue_error
put_large (struct queue *queue, uint32_t lane, size_t first, size_t n,
           size_t len)
{
  enum { MOST = 50 };
  static char body[20000];
  struct queue_event events[MOST];
  enum queue_answer answers[MOST];
  char ids[MOST][16];

  assert_true (n <= MOST && len <= sizeof body);
  for (size_t i = 0; i < n; i++) {
    snprintf (ids[i], sizeof ids[i], "%zu", first + i);
    events[i] = (struct queue_event) {
      .source = "/s", .id = ids[i], .body = body, .len = len,
      .lanes = &lane, .n_lanes = 1 };
  }
  return queue_put (queue, events, n, answers);
}

static size_t
deliver_all (struct queue_fixture *fixture, uint32_t lane)
{
  struct queue_settlement settlements[FIXTURE_MOST];
  size_t n = 0;

  while (fixture_take (fixture, lane, 1, FIXTURE_MOST) > 0) {
    for (size_t i = 0; i < fixture->n; i++)
      settlements[i] = (struct queue_settlement) {
        .lane = lane, .seq = fixture->items[i].seq, .end = QUEUE_DELIVERED,
        .reason = "", .reference = "", .via = "" };
    assert_int_equal (queue_settle (fixture->queue, settlements, fixture->n),
                      QUEUE_OK);
    n += fixture->n;
  }
  return n;
}

/* A backlog that is gone gives back its space, by small steps. */
static void
test_shrinks (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");
  int64_t large, start_us, longest_us = 0, gone_us;
  bool is_done = false;
  int n_long = 0;

  for (size_t i = 0; i < 12000; i += 50)
    assert_int_equal (put_large (fixture->queue, lane, i, 50, 15000),
                      QUEUE_OK);
  large = queue_bytes (fixture->queue);
  assert_true (large > 180 << 20);
  assert_true (queue_own (fixture->queue, lane));
  assert_int_equal (deliver_all (fixture, lane), 12000);
  for (size_t i = 0; i < 100000 && !is_done; i++) {
    start_us = date_monotonic_us ();
    assert_int_equal (queue_tidy (fixture->queue, date_now_ms (), &is_done),
                      QUEUE_OK);
    gone_us = date_monotonic_us () - start_us;
    n_long += gone_us > 500000;
    if (gone_us > longest_us)
      longest_us = gone_us;
  }
  print_message ("# the longest step took %ld us\n", (long) longest_us);
  assert_true (is_done);
  /* The machine may stand still now and then; a step that is too large
     comes again and again. */
  assert_true (n_long <= 2);
  print_message ("# %ld bytes, then %ld\n", (long) large,
                 (long) queue_bytes (fixture->queue));
  assert_true (queue_bytes (fixture->queue) < 130 << 20);
  fixture_assert_whole (fixture->store);
}

/* The log stays small under load, with another process that reads. */
static void
test_log_is_bounded (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");
  struct queue *other = fixture_open (fixture);
  char path[128];
  struct stat about;
  off_t largest = 0;

  snprintf (path, sizeof path, "%s/store.db-wal", fixture->store);
  assert_true (queue_own (fixture->queue, lane));
  for (size_t i = 0; i < 5000; i += 50) {
    assert_int_equal (put_large (fixture->queue, lane, i, 50, 15000),
                      QUEUE_OK);
    fixture_state (other, lane);
    deliver_all (fixture, lane);
    assert_int_equal (stat (path, &about), 0);
    if (about.st_size > largest)
      largest = about.st_size;
  }
  queue_close (other);
  assert_true (largest < 20 << 20);
}

/* ------------------------------------------------------------------ */
/* Full disks: in a child, so that limits and mounts end with it. */

static void
child_check (bool is_well, const char *what)
{
  if (is_well)
    return;
  fprintf (stderr, "full disk: %s\n", what);
  _exit (1);
}

static void
drain (struct queue *queue, uint32_t lane, size_t expected)
{
  struct queue_item items[10];
  struct queue_settlement settlements[10];
  enum queue_error error;
  size_t n, n_out = 0;

  do {
    error = queue_take (queue, lane, 1, 10, items, &n);
    child_check (error == QUEUE_OK, queue_reason (queue));
    for (size_t i = 0; i < n; i++)
      settlements[i] = (struct queue_settlement) {
        .lane = lane, .seq = items[i].seq, .end = QUEUE_DELIVERED,
        .reason = "", .reference = "", .via = "" };
    error = queue_settle (queue, settlements, n);
    child_check (error == QUEUE_OK, queue_reason (queue));
    n_out += n;
  } while (n > 0);
  child_check (n_out == expected, "what was accepted is there, no more");
}

static size_t
fill (struct queue *queue, uint32_t lane)
{
  enum queue_error error = QUEUE_OK;
  size_t n = 0;

  while (error == QUEUE_OK && n < 20000) {
    error = put_large (queue, lane, n, 10, 10000);
    n += error == QUEUE_OK ? 10 : 0;
  }
  child_check (error == QUEUE_FULL, queue_reason (queue));
  child_check (n > 100, "some was accepted");
  for (int i = 0; i < 5; i++)
    child_check (put_large (queue, lane, n, 10, 10000) == QUEUE_FULL,
                 "it stays full");
  return n;
}

/* Put until it is full, begin anew, go on delivering, be well again once
 * there is room. */
static void
fill_and_drain (const struct queue_config *config, void (*relieve) (void))
{
  char reason[256];
  struct queue *queue = queue_open (config, reason, sizeof reason);
  enum queue_error error = QUEUE_FULL;
  uint32_t lane;
  size_t n;
  bool is_done;

  child_check (queue != NULL, reason);
  lane = queue_lane (queue, "crm");
  n = fill (queue, lane);
  queue_close (queue);
  queue = queue_open (config, reason, sizeof reason);
  child_check (queue != NULL, reason);
  child_check (queue_own (queue, lane), "it owns");
  relieve ();
  drain (queue, lane, n);
  for (int i = 0; i < 500 && error == QUEUE_FULL; i++) {
    error = put_large (queue, lane, n + 100, 10, 10000);
    child_check (queue_tidy (queue, date_now_ms (), &is_done) == QUEUE_OK,
                 queue_reason (queue));
    usleep (10000);
  }
  child_check (error == QUEUE_OK, "it accepts again");
  queue_close (queue);
}

static int
in_child (struct queue_fixture *fixture,
          void (*run) (struct queue_fixture *fixture))
{
  int status;
  pid_t child;

  fflush (NULL);
  child = fork ();
  if (child == 0) {
    run (fixture);
    _exit (0);
  }
  assert_true (waitpid (child, &status, 0) == child);
  return WIFEXITED (status) ? WEXITSTATUS (status) : 128;
}

static void
no_relief (void)
{
}

/* A limit of each file: no reserve helps against that. */
static void
lift_limit (void)
{
  struct rlimit limit;

  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_FSIZE, &limit);
}

static void
run_limited (struct queue_fixture *fixture)
{
  struct rlimit limit;

  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = 24 << 20;
  setrlimit (RLIMIT_FSIZE, &limit);
  fill_and_drain (&fixture->config, lift_limit);
}

static void
test_file_limit (void **state)
{
  struct queue_fixture *fixture = *state;

  assert_int_equal (in_child (fixture, run_limited), 0);
  fixture_assert_whole (fixture->store);
}

/* A small disk, where one may be had: with 77, the limit above is all. */
static void
run_small_disk (struct queue_fixture *fixture)
{
  char path[100];

  snprintf (path, sizeof path, "%s/disk", fixture->directory);
  if (mkdir (path, 0700) != 0
      || mount ("tmpfs", path, "tmpfs", 0, "size=64m,mode=0700") != 0)
    _exit (77);
  fixture->config.where = path;
  fill_and_drain (&fixture->config, no_relief);
  fixture_assert_whole (path);
}

static void
test_small_disk (void **state)
{
  struct queue_fixture *fixture = *state;
  char path[100];
  int status = in_child (fixture, run_small_disk);

  snprintf (path, sizeof path, "%s/disk", fixture->directory);
  umount2 (path, MNT_DETACH);
  if (status == 77)
    print_message ("# no tmpfs may be mounted here\n");
  else
    assert_int_equal (status, 0);
}

/* How commits reach the disk is what it was told last, also after an error
 * that kept it from being set. */
static void
test_durable_after_an_error (void **state)
{
  struct queue_fixture *fixture = *state;
  char path[120], reason[200];
  struct db *db;

  snprintf (path, sizeof path, "%s/store.db", fixture->store);
  db = db_open (path, reason, sizeof reason);
  assert_non_null (db);
  db_set_durable (db, false);
  assert_int_equal (db_number (db, "PRAGMA synchronous"), 1);
  db_run_text (db, "nothing that is known");
  db_set_durable (db, true);
  db_rollback (db);
  db_set_durable (db, true);
  assert_int_equal (db_number (db, "PRAGMA synchronous"), 2);
  db_close (db);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    FOR_SQLITE (test_modes),
    FOR_SQLITE (test_window_moves_on),
    FOR_SQLITE (test_refusals),
    FOR_SQLITE (test_versions),
    FOR_SQLITE (test_onlooker),
    FOR_SQLITE (test_forget_leaves_nothing),
    FOR_SQLITE (test_shrinks),
    FOR_SQLITE (test_log_is_bounded),
    FOR_SQLITE (test_file_limit),
    FOR_SQLITE (test_small_disk),
    FOR_SQLITE (test_durable_after_an_error),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
