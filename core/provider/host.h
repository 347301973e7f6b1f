/* host.h - the table of functions that plugins are given.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_HOST_H
#define HERALD_HOST_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "herald-plugin.h"

struct job;
struct reply;

/* The one table; complete but for nothing: every member works. */
extern const struct herald_host host_table;

/* Around every call of a plugin: where alloc () and format () take their
 * memory, and whom log () names.  job may be NULL (.open).  Nestable. */
struct host_scope {
  struct arena *arena;
  struct job *job;
  const char *integration;
  struct host_scope *outer;
  uint64_t serial;              /* no other has it */
};
void host_enter (struct host_scope *scope, struct arena *arena,
                 struct job *job, const char *integration);
void host_leave (struct host_scope *scope);
/* Whoever wants to know of every such call, before and after it; NULL:
 * nobody does.  One of the process; it must live that long. */
struct host_watch {
  void (*enter) (void *data, const struct host_scope *scope);
  void (*leave) (void *data, const struct host_scope *scope);
  void *data;
};
void host_watch (const struct host_watch *watch);
/* The innermost; NULL outside any callback. */
const struct host_scope *host_current (void);
/* What a plugin hands back, if it is of the callback under way; else NULL,
 * and a fault: it kept it from another.  NULL of NULL. */
struct job *host_present (const struct herald_job *shown);
struct reply *host_present_reply (const struct herald_reply *shown);
/* Where a callback's memory comes from; outside any (a fault, logged) a
 * small arena that is used again. */
struct arena *host_arena (void);

/* An empty buffer for a text that is copied at once: the next caller gets
 * the same one. */
struct buf *host_scratch (void);

/* host_text.c: the table's functions for text and memory. */
void *host_alloc (size_t size);
const char *host_format (const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 1, 2)));
const char *host_url_escape (const char *text);
const char *host_html_escape (const char *text);
const char *host_mailbox (const struct herald_mailbox *mailbox);
const char *host_encoded (const char *text);
const char *host_clip (const char *text, size_t max_chars);
int64_t host_date (const char *text);
const char *host_hex (const void *data, size_t len);
const char *host_base64 (const void *data, size_t len);
const unsigned char *host_base64_decode (const char *text, size_t *ret_len);
void host_sha256 (const void *data, size_t len, unsigned char hash[32]);
void host_hmac_sha256 (const void *key, size_t key_len, const void *data,
                       size_t len, unsigned char mac[32]);

/* host_json.c: those for JSON. */
const char *host_quote (const char *text);
const char *host_unquote (const char *json);
const char *host_member (const char *json, size_t k, const char **ret_name);

#endif
