/* newer-minor.c - a plugin of a newer MINOR, for test-loader.
 *
 * It ends the process if it is called: its ABI must be read first.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>

#include "herald-plugin.h"

HERALD_EXPORT extern const struct herald_abi herald_plugin_abi;
HERALD_EXPORT const struct herald_plugin *
herald_plugin_init (const struct herald_host *host);

const struct herald_abi herald_plugin_abi = {
  HERALD_ABI_MAJOR, HERALD_ABI_MINOR + 1,
  sizeof (struct herald_plugin), sizeof (struct herald_field), 0
};

const struct herald_plugin *
herald_plugin_init (const struct herald_host *host)
{
  (void) host;
  abort ();
}
