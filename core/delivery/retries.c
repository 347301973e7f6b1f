/* retries.c - deliveries that wait for their next attempt.
 *
 * SPDX-License-Identifier: MIT
 */

#include "retries.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

void
retries_done (struct retries *retries)
{
  free (retries->items);
  *retries = (struct retries) { 0 };
}

static bool
is_before (const struct delivery *a, const struct delivery *b)
{
  return a->due_us < b->due_us
         || (a->due_us == b->due_us && a->seq < b->seq);
}

void
retries_add (struct retries *retries, struct delivery *delivery)
{
  size_t i = retries->n++;

  if (retries->n > retries->size) {
    retries->size = retries->size > 0 ? 2 * retries->size : 64;
    retries->items = memory_resize (retries->items, retries->size,
                                    sizeof *retries->items);
  }
  while (i > 0) {
    size_t parent = (i - 1) / 2;

    if (!is_before (delivery, retries->items[parent]))
      break;
    retries->items[i] = retries->items[parent];
    i = parent;
  }
  retries->items[i] = delivery;
}

struct delivery *
retries_take (struct retries *retries, int64_t now_us)
{
  struct delivery *first, *moved;
  size_t i = 0;

  if (retries->n == 0 || retries->items[0]->due_us > now_us)
    return NULL;
  first = retries->items[0];
  moved = retries->items[--retries->n];
  for (;;) {
    size_t child = 2 * i + 1;

    if (child >= retries->n)
      break;
    if (child + 1 < retries->n
        && is_before (retries->items[child + 1], retries->items[child]))
      child++;
    if (!is_before (retries->items[child], moved))
      break;
    retries->items[i] = retries->items[child];
    i = child;
  }
  if (retries->n > 0)
    retries->items[i] = moved;
  return first;
}

int64_t
retries_next_us (const struct retries *retries)
{
  return retries->n > 0 ? retries->items[0]->due_us : -1;
}
