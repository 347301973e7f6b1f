/* memory.h - allocation that ends the process when there is no memory.
 *
 * Everything accepted is on disk (or still in the input file), so a
 * process without memory does best to end with one clear line and be
 * started again: no path after that can be trusted to work or be tested.
 * Sizes that come from outside are bounded by their callers' ceilings,
 * so these never see a request that a hostile peer chose.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_MEMORY_H
#define HERALD_MEMORY_H

#include <stddef.h>

/* Like malloc, calloc, realloc, strdup and strndup, never NULL.  Freed
 * with free (). */
void *memory_alloc (size_t size);
void *memory_zeroed (size_t n, size_t size);
void *memory_resize (void *p, size_t n, size_t size);
char *memory_strdup (const char *text);
char *memory_strndup (const char *text, size_t len);

/* For sizes that overflow before they are asked for: one line on standard
 * error, and the process ends with status 71 (EX_OSERR). */
void memory_exhausted (void) __attribute__ ((__noreturn__));

/* Overwrite a secret in a way the compiler keeps. */
void memory_wipe (void *p, size_t len);

#endif
