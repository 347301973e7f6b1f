/* signature.h - requests signed as Standard Webhooks says.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef CUSTOM_API_SIGNATURE_H
#define CUSTOM_API_SIGNATURE_H

#include "herald-plugin.h"

struct signature_key;

struct signature {
  size_t n_keys;
  struct signature_key *keys;
};

/* Of signing-secret; may complain. */
void signature_read (struct signature *signature,
                     const struct herald_settings *settings);

/* Add the headers, if there are keys; the body must be complete. */
void signature_add (const struct signature *signature,
                    struct herald_request *request, const char *id);

#endif /* CUSTOM_API_SIGNATURE_H */
