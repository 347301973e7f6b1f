/* condition.h - which events an integration wants: <when source=.../>.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CONDITION_H
#define HERALD_CONDITION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "catalogue.h"
#include "event.h"

/* The tests are XML attributes: is="text", not="text", present="true" or
 * "false", one-of="a|b|c", above, at-least, below, at-most="number".
 * All of one condition must hold.  Text is compared with the field's
 * text: true, 12, a string without quotes.  A missing field passes only
 * not and present="false"; what is no number passes no comparison. */
struct condition;

struct condition_test {
  const char *name;             /* "is", "one-of", ... */
  const char *value;
};

struct condition *condition_new (struct arena *arena, const char *source,
                                 const struct condition_test *tests,
                                 size_t n_tests,
                                 const struct catalogue *catalogue,
                                 char ret_reason[200]);
bool condition_holds (const struct condition *condition,
                      const struct event *event);
/* For explain: "optinNewsletter is true". */
void condition_add_text (const struct condition *condition,
                         struct buf *out);
/* The names of all tests, ending with NULL. */
extern const char *const condition_test_names[];

#endif
