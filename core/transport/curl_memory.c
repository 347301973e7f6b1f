/* curl_memory.c - where libcurl's buffers lie.
 *
 * libcurl copies a request for TLS into a buffer of 16 kB and keeps it until
 * the reply is there; a thousand of them in the heap are 16 MB.  Here each
 * has pages of its own.  A request fills the first; those that were never
 * touched take no memory.  The next slot taken is the last given back.
 *
 * SPDX-License-Identifier: MIT
 */

#include "curl_memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <curl/curl.h>

enum { SLOT_LEN = CURL_MEMORY_BUFFER, MAX_SLOTS = 4096 };

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

/* Only ever used by the thread that runs the loop: libcurl's resolver
 * threads ask for no buffer of this size. */
static struct {
  char *start;     /* NULL: there is no such place */
  uint16_t n_used; /* slots that were ever used */
  uint16_t n_free;
  uint16_t free[MAX_SLOTS];
} slots;

static void *
slot_take (void)
{
  if (slots.n_free > 0)
    return slots.start + (size_t) slots.free[--slots.n_free] * SLOT_LEN;
  if (slots.start && slots.n_used < MAX_SLOTS)
    return slots.start + (size_t) slots.n_used++ * SLOT_LEN;
  return NULL;
}

static bool
is_slot (const void *p)
{
  return slots.start
         && (uintptr_t) p - (uintptr_t) slots.start
              < (uintptr_t) MAX_SLOTS * SLOT_LEN;
}

static void *
on_malloc (size_t size)
{
  void *slot = size == SLOT_LEN ? slot_take () : NULL;

  return slot ? slot : malloc (size);
}

static void
on_free (void *p)
{
  if (is_slot (p))
    slots.free[slots.n_free++]
      = (uint16_t) ((size_t) ((char *) p - slots.start) / SLOT_LEN);
  else
    free (p);
}

static void *
on_realloc (void *p, size_t size)
{
  void *larger;

  if (!is_slot (p))
    return realloc (p, size);
  larger = malloc (size);
  if (larger) {
    memcpy (larger, p, size < SLOT_LEN ? size : SLOT_LEN);
    on_free (p);
  }
  return larger;
}

int
curl_memory_init (void)
{
  if (!slots.start) {
    void *start
      = mmap (NULL, (size_t) MAX_SLOTS * SLOT_LEN, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    slots.start = start == MAP_FAILED ? NULL : start;
  }
  return curl_global_init_mem (CURL_GLOBAL_DEFAULT, on_malloc, on_free,
                               on_realloc, strdup, calloc)
             == CURLE_OK
           ? 0
           : -1;
}
