/* assembly.h - a reply of HTTP, put together as its pieces arrive.
 *
 * Header lines are kept in one buffer, the body in another; both are used
 * again by the next reply.  Ceilings hold whatever the server sends.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_ASSEMBLY_H
#define HERALD_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "transport.h"

enum {
  ASSEMBLY_MAX_HEADERS = 100,   /* those after are not kept */
  ASSEMBLY_MAX_BLOCK = 64 * 1024        /* all header lines together */
};

struct assembly {
  struct assembly *next;        /* in the owner's list */
  int status;                   /* of the final reply; 0: none yet */
  bool is_truncated;            /* a ceiling was met */
  bool is_block_over;           /* what follows are trailers */
  uint32_t n_headers;
  uint32_t block_len;           /* header bytes that came, kept or not */
  struct buf lines;             /* name, NUL, value, NUL, ... */
  struct buf body;
};

struct assembly *assembly_new (size_t max_body);
void assembly_free (struct assembly *assembly);
/* Ready for the next reply; a large buffer is given back. */
void assembly_clear (struct assembly *assembly);

/* One header line with its end, the status line and the empty line
 * included.  -1 to stop reading: a ceiling was met. */
int assembly_header (struct assembly *assembly, const char *line,
                     size_t len);
/* A piece of the body.  -1 as above; what fits was kept. */
int assembly_body (struct assembly *assembly, const char *data, size_t len);

/* The headers, names in lower case; valid until the next clear. */
size_t assembly_headers (const struct assembly *assembly,
                         struct transport_header
                           ret_headers[ASSEMBLY_MAX_HEADERS]);

#endif
