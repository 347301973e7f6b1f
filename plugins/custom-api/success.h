/* success.h - the statuses that mean delivered.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef CUSTOM_API_SUCCESS_H
#define CUSTOM_API_SUCCESS_H

#include <stdbool.h>

#include "herald-plugin.h"

enum { SUCCESS_FIRST_STATUS = 200, SUCCESS_LAST_STATUS = 599 };

struct success {
  bool has[SUCCESS_LAST_STATUS + 1];
};

/* Of the setting success; may complain. */
void success_read (struct success *success,
                   const struct herald_settings *settings);
bool success_has (const struct success *success, int32_t status);

#endif /* CUSTOM_API_SUCCESS_H */
