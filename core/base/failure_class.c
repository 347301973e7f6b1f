/* failure_class.c - why an attempt failed, in one word for metrics.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/failure_class.h"

const char *
failure_class_name (enum failure_class class)
{
  static const char *const names[FAILURE_CLASSES] = {
    "none", "connect", "timeout", "tls", "limited", "server", "client",
    "credentials", "plugin", "other"
  };

  return (unsigned) class < FAILURE_CLASSES ? names[class] : "other";
}
