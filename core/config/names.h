/* names.h - a set of names in an array, sorted, so that it is asked for
 * each event at little cost.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_NAMES_H
#define HERALD_NAMES_H

#include <stdbool.h>
#include <stddef.h>

bool names_have (const char *const *names, size_t n, const char *name);
/* Put name, which is not copied, at its place; there must be room for it.
 * False if it is there already. */
bool names_insert (const char **names, size_t *n, const char *name);

#endif
