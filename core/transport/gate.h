/* gate.h - how many transfers start at once.
 *
 * A TLS handshake takes ten times the memory of the connection that comes
 * of it.  A thousand requests sent at one moment to new connections start
 * in small groups, each when those before have connected.  A host that
 * does not answer holds a place for a short time only, so it does not keep
 * others out.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_GATE_H
#define HERALD_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transfer;

struct gate_place {             /* a transfer's; zeroed: in no line */
  struct transfer *transfer;
  struct gate_line *line;       /* NULL: neither waits nor starts */
  struct gate_place *next, *prev;
  int64_t until_us;             /* when it counts no more */
};

struct gate_line {
  struct gate_place *first, *last;
  size_t n;
};

struct gate {                   /* zeroed: open */
  struct gate_line waiting;
  struct gate_line starting;
};

void gate_wait (struct gate *gate, struct gate_place *place);
/* It has connected, or ended; nothing happens if it is in no line. */
void gate_leave (struct gate_place *place);
/* The next that may start, or NULL. */
struct transfer *gate_admit (struct gate *gate, int64_t now_us);
/* Nobody waits. */
bool gate_is_empty (const struct gate *gate);
/* The latest time at which gate_admit has to be asked again. */
int64_t gate_opens_us (const struct gate *gate);

#endif
