/* unzip.h - gzip undone, piece by piece (only here: zlib).
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_UNZIP_H
#define HERALD_UNZIP_H

#include <stdbool.h>
#include <stddef.h>

struct unzip;

struct unzip *unzip_new (void);
void unzip_free (struct unzip *unzip);          /* NULL is fine */

/* False stops it. */
typedef bool unzip_fn (void *data, const char *bytes, size_t len);

/* Gives what comes out to fn, in pieces of at most 64 KiB.  -1: it is not
 * gzip, or fn said false. */
int unzip_feed (struct unzip *unzip, const char *bytes, size_t len,
                unzip_fn *fn, void *data);
/* Whether what was fed ended where a gzip file may end. */
bool unzip_is_whole (const struct unzip *unzip);

#endif
