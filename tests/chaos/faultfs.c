/* faultfs.c - a disk that fails when it is told to, for LD_PRELOAD.
 *
 * Environment: FAULTFS_UNDER, a directory as realpath(1) gives it; only
 * files below it are touched.  FAULTFS_SWITCH, a file of at least 16
 * bytes, four numbers of 32 bits in the order of the host: which faults
 * (enum below, joined by or), for how many of a thousand calls, and two
 * counters that are written here: calls that failed, and calls looked at
 * while faults were on.  It is mapped, so a change counts at once, in
 * every process that runs with it.
 *
 * What fails is what fails on a real disk: a write when there is no room
 * (ENOSPC), a write or a sync when the medium is bad (EIO), and a write
 * that takes half of what it was given.
 *
 * SPDX-License-Identifier: MIT
 */

/* With these the names below would mean other functions. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
  FAULT_FULL = 1,               /* ENOSPC: whatever makes files larger */
  FAULT_WRITE = 2,              /* EIO */
  FAULT_SYNC = 4,               /* EIO */
  FAULT_SHORT = 8               /* half of it, once; no error */
};

struct faultfs {
  uint32_t faults, chance;
  uint32_t n_failed, n_seen;
};

static volatile struct faultfs *faultfs;
static char faultfs_under[4096];

__attribute__ ((constructor)) static void
faultfs_start (void)
{
  const char *under = getenv ("FAULTFS_UNDER");
  const char *path = getenv ("FAULTFS_SWITCH");
  void *memory;
  int fd;

  if (under == NULL || path == NULL || strlen (under) >= sizeof faultfs_under)
    return;
  strncpy (faultfs_under, under, sizeof faultfs_under - 1);
  fd = open (path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return;
  memory = mmap (NULL, sizeof *faultfs, PROT_READ | PROT_WRITE, MAP_SHARED,
                 fd, 0);
  close (fd);
  if (memory != MAP_FAILED)
    faultfs = memory;
}

static bool
faultfs_has (const char *path)
{
  size_t len = strlen (faultfs_under);

  return strncmp (path, faultfs_under, len) == 0
         && (path[len] == '/' || path[len] == '\0');
}

/* xorshift: the libc's generators take locks. */
static bool
faultfs_has_luck (uint32_t chance)
{
  static _Thread_local uint32_t state;

  if (state == 0)
    state = (uint32_t) (uintptr_t) &state ^ (uint32_t) getpid () ^ 0x9e3779b9;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % 1000 >= chance;
}

/* Which of faults this call on that file meets: one of them, or 0. */
static uint32_t
faultfs_meets (const char *path, uint32_t faults)
{
  uint32_t on = faultfs->faults & faults;

  if (on == 0 || !faultfs_has (path))
    return 0;
  __atomic_add_fetch (&faultfs->n_seen, 1, __ATOMIC_RELAXED);
  if (faultfs_has_luck (faultfs->chance))
    return 0;
  __atomic_add_fetch (&faultfs->n_failed, 1, __ATOMIC_RELAXED);
  return on & (~on + 1);        /* the lowest */
}

static uint32_t
faultfs_meets_fd (int fd, uint32_t faults)
{
  char name[64], path[4096];
  ssize_t len;
  int before = errno;

  if (faultfs == NULL || (faultfs->faults & faults) == 0)
    return 0;
  snprintf (name, sizeof name, "/proc/self/fd/%d", fd);
  len = readlink (name, path, sizeof path - 1);
  errno = before;
  if (len <= 0)
    return 0;
  path[len] = '\0';
  return faultfs_meets (path, faults);
}

/* 0: go on with *len; else the error. */
static int
faultfs_write_error (int fd, size_t *len)
{
  switch (faultfs_meets_fd (fd, FAULT_FULL | FAULT_WRITE
                            | (*len > 1 ? FAULT_SHORT : 0))) {
  case FAULT_FULL:
    return ENOSPC;
  case FAULT_WRITE:
    return EIO;
  case FAULT_SHORT:
    *len /= 2;
    return 0;
  default:
    return 0;
  }
}

/* What follows is there to be seen. */
#pragma GCC visibility push(default)

#define NEXT(name)                                                          \
  static __typeof__ (&name) next;                                           \
  if (next == NULL)                                                         \
    next = (__typeof__ (&name)) (uintptr_t) dlsym (RTLD_NEXT, #name)

#define FAIL(error)                                                         \
  do {                                                                      \
    errno = (error);                                                        \
    return -1;                                                              \
  } while (0)

ssize_t
write (int fd, const void *data, size_t len)
{
  int error;
  NEXT (write);

  error = faultfs_write_error (fd, &len);
  if (error != 0)
    FAIL (error);
  return next (fd, data, len);
}

ssize_t
pwrite (int fd, const void *data, size_t len, off_t offset)
{
  int error;
  NEXT (pwrite);

  error = faultfs_write_error (fd, &len);
  if (error != 0)
    FAIL (error);
  return next (fd, data, len, offset);
}

ssize_t
pwrite64 (int fd, const void *data, size_t len, off64_t offset)
{
  int error;
  NEXT (pwrite64);

  error = faultfs_write_error (fd, &len);
  if (error != 0)
    FAIL (error);
  return next (fd, data, len, offset);
}

ssize_t
writev (int fd, const struct iovec *parts, int n)
{
  size_t len = 1;
  int error;
  NEXT (writev);

  error = faultfs_write_error (fd, &len);
  if (error != 0)
    FAIL (error);
  return next (fd, parts, n);
}

int
fsync (int fd)
{
  NEXT (fsync);

  if (faultfs_meets_fd (fd, FAULT_SYNC) != 0)
    FAIL (EIO);
  return next (fd);
}

int
fdatasync (int fd)
{
  NEXT (fdatasync);

  if (faultfs_meets_fd (fd, FAULT_SYNC) != 0)
    FAIL (EIO);
  return next (fd);
}

/* What is cut off needs no room. */
int
ftruncate64 (int fd, off64_t len)
{
  NEXT (ftruncate64);

  if (faultfs_meets_fd (fd, FAULT_WRITE) != 0)
    FAIL (EIO);
  return next (fd, len);
}

int
ftruncate (int fd, off_t len)
{
  NEXT (ftruncate);

  if (faultfs_meets_fd (fd, FAULT_WRITE) != 0)
    FAIL (EIO);
  return next (fd, len);
}

/* These return the error. */
int
posix_fallocate (int fd, off_t offset, off_t len)
{
  NEXT (posix_fallocate);

  if (faultfs_meets_fd (fd, FAULT_FULL) != 0)
    return ENOSPC;
  return next (fd, offset, len);
}

int
posix_fallocate64 (int fd, off64_t offset, off64_t len)
{
  NEXT (posix_fallocate64);

  if (faultfs_meets_fd (fd, FAULT_FULL) != 0)
    return ENOSPC;
  return next (fd, offset, len);
}

int
fallocate (int fd, int mode, off_t offset, off_t len)
{
  NEXT (fallocate);

  if (faultfs_meets_fd (fd, FAULT_FULL) != 0)
    FAIL (ENOSPC);
  return next (fd, mode, offset, len);
}

int
fallocate64 (int fd, int mode, off64_t offset, off64_t len)
{
  NEXT (fallocate64);

  if (faultfs_meets_fd (fd, FAULT_FULL) != 0)
    FAIL (ENOSPC);
  return next (fd, mode, offset, len);
}

/* A new file needs room in its directory. */
static int
faultfs_open_error (const char *path, int flags)
{
  if (faultfs == NULL || faultfs->faults == 0 || (flags & O_CREAT) == 0
      || access (path, F_OK) == 0)
    return 0;
  return faultfs_meets (path, FAULT_FULL) != 0 ? ENOSPC : 0;
}

int
open64 (const char *path, int flags, ...)
{
  va_list arguments;
  mode_t mode;
  int error;
  NEXT (open64);

  va_start (arguments, flags);
  mode = (mode_t) va_arg (arguments, unsigned);
  va_end (arguments);
  error = faultfs_open_error (path, flags);
  if (error != 0)
    FAIL (error);
  return next (path, flags, mode);
}

#pragma GCC visibility pop
