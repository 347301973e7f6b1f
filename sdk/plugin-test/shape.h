/* shape.h - the members and lengths that JSON bodies have.
 *
 * A value that was not quoted changes them: a member more, an item more.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef PLUGIN_TEST_SHAPE_H
#define PLUGIN_TEST_SHAPE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/json_doc.h"

struct shape;

struct shape *shape_new (void);
void shape_free (struct shape *shape);
/* All of doc is as it should be. */
void shape_learn (struct shape *shape, const struct json_doc *doc);
/* True if doc has no member that was not learned, and no array that is
 * longer; else what is new is added to notes. */
bool shape_fits (const struct shape *shape, const struct json_doc *doc,
                 struct buf *notes);

#endif
