/* binary.h - the binary content mode: attributes in header fields.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_BINARY_H
#define HERALD_BINARY_H

#include <stdbool.h>

#include "base/buf.h"

/* Is that header field an attribute (ce-...)? */
bool binary_is_attribute (const char *name);

/* Add the attribute as a member to an event begun with "{" in out.  Its
 * value is percent-decoded (CloudEvents, HTTP binding 3.1.3.2).  -1 with a
 * reason that names the attribute, never the value. */
int binary_add (struct buf *out, const char *name, const char *value,
                char ret_reason[200]);
/* Behind the last attribute: what stands before the data. */
void binary_add_data (struct buf *out);

#endif
