/* failure.h - why there is no answer, in an operator's words.
 *
 * Texts name host and port, never a URL's path or query, and no login:
 * those may hold secrets.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_FAILURE_H
#define HERALD_FAILURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "transport.h"

enum failure_cause {
  FAILURE_OTHER,                /* detail says what */
  FAILURE_URL,
  FAILURE_REQUEST,              /* detail: what is wrong with it */
  FAILURE_GUARD,                /* detail: the guard's reason */
  FAILURE_RESOLVE,
  FAILURE_RESOLVE_PROXY,
  FAILURE_CONNECT,              /* os_error says why */
  FAILURE_PROXY,                /* detail: what the proxy said */
  FAILURE_PROXY_LOGIN,
  FAILURE_CONNECT_TIMEOUT,
  FAILURE_TIMEOUT,
  FAILURE_TLS,                  /* detail: the library's reason */
  FAILURE_CA_UNKNOWN,
  FAILURE_CERTIFICATE_NAME,
  FAILURE_CERTIFICATE_EXPIRED,
  FAILURE_CERTIFICATE,          /* detail: the library's reason */
  FAILURE_CA_FILE,
  FAILURE_NO_STARTTLS,
  FAILURE_NO_LOGIN,             /* only kinds that are not known here */
  FAILURE_LOGIN_NOT_OFFERED,
  FAILURE_RESET,                /* the connection broke */
  FAILURE_STREAM,               /* one stream of HTTP/2 broke */
  FAILURE_NO_PROTOCOL           /* what came is no HTTP or SMTP */
};

struct failure {
  enum failure_cause cause;
  const char *url;              /* of the request */
  const char *proxy;            /* or NULL */
  const char *ca_file;          /* or NULL: the library's default */
  int os_error;                 /* an errno, or 0 */
  int64_t limit_ms;             /* of the timeouts */
  const char *detail;           /* or NULL */
};

/* Add the text, and say whether it can get better by itself. */
enum transport_result failure_add (struct buf *out,
                                   const struct failure *failure);

/* "api.example.com:443" of a URL, without credentials. */
void failure_add_host (struct buf *out, const char *url, int with_port);

#endif
