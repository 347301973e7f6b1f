/* new_file.c - a file written whole, to be put where it belongs then.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int
new_file_add (int fd, const char *data, size_t len)
{
  while (len > 0) {
    ssize_t n = write (fd, data, len);

    if (n < 0 && errno != EINTR)
      return -1;
    if (n > 0) {
      data += n;
      len -= (size_t) n;
    }
  }
  return 0;
}

int
new_file_write (const char *path, const void *data, size_t len, mode_t mode)
{
  int error = 0, fd;

  unlink (path);
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
             0600);
  if (fd < 0)
    return -1;
  if (new_file_add (fd, data, len) < 0 || fchmod (fd, mode) < 0
      || fsync (fd) < 0)
    error = errno;
  if (close (fd) < 0 && error == 0)
    error = errno;
  if (error == 0)
    return 0;
  unlink (path);
  errno = error;
  return -1;
}

int
new_file_sync_directory (const char *directory)
{
  int fd = open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int status;

  if (fd < 0)
    return -1;
  status = fsync (fd);
  close (fd);
  return status;
}
