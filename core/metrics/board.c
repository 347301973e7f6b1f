/* board.c - what a process counts, where others can read it.
 *
 * SPDX-License-Identifier: MIT
 */

#include "metrics/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/memory.h"
#include "metrics/board_file.h"

struct board {
  struct board_file *file;
  int fd;                       /* -1: nobody else sees it */
  bool is_mine;                 /* to write */
};

const char *
board_state_name (enum board_state state)
{
  static const char *const names[BOARD_STATES] = {
    "open", "trying", "broken", "parked", "paused", "stopped"
  };

  return (unsigned) state < BOARD_STATES ? names[state] : "open";
}

const char *
board_refusal_name (enum board_refusal refusal)
{
  static const char *const names[BOARD_REFUSALS] = {
    "invalid", "unauthorized", "forbidden", "slow", "too_large",
    "media_type", "limited", "full", "unavailable"
  };

  return (unsigned) refusal < BOARD_REFUSALS ? names[refusal] : "invalid";
}

/* ------------------------------------------------------------------ */

static void
board_lane_begin (struct board_lane *lane, bool is_here)
{
  board_set (&lane->in_flight, 0);
  board_set (&lane->held, 0);
  board_set (&lane->cap, 0);
  board_lane_say (lane, BOARD_OPEN, 0, "");
  board_set (&lane->is_here, is_here);
}

/* Counters go on, gauges don't. */
static void
board_begin (struct board_file *file)
{
  struct board_process *process = &file->process;

  if (file->role == BOARD_INTAKE)
    board_set (&file->u.intake.connections, 0);
  else
    for (size_t i = 0; i < file->n_lanes; i++)
      board_lane_begin (&file->u.lanes[i], false);
  board_set (&process->started_ms, (uint64_t) date_now_ms ());
  board_set (&process->beat_ms, process->started_ms);
  board_set (&process->pid, (uint64_t) getpid ());
  board_add (&process->starts, 1);
}

struct board *
board_open (const char *run_directory, enum board_role role, unsigned index,
            char *ret_reason, size_t size)
{
  struct board *board;
  struct board_file *file;
  int fd;

  if (size > 0)
    *ret_reason = '\0';
  switch (board_file_take (run_directory, role, index, &file, &fd,
                           ret_reason, size)) {
  case BOARD_FILE_TAKEN:
    break;
  case BOARD_FILE_HELD:
    return NULL;
  case BOARD_FILE_NONE:
    file = memory_zeroed (1, board_file_size (role));
    file->role = role;
    file->index = index;
    fd = -1;
    break;
  }
  board = memory_zeroed (1, sizeof *board);
  board->file = file;
  board->fd = fd;
  board->is_mine = true;
  board_begin (file);
  return board;
}

void
board_close (struct board *board)
{
  if (board == NULL)
    return;
  if (board->is_mine)
    board_set (&board->file->process.pid, 0);
  if (board->fd < 0)
    free (board->file);
  else
    board_file_leave (board->file, board->fd);
  free (board);
}

void
board_beat (struct board *board, int64_t now_ms)
{
  board_set (&board->file->process.beat_ms, (uint64_t) now_ms);
}

struct board_process *
board_process (struct board *board)
{
  return &board->file->process;
}

struct board_intake *
board_intake (struct board *board)
{
  return board->file->role == BOARD_INTAKE ? &board->file->u.intake : NULL;
}

struct board_lane *
board_lane (struct board *board, const char *name, const char *provider)
{
  struct board_file *file = board->file;
  struct board_lane *lane = NULL;

  if (file->role != BOARD_WORKER)
    return NULL;
  for (size_t i = 0; i < file->n_lanes && lane == NULL; i++)
    if (strcmp (file->u.lanes[i].name, name) == 0
        && strcmp (file->u.lanes[i].provider, provider) == 0)
      lane = &file->u.lanes[i];
  if (lane == NULL && file->n_lanes < BOARD_LANES) {
    lane = &file->u.lanes[file->n_lanes];
    memset (lane, 0, sizeof *lane);
    snprintf (lane->name, sizeof lane->name, "%s", name);
    snprintf (lane->provider, sizeof lane->provider, "%s", provider);
    __atomic_store_n (&file->n_lanes, file->n_lanes + 1, __ATOMIC_RELEASE);
  }
  if (lane != NULL)
    board_lane_begin (lane, true);
  return lane;
}

void
board_lane_leave (struct board_lane *lane)
{
  board_lane_begin (lane, false);
}

/* A version that is odd while the words are written, and other ones
 * afterwards: who has read the same even one before and after has read
 * one text.  The words are atomics because readers do look meanwhile. */
void
board_text_set (struct board_text *text, const char *value)
{
  uint64_t words[BOARD_TEXT / sizeof (uint64_t)] = { 0 };
  uint64_t version = board_get (&text->version);
  size_t len = strlen (value);

  if (len > BOARD_TEXT - 1)
    for (len = BOARD_TEXT - 1; len > 0 && (value[len] & 0xc0) == 0x80;)
      len--;
  memcpy (words, value, len);
  if (version % 2 == 0 && memcmp (words, text->words, sizeof words) == 0)
    return;
  version = (version + 1) | 1;
  board_set (&text->version, version);
  __atomic_thread_fence (__ATOMIC_RELEASE);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    board_set (&text->words[i], words[i]);
  __atomic_store_n (&text->version, version + 1, __ATOMIC_RELEASE);
}

void
board_lane_say (struct board_lane *lane, enum board_state state,
                int64_t until_ms, const char *reason)
{
  board_text_set (&lane->reason, reason);
  board_set (&lane->until_ms, (uint64_t) until_ms);
  board_set (&lane->state, state);
}

/* ------------------------------------------------------------------ */

struct board *
board_look (const char *run_directory, const char *file)
{
  struct board_file *found;
  struct board *board;
  int fd = board_file_look (run_directory, file, &found);

  if (fd < 0)
    return NULL;
  board = memory_zeroed (1, sizeof *board);
  board->file = found;
  board->fd = fd;
  return board;
}

size_t
board_look_all (const char *run_directory, struct board **ret_boards,
                size_t most)
{
  size_t n = 0;
  char **names = board_file_names (run_directory);

  for (size_t i = 0; names[i] != NULL; i++) {
    struct board *board = n < most ? board_look (run_directory, names[i])
                                   : NULL;

    if (board != NULL)
      ret_boards[n++] = board;
    free (names[i]);
  }
  free (names);
  return n;
}

enum board_role
board_role (const struct board *board)
{
  return board->file->role;
}

unsigned
board_index (const struct board *board)
{
  return board->file->index;
}

bool
board_is_up (const struct board *board, int64_t now_ms)
{
  const struct board_process *process = &board->file->process;

  return board_get (&process->pid) != 0
         && now_ms - (int64_t) board_get (&process->beat_ms) < BOARD_UP_MS;
}

const struct board_lane *
board_lane_at (const struct board *board, size_t k)
{
  const struct board_file *file = board->file;

  if (file->role != BOARD_WORKER
      || k >= __atomic_load_n (&file->n_lanes, __ATOMIC_ACQUIRE)
      || k >= BOARD_LANES)
    return NULL;
  return &file->u.lanes[k];
}

void
board_text_get (const struct board_text *text, char ret_text[BOARD_TEXT])
{
  enum { TRIES = 1000 };
  uint64_t words[BOARD_TEXT / sizeof (uint64_t)];

  for (int try = 0; try < TRIES; try++) {
    uint64_t version = __atomic_load_n (&text->version, __ATOMIC_ACQUIRE);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
      words[i] = board_get (&text->words[i]);
    __atomic_thread_fence (__ATOMIC_ACQUIRE);
    if (version % 2 == 0 && board_get (&text->version) == version) {
      memcpy (ret_text, words, sizeof words);
      ret_text[BOARD_TEXT - 1] = '\0';
      return;
    }
  }
  *ret_text = '\0';
}
