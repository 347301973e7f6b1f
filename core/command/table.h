/* table.h - rows of text in columns, as wide as they need to be.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_TABLE_H
#define HERALD_TABLE_H

#include <stddef.h>

struct table;

/* titles end with NULL; one that begins with '>' is right-aligned. */
struct table *table_new (const char *const *titles);
void table_free (struct table *table);
/* The next cell, from left to right; a full row begins the next. */
void table_add (struct table *table, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 2, 3)));
/* To standard output; nothing at all without rows. */
void table_print (const struct table *table);

#endif
