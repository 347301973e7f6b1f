/* progress.c - one line on a terminal that tells how far it is.
 *
 * SPDX-License-Identifier: MIT
 */

#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"

enum { PROGRESS_EVERY_US = 100000, PROGRESS_BAR = 20 };

struct progress {
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
progress_new (bool is_quiet)
{
  struct progress *progress;

  if (is_quiet || !isatty (STDERR_FILENO))
    return NULL;
  progress = memory_zeroed (1, sizeof *progress);
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
progress_add_bar (struct buf *line, const struct progress_now *now,
                  double elapsed)
{
  double share = (double) now->offset / (double) now->size;
  int full;

  if (share > 1)
    share = 1;
  full = (int) (share * PROGRESS_BAR);
  buf_add_char (line, '[');
  for (int i = 0; i < PROGRESS_BAR; i++)
    buf_add_char (line, i < full ? '#' : '.');
  buf_printf (line, "] %3.0f %%  ", share * 100);
  if (share > 0.01 && share < 1 && elapsed > 1) {
    buf_add_text (line, "left ");
    number_add_duration (line,
                         (int64_t) (elapsed / share * (1 - share)) * 1000);
    buf_add_text (line, "  ");
  }
}

void
progress_draw (struct progress *progress, const struct progress_now *now)
{
  struct winsize size = { .ws_col = 80 };
  int64_t now_us;
  double elapsed;

  if (progress == NULL)
    return;
  now_us = date_monotonic_us ();
  if (now_us - progress->drawn_us < PROGRESS_EVERY_US)
    return;
  progress->drawn_us = now_us;
  elapsed = (double) (now_us - progress->start_us) / 1e6;
  buf_clear (&progress->line);
  if (now->size > 0)
    progress_add_bar (&progress->line, now, elapsed);
  buf_printf (&progress->line,
              "%llu events  %.0f/s  delivered %llu  retrying %llu  failed "
              "%llu",
              (unsigned long long) now->events,
              elapsed > 0.05 ? (double) now->events / elapsed : 0.0,
              (unsigned long long) now->delivered,
              (unsigned long long) now->retrying,
              (unsigned long long) now->failed);
  ioctl (STDERR_FILENO, TIOCGWINSZ, &size);
  fprintf (stderr, "\r\033[K%.*s", size.ws_col > 1 ? size.ws_col - 1 : 79,
           progress->line.data);
  fflush (stderr);
}
