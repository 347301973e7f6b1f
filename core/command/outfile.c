/* outfile.c - lines appended to a file that must not get lost.
 *
 * SPDX-License-Identifier: MIT
 */

#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"

struct outfile {
  char *path;
  int fd;
  bool has_failed;
  bool is_amid_line;            /* what was there before has no line break */
};

/* Half a line at the end of a file would take the next with it. */
static bool
outfile_ends_amid_line (const char *path, int fd)
{
  struct stat status;
  char last = '\n';
  int reader;

  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode)
      || status.st_size == 0)
    return false;
  reader = open (path, O_RDONLY | O_CLOEXEC);
  if (reader < 0)
    return false;
  if (pread (reader, &last, 1, status.st_size - 1) != 1)
    last = '\n';
  close (reader);
  return last != '\n';
}

struct outfile *
outfile_open (const char *path)
{
  struct outfile *outfile;
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  if (fd < 0) {
    log_error ("%s can't be written: %m", path);
    return NULL;
  }
  outfile = memory_zeroed (1, sizeof *outfile);
  outfile->is_amid_line = outfile_ends_amid_line (path, fd);
  outfile->path = memory_strdup (path);
  outfile->fd = fd;
  return outfile;
}

static int
outfile_fail (struct outfile *outfile)
{
  if (!outfile->has_failed)
    log_error ("%s can't be written: %m", outfile->path);
  outfile->has_failed = true;
  return -1;
}

int
outfile_close (struct outfile *outfile)
{
  int status = 0;

  if (outfile == NULL)
    return 0;
  /* A pipe or a terminal can't be synchronised, and need not be. */
  if (fsync (outfile->fd) != 0 && errno != EINVAL && errno != EROFS
      && errno != ENOTSUP)
    outfile_fail (outfile);
  if (close (outfile->fd) != 0)
    outfile_fail (outfile);
  if (outfile->has_failed)
    status = -1;
  free (outfile->path);
  free (outfile);
  return status;
}

/* Take back what was written of a line that does not fit. */
static void
outfile_cut (struct outfile *outfile, size_t len)
{
  struct stat status;

  if (len > 0 && fstat (outfile->fd, &status) == 0
      && S_ISREG (status.st_mode) && status.st_size >= (off_t) len
      && ftruncate (outfile->fd, status.st_size - (off_t) len) != 0)
    log_error ("%s ends with half a line: %m", outfile->path);
}

static int
outfile_write (struct outfile *outfile, const void *data, size_t len)
{
  size_t done = 0;

  while (done < len) {
    ssize_t n = write (outfile->fd, (const char *) data + done, len - done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      outfile_fail (outfile);
      outfile_cut (outfile, done);
      return -1;
    }
    done += (size_t) n;
  }
  return 0;
}

int
outfile_add (struct outfile *outfile, const void *data, size_t len)
{
  if (outfile->is_amid_line && outfile_write (outfile, "\n", 1) != 0)
    return -1;
  outfile->is_amid_line = false;
  return outfile_write (outfile, data, len);
}

bool
outfile_is (const struct outfile *outfile, const struct stat *status)
{
  struct stat own;

  return fstat (outfile->fd, &own) == 0 && S_ISREG (own.st_mode)
         && own.st_dev == status->st_dev && own.st_ino == status->st_ino;
}

bool
outfile_is_same (const struct outfile *a, const struct outfile *b)
{
  struct stat status;

  return fstat (b->fd, &status) == 0 && outfile_is (a, &status);
}
