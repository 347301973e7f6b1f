/* host_text.c - text and memory for plugins.
 *
 * A plugin may hand on what it read, so NULL is text like any other.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/crypto.h"
#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "host.h"

enum { MOST_ALLOC = 1 << 30 };  /* more is no need but a slip */

/* The scratch buffer's text, as long as the callback's memory lives. */
static const char *
keep (const struct buf *out)
{
  return arena_strndup (host_arena (), out->data, out->len);
}

/* alloc () promises memory, so there is no way on from here: say whose
 * fault the end is. */
static void
check_size (size_t size)
{
  const struct host_scope *scope = host_current ();

  if (size <= MOST_ALLOC)
    return;
  log_error ("the plugin of %s is at fault: it asks for %zu bytes of memory "
             "in one piece",
             scope != NULL && scope->integration != NULL ? scope->integration
                                                         : "?", size);
  memory_exhausted ();
}

void *
host_alloc (size_t size)
{
  check_size (size);
  return arena_zeroed (host_arena (), 1, size);
}

const char *
host_format (const char *fmt, ...)
{
  enum { ENOUGH = 2048 };       /* to print most texts only once */
  struct buf *out = host_scratch ();
  char *end = buf_reserve (out, ENOUGH);
  const char *text;
  va_list args;
  int len;

  if (fmt == NULL)
    return "";
  va_start (args, fmt);
  len = vsnprintf (end, ENOUGH, fmt, args);
  va_end (args);
  if (len > 0)
    check_size ((size_t) len);
  if (len >= 0 && len < ENOUGH)
    return arena_strndup (host_arena (), end, (size_t) len);
  va_start (args, fmt);
  text = arena_vprintf (host_arena (), fmt, args);
  va_end (args);
  return text;
}

const char *
host_url_escape (const char *text)
{
  struct buf *out;

  if (text == NULL)
    return "";
  out = host_scratch ();
  text_add_url (out, text, strlen (text));
  return keep (out);
}

const char *
host_html_escape (const char *text)
{
  struct buf *out;

  if (text == NULL)
    return "";
  out = host_scratch ();
  text_add_html (out, text, strlen (text));
  return keep (out);
}

/* On one line: where a service takes it, in JSON or a form, nothing would
 * unfold it. */
static const char *
unfold (struct buf *out)
{
  size_t to = 0;

  for (size_t at = 0; at < out->len; at++)
    if (out->data[at] != '\r' && out->data[at] != '\n')
      out->data[to++] = out->data[at];
  out->data[to] = '\0';
  out->len = to;
  return keep (out);
}

const char *
host_encoded (const char *text)
{
  struct buf *out = host_scratch ();

  if (text != NULL)
    address_add_header_text (out, text, 0);
  return unfold (out);
}

const char *
host_mailbox (const struct herald_mailbox *mailbox)
{
  struct buf *out;

  if (mailbox == NULL || mailbox->address == NULL)
    return "";
  out = host_scratch ();
  address_add_mailbox (out, mailbox->name, mailbox->address, 0);
  return unfold (out);
}

const char *
host_clip (const char *text, size_t max_chars)
{
  if (text == NULL)
    return "";
  return arena_strndup (host_arena (), text,
                        text_clip (text, strlen (text), max_chars));
}

int64_t
host_date (const char *text)
{
  return text != NULL ? date_read_header (text) : -1;
}

const char *
host_hex (const void *data, size_t len)
{
  struct buf *out = host_scratch ();

  if (data != NULL)
    crypto_add_hex (out, data, len);
  return keep (out);
}

const char *
host_base64 (const void *data, size_t len)
{
  struct buf *out = host_scratch ();

  if (data != NULL)
    crypto_add_base64 (out, data, len);
  return keep (out);
}

/* Nothing, if text is not base64. */
const unsigned char *
host_base64_decode (const char *text, size_t *ret_len)
{
  struct buf *out = host_scratch ();
  unsigned char *bytes;
  size_t len = 0;

  if (text != NULL && crypto_add_unbase64 (out, text, strlen (text)) == 0)
    len = out->len;
  bytes = arena_alloc (host_arena (), len + 1);
  memcpy (bytes, out->data, len);
  bytes[len] = '\0';
  if (ret_len != NULL)
    *ret_len = len;
  return bytes;
}

void
host_sha256 (const void *data, size_t len, unsigned char hash[32])
{
  crypto_sha256 (data != NULL ? data : "", data != NULL ? len : 0, hash);
}

void
host_hmac_sha256 (const void *key, size_t key_len, const void *data,
                  size_t len, unsigned char mac[32])
{
  crypto_hmac_sha256 (key != NULL ? key : "", key != NULL ? key_len : 0,
                      data != NULL ? data : "", data != NULL ? len : 0, mac);
}
