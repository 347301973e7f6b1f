/* pidfile.c - who runs here.
 *
 * SPDX-License-Identifier: MIT
 */

#include "serve/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/number.h"

enum {
  SUPERVISOR = 0,               /* the byte of its lock */
  FIRST_PLACE = 1,
  PATIENCE_MS = 1000            /* pidfile_find () holds the lock a moment */
};

struct pidfile {
  char *directory, *path;
  int fd;
  bool is_inherited;
};

static char *
path_in (const char *directory, const char *name)
{
  struct buf path = BUF_INIT (0);

  buf_printf (&path, "%s/%s", directory, name);
  return buf_steal (&path);
}

/* A directory for its owner alone. */
static int
make_directory (const char *path, char *ret_reason, size_t size)
{
  struct stat st;

  if (mkdir (path, 0700) != 0 && errno != EEXIST) {
    snprintf (ret_reason, size, "%s can't be made: %s", path,
              strerror (errno));
    return -1;
  }
  if (stat (path, &st) != 0 || !S_ISDIR (st.st_mode)) {
    snprintf (ret_reason, size, "%s is no directory", path);
    return -1;
  }
  if (st.st_uid != geteuid () || (st.st_mode & 022) != 0) {
    snprintf (ret_reason, size, "%s must belong to the user herald runs as "
              "(uid %lu), and be writable by nobody else", path,
              (unsigned long) geteuid ());
    return -1;
  }
  return 0;
}

/* The number in it; 0: it is empty. */
static pid_t
read_pid (int fd)
{
  char text[32];
  ssize_t n = pread (fd, text, sizeof text, 0);
  int64_t pid = 0;

  while (n > 0 && text[n - 1] == '\n')
    n--;
  return n > 0 && number_read (text, (size_t) n, 1, INT32_MAX, &pid) == 0
         ? (pid_t) pid : 0;
}

static int
write_pid (int fd)
{
  char text[32];
  int len = snprintf (text, sizeof text, "%ld\n", (long) getpid ());

  return ftruncate (fd, 0) == 0 && pwrite (fd, text, (size_t) len, 0) == len
         ? 0 : -1;
}

static int
pidfile_open (struct pidfile *pidfile, char *ret_reason, size_t size)
{
  pid_t other;

  pidfile->fd = open (pidfile->path, O_RDWR | O_CREAT | O_CLOEXEC
                                       | O_NOFOLLOW, 0600);
  if (pidfile->fd < 0) {
    snprintf (ret_reason, size, "%s can't be opened: %s", pidfile->path,
              strerror (errno));
    return -1;
  }
  if (!lock_wait (pidfile->fd, SUPERVISOR, PATIENCE_MS)) {
    other = read_pid (pidfile->fd);
    snprintf (ret_reason, size, "herald serve runs already (pid %ld) with "
              "%s; stop that one, or use another --state", (long) other,
              pidfile->directory);
    return -1;
  }
  pidfile->is_inherited = read_pid (pidfile->fd) != 0;
  if (write_pid (pidfile->fd) != 0) {
    snprintf (ret_reason, size, "%s can't be written: %s", pidfile->path,
              strerror (errno));
    return -1;
  }
  return 0;
}

static void
pidfile_free (struct pidfile *pidfile)
{
  if (pidfile->fd >= 0)
    close (pidfile->fd);
  free (pidfile->path);
  free (pidfile->directory);
  free (pidfile);
}

struct pidfile *
pidfile_hold (const char *state_directory, char *ret_reason, size_t size)
{
  struct pidfile *pidfile = memory_zeroed (1, sizeof *pidfile);

  pidfile->fd = -1;
  pidfile->directory = path_in (state_directory, "run");
  pidfile->path = path_in (pidfile->directory, "serve.pid");
  if (make_directory (state_directory, ret_reason, size) == 0
      && make_directory (pidfile->directory, ret_reason, size) == 0
      && pidfile_open (pidfile, ret_reason, size) == 0)
    return pidfile;
  pidfile_free (pidfile);
  return NULL;
}

void
pidfile_release (struct pidfile *pidfile)
{
  if (pidfile == NULL)
    return;
  /* Emptied, not removed: a lock on a removed file is no lock.  If that
   * fails the next one is careful for nothing. */
  if (ftruncate (pidfile->fd, 0) != 0)
    errno = 0;
  pidfile_free (pidfile);
}

const char *
pidfile_directory (const struct pidfile *pidfile)
{
  return pidfile->directory;
}

bool
pidfile_is_inherited (const struct pidfile *pidfile)
{
  return pidfile->is_inherited;
}

/* Opened anew: the lock belongs to this opening of the file, and goes
 * with the last descriptor of it.  By what is open already, where that can
 * be named: the file may have been removed. */
int
pidfile_take (struct pidfile *pidfile, unsigned place)
{
  char path[40];
  int fd;

  snprintf (path, sizeof path, "/proc/self/fd/%d", pidfile->fd);
  fd = open (path, O_RDWR);
  if (fd < 0 && errno == ENOENT)
    fd = open (pidfile->path, O_RDWR | O_NOFOLLOW);
  if (fd >= 0 && !lock_try (fd, FIRST_PLACE + (int64_t) place)) {
    close (fd);
    fd = -1;
    errno = EAGAIN;
  }
  return fd;
}

pid_t
pidfile_find (const char *state_directory)
{
  char *directory = path_in (state_directory, "run");
  char *path = path_in (directory, "serve.pid");
  int fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  pid_t pid = 0;

  if (fd >= 0) {
    if (lock_try (fd, SUPERVISOR))
      lock_release (fd, SUPERVISOR);
    else
      pid = read_pid (fd);
    close (fd);
  }
  free (path);
  free (directory);
  return pid;
}
