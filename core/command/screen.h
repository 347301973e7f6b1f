/* screen.h - a terminal's whole screen, drawn again and again.
 *
 * The terminal's own screen and its settings come back at the end.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SCREEN_H
#define HERALD_SCREEN_H

#include <stdint.h>

#include "base/buf.h"

/* Adds lines to out. */
typedef void screen_draw_fn (void *data, struct buf *out);

/* Draw every interval_ms, after each resize and at any key, on standard
 * output, until q, Ctrl-C or SIGTERM.  Lines are cut at the right, and
 * what does not fit below is left out. */
void screen_run (int64_t interval_ms, screen_draw_fn *fn, void *data);

#endif
