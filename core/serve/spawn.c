/* spawn.c - fork and exec of a child.
 *
 * SPDX-License-Identifier: MIT
 */

#include "serve/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/process.h"

enum {
  FIRST_FD = 3,                 /* SD_LISTEN_FDS_START */
  LOST = 127
};

static void
set_number (const char *name, long long value)
{
  char text[32];

  snprintf (text, sizeof text, "%lld", value);
  setenv (name, text, 1);
}

static void
spawn_environment (const struct spawn *spawn, size_t n)
{
  static const char *const ours[] = {
    "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS",
    "LISTEN_PID", "LISTEN_FDNAMES"
  };
  struct buf names = BUF_INIT (0);

  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
    unsetenv (ours[i]);
  for (size_t i = 0; spawn->hidden != NULL && spawn->hidden[i] != NULL; i++)
    unsetenv (spawn->hidden[i]);
  setenv ("NOTIFY_SOCKET", spawn->notify_path, 1);
  if (spawn->watchdog_ms > 0) {
    set_number ("WATCHDOG_USEC", (long long) spawn->watchdog_ms * 1000);
    set_number ("WATCHDOG_PID", getpid ());
  }
  if (spawn->listeners == NULL)
    return;
  for (size_t i = 0; i < n; i++)
    buf_printf (&names, "%sintake", i > 0 ? ":" : "");
  set_number ("LISTEN_FDS", (long long) n);
  set_number ("LISTEN_PID", getpid ());
  setenv ("LISTEN_FDNAMES", names.data, 1);
  buf_done (&names);
}

/* The first descriptor that is out of the way of the wanted sockets. */
static int
spawn_spare (const struct listeners *listeners)
{
  int spare = FIRST_FD;

  for (size_t i = 0; listeners != NULL && i < listeners_count (listeners);
       i++)
    spare += listeners_at (listeners, i)->is_wanted;
  return spare;
}

/* Put the wanted sockets at 3 and on; how many, or -1.  What else is open
 * there is the supervisor's, and not for a child. */
static int
spawn_sockets (const struct listeners *listeners, int spare)
{
  int fds[SERVICE_SOCKETS_MAX], n = 0;

  for (size_t i = 0; listeners != NULL && i < listeners_count (listeners);
       i++) {
    const struct listener *listener = listeners_at (listeners, i);

    if (!listener->is_wanted || n == SERVICE_SOCKETS_MAX)
      continue;
    fds[n] = fcntl (listener->fd, F_DUPFD_CLOEXEC, spare);
    if (fds[n++] < 0)
      return -1;
  }
  for (int i = 0; i < n; i++)
    if (dup2 (fds[i], FIRST_FD + i) < 0)
      return -1;
  return n;
}

/* In the child.  Never comes back: errno goes to the parent. */
static void
spawn_run (const struct spawn *spawn, pid_t parent, int report)
{
  static const int caught[] = { SIGHUP, SIGINT, SIGTERM, SIGCHLD };
  int spare = spawn_spare (spawn->listeners), n = -1, copy;
  sigset_t held;

  for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
    signal (caught[i], SIG_DFL);
  /* A reload waits until the child can do it. */
  sigemptyset (&held);
  sigaddset (&held, SIGHUP);
  /* Ctrl-C is for the supervisor, which knows in which order to stop. */
  setpgid (0, 0);
  sigprocmask (SIG_SETMASK, &held, NULL);
  process_end_with (parent, SIGTERM);
  copy = fcntl (report, F_DUPFD_CLOEXEC, spare);
  if (copy >= 0) {
    report = copy;
    if (fcntl (spawn->place_fd, F_DUPFD, spare) >= 0)
      n = spawn_sockets (spawn->listeners, spare);
  }
  if (n >= 0) {
    spawn_environment (spawn, (size_t) n);
    /* The place is held by the copy; this one may be among the sockets. */
    if (spawn->place_fd >= FIRST_FD + n)
      close (spawn->place_fd);
    execvp (spawn->program, spawn->arguments);
  }
  n = errno;
  if (write (report, &n, sizeof n) != (ssize_t) sizeof n)
    _exit (LOST);
  _exit (LOST);
}

/* 0 when the program runs, else errno of why not. */
static int
spawn_wait (int report)
{
  int error = 0;
  ssize_t n;

  do
    n = read (report, &error, sizeof error);
  while (n < 0 && errno == EINTR);
  return n == (ssize_t) sizeof error ? error : 0;
}

pid_t
spawn (const struct spawn *spawn)
{
  int ends[2], error;
  pid_t pid, parent = getpid ();
  sigset_t all, before;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return -1;
  /* A signal for the child must not run our handler in it. */
  sigfillset (&all);
  sigprocmask (SIG_SETMASK, &all, &before);
  pid = fork ();
  if (pid == 0)
    spawn_run (spawn, parent, ends[1]);
  error = pid < 0 ? errno : 0;
  sigprocmask (SIG_SETMASK, &before, NULL);
  close (ends[1]);
  if (pid > 0) {
    error = spawn_wait (ends[0]);
    if (error != 0)
      waitpid (pid, NULL, 0);
  }
  close (ends[0]);
  errno = error;
  return error == 0 ? pid : -1;
}
