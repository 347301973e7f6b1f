/* text.h - UTF-8 text: is it valid, how is it spelt elsewhere.
 *
 * The _add functions write to a buf; all take bytes and a length, so they
 * work on parts of a larger text.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_TEXT_H
#define HERALD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* True if all bytes are well-formed UTF-8 (RFC 3629: no surrogates, no
 * overlong forms) and none is NUL. */
bool text_is_utf8 (const char *text, size_t len);
/* The bytes of the well-formed character that text begins with; 0 if
 * there is none. */
size_t text_char_len (const char *text, size_t len);
/* True if there is no control character, so none that ends a line. */
bool text_is_one_line (const char *text, size_t len);

/* The length in bytes of the first max_chars characters; a byte that
 * belongs to none counts as one. */
size_t text_clip (const char *text, size_t len, size_t max_chars);

void text_add_json (struct buf *out, const char *text, size_t len);
                                /* with its quotes; what is not UTF-8
                                   becomes U+FFFD */
void text_add_html (struct buf *out, const char *text, size_t len);
void text_add_url (struct buf *out, const char *text, size_t len);
                                /* RFC 3986: all but unreserved as %XX */

/* ASCII only, whatever the locale. */
bool text_equal_fold (const char *a, const char *b);
void text_fold (char *text);            /* to lower case, in place */

/* The member of names (which ends with NULL) that differs least from
 * text, or NULL if none is near enough to be what was meant. */
const char *text_nearest (const char *text, const char *const *names);

#endif
