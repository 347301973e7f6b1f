/* bell.c - tells other processes which lanes to look at.
 *
 * SPDX-License-Identifier: MIT
 */

#include "queue/bell.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/watch.h"

enum { BELL_LANES = 1024 };

struct bell {
  int fd, watch_fd;
  const char *path;
  bool is_watched;
  bool is_noted;
  bool noted[BELL_LANES];
  uint32_t counts[BELL_LANES];  /* as last read */
};

struct bell *
bell_open (int fd, const char *path)
{
  struct bell *bell = memory_zeroed (1, sizeof *bell);

  bell->fd = fd;
  bell->path = path;
  bell->watch_fd = -1;
  return bell;
}

void
bell_close (struct bell *bell)
{
  if (bell == NULL)
    return;
  watch_close (bell->watch_fd);
  free (bell);
}

void
bell_note (struct bell *bell, uint32_t lane)
{
  bell->noted[lane % BELL_LANES] = true;
  bell->is_noted = true;
}

void
bell_unnote (struct bell *bell)
{
  if (bell->is_noted)
    memset (bell->noted, 0, sizeof bell->noted);
  bell->is_noted = false;
}

static void
bell_read (struct bell *bell)
{
  ssize_t n = pread (bell->fd, bell->counts, sizeof bell->counts, 0);

  if (n < 0)
    n = 0;
  if ((size_t) n < sizeof bell->counts)
    memset ((char *) bell->counts + n, 0, sizeof bell->counts - (size_t) n);
}

/* A bell that can't be written is a slow one, no more. */
void
bell_ring (struct bell *bell)
{
  ssize_t n;

  if (!bell->is_noted)
    return;
  bell_read (bell);
  for (size_t i = 0; i < BELL_LANES; i++)
    bell->counts[i] += bell->noted[i];
  n = pwrite (bell->fd, bell->counts, sizeof bell->counts, 0);
  (void) n;
  bell_unnote (bell);
}

int
bell_watch_fd (struct bell *bell)
{
  if (!bell->is_watched)
    bell->watch_fd = watch_open (bell->path);
  bell->is_watched = true;
  return bell->watch_fd;
}

void
bell_heard (struct bell *bell)
{
  if (bell->watch_fd >= 0)
    watch_heard (bell->watch_fd);
  bell_read (bell);
}

uint32_t
bell_count (const struct bell *bell, uint32_t lane)
{
  return bell->counts[lane % BELL_LANES];
}
