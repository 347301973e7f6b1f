/* progress.c - one line on a terminal that tells how far it is.
 *
 * SPDX-License-Identifier: MIT
 */

#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"

enum { PROGRESS_EVERY_US = 100000, PROGRESS_BAR = 20, PROGRESS_LEAST_BAR = 5 };

struct progress {
  const char *done;
  int64_t start_us, drawn_us;
  struct buf line;
};

static void
progress_log (void *data, enum log_level level, const char *line)
{
  (void) data;
  (void) level;
  fprintf (stderr, "\r\033[K%s\n", line);
}

struct progress *
progress_new (bool is_quiet, const char *done)
{
  struct progress *progress;

  if (is_quiet || !isatty (STDERR_FILENO))
    return NULL;
  progress = memory_zeroed (1, sizeof *progress);
  progress->done = done;
  progress->start_us = date_monotonic_us ();
  buf_init (&progress->line, 4096);
  log_to (progress_log, NULL);
  return progress;
}

void
progress_free (struct progress *progress)
{
  if (progress == NULL)
    return;
  log_to (NULL, NULL);
  fprintf (stderr, "\r\033[K");
  buf_done (&progress->line);
  free (progress);
}

static void
progress_add_share (struct buf *line, double share, double elapsed)
{
  buf_printf (line, "%3.0f %%  ", share * 100);
  if (share > 0.01 && share < 1 && elapsed > 1) {
    buf_add_text (line, "left ");
    number_add_duration (line,
                         (int64_t) (elapsed / share * (1 - share)) * 1000);
    buf_add_text (line, "  ");
  }
}

/* In what room the numbers leave; empty if that is little. */
static void
progress_make_bar (char bar[PROGRESS_BAR + 4], double share, size_t room)
{
  size_t len = room < PROGRESS_BAR + 3 ? room - 3 : PROGRESS_BAR;
  size_t full;

  bar[0] = '\0';
  if (room < PROGRESS_LEAST_BAR + 3)
    return;
  full = (size_t) (share * (double) len);
  bar[0] = '[';
  memset (bar + 1, '#', full);
  memset (bar + 1 + full, '.', len - full);
  memcpy (bar + 1 + len, "] ", 3);
}

void
progress_draw (struct progress *progress, const struct progress_now *now)
{
  struct winsize size = { 0 };
  double elapsed, share = 0;
  char bar[PROGRESS_BAR + 4] = "";
  size_t columns = 79;
  int64_t now_us;

  if (progress == NULL)
    return;
  now_us = date_monotonic_us ();
  if (now_us - progress->drawn_us < PROGRESS_EVERY_US)
    return;
  progress->drawn_us = now_us;
  elapsed = (double) (now_us - progress->start_us) / 1e6;
  buf_clear (&progress->line);
  if (now->size > 0) {
    share = (double) now->offset / (double) now->size;
    if (share > 1)
      share = 1;
    progress_add_share (&progress->line, share, elapsed);
  }
  buf_printf (&progress->line,
              "%llu events  %.0f/s  %s %llu  retrying %llu  failed %llu",
              (unsigned long long) now->events,
              elapsed > 0.05 ? (double) now->events / elapsed : 0.0,
              progress->done, (unsigned long long) now->delivered,
              (unsigned long long) now->retrying,
              (unsigned long long) now->failed);
  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
    columns = (size_t) size.ws_col - 1;
  if (now->size > 0 && progress->line.len < columns)
    progress_make_bar (bar, share, columns - progress->line.len);
  fprintf (stderr, "\r\033[K%s%.*s", bar, (int) columns, progress->line.data);
  fflush (stderr);
}
