/* buf.h - a byte buffer that grows to a ceiling.
 *
 * Errors stick: past the ceiling nothing more is added (a piece that
 * does not fit is left out whole), is_over turns true until buf_clear (),
 * and the caller looks once at the end.  The bytes are
 * always followed by a NUL that len does not count.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_BUF_H
#define HERALD_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
  char *data;                   /* never NULL after buf_init */
  size_t len;
  size_t size;                  /* allocated */
  size_t ceiling;               /* most bytes; 0: none */
  bool is_over;
};

extern char buf_nothing[1];     /* an empty buffer's text; stays "" */

#define BUF_INIT(most) { buf_nothing, 0, 0, (most), false }

void buf_init (struct buf *buf, size_t ceiling);
void buf_done (struct buf *buf);        /* frees; back to BUF_INIT */
void buf_clear (struct buf *buf);       /* empty, keeps the memory */

void buf_add (struct buf *buf, const void *data, size_t len);
void buf_add_text (struct buf *buf, const char *text);
void buf_add_char (struct buf *buf, char c);
void buf_printf (struct buf *buf, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 2, 3)));
void buf_vprintf (struct buf *buf, const char *fmt, va_list args)
  __attribute__ ((__format__ (__printf__, 2, 0)));

/* Put text in at offset, moving what follows. */
void buf_insert (struct buf *buf, size_t offset, const void *data,
                 size_t len);
/* Drop the first len bytes. */
void buf_drop (struct buf *buf, size_t len);
/* Make room for len more bytes to be written by hand at data + len,
 * which is returned; the caller then adds to len and puts the NUL.  NULL
 * (and is_over) if that passes the ceiling. */
char *buf_reserve (struct buf *buf, size_t len);
/* The text as a malloc'd string of its own; buf is emptied. */
char *buf_steal (struct buf *buf);

#endif
