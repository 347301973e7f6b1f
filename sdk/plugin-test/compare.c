/* compare.c - the request a case expects against the one made.
 *
 * SPDX-License-Identifier: MIT
 */

#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json_doc.h"
#include "base/memory.h"
#include "base/text.h"

enum { COMPARE_MAX_PAIRS = 1000, COMPARE_MAX_SHOWN = 4000 };

/* "name=value" lines, of a form either way it is written. */
struct pairs {
  struct arena *arena;
  size_t n;
  char *lines[COMPARE_MAX_PAIRS];
};

static bool
differ (struct buf *diff, const char *what, const char *expected,
        const char *made)
{
  if (diff != NULL) {
    buf_printf (diff, "%s: expected\n  %.*s\nbut it is\n  %.*s\n", what,
                COMPARE_MAX_SHOWN, expected == NULL ? "(none)" : expected,
                COMPARE_MAX_SHOWN, made == NULL ? "(none)" : made);
  }
  return false;
}

/* ------------------------------------------------------------------ */

const char *
compare_header (const struct herald_request *made, const char *name)
{
  const struct message *message = made->message;

  for (size_t k = 0; message != NULL && k < message->n_headers; k++)
    if (text_equal_fold (message->headers[k].name, name))
      return message->headers[k].value;
  for (size_t k = 0; k < made->n_headers; k++)
    if (text_equal_fold (made->headers[k].name, name))
      return made->headers[k].value;
  return NULL;
}

/* Line breaks of folded headers are no part of the value. */
static char *
unfold (const char *value)
{
  char *copy = memory_strdup (value), *to = copy;

  for (; *value != '\0'; value++)
    if (*value != '\r' && *value != '\n')
      *to++ = *value;
  *to = '\0';
  return copy;
}

static bool
has_recipient (const struct herald_request *made, const char *address)
{
  for (size_t k = 0; made->message != NULL && k < made->message->n_to; k++)
    if (strcmp (made->message->to[k], address) == 0)
      return true;
  return false;
}

/* Lines of smtp that are no headers: the envelope, login and TLS. */
static bool
compare_envelope (const struct case_header *expected,
                  const struct herald_request *made, struct buf *diff,
                  bool *ret_is_equal)
{
  static const char *const tls[] = { "", "always", "if-offered", "never" };
  const char *value = NULL;

  if (!made->is_smtp || expected->value == NULL)
    return false;
  if (strcmp (expected->name, "from") == 0)
    value = made->message == NULL ? NULL : made->message->from;
  else if (strcmp (expected->name, "user") == 0)
    value = made->user;
  else if (strcmp (expected->name, "password") == 0)
    value = made->password;
  else if (strcmp (expected->name, "tls") == 0)
    value = tls[made->tls >= 0 && made->tls <= HERALD_TLS_NEVER
                ? made->tls : 0];
  else if (strcmp (expected->name, "to") == 0)
    value = has_recipient (made, expected->value) ? expected->value : NULL;
  else
    return false;
  *ret_is_equal = value != NULL && strcmp (value, expected->value) == 0;
  if (!*ret_is_equal)
    differ (diff, expected->name, expected->value, value);
  return true;
}

static bool
compare_one_header (const struct case_header *expected,
                    const struct herald_request *made, struct buf *diff)
{
  bool is_equal;
  const char *value;
  char *flat;

  if (compare_envelope (expected, made, diff, &is_equal))
    return is_equal;
  value = compare_header (made, expected->name);
  if (expected->value == NULL)
    return value == NULL ? true : differ (diff, expected->name, NULL, value);
  if (value == NULL)
    return differ (diff, expected->name, expected->value, NULL);
  flat = unfold (value);
  is_equal = strcmp (flat, expected->value) == 0;
  if (!is_equal)
    differ (diff, expected->name, expected->value, flat);
  free (flat);
  return is_equal;
}

/* As many "to:" lines as recipients: a blind copy must not slip in. */
static bool
compare_recipients (const struct case_exchange *expected,
                    const struct herald_request *made, struct buf *diff)
{
  size_t n = 0;
  char counts[2][24];

  for (size_t k = 0; k < expected->n_headers; k++)
    n += strcmp (expected->headers[k].name, "to") == 0;
  if (made->message == NULL || n == 0 || n == made->message->n_to)
    return true;
  snprintf (counts[0], sizeof counts[0], "%zu", n);
  snprintf (counts[1], sizeof counts[1], "%zu", made->message->n_to);
  return differ (diff, "the number of recipients", counts[0], counts[1]);
}

/* ------------------------------------------------------------------ */

static void
pairs_add (struct pairs *pairs, const char *name, size_t name_len,
           const char *value, size_t len)
{
  if (pairs->n < COMPARE_MAX_PAIRS)
    pairs->lines[pairs->n++]
      = arena_printf (pairs->arena, "%.*s=%.*s", (int) name_len, name,
                      (int) len, value);
}

static int
hex_digit (char c)
{
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  const char *found = c == '\0' ? NULL : strchr (digits, c);

  return found == NULL ? -1 : (int) ((found - digits) % 16);
}

static char *
decode (struct arena *arena, const char *text, size_t len)
{
  char *plain = arena_alloc (arena, len + 1), *to = plain;

  for (size_t i = 0; i < len; i++) {
    if (text[i] == '+')
      *to++ = ' ';
    else if (text[i] == '%' && i + 2 < len && hex_digit (text[i + 1]) >= 0
             && hex_digit (text[i + 2]) >= 0) {
      *to++ = (char) (hex_digit (text[i + 1]) * 16
                      + hex_digit (text[i + 2]));
      i += 2;
    } else
      *to++ = text[i];
  }
  *to = '\0';
  return plain;
}

static void
read_params (struct pairs *pairs, const char *body)
{
  while (*body != '\0') {
    size_t len = strcspn (body, "&"), name_len = strcspn (body, "=&");
    const char *name = decode (pairs->arena, body, name_len);
    const char *value = name_len == len ? ""
      : decode (pairs->arena, body + name_len + 1, len - name_len - 1);

    pairs_add (pairs, name, strlen (name), value, strlen (value));
    body += len + (body[len] == '&');
  }
}

/* RFC 7578: each part's name and its content. */
static void
read_multipart (struct pairs *pairs, const char *body, const char *boundary)
{
  size_t skip = strlen (boundary);

  while ((body = strstr (body, boundary)) != NULL) {
    const char *content = strstr (body + skip, "\r\n\r\n");
    const char *name = strstr (body + skip, "name=\"");
    const char *end = content == NULL ? NULL : strstr (content, boundary);

    if (end == NULL || name == NULL || name > content)
      return;
    name += strlen ("name=\"");
    content += 4;
    /* The boundary stands behind a line break and two hyphens. */
    pairs_add (pairs, name, strcspn (name, "\""), content,
               (size_t) (end - content) >= 4 ? (size_t) (end - content) - 4
                                             : 0);
    body = end;
  }
}

static void
read_lines (struct pairs *pairs, const char *text)
{
  while (*text != '\0') {
    size_t len = strcspn (text, "\n"), name_len = strcspn (text, "=\n");

    if (len > 0)
      pairs_add (pairs, text, name_len, text + name_len + (name_len < len),
                 len - name_len - (name_len < len));
    text += len + (text[len] == '\n');
  }
}

static int
compare_lines (const void *a, const void *b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static const char *
sorted (struct pairs *pairs)
{
  struct buf text = BUF_INIT (0);
  const char *all;

  qsort (pairs->lines, pairs->n, sizeof pairs->lines[0], compare_lines);
  for (size_t k = 0; k < pairs->n; k++)
    buf_printf (&text, "%s\n  ", pairs->lines[k]);
  all = arena_strdup (pairs->arena, text.data);
  buf_done (&text);
  return all;
}

static bool
compare_pairs (const char *expected, const struct herald_request *made,
               struct buf *diff)
{
  struct arena *arena = arena_new (0);
  struct pairs *wanted = arena_zeroed (arena, 1, sizeof *wanted);
  struct pairs *own = arena_zeroed (arena, 1, sizeof *own);
  const char *a, *b;
  bool is_equal;

  wanted->arena = own->arena = arena;
  if (made->kind == REQUEST_FORM)
    read_multipart (own, made->body.data, made->boundary);
  else
    read_params (own, made->body.data);
  if (made->kind == REQUEST_PARAMS && strchr (expected, '\n') == NULL
      && strchr (expected, '&') != NULL)
    read_params (wanted, expected);
  else
    read_lines (wanted, expected);
  a = sorted (wanted);
  b = sorted (own);
  is_equal = strcmp (a, b) == 0;
  if (!is_equal)
    differ (diff, "the form", a, b);
  arena_free (arena);
  return is_equal;
}

/* ------------------------------------------------------------------ */

/* The same whatever order the members are in; texts that are no JSON are
 * compared byte for byte. */
static bool
compare_text (const char *expected, const char *made, struct buf *diff)
{
  char reason[160];
  struct json_doc *a = json_doc_read (expected, strlen (expected), reason);
  struct json_doc *b = json_doc_read (made, strlen (made), reason);
  bool is_json = a != NULL && b != NULL;
  bool is_equal = is_json ? json_doc_equal (a, b)
                          : strcmp (expected, made) == 0;
  char *left, *right;

  if (!is_equal && is_json) {
    left = json_doc_write_sorted (a);
    right = json_doc_write_sorted (b);
    differ (diff, "the body, with its members in order", left, right);
    free (left);
    free (right);
  } else if (!is_equal)
    differ (diff, "the body", expected, made);
  json_doc_free (a);
  json_doc_free (b);
  return is_equal;
}

static bool
compare_body (const struct case_exchange *expected,
              const struct herald_request *made, struct buf *diff)
{
  const struct message *message = made->message;
  const char *text = message == NULL ? NULL : message->text;
  const char *html = message == NULL ? NULL : message->html;
  bool is_equal = true;

  if (expected->html != NULL
      && (html == NULL || strcmp (expected->html, html) != 0))
    is_equal = differ (diff, "the html part", expected->html, html);
  if (expected->body == NULL)
    return is_equal;
  if (message != NULL)
    return strcmp (expected->body, text == NULL ? "" : text) == 0
           ? is_equal : differ (diff, "the text part", expected->body, text);
  if (made->kind == REQUEST_PARAMS || made->kind == REQUEST_FORM)
    return compare_pairs (expected->body, made, diff);
  return compare_text (expected->body, made->body.data, diff);
}

bool
compare_request (const struct case_exchange *expected,
                 const struct herald_request *made, struct buf *diff)
{
  bool is_equal = true;
  struct buf line = BUF_INIT (0);

  if (expected->request == NULL)
    return true;
  buf_printf (&line, "%s %s", made->method, made->url.data);
  if (strcmp (line.data, expected->request) != 0)
    is_equal = differ (diff, "the request", expected->request, line.data);
  buf_done (&line);
  for (size_t k = 0; k < expected->n_headers; k++)
    if (!compare_one_header (&expected->headers[k], made, diff))
      is_equal = false;
  if (!compare_recipients (expected, made, diff))
    is_equal = false;
  if (!compare_body (expected, made, diff))
    is_equal = false;
  return is_equal;
}
