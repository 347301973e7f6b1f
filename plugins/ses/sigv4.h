/* sigv4.h - Amazon's Signature Version 4, of any request.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef SES_SIGV4_H
#define SES_SIGV4_H

#include "herald-plugin.h"

struct sigv4_keys {
  const char *access_key;
  const char *secret_key;
  const char *session_token; /* NULL: none */
  const char *region;        /* "eu-west-1" */
  const char *service;       /* "ses" */
};

/* The headers are those to sign; Host must be one, with its port where
 * that is not the scheme's, and X-Amz-... all that are sent but the two of
 * sigv4_sign.
 */
struct sigv4_request {
  const char *method;
  const char *path;                  /* as it is sent */
  const struct herald_header *query; /* as it is meant, not escaped */
  size_t n_query;
  const struct herald_header *headers;
  size_t n_headers;
  const void *body;
  size_t body_len;
  int64_t time_ms; /* since the epoch */
};

struct sigv4_signature {
  const char *date;          /* the value of X-Amz-Date */
  const char *authorization; /* ... of Authorization */
};

/* Sign a request, to be sent with both headers of the signature and, where
 * there is a session token, with that as X-Amz-Security-Token.  For every
 * service but S3, which does not escape the path again.
 */
void sigv4_sign (const struct sigv4_request *request,
                 const struct sigv4_keys *keys,
                 struct sigv4_signature *ret_signature);

#endif /* SES_SIGV4_H */
