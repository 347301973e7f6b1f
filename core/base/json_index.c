/* json_index.c - where the values of a JSON text lie.
 *
 * The one pass everything that comes in goes through, so it is written
 * for speed: strings are looked over eight bytes at a time, and open
 * arrays and objects are chained through their nodes' next, which has no
 * other use until they close; so there is no stack and no recursion.
 *
 * Differs from jansson (tests/unit/test-json-index.c compares) only in
 * taking numbers that no int64 or double holds.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/json_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"

enum {
  MOST_BYTES = 1 << 30,
  MOST_COUNT = (1 << 27) - 1,   /* what node.count holds */
  FEW_MEMBERS = 16,             /* compared each with each */
  FIRST_NODES = 128
};

static const uint32_t no_node = UINT32_MAX;

/* A reading under way.  The functions take the place they start at and
 * return the one behind, or NULL with reason and at set. */
struct scan {
  struct json_index *index;
  const char *end;
  uint32_t open;                /* the innermost open array or object */
  unsigned depth, max_depth;
  bool is_unique;
  const char *at;
  const char *reason;
};

static const char *
scan_fail (struct scan *scan, const char *at, const char *reason)
{
  scan->at = at;
  scan->reason = reason;
  return NULL;
}

/* Room for n more nodes. */
static void
index_grow (struct json_index *index, uint32_t n)
{
  uint32_t size = index->size > 0 ? index->size : FIRST_NODES;

  /* A text of 1 GiB has fewer than 2^30 nodes. */
  while (size < index->n + n)
    size = size < UINT32_MAX / 2 ? size * 2 : UINT32_MAX;
  index->nodes = memory_resize (index->nodes, size, sizeof *index->nodes);
  index->size = size;
}

static inline struct json_node *
node_add (struct scan *scan, enum json_kind kind, const char *start,
          const char *end)
{
  struct json_index *index = scan->index;
  struct json_node *node;

  if (__builtin_expect (index->n == index->size, 0))
    index_grow (index, 1);
  node = &index->nodes[index->n++];
  node->start = (uint32_t) (start - index->text);
  node->len = (uint32_t) (end - start);
  node->next = index->n;
  node->count = 0;
  node->kind = kind & 15u;
  node->has_escapes = 0;
  return node;
}

static inline const char *
skip_space (const char *p, const char *end)
{
  while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  return p;
}

static int
hex_value (char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of a \u escape; -1 if they are not. */
static int
read_hex (const char *p, const char *end)
{
  int value = 0;

  if (end - p < 4)
    return -1;
  for (int i = 0; i < 4; i++) {
    int digit = hex_value (p[i]);

    if (digit < 0)
      return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* p is at the backslash. */
static const char *
scan_escape (struct scan *scan, const char *p)
{
  const char *end = scan->end;
  int code, low;

  if (end - p < 2)
    return scan_fail (scan, p, "a string is not closed");
  if (p[1] != 'u') {
    if (p[1] == '\0' || strchr ("\"\\/bfnrt", p[1]) == NULL)
      return scan_fail (scan, p, "no such escape");
    return p + 2;
  }
  code = read_hex (p + 2, end);
  if (code < 0)
    return scan_fail (scan, p, "\\u needs four hexadecimal digits");
  if (code == 0)
    return scan_fail (scan, p, "a NUL character is not allowed");
  if (code < 0xd800 || code > 0xdfff)
    return p + 6;
  low = end - p >= 12 && p[6] == '\\' && p[7] == 'u'
        ? read_hex (p + 8, end) : -1;
  if (code > 0xdbff || low < 0xdc00 || low > 0xdfff)
    return scan_fail (scan, p, "half a surrogate pair");
  return p + 12;
}

/* The first of eight bytes that may not simply be skipped in a string: a
 * quote, a backslash, a control character, not ASCII; 8 for none.  (A
 * borrow can mark bytes behind a marked one, never before it.) */
static inline unsigned
special_byte (const char *p)
{
  const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
  uint64_t x, marks;

  memcpy (&x, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap64 (x);
#endif
  marks = (x | (x - ones * 0x20) | ((x ^ (ones * '"')) - ones)
           | ((x ^ (ones * '\\')) - ones)) & highs;
  return marks == 0 ? 8 : (unsigned) __builtin_ctzll (marks) / 8;
}

/* From after the quote; adds the node, returns behind the closing one. */
static inline const char *
scan_string (struct scan *scan, const char *start)
{
  const char *p = start, *end = scan->end;
  bool has_escapes = false;
  size_t len;

  for (;;) {
    unsigned char c;

    if (__builtin_expect (end - p >= 8, 1)) {
      unsigned skip = special_byte (p);

      p += skip;
      if (skip == 8)
        continue;
    } else if (p == end)
      return scan_fail (scan, start - 1, "a string is not closed");
    c = (unsigned char) *p;
    if (__builtin_expect (c == '"', 1))
      break;
    if (c == '\\') {
      has_escapes = true;
      p = scan_escape (scan, p);
      if (p == NULL)
        return NULL;
      continue;
    }
    if (c < 0x20)
      return scan_fail (scan, p, "a control character in a string");
    len = c < 0x80 ? 1 : text_char_len (p, (size_t) (end - p));
    if (len == 0)
      return scan_fail (scan, p, "this is not UTF-8");
    p += len;
  }
  node_add (scan, JSON_STRING, start, p)->has_escapes = has_escapes;
  return p + 1;
}

static inline const char *
skip_digits (const char *p, const char *end)
{
  while (p < end && *p >= '0' && *p <= '9')
    p++;
  return p;
}

static const char *
scan_number (struct scan *scan, const char *start)
{
  const char *p = start, *end = scan->end, *digits;

  if (*p == '-')
    p++;
  digits = p;
  p = skip_digits (p, end);
  if (p == digits)
    return scan_fail (scan, start, "a value is expected");
  if (*digits == '0' && p - digits > 1)
    return scan_fail (scan, start, "a number starts with 0");
  if (p < end && *p == '.') {
    digits = ++p;
    p = skip_digits (p, end);
    if (p == digits)
      return scan_fail (scan, start, "a number ends with its point");
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    p++;
    if (p < end && (*p == '+' || *p == '-'))
      p++;
    digits = p;
    p = skip_digits (p, end);
    if (p == digits)
      return scan_fail (scan, start, "a number lacks its exponent");
  }
  node_add (scan, JSON_NUMBER, start, p);
  return p;
}

static const char *
scan_word (struct scan *scan, const char *p, const char *word, size_t len,
           enum json_kind kind)
{
  if ((size_t) (scan->end - p) < len || memcmp (p, word, len) != 0)
    return scan_fail (scan, p, "a value is expected");
  node_add (scan, kind, p, p + len);
  return p + len;
}

static const char *
scan_open (struct scan *scan, const char *p, enum json_kind kind)
{
  struct json_node *node;

  if (scan->depth == scan->max_depth)
    return scan_fail (scan, p, "too many levels of arrays and objects");
  scan->depth++;
  node = node_add (scan, kind, p, p);
  node->next = scan->open;      /* the one around it, until it closes */
  scan->open = scan->index->n - 1;
  return p + 1;
}

/* A string's bytes without escapes; spare holds them if need be. */
static const char *
plain_text (const struct json_index *index, const struct json_node *node,
            struct buf *spare, size_t *ret_len)
{
  const char *text = index->text + node->start;

  if (!node->has_escapes) {
    *ret_len = node->len;
    return text;
  }
  buf_clear (spare);
  json_unescape (text, node->len, spare);
  *ret_len = spare->len;
  return spare->data;
}

/* Equal as text, however they are escaped. */
static bool
keys_equal (const struct json_index *index, uint32_t a, uint32_t b)
{
  const struct json_node *x = &index->nodes[a], *y = &index->nodes[b];
  struct buf x_spare = BUF_INIT (0), y_spare = BUF_INIT (0);
  const char *x_text, *y_text;
  size_t x_len, y_len;
  bool is_equal;

  x_text = plain_text (index, x, &x_spare, &x_len);
  y_text = plain_text (index, y, &y_spare, &y_len);
  is_equal = x_len == y_len && memcmp (x_text, y_text, x_len) == 0;
  buf_done (&x_spare);
  buf_done (&y_spare);
  return is_equal;
}

/* Random, so that nobody can send keys that all hash alike. */
static uint64_t
hash_seed (void)
{
  static uint64_t seed;

  while (seed == 0)
    crypto_random (&seed, sizeof seed);
  return seed;
}

static inline uint64_t
mix (uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
  unsigned __int128 product = (unsigned __int128) a * b;

  return (uint64_t) product ^ (uint64_t) (product >> 64);
#else
  uint64_t low = (a & UINT32_MAX) * (b >> 32 | 1);
  uint64_t high = (a >> 32) * (b | 1);

  return (low ^ (low >> 29)) + (high ^ (high << 31 | high >> 33));
#endif
}

static uint32_t
hash_bytes (const char *text, size_t len, uint64_t seed)
{
  const uint64_t odd = 0x9e3779b97f4a7c15u;
  uint64_t hash = seed ^ len, x;

  for (; len >= 8; len -= 8, text += 8) {
    memcpy (&x, text, 8);
    hash = mix (hash ^ x, odd ^ seed);
  }
  x = 0;
  memcpy (&x, text, len);
  return (uint32_t) mix (hash ^ x, odd ^ (seed << 1 | 1));
}

struct slot {
  uint32_t hash, key;           /* key 0: free (node 0 is never a key) */
};

/* For large objects and escaped keys: a hash table behind the nodes in
 * use.  Returns the second of two equal keys, or 0. */
static uint32_t
find_duplicate_hashed (struct json_index *index, uint32_t object)
{
  uint32_t count = index->nodes[object].count, size = 4, key = object + 1;
  struct buf spare = BUF_INIT (0);
  uint64_t seed = hash_seed ();
  struct slot *slots;

  while (size < count * 2)
    size *= 2;
  if (index->size - index->n < size / 2)
    index_grow (index, size / 2);
  _Static_assert (sizeof (struct slot) * 2 == sizeof (struct json_node),
                  "two slots a node");
  slots = (struct slot *) (index->nodes + index->n);
  memset (slots, 0, size * sizeof *slots);
  for (; count > 0; count--, key = index->nodes[key + 1].next) {
    size_t len;
    const char *text = plain_text (index, &index->nodes[key], &spare, &len);
    uint32_t hash = hash_bytes (text, len, seed), k = hash & (size - 1);

    for (; slots[k].key != 0; k = (k + 1) & (size - 1))
      if (slots[k].hash == hash && keys_equal (index, slots[k].key, key))
        break;
    if (slots[k].key != 0)
      break;
    slots[k].hash = hash;
    slots[k].key = key;
  }
  buf_done (&spare);
  return count > 0 ? key : 0;
}

/* The same for a few keys without escapes. */
static uint32_t
find_duplicate_among_few (const struct json_index *index, uint32_t object)
{
  const struct json_node *nodes = index->nodes, *keys[FEW_MEMBERS];
  uint32_t count = nodes[object].count, key = object + 1;

  for (uint32_t i = 0; i < count; i++, key = nodes[key + 1].next) {
    const struct json_node *node = keys[i] = &nodes[key];

    for (uint32_t j = 0; j < i; j++)
      if (keys[j]->len == node->len
          && memcmp (index->text + keys[j]->start,
                     index->text + node->start, node->len) == 0)
        return key;
  }
  return 0;
}

static uint32_t
find_duplicate (struct json_index *index, uint32_t object)
{
  uint32_t count = index->nodes[object].count, key = object + 1;

  if (count < 2)
    return 0;
  if (count > FEW_MEMBERS)
    return find_duplicate_hashed (index, object);
  for (; count > 0; count--, key = index->nodes[key + 1].next)
    if (index->nodes[key].has_escapes)
      return find_duplicate_hashed (index, object);
  return find_duplicate_among_few (index, object);
}

/* p is behind the bracket. */
static const char *
scan_close (struct scan *scan, const char *p)
{
  struct json_index *index = scan->index;
  uint32_t object = scan->open, duplicate;
  struct json_node *node = &index->nodes[object];

  scan->open = node->next;
  scan->depth--;
  node->next = index->n;
  node->len = (uint32_t) (p - index->text) - node->start;
  if (!scan->is_unique || node->kind != JSON_OBJECT)
    return p;
  duplicate = find_duplicate (index, object);
  if (duplicate == 0)
    return p;
  return scan_fail (scan, index->text + index->nodes[duplicate].start - 1,
                    "the same key twice in an object");
}

/* A key and its colon. */
static inline const char *
scan_key (struct scan *scan, const char *p)
{
  p = skip_space (p, scan->end);
  if (p == scan->end || *p != '"')
    return scan_fail (scan, p, "a key in quotes is expected");
  p = scan_string (scan, p + 1);
  if (p == NULL)
    return NULL;
  p = skip_space (p, scan->end);
  if (p == scan->end || *p != ':')
    return scan_fail (scan, p, "a colon is expected");
  return p + 1;
}

/* Up to the first value that is complete: what is opened on the way and
 * not empty stays open. */
static inline const char *
scan_value (struct scan *scan, const char *p)
{
  for (;;) {
    p = skip_space (p, scan->end);
    if (p == scan->end)
      return scan_fail (scan, p, "a value is expected");
    switch (*p) {
    case '"': return scan_string (scan, p + 1);
    case 't': return scan_word (scan, p, "true", 4, JSON_TRUE);
    case 'f': return scan_word (scan, p, "false", 5, JSON_FALSE);
    case 'n': return scan_word (scan, p, "null", 4, JSON_NULL);
    default: return scan_number (scan, p);
    case '[':
      p = scan_open (scan, p, JSON_ARRAY);
      if (p == NULL)
        return NULL;
      p = skip_space (p, scan->end);
      if (p < scan->end && *p == ']')
        return scan_close (scan, p + 1);
      break;
    case '{':
      p = scan_open (scan, p, JSON_OBJECT);
      if (p == NULL)
        return NULL;
      p = skip_space (p, scan->end);
      if (p < scan->end && *p == '}')
        return scan_close (scan, p + 1);
      p = scan_key (scan, p);
      if (p == NULL)
        return NULL;
      break;
    }
  }
}

/* From behind a value to where the next is due, or, with nothing open any
 * more, to the end. */
static inline const char *
scan_on (struct scan *scan, const char *p)
{
  while (scan->open != no_node) {
    struct json_node *around = &scan->index->nodes[scan->open];
    bool is_object = around->kind == JSON_OBJECT;

    if (around->count == MOST_COUNT)
      return scan_fail (scan, p, "too many values");
    around->count++;
    p = skip_space (p, scan->end);
    if (p < scan->end && *p == ',')
      return is_object ? scan_key (scan, p + 1) : p + 1;
    if (p == scan->end || *p != (is_object ? '}' : ']'))
      return scan_fail (scan, p, is_object ? "a comma or } is expected"
                                           : "a comma or ] is expected");
    p = scan_close (scan, p + 1);
    if (p == NULL)
      return NULL;
  }
  return p;
}

int
json_index_read (struct json_index *index, const char *text, size_t len,
                 unsigned max_depth, unsigned flags,
                 struct json_error *ret_error)
{
  struct scan scan = { index, text + len, no_node, 0, max_depth,
                       (flags & JSON_UNIQUE_KEYS) != 0, text, NULL };
  const char *p = text;

  index->text = text;
  index->n = 0;
  if (len > MOST_BYTES)
    p = scan_fail (&scan, p, "more than 1 GiB");
  while (p != NULL) {
    p = scan_value (&scan, p);
    if (p != NULL)
      p = scan_on (&scan, p);
    if (scan.open == no_node)
      break;
  }
  if (p != NULL) {
    p = skip_space (p, scan.end);
    if (p == scan.end)
      return 0;
    scan_fail (&scan, p, "something follows the value");
  }
  index->n = 0;
  ret_error->offset = (size_t) (scan.at - text);
  ret_error->reason = scan.reason;
  return -1;
}

void
json_index_done (struct json_index *index)
{
  free (index->nodes);
  *index = (struct json_index) { 0 };
}

static bool
key_is (const struct json_index *index, const struct json_node *node,
        const char *key, size_t key_len)
{
  struct buf spare = BUF_INIT (0);
  const char *text;
  bool is_equal;
  size_t len;

  if (!node->has_escapes)
    return node->len == key_len
           && memcmp (index->text + node->start, key, key_len) == 0;
  if (node->len < key_len)
    return false;               /* escapes only make it longer */
  text = plain_text (index, node, &spare, &len);
  is_equal = len == key_len && memcmp (text, key, len) == 0;
  buf_done (&spare);
  return is_equal;
}

uint32_t
json_index_member (const struct json_index *index, uint32_t object,
                   const char *key, size_t key_len)
{
  uint32_t found = 0, at = object + 1;

  if (object >= index->n || index->nodes[object].kind != JSON_OBJECT)
    return 0;
  for (uint32_t k = index->nodes[object].count; k > 0; k--) {
    if (key_is (index, &index->nodes[at], key, key_len))
      found = at + 1;
    at = index->nodes[at + 1].next;
  }
  return found;
}

uint32_t
json_index_item (const struct json_index *index, uint32_t array, uint32_t k)
{
  uint32_t at = array + 1;

  if (array >= index->n || index->nodes[array].kind != JSON_ARRAY
      || k >= index->nodes[array].count)
    return 0;
  while (k-- > 0)
    at = index->nodes[at].next;
  return at;
}

uint32_t
json_index_path (const struct json_index *index, const char *path)
{
  uint32_t at = 0;

  if (index->n == 0)
    return UINT32_MAX;
  if (*path == '\0')
    return 0;
  for (;;) {
    size_t len = strcspn (path, ".");
    int64_t k;

    if (index->nodes[at].kind == JSON_OBJECT)
      at = json_index_member (index, at, path, len);
    else if (index->nodes[at].kind == JSON_ARRAY
             && number_read (path, len, 0, MOST_COUNT, &k) == 0)
      at = json_index_item (index, at, (uint32_t) k);
    else
      at = 0;
    if (at == 0)
      return UINT32_MAX;
    if (path[len] == '\0')
      return at;
    path += len + 1;
  }
}

void
json_index_add_text (const struct json_index *index, uint32_t node,
                     struct buf *out)
{
  const struct json_node *value;

  if (node >= index->n)
    return;
  value = &index->nodes[node];
  switch (value->kind) {
  case JSON_STRING:
    if (value->has_escapes) {
      json_unescape (index->text + value->start, value->len, out);
      break;
    }
    /* fall through */
  case JSON_NUMBER:
  case JSON_TRUE:
  case JSON_FALSE:
    buf_add (out, index->text + value->start, value->len);
    break;
  default:
    break;
  }
}

void
json_index_add_raw (const struct json_index *index, uint32_t node,
                    struct buf *out)
{
  const struct json_node *value;
  size_t quote;

  if (node >= index->n)
    return;
  value = &index->nodes[node];
  quote = value->kind == JSON_STRING ? 1 : 0;
  buf_add (out, index->text + value->start - quote, value->len + 2 * quote);
}

static void
add_utf8 (struct buf *out, unsigned code)
{
  char bytes[4];
  size_t len = 0;

  if (code < 0x80)
    bytes[len++] = (char) code;
  else if (code < 0x800)
    bytes[len++] = (char) (0xc0 | code >> 6);
  else if (code < 0x10000)
    bytes[len++] = (char) (0xe0 | code >> 12);
  else {
    bytes[len++] = (char) (0xf0 | code >> 18);
    bytes[len++] = (char) (0x80 | (code >> 12 & 0x3f));
  }
  if (code >= 0x800)
    bytes[len++] = (char) (0x80 | (code >> 6 & 0x3f));
  if (code >= 0x80)
    bytes[len++] = (char) (0x80 | (code & 0x3f));
  buf_add (out, bytes, len);
}

/* p is at a valid escape; returns behind it. */
static const char *
unescape_one (const char *p, const char *end, struct buf *out)
{
  static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
  const char *letter;
  unsigned code;

  if (p[1] != 'u') {
    letter = strchr (letters, p[1]);
    buf_add_char (out, letter != NULL ? meanings[letter - letters] : p[1]);
    return p + 2;
  }
  code = (unsigned) read_hex (p + 2, end);
  if (code < 0xd800 || code > 0xdfff) {
    add_utf8 (out, code);
    return p + 6;
  }
  code = 0x10000 + ((code - 0xd800) << 10)
         + ((unsigned) read_hex (p + 8, end) - 0xdc00);
  add_utf8 (out, code);
  return p + 12;
}

void
json_unescape (const char *text, size_t len, struct buf *out)
{
  const char *end = text + len;

  while (text < end) {
    const char *escape = memchr (text, '\\', (size_t) (end - text));

    if (escape == NULL)
      escape = end;
    buf_add (out, text, (size_t) (escape - text));
    text = escape < end ? unescape_one (escape, end, out) : end;
  }
}
