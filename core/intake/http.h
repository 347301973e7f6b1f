/* http.h - an HTTP/1.1 server on the loop (only here: libmicrohttpd).
 *
 * What it takes care of: framing that two readers could understand in two
 * ways is refused; a client that is slow at any step is cut off; when all
 * connections are taken, the one that has been idle longest, of the
 * address that has most, makes room; an answer that comes before the body
 * was read still arrives.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_HTTP_H
#define HERALD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "peer.h"

struct http;
struct http_request;

enum { HTTP_MAX_FIELDS = 4 };

/* What is answered.  body is the answer's from then on: freed with free (),
 * NULL for none.  Strings are copied. */
struct http_answer {
  unsigned status;
  const char *type;             /* of the body */
  char *body;
  size_t len;
  struct http_field {
    const char *name, *value;
  } fields[HTTP_MAX_FIELDS];    /* up to the first without a name */
  bool is_last;                 /* close the connection */
};

/* The head of a request, as far as it matters to anyone here; NULL: there
 * is no such field. */
struct http_head {
  const char *method, *path;    /* path without query, percent-decoded */
  const char *authorization, *content_type, *content_encoding;
  int64_t body_len;             /* -1: not told beforehand */
};

struct http_config {
  struct loop *loop;
  uint32_t max_connections;
  int64_t timeout_ms;           /* for a head; for each 64 KiB of a body or
                                   of an answer */
  /* A request's head has come.  An answer given here means that the body
   * is not wanted. */
  void (*begin) (void *data, struct http_request *request);
  /* A piece of its body, until there is an answer. */
  void (*piece) (void *data, struct http_request *request,
                 const char *bytes, size_t len);
  /* All of it has come: answer now or later. */
  void (*whole) (void *data, struct http_request *request);
  /* The request is over, answered or not, and will be forgotten.  Never
   * comes between whole and an answer. */
  void (*over) (void *data, struct http_request *request);
  void *data;
};

/* NULL with a reason. */
struct http *http_new (const struct http_config *config, char *ret_reason,
                       size_t size);
/* What has not been answered must be answered before. */
void http_free (struct http *http);

/* Take over an accepted connection; where: of which listening socket. */
void http_accept (struct http *http, int fd, const struct peer *peer);
/* Each answer from now on is its connection's last.  Connections that have
 * been answered and wait for another request are closed; those that are new
 * have a second for their first. */
void http_finish (struct http *http);
size_t http_connections (const struct http *http);
/* No request is on its way, and none expected of a new connection: may be
 * slow. */
bool http_is_idle (const struct http *http);

const struct http_head *http_head (const struct http_request *request);
const struct peer *http_peer (const struct http_request *request);
/* Each field of the head until fn says false. */
typedef bool http_field_fn (void *data, const char *name, const char *value);
void http_each_field (struct http_request *request, http_field_fn *fn,
                      void *data);
/* What was answered; 0: nothing yet. */
unsigned http_status (const struct http_request *request);
/* What the caller keeps with a request; NULL at first. */
void *http_kept (const struct http_request *request);
void http_keep (struct http_request *request, void *kept);

/* Once a request, at any time from begin on. */
void http_answer (struct http_request *request,
                  const struct http_answer *answer);

#endif
