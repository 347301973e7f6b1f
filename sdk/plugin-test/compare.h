/* compare.h - the request a case expects against the one made.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef PLUGIN_TEST_COMPARE_H
#define PLUGIN_TEST_COMPARE_H

#include <stdbool.h>

#include "base/buf.h"
#include "case.h"
#include "provider/request.h"

/* What differs is added to diff, a line each, if that is not NULL. */
bool compare_request (const struct case_exchange *expected,
                      const struct herald_request *made, struct buf *diff);

/* A header of the request, or of its message; NULL if there is none. */
const char *compare_header (const struct herald_request *made,
                            const char *name);

#endif
