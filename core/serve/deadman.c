/* deadman.c - a process that hangs ends itself.
 *
 * A second is counted by each SIGALRM; those that come while the process
 * is stopped (SIGSTOP) are one when it goes on.
 *
 * SPDX-License-Identifier: MIT
 */

#include "serve/deadman.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t seconds, most_seconds;

/* To the process, for any thread may be here. */
static void
deadman_on_alarm (int number)
{
  (void) number;
  if (++seconds > most_seconds)
    kill (getpid (), SIGABRT);
}

static void
deadman_set (long interval)
{
  struct itimerval timer = { { interval, 0 }, { interval, 0 } };

  setitimer (ITIMER_REAL, &timer, NULL);
}

void
deadman_start (int64_t most_ms)
{
  struct sigaction action;

  memset (&action, 0, sizeof action);
  action.sa_handler = deadman_on_alarm;
  action.sa_flags = SA_RESTART;
  sigemptyset (&action.sa_mask);
  seconds = 0;
  most_seconds = (sig_atomic_t) (most_ms / 1000 + 1);
  sigaction (SIGALRM, &action, NULL);
  deadman_set (1);
}

void
deadman_alive (void)
{
  seconds = 0;
}

void
deadman_stop (void)
{
  deadman_set (0);
  signal (SIGALRM, SIG_DFL);
}
