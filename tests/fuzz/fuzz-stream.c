/* fuzz-stream.c - any bytes as a file of events, in chunks of any size.
 *
 * Nothing is lost: but for blanks, commas and brackets the events and
 * bad pieces are the input, in order.  How the input was cut into chunks
 * changes nothing that is given out.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "event/stream.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
must (bool holds)
{
  if (!holds)
    abort ();
}

/* Without what may separate events. */
static void
add_bare (struct buf *out, const char *text, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if (text[i] == '\0' || strchr (" \t\r\n,[]", text[i]) == NULL)
      buf_add_char (out, text[i]);
}

struct digest {
  struct buf bare;
  size_t n_events;
  size_t n_bad;                 /* lines, not pieces */
  uint64_t lines;               /* their numbers, summed */
};

static void
take (struct digest *digest, enum stream_kind kind,
      const struct stream_item *item)
{
  struct buf json = BUF_INIT (0);

  if (kind == STREAM_EVENT) {
    event_add_json (item->event, NULL, &json);
    add_bare (&digest->bare, json.data, json.len);
    event_release (item->event);
    digest->n_events++;
  } else {
    must (item->line > 0 && item->reason[0] != '\0');
    must (text_is_one_line (item->reason, strlen (item->reason)));
    add_bare (&digest->bare, item->text, item->len);
    digest->n_bad += item->is_first;
    digest->lines += item->is_first ? item->line : 0;
  }
  buf_done (&json);
}

static void
run (const uint8_t *data, size_t size, size_t chunk, size_t max_event,
     struct digest *digest)
{
  struct event_reader *reader = event_reader_new (NULL);
  struct stream *stream = stream_new (reader, max_event);
  struct stream_item item;
  enum stream_kind kind;
  bool is_open = false;
  size_t most = 8 * size + 16;

  while ((kind = stream_next (stream, &item)) != STREAM_END) {
    must (most-- > 0);
    if (kind == STREAM_MORE) {
      size_t room;
      char *space = stream_space (stream, &room);
      size_t len = size < chunk ? size : chunk;

      must (room >= 64 << 10);
      if (len > 0)
        memcpy (space, data, len);
      data += len;
      size -= len;
      stream_feed (stream, len);
      if (len == 0)
        stream_finish (stream);
      continue;
    }
    if (kind == STREAM_BAD) {
      must (item.is_first == !is_open);
      is_open = !item.is_last;
    }
    take (digest, kind, &item);
  }
  must (!is_open);
  stream_free (stream);
  event_reader_free (reader);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct digest whole = { .bare = BUF_INIT (0) };
  struct digest parts = { .bare = BUF_INIT (0) };
  struct buf bare = BUF_INIT (0);
  size_t chunk, max_event;

  if (size < 2)
    return 0;
  chunk = (size_t) data[0] % 32 + 1;
  max_event = data[1] < 128 ? 1 << 20 : (size_t) data[1] - 100;
  data += 2;
  size -= 2;
  run (data, size, 60000, max_event, &whole);
  run (data, size, chunk, max_event, &parts);

  if (size >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    data += 3, size -= 3;
  add_bare (&bare, (const char *) data, size);
  must (whole.bare.len == bare.len
        && memcmp (whole.bare.data, bare.data, bare.len) == 0);
  must (parts.bare.len == bare.len
        && memcmp (parts.bare.data, bare.data, bare.len) == 0);
  must (whole.n_events == parts.n_events && whole.n_bad == parts.n_bad
        && whole.lines == parts.lines);
  buf_done (&bare);
  buf_done (&whole.bare);
  buf_done (&parts.bare);
  return 0;
}
