/* text.c - UTF-8 text: is it valid, how is it spelt elsewhere.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/text.h"

#include <stdint.h>
#include <string.h>

static const char hex_digits[] = "0123456789ABCDEF";

/* The bytes up to the first that is NUL or not ASCII. */
static size_t
plain_len (const char *text, size_t len)
{
  size_t i = 0;

  for (; len - i >= 8; i += 8) {
    uint64_t x;

    memcpy (&x, text + i, 8);
    if (((x | (x - 0x0101010101010101u)) & 0x8080808080808080u) != 0)
      break;
  }
  while (i < len && text[i] > 0 && (unsigned char) text[i] < 0x80)
    i++;
  return i;
}

size_t
text_char_len (const char *text, size_t len)
{
  const unsigned char *t = (const unsigned char *) text;

  /* The ranges of RFC 3629, section 4. */
  if (len == 0)
    return 0;
  if (t[0] < 0x80)
    return 1;
  if (t[0] < 0xc2 || t[0] > 0xf4 || len < 2 || (t[1] & 0xc0) != 0x80)
    return 0;
  if (t[0] < 0xe0)
    return 2;
  if (len < 3 || (t[2] & 0xc0) != 0x80
      || (t[0] == 0xe0 && t[1] < 0xa0) || (t[0] == 0xed && t[1] > 0x9f))
    return 0;
  if (t[0] < 0xf0)
    return 3;
  if (len < 4 || (t[3] & 0xc0) != 0x80
      || (t[0] == 0xf0 && t[1] < 0x90) || (t[0] == 0xf4 && t[1] > 0x8f))
    return 0;
  return 4;
}

bool
text_is_utf8 (const char *text, size_t len)
{
  size_t i = 0, n;

  while ((i += plain_len (text + i, len - i)) < len) {
    n = text_char_len (text + i, len - i);
    if (n < 2)                /* 1: a NUL */
      return false;
    i += n;
  }
  return true;
}

bool
text_is_one_line (const char *text, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char) text[i];

    if (c < 0x20 || c == 0x7f)
      return false;
    /* U+0080 to U+009F: U+0085 ends a line too. */
    if (c == 0xc2 && i + 1 < len && (unsigned char) text[i + 1] < 0xa0)
      return false;
  }
  return true;
}

size_t
text_clip (const char *text, size_t len, size_t max_chars)
{
  size_t i = 0, n;

  while (i < len && max_chars-- > 0) {
    n = text_char_len (text + i, len - i);
    i += n > 0 ? n : 1;
  }
  return i;
}

/* What the letter after the backslash is; 0: none. */
static char
json_letter (unsigned char c)
{
  switch (c) {
  case '"': return '"';
  case '\\': return '\\';
  case '\b': return 'b';
  case '\f': return 'f';
  case '\n': return 'n';
  case '\r': return 'r';
  case '\t': return 't';
  default: return 0;
  }
}

static void
add_json_escape (struct buf *out, unsigned char c)
{
  char escape[6] = { '\\', 'u', '0', '0', 0, 0 };

  escape[4] = hex_digits[c >> 4];
  escape[5] = hex_digits[c & 15];
  if (json_letter (c) == 0)
    buf_add (out, escape, 6);
  else {
    escape[1] = json_letter (c);
    buf_add (out, escape, 2);
  }
}

void
text_add_json (struct buf *out, const char *text, size_t len)
{
  size_t start = 0, i = 0, n;

  buf_add_char (out, '"');
  while (i < len) {
    unsigned char c = (unsigned char) text[i];

    n = c < 0x80 ? 1 : text_char_len (text + i, len - i);
    if (n > 0 && c >= 0x20 && c != '"' && c != '\\') {
      i += n;
      continue;
    }
    buf_add (out, text + start, i - start);
    if (n == 0)
      buf_add (out, "\xef\xbf\xbd", 3);
    else
      add_json_escape (out, c);
    start = ++i;
  }
  buf_add (out, text + start, len - start);
  buf_add_char (out, '"');
}

static const char *
html_entity (char c)
{
  switch (c) {
  case '&': return "&amp;";
  case '<': return "&lt;";
  case '>': return "&gt;";
  case '"': return "&quot;";
  case '\'': return "&#39;";
  default: return NULL;
  }
}

void
text_add_html (struct buf *out, const char *text, size_t len)
{
  size_t start = 0;

  for (size_t i = 0; i < len; i++) {
    const char *entity = html_entity (text[i]);

    if (entity == NULL)
      continue;
    buf_add (out, text + start, i - start);
    buf_add_text (out, entity);
    start = i + 1;
  }
  buf_add (out, text + start, len - start);
}

static bool
is_unreserved (unsigned char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'
         || c == '~';
}

void
text_add_url (struct buf *out, const char *text, size_t len)
{
  size_t start = 0;

  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char) text[i];
    char escape[3] = { '%', hex_digits[c >> 4], hex_digits[c & 15] };

    if (is_unreserved (c))
      continue;
    buf_add (out, text + start, i - start);
    buf_add (out, escape, 3);
    start = i + 1;
  }
  buf_add (out, text + start, len - start);
}

static char
fold (char c)
{
  return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
}

bool
text_equal_fold (const char *a, const char *b)
{
  while (*a != '\0' && fold (*a) == fold (*b)) {
    a++;
    b++;
  }
  return fold (*a) == fold (*b);
}

void
text_fold (char *text)
{
  for (; *text != '\0'; text++)
    *text = fold (*text);
}

enum { NEAREST_LEN = 64 };      /* longer words are nobody's misspelling */

static size_t
least (size_t a, size_t b)
{
  return a < b ? a : b;
}

/* The edits (a letter more, less, other, or two swapped) between two
 * words of at most NEAREST_LEN bytes. */
static size_t
edits_between (const char *a, const char *b)
{
  size_t rows[3][NEAREST_LEN + 1];
  size_t a_len = strlen (a), b_len = strlen (b);

  for (size_t j = 0; j <= b_len; j++)
    rows[0][j] = j;
  for (size_t i = 1; i <= a_len; i++) {
    size_t *row = rows[i % 3];
    const size_t *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

    row[0] = i;
    for (size_t j = 1; j <= b_len; j++) {
      bool is_same = fold (a[i - 1]) == fold (b[j - 1]);

      row[j] = least (least (last[j], row[j - 1]) + 1,
                      last[j - 1] + (is_same ? 0 : 1));
      if (i > 1 && j > 1 && fold (a[i - 1]) == fold (b[j - 2])
          && fold (a[i - 2]) == fold (b[j - 1]))
        row[j] = least (row[j], before[j - 2] + 1);
    }
  }
  return rows[a_len % 3][b_len];
}

const char *
text_nearest (const char *text, const char *const *names)
{
  size_t len = strlen (text);
  /* One edit in three letters, and always one. */
  size_t limit = least (len / 3 > 0 ? len / 3 : 1, 4);
  const char *nearest = NULL;

  if (len == 0 || len > NEAREST_LEN)
    return NULL;
  for (; *names != NULL; names++) {
    size_t name_len = strlen (*names), edits;

    if (name_len > NEAREST_LEN || name_len > len + limit
        || len > name_len + limit)
      continue;
    edits = edits_between (text, *names);
    /* All letters changed is another word. */
    if (edits > limit || edits >= name_len)
      continue;
    nearest = *names;
    if (edits == 0)
      break;
    limit = edits - 1;
  }
  return nearest;
}
