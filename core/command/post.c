/* post.c - events on their way to an intake.
 *
 * A request that may have arrived is sent again without fear: the intake
 * knows the ids it has seen.
 *
 * SPDX-License-Identifier: MIT
 */

#include "post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/json_doc.h"
#include "base/memory.h"

enum {
  POST_MOST = 200,              /* events */
  POST_BYTES = 256 << 10,
  POST_FIRST_MS = 100,          /* until it is tried again, doubling to ... */
  POST_LONGEST_MS = 10000
};

struct post_entry {
  struct event *event;
  const char *file;
  uint64_t line;
};

struct post {
  struct post_config config;
  size_t n;
  struct post_entry entries[POST_MOST];
  size_t bytes;
  struct buf body;
  struct transport_header headers[2];
  struct transport_request request;
  struct transfer *transfer;    /* NULL: not on its way */
  struct loop_timer *timer;
  unsigned tries;
  int64_t give_up_us;
  const char *cancelled;        /* why */
};

static void post_retry (void *data);

struct post *
post_new (const struct post_config *config)
{
  struct post *post = memory_zeroed (1, sizeof *post);

  post->config = *config;
  buf_init (&post->body, 0);
  post->timer = loop_timer_new (config->loop, post_retry, post);
  return post;
}

static void
post_free (struct post *post)
{
  for (size_t i = 0; i < post->n; i++)
    event_release (post->entries[i].event);
  buf_done (&post->body);
  loop_timer_free (post->timer);
  free (post);
}

void
post_add (struct post *post, struct event *event, const char *file,
          uint64_t line)
{
  post->entries[post->n++] = (struct post_entry) { event, file, line };
  post->bytes += event_memory (event);
}

bool
post_is_full (const struct post *post)
{
  return post->n == POST_MOST || post->bytes >= POST_BYTES;
}

size_t
post_count (const struct post *post)
{
  return post->n;
}

static void
post_settle (struct post *post, size_t k, enum post_end end,
             const char *reason)
{
  const struct post_entry *entry = &post->entries[k];

  post->config.settled (post->config.data, entry->event, entry->file,
                        entry->line, end, reason);
}

static void
post_end (struct post *post, enum post_end end, const char *reason)
{
  for (size_t i = 0; i < post->n; i++)
    post_settle (post, i, end, reason);
  post->config.over (post->config.data, post);
  post_free (post);
}

/* ------------------------------------------------------------------ */
/* Answers. */

static const char *
post_text (const struct json_doc *doc, const char *name)
{
  const char *text = json_doc_as_text (json_doc_get (doc, name));

  return text != NULL ? text : "";
}

/* What became of an event; POST_UNSENT: that is not said. */
static enum post_end
post_end_of (const struct json_doc *event)
{
  const char *status = post_text (event, "status");

  return strcmp (status, "accepted") == 0 ? POST_ACCEPTED
         : strcmp (status, "duplicate") == 0 ? POST_SEEN
         : strcmp (status, "rejected") == 0 ? POST_REJECTED : POST_UNSENT;
}

/* An answer for each event; false if it is not that. */
static bool
post_take_events (struct post *post, const struct json_doc *doc)
{
  const struct json_doc *events = json_doc_get (doc, "events");

  if (events == NULL || json_doc_count (events) != post->n)
    return false;
  for (size_t i = 0; i < post->n; i++)
    if (post_end_of (json_doc_at (events, i)) == POST_UNSENT)
      return false;
  for (size_t i = 0; i < post->n; i++) {
    const struct json_doc *event = json_doc_at (events, i);

    post_settle (post, i, post_end_of (event), post_text (event, "reason"));
  }
  post->config.over (post->config.data, post);
  post_free (post);
  return true;
}

/* Larger than the intake takes: in halves, down to one event. */
static void
post_split (struct post *post, const char *reason)
{
  size_t half = post->n / 2;
  struct post *first;

  if (half == 0) {
    post_end (post, POST_REJECTED, reason);
    return;
  }
  first = post_new (&post->config);
  for (size_t i = 0; i < half; i++)
    post_add (first, post->entries[i].event, post->entries[i].file,
              post->entries[i].line);
  memmove (post->entries, post->entries + half,
           (post->n - half) * sizeof post->entries[0]);
  post->n -= half;
  post->tries = 0;
  post->config.over (post->config.data, post);
  post_send (first);
  post_send (post);
}

static const char *
post_header (const struct transport_reply *reply, const char *name)
{
  for (size_t i = 0; i < reply->n_headers; i++)
    if (strcmp (reply->headers[i].name, name) == 0)
      return reply->headers[i].value;
  return NULL;
}

static void
post_later (struct post *post, const struct transport_reply *reply,
            const char *reason)
{
  const char *asked = post_header (reply, "retry-after");
  int64_t wait_ms = POST_FIRST_MS << (post->tries < 8 ? post->tries : 8);
  int64_t asked_ms = asked != NULL
                       ? date_retry_after_ms (asked, date_now_ms ()) : -1;
  int64_t now_us = date_monotonic_us ();

  if (wait_ms > POST_LONGEST_MS)
    wait_ms = POST_LONGEST_MS;
  /* "At once" is left to the back-off: else it would not rest at all. */
  if (asked_ms >= POST_FIRST_MS)
    wait_ms = asked_ms;
  post->tries++;
  if (now_us + wait_ms * 1000 > post->give_up_us) {
    post->config.refused (post->config.data, reply->status, reason);
    post_end (post, POST_UNSENT, reason);
    return;
  }
  post->config.waits (post->config.data, reason);
  loop_timer_set (post->timer, now_us + wait_ms * 1000);
}

static void
post_judge (struct post *post, const struct transport_reply *reply)
{
  char why[160], reason[400];
  struct json_doc *doc = json_doc_read (reply->body, reply->body_len, why);
  const char *detail = doc != NULL ? post_text (doc, "detail") : "";

  if (reply->result != TRANSPORT_ANSWERED)
    snprintf (reason, sizeof reason, "%s", reply->error);
  else
    snprintf (reason, sizeof reason, "the intake answered %d%s%s",
              reply->status, *detail != '\0' ? ": " : "", detail);
  if (reply->result == TRANSPORT_CANCELLED)
    post_end (post, POST_UNSENT, post->cancelled);
  else if (reply->result == TRANSPORT_NO_ANSWER || reply->is_truncated
           || reply->status == 408 || reply->status == 429
           || reply->status >= 500)
    post_later (post, reply, reason);
  else if (reply->status == 413)
    post_split (post, reason);
  else if (reply->result == TRANSPORT_ANSWERED && doc != NULL
           && post_take_events (post, doc))
    ;
  else {
    post->config.refused (post->config.data, reply->status, reason);
    post_end (post, POST_UNSENT, reason);
  }
  json_doc_free (doc);
}

static void
post_done (void *data, const struct transport_reply *reply)
{
  struct post *post = data;

  post->transfer = NULL;
  post_judge (post, reply);
}

/* ------------------------------------------------------------------ */
/* The request. */

static void
post_fill (struct post *post)
{
  static const char type[] = "application/cloudevents-batch+json";

  buf_clear (&post->body);
  for (size_t i = 0; i < post->n; i++) {
    buf_add_char (&post->body, i == 0 ? '[' : ',');
    event_add_json (post->entries[i].event, NULL, &post->body);
  }
  buf_add_char (&post->body, ']');
  post->headers[0] = (struct transport_header) { "Content-Type", type };
  post->headers[1] = (struct transport_header) {
    "Authorization", post->config.authorization,
  };
  post->request = (struct transport_request) {
    .method = "POST", .url = post->config.url, .headers = post->headers,
    .n_headers = post->config.authorization != NULL ? 2 : 1,
    .body = post->body.data, .body_len = post->body.len,
  };
}

void
post_send (struct post *post)
{
  post_fill (post);
  post->give_up_us = date_monotonic_us () + post->config.patience_ms * 1000;
  post->config.sent (post->config.data, post);
  post->transfer = transport_send (post->config.transport, &post->request,
                                   post_done, post);
}

static void
post_retry (void *data)
{
  struct post *post = data;

  post->transfer = transport_send (post->config.transport, &post->request,
                                   post_done, post);
}

void
post_cancel (struct post *post, const char *reason)
{
  post->cancelled = reason;
  if (post->transfer != NULL)
    transport_cancel (post->config.transport, post->transfer);
  else
    post_end (post, POST_UNSENT, reason);
}
