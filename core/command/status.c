/* status.c - herald status: how it stands, live on a terminal.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "options.h"
#include "output.h"
#include "screen.h"
#include "status_view.h"

/* Rates are those of the last views, not of one interval alone, so that
 * what comes in bursts can be read. */
enum { STATUS_VIEWS = 10, STATUS_LEAST_MS = 100 };

struct status {
  struct store *store;
  struct status_view *views[STATUS_VIEWS];      /* the newest first */
};

static void
status_draw (void *data, struct buf *out)
{
  struct status *status = data;
  const struct status_view *oldest = NULL;
  int64_t now_ms = date_now_ms ();

  status_view_free (status->views[STATUS_VIEWS - 1]);
  memmove (status->views + 1, status->views,
           (STATUS_VIEWS - 1) * sizeof status->views[0]);
  status->views[0] = status_view_new (status->store, now_ms);
  for (int i = 1; i < STATUS_VIEWS && status->views[i] != NULL; i++)
    oldest = status->views[i];
  buf_add_text (out, "herald  ");
  date_add_rfc3339 (out, now_ms);
  buf_add_text (out, "  q ends\n\n");
  status_view_write (status->views[0], oldest, out);
}

static void
status_live (struct store *store, int64_t interval_ms)
{
  struct status status = { .store = store };

  screen_run (interval_ms > STATUS_LEAST_MS ? interval_ms : STATUS_LEAST_MS,
              status_draw, &status);
  for (int i = 0; i < STATUS_VIEWS; i++)
    status_view_free (status.views[i]);
}

static void
status_print (struct store *store, bool is_json)
{
  struct status_view *view = status_view_new (store, date_now_ms ());
  struct buf text = BUF_INIT (0);

  if (is_json)
    output_json (status_view_json (view));
  else {
    status_view_write (view, NULL, &text);
    fwrite (text.data, 1, text.len, stdout);
  }
  buf_done (&text);
  status_view_free (view);
}

int
command_status (const struct command_globals *globals, int argc, char **argv)
{
  int64_t interval_ms = 1000;
  bool is_json = false, is_once = false;
  const struct option_row rows[] = {
    { OPTION_FLAG, "once", '1', NULL, "print it once, on a terminal too",
      &is_once },
    { OPTION_DURATION, "interval", 0, "TIME",
      "how often it is drawn (default 1s)", &interval_ms },
    { OPTION_FLAG, "json", 0, NULL, "print it once, as JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "status",
    .usage = "[options]",
    .about = "Show how it stands: the daemon's processes, what comes in and "
             "goes out, and each integration's lane.  On a terminal it is "
             "drawn again and again until q or Ctrl-C; elsewhere it is "
             "printed once.\n\nStates: open; broken (the endpoint fails, "
             "nothing is tried for a while); trying (one delivery finds out "
             "whether it works again); parked (what the last column names "
             "must be mended; everything is kept); paused (see \"herald "
             "resume\"); stopped; no worker; disabled; no integration (it "
             "was removed, what it had not got is kept).",
    .rows = rows,
    .notes = "exit codes: 0 done, also if no daemon runs, 2 bad usage, 3 the "
             "configuration can't be used, 4 the store can't be used",
  };
  struct store *store;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  store = store_open (globals, &status);
  if (store == NULL)
    return status;
  if (!is_json && !is_once && isatty (STDOUT_FILENO))
    status_live (store, interval_ms);
  else
    status_print (store, is_json);
  store_close (store);
  return EXIT_DONE;
}
