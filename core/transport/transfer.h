/* transfer.h - one request on its way, as this room sees it
 * (only here: libcurl).
 *
 * A transfer and its easy handle stay together and are used again: what
 * all requests share is set once, what a request brings is set each time
 * and points into the request.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_TRANSFER_H
#define HERALD_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "assembly.h"
#include "base/buf.h"
#include "base/loop.h"
#include "gate.h"
#include "smtp_dialogue.h"
#include "transport.h"

/* The least that libcurl takes as CURLOPT_UPLOAD_BUFFERSIZE. */
enum { TRANSFER_UPLOAD_BUFFER = 16 * 1024 };

enum transfer_kind { TRANSFER_HTTP, TRANSFER_SMTP, TRANSFER_KINDS };

struct transfer {
  struct transport *transport;
  struct transfer *next, *prev; /* in the list it is on */
  CURL *easy;
  enum transfer_kind kind;
  bool is_prepared;             /* the common options are set, and none
                                   that the next may not have */
  bool is_added;                /* libcurl has it */
  struct gate_place place;
  const struct transport_request *request;
  transport_done_fn *done;
  void *data;
  int64_t started_us;
  const char *fault;            /* why it can't be sent at all */
  struct assembly *reply;       /* NULL: nothing of it came */
  struct smtp_dialogue dialogue;
  bool is_stopped;              /* SMTP: ended by us */
  bool lacks_login;             /* why: no login is offered */
  bool is_again;                /* over a second connection */
  curl_socket_t fd;             /* the connection it was last seen on */
  unsigned n_opened;            /* connections tried */
  char *guard_reason;           /* why it refused the last address; or NULL */
  char detail[CURL_ERROR_SIZE];
  struct buf lines;             /* header lines, addresses */
  struct curl_slist *nodes;     /* what libcurl walks, in our memory */
  size_t n_nodes;
  struct buf message;           /* a mail, and what libcurl has of it */
  size_t n_uploaded;
};

struct transport {
  struct loop *loop;
  CURLM *multi;
  CURLSH *share;
  struct loop_timer *timer;     /* libcurl's */
  struct loop_timer *later_timer;       /* for what waits for us */
  const struct guard *guard;
  char *ca_file, *proxy, *unix_socket;
  size_t max_reply;
  struct transfer *busy;        /* all on their way */
  struct transfer *idle[TRANSFER_KINDS];
  struct assembly *assemblies;  /* that no transfer uses */
  bool keeps_uploads;           /* libcurl does, see transport.c */
  size_t in_flight;
  struct gate gate;
  bool *is_open;                /* by descriptor: a connection of ours */
  size_t n_open;                /* its size */
  struct buf error;
  struct transport_header headers[ASSEMBLY_MAX_HEADERS];
};

/* What curl_easy_setopt and its kin return matters only for options a
 * libcurl may be built without; those that must hold are checked. */
#define SET(easy, option, value) \
  ((void) curl_easy_setopt ((easy), (option), (value)))

/* A used or a new one, on the list of the busy; and back for the next. */
struct transfer *transfer_take (struct transport *transport,
                                enum transfer_kind kind);
void transfer_give_back (struct transfer *transfer);
void transfer_free (struct transfer *transfer);

/* Tell libcurl about transfer->request.  -1 with transfer->fault. */
int transfer_set (struct transfer *transfer);
/* Whether a mail only met a kept connection that the server had given up,
 * before anything was answered and any recipient named: it is then set to
 * go over a new one, this once. */
bool transfer_set_again (struct transfer *transfer, CURLcode code);

/* The limits that hold, as asked for or by default. */
int64_t transfer_connect_ms (const struct transport_request *request);
int64_t transfer_total_ms (const struct transport_request *request);

/* The parts of it, each in its file. */
void transfer_prepare_smtp (struct transfer *transfer);
int transfer_set_smtp (struct transfer *transfer);
/* Room for n list nodes and len bytes of lines, so that neither moves
 * while it is filled; and the first n nodes as a list. */
void transfer_reserve (struct transfer *transfer, size_t n, size_t len);
struct curl_slist *nodes_link (struct curl_slist *nodes, size_t n);
bool has_line_end (const char *text, size_t len);

/* What it came to. */
void transfer_fill (struct transfer *transfer, CURLcode code,
                    struct transport_reply *reply);

/* libcurl's callbacks that belong to connections. */
curl_socket_t on_open_socket (void *data, curlsocktype purpose,
                              struct curl_sockaddr *address);
int on_close_socket (void *data, curl_socket_t fd);
/* A connection of ours that is not closed yet. */
bool transport_is_open (const struct transport *transport, int fd);

#endif
