/* process.c - what a system lets processes know and do about each other.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

#ifdef __linux__
static const char self[] = "/proc/self/exe";
#endif

const char *
process_program (const char *argv0)
{
#ifdef __linux__
  if (access (self, X_OK) == 0)
    return self;
#endif
  return argv0;
}

void
process_rename (const char *name)
{
#ifdef __linux__
  prctl (PR_SET_NAME, name, 0, 0, 0);
#else
  (void) name;
#endif
}

void
process_end_with (pid_t parent, int signal)
{
#ifdef __linux__
  prctl (PR_SET_PDEATHSIG, signal, 0, 0, 0);
#endif
  if (getppid () != parent)
    raise (signal);
}

/* proc(5): "PID (NAME) STATE ...", where the name may hold anything. */
bool
process_is_stopped (pid_t pid)
{
  char path[40], text[256];
  const char *end;
  ssize_t n;
  int fd;

  snprintf (path, sizeof path, "/proc/%ld/stat", (long) pid);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  n = read (fd, text, sizeof text - 1);
  close (fd);
  if (n <= 0)
    return false;
  text[n] = '\0';
  end = strrchr (text, ')');
  return end != NULL && end[1] == ' ' && (end[2] == 'T' || end[2] == 't');
}

const char *
process_signal_name (int signal)
{
  static char other[32];

  switch (signal) {
    case SIGABRT: return "it aborted";
    case SIGBUS: return "bus error";
    case SIGFPE: return "arithmetic error";
    case SIGHUP: return "SIGHUP";
    case SIGILL: return "illegal instruction";
    case SIGINT: return "SIGINT";
    case SIGKILL: return "SIGKILL";
    case SIGSEGV: return "segmentation fault";
    case SIGSYS: return "forbidden system call";
    case SIGTERM: return "SIGTERM";
  }
  snprintf (other, sizeof other, "signal %d", signal);
  return other;
}
