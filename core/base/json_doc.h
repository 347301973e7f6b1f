/* json_doc.h - JSON trees (only here: jansson).
 *
 * For what is small and off the hot path: the --json documents that
 * commands print, the test kit's comparisons, the state files.  Events
 * and replies are read through json_index.h.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_JSON_DOC_H
#define HERALD_JSON_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_doc;                /* a value; NULL is JSON null to write */

struct json_doc *json_doc_object (void);
struct json_doc *json_doc_array (void);
struct json_doc *json_doc_text (const char *text);      /* NULL: null */
struct json_doc *json_doc_number (int64_t value);
struct json_doc *json_doc_real (double value);
struct json_doc *json_doc_bool (bool value);
/* Strict.  NULL, with a message in ret_reason (at most 160 bytes). */
struct json_doc *json_doc_read (const char *text, size_t len,
                                char ret_reason[160]);
void json_doc_free (struct json_doc *doc);

/* Both take the value over.  Names stay in the order they were put. */
void json_doc_put (struct json_doc *object, const char *name,
                   struct json_doc *value);
void json_doc_push (struct json_doc *array, struct json_doc *value);

/* Borrowed from doc; NULL where there is none of that name or kind. */
const struct json_doc *json_doc_get (const struct json_doc *object,
                                     const char *name);
const struct json_doc *json_doc_at (const struct json_doc *array, size_t k);
size_t json_doc_count (const struct json_doc *doc);
const char *json_doc_name_at (const struct json_doc *object, size_t k);
const char *json_doc_as_text (const struct json_doc *doc);
int64_t json_doc_as_number (const struct json_doc *doc);        /* or 0 */
bool json_doc_is_object (const struct json_doc *doc);
bool json_doc_is_array (const struct json_doc *doc);

/* Equal whatever the order of members. */
bool json_doc_equal (const struct json_doc *a, const struct json_doc *b);
/* malloc'd; indented if is_pretty, else without a space.  _sorted: without
 * a space, and the names of each object in order. */
char *json_doc_write (const struct json_doc *doc, bool is_pretty);
char *json_doc_write_sorted (const struct json_doc *doc);

#endif
