/* flight.h - the flight recorder: what is in a plugin's hands, in a file
 * that outlives a crash.
 *
 * While a callback of a plugin runs, a mapped file tells which, and of
 * which deliveries.  When the process crashes in it (a fatal signal, or
 * the plugin calls exit ()), that is noted as well: the next process
 * marks those deliveries, and tries each alone.  What ends without a
 * crash (SIGKILL, a clean end) leaves nothing.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_FLIGHT_H
#define HERALD_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flight;

enum flight_step {
  FLIGHT_WORK,                  /* .build, or a reply's handler */
  FLIGHT_OPEN,                  /* .open or .close */
  FLIGHT_TOKEN,
  FLIGHT_VERIFY,
  FLIGHT_STEPS
};

/* A delivery, by its lane and number in the queue. */
struct flight_mark {
  uint64_t seq;
  uint32_t lane;
  uint32_t spare;
};

enum { FLIGHT_MARKS = 10000 };  /* of one callback; as many as the largest
                                   batch that can be configured */

/* Take over the file at path, or make it; what the process before left of
 * a crash is among flight_marks () and flight_crashes () then.  If there is
 * no room for it (a full disk), what is noted is lost with the process, and
 * the reason says so; otherwise that is "".  NULL with a reason: another
 * process writes it, or it can't be opened. */
struct flight *flight_open (const char *path, char *ret_reason, size_t size);
/* Nothing is in a plugin's hands any more. */
void flight_close (struct flight *flight);      /* NULL is fine */

/* From now on a fatal signal, or the end of the process, in a callback is
 * noted.  One recorder of the process; flight NULL: no longer. */
void flight_watch (struct flight *flight);

/* The one callback under way begins, and has returned. */
void flight_enter (struct flight *flight, const char *integration,
                   enum flight_step step);
void flight_add (struct flight *flight, uint32_t lane, uint64_t seq);
void flight_leave (struct flight *flight);

/* The last crash, for the log: which integration, in which step, by which
 * signal (0: it called exit ()).  False: the process before did not crash
 * in a plugin. */
bool flight_last (const struct flight *flight, const char **ret_integration,
                  enum flight_step *ret_step, int *ret_signal);
const char *flight_step_name (enum flight_step step);

/* What is to be marked in the queue, of all crashes so far; until
 * flight_marked () says that those of the lane are on disk.  A copy to
 * free, or NULL: none. */
struct flight_mark *flight_marks (struct flight *flight, size_t *ret_n);
/* By any thread, at once: if it were not noted they would be marked again
 * by the next process. */
void flight_marked (struct flight *flight, uint32_t lane);

/* How often in a row the integration has crashed in a step that is of no
 * delivery (.open, .token, .verify).  version is a number for its plugin
 * and settings: crashes of another one do not count.  To be asked before
 * it is opened. */
unsigned flight_crashes (struct flight *flight, const char *integration,
                         uint64_t version);
/* And in a delivery: how often, with never ten minutes in between. */
unsigned flight_work_crashes (struct flight *flight,
                              const char *integration);
/* Start to count anew. */
void flight_forgive (struct flight *flight, const char *integration);

#endif
