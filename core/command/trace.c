/* trace.c - herald trace: what became of an event.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/date.h"
#include "base/json_doc.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/redact.h"
#include "base/text.h"
#include "metrics/figures.h"
#include "options.h"
#include "output.h"
#include "status_view.h"
#include "store.h"
#include "table.h"

/* All that is known of the events of one id: sources may share it. */
struct trace {
  struct arena *arena;
  size_t n_attempts;
  struct queue_settlement *attempts;    /* in the order they were made */
  size_t n_left;
  struct queue_left *left;
};

static const char *
trace_end_name (enum queue_end end)
{
  static const char *const names[] = { "delivered", "retry", "dead",
                                       "not tried" };

  return (unsigned) end < sizeof names / sizeof *names ? names[end] : "?";
}

static const char *
trace_left_name (const struct queue_left *left)
{
  if (left->is_dead)
    return "dead";
  return left->due_ms > 0 ? "retrying" : "waiting";
}

static const char *
trace_keep (struct trace *trace, const char *text)
{
  struct buf safe = BUF_INIT (0);

  redact_add (&safe, text, strlen (text), 0);
  text = arena_strdup (trace->arena, safe.data);
  buf_done (&safe);
  return text;
}

/* A Message-ID only looks like an address, and is what the service is asked
 * by. */
static const char *
trace_keep_reference (struct trace *trace, const char *text)
{
  size_t len = strlen (text);

  if (len > 2 && text[0] == '<' && text[len - 1] == '>'
      && text_is_utf8 (text, len) && text_is_one_line (text, len))
    return arena_strdup (trace->arena, text);
  return trace_keep (trace, text);
}

static bool
trace_attempt (void *data, uint32_t lane,
               const struct queue_settlement *settlement)
{
  struct trace *trace = data;
  struct queue_settlement *kept;

  trace->attempts = memory_resize (trace->attempts, trace->n_attempts + 1,
                                   sizeof *trace->attempts);
  kept = &trace->attempts[trace->n_attempts++];
  *kept = *settlement;
  kept->lane = lane;
  kept->reason = trace_keep (trace, settlement->reason);
  kept->reference = trace_keep_reference (trace, settlement->reference);
  kept->via = trace_keep (trace, settlement->via);
  return true;
}

static bool
trace_left (void *data, const struct queue_left *left)
{
  struct trace *trace = data;

  trace->left = memory_resize (trace->left, trace->n_left + 1,
                               sizeof *trace->left);
  trace->left[trace->n_left++] = *left;
  return true;
}

/* ------------------------------------------------------------------ */

static void
trace_print_attempts (const struct store *store, const struct trace *trace)
{
  static const char *const titles[] = {
    "EVENT", "INTEGRATION", "TIME", ">ATTEMPT", "END", ">STATUS", "REFERENCE",
    "VIA", "REASON", NULL
  };
  struct table *table = table_new (titles);

  for (size_t i = 0; i < trace->n_attempts; i++) {
    const struct queue_settlement *one = &trace->attempts[i];

    table_add (table, "%llu", (unsigned long long) one->seq);
    table_add (table, "%s", store_lane_name (store, one->lane));
    table_add_time (table, one->at_ms);
    table_add (table, "%u", (unsigned) one->attempts);
    table_add (table, "%s", trace_end_name (one->end));
    if (one->status != 0)
      table_add (table, "%d", (int) one->status);
    else
      table_add (table, "-");
    table_add (table, "%s", *one->reference != '\0' ? one->reference : "-");
    table_add_text (table, one->via);
    table_add_text (table, one->reason);
  }
  table_print (table);
  table_free (table);
}

/* " (parked)": why it may take longer. */
static void
trace_add_state (struct buf *line, const struct store *store,
                 const struct figures *figures, const char *name)
{
  const char *why;
  const char *state = status_lane_state (store, figures, name, &why);

  if (strcmp (state, "open") != 0)
    buf_printf (line, " (%s)", state);
}

static void
trace_print_left (const struct store *store, const struct trace *trace,
                  int64_t now_ms)
{
  struct figures *figures = figures_read (store->run_directory, now_ms);
  struct buf line = BUF_INIT (0);

  for (size_t i = 0; i < trace->n_left; i++) {
    const struct queue_left *left = &trace->left[i];
    const char *name = store_lane_name (store, left->lane);

    buf_clear (&line);
    buf_printf (&line, "event %llu, %s: ", (unsigned long long) left->seq,
                name);
    if (left->is_dead)
      buf_printf (&line, "a dead letter; \"herald dead show --seq %llu\" "
                  "shows it", (unsigned long long) left->seq);
    else if (left->due_ms > now_ms) {
      buf_add_text (&line, "tried again in ");
      number_add_duration (&line, left->due_ms - now_ms);
      buf_add_text (&line, ", ");
      date_add_rfc3339 (&line, left->due_ms);
    } else if (left->due_ms > 0)
      buf_add_text (&line, "may be tried again");
    else
      buf_add_text (&line, "waits for its turn");
    if (!left->is_dead)
      trace_add_state (&line, store, figures, name);
    printf ("%s\n", line.data);
  }
  buf_done (&line);
  figures_free (figures);
}

static void
trace_print_json (const struct store *store, const struct trace *trace,
                  const char *id, size_t n_events)
{
  struct json_doc *doc = json_doc_object (), *attempts = json_doc_array ();
  struct json_doc *left = json_doc_array ();

  for (size_t i = 0; i < trace->n_attempts; i++) {
    const struct queue_settlement *one = &trace->attempts[i];
    struct json_doc *row = json_doc_object ();

    json_doc_put (row, "seq", json_doc_number ((int64_t) one->seq));
    json_doc_put (row, "integration",
                  json_doc_text (store_lane_name (store, one->lane)));
    json_doc_put (row, "time", output_json_time (one->at_ms));
    json_doc_put (row, "attempt", json_doc_number (one->attempts));
    json_doc_put (row, "end", json_doc_text (trace_end_name (one->end)));
    json_doc_put (row, "status", json_doc_number (one->status));
    json_doc_put (row, "reference", json_doc_text (one->reference));
    json_doc_put (row, "via", json_doc_text (one->via));
    json_doc_put (row, "reason", json_doc_text (one->reason));
    json_doc_push (attempts, row);
  }
  for (size_t i = 0; i < trace->n_left; i++) {
    const struct queue_left *one = &trace->left[i];
    struct json_doc *row = json_doc_object ();

    json_doc_put (row, "seq", json_doc_number ((int64_t) one->seq));
    json_doc_put (row, "integration",
                  json_doc_text (store_lane_name (store, one->lane)));
    json_doc_put (row, "state", json_doc_text (trace_left_name (one)));
    json_doc_put (row, "accepted", output_json_time (one->accepted_ms));
    json_doc_put (row, "attempts", json_doc_number (one->attempts));
    json_doc_put (row, "due", output_json_time (one->due_ms));
    json_doc_push (left, row);
  }
  json_doc_put (doc, "id", json_doc_text (id));
  json_doc_put (doc, "events", json_doc_number ((int64_t) n_events));
  json_doc_put (doc, "attempts", attempts);
  json_doc_put (doc, "left", left);
  output_json (doc);
}

static void
trace_print (const struct store *store, const struct trace *trace,
             size_t n_events)
{
  if (n_events == 0) {
    printf ("no event of that id is known here: it never came, or longer ago "
            "than history goes back\n");
    return;
  }
  if (n_events > 1)
    printf ("%zu events have that id, with different sources or over time\n",
            n_events);
  trace_print_attempts (store, trace);
  trace_print_left (store, trace, date_now_ms ());
  if (trace->n_attempts + trace->n_left == 0)
    printf ("accepted; no integration wants it, or what became of it is "
            "longer ago than history goes back\n");
}

static int
trace_run (struct store *store, const char *id, bool is_json)
{
  struct trace trace = { .arena = arena_new (0) };
  enum queue_error error = QUEUE_OK;
  size_t n_events = 0;
  int status;

  store_look (store);
  if (store->queue == NULL)
    store_say_none (store);
  else {
    error = queue_trace (store->queue, id, trace_attempt, &trace, &n_events);
    if (error == QUEUE_OK)
      error = queue_left (store->queue, id, trace_left, &trace);
  }
  if (error != QUEUE_OK)
    status = store_failed (store);
  else {
    if (is_json)
      trace_print_json (store, &trace, id, n_events);
    else if (store->queue != NULL)
      trace_print (store, &trace, n_events);
    status = n_events > 0 ? EXIT_DONE : EXIT_NOT_ALL;
  }
  free (trace.attempts);
  free (trace.left);
  arena_free (trace.arena);
  return status;
}

int
command_trace (const struct command_globals *globals, int argc, char **argv)
{
  bool is_json = false;
  const struct option_row rows[] = {
    { OPTION_FLAG, "json", 0, NULL, "print JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "trace",
    .usage = "[options] EVENT-ID",
    .about = "Show what became of an event: each attempt for each "
             "integration, with its time, end, the service's status and "
             "reference, who stood in for the integration (via), and the "
             "reason if it failed; then what is still to be done, and when.  "
             "The event's content is never shown.",
    .min_operands = 1,
    .max_operands = 1,
    .rows = rows,
    .notes = "exit codes: 0 the event is known, 1 it is not, 2 bad usage, 3 "
             "the configuration can't be used, 4 the store can't be used",
  };
  struct store *store;
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  store = store_open (globals, &status);
  if (store == NULL)
    return status;
  status = trace_run (store, argv[0], is_json);
  store_close (store);
  return status;
}
