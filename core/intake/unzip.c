/* unzip.c - gzip undone, piece by piece (only here: zlib).
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/unzip.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/memory.h"

enum { UNZIP_PIECE = 64 << 10, UNZIP_GZIP = 16 };

struct unzip {
  z_stream stream;
  bool is_at_end;               /* of a member; more may follow */
  char piece[UNZIP_PIECE];
};

struct unzip *
unzip_new (void)
{
  struct unzip *unzip = memory_alloc (sizeof *unzip);

  memset (&unzip->stream, 0, sizeof unzip->stream);
  unzip->is_at_end = false;
  if (inflateInit2 (&unzip->stream, MAX_WBITS + UNZIP_GZIP) != Z_OK)
    memory_exhausted ();
  return unzip;
}

void
unzip_free (struct unzip *unzip)
{
  if (unzip == NULL)
    return;
  inflateEnd (&unzip->stream);
  free (unzip);
}

int
unzip_feed (struct unzip *unzip, const char *bytes, size_t len,
            unzip_fn *fn, void *data)
{
  z_stream *stream = &unzip->stream;

  stream->next_in = (const unsigned char *) bytes;
  stream->avail_in = (unsigned) len;
  do {
    int result;

    if (unzip->is_at_end && stream->avail_in == 0)
      break;
    /* RFC 1952, 2.2: members follow each other. */
    if (unzip->is_at_end && inflateReset (stream) != Z_OK)
      return -1;
    unzip->is_at_end = false;
    stream->next_out = (unsigned char *) unzip->piece;
    stream->avail_out = UNZIP_PIECE;
    result = inflate (stream, Z_NO_FLUSH);
    /* Z_BUF_ERROR: it needs more input. */
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      return -1;
    if (stream->avail_out < UNZIP_PIECE
        && !fn (data, unzip->piece, UNZIP_PIECE - stream->avail_out))
      return -1;
    unzip->is_at_end = result == Z_STREAM_END;
  } while (stream->avail_in > 0 || stream->avail_out == 0);
  return 0;
}

bool
unzip_is_whole (const struct unzip *unzip)
{
  return unzip->is_at_end;
}
