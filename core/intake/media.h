/* media.h - which content mode a request's head asks for.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_MEDIA_H
#define HERALD_MEDIA_H

#include <stdbool.h>

#include "body.h"

/* By Content-Type (NULL: none) and whether there are ce- fields.  -1: what
 * that is can't be read here. */
int media_read (const char *content_type, bool has_attributes,
                enum body_mode *ret_mode);
/* What can: for Accept. */
extern const char media_accepted[];

/* Content-Encoding (NULL: none); -1: not understood. */
int media_read_encoding (const char *encoding, bool *ret_is_gzip);

#endif
