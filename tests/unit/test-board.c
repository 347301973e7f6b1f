/* test-board.c - one counts, others read, and nothing is lost when it ends.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "metrics/board.h"

static char home[64];           /* of all run directories of this test */
static char run[96];
static char reason[256];

static int
start (void **state)
{
  static int n;

  (void) state;
  snprintf (run, sizeof run, "%s/run-%d", home, n++);
  return 0;
}

static const char *
path_of (const char *name)
{
  static char path[160];

  snprintf (path, sizeof path, "%s/%s", run, name);
  return path;
}

static struct board *
open_worker (unsigned index)
{
  struct board *board = board_open (run, BOARD_WORKER, index, reason,
                                    sizeof reason);

  assert_non_null (board);
  assert_string_equal (reason, "");
  return board;
}

static void
test_figures_are_seen (void **state)
{
  struct board *intake, *worker, *boards[4];
  struct board_lane *lane;
  char text[BOARD_TEXT];
  struct stat about;

  (void) state;
  intake = board_open (run, BOARD_INTAKE, 0, reason, sizeof reason);
  assert_non_null (intake);
  worker = open_worker (3);
  assert_int_equal (stat (run, &about), 0);
  assert_int_equal (about.st_mode & 0777, 0700);
  assert_int_equal (stat (path_of ("worker-3.board"), &about), 0);
  assert_int_equal (about.st_mode & 0777, 0600);
  /* Really on disk: no write to memory can lack a block. */
  assert_true (about.st_blocks * 512 >= about.st_size);

  board_add (&board_intake (intake)->accepted, 7);
  board_add (&board_intake (intake)->refused[BOARD_FULL], 2);
  assert_null (board_lane (intake, "crm", "hubspot"));
  assert_null (board_intake (worker));
  lane = board_lane (worker, "crm", "hubspot");
  board_add (&lane->dead[FAILURE_TLS], 1);
  board_lane_say (lane, BOARD_PARKED, 0, "the token was refused");
  board_beat (worker, 1000000);

  assert_int_equal (board_look_all (run, boards, 4), 2);
  assert_int_equal (board_role (boards[0]), BOARD_INTAKE);
  assert_int_equal (board_get (&board_intake (boards[0])->accepted), 7);
  assert_int_equal (board_get (&board_intake (boards[0])
                                  ->refused[BOARD_FULL]), 2);
  assert_null (board_lane_at (boards[0], 0));
  assert_int_equal (board_role (boards[1]), BOARD_WORKER);
  assert_int_equal (board_index (boards[1]), 3);
  assert_null (board_lane_at (boards[1], 1));
  assert_string_equal (board_lane_at (boards[1], 0)->name, "crm");
  assert_string_equal (board_lane_at (boards[1], 0)->provider, "hubspot");
  assert_int_equal (board_get (&board_lane_at (boards[1], 0)
                                  ->dead[FAILURE_TLS]), 1);
  assert_int_equal (board_get (&board_lane_at (boards[1], 0)->state),
                    BOARD_PARKED);
  board_text_get (&board_lane_at (boards[1], 0)->reason, text);
  assert_string_equal (text, "the token was refused");
  assert_true (board_is_up (boards[1], 1000000 + BOARD_UP_MS - 1));
  assert_false (board_is_up (boards[1], 1000000 + BOARD_UP_MS));

  /* While it is read, it goes on. */
  board_add (&board_intake (intake)->accepted, 1);
  assert_int_equal (board_get (&board_intake (boards[0])->accepted), 8);
  board_close (intake);
  assert_false (board_is_up (boards[0], 1000000));
  board_close (worker);
  board_close (boards[0]);
  board_close (boards[1]);
}

static void
test_counters_go_on (void **state)
{
  struct board *board = open_worker (0);
  struct board_lane *lane = board_lane (board, "crm", "hubspot");

  (void) state;
  board_add (&lane->delivered, 5);
  board_set (&lane->in_flight, 9);
  histogram_add (&lane->latency, 1500);
  histogram_add (&board_process (board)->commit, 200);
  board_lane_say (lane, BOARD_BROKEN, 77, "no answer");
  board_text_set (&lane->failure, "503");
  board_close (board);

  board = open_worker (0);
  assert_int_equal (board_process (board)->starts, 2);
  assert_int_equal (board_process (board)->pid, getpid ());
  assert_int_equal (histogram_count (&board_process (board)->commit), 1);
  assert_int_equal (board_lane_at (board, 0)->is_here, 0);
  assert_int_equal (board_lane_at (board, 0)->in_flight, 0);
  assert_int_equal (board_lane_at (board, 0)->state, BOARD_OPEN);
  lane = board_lane (board, "crm", "hubspot");
  assert_ptr_equal (lane, board_lane_at (board, 0));
  assert_int_equal (lane->is_here, 1);
  assert_int_equal (lane->delivered, 5);
  assert_int_equal (lane->until_ms, 0);
  assert_int_equal (histogram_count (&lane->latency), 1);
  /* The same name with another provider counts apart. */
  assert_ptr_not_equal (lane, board_lane (board, "crm", "salesforce"));
  board_lane_leave (lane);
  assert_int_equal (lane->is_here, 0);
  assert_int_equal (lane->delivered, 5);
  board_close (board);
}

static void
test_full_board (void **state)
{
  struct board *board = open_worker (0);
  char name[16];

  (void) state;
  for (int i = 0; i < BOARD_LANES; i++) {
    snprintf (name, sizeof name, "lane-%d", i);
    assert_non_null (board_lane (board, name, "p"));
  }
  assert_null (board_lane (board, "one-more", "p"));
  assert_non_null (board_lane (board, "lane-511", "p"));
  board_close (board);
}

static void
test_texts (void **state)
{
  struct board_text text = { 0 };
  char long_text[400], seen[BOARD_TEXT];

  (void) state;
  board_text_get (&text, seen);
  assert_string_equal (seen, "");
  memset (long_text, 'x', sizeof long_text);
  long_text[sizeof long_text - 1] = '\0';
  /* A character that does not fit whole is left out. */
  memcpy (long_text + BOARD_TEXT - 2, "\xc3\xa9", 2);
  board_text_set (&text, long_text);
  board_text_get (&text, seen);
  assert_int_equal (strlen (seen), BOARD_TEXT - 2);
  /* Whoever wrote it died meanwhile; the next writes it whole. */
  text.version |= 1;
  board_text_get (&text, seen);
  assert_string_equal (seen, "");
  board_text_set (&text, "short");
  board_text_get (&text, seen);
  assert_string_equal (seen, "short");
}

/* In another process: count until it is killed. */
static pid_t
spawn_writer (int *ret_fd)
{
  int pipe_fds[2];
  pid_t pid;

  assert_int_equal (pipe (pipe_fds), 0);
  pid = fork ();
  assert_true (pid >= 0);
  if (pid == 0) {
    struct board *board = board_open (run, BOARD_WORKER, 1, reason,
                                      sizeof reason);
    struct board_lane *lane;

    if (board == NULL || (lane = board_lane (board, "crm", "x")) == NULL)
      _exit (1);
    for (unsigned i = 0;; i++) {
      char text[BOARD_TEXT];

      board_add (&lane->delivered, 1);
      memset (text, 'a' + (int) (i % 26), sizeof text);
      text[1 + i % (BOARD_TEXT - 1)] = '\0';
      board_text_set (&lane->reason, text);
      if (i == 1000 && write (pipe_fds[1], "x", 1) != 1)
        _exit (1);
    }
  }
  close (pipe_fds[1]);
  *ret_fd = pipe_fds[0];
  return pid;
}

static void
test_killed_writer (void **state)
{
  struct board *board, *mine;
  const struct board_lane *lane;
  char text[BOARD_TEXT], c;
  uint64_t before;
  int fd, n_texts = 0;
  pid_t pid = spawn_writer (&fd);

  (void) state;
  assert_int_equal (read (fd, &c, 1), 1);
  close (fd);
  board = board_look (run, "worker-1.board");
  assert_non_null (board);
  assert_true (board_is_up (board, (int64_t) board_process (board)->beat_ms));
  lane = board_lane_at (board, 0);
  assert_non_null (lane);
  /* One writer. */
  assert_null (board_open (run, BOARD_WORKER, 1, reason, sizeof reason));
  assert_non_null (strstr (reason, "another process"));
  /* Never a torn text, however fast it changes. */
  for (int i = 0; i < 20000; i++) {
    board_text_get (&lane->reason, text);
    for (size_t k = 1; text[0] != '\0' && text[k] != '\0'; k++)
      if (text[k] != text[0])
        fail_msg ("torn: %s", text);
    n_texts += text[0] != '\0';
  }
  assert_true (n_texts > 0);

  kill (pid, SIGKILL);
  assert_int_equal (waitpid (pid, NULL, 0), pid);
  before = board_get (&lane->delivered);
  assert_true (before >= 1000);
  mine = open_worker (1);
  assert_int_equal (board_lane (mine, "crm", "x")->delivered, before);
  assert_int_equal (board_process (mine)->starts, 2);
  /* Who looked before sees what the new one counts. */
  board_add (&board_lane (mine, "crm", "x")->delivered, 1);
  assert_int_equal (board_get (&lane->delivered), before + 1);
  board_close (mine);
  board_close (board);
}

static void
spoil (const char *name, off_t offset, const void *bytes, size_t len)
{
  int fd = open (path_of (name), O_RDWR);

  assert_true (fd >= 0);
  assert_int_equal (pwrite (fd, bytes, len, offset), len);
  close (fd);
}

static void
test_other_layout (void **state)
{
  struct board *board = open_worker (0), *old;
  const uint32_t other = 99;

  (void) state;
  board_add (&board_lane (board, "crm", "x")->delivered, 5);
  board_close (board);
  old = board_look (run, "worker-0.board");
  assert_non_null (old);

  spoil ("worker-0.board", 8, &other, sizeof other);
  assert_null (board_look (run, "worker-0.board"));
  board = open_worker (0);
  assert_null (board_lane_at (board, 0));
  assert_int_equal (board_process (board)->starts, 1);
  /* The file that was replaced is still whole for who reads it. */
  assert_int_equal (board_get (&board_lane_at (old, 0)->delivered), 5);
  assert_null (board_open (run, BOARD_WORKER, 0, reason, sizeof reason));
  board_close (old);
  board_close (board);

  /* Nor is a cut, or an empty file believed. */
  assert_int_equal (truncate (path_of ("worker-0.board"), 5000), 0);
  assert_null (board_look (run, "worker-0.board"));
  board = open_worker (0);
  board_close (board);
  assert_int_equal (truncate (path_of ("worker-0.board"), 0), 0);
  assert_null (board_look (run, "worker-0.board"));
  board = open_worker (0);
  board_close (board);
  /* Nor another worker's, under a wrong name. */
  assert_int_equal (rename (path_of ("worker-0.board"),
                            strcat (strcpy ((char[160]) { 0 }, run),
                                    "/worker-1.board")), 0);
  board = open_worker (1);
  assert_int_equal (board_index (board), 1);
  board_close (board);
}

/* What a full disk does, as far as posix_fallocate () can tell. */
static void
test_no_room (void **state)
{
  struct rlimit before, little;
  struct board *board;
  struct board_lane *lane;

  (void) state;
  signal (SIGXFSZ, SIG_IGN);
  assert_int_equal (getrlimit (RLIMIT_FSIZE, &before), 0);
  little = before;
  little.rlim_cur = 4096;
  assert_int_equal (setrlimit (RLIMIT_FSIZE, &little), 0);
  board = board_open (run, BOARD_WORKER, 0, reason, sizeof reason);
  assert_int_equal (setrlimit (RLIMIT_FSIZE, &before), 0);
  assert_non_null (board);
  assert_non_null (strstr (reason, "worker-0.board: can't be made"));
  lane = board_lane (board, "crm", "x");
  board_add (&lane->delivered, 1);
  board_beat (board, 5);
  assert_int_equal (board_lane_at (board, 0)->delivered, 1);
  board_close (board);
  assert_null (board_look (run, "worker-0.board"));

  board = board_open ("/nowhere/at/all", BOARD_INTAKE, 0, reason,
                      sizeof reason);
  assert_non_null (board);
  assert_non_null (strstr (reason, "/nowhere/at/all"));
  board_add (&board_intake (board)->accepted, 1);
  board_close (board);
  assert_int_equal (board_look_all ("/nowhere/at/all", &board, 1), 0);
}

static void
test_names (void **state)
{
  (void) state;
  assert_string_equal (board_state_name (BOARD_PARKED), "parked");
  assert_string_equal (board_state_name (BOARD_STOPPED), "stopped");
  assert_string_equal (board_refusal_name (BOARD_FULL), "full");
  assert_string_equal (board_refusal_name (BOARD_UNAVAILABLE),
                       "unavailable");
  assert_string_equal (failure_class_name (FAILURE_NONE), "none");
  assert_string_equal (failure_class_name (FAILURE_OTHER), "other");
}

static int
make_home (void **state)
{
  (void) state;
  snprintf (home, sizeof home, "/tmp/test-board-XXXXXX");
  return mkdtemp (home) != NULL ? 0 : -1;
}

static int
remove_home (void **state)
{
  char command[128];

  (void) state;
  snprintf (command, sizeof command, "rm -rf '%s'", home);
  return system (command) == 0 ? 0 : -1;
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup (test_figures_are_seen, start),
    cmocka_unit_test_setup (test_counters_go_on, start),
    cmocka_unit_test_setup (test_full_board, start),
    cmocka_unit_test_setup (test_texts, start),
    cmocka_unit_test_setup (test_killed_writer, start),
    cmocka_unit_test_setup (test_other_layout, start),
    cmocka_unit_test_setup (test_no_room, start),
    cmocka_unit_test (test_names),
  };

  return cmocka_run_group_tests (tests, make_home, remove_home);
}
