/* descriptor_edit.c - enabled="..." set in a descriptor's file, in place.
 *
 * People write comments into these files and keep them in order, so the
 * text is edited, not written anew from a tree.
 *
 * SPDX-License-Identifier: MIT
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/trust.h"
#include "config/descriptor_reading.h"

static int __attribute__ ((__format__ (__printf__, 3, 4)))
refuse (char *ret_reason, size_t size, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  vsnprintf (ret_reason, size, fmt, args);
  va_end (args);
  return -1;
}

/* Past the first end from at on, or NULL. */
static const char *
past (const char *at, const char *end)
{
  const char *found = strstr (at, end);

  return found != NULL ? found + strlen (end) : NULL;
}

/* The < of the root's start tag, behind comments and instructions; NULL
 * if there is none. */
static const char *
find_root (const char *text)
{
  const char *at = strchr (text, '<');

  while (at != NULL) {
    if (strncmp (at, "<!--", 4) == 0)
      at = past (at + 4, "-->");
    else if (strncmp (at, "<?", 2) == 0)
      at = past (at + 2, "?>");
    else
      return at[1] == '!' ? NULL : at;
    if (at != NULL)
      at = strchr (at, '<');
  }
  return NULL;
}

/* Where the value of enabled= stands, or, if it is not there, where it
 * may be put in. */
struct place {
  size_t start, len;
  bool is_there;
};

static const char space[] = " \t\r\n";

static int
find_place (const char *text, struct place *ret_place)
{
  const char *at = find_root (text);

  if (at == NULL)
    return -1;
  at += 1 + strcspn (at + 1, " \t\r\n/>");
  for (;;) {
    const char *end_of_last = at;
    const char *name = at + strspn (at, space);
    size_t name_len = strcspn (name, " \t\r\n=/>");
    const char *value, *end;

    if (*name == '>' || *name == '/') {
      *ret_place = (struct place) { (size_t) (end_of_last - text), 0, false };
      return 0;
    }
    value = name + name_len + strspn (name + name_len, space);
    if (name_len == 0 || *value != '=')
      return -1;
    value += 1 + strspn (value + 1, space);
    end = *value == '"' || *value == '\'' ? strchr (value + 1, *value) : NULL;
    if (end == NULL)
      return -1;
    if (name_len == 7 && strncmp (name, "enabled", 7) == 0) {
      *ret_place = (struct place) { (size_t) (value + 1 - text),
                                    (size_t) (end - value) - 1, true };
      return 0;
    }
    at = end + 1;
  }
}

/* The text as it shall be. */
static int
edit (const char *text, size_t len, bool is_enabled, struct buf *out)
{
  const char *value = is_enabled ? "true" : "false";
  struct place place;

  if (find_place (text, &place) < 0)
    return -1;
  buf_add (out, text, place.start);
  if (place.is_there)
    buf_add_text (out, value);
  else
    buf_printf (out, " enabled=\"%s\"", value);
  buf_add (out, text + place.start + place.len,
           len - place.start - place.len);
  return 0;
}

/* Does the XML parser see in the text what the edit meant? */
static int
check (const struct buf *text, const char *path, bool is_enabled,
       char *ret_reason, size_t size)
{
  struct problems *problems = problems_new ();
  struct xml_doc *doc = xml_read_text (text->data, text->len, path,
                                       "integration", DESCRIPTOR_NS,
                                       problems);
  const char *value = doc == NULL ? NULL
                      : xml_attribute (xml_root (doc), "enabled");
  int status = 0;

  if (doc == NULL)
    status = refuse (ret_reason, size, "line %u: %s",
                     problems_at (problems, 0)->line,
                     problems_at (problems, 0)->text);
  else if (value == NULL
           || strcmp (value, is_enabled ? "true" : "false") != 0)
    status = refuse (ret_reason, size, "its root element can't be edited; "
                     "set enabled= by hand");
  xml_free (doc);
  problems_free (problems);
  return status;
}

static int
write_all (int fd, const struct buf *text)
{
  size_t done = 0;

  while (done < text->len) {
    ssize_t n = write (fd, text->data + done, text->len - done);

    if (n < 0 && errno != EINTR)
      return -1;
    if (n > 0)
      done += (size_t) n;
  }
  return 0;
}

/* A rename is on disk only when its directory is. */
static void
sync_directory (const char *path)
{
  const char *slash = strrchr (path, '/');
  char *dir = memory_strndup (path, slash == path ? 1
                                    : (size_t) (slash - path));
  int fd = open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0) {
    (void) fsync (fd);
    close (fd);
  }
  free (dir);
}

/* The new text in a file of its own beside path, complete and on disk;
 * -1 with errno. */
static int
write_beside (char *template, const struct buf *text,
              const struct stat *status)
{
  int fd = mkostemp (template, O_CLOEXEC);
  int error = 0;

  if (fd < 0)
    return -1;
  /* The owner first: a change of owner may clear bits of the mode. */
  if ((status->st_uid != geteuid () || status->st_gid != getegid ())
      && fchown (fd, status->st_uid, status->st_gid) < 0)
    error = errno;
  if (error == 0
      && (fchmod (fd, status->st_mode & 07777) < 0
          || write_all (fd, text) < 0 || fsync (fd) < 0))
    error = errno;
  if (close (fd) < 0 && error == 0)
    error = errno;
  if (error == 0)
    return 0;
  unlink (template);
  errno = error;
  return -1;
}

/* path is absolute and no symbolic link. */
static int
replace (const char *path, const struct buf *text, char *ret_reason,
         size_t size)
{
  const char *slash = strrchr (path, '/');
  struct buf template = BUF_INIT (0);
  struct stat status;
  int result = 0;

  /* A leading dot: conf.d's readers pass it by. */
  buf_printf (&template, "%.*s/.%s.XXXXXX", (int) (slash - path), path,
              slash + 1);
  if (stat (path, &status) < 0) {
    result = refuse (ret_reason, size, "it can't be looked at: %s",
                     strerror (errno));
  } else if (write_beside (template.data, text, &status) < 0) {
    result = refuse (ret_reason, size, "it can't be written anew: %s",
                     strerror (errno));
  } else if (rename (template.data, path) < 0) {
    result = refuse (ret_reason, size, "it can't be replaced: %s",
                     strerror (errno));
    unlink (template.data);
  } else {
    sync_directory (path);
  }
  buf_done (&template);
  return result;
}

int
descriptor_set_enabled (const char *path, bool is_enabled, char *ret_reason,
                        size_t size)
{
  char *real = realpath (path, NULL);
  struct buf edited = BUF_INIT (0);
  char *text = NULL;
  size_t len;
  int status = -1;

  if (real == NULL)
    return refuse (ret_reason, size, "it can't be found: %s",
                   strerror (errno));
  text = trust_read (real, 0, XML_MAX_LEN, &len, ret_reason, size);
  if (text == NULL)
    goto fail;
  if (strlen (text) != len || edit (text, len, is_enabled, &edited) < 0) {
    refuse (ret_reason, size, "it has no root element that can be edited; "
            "mend it first");
    goto fail;
  }
  if (check (&edited, path, is_enabled, ret_reason, size) < 0)
    goto fail;
  if (edited.len == len && memcmp (edited.data, text, len) == 0)
    status = 0;
  else
    status = replace (real, &edited, ret_reason, size);

fail:
  buf_done (&edited);
  free (text);
  free (real);
  return status;
}
