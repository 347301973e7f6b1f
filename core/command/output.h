/* output.h - what commands print for machines, and of other people's text.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_OUTPUT_H
#define HERALD_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/json_doc.h"

/* Print a document to standard output and free it. */
void output_json (struct json_doc *doc);
/* A time as RFC 3339; null for 0. */
struct json_doc *output_json_time (int64_t ms);
/* Print one line of text that came from outside: what a terminal would
 * obey is shown as \x1b instead.  Tabs are as they are. */
void output_line (const char *text, size_t len);

#endif
