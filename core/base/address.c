/* address.c - e-mail addresses and the headers that hold them
 * (only here: libidn2).
 *
 * SPDX-License-Identifier: MIT
 */

#include "address.h"

#include <idn2.h>
#include <string.h>

#include "text.h"

enum {
  ADDRESS_MAX_LOCAL = 64,       /* RFC 5321, 4.5.3.1.1 */
  ADDRESS_MAX = 254,            /* 4.5.3.1.3, less the angle brackets */
  ADDRESS_MAX_DOMAIN = 253,
  ADDRESS_MAX_LABEL = 63,
  ADDRESS_COLUMNS = 76,         /* RFC 2047, 2 */
  ADDRESS_MAX_WORD = 75,        /* of one encoded word */
  ADDRESS_WORD_EXTRA = 12,      /* =?UTF-8?B? and ?= */
  ADDRESS_MAX_LINE = 998,       /* RFC 5322, 2.1.1 */
  ADDRESS_MAX_PLAIN_NAME = 200  /* a longer name is folded as encoded words */
};

static bool
address_is_letter_or_digit (unsigned char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9');
}

/* RFC 5322, 3.2.3; what is not ASCII by RFC 6531. */
static bool
address_is_atext (unsigned char c)
{
  return address_is_letter_or_digit (c) || c >= 0x80
         || (c != '\0' && strchr ("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* NULL if all is well, else the reason: so do the checks below. */
static const char *
address_check_bytes (const char *text, size_t len)
{
  if (len == 0)
    return "is empty";
  if (memchr (text, '\n', len) != NULL || memchr (text, '\r', len) != NULL)
    return "has a line break";
  if (len > ADDRESS_MAX)
    return "is longer than 254 bytes";
  if (memchr (text, '\0', len) != NULL)
    return "has a control character";
  if (!text_is_utf8 (text, len))
    return "is not UTF-8";
  if (!text_is_one_line (text, len))
    return "has a control character";
  return NULL;
}

static const char *
address_check_atoms (const char *local, size_t len)
{
  bool is_after_dot = true;

  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char) local[i];

    if (c == '.' && is_after_dot)
      return "has a dot out of place before the @";
    if (c == ' ')
      return "has a space";
    if (c != '.' && !address_is_atext (c))
      return "has a character that is not allowed before the @";
    is_after_dot = c == '.';
  }
  return is_after_dot && len > 0 ? "has a dot out of place before the @"
                                 : NULL;
}

/* The length of the local part, which ends before the @.  A quoted one
 * (RFC 5321, 4.1.2) may hold an @. */
static const char *
address_find_local (const char *text, size_t len, size_t *ret_len)
{
  const char *at;
  size_t i = 1;

  if (text[0] != '"') {
    at = memchr (text, '@', len);
    if (at == NULL)
      return "has no @";
    *ret_len = (size_t) (at - text);
    return address_check_atoms (text, *ret_len);
  }
  while (i < len && text[i] != '"')
    i += text[i] == '\\' ? 2 : 1;
  if (i >= len)
    return "has a quote that is not closed";
  if (i + 1 == len || text[i + 1] != '@')
    return "has no @ behind the quote";
  *ret_len = i + 1;
  return NULL;
}

/* Letters, digits and hyphens, as DNS has it (RFC 1123, 2.1). */
static bool
address_is_host (const char *domain, size_t len)
{
  size_t label = 0;

  if (len == 0 || len > ADDRESS_MAX_DOMAIN)
    return false;
  for (size_t i = 0; i <= len; i++) {
    if (i == len || domain[i] == '.') {
      if (label == 0 || label > ADDRESS_MAX_LABEL
          || domain[i - 1] == '-')
        return false;
      label = 0;
      continue;
    }
    if (!address_is_letter_or_digit ((unsigned char) domain[i])
        && (domain[i] != '-' || label == 0))
      return false;
    label++;
  }
  return true;
}

/* Lower case, A-labels.  domain ends with a NUL. */
static int
address_add_domain (struct buf *out, const char *domain)
{
  char *ascii = NULL;
  size_t len = strlen (domain);
  bool is_good;

  if (address_is_host (domain, len)) {
    for (size_t i = 0; i < len; i++)
      buf_add_char (out, domain[i] >= 'A' && domain[i] <= 'Z'
                           ? (char) (domain[i] - 'A' + 'a')
                           : domain[i]);
    return 0;
  }
  if (!address_needs_smtputf8 (domain)
      || idn2_to_ascii_8z (domain, &ascii,
                           IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)
           != IDN2_OK)
    return -1;
  /* Compatibility forms map to ASCII of all kinds, a full-width @ too. */
  text_fold (ascii);
  is_good = address_is_host (ascii, strlen (ascii));
  if (is_good)
    buf_add_text (out, ascii);
  idn2_free (ascii);
  return is_good ? 0 : -1;
}

/* The checked address in out, which is empty. */
static const char *
address_normalize (struct buf *out, const char *text, size_t len)
{
  char domain[ADDRESS_MAX + 1];
  size_t local = 0;
  const char *why = address_check_bytes (text, len);

  if (why == NULL)
    why = address_find_local (text, len, &local);
  if (why != NULL)
    return why;
  if (local == 0)
    return "has nothing before the @";
  if (local > ADDRESS_MAX_LOCAL)
    return "has more than 64 bytes before the @";
  len -= local + 1;
  memcpy (domain, text + local + 1, len);
  domain[len] = '\0';
  if (len == 0)
    return "has nothing behind the @";
  if (memchr (domain, '@', len) != NULL)
    return "has more than one @";
  if (memchr (domain, ' ', len) != NULL)
    return "has a space";
  buf_add (out, text, local + 1);
  if (address_add_domain (out, domain) != 0)
    return "has a domain that can't exist";
  return out->len > ADDRESS_MAX ? "is longer than 254 bytes" : NULL;
}

int
address_add (struct buf *out, const char *text, size_t len,
             const char **ret_reason)
{
  struct buf address;
  const char *why;

  buf_init (&address, 0);
  why = address_normalize (&address, text, len);
  if (why == NULL)
    buf_add (out, address.data, address.len);
  else
    *ret_reason = why;
  buf_done (&address);
  return why == NULL ? 0 : -1;
}

bool
address_needs_smtputf8 (const char *address)
{
  for (; *address != '\0'; address++)
    if ((unsigned char) *address >= 0x80)
      return true;
  return false;
}

/* What stands for itself in a Q word wherever it is (RFC 2047, 5(3)). */
static bool
address_is_q_safe (unsigned char c)
{
  return address_is_letter_or_digit (c)
         || (c != '\0' && strchr ("!*+-/", c) != NULL);
}

static size_t
address_q_len (const char *text, size_t len)
{
  size_t n = 0;

  for (size_t i = 0; i < len; i++)
    n += address_is_q_safe ((unsigned char) text[i]) || text[i] == ' ' ? 1
                                                                       : 3;
  return n;
}

static void
address_add_q (struct buf *out, const char *text, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char) text[i];

    if (address_is_q_safe (c))
      buf_add_char (out, (char) c);
    else if (c == ' ')
      buf_add_char (out, '_');
    else
      buf_printf (out, "=%02X", (unsigned) c);
  }
}

static void
address_add_b (struct buf *out, const char *text, size_t len)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";

  for (size_t i = 0; i < len; i += 3) {
    unsigned long bits = (unsigned long) (unsigned char) text[i] << 16;

    if (i + 1 < len)
      bits |= (unsigned long) (unsigned char) text[i + 1] << 8;
    if (i + 2 < len)
      bits |= (unsigned long) (unsigned char) text[i + 2];
    buf_add_char (out, digits[bits >> 18 & 63]);
    buf_add_char (out, digits[bits >> 12 & 63]);
    buf_add_char (out, i + 1 < len ? digits[bits >> 6 & 63] : '=');
    buf_add_char (out, i + 2 < len ? digits[bits & 63] : '=');
  }
}

/* How many bytes, whole characters, fit into columns of payload. */
static size_t
address_word_len (const char *text, size_t len, bool is_q, size_t columns)
{
  size_t taken = 0;

  while (taken < len) {
    size_t next = taken + text_clip (text + taken, len - taken, 1);
    size_t cost = is_q ? address_q_len (text, next)
                       : (next + 2) / 3 * 4;

    /* text_clip () may find no character in what is not UTF-8. */
    if (next == taken)
      next = taken + 1;
    if (cost > columns)
      break;
    taken = next;
  }
  return taken;
}

static void
address_add_words (struct buf *out, const char *text, size_t len,
                   size_t used_columns)
{
  bool is_q = address_q_len (text, len) <= (len + 2) / 3 * 4;
  size_t column = used_columns;

  while (len > 0) {
    size_t room = column < ADDRESS_COLUMNS ? ADDRESS_COLUMNS - column : 0;
    size_t n = 0;

    if (room > ADDRESS_MAX_WORD)
      room = ADDRESS_MAX_WORD;
    /* 12 columns hold any one character, however it is encoded. */
    if (room >= ADDRESS_WORD_EXTRA + 12)
      n = address_word_len (text, len, is_q, room - ADDRESS_WORD_EXTRA);
    if (n == 0) {
      buf_add_text (out, "\r\n ");
      column = 1;
      continue;
    }
    buf_add_text (out, is_q ? "=?UTF-8?Q?" : "=?UTF-8?B?");
    if (is_q)
      address_add_q (out, text, n);
    else
      address_add_b (out, text, n);
    buf_add_text (out, "?=");
    text += n;
    len -= n;
    column = ADDRESS_COLUMNS;
  }
}

/* What may stand as it is: ASCII that no reader takes for an encoded
 * word, short enough for one line. */
static bool
address_is_plain (const char *text, size_t len, size_t most)
{
  return len <= most && !address_needs_smtputf8 (text)
         && strstr (text, "=?") == NULL;
}

/* The text without anything that could end the line. */
static void
address_add_flat (struct buf *out, const char *text)
{
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char) *text;

    buf_add_char (out, c < 0x20 || c == 0x7f ? ' ' : *text);
  }
}

void
address_add_header_text (struct buf *out, const char *text,
                         size_t used_columns)
{
  size_t most = used_columns < ADDRESS_MAX_LINE
                  ? ADDRESS_MAX_LINE - used_columns
                  : 0;
  struct buf flat;

  buf_init (&flat, 0);
  address_add_flat (&flat, text);
  if (address_is_plain (flat.data, flat.len, most))
    buf_add (out, flat.data, flat.len);
  else
    address_add_words (out, flat.data, flat.len, used_columns);
  buf_done (&flat);
}

/* Atoms with single spaces between them need no quotes. */
static bool
address_is_phrase (const char *name, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if (name[i] == ' ') {
      if (i == 0 || i + 1 == len || name[i - 1] == ' ')
        return false;
    } else if (!address_is_atext ((unsigned char) name[i]))
      return false;
  return true;
}

static void
address_add_name (struct buf *out, const char *name, size_t len,
                  size_t used_columns)
{
  if (!address_is_plain (name, len, ADDRESS_MAX_PLAIN_NAME))
    address_add_words (out, name, len, used_columns);
  else if (address_is_phrase (name, len))
    buf_add (out, name, len);
  else {
    buf_add_char (out, '"');
    for (size_t i = 0; i < len; i++) {
      if (name[i] == '"' || name[i] == '\\')
        buf_add_char (out, '\\');
      buf_add_char (out, name[i]);
    }
    buf_add_char (out, '"');
  }
}

void
address_add_mailbox (struct buf *out, const char *name, const char *address,
                     size_t used_columns)
{
  size_t before = out->len;
  size_t column;
  struct buf flat;

  if (name == NULL || name[0] == '\0') {
    buf_add_text (out, address);
    return;
  }
  buf_init (&flat, 0);
  address_add_flat (&flat, name);
  address_add_name (out, flat.data, flat.len, used_columns);
  buf_done (&flat);
  column = used_columns + out->len - before;
  for (size_t i = out->len; i > before; i--)
    if (out->data[i - 1] == '\n') {
      column = out->len - i;
      break;
    }
  if (column + strlen (address) + 3 > ADDRESS_COLUMNS)
    buf_add_text (out, "\r\n");
  buf_add_text (out, " <");
  buf_add_text (out, address);
  buf_add_char (out, '>');
}
