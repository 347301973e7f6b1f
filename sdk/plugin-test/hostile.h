/* hostile.h - a case again, with values and replies meant to do harm.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef PLUGIN_TEST_HOSTILE_H
#define PLUGIN_TEST_HOSTILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "fixture.h"

/* Participants type quotes, braces, line breaks, nothing, and very much.
 * Each JSON body must still parse, and have no member and no item more
 * than with harmless values. */
bool hostile_values (struct fixture *fixture, struct buf *notes);
/* The service answers with what it never should.  Each delivery must have
 * one outcome, and the plugin no fault. */
bool hostile_replies (struct fixture *fixture, struct buf *notes);

#endif
