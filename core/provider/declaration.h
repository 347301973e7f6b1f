/* declaration.h - what a plugin says of itself, checked.
 *
 * The core, herald describe and the forms rely on it, so a mistake is
 * told to the plugin's author once, when it is loaded.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_DECLARATION_H
#define HERALD_DECLARATION_H

#include <stddef.h>

#include "herald-plugin.h"

enum { DECLARATION_MAX_SETTINGS = 200 };

/* plugin and its settings are the core's copies.  name: the file's.  -1
 * with one sentence: what is wrong, of which setting, and what would be
 * right. */
int declaration_check (const struct herald_plugin *plugin,
                       const char *name, char *ret_reason, size_t size);

#endif
