/* buf.c - a byte buffer that grows to a ceiling.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_SIZE = 64 };

char buf_nothing[1];

void
buf_init (struct buf *buf, size_t ceiling)
{
  *buf = (struct buf) BUF_INIT (ceiling);
}

void
buf_done (struct buf *buf)
{
  /* While nothing is allocated, data is buf_nothing. */
  if (buf->size > 0)
    free (buf->data);
  buf_init (buf, buf->ceiling);
}

void
buf_clear (struct buf *buf)
{
  buf->len = 0;
  buf->is_over = false;
  if (buf->size > 0)
    buf->data[0] = '\0';
}

/* Allocate for len more bytes and the NUL, at least double. */
static void
buf_grow (struct buf *buf, size_t len)
{
  size_t size = buf->size > 0 ? buf->size : FIRST_SIZE / 2;
  size_t least = buf->len + len + 1;

  size = size > SIZE_MAX / 2 ? SIZE_MAX : size * 2;
  if (buf->ceiling > 0 && size > buf->ceiling
      && buf->ceiling < SIZE_MAX)
    size = buf->ceiling + 1;
  if (size < least)
    size = least;
  buf->data = memory_resize (buf->size > 0 ? buf->data : NULL, size, 1);
  buf->data[buf->len] = '\0';
  buf->size = size;
}

char *
buf_reserve (struct buf *buf, size_t len)
{
  if (buf->is_over)
    return NULL;
  if (buf->ceiling > 0 && len > buf->ceiling - buf->len) {
    buf->is_over = true;
    return NULL;
  }
  if (len > SIZE_MAX - 1 - buf->len)
    memory_exhausted ();
  if (buf->size < buf->len + len + 1)
    buf_grow (buf, len);
  return buf->data + buf->len;
}

void
buf_add (struct buf *buf, const void *data, size_t len)
{
  char *end;

  if (len == 0)
    return;
  end = buf_reserve (buf, len);
  if (end == NULL)
    return;
  memcpy (end, data, len);
  end[len] = '\0';
  buf->len += len;
}

void
buf_add_text (struct buf *buf, const char *text)
{
  buf_add (buf, text, strlen (text));
}

void
buf_add_char (struct buf *buf, char c)
{
  char *end = buf_reserve (buf, 1);

  if (end == NULL)
    return;
  end[0] = c;
  end[1] = '\0';
  buf->len++;
}

void
buf_vprintf (struct buf *buf, const char *fmt, va_list args)
{
  char small[256], *end;
  va_list again;
  int len;

  va_copy (again, args);
  len = vsnprintf (small, sizeof small, fmt, args);
  if (len > 0 && (size_t) len < sizeof small)
    buf_add (buf, small, (size_t) len);
  else if (len > 0 && (end = buf_reserve (buf, (size_t) len)) != NULL) {
    vsnprintf (end, (size_t) len + 1, fmt, again);
    buf->len += (size_t) len;
  }
  va_end (again);
}

void
buf_printf (struct buf *buf, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  buf_vprintf (buf, fmt, args);
  va_end (args);
}

void
buf_insert (struct buf *buf, size_t offset, const void *data, size_t len)
{
  char *at;

  if (len == 0 || buf_reserve (buf, len) == NULL)
    return;
  if (offset > buf->len)
    offset = buf->len;
  at = buf->data + offset;
  memmove (at + len, at, buf->len - offset + 1);
  memcpy (at, data, len);
  buf->len += len;
}

void
buf_drop (struct buf *buf, size_t len)
{
  if (len > buf->len)
    len = buf->len;
  if (len == 0)
    return;
  memmove (buf->data, buf->data + len, buf->len - len + 1);
  buf->len -= len;
}

char *
buf_steal (struct buf *buf)
{
  char *text = buf->size > 0 ? buf->data : memory_strdup ("");

  buf_init (buf, buf->ceiling);
  return text;
}
