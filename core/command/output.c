/* output.c - what commands print for machines, and of other people's text.
 *
 * SPDX-License-Identifier: MIT
 */

#include "output.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/text.h"

void
output_json (struct json_doc *doc)
{
  char *text = json_doc_write (doc, true);

  printf ("%s\n", text);
  free (text);
  json_doc_free (doc);
}

struct json_doc *
output_json_time (int64_t ms)
{
  struct buf text = BUF_INIT (0);
  struct json_doc *doc = NULL;

  if (ms > 0) {
    date_add_rfc3339 (&text, ms);
    doc = json_doc_text (text.data);
  }
  buf_done (&text);
  return doc;
}

void
output_line (const char *text, size_t len)
{
  size_t start = 0, i = 0;

  while (i < len) {
    size_t n = text_char_len (text + i, len - i);

    if (text[i] == '\t' || (n > 0 && text_is_one_line (text + i, n))) {
      i += n;
      continue;
    }
    fwrite (text + start, 1, i - start, stdout);
    for (start = i + (n > 0 ? n : 1); i < start; i++)
      printf ("\\x%02x", (unsigned) (unsigned char) text[i]);
  }
  fwrite (text + start, 1, len - start, stdout);
  putchar ('\n');
}
