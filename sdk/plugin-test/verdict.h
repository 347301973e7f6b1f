/* verdict.h - whether a case went as it says.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef PLUGIN_TEST_VERDICT_H
#define PLUGIN_TEST_VERDICT_H

#include <stdbool.h>

#include "base/buf.h"
#include "fixture.h"

/* The fixture's integration did not open, or was not meant to: whether
 * what it complained of is what the case expects. */
bool verdict_of_opening (const struct fixture *fixture, struct buf *notes);
/* Run the case; what is not as expected is added to notes. */
bool verdict_of_run (struct fixture *fixture, struct buf *notes);

#endif
