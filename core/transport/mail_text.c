/* mail_text.c - text as it may go into a mail.
 *
 * SPDX-License-Identifier: MIT
 */

#include "mail_text.h"

#include <string.h>

/* The length of a line end at text: CRLF, CR, LF; or 0. */
static size_t
line_end (const char *text)
{
  if (text[0] == '\r')
    return text[1] == '\n' ? 2 : 1;
  return text[0] == '\n';
}

void
mail_text_add (struct buf *out, const char *text)
{
  while (*text) {
    size_t len = strcspn (text, "\r\n");

    buf_add (out, text, len);
    text += len;
    if (*text) {
      buf_add (out, "\r\n", 2);
      text += line_end (text);
    }
  }
}

const char *
mail_text_encoding (const char *text, size_t len)
{
  size_t quoted = len;

  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char) text[i];

    if (c >= 0x7f || c == '=' || (c < ' ' && c != '\r' && c != '\n'))
      quoted += 2;
  }
  return quoted <= (len + 2) / 3 * 4 ? "quoted-printable" : "base64";
}

int
mail_text_add_header (struct buf *out, const char *value)
{
  while (*value) {
    size_t len = strcspn (value, "\r\n");

    buf_add (out, value, len);
    value += len;
    if (!*value)
      break;
    value += line_end (value);
    if (*value != ' ' && *value != '\t')
      return -1;
    if (value[1 + strspn (value + 1, " \t")] == '\0'
        || strchr ("\r\n", value[1 + strspn (value + 1, " \t")]))
      return -1;
    buf_add (out, "\r\n", 2);
  }
  return 0;
}
