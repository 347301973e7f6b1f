/* stream.c - many events from a file or a pipe.
 *
 * The buffer holds at most one line or array element and what was read
 * behind it.  What is longer than allowed leaves in pieces as it comes,
 * so the end of it is always found.
 *
 * SPDX-License-Identifier: MIT
 */

#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
  STREAM_CHUNK = 64 << 10,      /* least room for input */
  STREAM_MAX_NESTING = 256      /* brackets remembered by kind */
};

enum stream_mode {
  STREAM_AT_START,              /* before the first byte */
  STREAM_UNDECIDED,             /* before what tells lines from an array */
  STREAM_LINES,
  STREAM_ELEMENTS,              /* inside an array: at or in an element */
  STREAM_SEPARATOR              /* inside an array: behind an element */
};

struct stream {
  struct event_reader *reader;
  size_t max_event;
  char *data;
  size_t size;
  size_t start;                 /* the first byte not yet given out */
  size_t scan;                  /* the first byte not yet looked at */
  size_t end;
  uint64_t line;                /* at start */
  uint64_t taken;
  enum stream_mode mode;
  bool is_finished;

  /* Of a line or element that leaves in pieces: */
  bool is_split;
  uint64_t split_line;          /* where it began */

  /* Of the element being scanned: */
  bool is_in_string;
  bool is_escaped;
  bool is_after_comma;
  size_t depth;
  size_t depth_over;            /* opened past STREAM_MAX_NESTING */
  char nesting[STREAM_MAX_NESTING];

  struct event_error error;     /* the reason last given out */
};

struct stream *
stream_new (struct event_reader *reader, size_t max_event)
{
  struct stream *stream = memory_zeroed (1, sizeof *stream);

  stream->reader = reader;
  stream->max_event = max_event;
  stream->line = 1;
  return stream;
}

void
stream_free (struct stream *stream)
{
  if (stream == NULL)
    return;
  free (stream->data);
  free (stream);
}

char *
stream_space (struct stream *stream, size_t *ret_size)
{
  size_t kept = stream->end - stream->start;

  if (stream->size - stream->end < STREAM_CHUNK && stream->start > 0) {
    memmove (stream->data, stream->data + stream->start, kept);
    stream->scan -= stream->start;
    stream->end = kept;
    stream->start = 0;
  }
  if (stream->size - stream->end < STREAM_CHUNK) {
    /* Twice what is kept, so a long line is not moved for each chunk. */
    stream->size = 2 * kept + 2 * STREAM_CHUNK;
    if (stream->size > stream->max_event + 2 * STREAM_CHUNK)
      stream->size = stream->max_event + 2 * STREAM_CHUNK;
    if (stream->size < stream->end + STREAM_CHUNK)
      stream->size = stream->end + STREAM_CHUNK;
    stream->data = memory_resize (stream->data, stream->size, 1);
  }
  *ret_size = stream->size - stream->end;
  return stream->data + stream->end;
}

void
stream_feed (struct stream *stream, size_t len)
{
  stream->end += len;
  stream->taken += len;
}

void
stream_finish (struct stream *stream)
{
  stream->is_finished = true;
}

uint64_t
stream_offset (const struct stream *stream)
{
  return stream->taken;
}

/* Leave the first len bytes behind, counting their lines. */
static void
stream_consume (struct stream *stream, size_t len)
{
  const char *at = stream->data + stream->start;
  const char *end = at + len;

  while (at < end && (at = memchr (at, '\n', (size_t) (end - at))) != NULL) {
    stream->line++;
    at++;
  }
  stream->start += len;
  if (stream->scan < stream->start)
    stream->scan = stream->start;
}

static bool
stream_is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
stream_skip_space (struct stream *stream)
{
  size_t at = stream->start;

  while (at < stream->end && stream_is_space (stream->data[at]))
    at++;
  stream_consume (stream, at - stream->start);
}

static enum stream_kind
stream_bad (struct stream_item *item, uint64_t line, const char *reason,
            const char *text, size_t len)
{
  item->line = line;
  item->reason = reason;
  item->text = text;
  item->len = len;
  item->is_first = item->is_last = true;
  return STREAM_BAD;
}

/* A part of what is too long: all that was looked at, or its end. */
static enum stream_kind
stream_give_part (struct stream *stream, size_t len, bool is_last,
                  struct stream_item *item)
{
  if (!stream->is_split) {
    stream->split_line = stream->line;
    snprintf (stream->error.reason, sizeof stream->error.reason,
              "longer than %zu bytes", stream->max_event);
  }
  stream_bad (item, stream->split_line, stream->error.reason,
              stream->data + stream->start, len);
  item->is_first = !stream->is_split;
  item->is_last = is_last;
  stream->is_split = !is_last;
  return STREAM_BAD;
}

/* A whole line or element of len bytes, without the blanks around it. */
static enum stream_kind
stream_give (struct stream *stream, size_t len, struct stream_item *item)
{
  const char *text = stream->data + stream->start;

  if (stream->is_split || len > stream->max_event)
    return stream_give_part (stream, len, true, item);
  if (event_reader_read (stream->reader, text, len, &item->event,
                         &stream->error) == 0) {
    item->line = stream->line;
    return STREAM_EVENT;
  }
  return stream_bad (item, stream->line, stream->error.reason, text, len);
}

/* Blanks at the end of what is there of an element, which may lie behind
 * it and then don't count.  Not more than a chunk, to keep the bound. */
static size_t
stream_trailing_space (const struct stream *stream)
{
  size_t n = 0;

  if (stream->mode != STREAM_ELEMENTS)
    return 0;
  while (n < STREAM_CHUNK && n < stream->end - stream->start
         && stream_is_space (stream->data[stream->end - n - 1]))
    n++;
  return n;
}

/* Nothing ends in what is there: wait, unless it is too long already.
 * One byte is held back, for a part that is the last must be told.  The
 * one byte allowed more may be a line's CR. */
static enum stream_kind
stream_wait (struct stream *stream, struct stream_item *item)
{
  size_t len = stream->end - stream->start;
  enum stream_kind kind = STREAM_MORE;
  bool is_long = len > stream->max_event + 1
                 && len - stream_trailing_space (stream)
                      > stream->max_event + 1;

  if ((stream->is_split && len > 1) || is_long) {
    kind = stream_give_part (stream, len - 1, false, item);
    stream_consume (stream, len - 1);
  }
  stream->scan = stream->end;
  return kind;
}

static void
stream_skip_mark (struct stream *stream)
{
  static const char mark[] = "\xef\xbb\xbf";
  size_t len = stream->end - stream->start;
  size_t n = len < 3 ? len : 3;

  if (memcmp (stream->data + stream->start, mark, n) != 0)
    n = 0;
  if (n > 0 && n < 3 && !stream->is_finished)
    return;
  if (n == 3)
    stream_consume (stream, 3);
  stream->mode = STREAM_UNDECIDED;
}

/* Lines or an array?  Asked again behind an array's end. */
static void
stream_decide (struct stream *stream)
{
  stream_skip_space (stream);
  if (stream->start == stream->end)
    return;
  if (stream->data[stream->start] != '[') {
    stream->mode = STREAM_LINES;
    return;
  }
  stream_consume (stream, 1);
  stream->mode = STREAM_ELEMENTS;
  stream->is_after_comma = false;
}

static enum stream_kind
stream_next_line (struct stream *stream, struct stream_item *item)
{
  enum stream_kind kind;
  const char *end;
  size_t len, taken;

  /* Blank lines go with the blanks before a line, however many. */
  if (stream->scan == stream->start && !stream->is_split)
    stream_skip_space (stream);
  if (stream->start == stream->end)
    return stream->is_finished ? STREAM_END : STREAM_MORE;
  end = memchr (stream->data + stream->scan, '\n',
                stream->end - stream->scan);
  if (end == NULL && !stream->is_finished)
    return stream_wait (stream, item);
  if (end == NULL)
    end = stream->data + stream->end;
  len = (size_t) (end - (stream->data + stream->start));
  taken = stream->start + len < stream->end ? len + 1 : len;
  if (len > 0 && end[-1] == '\r')
    len--;
  kind = stream_give (stream, len, item);
  stream_consume (stream, taken);
  return kind;
}

static void
stream_open (struct stream *stream, char bracket)
{
  if (stream->depth < STREAM_MAX_NESTING)
    stream->nesting[stream->depth++] = bracket;
  else
    stream->depth_over++;
}

/* Close a bracket.  One that does not fit closes what was left open
 * inside, so that a slip in one element spoils that one only.  False for
 * a ] that is the array's own. */
static bool
stream_close (struct stream *stream, char bracket)
{
  size_t depth = stream->depth;

  if (stream->depth_over > 0) {
    stream->depth_over--;
    return true;
  }
  while (depth > 0 && stream->nesting[depth - 1] != bracket)
    depth--;
  if (depth > 0)
    stream->depth = depth - 1;
  return depth > 0 || bracket == '{';
}

static void
stream_scan_string (struct stream *stream, char c)
{
  if (stream->is_escaped)
    stream->is_escaped = false;
  else if (c == '\\')
    stream->is_escaped = true;
  else if (c == '"')
    stream->is_in_string = false;
  /* No string holds a line break: one that is not closed ends here. */
  if (c == '\n')
    stream->is_in_string = stream->is_escaped = false;
}

/* Whether c, which lies outside strings, ends the element before it. */
static bool
stream_scan_structure (struct stream *stream, char c)
{
  switch (c) {
  case '"':
    stream->is_in_string = true;
    return false;
  case '{':
  case '[':
    stream_open (stream, c);
    return false;
  case '}':
    stream_close (stream, '{');
    return false;
  case ']':
    return !stream_close (stream, '[');
  default:
    return c == ',' && stream->depth == 0;
  }
}

/* What the scanner looks at, outside strings and inside; it runs over all
 * else. */
static const bool stream_stops[2][256] = {
  { ['"'] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true,
    [','] = true },
  { ['"'] = true, ['\\'] = true, ['\n'] = true }
};

static void
stream_scan_plain (struct stream *stream)
{
  const bool *stops = stream_stops[stream->is_in_string];
  const char *at = stream->data + stream->scan;
  const char *end = stream->data + stream->end;

  while (at < end && !stops[(unsigned char) *at])
    at++;
  stream->scan = (size_t) (at - stream->data);
}

/* Look for the end of the element; scan stops there. */
static bool
stream_scan_element (struct stream *stream)
{
  for (; stream->scan < stream->end; stream->scan++) {
    if (!stream->is_escaped)
      stream_scan_plain (stream);
    if (stream->scan == stream->end)
      return false;
    if (stream->is_in_string)
      stream_scan_string (stream, stream->data[stream->scan]);
    else if (stream_scan_structure (stream, stream->data[stream->scan]))
      return true;
  }
  return false;
}

static enum stream_kind
stream_give_element (struct stream *stream, struct stream_item *item)
{
  size_t len = stream->scan - stream->start;
  size_t taken = len;
  enum stream_kind kind;

  while (len > 0 && !stream->is_split
         && stream_is_space (stream->data[stream->start + len - 1]))
    len--;
  kind = stream_give (stream, len, item);
  stream_consume (stream, taken);
  stream->mode = STREAM_SEPARATOR;
  return kind;
}

/* The end of input, or of the array, where an element might stand. */
static enum stream_kind
stream_end_array (struct stream *stream, bool is_closed,
                  struct stream_item *item)
{
  bool is_after_comma = stream->is_after_comma;

  stream->mode = STREAM_UNDECIDED;
  if (!is_closed)
    return stream_bad (item, stream->line, "the array is not closed by ]",
                       "", 0);
  stream_consume (stream, 1);
  if (is_after_comma)
    return stream_bad (item, stream->line,
                       "no element between a comma and the array's end",
                       ",", 1);
  return STREAM_MORE;
}

static enum stream_kind
stream_next_element (struct stream *stream, struct stream_item *item)
{
  char c;

  if (stream->scan == stream->start && !stream->is_split) {
    stream_skip_space (stream);
    if (stream->start == stream->end)
      return stream->is_finished ? stream_end_array (stream, false, item)
                                 : STREAM_MORE;
    c = stream->data[stream->start];
    if (c == ']')
      return stream_end_array (stream, true, item);
    if (c == ',') {
      stream_consume (stream, 1);
      stream->is_after_comma = false;
      return stream_bad (item, stream->line,
                         "no element before a comma", ",", 1);
    }
    stream->is_in_string = stream->is_escaped = false;
    stream->depth = stream->depth_over = 0;
  }
  if (!stream_scan_element (stream) && !stream->is_finished)
    return stream_wait (stream, item);
  return stream_give_element (stream, item);
}

/* Behind an element there is a comma, the array's end or that of the
 * input: stream_scan_element () stops at nothing else. */
static enum stream_kind
stream_next_separator (struct stream *stream, struct stream_item *item)
{
  stream->is_after_comma = false;
  if (stream->start == stream->end)
    return stream_end_array (stream, false, item);
  if (stream->data[stream->start] == ']')
    return stream_end_array (stream, true, item);
  stream_consume (stream, 1);
  stream->is_after_comma = true;
  stream->mode = STREAM_ELEMENTS;
  return STREAM_MORE;
}

enum stream_kind
stream_next (struct stream *stream, struct stream_item *ret_item)
{
  memset (ret_item, 0, sizeof *ret_item);
  for (;;) {
    enum stream_mode mode = stream->mode;
    size_t start = stream->start;
    enum stream_kind kind = STREAM_MORE;

    if (start == stream->end && mode < STREAM_ELEMENTS)
      return stream->is_finished ? STREAM_END : STREAM_MORE;
    switch (mode) {
    case STREAM_AT_START:
      stream_skip_mark (stream);
      break;
    case STREAM_UNDECIDED:
      stream_decide (stream);
      break;
    case STREAM_LINES:
      return stream_next_line (stream, ret_item);
    case STREAM_ELEMENTS:
      kind = stream_next_element (stream, ret_item);
      break;
    case STREAM_SEPARATOR:
      kind = stream_next_separator (stream, ret_item);
      break;
    }
    if (kind != STREAM_MORE
        || (mode == stream->mode && start == stream->start))
      return kind;
  }
}
