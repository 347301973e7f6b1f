/* watch.c - hear that another process has written to a file.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/watch.h"

#include "config.h"

#include <fcntl.h>
#include <unistd.h>

#if defined HAVE_SYS_INOTIFY_H
#include <sys/inotify.h>

int
watch_open (const char *path)
{
  int watch_fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);

  if (watch_fd >= 0 && inotify_add_watch (watch_fd, path, IN_MODIFY) < 0) {
    close (watch_fd);
    return -1;
  }
  return watch_fd;
}

void
watch_heard (int watch_fd)
{
  char events[4096];

  /* Equal events are joined by the kernel, so this ends. */
  while (read (watch_fd, events, sizeof events) > 0)
    ;
}

void
watch_close (int watch_fd)
{
  if (watch_fd >= 0)
    close (watch_fd);
}

#elif defined HAVE_SYS_EVENT_H
#include <sys/event.h>
#include <sys/time.h>

int
watch_open (const char *path)
{
  int file_fd = open (path, O_RDONLY | O_CLOEXEC), watch_fd = kqueue ();
  struct kevent event;

  EV_SET (&event, file_fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, NOTE_WRITE, 0,
          NULL);
  if (file_fd < 0 || watch_fd < 0
      || kevent (watch_fd, &event, 1, NULL, 0, NULL) != 0) {
    if (file_fd >= 0)
      close (file_fd);
    if (watch_fd >= 0)
      close (watch_fd);
    return -1;
  }
  return watch_fd;
}

void
watch_heard (int watch_fd)
{
  static const struct timespec none = { 0, 0 };
  struct kevent event;

  kevent (watch_fd, NULL, 0, &event, 1, &none);
}

/* The file's own descriptor stays open until the process ends: a process
 * watches one or two. */
void
watch_close (int watch_fd)
{
  if (watch_fd >= 0)
    close (watch_fd);
}

#else

int
watch_open (const char *path)
{
  (void) path;
  return -1;
}

void
watch_heard (int watch_fd)
{
  (void) watch_fd;
}

void
watch_close (int watch_fd)
{
  (void) watch_fd;
}

#endif
