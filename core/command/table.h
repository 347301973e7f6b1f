/* table.h - rows of text in columns, as wide as they need to be.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_TABLE_H
#define HERALD_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct table;

/* titles end with NULL; one that begins with '>' is right-aligned. */
struct table *table_new (const char *const *titles);
void table_free (struct table *table);
/* The next cell, from left to right; a full row begins the next. */
void table_add (struct table *table, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 2, 3)));
/* A time (0: none), and how long something takes or has been (-1: not
 * known). */
void table_add_time (struct table *table, int64_t ms);
void table_add_duration (struct table *table, int64_t ms);
/* What a service said: nothing in it moves a terminal's cursor, or is a
 * secret or somebody's address.  "" is "-". */
void table_add_text (struct table *table, const char *text);
/* To a buffer, to standard output; nothing at all without rows. */
void table_write (const struct table *table, struct buf *out);
void table_print (const struct table *table);

#endif
