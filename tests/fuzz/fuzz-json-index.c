/* fuzz-json-index.c - base/json_index on any bytes, beside jansson.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_doc.h"
#include "base/json_index.h"
#include "base/number.h"
#include "base/text.h"

enum { MAX_DEPTH = 100 };       /* jansson's is 2048 */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
must (bool is_so)
{
  if (!is_so)
    abort ();
}

/* A node lies within the one around it, and leads to the next. */
static void
check_node (const struct json_index *index, uint32_t at, size_t len)
{
  const struct json_node *node = &index->nodes[at];
  uint32_t end = node->next, child = at + 1;
  bool is_object = node->kind == JSON_OBJECT;

  must (end > at && end <= index->n);
  must ((size_t) node->start + node->len <= len);
  must (node->kind > JSON_NONE && node->kind <= JSON_OBJECT);
  if (!is_object && node->kind != JSON_ARRAY) {
    must (end == at + 1 && node->count == 0);
    return;
  }
  for (uint32_t k = 0; k < node->count; k++) {
    if (is_object) {
      must (child < end && index->nodes[child].kind == JSON_STRING);
      child++;
    }
    must (child < end && index->nodes[child].start > node->start);
    child = index->nodes[child].next;
  }
  must (child == end);
}

/* What is a string's text is text, and is found under its key. */
static void
check_strings (const struct json_index *index)
{
  struct buf text = BUF_INIT (0), raw = BUF_INIT (0);

  for (uint32_t i = 0; i < index->n && i < 64; i++) {
    buf_clear (&text);
    buf_clear (&raw);
    json_index_add_text (index, i, &text);
    json_index_add_raw (index, i, &raw);
    must (raw.len > 0 && raw.len >= text.len);
    must (text_is_utf8 (text.data, text.len));
    if (index->nodes[i].kind == JSON_OBJECT && index->nodes[i].count > 0) {
      buf_clear (&text);
      json_index_add_text (index, i + 1, &text);
      must (json_index_member (index, i, text.data, text.len) == i + 2);
    }
  }
  buf_done (&text);
  buf_done (&raw);
}

/* The one documented difference: numbers that jansson cannot hold. */
static bool
has_large_number (const struct json_index *index)
{
  for (uint32_t i = 0; i < index->n; i++) {
    const struct json_node *node = &index->nodes[i];
    const char *text = index->text + node->start;
    int64_t whole;

    if (node->kind != JSON_NUMBER
        || number_read (text, node->len, INT64_MIN, INT64_MAX, &whole) == 0)
      continue;
    if (memchr (text, '.', node->len) == NULL
        && memchr (text, 'e', node->len) == NULL
        && memchr (text, 'E', node->len) == NULL)
      return true;
    if (number_read_real (text, node->len, &(double) { 0 }) < 0)
      return true;
  }
  return false;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct json_index index = { 0 };
  struct json_error error = { SIZE_MAX, NULL };
  const char *text = (const char *) data;
  struct json_doc *doc;
  char reason[160];

  /* A document's bytes differ from jansson's view of them in nothing. */
  doc = json_doc_read (text, size, reason);
  if (json_index_read (&index, text, size, MAX_DEPTH, JSON_UNIQUE_KEYS,
                       &error) < 0) {
    must (error.reason != NULL && error.offset <= size && index.n == 0);
    must (doc == NULL || strstr (error.reason, "levels") != NULL);
    /* Duplicates are all that the flag is about. */
    if (json_index_read (&index, text, size, MAX_DEPTH, 0, &error) == 0)
      must (strstr (error.reason, "twice") != NULL);
  } else {
    must (doc != NULL || has_large_number (&index));
    must (index.nodes[0].next == index.n);
    for (uint32_t i = 0; i < index.n; i++)
      check_node (&index, i, size);
    check_strings (&index);
    must (json_index_path (&index, "") == 0);
  }
  json_doc_free (doc);
  json_index_done (&index);
  return 0;
}
