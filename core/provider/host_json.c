/* host_json.c - JSON as a text, for plugins.
 *
 * SPDX-License-Identifier: MIT
 */

#include <string.h>

#include "base/json_index.h"
#include "base/text.h"
#include "event/event.h"
#include "host.h"

/* The scratch buffer's text, as long as the callback's memory lives. */
static const char *
keep (const struct buf *out)
{
  return arena_strndup (host_arena (), out->data, out->len);
}

const char *
host_quote (const char *text)
{
  struct buf *out;

  if (text == NULL)
    return "null";
  out = host_scratch ();
  text_add_json (out, text, strlen (text));
  return keep (out);
}

const char *
host_unquote (const char *json)
{
  struct json_index index = { .nodes = NULL };
  struct json_error error;
  const char *text = json != NULL ? json : "";
  struct buf *out;

  if (*text != '"')
    return text;
  if (json_index_read (&index, text, strlen (text), 1, 0, &error) == 0) {
    out = host_scratch ();
    json_index_add_text (&index, 0, out);
    text = keep (out);
  }
  json_index_done (&index);
  return text;
}

/* What member () was last asked of: a few, as one may be walked inside the
 * other.  The texts are copies, for a plugin may write over its own. */
enum {
  MOST_WALKED = 4,
  MOST_DEPTH = 4 * EVENT_MAX_DEPTH,
  MOST_KEPT = 64 * 1024
};

static struct walk {
  const char *json;             /* as the plugin gave it, in ... */
  uint64_t serial;              /* ... that callback; 0: none */
  uint64_t used;                /* when; the least is given up; 0: never */
  struct buf text;
  struct json_index index;      /* .n == 0: no JSON */
  uint32_t k, at;               /* where member k begins */
} walks[MOST_WALKED];

static struct walk *
walk_of (const char *json)
{
  static uint64_t now;
  const struct host_scope *scope = host_current ();
  struct walk *walk = &walks[0];
  struct json_error error;

  for (size_t i = 0; i < MOST_WALKED; i++) {
    if (scope != NULL && walks[i].serial == scope->serial
        && walks[i].json == json) {
      walks[i].used = ++now;
      return &walks[i];
    }
    if (walks[i].used < walk->used)
      walk = &walks[i];
  }
  if (walk->text.size > MOST_KEPT || walk->used == 0) {
    if (walk->used != 0)
      buf_done (&walk->text);
    buf_init (&walk->text, 0);
    json_index_done (&walk->index);
  }
  walk->json = json;
  walk->serial = scope != NULL ? scope->serial : 0;
  walk->used = ++now;
  buf_clear (&walk->text);
  buf_add_text (&walk->text, json);
  walk->k = 0;
  walk->at = 1;
  if (json_index_read (&walk->index, walk->text.data, walk->text.len,
                       MOST_DEPTH, 0, &error)
      < 0)
    walk->index.n = 0;
  return walk;
}

/* From where the last one was, so a walk of all is of one pass. */
const char *
host_member (const char *json, size_t k, const char **ret_name)
{
  const struct json_node *nodes;
  struct walk *walk;
  struct buf *out;
  bool is_object;

  if (ret_name != NULL)
    *ret_name = "";
  if (json == NULL)
    return NULL;
  walk = walk_of (json);
  nodes = walk->index.nodes;
  if (walk->index.n == 0 || k >= nodes[0].count
      || (nodes[0].kind != JSON_OBJECT && nodes[0].kind != JSON_ARRAY))
    return NULL;
  is_object = nodes[0].kind == JSON_OBJECT;
  if (k < walk->k) {
    walk->k = 0;
    walk->at = 1;
  }
  for (; walk->k < k; walk->k++)
    walk->at = nodes[walk->at + is_object].next;
  if (is_object && ret_name != NULL) {
    out = host_scratch ();
    json_index_add_text (&walk->index, walk->at, out);
    *ret_name = keep (out);
  }
  out = host_scratch ();
  json_index_add_raw (&walk->index, walk->at + is_object, out);
  return keep (out);
}
