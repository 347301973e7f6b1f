/* binary.c - the binary content mode: attributes in header fields.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/binary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "intake/framing.h"

enum { BINARY_MAX_VALUE = 16 << 10 };

bool
binary_is_attribute (const char *name)
{
  return (name[0] == 'c' || name[0] == 'C')
         && (name[1] == 'e' || name[1] == 'E') && name[2] == '-';
}

static int
binary_hex (char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* One round of a quoted string's escapes, then of percent-encoding. */
static int
binary_decode (struct buf *out, const char *value)
{
  size_t len = framing_value_len (value);
  bool is_quoted = len >= 2 && value[0] == '"' && value[len - 1] == '"';
  const char *at = value + (is_quoted ? 1 : 0);
  const char *end = value + len - (is_quoted ? 1 : 0);

  while (at < end) {
    if (is_quoted && *at == '\\' && at + 1 < end)
      at++;
    /* A percent sign that begins no byte stands for itself: the SDK for
     * JavaScript sends it so. */
    if (*at != '%' || end - at < 3 || binary_hex (at[1]) < 0
        || binary_hex (at[2]) < 0) {
      buf_add_char (out, *at++);
      continue;
    }
    buf_add_char (out, (char) (binary_hex (at[1]) << 4 | binary_hex (at[2])));
    at += 3;
  }
  return text_is_utf8 (out->data, out->len) ? 0 : -1;
}

int
binary_add (struct buf *out, const char *name, const char *value,
            char ret_reason[200])
{
  struct buf text = BUF_INIT (BINARY_MAX_VALUE);
  const char *why = NULL;
  char attribute[64];

  snprintf (attribute, sizeof attribute, "%s", name + 3);
  text_fold (attribute);
  if (strlen (name + 3) >= sizeof attribute || attribute[0] == '\0')
    why = "has an unfit name";
  else if (strcmp (attribute, "datacontenttype") == 0
           || strcmp (attribute, "data") == 0
           || strcmp (attribute, "data_base64") == 0)
    why = "is told by Content-Type and the body";
  else if (binary_decode (&text, value) != 0 || text.is_over)
    why = "is no UTF-8, or too long";
  if (why != NULL) {
    snprintf (ret_reason, 200, "ce-%s %s", attribute, why);
    buf_done (&text);
    return -1;
  }
  if (out->len > 1)
    buf_add_char (out, ',');
  text_add_json (out, attribute, strlen (attribute));
  buf_add_char (out, ':');
  text_add_json (out, text.data, text.len);
  buf_done (&text);
  return 0;
}

void
binary_add_data (struct buf *out)
{
  if (out->len > 1)
    buf_add_char (out, ',');
  buf_add_text (out, "\"datacontenttype\":\"application/json\",\"data\":");
}
