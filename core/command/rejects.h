/* rejects.h - lines that are no events: told, and kept.
 *
 * --rejects FILE gets one JSON object a line: {"file", "line", "reason",
 * "text"}; "base64" instead of "text" where the bytes are not UTF-8 or
 * too many to hold at once.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_REJECTS_H
#define HERALD_REJECTS_H

#include <stdint.h>

#include "event/stream.h"
#include "outfile.h"

struct rejects;

/* outfile: NULL, only told.  It stays the caller's. */
struct rejects *rejects_new (struct outfile *outfile);
void rejects_free (struct rejects *rejects);

/* A piece as the stream gave it. */
void rejects_add (struct rejects *rejects, const char *file,
                  const struct stream_item *item);
/* An event that is one, but can't be taken. */
void rejects_add_event (struct rejects *rejects, const char *file,
                        uint64_t line, const char *reason,
                        const struct event *event);
uint64_t rejects_count (const struct rejects *rejects);

#endif
