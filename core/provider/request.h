/* request.h - one exchange as a plugin writes it.
 *
 * Errors stick to the job (job_fault).  All memory is the job's.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_REQUEST_H
#define HERALD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "herald-plugin.h"
#include "message.h"

struct job;

enum request_body {
  REQUEST_NO_BODY, REQUEST_JSON, REQUEST_BYTES, REQUEST_PARAMS,
  REQUEST_FORM, REQUEST_MESSAGE
};

struct request_header {         /* the shape of transport_header */
  const char *name;
  const char *value;
};

struct herald_request {
  struct herald_request *next;  /* in the order made */
  struct job *job;
  herald_reply_fn *on_reply;    /* NULL: by status */
  void *tag;
  const char *method;
  struct buf url;               /* with the query */
  size_t n_headers, headers_size;
  struct request_header *headers;
  enum request_body kind;
  struct buf body;
  char boundary[40];            /* of a form */
  size_t n_covers, covers_size;
  size_t *covers;               /* NULL: all that are not settled */
  const char *user, *password;  /* smtp */
  int tls;
  struct message *message;
  bool is_smtp;
  bool uses_token;
  bool is_sent, is_answered;
};

/* Called once when .build or a handler has returned: closes a form,
 * checks the body (JSON where it says so, UTF-8), sets what .covers left
 * out, Content-Type. */
void request_seal (struct herald_request *request);

/* For explain and the test kit: "POST https://...\nName: value\n\nbody". */
void request_add_text (const struct herald_request *request,
                       struct buf *out);

#endif
