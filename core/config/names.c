/* names.c - a set of names in an array, sorted.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/names.h"

#include <string.h>

/* Where name is, or belongs. */
static size_t
find_place (const char *const *names, size_t n, const char *name)
{
  size_t first = 0;

  while (n > 0) {
    size_t half = n / 2;

    if (strcmp (names[first + half], name) < 0) {
      first += half + 1;
      n -= half + 1;
    } else {
      n = half;
    }
  }
  return first;
}

bool
names_have (const char *const *names, size_t n, const char *name)
{
  size_t place = find_place (names, n, name);

  return place < n && strcmp (names[place], name) == 0;
}

bool
names_insert (const char **names, size_t *n, const char *name)
{
  size_t place = find_place ((const char *const *) names, *n, name);

  if (place < *n && strcmp (names[place], name) == 0)
    return false;
  memmove (names + place + 1, names + place, (*n - place) * sizeof *names);
  names[place] = name;
  (*n)++;
  return true;
}
