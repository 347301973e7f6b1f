/* members.h - what is in a JSON object or array, one after the other.
 *
 * Forms have a field for each; the host reads JSON of replies only.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef MAILGUN_MEMBERS_H
#define MAILGUN_MEMBERS_H

#include <stdbool.h>

#include "herald-plugin.h"

struct members {
  const char *at;
  bool is_object;
  const char *name;  /* "" in an array */
  const char *value; /* JSON */
};

/* json: valid, as the core has checked it; of anything but an object or an
 * array there are no members.
 */
void members_open (struct members *members, const char *json);

/* The next one; false if there is none. */
bool members_next (struct members *members);

/* The text of a JSON string; any other value as it is written. */
const char *members_text (const char *json);

#endif /* MAILGUN_MEMBERS_H */
