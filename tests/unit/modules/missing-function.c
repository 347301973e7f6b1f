/* missing-function.c - a plugin that lacks a function, for test-loader.
 *
 * Bound lazily it would load, and end the process at the first call.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

int function_that_nobody_has (void);

static int
missing_build (void *instance, struct herald_job *job)
{
  (void) instance;
  (void) job;
  return function_that_nobody_has ();
}

static const struct herald_plugin missing = {
  .name = "missing-function",
  .label = "Missing Function",
  .category = HERALD_WEBHOOK,
  .build = missing_build
};

HERALD_REGISTER (missing);
