/* body.c - a request's body, read as it comes.
 *
 * One event that lies in one piece is read where it lies; else it is put
 * together first.  Many events go through a stream (stream.h), so that no
 * more than the longest is held of what is not read yet.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_index.h"
#include "base/memory.h"
#include "event/stream.h"
#include "intake/unzip.h"

struct body {
  struct body_config config;
  struct unzip *unzip;
  struct stream *stream;        /* of many events, once there is a byte */
  struct buf text;              /* of one */
  size_t taken;                 /* bytes, unpacked */
  size_t packed;                /* bytes of gzip */
  uint32_t n;                   /* events, good and bad */
  bool is_done;                 /* the one event was read in place */
  enum body_fault fault;
  char reason[200];
};

struct body *
body_new (const struct body_config *config)
{
  struct body *body = memory_zeroed (1, sizeof *body);

  body->config = *config;
  buf_init (&body->text, 0);
  if (config->is_gzip)
    body->unzip = unzip_new ();
  if (config->mode == BODY_BINARY)
    buf_add (&body->text, config->head, config->head_len);
  return body;
}

void
body_free (struct body *body)
{
  if (body == NULL)
    return;
  unzip_free (body->unzip);
  stream_free (body->stream);
  buf_done (&body->text);
  free (body);
}

static bool
body_fail (struct body *body, enum body_fault fault, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 3, 4)));

/* The first fault stays. */
static bool
body_fail (struct body *body, enum body_fault fault, const char *fmt, ...)
{
  va_list args;

  if (body->fault != BODY_FINE)
    return false;
  body->fault = fault;
  va_start (args, fmt);
  vsnprintf (body->reason, sizeof body->reason, fmt, args);
  va_end (args);
  return false;
}

static bool
body_count (struct body *body)
{
  if (++body->n <= body->config.max_events)
    return true;
  return body_fail (body, BODY_TOO_LARGE, "more than %u events in a request",
                    body->config.max_events);
}

/* event NULL: a bad one, of that reason. */
static bool
body_give (struct body *body, struct event *event, const char *reason)
{
  const struct body_config *config = &body->config;

  if (!body_count (body)) {
    event_release (event);
    return false;
  }
  if (event != NULL ? config->event (config->data, event)
                    : config->bad (config->data, reason))
    return true;
  return body_fail (body, BODY_STOPPED, "stopped");
}

static bool
body_read_one (struct body *body, const char *text, size_t len)
{
  struct event_error error;
  struct event *event;

  event_reader_lend (body->config.reader, body->config.workspace);
  if (event_reader_read (body->config.reader, text, len, &event, &error)
      == 0)
    return body_give (body, event, NULL);
  return body_give (body, NULL, error.reason);
}

/* All events that can be read from what is there. */
static bool
body_drain (struct body *body)
{
  struct stream_item item;

  event_reader_lend (body->config.reader, body->config.workspace);
  for (;;)
    switch (stream_next (body->stream, &item)) {
    case STREAM_EVENT:
      if (!body_give (body, item.event, NULL))
        return false;
      break;
    case STREAM_BAD:
      /* What is too long comes in parts: told once. */
      if (item.is_first && !body_give (body, NULL, item.reason))
        return false;
      break;
    case STREAM_MORE:
    case STREAM_END:
      return true;
    }
}

static bool
body_take_many (struct body *body, const char *bytes, size_t len)
{
  while (len > 0) {
    size_t size;
    char *space = stream_space (body->stream, &size);

    if (size > len)
      size = len;
    memcpy (space, bytes, size);
    stream_feed (body->stream, size);
    bytes += size;
    len -= size;
    if (!body_drain (body))
      return false;
  }
  return true;
}

static bool
body_take_one (struct body *body, const char *bytes, size_t len)
{
  size_t most = body->config.max_event + body->config.head_len;

  if (body->config.mode != BODY_BINARY && body->text.len == 0
      && !body->config.is_gzip && (int64_t) len == body->config.expected
      && len <= most) {
    body->is_done = true;
    return body_read_one (body, bytes, len);
  }
  if (body->text.len + len > most)
    return body_fail (body, BODY_TOO_LARGE, "an event longer than %zu bytes",
                      body->config.max_event);
  buf_add (&body->text, bytes, len);
  return true;
}

static bool
body_is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What it is, by the first byte that is no space: EITHER becomes one of
 * two.  The spaces of pieces before it are kept in text, so that offsets
 * in reasons count them. */
static bool
body_decide (struct body *body, const char *bytes, size_t len)
{
  enum body_mode *mode = &body->config.mode;
  size_t n = 0;

  while (n < len && body_is_space (bytes[n]))
    n++;
  if (n == len) {
    buf_add (&body->text, bytes, len);
    return true;
  }
  bytes += n;
  if (*mode == BODY_EITHER)
    *mode = *bytes == '[' ? BODY_BATCH : BODY_STRUCTURED;
  else if (*mode == BODY_BATCH && *bytes != '[')
    return body_fail (body, BODY_MALFORMED, "a batch is a JSON array");
  if (*mode == BODY_BATCH || *mode == BODY_LINES)
    body->stream = stream_new (body->config.reader, body->config.max_event);
  return body->stream == NULL
         || body_take_many (body, body->text.data, body->text.len);
}

static bool
body_take (void *data, const char *bytes, size_t len)
{
  struct body *body = data;
  enum body_mode mode = body->config.mode;

  body->taken += len;
  if (body->taken > body->config.max_body)
    return body_fail (body, BODY_TOO_LARGE, "a body longer than %zu bytes",
                      body->config.max_body);
  if (body->stream == NULL && mode != BODY_STRUCTURED && mode != BODY_BINARY
      && !body_decide (body, bytes, len))
    return false;
  mode = body->config.mode;
  if (body->stream != NULL)
    return body_take_many (body, bytes, len);
  if (mode == BODY_STRUCTURED || mode == BODY_BINARY)
    return body_take_one (body, bytes, len);
  return true;                  /* nothing but spaces so far */
}

enum body_fault
body_feed (struct body *body, const char *bytes, size_t len)
{
  if (body->fault != BODY_FINE)
    return body->fault;
  body->packed += body->unzip != NULL ? len : 0;
  if (body->unzip == NULL)
    body_take (body, bytes, len);
  /* There is gzip without end that unpacks to nothing. */
  else if (body->packed > body->config.max_body)
    body_fail (body, BODY_TOO_LARGE, "a body longer than %zu bytes",
               body->config.max_body);
  else if (unzip_feed (body->unzip, bytes, len, body_take, body) != 0)
    body_fail (body, BODY_MALFORMED, "the body is not gzip");
  return body->fault;
}

/* The data is checked by itself first: appended unread it could bring
 * attributes of its own. */
static bool
body_finish_binary (struct body *body)
{
  const char *data = body->text.data + body->config.head_len;
  size_t len = body->text.len - body->config.head_len;
  struct json_index index = { 0 };
  struct json_error error;
  char reason[200];
  int result;

  if (len == 0) {
    body->text.data[body->text.len - strlen (",\"data\":")] = '\0';
    body->text.len -= strlen (",\"data\":");
  } else {
    result = json_index_read (&index, data, len, EVENT_MAX_DEPTH,
                              JSON_UNIQUE_KEYS, &error);
    json_index_done (&index);
    if (result != 0) {
      snprintf (reason, sizeof reason, "not JSON at byte %zu: %s",
                error.offset + 1, error.reason);
      return body_give (body, NULL, reason);
    }
  }
  buf_add_char (&body->text, '}');
  return body_read_one (body, body->text.data, body->text.len);
}

enum body_fault
body_finish (struct body *body)
{
  if (body->fault != BODY_FINE)
    return body->fault;
  if (body->unzip != NULL && !unzip_is_whole (body->unzip))
    body_fail (body, BODY_MALFORMED, "the body ends in the middle of gzip");
  else if (body->stream != NULL) {
    stream_finish (body->stream);
    body_drain (body);
  } else if (body->config.mode == BODY_BINARY)
    body_finish_binary (body);
  else if (body->config.mode == BODY_BATCH
           || body->config.mode == BODY_EITHER)
    body_fail (body, BODY_MALFORMED, "the body is empty");
  else if (body->config.mode == BODY_STRUCTURED && !body->is_done)
    body_read_one (body, body->text.data, body->text.len);
  return body->fault;
}

const char *
body_reason (const struct body *body)
{
  return body->reason;
}

size_t
body_memory (const struct body *body)
{
  size_t memory = sizeof *body + body->text.size;

  if (body->unzip != NULL)
    memory += 128 << 10;        /* its window and piece, about */
  if (body->stream != NULL)
    memory += 192 << 10;        /* grows with a long event only */
  return memory;
}
