/* mapping.h - rows that make a record of an event.
 *
 * Rows are compiled once into a tree in the order they were written; an
 * event's plain values are copied as they stand.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_MAPPING_H
#define HERALD_MAPPING_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalogue.h"
#include "event.h"

enum mapping_as { MAPPING_AS_IS, MAPPING_STRING, MAPPING_NUMBER,
                  MAPPING_BOOLEAN };
enum mapping_missing { MAPPING_OMIT, MAPPING_NULL, MAPPING_FAIL };

/* One of source, value and template is set. */
struct mapping_row {
  const char *target;           /* "firstname", "address.city" */
  const char *source;           /* a source field */
  const char *value;            /* a constant */
  const char *template;         /* "{{firstName}} {{lastName}}"; missing if
                                   it comes to no text at all */
  enum mapping_as as;           /* MAPPING_NUMBER: of text that reads as a
                                   JSON number; BOOLEAN: true, false, 1, 0,
                                   yes, no, on, off */
  const char *fallback;         /* default=: instead of a missing field */
  enum mapping_missing missing; /* absent or null, and no fallback */
};

struct mapping;

struct mapping *mapping_new (struct arena *arena, bool is_nested);
/* -1 with a reason: an unknown source field (with the nearest name), a
 * target twice or both a value and an object, a constant or default that
 * does not read as its type. */
int mapping_add (struct mapping *mapping, const struct mapping_row *row,
                 const struct catalogue *catalogue, char ret_reason[200]);
/* Whether any row has that target. */
bool mapping_has (const struct mapping *mapping, const char *target);
size_t mapping_count (const struct mapping *mapping);
/* The target of row k, in the order written. */
const char *mapping_target (const struct mapping *mapping, size_t k);

enum {                          /* mapping_write flags */
  MAPPING_TEXT = 1 << 0,        /* every value as a string */
  MAPPING_WHOLE = 1 << 1        /* MAPPING_OMIT writes null, or with
                                   MAPPING_TEXT "" */
};

/* Write the record: a JSON object.  -1 with a reason that names the row
 * and field, never the value: a missing field with MAPPING_FAIL, text that
 * does not read as as=. */
int mapping_write (const struct mapping *mapping,
                   const struct event *event, unsigned flags,
                   struct buf *out, char ret_reason[200]);

/* The text of one target for an event (an order key), without the rest:
 * nothing if it is missing. */
void mapping_add_text (const struct mapping *mapping, const char *target,
                       const struct event *event, struct buf *out);

#endif
