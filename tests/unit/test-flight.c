/* test-flight.c - what a crash leaves for the next process.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/date.h"
#include "serve/flight.h"

static const char *directory;
static char path[FIXTURE_PATH];

/* The one whose parent do_hang () ends may have the lock for a moment. */
static struct flight *
opened (void)
{
  char reason[200] = "";
  struct flight *flight = flight_open (path, reason, sizeof reason);

  for (int i = 0; flight == NULL && i < 1000; i++) {
    usleep (1000);
    flight = flight_open (path, reason, sizeof reason);
  }
  if (flight == NULL)
    fail_msg ("%s", reason);
  return flight;
}

/* What a process does in a callback. */
typedef void deed_fn (void);

/* A process that enters a callback with two deliveries, does the deed in
 * it (or before, or after), and how it ended. */
static int
lived (enum flight_step step, int when, deed_fn *deed)
{
  struct rlimit none = { 0, 0 };
  int status;
  pid_t pid = fork ();

  assert_true (pid >= 0);
  if (pid == 0) {
    struct flight *flight = opened ();

    /* cmocka has handlers of its own. */
    signal (SIGSEGV, SIG_DFL);
    signal (SIGABRT, SIG_DFL);
    setrlimit (RLIMIT_CORE, &none);
    flight_watch (flight);
    flight_crashes (flight, "crm", 1);
    if (when < 0)
      deed ();
    flight_enter (flight, "crm", step);
    if (step == FLIGHT_WORK) {
      flight_add (flight, 3, 100);
      flight_add (flight, 4, 1ull << 40);
    }
    if (when == 0)
      deed ();
    flight_leave (flight);
    if (when > 0)
      deed ();
    flight_close (flight);
    _exit (0);
  }
  assert_int_equal (waitpid (pid, &status, 0), pid);
  return status;
}

static void
do_abort (void)
{
  abort ();
}

static void
do_fault (void)
{
  raise (SIGSEGV);
}

static void
do_exit (void)
{
  exit (7);
}

static void
do_kill (void)
{
  kill (getpid (), SIGKILL);
}

/* A watchdog's, from outside. */
static void
do_hang (void)
{
  pid_t parent = getpid ();

  if (fork () == 0) {
    kill (parent, SIGABRT);
    _exit (0);
  }
  for (;;)
    pause ();
}

static volatile char *deep;

static int
overflow (int n)
{
  char page[4096];

  page[0] = (char) n;
  deep = page;
  return n < 0 ? 0 : overflow (n + 1) + deep[0];
}

static void
do_overflow (void)
{
  overflow (0);
}

static void
do_nothing (void)
{
}

static void
expect_crash (enum flight_step step, int number)
{
  struct flight *flight = opened ();
  const char *integration;
  enum flight_step found;
  int by;

  assert_true (flight_last (flight, &integration, &found, &by));
  assert_string_equal (integration, "crm");
  assert_int_equal (found, step);
  assert_int_equal (by, number);
  flight_close (flight);
}

static void
expect_marks (size_t wanted)
{
  struct flight *flight = opened ();
  size_t n;
  struct flight_mark *marks = flight_marks (flight, &n);

  assert_int_equal (n, wanted);
  if (n > 0) {
    assert_int_equal (marks[0].lane, 3);
    assert_true (marks[0].seq == 100);
    assert_int_equal (marks[1].lane, 4);
    assert_true (marks[1].seq == 1ull << 40);
  }
  free (marks);
  flight_close (flight);
}

static void
test_crashes (void **state)
{
  static const struct {
    deed_fn *deed;
    int number;
  } deeds[] = { { do_abort, SIGABRT }, { do_fault, SIGSEGV },
                { do_exit, 0 }, { do_hang, SIGABRT },
                { do_overflow, SIGSEGV } };

  (void) state;
  for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
    int status = lived (FLIGHT_WORK, 0, deeds[i].deed);

    /* A sanitizer ends it its own way. */
    if (deeds[i].number == 0)
      assert_int_equal (WEXITSTATUS (status), 7);
    else if (WIFSIGNALED (status))
      assert_int_equal (WTERMSIG (status), deeds[i].number);
    else
      assert_int_not_equal (WEXITSTATUS (status), 0);
    expect_crash (FLIGHT_WORK, deeds[i].number);
    expect_marks (2);
    unlink (path);
  }
}

/* Not of a plugin: nothing is to be blamed. */
static void
test_innocent (void **state)
{
  struct flight *flight;
  const char *integration;
  enum flight_step step;
  int number;

  (void) state;
  lived (FLIGHT_WORK, -1, do_abort);
  expect_marks (0);
  lived (FLIGHT_WORK, 1, do_abort);
  expect_marks (0);
  assert_int_equal (WTERMSIG (lived (FLIGHT_WORK, 0, do_kill)), SIGKILL);
  expect_marks (0);
  assert_int_equal (lived (FLIGHT_WORK, 0, do_nothing), 0);
  flight = opened ();
  assert_false (flight_last (flight, &integration, &step, &number));
  flight_close (flight);
}

/* What was not marked yet is not lost by another crash, nor doubled. */
static void
test_kept (void **state)
{
  struct flight *flight;
  struct flight_mark *marks;
  size_t n;

  (void) state;
  lived (FLIGHT_WORK, 0, do_abort);
  lived (FLIGHT_OPEN, 0, do_abort);
  expect_marks (2);
  lived (FLIGHT_WORK, 0, do_abort);
  expect_marks (2);
  flight = opened ();
  flight_marked (flight, 3);
  marks = flight_marks (flight, &n);
  assert_int_equal (marks->lane, 4);
  free (marks);
  assert_int_equal (n, 1);
  flight_marked (flight, 4);
  assert_null (flight_marks (flight, &n));
  assert_int_equal (n, 0);
  flight_close (flight);
  expect_marks (0);
}

static void
test_tally (void **state)
{
  struct flight *flight;

  (void) state;
  lived (FLIGHT_TOKEN, 0, do_abort);
  lived (FLIGHT_TOKEN, 0, do_abort);
  flight = opened ();
  assert_int_equal (flight_crashes (flight, "crm", 1), 2);
  assert_int_equal (flight_crashes (flight, "other", 1), 0);
  /* A step that went well says nothing of another. */
  flight_enter (flight, "crm", FLIGHT_OPEN);
  flight_leave (flight);
  assert_int_equal (flight_crashes (flight, "crm", 1), 2);
  flight_enter (flight, "crm", FLIGHT_TOKEN);
  flight_leave (flight);
  assert_int_equal (flight_crashes (flight, "crm", 1), 0);
  flight_close (flight);

  lived (FLIGHT_OPEN, 0, do_fault);
  flight = opened ();
  assert_int_equal (flight_crashes (flight, "crm", 1), 1);
  /* Other settings. */
  assert_int_equal (flight_crashes (flight, "crm", 2), 0);
  flight_close (flight);

  /* In deliveries they are another matter. */
  lived (FLIGHT_WORK, 0, do_abort);
  lived (FLIGHT_WORK, 0, do_nothing);
  lived (FLIGHT_WORK, 0, do_abort);
  flight = opened ();
  assert_int_equal (flight_work_crashes (flight, "crm"), 2);
  assert_int_equal (flight_work_crashes (flight, "other"), 0);
  assert_int_equal (flight_crashes (flight, "crm", 1), 0);
  date_set_now (date_now_ms () + 9 * 60 * 1000);
  assert_int_equal (flight_work_crashes (flight, "crm"), 2);
  date_set_now (date_now_ms () + 2 * 60 * 1000);
  assert_int_equal (flight_work_crashes (flight, "crm"), 0);
  date_set_now (-1);
  flight_close (flight);

  lived (FLIGHT_VERIFY, 0, do_abort);
  flight = opened ();
  assert_int_equal (flight_crashes (flight, "crm", 1), 1);
  flight_forgive (flight, "crm");
  assert_int_equal (flight_crashes (flight, "crm", 1), 0);
  flight_close (flight);
}

static void
test_file (void **state)
{
  struct flight *flight, *other;
  char reason[200] = "";
  size_t n;

  (void) state;
  flight = opened ();
  other = flight_open (path, reason, sizeof reason);
  assert_null (other);
  assert_non_null (strstr (reason, "another worker"));
  flight_close (flight);
  unlink (path);
  /* Of something else, or of another layout. */
  fixture_write (directory, "worker-0.flight", "neither this nor that", 0600);
  flight = opened ();
  assert_null (flight_marks (flight, &n));
  assert_int_equal (n, 0);
  flight_close (flight);
  assert_null (flight_open ("/nonexistent/x", reason, sizeof reason));
  assert_non_null (strstr (reason, "/nonexistent/x can't be opened"));
}

/* Delivering goes on. */
static void
test_no_room (void **state)
{
  struct rlimit before, none = { 4096, RLIM_INFINITY };
  struct flight *flight;
  char reason[300] = "";
  size_t n;

  (void) state;
  signal (SIGXFSZ, SIG_IGN);
  assert_int_equal (getrlimit (RLIMIT_FSIZE, &before), 0);
  none.rlim_max = before.rlim_max;
  assert_int_equal (setrlimit (RLIMIT_FSIZE, &none), 0);
  flight = flight_open (path, reason, sizeof reason);
  assert_int_equal (setrlimit (RLIMIT_FSIZE, &before), 0);
  assert_non_null (flight);
  assert_non_null (strstr (reason, "can't be made"));
  flight_enter (flight, "crm", FLIGHT_OPEN);
  flight_leave (flight);
  assert_null (flight_marks (flight, &n));
  assert_int_equal (n, 0);
  flight_close (flight);
  flight = opened ();
  flight_close (flight);
}

static void
test_many (void **state)
{
  struct flight *flight = opened ();
  size_t n;

  (void) state;
  flight_enter (flight, "crm", FLIGHT_WORK);
  for (uint64_t i = 0; i < FLIGHT_MARKS + 10; i++)
    flight_add (flight, 1, i);
  flight_leave (flight);
  assert_null (flight_marks (flight, &n));
  assert_int_equal (n, 0);
  flight_close (flight);
  expect_marks (0);
}

static int
setup (void **state)
{
  (void) state;
  directory = fixture_directory ();
  snprintf (path, sizeof path, "%s", fixture_path (directory,
                                                   "worker-0.flight"));
  return 0;
}

static int
teardown (void **state)
{
  (void) state;
  fixture_remove (directory);
  return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown (fn, setup, teardown)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_crashes), TEST (test_innocent), TEST (test_kept),
    TEST (test_tally),   TEST (test_file),     TEST (test_many),
    TEST (test_no_room),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
