/* board_file.c - the file of a board: its layout, and who has it.
 *
 * A file that anybody may have mapped is never cut (who reads it would die
 * of SIGBUS): one of another layout is replaced by a new file.  Blocks are
 * taken from the disk beforehand for the same reason.
 *
 * SPDX-License-Identifier: MIT
 */

#include "metrics/board_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/lock.h"
#include "base/memory.h"

#define BOARD_MAGIC UINT64_C (0x6472616f62687268)       /* "hrhboard" */

enum {
  BOARD_LAYOUT = 1,
  BOARD_LOCK = 0,               /* the byte whose lock makes the writer */
  BOARD_FILES = 1024            /* of a directory; more is not ours */
};

size_t
board_file_size (enum board_role role)
{
  return role == BOARD_INTAKE
           ? offsetof (struct board_file, u) + sizeof (struct board_intake)
           : sizeof (struct board_file);
}

static void
board_file_add_path (struct buf *path, const char *run_directory,
                     enum board_role role, unsigned index)
{
  if (role == BOARD_INTAKE)
    buf_printf (path, "%s/intake.board", run_directory);
  else
    buf_printf (path, "%s/worker-%u.board", run_directory, index);
}

/* Of this layout, and whole. */
static bool
board_file_is_good (const struct board_file *file, size_t size)
{
  if (file->magic != BOARD_MAGIC || file->layout != BOARD_LAYOUT
      || file->role > BOARD_WORKER || file->size != size
      || size != board_file_size (file->role) || file->n_lanes > BOARD_LANES)
    return false;
  if (file->role == BOARD_WORKER)
    for (size_t i = 0; i < file->n_lanes; i++) {
      const struct board_lane *lane = &file->u.lanes[i];

      if (memchr (lane->name, '\0', sizeof lane->name) == NULL
          || memchr (lane->provider, '\0', sizeof lane->provider) == NULL)
        return false;
    }
  return true;
}

/* What there is of it mapped, or NULL: too small, not good, or another
 * role's. */
static struct board_file *
board_file_map (int fd, int protection)
{
  struct board_file *file;
  struct stat about;
  size_t size;

  if (fstat (fd, &about) != 0 || !S_ISREG (about.st_mode)
      || about.st_size < (off_t) board_file_size (BOARD_INTAKE)
      || about.st_size > (off_t) sizeof (struct board_file))
    return NULL;
  size = (size_t) about.st_size;
  file = mmap (NULL, size, protection, MAP_SHARED, fd, 0);
  if (file == MAP_FAILED)
    return NULL;
  if (board_file_is_good (file, size))
    return file;
  munmap (file, size);
  return NULL;
}

/* ------------------------------------------------------------------ */

/* An empty file of full size, good from its last write on. */
static int
board_file_make (int fd, enum board_role role, unsigned index)
{
  struct board_file head = {
    .magic = BOARD_MAGIC, .layout = BOARD_LAYOUT, .role = role,
    .index = index, .size = board_file_size (role),
  };
  int status;

  do
    status = posix_fallocate (fd, 0, (off_t) head.size);
  while (status == EINTR);
  if (status == 0
      && pwrite (fd, &head, offsetof (struct board_file, process), 0)
           != (ssize_t) offsetof (struct board_file, process))
    status = errno;
  errno = status;
  return status == 0 ? 0 : -1;
}

/* Instead of what is there, by who holds its lock. */
static int
board_file_replace (const char *path, enum board_role role, unsigned index)
{
  struct buf fresh = BUF_INIT (0);
  int fd, error;

  buf_printf (&fresh, "%s.new", path);
  unlink (fresh.data);
  fd = open (fresh.data, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0
      && (!lock_try (fd, BOARD_LOCK) || board_file_make (fd, role, index) != 0
          || rename (fresh.data, path) != 0)) {
    error = errno;
    close (fd);
    unlink (fresh.data);
    errno = error;
    fd = -1;
  }
  buf_done (&fresh);
  return fd;
}

/* What was opened may have been replaced before it was locked. */
static bool
board_file_is_still (int fd, const char *path)
{
  struct stat mine, there;

  return fstat (fd, &mine) == 0 && stat (path, &there) == 0
         && mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

/* The file locked, whatever is in it; -1 with errno, EAGAIN: another
 * process has it. */
static int
board_file_lock (const char *path)
{
  enum { TRIES = 8 };
  int fd;

  for (int try = 0; try < TRIES; try++) {
    fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
      return -1;
    if (!lock_try (fd, BOARD_LOCK))
      break;
    if (board_file_is_still (fd, path))
      return fd;
    close (fd);
    fd = -1;
  }
  if (fd >= 0)
    close (fd);
  errno = EAGAIN;
  return -1;
}

static struct board_file *
board_file_map_own (int fd, enum board_role role, unsigned index)
{
  struct board_file *file = board_file_map (fd, PROT_READ | PROT_WRITE);

  if (file != NULL && (file->role != role || file->index != index)) {
    munmap (file, file->size);
    file = NULL;
  }
  return file;
}

enum board_file_answer
board_file_take (const char *run_directory, enum board_role role,
                 unsigned index, struct board_file **ret_file, int *ret_fd,
                 char *ret_reason, size_t size)
{
  struct buf path = BUF_INIT (0);
  struct board_file *file = NULL;
  enum board_file_answer answer = BOARD_FILE_NONE;
  int fd, old_fd;

  board_file_add_path (&path, run_directory, role, index);
  mkdir (run_directory, 0700);
  fd = old_fd = board_file_lock (path.data);
  if (fd >= 0)
    file = board_file_map_own (fd, role, index);
  if (fd >= 0 && file == NULL) {
    fd = board_file_replace (path.data, role, index);
    if (fd >= 0)
      file = board_file_map_own (fd, role, index);
  }
  if (file != NULL) {
    *ret_file = file;
    *ret_fd = fd;
    answer = BOARD_FILE_TAKEN;
  } else if (old_fd < 0 && errno == EAGAIN) {
    snprintf (ret_reason, size, "%s: another process writes it", path.data);
    answer = BOARD_FILE_HELD;
  } else {
    snprintf (ret_reason, size, "%s: can't be made: %s", path.data,
              strerror (errno));
    if (fd >= 0)
      close (fd);
  }
  if (old_fd >= 0 && old_fd != fd)
    close (old_fd);
  buf_done (&path);
  return answer;
}

void
board_file_leave (struct board_file *file, int fd)
{
  munmap (file, file->size);
  close (fd);
}

/* ------------------------------------------------------------------ */

int
board_file_look (const char *run_directory, const char *name,
                 struct board_file **ret_file)
{
  struct buf path = BUF_INIT (0);
  int fd;

  buf_printf (&path, "%s/%s", run_directory, name);
  fd = open (path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  buf_done (&path);
  if (fd < 0)
    return -1;
  *ret_file = board_file_map (fd, PROT_READ);
  if (*ret_file == NULL) {
    close (fd);
    return -1;
  }
  return fd;
}

static int
board_file_compare (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char **
board_file_names (const char *run_directory)
{
  static const char suffix[] = ".board";
  char **names = memory_zeroed (BOARD_FILES + 1, sizeof *names);
  DIR *directory = opendir (run_directory);
  struct dirent *entry;
  size_t n = 0;

  if (directory == NULL)
    return names;
  while (n < BOARD_FILES && (entry = readdir (directory)) != NULL) {
    size_t len = strlen (entry->d_name);

    if (len > sizeof suffix
        && strcmp (entry->d_name + len - (sizeof suffix - 1), suffix) == 0)
      names[n++] = memory_strdup (entry->d_name);
  }
  closedir (directory);
  qsort (names, n, sizeof *names, board_file_compare);
  return names;
}
