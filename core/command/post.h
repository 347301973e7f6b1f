/* post.h - events on their way to an intake: one request, repeated until
 * it is answered for good.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_POST_H
#define HERALD_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "event/event.h"
#include "transport/transport.h"

struct post;

enum post_end {                 /* of one event */
  POST_ACCEPTED,
  POST_SEEN,                    /* accepted before */
  POST_REJECTED,                /* with the intake's reason */
  POST_UNSENT                   /* given up, or cancelled */
};

struct post_config {
  struct loop *loop;
  struct transport *transport;
  const char *url;              /* of /v1/events */
  const char *authorization;    /* "Bearer ...", or NULL */
  int64_t patience_ms;
  /* Once for each event of a post, in their order. */
  void (*settled) (void *data, const struct event *event, const char *file,
                   uint64_t line, enum post_end end, const char *reason);
  /* The intake will take none of this kind, or nothing was heard of it for
   * all the patience there is: stop.  Before the events are settled as
   * unsent. */
  void (*refused) (void *data, int status, const char *reason);
  /* It is on its way; again for what is split off.  It is over, and freed
   * when this returns. */
  void (*sent) (void *data, struct post *post);
  void (*over) (void *data, struct post *post);
  /* It has to wait: for a word to whoever looks on. */
  void (*waits) (void *data, const char *reason);
  void *data;
};

struct post *post_new (const struct post_config *config);
/* Takes the event over; file must live on. */
void post_add (struct post *post, struct event *event, const char *file,
               uint64_t line);
bool post_is_full (const struct post *post);
size_t post_count (const struct post *post);
void post_send (struct post *post);
/* Give it up: its events are settled as unsent before this returns. */
void post_cancel (struct post *post, const char *reason);

#endif
