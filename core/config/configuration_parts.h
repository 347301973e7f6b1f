/* configuration_parts.h - what the parts of a configuration share.
 *
 * Only for configuration*.c.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CONFIGURATION_PARTS_H
#define HERALD_CONFIGURATION_PARTS_H

#include "config/configuration.h"

/* Each <fallback>: a descriptor whose one is wrong has errors. */
void configuration_check_fallbacks (struct configuration *configuration,
                                    struct problems *problems);

#endif
