/* output.c - what commands print for machines.
 *
 * SPDX-License-Identifier: MIT
 */

#include "output.h"

#include <stdio.h>
#include <stdlib.h>

void
output_json (struct json_doc *doc)
{
  char *text = json_doc_write (doc, true);

  printf ("%s\n", text);
  free (text);
  json_doc_free (doc);
}
