/* request.h - one exchange as a plugin writes it.
 *
 * Errors stick to the job (job_fault).  All memory is the job's.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_REQUEST_H
#define HERALD_REQUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "event/event.h"
#include "herald-plugin.h"
#include "message.h"

struct job;

enum request_body {
  REQUEST_NO_BODY, REQUEST_JSON, REQUEST_BYTES, REQUEST_PARAMS,
  REQUEST_FORM, REQUEST_MESSAGE
};

enum {                          /* ceilings */
  REQUEST_MAX_URL = 16 * 1024,
  REQUEST_MAX_BODY = 32 << 20,
  REQUEST_MAX_HEADERS = 100,
  REQUEST_MAX_DEPTH = 4 * EVENT_MAX_DEPTH       /* of JSON: a record, and what
                                                   a plugin puts around it */
};

struct request_header {         /* the shape of transport_header */
  const char *name;
  const char *value;
};

struct request_field {          /* of a form */
  struct request_field *next;
  const char *name;
  const char *value;
};

struct herald_request {
  struct herald_request *next;  /* in the order made */
  struct job *job;              /* NULL: one past all bounds; a stub */
  herald_reply_fn *on_reply;    /* NULL: by status */
  void *tag;
  const char *method;
  struct buf url;               /* with the query */
  size_t n_headers, headers_size;
  struct request_header *headers;
  enum request_body kind;
  struct buf body;
  size_t merged_len;            /* of the body when it was known to be JSON */
  char boundary[40];            /* of a form */
  struct request_field *fields, *last_field;
  size_t n_covers, covers_size;
  size_t *covers;               /* as the plugin counts; when sealed never
                                   NULL */
  const char *user, *password;  /* smtp */
  int tls;
  struct message *message;
  bool is_smtp;
  bool uses_token;
  bool has_no_type;             /* header ("Content-Type", NULL) */
  bool is_sealed, is_sent, is_answered;
};

/* Never NULL: the job's next request, or past its bounds a stub that
 * takes everything and is not sent. */
struct herald_request *request_new (struct job *job, const char *method,
                                    const char *url,
                                    herald_reply_fn *on_reply);
void request_done (struct herald_request *request);     /* its buffers */

/* Called once when .build or a handler has returned and what it covers
 * is known: closes a form, checks the body (JSON where it says so,
 * UTF-8), sets Content-Type. */
void request_seal (struct herald_request *request);

/* For explain and the test kit: "POST https://...\nName: value\n\nbody",
 * with its secrets. */
void request_add_text (const struct herald_request *request,
                       struct buf *out);

/* What plugins write it with: herald-plugin.h says what each does. */
void request_covers (struct herald_request *request, size_t i);
void request_tag (struct herald_request *request, void *tag);
void request_query (struct herald_request *request, const char *name,
                    const char *value);
void request_header (struct herald_request *request, const char *name,
                     const char *value);
void request_header_line (struct herald_request *request, const char *line);
void request_basic_auth (struct herald_request *request, const char *user,
                         const char *password);
void request_bearer_auth (struct herald_request *request,
                          const char *token);
void request_tls (struct herald_request *request, int tls);

/* request_body.c */
void request_append (struct herald_request *request, const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 2, 3)));
void request_append_member (struct herald_request *request,
                            const char *name, const char *text);
void request_append_values (struct herald_request *request,
                            const char *name, const char *setting);
void request_body (struct herald_request *request, const char *content_type,
                   const void *data, size_t len);
void request_param (struct herald_request *request, const char *name,
                    const char *value);
void request_message (struct herald_request *request, size_t i,
                      const struct herald_mailbox *from);
const char *request_body_text (const struct herald_request *request,
                               size_t *ret_len);
/* True if it may be written and its body is of this kind, or was of none;
 * else it is a fault. */
bool request_is_kind (struct herald_request *request,
                      enum request_body kind);
void request_check_body (struct herald_request *request);

/* request_merge.c */
void request_merge (struct herald_request *request, const char *path,
                    const char *json);

/* request_form.c: multipart/form-data (RFC 7578).  The boundary is made of
 * the job's id, so the same deliveries give the same bytes. */
void request_form (struct herald_request *request, const char *name,
                   const char *value);
void request_write_form (const struct herald_request *request,
                         char boundary[40], struct buf *out);

#endif
