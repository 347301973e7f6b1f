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
  CAUSE_OTHER,                /* detail says what */
  CAUSE_URL,
  CAUSE_REQUEST,              /* detail: what is wrong with it */
  CAUSE_GUARD,                /* detail: the guard's reason */
  CAUSE_RESOLVE,
  CAUSE_RESOLVE_PROXY,
  CAUSE_CONNECT,              /* os_error says why */
  CAUSE_PROXY,                /* detail: what the proxy said */
  CAUSE_PROXY_LOGIN,
  CAUSE_CONNECT_TIMEOUT,
  CAUSE_TIMEOUT,
  CAUSE_TLS,                  /* detail: the library's reason */
  CAUSE_CA_UNKNOWN,
  CAUSE_CERTIFICATE_NAME,
  CAUSE_CERTIFICATE_EXPIRED,
  CAUSE_CERTIFICATE,          /* detail: the library's reason */
  CAUSE_CA_FILE,
  CAUSE_NO_STARTTLS,
  CAUSE_NO_LOGIN,             /* only kinds that are not known here */
  CAUSE_LOGIN_NOT_OFFERED,
  CAUSE_RESET,                /* the connection broke */
  CAUSE_STREAM,               /* one stream of HTTP/2 broke */
  CAUSE_NO_PROTOCOL           /* what came is no HTTP or SMTP */
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

enum failure_class failure_class (enum failure_cause cause);

/* "api.example.com:443" of a URL, without credentials. */
void failure_add_host (struct buf *out, const char *url, int with_port);

#endif
