/* cut.c - how many requests at once a service bears.
 *
 * SPDX-License-Identifier: MIT
 */

#include "cut.h"

void
cut_init (struct cut *cut, uint32_t most)
{
  *cut = (struct cut) { .cap = most, .most = most, .cut_us = -1 };
}

void
cut_down (struct cut *cut, int64_t began_us, int64_t now_us)
{
  if (began_us <= cut->cut_us)
    return;
  cut->cap = cut->cap > 2 ? cut->cap / 2 : 1;
  cut->cut_us = now_us;
}

void
cut_up (struct cut *cut)
{
  if (cut->cap >= cut->most)
    return;
  cut->cap += 1 / cut->cap;
  if (cut->cap > cut->most)
    cut->cap = cut->most;
}
