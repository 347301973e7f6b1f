/* failure_class.h - why an attempt failed, in one word for metrics.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_FAILURE_CLASS_H
#define HERALD_FAILURE_CLASS_H

enum failure_class {
  FAILURE_NONE,
  FAILURE_CONNECT,              /* no connection */
  FAILURE_TIMEOUT,
  FAILURE_TLS,
  FAILURE_LIMITED,              /* 429: too many requests */
  FAILURE_SERVER,               /* 5xx */
  FAILURE_CLIENT,               /* 4xx: this record is wrong */
  FAILURE_CREDENTIALS,          /* the lane is blocked until it is mended */
  FAILURE_PLUGIN,               /* a crash, or no outcome */
  FAILURE_OTHER,
  FAILURE_CLASSES
};

/* "none", "connect", "timeout", ...: the label's value in metrics. */
const char *failure_class_name (enum failure_class class);

#endif
