/* queue.c - herald queue: what waits in the store, lane by lane.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/json_doc.h"
#include "metrics/figures.h"
#include "options.h"
#include "output.h"
#include "status_view.h"
#include "store.h"
#include "table.h"

/* Why a lane stands still, if more is known than that nobody works. */
static const char *
queue_remark (const struct store *store, const struct figures *figures,
              const char *name)
{
  const char *why;
  const char *state = status_lane_state (store, figures, name, &why);

  return strcmp (state, "open") == 0 || strcmp (state, "no worker") == 0
           ? "-" : state;
}

static void
queue_print (const struct store *store, int64_t now_ms)
{
  static const char *const titles[] = {
    "INTEGRATION", ">WAITING", ">RETRYING", ">DEAD", ">OLDEST", "REMARK",
    NULL
  };
  struct table *table = table_new (titles);
  struct figures *figures = figures_read (store->run_directory, now_ms);

  for (size_t i = 0; i < store->n_lanes; i++) {
    const struct queue_lane_state *state = &store->lanes[i].state;

    table_add (table, "%s", state->name);
    table_add (table, "%llu", (unsigned long long) state->waiting);
    table_add (table, "%llu", (unsigned long long) state->retrying);
    table_add (table, "%llu", (unsigned long long) state->dead);
    table_add_duration (table, state->oldest_ms == 0           ? -1
                               : now_ms > state->oldest_ms
                                 ? now_ms - state->oldest_ms : 0);
    table_add (table, "%s", queue_remark (store, figures, state->name));
  }
  table_print (table);
  if (store->n_lanes == 0)
    printf ("nothing was ever kept for an integration here\n");
  table_free (table);
  figures_free (figures);
}

static void
queue_print_json (const struct store *store)
{
  struct json_doc *doc = json_doc_object (), *list = json_doc_array ();

  for (size_t i = 0; i < store->n_lanes; i++) {
    const struct queue_lane_state *state = &store->lanes[i].state;
    const struct descriptor *descriptor = store_descriptor (store,
                                                            state->name);
    struct json_doc *row = json_doc_object ();

    json_doc_put (row, "integration", json_doc_text (state->name));
    json_doc_put (row, "configured", json_doc_bool (descriptor != NULL));
    json_doc_put (row, "enabled",
                  json_doc_bool (descriptor != NULL
                                 && descriptor->is_enabled));
    json_doc_put (row, "paused", json_doc_bool (state->is_paused));
    json_doc_put (row, "waiting",
                  json_doc_number ((int64_t) state->waiting));
    json_doc_put (row, "retrying",
                  json_doc_number ((int64_t) state->retrying));
    json_doc_put (row, "dead", json_doc_number ((int64_t) state->dead));
    json_doc_put (row, "oldest", output_json_time (state->oldest_ms));
    json_doc_push (list, row);
  }
  json_doc_put (doc, "store", json_doc_text (store->directory));
  json_doc_put (doc, "bytes",
                json_doc_number (store->queue != NULL
                                   ? queue_bytes (store->queue) : 0));
  json_doc_put (doc, "lanes", list);
  output_json (doc);
}

int
command_queue (const struct command_globals *globals, int argc, char **argv)
{
  bool is_json = false;
  const struct option_row rows[] = {
    { OPTION_FLAG, "json", 0, NULL, "print JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "queue",
    .usage = "[options]",
    .about = "Show what the store keeps for each integration: deliveries "
             "that wait for their turn, that wait for the time of their next "
             "attempt, dead letters, and since when the oldest waits.  Works "
             "with and without a daemon.",
    .rows = rows,
    .notes = "exit codes: 0 done, 2 bad usage, 3 the configuration can't be "
             "used, 4 the store can't be used",
  };
  struct store *store;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  store = store_open (globals, &status);
  if (store == NULL)
    return status;
  store_look (store);
  if (store->queue == NULL)
    store_say_none (store);
  if (is_json)
    queue_print_json (store);
  else if (store->queue != NULL)
    queue_print (store, date_now_ms ());
  store_close (store);
  return EXIT_DONE;
}
