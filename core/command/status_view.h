/* status_view.h - how it stands: the boards, the store and the
 * configuration, joined and put into words.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_STATUS_VIEW_H
#define HERALD_STATUS_VIEW_H

#include "base/buf.h"
#include "base/json_doc.h"
#include "metrics/figures.h"
#include "store.h"

/* One moment. */
struct status_view *status_view_new (struct store *store, int64_t now_ms);
void status_view_free (struct status_view *view);       /* NULL is fine */

/* Text, in lines.  Rates, and times that attempts took, are those since
 * before (a view of the same host); NULL: no rates, and of all attempts. */
void status_view_write (const struct status_view *view,
                        const struct status_view *before, struct buf *out);
struct json_doc *status_view_json (const struct status_view *view);

/* What a lane is in, as a word, and why ("" if there is no more to say). */
const char *status_lane_state (const struct store *store,
                               const struct figures *figures,
                               const char *name, const char **ret_why);

#endif
