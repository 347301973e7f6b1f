/* no-abi.c - a shared object that is no plugin, for test-loader.
 *
 * SPDX-License-Identifier: MIT
 */

#include "herald-plugin.h"

HERALD_EXPORT int no_abi_answer (void);

int
no_abi_answer (void)
{
  return 42;
}
