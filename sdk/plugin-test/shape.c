/* shape.c - the members and lengths that JSON bodies have.
 *
 * SPDX-License-Identifier: MIT
 */

#include "shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SHAPE_MAX_DEPTH = 64 };

/* "/records[]/email"; of an array also how long it is at most. */
struct shape_place {
  char *path;
  size_t most;
};

struct shape {
  size_t n, size;
  struct shape_place *places;
};

struct shape *
shape_new (void)
{
  return memory_zeroed (1, sizeof (struct shape));
}

void
shape_free (struct shape *shape)
{
  if (shape == NULL)
    return;
  for (size_t k = 0; k < shape->n; k++)
    free (shape->places[k].path);
  free (shape->places);
  free (shape);
}

static struct shape_place *
shape_find (const struct shape *shape, const char *path)
{
  for (size_t k = 0; k < shape->n; k++)
    if (strcmp (shape->places[k].path, path) == 0)
      return &shape->places[k];
  return NULL;
}

static void
shape_note (struct shape *shape, const char *path, size_t count)
{
  struct shape_place *place = shape_find (shape, path);

  if (place == NULL) {
    if (shape->n == shape->size) {
      shape->size = shape->size * 2 + 32;
      shape->places = memory_resize (shape->places, shape->size,
                                     sizeof *shape->places);
    }
    place = &shape->places[shape->n++];
    place->path = memory_strdup (path);
    place->most = 0;
  }
  if (count > place->most)
    place->most = count;
}

typedef bool visit_fn (void *data, const char *path, size_t count);

/* Every member and every array's length, once each. */
static bool
walk (const struct json_doc *doc, struct buf *path, unsigned depth,
      visit_fn *visit, void *data)
{
  size_t len = path->len, n = json_doc_count (doc);
  bool is_good = true, is_object = json_doc_is_object (doc);

  if (depth > SHAPE_MAX_DEPTH || (!is_object && !json_doc_is_array (doc)))
    return visit (data, path->data, 0);
  if (!is_object) {
    buf_add_text (path, "[]");
    is_good = visit (data, path->data, n);
  }
  for (size_t k = 0; k < n; k++) {
    size_t before = path->len;
    const struct json_doc *value;

    if (is_object) {
      const char *name = json_doc_name_at (doc, k);

      buf_printf (path, "/%s", name);
      value = json_doc_get (doc, name);
    } else
      value = json_doc_at (doc, k);
    is_good &= walk (value, path, depth + 1, visit, data);
    path->len = before;
    path->data[before] = '\0';
  }
  path->len = len;
  if (path->data != buf_nothing)
    path->data[len] = '\0';
  return is_good;
}

static bool
learn (void *data, const char *path, size_t count)
{
  shape_note (data, path, count);
  return true;
}

void
shape_learn (struct shape *shape, const struct json_doc *doc)
{
  struct buf path = BUF_INIT (0);

  walk (doc, &path, 0, learn, shape);
  buf_done (&path);
}

struct fitting {
  const struct shape *shape;
  struct buf *notes;
};

static bool
fit (void *data, const char *path, size_t count)
{
  const struct fitting *fitting = data;
  const struct shape_place *place = shape_find (fitting->shape, path);

  if (place == NULL) {
    buf_printf (fitting->notes, "the body has a %s that it should not"
                                " have: a value was not quoted\n", path);
    return false;
  }
  if (count > place->most) {
    buf_printf (fitting->notes, "%s has %zu items, not %zu: a value was not"
                                " quoted\n", path, count, place->most);
    return false;
  }
  return true;
}

bool
shape_fits (const struct shape *shape, const struct json_doc *doc,
            struct buf *notes)
{
  struct fitting fitting = { shape, notes };
  struct buf path = BUF_INIT (0);
  bool is_good = walk (doc, &path, 0, fit, &fitting);

  buf_done (&path);
  return is_good;
}
