/* configuration_parts.h - what the parts of a configuration share.
 *
 * Only for configuration*.c.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CONFIGURATION_PARTS_H
#define HERALD_CONFIGURATION_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "config/configuration.h"

/* Each <fallback>: a descriptor whose one is wrong has errors. */
void configuration_check_fallbacks (struct configuration *configuration,
                                    struct problems *problems);

/* Whether a file of conf.d is a descriptor's, by its name. */
bool configuration_is_file (const char *name);
/* The place of the descriptor of that name; n_descriptors if there is
 * none. */
size_t configuration_place (const struct configuration *configuration,
                            const char *name);
/* Room for n descriptors more. */
void configuration_make_room (struct configuration *configuration, size_t n);
/* herald.xml among the copies; no file of conf.d is called so. */
#define CONFIGURATION_HOST_COPY ".herald.xml"
/* Where the copies are: a directory of the state directory; NULL: of that
 * which herald.xml names. */
void configuration_add_good (const struct configuration *configuration,
                             const char *state_directory, struct buf *out);

#endif
