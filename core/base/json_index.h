/* json_index.h - where the values of a JSON text lie.
 *
 * One strict pass (RFC 8259) checks a text and notes each value's place;
 * nothing is copied or converted until asked for.  This is what makes an
 * event cheap, and what makes numbers come out exactly as they went in:
 * 64-bit ids, 1.10, 1e400.
 *
 * Strict: valid UTF-8, no NUL, no lone surrogate escapes, no duplicate
 * keys in an object where asked for, nesting to a limit, nothing after
 * the value.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_JSON_INDEX_H
#define HERALD_JSON_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

enum json_kind {                /* the same numbers as HERALD_JSON_... */
  JSON_NONE, JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING,
  JSON_ARRAY, JSON_OBJECT
};

/* A value.  An object's members follow it as pairs of key (a STRING) and
 * value, an array's items follow it; next is the index of the node after
 * the value and all that is in it, so a walk skips what it does not
 * need. */
struct json_node {
  uint32_t start;               /* offset of the first byte; of a string:
                                   after its quote */
  uint32_t len;                 /* bytes; of a string: between the quotes */
  uint32_t next;
  uint32_t count : 27;          /* items, or members */
  uint32_t kind : 4;
  uint32_t has_escapes : 1;     /* a string with backslashes */
};

struct json_index {
  const char *text;             /* the caller's, must outlive the index */
  struct json_node *nodes;      /* [0] is the value itself */
  uint32_t n;
  uint32_t size;                /* allocated */
};

struct json_error {
  size_t offset;
  const char *reason;           /* static: "a string is not closed" */
};

enum { JSON_UNIQUE_KEYS = 1 };  /* flags: duplicate keys are an error */

/* Start with { 0 } (or one used before: its memory is used again).  text
 * may be up to 1 GiB.  -1 with *ret_error set; max_depth counts arrays
 * and objects. */
int json_index_read (struct json_index *index, const char *text, size_t len,
                     unsigned max_depth, unsigned flags,
                     struct json_error *ret_error);
void json_index_done (struct json_index *index);

/* The value of a member: its node's index, or 0 for none (0 is the root,
 * which is nobody's member).  The last of duplicate keys counts. */
uint32_t json_index_member (const struct json_index *index, uint32_t object,
                            const char *key, size_t key_len);
uint32_t json_index_item (const struct json_index *index, uint32_t array,
                          uint32_t k);
/* "results.3.id": members and items by a dotted path; "" is the root.
 * UINT32_MAX for none. */
uint32_t json_index_path (const struct json_index *index, const char *path);

/* The text of a string without its escapes, of a number, true or false
 * as written; nothing of null, arrays and objects. */
void json_index_add_text (const struct json_index *index, uint32_t node,
                          struct buf *out);
/* The value as JSON, byte for byte as it stands. */
void json_index_add_raw (const struct json_index *index, uint32_t node,
                         struct buf *out);
/* Unescape len bytes from between quotes, known to be valid. */
void json_unescape (const char *text, size_t len, struct buf *out);

#endif
