/* proof.h - a mailer sends nothing until its test e-mail was accepted.
 *
 * What was accepted is remembered in the state directory, one file an
 * integration, as a keyed fingerprint of exactly these settings (values,
 * sender, reply-to, bcc, template id, provider); a changed setting asks
 * for a new test.  The key lies beside them, 0600, so a fingerprint tells
 * nobody a password.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_PROOF_H
#define HERALD_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "integration.h"

enum proof_kind {
  PROOF_NONE,                   /* never */
  PROOF_STALE,                  /* of other settings */
  PROOF_GOOD
};

/* ret_time_ms: when (may be NULL). */
enum proof_kind proof_read (const char *state_directory,
                            const struct integration *integration,
                            int64_t *ret_time_ms);
/* Makes the directory (0700) if there is none.  -1 with a reason. */
int proof_write (const char *state_directory,
                 const struct integration *integration,
                 char *ret_reason, size_t size);
void proof_remove (const char *state_directory, const char *name);

#endif
