/* misnamed.c - a plugin in a file of another name, for test-loader.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

static int
other_build (void *instance, struct herald_job *job)
{
  (void) instance;
  (void) job;
  return -1;
}

static const struct herald_plugin other = {
  .name = "other",
  .label = "Other",
  .category = HERALD_WEBHOOK,
  .build = other_build
};

HERALD_REGISTER (other);
