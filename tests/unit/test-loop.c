/* test-loop.c - base/loop calls whom it should, once, and nobody else.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/date.h"
#include "base/loop.h"

/* What callbacks note here; a test starts with zeroes. */
static struct {
  struct loop *loop;
  int ends[2], others[2];
  int n_calls, n_other_calls;
  unsigned ready;
  struct loop_timer *timers[8];
  char order[64];
} seen;

static int
set_up (void **state)
{
  (void) state;
  memset (&seen, 0, sizeof seen);
  seen.loop = loop_new ();
  assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM, 0, seen.ends), 0);
  assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM, 0, seen.others), 0);
  return 0;
}

static int
tear_down (void **state)
{
  (void) state;
  for (size_t i = 0; i < 8; i++)
    loop_timer_free (seen.timers[i]);
  loop_free (seen.loop);
  for (int i = 0; i < 2; i++) {
    close (seen.ends[i]);
    close (seen.others[i]);
  }
  return 0;
}

static void
say (int fd)
{
  assert_int_equal (write (fd, "x", 1), 1);
}

static void
hear (int fd)
{
  char c;

  assert_int_equal (read (fd, &c, 1), 1);
}

static void
note_call (void *data, int fd, unsigned ready)
{
  (void) data;
  (void) fd;
  seen.n_calls++;
  seen.ready = ready;
}

static void
note_other_call (void *data, int fd, unsigned ready)
{
  (void) data;
  (void) fd;
  (void) ready;
  seen.n_other_calls++;
}

static void
assert_turn (int n_calls, unsigned ready)
{
  seen.n_calls = 0;
  seen.ready = 0;
  loop_turn (seen.loop, 0);
  assert_int_equal (seen.n_calls, n_calls);
  assert_int_equal (seen.ready, ready);
}

static void
want (unsigned wanted)
{
  loop_want (seen.loop, seen.ends[0], wanted, note_call, NULL);
}

static void
test_interest (void **state)
{
  (void) state;
  assert_turn (0, 0);
  want (LOOP_READ);
  assert_turn (0, 0);
  say (seen.ends[1]);
  assert_turn (1, LOOP_READ);
  assert_turn (1, LOOP_READ);
  want (LOOP_READ | LOOP_WRITE);
  assert_turn (1, LOOP_READ | LOOP_WRITE);
  want (LOOP_WRITE);
  assert_turn (1, LOOP_WRITE);
  want (0);
  assert_turn (0, 0);
  assert_turn (0, 0);
  want (LOOP_READ);
  want (0);
  want (LOOP_READ);
  assert_turn (1, LOOP_READ);
  hear (seen.ends[0]);
  assert_turn (0, 0);
  loop_forget (seen.loop, seen.ends[0]);
  say (seen.ends[1]);
  assert_turn (0, 0);
  want (LOOP_READ);
  assert_turn (1, LOOP_READ);
}

/* A silent socket whose peer is gone must not keep the loop awake. */
static void
test_silence_sleeps (void **state)
{
  int64_t start;

  (void) state;
  want (LOOP_READ);
  assert_turn (0, 0);
  want (0);
  close (seen.ends[1]);
  loop_turn (seen.loop, 5);             /* the late notice of it */
  start = date_monotonic_us ();
  loop_turn (seen.loop, 20);
  loop_turn (seen.loop, 20);
  assert_int_equal (seen.n_calls, 0);
  assert_true (date_monotonic_us () - start >= 30000);
  want (LOOP_READ);
  assert_turn (1, LOOP_READ);
  seen.ends[1] = dup (seen.ends[0]);
}

static void
test_hang_up_is_told (void **state)
{
  (void) state;
  want (LOOP_WRITE);
  close (seen.ends[1]);
  assert_turn (1, LOOP_WRITE);
  want (LOOP_READ);
  assert_turn (1, LOOP_READ);
  seen.ends[1] = dup (seen.ends[0]);
}

/* The first of two called forgets the other and gives its descriptor to
 * somebody else. */
static void
steal_descriptor (void *data, int fd, unsigned ready)
{
  int victim = fd == seen.ends[0] ? seen.others[0] : seen.ends[0];

  (void) data;
  (void) ready;
  seen.n_calls++;
  loop_forget (seen.loop, victim);
  loop_forget (seen.loop, fd);
  /* A new socket, not readable, under the old number. */
  assert_int_equal (dup2 (seen.ends[1], victim), victim);
  loop_want (seen.loop, victim, LOOP_READ, note_other_call, NULL);
}

static void
test_stale_events (void **state)
{
  (void) state;
  loop_want (seen.loop, seen.ends[0], LOOP_READ, steal_descriptor, NULL);
  loop_want (seen.loop, seen.others[0], LOOP_READ, steal_descriptor, NULL);
  say (seen.ends[1]);
  say (seen.others[1]);
  loop_turn (seen.loop, 0);
  assert_int_equal (seen.n_calls, 1);
  assert_int_equal (seen.n_other_calls, 0);
}

static void
add_other (void *data, int fd, unsigned ready)
{
  (void) data;
  (void) ready;
  seen.n_calls++;
  loop_forget (seen.loop, fd);
  /* High numbers move the table that the loop is working on. */
  assert_int_equal (dup2 (seen.others[0], 900), 900);
  loop_want (seen.loop, 900, LOOP_WRITE, note_other_call, NULL);
}

static void
test_callback_adds (void **state)
{
  (void) state;
  loop_want (seen.loop, seen.ends[0], LOOP_WRITE, add_other, NULL);
  loop_turn (seen.loop, 0);
  loop_turn (seen.loop, 0);
  assert_int_equal (seen.n_calls, 1);
  assert_int_equal (seen.n_other_calls, 1);
  loop_forget (seen.loop, 900);
  loop_forget (seen.loop, 900);
  loop_forget (seen.loop, -1);
  loop_forget (seen.loop, 100000);
  loop_want (seen.loop, -1, LOOP_READ, note_call, NULL);
  close (900);
}

static void
test_regular_files (void **state)
{
  FILE *file = tmpfile ();
  int fd;

  (void) state;
  assert_non_null (file);
  fd = fileno (file);
  loop_want (seen.loop, fd, LOOP_READ, note_call, NULL);
  loop_turn (seen.loop, -1);            /* does not wait */
  assert_int_equal (seen.n_calls, 1);
  assert_turn (1, LOOP_READ);
  loop_want (seen.loop, fd, 0, note_call, NULL);
  assert_turn (0, 0);
  loop_want (seen.loop, fd, LOOP_READ, note_call, NULL);
  assert_turn (1, LOOP_READ);
  loop_forget (seen.loop, fd);
  assert_turn (0, 0);
  fclose (file);
}

static void
note_order (void *data)
{
  const char *name = data;

  strncat (seen.order, name, sizeof seen.order - strlen (seen.order) - 1);
}

static char name_a[] = "a", name_b[] = "b", name_c[] = "c", name_d[] = "d";

static void
test_timers (void **state)
{
  struct loop_timer **timers = seen.timers;
  int64_t now = loop_now_us (seen.loop);
  int64_t start = date_monotonic_us ();

  (void) state;
  timers[0] = loop_timer_new (seen.loop, note_order, name_a);
  timers[1] = loop_timer_new (seen.loop, note_order, name_b);
  timers[2] = loop_timer_new (seen.loop, note_order, name_c);
  timers[3] = loop_timer_new (seen.loop, note_order, name_d);
  assert_false (loop_timer_is_set (timers[0]));
  loop_timer_set (timers[0], now + 20000);
  loop_timer_set (timers[1], now - 5);
  loop_timer_set (timers[2], now);
  loop_timer_set (timers[3], now + 3600000000);
  assert_true (loop_timer_is_set (timers[3]));
  loop_turn (seen.loop, -1);
  assert_string_equal (seen.order, "bc");
  assert_false (loop_timer_is_set (timers[1]));
  loop_turn (seen.loop, -1);
  assert_string_equal (seen.order, "bca");
  assert_true (date_monotonic_us () - start >= 15000);
  loop_timer_stop (timers[3]);
  loop_timer_stop (timers[3]);
  assert_false (loop_timer_is_set (timers[3]));
  /* Set again is set anew. */
  loop_timer_set (timers[3], loop_now_us (seen.loop) + 3600000000);
  loop_timer_set (timers[3], 0);
  loop_turn (seen.loop, -1);
  loop_turn (seen.loop, 0);
  assert_string_equal (seen.order, "bcad");
  loop_timer_free (NULL);
}

static void
set_itself (void *data)
{
  struct loop_timer **timer = data;

  seen.n_calls++;
  loop_timer_set (*timer, 0);
}

/* A timer that always is due is fired once a turn, and starves nobody. */
static void
test_timer_sets_itself (void **state)
{
  (void) state;
  seen.timers[0] = loop_timer_new (seen.loop, set_itself, &seen.timers[0]);
  seen.timers[1] = loop_timer_new (seen.loop, note_order, name_a);
  loop_timer_set (seen.timers[0], 0);
  loop_timer_set (seen.timers[1], loop_now_us (seen.loop));
  for (int i = 1; i <= 5; i++) {
    loop_turn (seen.loop, -1);
    assert_int_equal (seen.n_calls, i);
  }
  assert_string_equal (seen.order, "a");
}

static void
free_all (void *data)
{
  (void) data;
  seen.n_calls++;
  for (size_t i = 0; i < 8; i++) {
    loop_timer_free (seen.timers[i]);
    seen.timers[i] = NULL;
  }
}

static void
test_timer_frees_itself_and_others (void **state)
{
  (void) state;
  for (size_t i = 0; i < 8; i++) {
    seen.timers[i] = loop_timer_new (seen.loop, free_all, NULL);
    loop_timer_set (seen.timers[i], 0);
  }
  loop_turn (seen.loop, 0);
  assert_int_equal (seen.n_calls, 1);
}

static int64_t last_at;

struct due {
  struct loop_timer *timer;
  int64_t at;
};

static void
check_due (void *data)
{
  struct due *due = data;

  assert_true (due->at >= last_at);
  last_at = due->at;
  seen.n_calls++;
}

/* A thousand timers set, set anew and stopped in disorder fire in order. */
static void
test_heap (void **state)
{
  struct due *dues = calloc (1000, sizeof *dues);
  int64_t now = loop_now_us (seen.loop);
  uint32_t chance = 1;
  int n_set = 0;

  (void) state;
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < 1000; i++) {
      struct due *due = &dues[i];

      chance = chance * 1664525 + 1013904223;
      if (due->timer == NULL)
        due->timer = loop_timer_new (seen.loop, check_due, due);
      due->at = now + (chance >> 16) % 500 + 1;
      if ((chance >> 28) < 4)
        loop_timer_stop (due->timer);
      else
        loop_timer_set (due->timer, due->at);
    }
  for (int i = 0; i < 1000; i++)
    n_set += loop_timer_is_set (dues[i].timer);
  last_at = 0;
  while (date_monotonic_us () < now + 1000)
    continue;
  loop_turn (seen.loop, 0);
  assert_true (n_set > 500 && n_set < 1000);
  assert_int_equal (seen.n_calls, n_set);
  for (int i = 0; i < 1000; i++)
    loop_timer_free (dues[i].timer);
  free (dues);
}

static void
note_signal (void *data, int number)
{
  assert_ptr_equal (data, &seen);
  seen.n_calls++;
  seen.ready = (unsigned) number;
}

static void
test_signals (void **state)
{
  (void) state;
  loop_on_signal (seen.loop, SIGUSR1, note_signal, &seen);
  loop_on_signal (seen.loop, SIGHUP, note_signal, &seen);
  assert_turn (0, 0);
  raise (SIGUSR1);
  assert_int_equal (seen.n_calls, 0);   /* not in the handler */
  loop_turn (seen.loop, -1);
  assert_int_equal (seen.n_calls, 1);
  assert_int_equal (seen.ready, SIGUSR1);
  assert_turn (0, 0);
  /* However often it came, and with a full pipe. */
  for (int i = 0; i < 100000; i++)
    raise (SIGHUP);
  assert_turn (1, SIGHUP);
  assert_turn (0, 0);
  raise (SIGUSR1);
  raise (SIGHUP);
  loop_turn (seen.loop, 0);
  assert_int_equal (seen.n_calls, 2);
  loop_on_signal (seen.loop, 0, note_signal, &seen);
  loop_on_signal (seen.loop, 1000, note_signal, &seen);
}

static void
test_held_signal (void **state)
{
  (void) state;
  loop_hold_signal (SIGUSR1);
  raise (SIGUSR1);              /* would end us */
  loop_on_signal (seen.loop, SIGUSR1, note_signal, &seen);
  assert_turn (1, SIGUSR1);
  raise (SIGUSR1);
  assert_turn (1, SIGUSR1);
}

static void
test_signals_end_with_the_loop (void **state)
{
  struct sigaction action;

  (void) state;
  loop_on_signal (seen.loop, SIGUSR2, note_signal, &seen);
  sigaction (SIGUSR2, NULL, &action);
  assert_true (action.sa_handler != SIG_DFL);
  loop_free (seen.loop);
  sigaction (SIGUSR2, NULL, &action);
  assert_true (action.sa_handler == SIG_DFL);
  seen.loop = loop_new ();
}

static void
test_timers_outlive_the_loop (void **state)
{
  (void) state;
  seen.timers[0] = loop_timer_new (seen.loop, note_order, name_a);
  seen.timers[1] = loop_timer_new (seen.loop, note_order, name_b);
  loop_timer_set (seen.timers[0], 1);
  loop_free (seen.loop);
  assert_false (loop_timer_is_set (seen.timers[0]));
  loop_free (NULL);
  seen.loop = loop_new ();
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_interest, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_silence_sleeps, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_hang_up_is_told, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_stale_events, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_callback_adds, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_regular_files, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_timers, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_timer_sets_itself, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_timer_frees_itself_and_others,
                                     set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_heap, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_signals, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_held_signal, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_signals_end_with_the_loop, set_up,
                                     tear_down),
    cmocka_unit_test_setup_teardown (test_timers_outlive_the_loop, set_up,
                                     tear_down),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
