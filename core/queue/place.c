/* place.c - the directory of a store: who may use it, and its files.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue/place.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_SYS_VFS_H
#include <sys/vfs.h>
#endif

#include "base/date.h"
#include "base/lock.h"
#include "base/memory.h"

enum {
  RESERVE_BYTES = 16 << 20,     /* the log, and its move to the main file */
  BELL_BYTES = 4096,
  WAIT_MS = 2000
};

/* Bytes of the file of locks. */
enum { LOCK_WRITER, LOCK_TURN, LOCK_LANES = 16 };

static const char *const place_files[] = {
  "store.db", "store.db-wal", "store.db-shm", "reserve", "bell", "locks"
};
enum {
  PLACE_DB, PLACE_LOG, PLACE_RESERVE = 3, PLACE_BELL, PLACE_LOCKS,
  PLACE_FILES
};

struct place {
  char *path;
  char *files[PLACE_FILES];
  int lock_fd, bell_fd;
};

static int place_refuse (char *ret_reason, size_t size, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 3, 4)));

static int
place_refuse (char *ret_reason, size_t size, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  vsnprintf (ret_reason, size, fmt, args);
  va_end (args);
  return -1;
}

/* Their locks and shared memory can't be relied on. */
static const char *
place_network_name (const char *path)
{
#ifdef HAVE_SYS_VFS_H
  struct statfs about;

  if (statfs (path, &about) != 0)
    return NULL;
  switch ((uint32_t) about.f_type) {
    case 0x6969: return "NFS";
    case 0x517b: return "SMB";
    case 0xff534d42: return "CIFS";
    case 0xfe534d42: return "SMB2";
    case 0x5346414f: return "AFS";
    case 0x00c36400: return "Ceph";
  }
#else
  (void) path;
#endif
  return NULL;
}

/* A directory that was made is there after a power failure, too. */
static void
place_sync_parent (const char *path)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int parent_fd = fd >= 0
    ? openat (fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

  if (parent_fd >= 0) {
    fsync (parent_fd);
    close (parent_fd);
  }
  if (fd >= 0)
    close (fd);
}

static int
place_check (const char *path, char *ret_reason, size_t size)
{
  struct stat about;
  const char *network;

  if (mkdir (path, 0700) == 0)
    place_sync_parent (path);
  else if (errno != EEXIST)
    return place_refuse (ret_reason, size, "%s: can't be made: %s", path,
                         strerror (errno));
  if (stat (path, &about) != 0)
    return place_refuse (ret_reason, size, "%s: %s", path, strerror (errno));
  if (!S_ISDIR (about.st_mode))
    return place_refuse (ret_reason, size, "%s: not a directory", path);
  if (about.st_uid != geteuid ())
    return place_refuse (ret_reason, size,
                         "%s: belongs to user %lu, not to %lu who runs this; "
                         "run herald as that user", path,
                         (unsigned long) about.st_uid,
                         (unsigned long) geteuid ());
  if ((about.st_mode & 077) != 0)
    return place_refuse (ret_reason, size,
                         "%s: others may look into it; run: chmod 0700 %s",
                         path, path);
  network = place_network_name (path);
  if (network != NULL)
    return place_refuse (ret_reason, size,
                         "%s: lies on a network file system (%s), whose "
                         "locks can't be relied on; choose a local disk",
                         path, network);
  return 0;
}

/* A file of the directory, made if need be; never one that is a link. */
static int
place_open_file (struct place *place, int which, char *ret_reason,
                 size_t size)
{
  const char *path = place->files[which];
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0 && errno == EROFS)
    return place_refuse (ret_reason, size,
                         "%s: on a read-only file system", place->path);
  if (fd < 0)
    return place_refuse (ret_reason, size, "%s: %s", path, strerror (errno));
  return fd;
}

/* Takes the space of the file's first bytes. */
static int
place_fill (int fd, off_t bytes)
{
  static const char zeros[4096];
  struct stat about;

  if (fstat (fd, &about) != 0)
    return -1;
#ifdef HAVE_POSIX_FALLOCATE
  switch (posix_fallocate (fd, 0, bytes)) {
    case 0: return 0;
    case EINVAL:
    case EOPNOTSUPP: break;     /* not on this file system */
    default: return -1;
  }
#endif
  for (off_t at = about.st_size; at < bytes; at += (off_t) sizeof zeros)
    if (pwrite (fd, zeros, sizeof zeros, at) != (ssize_t) sizeof zeros)
      return -1;
  return 0;
}

/* SQLite gives its log the mode of the main file.  That one is made here
 * and closed before SQLite opens it: later, that would cost SQLite its
 * locks. */
static int
place_make_db (struct place *place, char *ret_reason, size_t size)
{
  int fd = open (place->files[PLACE_DB],
                 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  if (fd >= 0)
    close (fd);
  else if (errno != EEXIST)
    return place_refuse (ret_reason, size, "%s: %s", place->files[PLACE_DB],
                         strerror (errno));
  return 0;
}

struct place *
place_open (const char *path, char *ret_reason, size_t size)
{
  struct place *place;
  size_t room = strlen (path) + 16;

  if (place_check (path, ret_reason, size) != 0)
    return NULL;
  place = memory_zeroed (1, sizeof *place);
  place->path = memory_strdup (path);
  place->lock_fd = place->bell_fd = -1;
  for (int i = 0; i < PLACE_FILES; i++) {
    place->files[i] = memory_alloc (room);
    snprintf (place->files[i], room, "%s/%s", path, place_files[i]);
  }
  place->lock_fd = place_open_file (place, PLACE_LOCKS, ret_reason, size);
  if (place->lock_fd >= 0)
    place->bell_fd = place_open_file (place, PLACE_BELL, ret_reason, size);
  if (place->bell_fd < 0 || place_make_db (place, ret_reason, size) != 0) {
    place_close (place);
    return NULL;
  }
  /* So that ringing needs no space; if there is none now, never mind. */
  place_fill (place->bell_fd, BELL_BYTES);
  return place;
}

void
place_close (struct place *place)
{
  if (place == NULL)
    return;
  if (place->lock_fd >= 0)
    close (place->lock_fd);
  if (place->bell_fd >= 0)
    close (place->bell_fd);
  for (int i = 0; i < PLACE_FILES; i++)
    free (place->files[i]);
  free (place->path);
  free (place);
}

const char *
place_path (const struct place *place)
{
  return place->path;
}

const char *
place_db_path (const struct place *place)
{
  return place->files[PLACE_DB];
}

int
place_bell_fd (const struct place *place)
{
  return place->bell_fd;
}

const char *
place_bell_path (const struct place *place)
{
  return place->files[PLACE_BELL];
}

/* ------------------------------------------------------------------ */

/* Whoever waits holds the turn, so a process that has just written and
 * wants to write again comes after it. */
bool
place_begin (struct place *place)
{
  int64_t start_us = date_monotonic_us (), gone_ms;
  bool is_mine;

  if (!lock_wait (place->lock_fd, LOCK_TURN, WAIT_MS))
    return false;
  gone_ms = (date_monotonic_us () - start_us) / 1000;
  is_mine = lock_wait (place->lock_fd, LOCK_WRITER, WAIT_MS - gone_ms);
  lock_release (place->lock_fd, LOCK_TURN);
  return is_mine;
}

void
place_end (struct place *place)
{
  lock_release (place->lock_fd, LOCK_WRITER);
}

bool
place_own (struct place *place, uint32_t lane)
{
  return lock_try (place->lock_fd, LOCK_LANES + (int64_t) lane);
}

void
place_disown (struct place *place, uint32_t lane)
{
  lock_release (place->lock_fd, LOCK_LANES + (int64_t) lane);
}

/* ------------------------------------------------------------------ */

bool
place_has_reserve (struct place *place)
{
  const char *path = place->files[PLACE_RESERVE];
  struct stat about;
  int fd;
  bool is_filled;

  if (lstat (path, &about) == 0 && about.st_size >= RESERVE_BYTES)
    return true;
  fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return false;
  is_filled = place_fill (fd, RESERVE_BYTES) == 0;
  close (fd);
  if (!is_filled)
    unlink (path);
  return is_filled;
}

bool
place_lacks_reserve (const struct place *place)
{
  struct stat about;

  return lstat (place->files[PLACE_RESERVE], &about) != 0;
}

bool
place_use_reserve (struct place *place)
{
  return unlink (place->files[PLACE_RESERVE]) == 0;
}

int64_t
place_bytes (const struct place *place)
{
  struct stat about;
  int64_t bytes = 0;

  for (int i = 0; i < PLACE_FILES; i++)
    if (lstat (place->files[i], &about) == 0)
      bytes += about.st_size;
  return bytes;
}

int64_t
place_log_bytes (const struct place *place)
{
  struct stat about;

  return lstat (place->files[PLACE_LOG], &about) == 0 ? about.st_size : 0;
}
