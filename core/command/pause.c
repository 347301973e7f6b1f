/* pause.c - herald pause and resume: hold an integration's deliveries.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>

#include "base/json_doc.h"
#include "base/log.h"
#include "options.h"
#include "output.h"
#include "store.h"

static bool
pause_set (struct store *store, const char *name, bool is_paused)
{
  const struct store_lane *known = store_lane (store, name);
  uint32_t lane = known != NULL ? known->lane
                                : queue_lane (store->queue, name);

  return lane != 0
         && queue_pause (store->queue, lane, is_paused) == QUEUE_OK;
}

static int
pause_all (struct store *store, int n, char **names, bool is_paused,
           bool is_json)
{
  const char *state = is_paused ? "paused" : "resumed";
  struct json_doc *doc = json_doc_object (), *list = json_doc_array ();
  int status = EXIT_DONE;

  for (int i = 0; i < n && status == EXIT_DONE; i++) {
    if (!pause_set (store, names[i], is_paused)) {
      status = store_failed (store);
      break;
    }
    json_doc_push (list, json_doc_text (names[i]));
    if (!is_json)
      printf ("%s is %s\n", names[i], state);
  }
  json_doc_put (doc, state, list);
  if (is_json)
    output_json (doc);
  else
    json_doc_free (doc);
  return status;
}

static int
pause_run (const struct command_globals *globals, int argc, char **argv,
           const char *command, const char *about, bool is_paused)
{
  bool is_json = false;
  const struct option_row rows[] = {
    { OPTION_FLAG, "json", 0, NULL, "print JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = command,
    .usage = "INTEGRATION...",
    .about = about,
    .rows = rows,
    .min_operands = 1,
    .max_operands = -1,
    .notes = "exit codes: 0 done, 2 bad usage, 3 there is no such "
             "integration, or the configuration can't be used, 4 the store "
             "can't be used",
  };
  struct store *store;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  store = store_open (globals, &status);
  if (store == NULL)
    return status;
  store_look (store);
  /* All names are right, or nothing is done. */
  for (int i = 0; i < n; i++)
    if (store_lane (store, argv[i]) == NULL
        && store_descriptor (store, argv[i]) == NULL) {
      store_say_unknown (store, argv[i]);
      status = EXIT_CONFIG;
    }
  if (status == EXIT_DONE && store->queue == NULL) {
    store_say_none (store);
    status = EXIT_FILE;
  }
  if (status == EXIT_DONE)
    status = pause_all (store, n, argv, is_paused, is_json);
  store_close (store);
  return status;
}

int
command_pause (const struct command_globals *globals, int argc, char **argv)
{
  return pause_run (globals, argc, argv, "pause",
                    "Hold these integrations' deliveries: what is on its way "
                    "ends, nothing more goes, and all that arrives is kept "
                    "until \"herald resume\", over restarts too.", true);
}

int
command_resume (const struct command_globals *globals, int argc, char **argv)
{
  return pause_run (globals, argc, argv, "resume",
                    "Let these integrations' deliveries go again.  Where one "
                    "is not paused but blocked, or its endpoint fails, a "
                    "delivery goes at once to see whether it is mended.",
                    false);
}
