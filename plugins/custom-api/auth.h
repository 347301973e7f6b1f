/* auth.h - how an endpoint recognises herald.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef CUSTOM_API_AUTH_H
#define CUSTOM_API_AUTH_H

#include "herald-plugin.h"

/* A header of every request; NULL: none. */
struct auth {
  const char *name, *value;
};

/* Of the setting auth. */
extern const struct herald_choice auth_choices[] HERALD_HIDDEN;

/* Of auth, api-key and header-name; may complain. */
void auth_read (struct auth *auth, const struct herald_settings *settings);

#endif /* CUSTOM_API_AUTH_H */
