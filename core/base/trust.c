/* trust.c - is a file safe to believe?
 *
 * SPDX-License-Identifier: MIT
 */

#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "memory.h"

struct trust_reason {
  char *text;
  size_t size;
};

static int trust_refuse (const struct trust_reason *reason, const char *fmt,
                         ...) __attribute__ ((__format__ (__printf__, 2, 3)));

static int
trust_refuse (const struct trust_reason *reason, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  vsnprintf (reason->text, reason->size, fmt, args);
  va_end (args);
  return -1;
}

/* A path as a shell takes it, for the commands shown. */
static void
trust_add_path (struct buf *out, const char *path)
{
  static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+,:@%-";

  if (path[0] == '-')
    buf_add_text (out, "./");
  if (path[0] != '\0' && path[strspn (path, safe)] == '\0') {
    buf_add_text (out, path);
    return;
  }
  buf_add_char (out, '\'');
  for (; *path != '\0'; path++)
    if (*path == '\'')
      buf_add_text (out, "'\\''");
    else
      buf_add_char (out, *path);
  buf_add_char (out, '\'');
}

static int
trust_refuse_path (const struct trust_reason *reason, const char *what,
                   const char *command, const char *path)
{
  struct buf quoted;

  buf_init (&quoted, 0);
  trust_add_path (&quoted, path);
  trust_refuse (reason, "%s; run: %s %s", what, command, quoted.data);
  buf_done (&quoted);
  return -1;
}

static int
trust_check_owner (const struct stat *st, const char *path,
                   const struct trust_reason *reason)
{
  char what[64];
  char command[64];

  if (st->st_uid == 0 || st->st_uid == geteuid ())
    return 0;
  snprintf (what, sizeof what, "it belongs to another user (uid %lu)",
            (unsigned long) st->st_uid);
  if (geteuid () == 0)
    snprintf (command, sizeof command, "chown root");
  else
    snprintf (command, sizeof command, "sudo chown %lu",
              (unsigned long) geteuid ());
  return trust_refuse_path (reason, what, command, path);
}

/* Who may do what they must not, and the one command against all of it. */
static int
trust_check_mode (const struct stat *st, unsigned flags, const char *path,
                  const struct trust_reason *reason)
{
  mode_t mode = st->st_mode;
  bool is_read = (flags & TRUST_PRIVATE) != 0 && (mode & S_IROTH) != 0;
  char command[32];
  const char *who;

  if ((mode & (S_IWGRP | S_IWOTH)) == 0 && !is_read)
    return 0;
  if ((mode & (S_IWGRP | S_IWOTH)) == 0)
    return trust_refuse_path (reason, "others may read it", "chmod o-r",
                              path);
  if ((mode & S_IWOTH) == 0)
    who = "g";
  else
    who = (mode & S_IWGRP) == 0 ? "o" : "go";
  snprintf (command, sizeof command, "chmod %s-w%s", who,
            is_read ? ",o-r" : "");
  return trust_refuse_path (reason,
                            (mode & S_IWOTH) != 0 ? "others may write to it"
                                                  : "its group may write "
                                                    "to it",
                            command, path);
}

/* In a directory that others may write to they could put another file in
 * its place, unless only its owner may move it away (sticky). */
static int
trust_check_parent (const char *path, const struct trust_reason *reason)
{
  const char *slash = strrchr (path, '/');
  char *parent;
  struct stat st;
  int result = 0;

  if (slash == NULL)
    parent = memory_strdup (".");
  else if (slash == path)
    parent = memory_strdup ("/");
  else
    parent = memory_strndup (path, (size_t) (slash - path));
  if (stat (parent, &st) != 0)
    result = trust_refuse (reason, "its directory can't be checked: %s",
                           strerror (errno));
  else if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
    result = trust_refuse_path (reason, "others may write to its directory",
                                "chmod o-w", parent);
  free (parent);
  return result;
}

/* The directory of the path, and of what it is a link to. */
static int
trust_check_parents (const char *path, const struct trust_reason *reason)
{
  char *target;
  int result;

  if (trust_check_parent (path, reason) != 0)
    return -1;
  target = realpath (path, NULL);
  if (target == NULL)
    return trust_refuse (reason, "its directory can't be checked: %s",
                         strerror (errno));
  result = trust_check_parent (target, reason);
  free (target);
  return result;
}

static int
trust_check (int fd, const char *path, unsigned flags,
             const struct trust_reason *reason)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return trust_refuse (reason, "can't be checked: %s", strerror (errno));
  if ((flags & TRUST_DIRECTORY) != 0 && !S_ISDIR (st.st_mode))
    return trust_refuse (reason, "is no directory");
  if ((flags & TRUST_DIRECTORY) == 0 && !S_ISREG (st.st_mode))
    return trust_refuse (reason, "is no regular file");
  if (trust_check_owner (&st, path, reason) != 0
      || trust_check_mode (&st, flags, path, reason) != 0)
    return -1;
  return trust_check_parents (path, reason);
}

int
trust_open (const char *path, unsigned flags, char *ret_reason, size_t size)
{
  struct trust_reason reason = { ret_reason, size };
  /* Not blocking, so a pipe put there in a file's place does not hang. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd < 0) {
    if (errno == ENOENT)
      return trust_refuse (&reason, "there is no such file");
    if (errno == EACCES)
      return trust_refuse (&reason, "the user herald runs as (uid %lu) "
                           "may not read it", (unsigned long) geteuid ());
    return trust_refuse (&reason, "can't be opened: %s",
                         strerror (errno));
  }
  if (trust_check (fd, path, flags, &reason) != 0) {
    close (fd);
    return -1;
  }
  return fd;
}

/* All of fd, unless that is more than ceiling bytes. */
static int
trust_read_all (int fd, size_t ceiling, struct buf *out,
                const struct trust_reason *reason)
{
  for (;;) {
    size_t left = ceiling + 1 - out->len;
    size_t want = left < 65536 ? left : 65536;
    char *space = buf_reserve (out, want);
    ssize_t n = space != NULL ? read (fd, space, want) : 0;

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return trust_refuse (reason, "can't be read: %s", strerror (errno));
    out->len += (size_t) n;
    if (out->len > ceiling)
      return trust_refuse (reason, "is longer than %zu bytes", ceiling);
    if (n == 0)
      return 0;
  }
}

char *
trust_read (const char *path, unsigned flags, size_t ceiling,
            size_t *ret_len, char *ret_reason, size_t size)
{
  struct trust_reason reason = { ret_reason, size };
  int fd = trust_open (path, flags, ret_reason, size);
  char *text = NULL;
  struct buf all;

  if (fd < 0)
    return NULL;
  buf_init (&all, 0);
  if ((flags & TRUST_DIRECTORY) != 0)
    trust_refuse (&reason, "is a directory");
  else if (trust_read_all (fd, ceiling, &all, &reason) == 0) {
    text = memory_alloc (all.len + 1);
    memcpy (text, all.data, all.len);
    text[all.len] = '\0';
    *ret_len = all.len;
  }
  /* It may have held a secret. */
  memory_wipe (all.data, all.len);
  buf_done (&all);
  close (fd);
  return text;
}
