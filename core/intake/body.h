/* body.h - a request's body, read as it comes: all content modes of
 * CloudEvents over HTTP, gzipped or not.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_BODY_H
#define HERALD_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

struct body;

enum body_mode {
  BODY_STRUCTURED,              /* one event */
  BODY_BATCH,                   /* an array of them */
  BODY_LINES,                   /* one a line */
  BODY_EITHER,                  /* an object or an array, by its first
                                   character */
  BODY_BINARY                   /* data alone; the head has the rest */
};

enum body_fault {
  BODY_FINE,
  BODY_MALFORMED,               /* nothing of it can be read */
  BODY_TOO_LARGE,               /* unpacked, or too many events */
  BODY_STOPPED                  /* by what was called */
};

struct body_config {
  enum body_mode mode;
  bool is_gzip;
  int64_t expected;             /* bytes; -1: not known */
  size_t max_body, max_event;   /* unpacked */
  uint32_t max_events;
  struct event_reader *reader;  /* may be shared by bodies */
  const char *workspace;        /* for events without one, or NULL */
  const char *head;             /* of BINARY: the event up to its data, from
                                   binary.h; copied */
  size_t head_len;
  /* An event, which is the callee's; or what is none.  False stops. */
  bool (*event) (void *data, struct event *event);
  bool (*bad) (void *data, const char *reason);
  void *data;
};

struct body *body_new (const struct body_config *config);
void body_free (struct body *body);             /* NULL is fine */

enum body_fault body_feed (struct body *body, const char *bytes, size_t len);
/* The end of the request. */
enum body_fault body_finish (struct body *body);
/* Of the last fault, for the client: never quotes a value. */
const char *body_reason (const struct body *body);
/* What it holds now, about. */
size_t body_memory (const struct body *body);

#endif
