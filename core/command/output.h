/* output.h - what commands print for machines.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_OUTPUT_H
#define HERALD_OUTPUT_H

#include "base/json_doc.h"

/* Print a document to standard output and free it. */
void output_json (struct json_doc *doc);

#endif
