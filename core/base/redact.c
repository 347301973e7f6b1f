/* redact.c - keep secrets and participants' data out of every message.
 *
 * The spellings of all secrets are chained by their first byte, longest
 * first; before a chain is walked a bit tells whether any spelling begins
 * with these two bytes, which is seldom so.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"

enum { SHORT_LEN = 4 };         /* below it, only whole words */

struct spelling {
  struct spelling *next;        /* same first byte, not longer */
  size_t len;
  size_t n_words, n_parts;      /* how often it was given: to be masked as a
                                   whole word only, and anywhere */
  char text[];
};

/* What is done with each spelling of a value. */
typedef void spelling_fn (const char *text, size_t len, bool is_word);

static struct spelling *spellings[256];
static uint32_t beginnings[256][8];     /* a bit for each second byte */

/* Overwritten before its memory is given back.  (For that to be all of it
 * the buffers below are given their full size at once.) */
static void
wipe_buf (struct buf *buf)
{
  memory_wipe (buf->data, buf->size);
  buf_done (buf);
}

/* The place of that spelling in its chain, or where it belongs. */
static struct spelling **
find_spelling (const char *text, size_t len)
{
  struct spelling **at = &spellings[(unsigned char) text[0]];

  for (; *at != NULL && (*at)->len >= len; at = &(*at)->next)
    if ((*at)->len == len && memcmp ((*at)->text, text, len) == 0)
      break;
  return at;
}

static bool
is_spelling (const struct spelling *spelling, const char *text, size_t len)
{
  return spelling != NULL && spelling->len == len
         && memcmp (spelling->text, text, len) == 0;
}

static void
note_beginning (const char *text, size_t len)
{
  uint32_t *bits = beginnings[(unsigned char) text[0]];
  unsigned char second;

  if (len < 2) {
    memset (bits, 0xff, sizeof *beginnings);
    return;
  }
  second = (unsigned char) text[1];
  bits[second / 32] |= 1u << (second % 32);
}

static void
add_spelling (const char *text, size_t len, bool is_word)
{
  struct spelling **at = find_spelling (text, len), *spelling = *at;

  if (!is_spelling (spelling, text, len)) {
    spelling = memory_alloc (sizeof *spelling + len);
    spelling->next = *at;
    spelling->len = len;
    spelling->n_words = spelling->n_parts = 0;
    memcpy (spelling->text, text, len);
    *at = spelling;
    note_beginning (text, len);
  }
  if (is_word)
    spelling->n_words++;
  else
    spelling->n_parts++;
}

static void
drop_spelling (const char *text, size_t len, bool is_word)
{
  unsigned char first = (unsigned char) text[0];
  struct spelling **at = find_spelling (text, len), *spelling = *at;
  size_t *n;

  if (!is_spelling (spelling, text, len))
    return;
  n = is_word ? &spelling->n_words : &spelling->n_parts;
  if (*n > 0)
    (*n)--;
  if (spelling->n_words > 0 || spelling->n_parts > 0)
    return;
  *at = spelling->next;
  memory_wipe (spelling->text, spelling->len);
  free (spelling);
  memset (beginnings[first], 0, sizeof *beginnings);
  for (spelling = spellings[first]; spelling != NULL;
       spelling = spelling->next)
    note_beginning (spelling->text, spelling->len);
}

static void
each_base64_spelling (const char *value, size_t len, bool is_word,
                      spelling_fn *fn)
{
  struct buf text = BUF_INIT (0);

  crypto_add_base64 (&text, value, len);
  /* Both alphabets, with padding and without. */
  for (int alphabet = 0; alphabet < 2; alphabet++) {
    size_t bare = text.len;

    fn (text.data, text.len, is_word);
    while (text.data[bare - 1] == '=')
      bare--;
    fn (text.data, bare, is_word);
    for (size_t i = 0; i < bare; i++) {
      if (text.data[i] == '+')
        text.data[i] = '-';
      else if (text.data[i] == '/')
        text.data[i] = '_';
    }
  }
  wipe_buf (&text);
}

static void
each_url_spelling (const char *value, size_t len, bool is_word,
                   spelling_fn *fn)
{
  struct buf text = BUF_INIT (0), form = BUF_INIT (0);

  buf_reserve (&text, len * 3);
  buf_reserve (&form, len * 3);
  text_add_url (&text, value, len);
  fn (text.data, text.len, is_word);
  /* As in a form: "+" for a space. */
  for (size_t i = 0; i < text.len; i++)
    if (strncmp (text.data + i, "%20", 3) == 0) {
      buf_add_char (&form, '+');
      i += 2;
    } else
      buf_add_char (&form, text.data[i]);
  fn (form.data, form.len, is_word);
  /* Escapes in lower case. */
  for (size_t i = 0; i < text.len; i++)
    if (text.data[i] == '%') {
      text.data[i + 1] |= 0x20;
      text.data[i + 2] |= 0x20;
      i += 2;
    }
  fn (text.data, text.len, is_word);
  wipe_buf (&text);
  wipe_buf (&form);
}

static void
each_json_spelling (const char *value, size_t len, bool is_word,
                    spelling_fn *fn)
{
  struct buf text = BUF_INIT (0), slashes = BUF_INIT (0);

  buf_reserve (&text, len * 6 + 2);
  buf_reserve (&slashes, len * 7);
  text_add_json (&text, value, len);
  fn (text.data + 1, text.len - 2, is_word);
  /* Some writers escape the slash. */
  for (size_t i = 1; i + 1 < text.len; i++) {
    if (text.data[i] == '/')
      buf_add_char (&slashes, '\\');
    buf_add_char (&slashes, text.data[i]);
  }
  fn (slashes.data, slashes.len, is_word);
  wipe_buf (&text);
  wipe_buf (&slashes);
}

static void
each_spelling (const char *value, size_t len, spelling_fn *fn)
{
  bool is_word = len < SHORT_LEN;

  if (len == 0)
    return;
  fn (value, len, is_word);
  each_base64_spelling (value, len, is_word, fn);
  each_url_spelling (value, len, is_word, fn);
  each_json_spelling (value, len, is_word, fn);
}

void
redact_secret (const char *value, size_t len)
{
  each_spelling (value, len, add_spelling);
}

void
redact_drop (const char *value, size_t len)
{
  each_spelling (value, len, drop_spelling);
}

void
redact_forget_all (void)
{
  for (size_t i = 0; i < 256; i++)
    while (spellings[i] != NULL) {
      struct spelling *spelling = spellings[i];

      spellings[i] = spelling->next;
      memory_wipe (spelling->text, spelling->len);
      free (spelling);
    }
  memset (beginnings, 0, sizeof beginnings);
}

static bool
is_word_byte (char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

static bool
stands_alone (const char *text, size_t len, size_t start, size_t end)
{
  return (start == 0 || !is_word_byte (text[start - 1]))
         && (end == len || !is_word_byte (text[end]));
}

/* The end of the longest secret that begins at i; i if none does. */
static size_t
secret_end (const char *text, size_t len, size_t i)
{
  unsigned char first = (unsigned char) text[i];
  unsigned char second = i + 1 < len ? (unsigned char) text[i + 1] : 0;
  const struct spelling *spelling = spellings[first];

  if (i + 1 < len
      && (beginnings[first][second / 32] >> (second % 32) & 1) == 0)
    return i;
  for (; spelling != NULL; spelling = spelling->next)
    if (spelling->len <= len - i
        && memcmp (spelling->text, text + i, spelling->len) == 0
        && (spelling->n_parts > 0
            || stands_alone (text, len, i, i + spelling->len)))
      return i + spelling->len;
  return i;
}

void
redact_add_secrets_only (struct buf *out, const char *text, size_t len)
{
  size_t start = 0;

  for (size_t i = 0; i < len; i++) {
    size_t end = secret_end (text, len, i);

    if (end == i)
      continue;
    /* Secrets that overlap become one mask; else the second's tail would
     * show. */
    for (size_t k = i + 1; k < end; k++) {
      size_t further = secret_end (text, len, k);

      if (further > end)
        end = further;
    }
    buf_add (out, text + start, i - start);
    buf_add (out, "***", 3);
    start = end;
    i = end - 1;
  }
  buf_add (out, text + start, len - start);
}

/* RFC 5322's atext and dot, a bit for each ASCII character, but for what
 * rather separates an address from what is before it: slash, question
 * mark; and percent (see at_len). */
static const uint32_t local_bytes[4] = {
  0x00000000u, 0x23ff6cdau, 0xc7fffffeu, 0x7fffffffu
};

static inline bool
is_local_byte (char c)
{
  unsigned char byte = (unsigned char) c;

  return byte >= 0x80 || (local_bytes[byte / 32] >> (byte % 32) & 1) != 0;
}

/* The length of an "@", also as it stands in a URL; 0 if there is none. */
static size_t
at_len (const char *text, size_t len)
{
  if (len > 0 && text[0] == '@')
    return 1;
  return len >= 3 && memcmp (text, "%40", 3) == 0 ? 3 : 0;
}

/* The length of the part before the "@" of an address that text begins
 * with; 0 if there is none.  *ret_len is what was looked over, all of
 * which is then known to belong to no address. */
static size_t
local_part_len (const char *text, size_t len, size_t *ret_len)
{
  size_t i = 0, at;

  if (text[0] == '"') {
    /* A quoted local part; RFC 5321 allows 64 bytes. */
    for (i = 1; i < len && i < 66 && text[i] != '"'; i++)
      if (text[i] == '\\')
        i++;
    *ret_len = 1;
    if (i >= len || i >= 66)
      return 0;
    i++;
  } else {
    while (i < len && is_local_byte (text[i]))
      i++;
    *ret_len = i > 0 ? i : 1;
  }
  at = at_len (text + i, len - i);
  if (i == 0 || at == 0 || i + at >= len
      || !(is_word_byte (text[i + at]) || text[i + at] == '['))
    return 0;
  return i;
}

/* In "to=ann@example.org" the length of "to=": a name, not an address. */
static size_t
name_len (const char *text, size_t len)
{
  size_t i = 0;

  while (i < len && ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z'))
    i++;
  return i > 0 && i + 1 < len && text[i] == '=' ? i + 1 : 0;
}

/* A text that grows up to some characters. */
struct clipped {
  struct buf *out;
  size_t left;                  /* characters */
};

/* Characters as they are, but controls as spaces, and what is not UTF-8
 * as "?". */
static void
add_clean (struct clipped *to, const char *text, size_t len)
{
  size_t i = 0, n;

  for (; i < len && to->left > 0; to->left--) {
    for (n = i; n < len && n - i < to->left && text[n] >= ' '
                && text[n] < 0x7f; n++)
      continue;
    if (n > i) {
      buf_add (to->out, text + i, n - i);
      to->left -= n - i - 1;    /* and the loop's own */
      i = n;
      continue;
    }
    n = text_char_len (text + i, len - i);
    if (n == 0)
      buf_add_char (to->out, '?');
    else if (text_is_one_line (text + i, n))
      buf_add (to->out, text + i, n);
    else
      buf_add_char (to->out, ' ');
    i += n > 0 ? n : 1;
  }
}

static void
add_without_addresses (struct clipped *to, const char *text, size_t len)
{
  size_t start = 0, i = 0;

  while (i < len && to->left > 0) {
    size_t looked, local = local_part_len (text + i, len - i, &looked);

    if (local == 0) {
      i += looked;
      continue;
    }
    looked = name_len (text + i, local);
    add_clean (to, text + start, i + looked - start);
    add_clean (to, "*", 1);
    i += local;
    start = i;
    i += at_len (text + i, len - i);
  }
  add_clean (to, text + start, i - start);
}

void
redact_add (struct buf *out, const char *text, size_t len, size_t max_chars)
{
  struct clipped to = { out, max_chars > 0 ? max_chars : SIZE_MAX };
  struct buf without_secrets = BUF_INIT (0);

  redact_add_secrets_only (&without_secrets, text, len);
  add_without_addresses (&to, without_secrets.data, without_secrets.len);
  buf_done (&without_secrets);
}
