/* arena.c - memory that is freed at once.
 *
 * A list of blocks, the newest first, each twice the last up to a limit.
 * A large request gets a block of its own behind the newest, so that the
 * newest block's rest is not lost.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
  FIRST_SIZE = 1536,
  LARGEST_SIZE = 256 * 1024     /* also the most that a reset keeps */
};

struct block {
  struct block *older;
  size_t size, used;
  alignas (max_align_t) char data[];
};

struct arena {
  struct block *newest;
  size_t ceiling, used;
};

static struct block *
block_new (size_t size)
{
  struct block *block;

  if (size > SIZE_MAX - sizeof *block)
    memory_exhausted ();
  block = memory_alloc (sizeof *block + size);
  block->older = NULL;
  block->size = size;
  block->used = 0;
  return block;
}

struct arena *
arena_new (size_t ceiling)
{
  struct arena *arena = memory_zeroed (1, sizeof *arena);

  arena->ceiling = ceiling;
  return arena;
}

void
arena_free (struct arena *arena)
{
  struct block *block, *older;

  if (arena == NULL)
    return;
  for (block = arena->newest; block != NULL; block = older) {
    older = block->older;
    free (block);
  }
  free (arena);
}

void
arena_reset (struct arena *arena)
{
  struct block *block, *older, *kept = NULL;

  for (block = arena->newest; block != NULL; block = older) {
    older = block->older;
    if (block->size <= LARGEST_SIZE
        && (kept == NULL || block->size > kept->size)) {
      free (kept);
      kept = block;
    } else
      free (block);
  }
  if (kept != NULL) {
    kept->older = NULL;
    kept->used = 0;
  }
  arena->newest = kept;
  arena->used = 0;
}

bool
arena_is_over (const struct arena *arena)
{
  return arena->ceiling > 0 && arena->used > arena->ceiling;
}

size_t
arena_used (const struct arena *arena)
{
  return arena->used;
}

/* The block that size bytes fit in. */
static struct block *
arena_room (struct arena *arena, size_t size)
{
  struct block *newest = arena->newest, *block;
  size_t next = FIRST_SIZE;

  if (newest != NULL && newest->size - newest->used >= size)
    return newest;
  if (newest != NULL && newest->size >= FIRST_SIZE)
    next = newest->size < LARGEST_SIZE ? newest->size * 2 : LARGEST_SIZE;
  if (next > LARGEST_SIZE)
    next = LARGEST_SIZE;
  if (size > next && newest != NULL) {
    block = block_new (size);
    block->older = newest->older;
    newest->older = block;
    return block;
  }
  block = block_new (size > next ? size : next);
  block->older = newest;
  arena->newest = block;
  return block;
}

void *
arena_alloc (struct arena *arena, size_t size)
{
  const size_t step = alignof (max_align_t);
  struct block *block;
  void *p;

  if (size == 0)
    size = 1;                   /* a place of its own */
  if (size > SIZE_MAX - step)
    memory_exhausted ();
  size = (size + step - 1) / step * step;
  block = arena_room (arena, size);
  p = block->data + block->used;
  block->used += size;
  arena->used += size;
  return p;
}

void *
arena_zeroed (struct arena *arena, size_t n, size_t size)
{
  size_t total;

  if (__builtin_mul_overflow (n, size, &total))
    memory_exhausted ();
  return memset (arena_alloc (arena, total), 0, total);
}

char *
arena_strdup (struct arena *arena, const char *text)
{
  size_t len;

  if (text == NULL)
    return NULL;
  len = strlen (text) + 1;
  return memcpy (arena_alloc (arena, len), text, len);
}

char *
arena_strndup (struct arena *arena, const char *text, size_t len)
{
  const char *nul;
  char *copy;

  if (text == NULL)
    return NULL;
  nul = len > 0 ? memchr (text, '\0', len) : NULL;
  if (nul != NULL)
    len = (size_t) (nul - text);
  if (len == SIZE_MAX)
    memory_exhausted ();
  copy = arena_alloc (arena, len + 1);
  memcpy (copy, text, len);
  copy[len] = '\0';
  return copy;
}

char *
arena_vprintf (struct arena *arena, const char *fmt, va_list args)
{
  char small[256], *text;
  va_list again;
  int len;

  va_copy (again, args);
  len = vsnprintf (small, sizeof small, fmt, args);
  if (len < 0) {
    /* A wide character that has no bytes: nothing else fails. */
    len = 0;
    small[0] = '\0';
  }
  text = arena_alloc (arena, (size_t) len + 1);
  if ((size_t) len < sizeof small)
    memcpy (text, small, (size_t) len + 1);
  else
    vsnprintf (text, (size_t) len + 1, fmt, again);
  va_end (again);
  return text;
}

char *
arena_printf (struct arena *arena, const char *fmt, ...)
{
  va_list args;
  char *text;

  va_start (args, fmt);
  text = arena_vprintf (arena, fmt, args);
  va_end (args);
  return text;
}
