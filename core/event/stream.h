/* stream.h - many events from a file or a pipe.
 *
 * NDJSON, or a JSON array of events: told apart by the first character.
 * Memory is bounded by the longest event allowed, whatever the input's
 * size.  Nothing is lost: what is no event comes out as a bad piece, with
 * all its bytes, and the stream goes on behind it.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_STREAM_H
#define HERALD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"

struct stream;

enum stream_kind {
  STREAM_EVENT,                 /* event is yours: event_release () it */
  STREAM_BAD,                   /* a bad line, or a part of one */
  STREAM_MORE,                  /* feed it, then ask again */
  STREAM_END                    /* after stream_finish () only */
};

struct stream_item {
  struct event *event;
  uint64_t line;                /* where it begins; 1 is the first */
  /* Of STREAM_BAD: */
  const char *reason;           /* one line */
  const char *text;             /* until the next call */
  size_t len;
  bool is_first, is_last;       /* a line longer than max_event comes in
                                   pieces: both true if in one.  The last
                                   may be empty, as is what tells of an
                                   array that is not closed */
};

/* Blank lines and a byte order mark at the start are skipped; CRLF is
 * fine.  max_event: bytes, of one line or array element. */
struct stream *stream_new (struct event_reader *reader, size_t max_event);
void stream_free (struct stream *stream);

/* Where to put up to *ret_size bytes of input (at least 64 KiB); then say
 * how many were put there. */
char *stream_space (struct stream *stream, size_t *ret_size);
void stream_feed (struct stream *stream, size_t len);
void stream_finish (struct stream *stream);             /* end of input */

enum stream_kind stream_next (struct stream *stream,
                              struct stream_item *ret_item);

/* Bytes taken so far, for a progress bar. */
uint64_t stream_offset (const struct stream *stream);

#endif
