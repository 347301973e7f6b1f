/* retries.c - deliveries that wait for their next attempt.
 *
 * SPDX-License-Identifier: MIT
 */

#include "retries.h"

#include <stdlib.h>

#include "base/memory.h"

void
retries_done (struct retries *retries)
{
  free (retries->items);
  *retries = (struct retries) { 0 };
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

    if (retries->items[parent]->due_us <= delivery->due_us)
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
        && retries->items[child + 1]->due_us < retries->items[child]->due_us)
      child++;
    if (retries->items[child]->due_us >= moved->due_us)
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
