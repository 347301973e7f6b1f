/* request_merge.c - further members for a body of JSON.
 *
 * The body is read once; what goes in, and where, is put in a list, from
 * which the new body is made in one pass.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "base/json_index.h"
#include "base/memory.h"
#include "job_state.h"

enum { MOST_KEPT = 64 * 1024 };

/* Text that goes in at offset of the body. */
struct piece {
  size_t offset;
  size_t start, len;            /* in merge's text */
};

struct merge {
  struct json_index body, extra;
  struct buf text;              /* all pieces' */
  struct piece *pieces;
  size_t n, size;
};

/* One at a time; its memory is used again. */
static struct merge merge = { .text = BUF_INIT (REQUEST_MAX_BODY) };

static void
add_piece (size_t offset, size_t start)
{
  if (merge.text.len == start)
    return;
  if (merge.n == merge.size) {
    merge.size = merge.size * 2 + 16;
    merge.pieces
      = memory_resize (merge.pieces, merge.size, sizeof *merge.pieces);
  }
  merge.pieces[merge.n++]
    = (struct piece){ offset, start, merge.text.len - start };
}

/* "name":value for each member of extra that the body's object lacks; what
 * is an object in both is merged first, as its end is before this one's.
 * It calls itself at most REQUEST_MAX_DEPTH deep. */
static void
merge_object (uint32_t object, uint32_t extra)
{
  const struct json_node *nodes = merge.extra.nodes;
  const struct json_node *node = &merge.body.nodes[object];
  bool is_first = node->count == 0;
  struct buf name = BUF_INIT (0);
  struct buf own = BUF_INIT (REQUEST_MAX_BODY);
  uint32_t at = extra + 1, found;
  size_t start;

  for (uint32_t k = nodes[extra].count; k > 0; k--) {
    buf_clear (&name);
    json_index_add_text (&merge.extra, at, &name);
    found = json_index_member (&merge.body, object, name.data, name.len);
    if (found == 0) {
      if (!is_first)
        buf_add_char (&own, ',');
      is_first = false;
      json_index_add_raw (&merge.extra, at, &own);
      buf_add_char (&own, ':');
      json_index_add_raw (&merge.extra, at + 1, &own);
    } else if (merge.body.nodes[found].kind == JSON_OBJECT
               && nodes[at + 1].kind == JSON_OBJECT)
      merge_object (found, at + 1);
    at = nodes[at + 1].next;
  }
  start = merge.text.len;
  buf_add (&merge.text, own.data, own.len);
  merge.text.is_over |= own.is_over;
  add_piece ((size_t) node->start + node->len - 1, start);
  buf_done (&own);
  buf_done (&name);
}

static int
compare_pieces (const void *left, const void *right)
{
  const struct piece *a = left, *b = right;

  return (a->offset > b->offset) - (a->offset < b->offset);
}

static void
put_pieces (struct buf *body)
{
  struct buf made = BUF_INIT (REQUEST_MAX_BODY);
  size_t from = 0;

  if (merge.n == 0)
    return;
  qsort (merge.pieces, merge.n, sizeof *merge.pieces, compare_pieces);
  for (size_t k = 0; k < merge.n; k++) {
    const struct piece *piece = &merge.pieces[k];

    buf_add (&made, body->data + from, piece->offset - from);
    buf_add (&made, merge.text.data + piece->start, piece->len);
    from = piece->offset;
  }
  buf_add (&made, body->data + from, body->len - from);
  made.is_over |= merge.text.is_over;
  buf_done (body);
  *body = made;
}

/* -1 where there is no object. */
static int
merge_at (const char *path)
{
  const char *star = strcmp (path, "*") == 0 ? path : strstr (path, ".*");
  char *array_path = memory_strdup (path);
  uint32_t at, n = 1;
  bool is_list = star != NULL && star[strlen (star) - 1] == '*'
                 && strlen (star) <= 2;
  int status = 0;

  if (is_list)
    array_path[star - path] = '\0';
  at = json_index_path (&merge.body, array_path);
  free (array_path);
  if (at == UINT32_MAX)
    return -1;
  if (is_list && merge.body.nodes[at].kind != JSON_ARRAY)
    return -1;
  if (is_list)
    n = merge.body.nodes[at++].count;
  for (; n > 0 && status == 0; n--, at = merge.body.nodes[at].next)
    if (merge.body.nodes[at].kind == JSON_OBJECT)
      merge_object (at, 0);
    else
      status = -1;
  return status;
}

static void
merge_into (struct herald_request *request, const char *path)
{
  struct buf *body = &request->body;
  struct json_error error;

  if (json_index_read (&merge.body, body->data, body->len, REQUEST_MAX_DEPTH,
                       0, &error)
      < 0) {
    job_spoil (request->job,
               "it merges into a body that is no JSON: %s at byte %zu",
               error.reason, error.offset);
    return;
  }
  buf_clear (&merge.text);
  merge.n = 0;
  if (merge_at (path) < 0)
    job_spoil (request->job,
               "it merges into \"%s\", where its body has no object", path);
  else {
    put_pieces (body);
    request->merged_len = body->len;
  }
  if (merge.text.size > MOST_KEPT)
    buf_done (&merge.text);
}

void
request_merge (struct herald_request *request, const char *path,
               const char *json)
{
  struct json_error error;

  if (json == NULL || *json == '\0'
      || !request_is_kind (request, REQUEST_JSON))
    return;
  if (json_index_read (&merge.extra, json, strlen (json), REQUEST_MAX_DEPTH,
                       JSON_UNIQUE_KEYS, &error)
        < 0
      || merge.extra.nodes[0].kind != JSON_OBJECT)
    job_spoil (request->job, "what it merges is no JSON object");
  else
    merge_into (request, path != NULL ? path : "");
}
