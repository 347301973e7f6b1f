/* json_doc.c - JSON trees (only here: jansson).
 *
 * A struct json_doc is never defined: its pointers are jansson's.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/json_doc.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

enum { REAL_DIGITS = 15 };      /* so that 0.1 is written as 0.1 */

static json_t *
tree_of (struct json_doc *doc)
{
  return (json_t *) doc;
}

/* jansson counts references through const pointers as well. */
static const json_t *
tree_in (const struct json_doc *doc)
{
  return (const json_t *) doc;
}

/* Of what cannot fail but for want of memory. */
static struct json_doc *
doc_of (json_t *tree)
{
  if (tree == NULL)
    memory_exhausted ();
  return (struct json_doc *) tree;
}

struct json_doc *
json_doc_object (void)
{
  return doc_of (json_object ());
}

struct json_doc *
json_doc_array (void)
{
  return doc_of (json_array ());
}

/* text in UTF-8: jansson takes no other. */
static char *
valid_text (const char *text)
{
  struct buf valid = BUF_INIT (0);
  size_t len = strlen (text), i = 0, n;

  while (i < len) {
    n = text_char_len (text + i, len - i);
    if (n > 0)
      buf_add (&valid, text + i, n);
    else
      buf_add (&valid, "\xef\xbf\xbd", 3);
    i += n > 0 ? n : 1;
  }
  return buf_steal (&valid);
}

struct json_doc *
json_doc_text (const char *text)
{
  struct json_doc *doc;
  char *valid;

  if (text == NULL)
    return doc_of (json_null ());
  if (text_is_utf8 (text, strlen (text)))
    return doc_of (json_string_nocheck (text));
  valid = valid_text (text);
  doc = doc_of (json_string_nocheck (valid));
  free (valid);
  return doc;
}

struct json_doc *
json_doc_number (int64_t value)
{
  return doc_of (json_integer (value));
}

struct json_doc *
json_doc_real (double value)
{
  json_t *tree = json_real (value);

  /* JSON has neither infinity nor NaN. */
  return doc_of (tree != NULL ? tree : json_null ());
}

struct json_doc *
json_doc_bool (bool value)
{
  return doc_of (json_boolean (value));
}

struct json_doc *
json_doc_read (const char *text, size_t len, char ret_reason[160])
{
  json_error_t error;
  json_t *tree;

  /* jansson 2.14 passes over a NUL after a number or a word. */
  if (len > 0 && memchr (text, '\0', len) != NULL) {
    snprintf (ret_reason, 160, "a NUL byte");
    return NULL;
  }
  tree = json_loadb (text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
                     &error);
  if (tree == NULL)
    snprintf (ret_reason, 160, "line %d: %.140s", error.line, error.text);
  return (struct json_doc *) tree;
}

void
json_doc_free (struct json_doc *doc)
{
  json_decref (tree_of (doc));
}

void
json_doc_put (struct json_doc *object, const char *name,
              struct json_doc *value)
{
  json_t *tree = value != NULL ? tree_of (value) : json_null ();
  char *valid;

  if (text_is_utf8 (name, strlen (name))) {
    json_object_set_new_nocheck (tree_of (object), name, tree);
    return;
  }
  valid = valid_text (name);
  json_object_set_new_nocheck (tree_of (object), valid, tree);
  free (valid);
}

void
json_doc_push (struct json_doc *array, struct json_doc *value)
{
  json_array_append_new (tree_of (array),
                         value != NULL ? tree_of (value) : json_null ());
}

const struct json_doc *
json_doc_get (const struct json_doc *object, const char *name)
{
  return (const struct json_doc *) json_object_get (tree_in (object), name);
}

/* jansson's iterators want an object that may change; it does not. */
static void *
member_at (const struct json_doc *object, size_t k)
{
  union { const struct json_doc *doc; json_t *tree; } alias = { object };
  void *at;

  if (!json_doc_is_object (object))
    return NULL;
  for (at = json_object_iter (alias.tree); at != NULL && k > 0; k--)
    at = json_object_iter_next (alias.tree, at);
  return at;
}

const struct json_doc *
json_doc_at (const struct json_doc *array, size_t k)
{
  return (const struct json_doc *) json_array_get (tree_in (array), k);
}

size_t
json_doc_count (const struct json_doc *doc)
{
  if (json_doc_is_object (doc))
    return json_object_size (tree_in (doc));
  return json_array_size (tree_in (doc));
}

const char *
json_doc_name_at (const struct json_doc *object, size_t k)
{
  void *at = member_at (object, k);

  return at != NULL ? json_object_iter_key (at) : NULL;
}

const char *
json_doc_as_text (const struct json_doc *doc)
{
  return json_string_value (tree_in (doc));
}

int64_t
json_doc_as_number (const struct json_doc *doc)
{
  const double limit = 9223372036854775808.0;   /* 2^63 */
  double real;

  if (json_is_integer (tree_in (doc)))
    return json_integer_value (tree_in (doc));
  real = json_real_value (tree_in (doc));       /* 0 of other kinds */
  return real >= -limit && real < limit ? (int64_t) real : 0;
}

bool
json_doc_is_object (const struct json_doc *doc)
{
  return json_is_object (tree_in (doc));
}

bool
json_doc_is_array (const struct json_doc *doc)
{
  return json_is_array (tree_in (doc));
}

bool
json_doc_equal (const struct json_doc *a, const struct json_doc *b)
{
  const json_t *x = a != NULL ? tree_in (a) : json_null ();
  const json_t *y = b != NULL ? tree_in (b) : json_null ();

  return json_equal (x, y);
}

static char *
doc_write (const struct json_doc *doc, size_t flags)
{
  const json_t *tree = doc != NULL ? tree_in (doc) : json_null ();
  char *text = json_dumps (tree, flags | JSON_ENCODE_ANY
                                 | JSON_REAL_PRECISION (REAL_DIGITS));

  if (text == NULL)
    memory_exhausted ();
  return text;
}

char *
json_doc_write (const struct json_doc *doc, bool is_pretty)
{
  return doc_write (doc, is_pretty ? JSON_INDENT (2) : JSON_COMPACT);
}

char *
json_doc_write_sorted (const struct json_doc *doc)
{
  return doc_write (doc, JSON_SORT_KEYS | JSON_COMPACT);
}
