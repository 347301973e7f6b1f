/* progress.h - one line on a terminal that tells how far it is.
 *
 * Nothing at all where standard error is no terminal.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_PROGRESS_H
#define HERALD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress_now {
  uint64_t events;
  uint64_t delivered, retrying, failed; /* deliveries */
  uint64_t offset, size;        /* of the input; size 0: not known */
};

struct progress;

/* NULL if there is nothing to draw on, or is_quiet; the rest takes NULL.
 * done: what "delivered" is called here.  Log lines are written above the
 * line from now on. */
struct progress *progress_new (bool is_quiet, const char *done);
void progress_free (struct progress *progress);
/* Draws at most ten times a second. */
void progress_draw (struct progress *progress,
                    const struct progress_now *now);

#endif
