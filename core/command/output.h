/* output.h - what commands print for machines, and of other people's text.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_OUTPUT_H
#define HERALD_OUTPUT_H

#include <stddef.h>

#include "base/json_doc.h"

/* Print a document to standard output and free it. */
void output_json (struct json_doc *doc);
/* Print one line of text that came from outside: what a terminal would
 * obey is shown as \x1b instead.  Tabs are as they are. */
void output_line (const char *text, size_t len);

#endif
