/* mail_text.c - text as it may go into a mail.
 *
 * SPDX-License-Identifier: MIT
 */

#include "mail_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/crypto.h"

enum {
  QUOTED_COLUMNS = 76,
  BASE64_BYTES = 57, /* 76 columns as well */
  LINE_COLUMNS = 998 /* RFC 5322, section 2.1.1 */
};

const char *const mail_encoding_names[]
  = { "7bit", "quoted-printable", "base64" };

/* The length of a line end at text: CRLF, CR, LF; or 0. */
static size_t
line_end (const char *text)
{
  if (text[0] == '\r')
    return text[1] == '\n' ? 2 : 1;
  return text[0] == '\n';
}

/* Add text as it is, but for its line ends. */
static void
add_plain (struct buf *out, const char *text)
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

/* Whether a byte may stand for itself, RFC 2045, section 6.7. */
static bool
is_plain (const char *c)
{
  if (*c > ' ')
    return *c < 0x7f && *c != '=';
  /* Blanks at the end get lost. */
  return (*c == ' ' || *c == '\t') && c[1] && !line_end (c + 1);
}

static void
add_quoted (struct buf *out, const char *text)
{
  static const char digits[] = "0123456789ABCDEF";
  size_t column = 0;

  while (*text) {
    size_t len = line_end (text);
    size_t width = is_plain (text) ? 1 : 3;

    if (len > 0) {
      buf_add (out, "\r\n", 2);
      text += len;
      column = 0;
      continue;
    }
    /* The last of a line may fill it; others leave room for "=". */
    if (column + width > (text[1] && !line_end (text + 1) ? QUOTED_COLUMNS - 1
                                                          : QUOTED_COLUMNS)) {
      buf_add (out, "=\r\n", 3);
      column = 0;
    }
    if (width == 1)
      buf_add_char (out, *text);
    else {
      unsigned char c = (unsigned char) *text;
      char coded[3] = { '=', digits[c >> 4], digits[c & 15] };

      buf_add (out, coded, sizeof coded);
    }
    column += width;
    text++;
  }
}

static void
add_base64 (struct buf *out, const char *text)
{
  struct buf plain = BUF_INIT (0);

  add_plain (&plain, text);
  for (size_t at = 0; at < plain.len; at += BASE64_BYTES) {
    size_t left = plain.len - at;

    if (at > 0)
      buf_add (out, "\r\n", 2);
    crypto_add_base64 (out, plain.data + at,
                       left < BASE64_BYTES ? left : BASE64_BYTES);
  }
  buf_done (&plain);
}

void
mail_text_add (struct buf *out, const char *text, enum mail_encoding encoding)
{
  if (encoding == MAIL_QUOTED)
    add_quoted (out, text);
  else if (encoding == MAIL_BASE64)
    add_base64 (out, text);
  else
    add_plain (out, text);
}

enum mail_encoding
mail_text_encoding (const char *text)
{
  size_t n_quoted = 0, column = 0, longest = 0;
  bool is_7bit = true;
  const char *c;

  for (c = text; *c; c++) {
    if (*c == '\r' || *c == '\n') {
      column = 0;
      continue;
    }
    if (++column > longest)
      longest = column;
    if (is_plain (c))
      continue;
    n_quoted++;
    is_7bit &= *c == ' ' || *c == '\t' || *c == '=';
  }
  if (is_7bit && longest <= LINE_COLUMNS)
    return MAIL_7BIT;
  return (size_t) (c - text) + 2 * n_quoted <= (size_t) (c - text + 2) / 3 * 4
           ? MAIL_QUOTED
           : MAIL_BASE64;
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
