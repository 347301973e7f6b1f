/* board.h - what a process counts, where others can read it.
 *
 * A board is a file of the run directory, mapped by the one process that
 * writes it and by those that read: /metrics, herald status.  Counting is
 * an addition to memory.  Readers may see one figure a moment before the
 * other, never a torn one.  The figures outlive the process, however it
 * ends; counters go on when it is started again (the file is taken over),
 * and begin at 0 with a new run directory or another layout.  Figures of
 * one thing may lie on several boards (a lane changes its worker): counters
 * add up, gauges are those of the board where is_here.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_BOARD_H
#define HERALD_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure_class.h"
#include "metrics/histogram.h"

struct board;

enum { BOARD_LANES = 512, BOARD_NAME = 65, BOARD_TEXT = 160,
       BOARD_UP_MS = 10000 };

enum board_role { BOARD_INTAKE, BOARD_WORKER };

/* The same numbers as enum lane_state. */
enum board_state {
  BOARD_OPEN, BOARD_TRYING, BOARD_BROKEN, BOARD_PARKED, BOARD_PAUSED,
  BOARD_STOPPED, BOARD_STATES
};
/* "open", "trying", ...: in metrics and for people. */
const char *board_state_name (enum board_state state);

/* Why events were not accepted. */
enum board_refusal {
  BOARD_INVALID,                /* 400 */
  BOARD_UNAUTHORIZED,           /* 401 */
  BOARD_FORBIDDEN,              /* 403: another workspace */
  BOARD_SLOW,                   /* 408 */
  BOARD_TOO_LARGE,              /* 413 */
  BOARD_MEDIA_TYPE,             /* 415 */
  BOARD_LIMITED,                /* 429 */
  BOARD_FULL,                   /* 503: the store or the disk */
  BOARD_UNAVAILABLE,            /* 503: anything else */
  BOARD_REFUSALS
};
const char *board_refusal_name (enum board_refusal refusal);

/* A short text that one thread writes and others read. */
struct board_text {
  uint64_t version;             /* odd: being written */
  uint64_t words[BOARD_TEXT / sizeof (uint64_t)];
};

/* What is said "gauge" is 0 after the process has begun anew. */
struct board_lane {             /* of one integration */
  char name[BOARD_NAME];
  char provider[BOARD_NAME];
  uint64_t is_here;             /* gauge: this process has the lane now */

  uint64_t delivered;
  uint64_t requests;
  uint64_t retried[FAILURE_CLASSES];
  uint64_t rejected[FAILURE_CLASSES];   /* dead letters: sending them again
                                           as they are would not help */
  uint64_t dead[FAILURE_CLASSES];       /* dead letters: given up */

  uint64_t in_flight;           /* gauges: jobs, of one delivery or a batch */
  uint64_t held;                /* deliveries in memory, those in flight too */
  uint64_t cap;                 /* of in_flight */
  uint64_t state;               /* enum board_state */
  uint64_t until_ms;            /* of BROKEN; 0 */
  struct board_text reason;     /* of the state; "" */
  struct board_text failure;    /* the last one, redacted; "" */
  uint64_t failed_ms;           /* when that was */

  struct histogram latency;     /* of an attempt */
  struct histogram age;         /* from accepted to delivered */
};

struct board_intake {
  uint64_t accepted;            /* events */
  uint64_t seen;                /* accepted before */
  uint64_t refused[BOARD_REFUSALS];     /* events, or requests whose events
                                           nobody counted */
  uint64_t requests[6];         /* by the first digit of the answer */
  uint64_t bytes;               /* of bodies, as they came */
  uint64_t connections;         /* gauge */
};

struct board_process {
  uint64_t pid;                 /* 0: it ended by itself */
  uint64_t started_ms;
  uint64_t beat_ms;
  uint64_t starts;              /* of a process that had this board */
  struct histogram commit;      /* of the store: each is one commit */
};

/* ------------------------------------------------------------------ */
/* Writing. */

/* The process's own board; the run directory is made if it is not there
 * (not what it lies in).  Never waits.  NULL with a reason: another process
 * writes it.  If no file can be had (a full disk), the board is memory of
 * this process that nobody else sees, and the reason says why; otherwise
 * the reason is "". */
struct board *board_open (const char *run_directory, enum board_role role,
                          unsigned index, char *ret_reason, size_t size);
/* Also of those that are read.  NULL is fine. */
void board_close (struct board *board);

/* I live; to be said every second or two. */
void board_beat (struct board *board, int64_t now_ms);

struct board_process *board_process (struct board *board);
/* NULL if the board is another role's. */
struct board_intake *board_intake (struct board *board);
/* The lane of that name, made if it is new, the same until board_close ();
 * its gauges are 0.  NULL: the board is full, or another role's.  By one
 * thread only. */
struct board_lane *board_lane (struct board *board, const char *name,
                               const char *provider);
/* The process has the lane no more; its counters stay. */
void board_lane_leave (struct board_lane *lane);

/* By any thread of the process. */
static inline void
board_add (uint64_t *counter, uint64_t n)
{
  __atomic_fetch_add (counter, n, __ATOMIC_RELAXED);
}

static inline void
board_set (uint64_t *gauge, uint64_t value)
{
  __atomic_store_n (gauge, value, __ATOMIC_RELAXED);
}

/* By one thread.  Clipped to what fits. */
void board_text_set (struct board_text *text, const char *value);
/* The state, until when (0: that is not known), and why. */
void board_lane_say (struct board_lane *lane, enum board_state state,
                     int64_t until_ms, const char *reason);

/* ------------------------------------------------------------------ */
/* Reading. */

/* A board of the run directory; NULL if there is none of that name or it
 * is of another layout.  Only what follows may be used of it, and
 * board_process () and board_intake () to read. */
struct board *board_look (const char *run_directory, const char *file);
/* All of them, by their names, at most most; how many. */
size_t board_look_all (const char *run_directory, struct board **ret_boards,
                       size_t most);

enum board_role board_role (const struct board *board);
unsigned board_index (const struct board *board);
/* The writer lives, as far as anyone can tell: its last beat is younger
 * than BOARD_UP_MS. */
bool board_is_up (const struct board *board, int64_t now_ms);
/* The k-th lane; NULL past the last.  Its name and provider stay. */
const struct board_lane *board_lane_at (const struct board *board, size_t k);

static inline uint64_t
board_get (const uint64_t *figure)
{
  return __atomic_load_n (figure, __ATOMIC_RELAXED);
}

/* "" if the writer died while it wrote. */
void board_text_get (const struct board_text *text, char ret_text[BOARD_TEXT]);

#endif
