/* template.h - text with {{key}} in it, and nothing more.
 *
 * {{key}} is replaced by a source field's text, escaped if the template
 * is HTML; {{{key}}} is never escaped.  A field that is missing leaves
 * nothing.  Text that came from a participant is never read again for
 * braces.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_TEMPLATE_H
#define HERALD_TEMPLATE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalogue.h"
#include "event.h"

struct template;

/* Compile; all memory is arena's.  NULL with a reason of at most 200
 * bytes: an unclosed brace, an unknown field (with the nearest name). */
struct template *template_new (struct arena *arena, const char *text,
                               bool is_html,
                               const struct catalogue *catalogue,
                               char ret_reason[200]);
void template_write (const struct template *template,
                     const struct event *event, struct buf *out);
/* No fields: always the same text. */
bool template_is_constant (const struct template *template);

#endif
