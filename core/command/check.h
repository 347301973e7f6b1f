/* check.h - what herald check looks at beside the integrations.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CHECK_H
#define HERALD_CHECK_H

#include "session.h"

/* What the intake asks for beside herald.xml: tokens, users and groups.
 * What is wrong is added to the session's problems. */
void check_intake (const struct session *session);

#endif
