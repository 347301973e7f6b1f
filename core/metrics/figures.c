/* figures.c - what all boards of a run directory say together.
 *
 * SPDX-License-Identifier: MIT
 */

#include "metrics/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIGURES_BOARDS = 1024 };

static int
figures_compare (const void *a, const void *b)
{
  const struct figures_lane *x = a, *y = b;
  int order = strcmp (x->name, y->name);

  return order != 0 ? order : strcmp (x->provider, y->provider);
}

static void
figures_add_all (uint64_t *sums, const uint64_t *counters, size_t n)
{
  for (size_t i = 0; i < n; i++)
    sums[i] += board_get (&counters[i]);
}

static void
figures_add_intake (struct board_intake *sum, const struct board_intake *one,
                    bool is_up)
{
  sum->accepted += board_get (&one->accepted);
  sum->seen += board_get (&one->seen);
  figures_add_all (sum->refused, one->refused, BOARD_REFUSALS);
  figures_add_all (sum->requests, one->requests,
                   sizeof sum->requests / sizeof *sum->requests);
  sum->bytes += board_get (&one->bytes);
  if (is_up)
    sum->connections += board_get (&one->connections);
}

static void
figures_add_lane (struct figures_lane *sum, const struct board_lane *lane)
{
  int64_t failed_ms = (int64_t) board_get (&lane->failed_ms);

  sum->delivered += board_get (&lane->delivered);
  sum->requests += board_get (&lane->requests);
  figures_add_all (sum->retried, lane->retried, FAILURE_CLASSES);
  figures_add_all (sum->rejected, lane->rejected, FAILURE_CLASSES);
  figures_add_all (sum->dead, lane->dead, FAILURE_CLASSES);
  histogram_sum (&sum->latency, &lane->latency);
  histogram_sum (&sum->age, &lane->age);
  if (failed_ms > sum->failed_ms) {
    sum->failed_ms = failed_ms;
    board_text_get (&lane->failure, sum->failure);
  }
}

static void
figures_take_gauges (struct figures_lane *sum, const struct board_lane *lane,
                     unsigned worker)
{
  uint64_t state = board_get (&lane->state);

  sum->is_here = true;
  sum->worker = worker;
  sum->in_flight = board_get (&lane->in_flight);
  sum->held = board_get (&lane->held);
  sum->cap = board_get (&lane->cap);
  sum->state = state < BOARD_STATES ? (enum board_state) state : BOARD_OPEN;
  sum->until_ms = (int64_t) board_get (&lane->until_ms);
  board_text_get (&lane->reason, sum->reason);
}

static struct figures_lane *
figures_lane_of (struct figures *figures, const struct board_lane *lane)
{
  struct figures_lane *sum;

  for (size_t i = 0; i < figures->n_lanes; i++)
    if (strcmp (figures->lanes[i].name, lane->name) == 0
        && strcmp (figures->lanes[i].provider, lane->provider) == 0)
      return &figures->lanes[i];
  figures->lanes = memory_resize (figures->lanes, figures->n_lanes + 1,
                                  sizeof *figures->lanes);
  sum = &figures->lanes[figures->n_lanes++];
  memset (sum, 0, sizeof *sum);
  memcpy (sum->name, lane->name, sizeof sum->name);
  memcpy (sum->provider, lane->provider, sizeof sum->provider);
  return sum;
}

static void
figures_add_board (struct figures *figures, struct board *board)
{
  struct figures_process *process = &figures->processes[figures->n_processes];
  const struct board_process *about = board_process (board);
  const struct board_lane *lane;

  process->role = board_role (board);
  if (process->role == BOARD_INTAKE)
    snprintf (process->name, sizeof process->name, "intake");
  else
    snprintf (process->name, sizeof process->name, "worker-%u",
              board_index (board));
  process->is_up = board_is_up (board, figures->now_ms);
  process->pid = (int64_t) board_get (&about->pid);
  process->started_ms = (int64_t) board_get (&about->started_ms);
  process->beat_ms = (int64_t) board_get (&about->beat_ms);
  process->starts = board_get (&about->starts);
  histogram_sum (&process->commit, &about->commit);
  figures->n_processes++;
  if (process->role == BOARD_INTAKE)
    figures_add_intake (&figures->intake, board_intake (board),
                        process->is_up);
  for (size_t i = 0; (lane = board_lane_at (board, i)) != NULL; i++) {
    struct figures_lane *sum = figures_lane_of (figures, lane);

    figures_add_lane (sum, lane);
    if (process->is_up && board_get (&lane->is_here) != 0)
      figures_take_gauges (sum, lane, board_index (board));
  }
}

struct figures *
figures_read (const char *run_directory, int64_t now_ms)
{
  struct figures *figures = memory_zeroed (1, sizeof *figures);
  struct board **boards = memory_zeroed (FIGURES_BOARDS, sizeof *boards);
  size_t n = board_look_all (run_directory, boards, FIGURES_BOARDS);

  figures->now_ms = now_ms;
  figures->processes = memory_zeroed (n + 1, sizeof *figures->processes);
  for (size_t i = 0; i < n; i++) {
    figures_add_board (figures, boards[i]);
    board_close (boards[i]);
  }
  free (boards);
  if (figures->n_lanes > 0)
    qsort (figures->lanes, figures->n_lanes, sizeof *figures->lanes,
           figures_compare);
  return figures;
}

void
figures_free (struct figures *figures)
{
  if (figures == NULL)
    return;
  free (figures->processes);
  free (figures->lanes);
  free (figures);
}

const struct figures_lane *
figures_lane (const struct figures *figures, const char *name)
{
  const struct figures_lane *found = NULL;

  for (size_t i = 0; i < figures->n_lanes; i++)
    if (strcmp (figures->lanes[i].name, name) == 0
        && (found == NULL || figures->lanes[i].is_here))
      found = &figures->lanes[i];
  return found;
}

uint64_t
figures_total (const uint64_t by_class[FAILURE_CLASSES])
{
  uint64_t sum = 0;

  for (size_t i = 0; i < FAILURE_CLASSES; i++)
    sum += by_class[i];
  return sum;
}
