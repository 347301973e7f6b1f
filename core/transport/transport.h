/* transport.h - requests out, replies in (only in this room: libcurl).
 *
 * One curl multi handle on the loop; connections are kept and reused; easy
 * handles are made once and reset.  No redirect is followed, no cookie is
 * kept.
 *
 * Nothing that was answered is sent again.  A request that meets a kept
 * connection which the server has closed goes over a new one: a mail once,
 * and only if no RCPT went out; one of HTTP by libcurl itself, and only if
 * no byte of a reply came.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_TRANSPORT_H
#define HERALD_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure_class.h"
#include "base/loop.h"
#include "guard.h"

struct transport;
struct transfer;                /* one request on its way */

struct transport_config {       /* all strings are copied */
  const struct guard *guard;    /* outlives the transport; NULL: no guard */
  const char *ca_file;          /* NULL: the built-in bundle */
  const char *proxy;            /* NULL: none; the environment's is ignored */
  const char *unix_socket;      /* HTTP goes there, whatever host a URL names
                                   (to no guard); NULL: by the network */
  size_t max_reply;             /* bytes of a reply's body kept */
  unsigned max_connections;     /* kept open, all hosts together */
};

struct transport_header {
  const char *name;
  const char *value;
};

enum transport_tls {            /* the numbers of HERALD_TLS_... */
  TRANSPORT_TLS_ALWAYS = 1,     /* of smtp: STARTTLS or nothing */
  TRANSPORT_TLS_IF_OFFERED,
  TRANSPORT_TLS_NEVER
};

/* A mail to hand over by SMTP; headers are complete lines' names and
 * encoded (folded) values: From, To, Subject, Date, Message-ID ... */
struct transport_mail {
  const char *from;             /* envelope, A-labels */
  const char *const *to;        /* envelope, the participant first */
  size_t n_to;
  const struct transport_header *headers;
  size_t n_headers;
  const char *text;             /* either or both: multipart/alternative */
  const char *html;
};

/* What to send.  Pointers must stay valid until the reply is handed over
 * or the transfer is cancelled: nothing is copied. */
struct transport_request {
  const char *method;           /* GET, POST ...; of smtp: MAIL, NOOP */
  const char *url;              /* https, http, smtp, smtps */
  const struct transport_header *headers;
  size_t n_headers;
  const void *body;             /* NULL: none */
  size_t body_len;
  const struct transport_mail *mail;    /* of MAIL */
  const char *user, *password;  /* smtp login, or NULL (HTTP logins are
                                   Authorization headers) */
  enum transport_tls tls;       /* smtp:// only */
  bool http2;                   /* offer it; else HTTP/1.1 */
  int64_t connect_ms, total_ms; /* limits; 0: 10 s and 60 s */
};

enum transport_result {
  TRANSPORT_ANSWERED,           /* there is a status */
  TRANSPORT_NO_ANSWER,          /* none came: resolve, connect, TLS, reset,
                                   timeout; try again later */
  TRANSPORT_REFUSED,            /* the guard, an unknown CA, a wrong host
                                   name, STARTTLS not offered, no login the
                                   server takes: it will not get better by
                                   itself */
  TRANSPORT_CANCELLED
};

/* Which step of SMTP the status belongs to; HTTP is always _DONE. */
enum transport_stage {
  TRANSPORT_STAGE_DONE, TRANSPORT_STAGE_CONNECT, TRANSPORT_STAGE_LOGIN,
  TRANSPORT_STAGE_SENDER, TRANSPORT_STAGE_RECIPIENT,
  TRANSPORT_STAGE_MESSAGE
};

struct transport_reply {        /* valid during the callback */
  enum transport_result result;
  int status;                   /* HTTP or SMTP; 0 if there was none */
  enum transport_stage stage;
  size_t recipient;             /* of _RECIPIENT: the index of the refused */
  const char *body;             /* NUL-terminated; of smtp the server's last
                                   lines, without codes */
  size_t body_len;
  bool is_truncated;            /* past max_reply, or cut off by the peer */
  const struct transport_header *headers;       /* names in lower case; of
                                   HTTP's final reply only */
  size_t n_headers;
  const char *error;            /* why there is no answer, for an operator:
                                   what and what to do; else "" */
  enum failure_class class;     /* the same in one word */
  int64_t elapsed_us;
  bool is_maybe_sent;           /* no answer, but the request may have
                                   arrived: a repetition may be a duplicate */
};

typedef void transport_done_fn (void *data,
                                const struct transport_reply *reply);

/* NULL with a reason (a CA file that can't be read). */
struct transport *transport_new (struct loop *loop,
                                 const struct transport_config *config,
                                 char ret_reason[200]);
/* Cancels what is still on its way: each done is called. */
void transport_free (struct transport *transport);

/* done is called once, from within loop_turn, never from here. */
struct transfer *transport_send (struct transport *transport,
                                 const struct transport_request *request,
                                 transport_done_fn *done, void *data);
/* done is called with TRANSPORT_CANCELLED before this returns. */
void transport_cancel (struct transport *transport,
                       struct transfer *transfer);
size_t transport_in_flight (const struct transport *transport);

#endif
