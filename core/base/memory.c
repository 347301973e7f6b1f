/* memory.c - allocation that ends the process when there is no memory.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
memory_exhausted (void)
{
  static const char line[] = "herald: out of memory\n";

  /* Neither stdio nor exit (): both may allocate. */
  if (write (STDERR_FILENO, line, sizeof line - 1) < 0)
    _exit (71);
  _exit (71);
}

void *
memory_alloc (size_t size)
{
  void *p = malloc (size > 0 ? size : 1);

  if (p == NULL)
    memory_exhausted ();
  return p;
}

void *
memory_zeroed (size_t n, size_t size)
{
  void *p;

  if (n == 0 || size == 0)
    n = size = 1;
  p = calloc (n, size);
  if (p == NULL)
    memory_exhausted ();
  return p;
}

void *
memory_resize (void *p, size_t n, size_t size)
{
  size_t total;

  if (__builtin_mul_overflow (n, size, &total))
    memory_exhausted ();
  /* realloc (p, 0) may free p and return NULL. */
  p = realloc (p, total > 0 ? total : 1);
  if (p == NULL)
    memory_exhausted ();
  return p;
}

char *
memory_strdup (const char *text)
{
  size_t len = strlen (text) + 1;

  return memcpy (memory_alloc (len), text, len);
}

char *
memory_strndup (const char *text, size_t len)
{
  const char *nul = len > 0 ? memchr (text, '\0', len) : NULL;
  char *copy;

  if (nul != NULL)
    len = (size_t) (nul - text);
  if (len == SIZE_MAX)
    memory_exhausted ();
  copy = memory_alloc (len + 1);
  if (len > 0)
    memcpy (copy, text, len);
  copy[len] = '\0';
  return copy;
}

void
memory_wipe (void *p, size_t len)
{
  if (len == 0)
    return;
  memset (p, 0, len);
  /* Tells the compiler that somebody looks at the zeroes. */
  __asm__ __volatile__ ("" : : "r" (p) : "memory");
}
