/* cut.h - how many requests at once a service bears.
 *
 * Halved when it says that there are too many, one more for each time as
 * many as are allowed went well: it settles a little below the limit.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CUT_H
#define HERALD_CUT_H

#include <stdint.h>

struct cut {
  double cap;                   /* 1 to most */
  uint32_t most;
  int64_t cut_us;               /* when it was halved last */
};

void cut_init (struct cut *cut, uint32_t most);
/* A request that went at began_us met the limit.  Those that went before
 * the last cut say nothing new. */
void cut_down (struct cut *cut, int64_t began_us, int64_t now_us);
void cut_up (struct cut *cut);

#endif
