/* lock.c - locks on the bytes of a file, between processes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/date.h"

/* Locks of the open file where there are such: those of the process are
 * lost when any descriptor of the file is closed. */
#ifdef F_OFD_SETLK
enum { LOCK_SET = F_OFD_SETLK };
#else
enum { LOCK_SET = F_SETLK };
#endif

enum {
  EAGER_US = 10 * 1000,         /* a commit takes less, as a rule */
  EAGER_NAP_US = 50,
  NAP_US = 1000
};

static int
lock_set (int fd, int64_t byte, short type)
{
  struct flock lock = { .l_type = type, .l_whence = SEEK_SET,
                        .l_start = (off_t) byte, .l_len = 1 };
  int status;

  do
    status = fcntl (fd, LOCK_SET, &lock);
  while (status != 0 && errno == EINTR);
  return status;
}

bool
lock_try (int fd, int64_t byte)
{
  return lock_set (fd, byte, F_WRLCK) == 0;
}

/* Asks again and again: the blocking kind can't be told when to give up. */
bool
lock_wait (int fd, int64_t byte, int64_t most_ms)
{
  int64_t start = 0, gone = 0;

  while (!lock_try (fd, byte)) {
    struct timespec nap = { 0, (gone < EAGER_US ? EAGER_NAP_US : NAP_US)
                                 * 1000L };

    if (start == 0)
      start = date_monotonic_us ();
    if (gone > most_ms * 1000)
      return false;
    nanosleep (&nap, NULL);
    gone = date_monotonic_us () - start;
  }
  return true;
}

void
lock_release (int fd, int64_t byte)
{
  lock_set (fd, byte, F_UNLCK);
}
