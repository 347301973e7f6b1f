/* test-queue-processes.c - one store, several processes, some of them killed.
 *
 * A child opens the store for itself, tells its parent through a pipe what
 * it was promised, and is killed wherever it happens to be.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/lock.h"

enum { IDS_MOST = 200000 };

struct child {
  pid_t pid;
  int told_fd;                  /* what it tells: numbers of four bytes */
};

/* In the child: nothing of its parent's may be used or given back. */
typedef void child_fn (struct queue *queue, uint32_t lane, int tell_fd);

static void
child_check (bool is_well)
{
  if (!is_well)
    _exit (1);
}

static struct child
child_start (struct queue_fixture *fixture, child_fn *fn)
{
  struct child child;
  char reason[256];
  int ends[2];

  assert_int_equal (pipe2 (ends, O_CLOEXEC), 0);
  fflush (NULL);
  child.pid = fork ();
  assert_true (child.pid >= 0);
  if (child.pid == 0) {
    struct queue *queue = queue_open (&fixture->config, reason,
                                      sizeof reason);

    close (ends[0]);
    child_check (queue != NULL);
    fn (queue, queue_lane (queue, "crm"), ends[1]);
    queue_close (queue);
    _exit (0);
  }
  close (ends[1]);
  child.told_fd = ends[0];
  return child;
}

/* Its exit status; 128 and more: killed. */
static int
child_end (struct child *child, int signal_number)
{
  int status;

  if (signal_number != 0)
    kill (child->pid, signal_number);
  assert_true (waitpid (child->pid, &status, 0) == child->pid);
  return WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
}

static void
child_tell (int tell_fd, uint32_t number)
{
  child_check (write (tell_fd, &number, sizeof number) == sizeof number);
}

/* All it has told so far; at its end if is_whole. */
static size_t
child_told (const struct child *child, uint32_t *numbers, bool is_whole)
{
  size_t n = 0;
  ssize_t len;

  fcntl (child->told_fd, F_SETFL, is_whole ? 0 : O_NONBLOCK);
  while ((len = read (child->told_fd, &numbers[n], sizeof *numbers)) > 0) {
    assert_int_equal (len, sizeof *numbers);
    n++;
    assert_true (n < IDS_MOST);
  }
  return n;
}

static void
nap_us (long us)
{
  struct timespec nap = { us / 1000000, us % 1000000 * 1000 };

  nanosleep (&nap, NULL);
}

/* Numbers first to first + n - 1 in one commit; how many were new. */
static size_t
put_group (struct queue *queue, uint32_t lane, uint32_t first, size_t n)
{
  enum { MOST = 100 };
  struct queue_event events[MOST];
  enum queue_answer answers[MOST];
  char ids[MOST][16];
  size_t n_new = 0;

  for (size_t i = 0; i < n; i++) {
    snprintf (ids[i], sizeof ids[i], "%u", first + (unsigned) i);
    events[i] = (struct queue_event) {
      .source = "/s", .id = ids[i], .body = ids[i], .len = strlen (ids[i]),
      .lanes = &lane, .n_lanes = 1 };
  }
  child_check (queue_put (queue, events, n, answers) == QUEUE_OK);
  for (size_t i = 0; i < n; i++)
    n_new += answers[i] == QUEUE_ACCEPTED;
  return n_new;
}

static uint32_t
item_number (const struct queue_item *item)
{
  char text[16];

  assert_true (item->len < sizeof text);
  memcpy (text, item->body, item->len);
  text[item->len] = '\0';
  return (uint32_t) strtoul (text, NULL, 10);
}

/* ------------------------------------------------------------------ */

static void
put_one_by_one (struct queue *queue, uint32_t lane, int tell_fd)
{
  for (uint32_t i = 0; i < 300; i++) {
    put_group (queue, lane, i, 1);
    child_tell (tell_fd, i);
    nap_us (random () % 3000);
  }
}

/* Whoever waits for the descriptor hears of each at once: if one wake-up
 * in ten were lost, this would take a second for each. */
static void
test_wakes (void **state)
{
  struct queue_fixture *fixture = *state;
  struct queue *queue = fixture->queue;
  uint32_t lane = queue_lane (queue, "crm"), n = 0;
  struct pollfd watch = { queue_watch_fd (queue), POLLIN, 0 };
  struct child child;
  int64_t start_us;
  size_t n_timeouts = 0;

  assert_true (queue_own (queue, lane));
  child = child_start (fixture, put_one_by_one);
  start_us = date_monotonic_us ();
  while (n < 300) {
    assert_true (date_monotonic_us () - start_us < 60 * 1000000);
    if (watch.fd >= 0 && poll (&watch, 1, 1100) == 0)
      n_timeouts++;
    queue_heard (queue);
    while (fixture_take (fixture, lane, 1, FIXTURE_MOST) > 0)
      for (size_t i = 0; i < fixture->n; i++) {
        assert_int_equal (item_number (&fixture->items[i]), n);
        n++;
        fixture_settle (queue, lane, fixture->items[i].seq, QUEUE_DELIVERED,
                        0);
      }
  }
  assert_int_equal (n_timeouts, 0);
  assert_int_equal (child_end (&child, 0), 0);
  close (child.told_fd);
}

static void
test_no_wakes (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");
  struct queue *other = fixture_open (fixture);
  int64_t start_us;

  assert_true (queue_own (fixture->queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 1), 0);
  fixture_put (other, "1", "one", lane, 0);
  /* Asked now and then, but nobody listened to the bell. */
  for (start_us = date_monotonic_us ();
       fixture_take (fixture, lane, 1, 1) == 0; nap_us (20000))
    assert_true (date_monotonic_us () - start_us < 2000000);
  queue_close (other);
}

static void
put_same_ids (struct queue *queue, uint32_t lane, int tell_fd)
{
  for (uint32_t i = 0; i < 2000; i += 10)
    child_tell (tell_fd, (uint32_t) put_group (queue, lane, i, 10));
}

static void
test_same_ids (void **state)
{
  struct queue_fixture *fixture = *state;
  static uint32_t told[IDS_MOST];
  struct child children[3];
  size_t sum = 0;
  uint32_t lane = queue_lane (fixture->queue, "crm");

  for (size_t i = 0; i < 3; i++)
    children[i] = child_start (fixture, put_same_ids);
  for (size_t i = 0; i < 3; i++) {
    size_t n = child_told (&children[i], told, true);

    for (size_t k = 0; k < n; k++)
      sum += told[k];
    assert_int_equal (child_end (&children[i], 0), 0);
    close (children[i].told_fd);
  }
  assert_int_equal (sum, 2000);
  fixture_assert_counts (fixture->queue, lane, 2000, 0, 0);
}

/* ------------------------------------------------------------------ */
/* Killed. */

static uint32_t first_number;   /* of the next child */

static void
put_for_ever (struct queue *queue, uint32_t lane, int tell_fd)
{
  for (uint32_t i = first_number;; i += 7) {
    put_group (queue, lane, i, 7);
    child_tell (tell_fd, i);
  }
}

/* Each group that was promised is there, whole and once. */
static void
test_killed_putter (void **state)
{
  struct queue_fixture *fixture = *state;
  static uint32_t told[IDS_MOST], times[IDS_MOST];
  uint32_t lane = queue_lane (fixture->queue, "crm");
  size_t n = 0;

  for (int round = 0; round < 20; round++) {
    struct child child;

    first_number = 7 * (uint32_t) n;
    child = child_start (fixture, put_for_ever);
    nap_us (20000 + random () % 30000);
    assert_int_equal (child_end (&child, SIGKILL), 128 + SIGKILL);
    n += child_told (&child, &told[n], true);
    close (child.told_fd);
    fixture_assert_whole (fixture->store);
  }
  assert_true (queue_own (fixture->queue, lane));
  memset (times, 0, sizeof times);
  while (fixture_take (fixture, lane, 1, FIXTURE_MOST) > 0)
    for (size_t i = 0; i < fixture->n; i++)
      times[item_number (&fixture->items[i])]++;
  assert_true (n > 20);
  for (size_t i = 0; i < n * 7; i++)
    assert_int_equal (times[i], 1);
}

static void
deliver_for_ever (struct queue *queue, uint32_t lane, int tell_fd)
{
  struct queue_item items[5];
  struct queue_settlement settlements[5];
  size_t n;

  child_check (queue_own (queue, lane));
  for (;;) {
    child_check (queue_take (queue, lane, 1, 5, items, &n) == QUEUE_OK);
    for (size_t i = 0; i < n; i++)
      settlements[i] = (struct queue_settlement) {
        .lane = lane, .seq = items[i].seq, .end = QUEUE_DELIVERED,
        .reason = "", .reference = "", .via = "" };
    child_check (queue_settle (queue, settlements, n) == QUEUE_OK);
    for (size_t i = 0; i < n; i++)
      child_tell (tell_fd, (uint32_t) items[i].seq);
  }
}

/* The lane is free at once, and what was settled is not there again. */
static void
test_killed_owner (void **state)
{
  struct queue_fixture *fixture = *state;
  static uint32_t told[IDS_MOST];
  uint32_t lane = queue_lane (fixture->queue, "crm");
  size_t n = 0;

  for (uint32_t i = 0; i < 6000; i += 100)
    put_group (fixture->queue, lane, i, 100);
  for (int round = 0; round < 10; round++) {
    struct child child = child_start (fixture, deliver_for_ever);
    uint64_t first;

    nap_us (10000 + random () % 20000);
    assert_int_equal (child_end (&child, SIGKILL), 128 + SIGKILL);
    n += child_told (&child, &told[n], true);
    close (child.told_fd);
    assert_true (queue_own (fixture->queue, lane));
    assert_int_equal (fixture_take (fixture, lane, 1, 1), 1);
    first = fixture->items[0].seq;
    for (size_t i = 0; i < n; i++)
      assert_true (told[i] < first);
    assert_true (first <= n + 1 + 5 * ((size_t) round + 1));
    queue_disown (fixture->queue, lane);
  }
  assert_true (n > 0);
  fixture_assert_whole (fixture->store);
}

static void
hold_lane (struct queue *queue, uint32_t lane, int tell_fd)
{
  child_check (queue_own (queue, lane));
  child_tell (tell_fd, 1);
  pause ();
}

static void
test_one_owner (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm"), told;
  struct child child = child_start (fixture, hold_lane);

  assert_int_equal (read (child.told_fd, &told, sizeof told), sizeof told);
  assert_false (queue_own (fixture->queue, lane));
  child_end (&child, SIGKILL);
  close (child.told_fd);
  assert_true (queue_own (fixture->queue, lane));
}

/* ------------------------------------------------------------------ */

/* A process that stops while it writes. */
static void
test_busy (void **state)
{
  struct queue_fixture *fixture = *state;
  uint32_t lane = queue_lane (fixture->queue, "crm");
  struct queue_event event = { .source = "", .id = "1", .body = "",
                               .lanes = &lane, .n_lanes = 1 };
  enum queue_answer answer;
  char path[128];
  int64_t start_us = date_monotonic_us ();
  int fd;

  snprintf (path, sizeof path, "%s/locks", fixture->store);
  fd = open (path, O_RDWR | O_CLOEXEC);
  assert_true (fd >= 0);
  assert_true (lock_try (fd, 0));
  assert_int_equal (queue_put (fixture->queue, &event, 1, &answer),
                    QUEUE_BUSY);
  assert_in_range (date_monotonic_us () - start_us, 1900000, 9000000);
  assert_true (strlen (queue_reason (fixture->queue)) > 0);
  /* Reading goes on. */
  fixture_assert_counts (fixture->queue, lane, 0, 0, 0);
  assert_true (queue_own (fixture->queue, lane));
  assert_int_equal (fixture_take (fixture, lane, 1, 1), 0);
  close (fd);
  assert_int_equal (queue_put (fixture->queue, &event, 1, &answer),
                    QUEUE_OK);
  assert_int_equal (answer, QUEUE_ACCEPTED);
}

/* ------------------------------------------------------------------ */
/* A copy of the files at any moment. */

static void
work_for_ever (struct queue *queue, uint32_t lane, int tell_fd)
{
  uint32_t out = queue_lane (queue, "out");
  struct queue_item items[8];
  bool is_done;
  size_t n;

  child_check (queue_own (queue, out));
  for (uint32_t i = first_number;; i++) {
    uint32_t lanes[2] = { lane, out };
    char id[16], body[3000];
    struct queue_event event = { .source = "/s", .id = id, .body = body,
                                 .len = 16 + i * 7919 % 2900,
                                 .lanes = lanes, .n_lanes = 2 };
    enum queue_answer answer;

    memset (body, ' ', sizeof body);
    snprintf (id, sizeof id, "%u", i);
    memcpy (body, id, strlen (id));
    child_check (queue_put (queue, &event, 1, &answer) == QUEUE_OK);
    child_tell (tell_fd, i);
    child_check (queue_take (queue, out, i, 8, items, &n) == QUEUE_OK);
    for (size_t k = 0; k < n; k++) {
      struct queue_settlement settlement = {
        .lane = out, .seq = items[k].seq,
        .end = (enum queue_end) ((i + k) % 4), .due_ms = i + i % 50,
        .attempts = 1, .at_ms = i, .reason = "r", .reference = "",
        .via = "" };

      child_check (queue_settle (queue, &settlement, 1) == QUEUE_OK);
    }
    if (i % 16 == 0)
      child_check (queue_tidy (queue, i, &is_done) == QUEUE_OK);
  }
}

static void
copy_file (const char *from_store, const char *to_store, const char *name)
{
  static char bytes[1 << 16];
  char from[160], to[160];
  ssize_t len;
  int in, out;

  snprintf (from, sizeof from, "%s/%s", from_store, name);
  snprintf (to, sizeof to, "%s/%s", to_store, name);
  in = open (from, O_RDONLY | O_CLOEXEC);
  if (in < 0)
    return;
  out = open (to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  assert_true (out >= 0);
  while ((len = read (in, bytes, sizeof bytes)) > 0)
    assert_true (write (out, bytes, (size_t) len) == len);
  close (in);
  close (out);
}

/* Everything promised before the copy is in it. */
static void
assert_copy (struct queue_fixture *fixture, const char *copy, size_t n)
{
  struct queue_fixture second = *fixture;
  uint32_t lane;
  size_t found = 0;

  second.config.where = copy;
  second.queue = fixture_open (&second);
  lane = queue_lane (second.queue, "crm");
  assert_true (queue_own (second.queue, lane));
  while (fixture_take (&second, lane, 1, FIXTURE_MOST) > 0)
    for (size_t i = 0; i < second.n; i++, found++) {
      char number[16] = "";

      memcpy (number, second.items[i].body, sizeof number - 1);
      assert_int_equal (strtoul (number, NULL, 10), found);
      assert_int_equal (second.items[i].len, 16 + found * 7919 % 2900);
    }
  assert_true (found >= n && found <= n + 1);
  for (uint32_t i = 0; i < found; i += 50)
    assert_int_equal (put_group (second.queue, lane, i, 1), 0);
  queue_close (second.queue);
  fixture_assert_whole (copy);
}

static void
test_copies (void **state)
{
  struct queue_fixture *fixture = *state;
  static uint32_t told[IDS_MOST];
  struct child child;
  char copy[96];
  size_t n = 0;
  int status;

  /* Who opens and closes SQLite's files loses the locks he has on them. */
  queue_close (fixture->queue);
  fixture->queue = NULL;
  first_number = 0;
  child = child_start (fixture, work_for_ever);
  for (int round = 0; round < 20; round++) {
    nap_us (30000 + random () % 30000);
    kill (child.pid, SIGSTOP);
    assert_true (waitpid (child.pid, &status, WUNTRACED) == child.pid);
    assert_true (WIFSTOPPED (status));
    n += child_told (&child, &told[n], false);
    snprintf (copy, sizeof copy, "%s/copy-%d", fixture->directory, round);
    assert_int_equal (mkdir (copy, 0700), 0);
    copy_file (fixture->store, copy, "store.db");
    copy_file (fixture->store, copy, "store.db-wal");
    kill (child.pid, SIGCONT);
    assert_copy (fixture, copy, n);
  }
  assert_int_equal (child_end (&child, SIGKILL), 128 + SIGKILL);
  close (child.told_fd);
  assert_true (n > 20);
  fixture_assert_whole (fixture->store);
}

/* ------------------------------------------------------------------ */

static void
look_for_ever (struct queue *queue, uint32_t lane, int tell_fd)
{
  struct queue_lane_state state;
  size_t n;

  (void) tell_fd;
  for (;;) {
    child_check (queue_lane_state (queue, 0, &lane, &state));
    child_check (queue_trace (queue, "none", NULL, NULL, &n) == QUEUE_OK);
  }
}

/* Two that read without a pause don't make the log grow without bound. */
static void
test_log_beside_readers (void **state)
{
  struct queue_fixture *fixture = *state;
  static uint32_t told[IDS_MOST];
  struct child worker, readers[2];
  struct stat about;
  char path[128];
  off_t largest = 0;

  queue_lane (fixture->queue, "crm");
  first_number = 0;
  worker = child_start (fixture, work_for_ever);
  for (size_t i = 0; i < 2; i++)
    readers[i] = child_start (fixture, look_for_ever);
  snprintf (path, sizeof path, "%s/store.db-wal", fixture->store);
  for (int i = 0; i < 300; i++) {
    nap_us (10000);
    assert_int_equal (stat (path, &about), 0);
    if (about.st_size > largest)
      largest = about.st_size;
    child_told (&worker, told, false);
  }
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal (child_end (&readers[i], SIGKILL), 128 + SIGKILL);
    close (readers[i].told_fd);
  }
  assert_int_equal (child_end (&worker, SIGKILL), 128 + SIGKILL);
  close (worker.told_fd);
  print_message ("# the log took %ld bytes\n", (long) largest);
  assert_true (largest < 64 << 20);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    FOR_SQLITE (test_wakes),
    FOR_SQLITE (test_no_wakes),
    FOR_SQLITE (test_same_ids),
    FOR_SQLITE (test_killed_putter),
    FOR_SQLITE (test_killed_owner),
    FOR_SQLITE (test_one_owner),
    FOR_SQLITE (test_busy),
    FOR_SQLITE (test_copies),
    FOR_SQLITE (test_log_beside_readers),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
