/* catalogue.h - the source fields an event may have.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CATALOGUE_H
#define HERALD_CATALOGUE_H

#include <stddef.h>

struct catalogue_field {
  const char *key;              /* as in an event's data: "firstName" */
  const char *label;            /* as people know it: "First Name" */
};

struct catalogue;

/* The built-in fields. */
struct catalogue *catalogue_new (void);
void catalogue_free (struct catalogue *catalogue);

/* Add a field (copied).  -1 if the key exists already or is not
 * [A-Za-z][A-Za-z0-9_]*, at most 64 characters. */
int catalogue_add (struct catalogue *catalogue, const char *key,
                   const char *label);

const struct catalogue_field *
catalogue_find (const struct catalogue *catalogue, const char *key,
                size_t len);
/* The key that was probably meant, or NULL; labels are understood too. */
const char *catalogue_nearest (const struct catalogue *catalogue,
                               const char *key);
size_t catalogue_count (const struct catalogue *catalogue);
const struct catalogue_field *
catalogue_at (const struct catalogue *catalogue, size_t k);

#endif
