/* arena.h - memory that is freed at once.
 *
 * A job, a configuration, an instance: each has an arena, and all that
 * belongs to it goes with it.  Allocation never returns NULL (see
 * memory.h).  An arena has a ceiling: past it allocation still succeeds,
 * but arena_is_over () becomes true, and the owner gives the work up
 * when the callback that allocated has returned.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_ARENA_H
#define HERALD_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* ceiling in bytes; 0: none. */
struct arena *arena_new (size_t ceiling);
void arena_free (struct arena *arena);          /* NULL is fine */

/* Forget everything; the largest block is kept, so a reused arena does not
 * allocate.  Clears arena_is_over (). */
void arena_reset (struct arena *arena);

bool arena_is_over (const struct arena *arena);
size_t arena_used (const struct arena *arena);

/* Aligned for any type.  arena_zeroed () clears n * size bytes. */
void *arena_alloc (struct arena *arena, size_t size);
void *arena_zeroed (struct arena *arena, size_t n, size_t size);
char *arena_strdup (struct arena *arena, const char *text); /* NULL: NULL */
char *arena_strndup (struct arena *arena, const char *text, size_t len);
char *arena_printf (struct arena *arena, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 2, 3)));
char *arena_vprintf (struct arena *arena, const char *fmt, va_list args)
  __attribute__ ((__format__ (__printf__, 2, 0)));

#endif
