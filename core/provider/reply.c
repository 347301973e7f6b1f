/* reply.c - one answer as a plugin reads it.
 *
 * SPDX-License-Identifier: MIT
 */

#include "reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/number.h"
#include "base/text.h"
#include "host.h"
#include "job.h"

enum { MOST_DEPTH = 64, MOST_SPARE_NODES = 4096 };

/* The memory of the last index, for the next: there is one reply at a
 * time. */
static struct json_index spare;

void
reply_init (struct reply *reply, struct herald_request *request,
            struct arena *arena, const struct job_answer *answer)
{
  const char *retry_after;

  memset (reply, 0, sizeof *reply);
  reply->request = request;
  reply->arena = arena;
  reply->headers = answer->headers;
  reply->n_headers = answer->n_headers;
  reply->shown.status = answer->status;
  reply->shown.body = answer->body != NULL ? answer->body : "";
  reply->shown.body_len = answer->body != NULL ? answer->body_len : 0;
  reply->shown.tag = request != NULL ? request->tag : NULL;
  reply->shown.retry_after_ms = -1;
  if (answer->n_headers == 0)
    return;
  retry_after = reply_header (reply, "retry-after");
  if (*retry_after != '\0')
    reply->shown.retry_after_ms
      = date_retry_after_ms (retry_after, date_now_ms ());
}

void
reply_done (struct reply *reply)
{
  if (!reply->is_indexed)
    return;
  if (spare.nodes == NULL && reply->index.size <= MOST_SPARE_NODES)
    spare = reply->index;
  else
    json_index_done (&reply->index);
  memset (&reply->index, 0, sizeof reply->index);
  reply->is_indexed = false;
}

const char *
reply_header (struct reply *reply, const char *name)
{
  if (name == NULL)
    return "";
  for (size_t k = 0; k < reply->n_headers; k++)
    if (text_equal_fold (reply->headers[k].name, name))
      return reply->headers[k].value != NULL ? reply->headers[k].value : "";
  return "";
}

/* The value at path, or NULL. */
static const struct json_node *
reply_node (struct reply *reply, const char *path, uint32_t *ret_at)
{
  struct json_error error;
  uint32_t at;

  if (!reply->is_indexed) {
    reply->index = spare;
    memset (&spare, 0, sizeof spare);
    reply->is_indexed = true;
    reply->is_json
      = json_index_read (&reply->index, reply->shown.body,
                         reply->shown.body_len, MOST_DEPTH, 0, &error)
        == 0;
  }
  if (!reply->is_json || path == NULL)
    return NULL;
  at = json_index_path (&reply->index, path);
  if (at == UINT32_MAX)
    return NULL;
  *ret_at = at;
  return &reply->index.nodes[at];
}

int
reply_json_kind (struct reply *reply, const char *path)
{
  uint32_t at;
  const struct json_node *node = reply_node (reply, path, &at);

  return node != NULL ? (int) node->kind : HERALD_JSON_NONE;
}

const char *
reply_json_text (struct reply *reply, const char *path)
{
  uint32_t at;
  const struct json_node *node = reply_node (reply, path, &at);
  struct buf *out;

  if (node == NULL)
    return "";
  out = host_scratch ();
  json_index_add_text (&reply->index, at, out);
  if (out->len == 0)
    return "";
  return arena_strndup (reply->arena, out->data, out->len);
}

int64_t
reply_json_number (struct reply *reply, const char *path)
{
  const double most = 9223372036854774784.0; /* below 2^63 */
  const char *text = reply_json_text (reply, path);
  size_t len = strlen (text);
  int64_t value;
  double real;

  if (number_read (text, len, INT64_MIN, INT64_MAX, &value) == 0)
    return value;
  if (number_read_real (text, len, &real) < 0)
    return 0;
  if (real >= most)
    return INT64_MAX;
  return real <= -most ? INT64_MIN : (int64_t) real;
}

size_t
reply_json_count (struct reply *reply, const char *path)
{
  uint32_t at;
  const struct json_node *node = reply_node (reply, path, &at);

  if (node == NULL || (node->kind != JSON_ARRAY && node->kind != JSON_OBJECT))
    return 0;
  return node->count;
}
