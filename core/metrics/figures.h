/* figures.h - what all boards of a run directory say together.
 *
 * A copy, taken at one moment: lanes are joined by integration and
 * provider (counters add up over the boards they are on, gauges are those
 * of the worker that has the lane now), and so is what intakes count.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_FIGURES_H
#define HERALD_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/board.h"

struct figures_lane {
  char name[BOARD_NAME], provider[BOARD_NAME];
  uint64_t delivered, requests;
  uint64_t retried[FAILURE_CLASSES];
  uint64_t rejected[FAILURE_CLASSES];
  uint64_t dead[FAILURE_CLASSES];
  struct histogram latency, age;

  bool is_here;                 /* a worker that is up has it; otherwise what
                                   follows, up to failure, is 0 */
  unsigned worker;
  uint64_t in_flight, held, cap;
  enum board_state state;
  int64_t until_ms;
  char reason[BOARD_TEXT];
  char failure[BOARD_TEXT];     /* the last one */
  int64_t failed_ms;            /* 0: none */
};

struct figures_process {
  char name[24];                /* "intake", "worker-0" */
  enum board_role role;
  bool is_up;
  int64_t pid;                  /* 0: it ended by itself */
  int64_t started_ms, beat_ms;
  uint64_t starts;
  struct histogram commit;
};

struct figures {
  int64_t now_ms;
  size_t n_processes;           /* by their names */
  struct figures_process *processes;
  struct board_intake intake;
  size_t n_lanes;               /* by name, then provider */
  struct figures_lane *lanes;
};

/* Never NULL; without a board everything is 0. */
struct figures *figures_read (const char *run_directory, int64_t now_ms);
void figures_free (struct figures *figures);

/* The lane of that integration: the one a worker has, else any; or NULL. */
const struct figures_lane *figures_lane (const struct figures *figures,
                                         const char *name);
/* Of an array by class. */
uint64_t figures_total (const uint64_t by_class[FAILURE_CLASSES]);

#endif
