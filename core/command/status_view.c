/* status_view.c - how it stands: the boards, the store and the
 * configuration, joined and put into words.
 *
 * SPDX-License-Identifier: MIT
 */

#include "status_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/memory.h"
#include "base/number.h"
#include "output.h"
#include "serve/pidfile.h"
#include "table.h"

struct status_row {
  const char *name, *provider;
  const struct figures_lane *figures;   /* NULL: nobody counted it yet */
  const struct queue_lane_state *depth; /* NULL: nothing was kept for it */
  const char *state, *why;
};

struct status_view {
  struct figures *figures;
  const struct store *store;    /* lanes are copied: it is looked at again */
  char *directory;
  pid_t supervisor;             /* 0: none runs */
  size_t n_depths;
  struct queue_lane_state *depths;
  int64_t bytes;                /* of the store; -1: there is none */
  size_t n_rows;
  struct status_row *rows;      /* by name */
};

const char *
status_lane_state (const struct store *store, const struct figures *figures,
                   const char *name, const char **ret_why)
{
  const struct descriptor *descriptor = store_descriptor (store, name);
  const struct figures_lane *lane = figures_lane (figures, name);
  const struct store_lane *depth = store_lane (store, name);
  /* A worker goes on with what it has read until it reads it again. */
  bool is_here = lane != NULL && lane->is_here;

  *ret_why = "";
  if (descriptor == NULL && !is_here)
    return "no integration";
  if (depth != NULL && depth->state.is_paused)
    return "paused";
  if (!is_here)
    return descriptor->is_enabled ? "no worker" : "disabled";
  *ret_why = lane->reason;
  return board_state_name (lane->state);
}

static int
status_compare (const void *a, const void *b)
{
  const struct status_row *x = a, *y = b;

  return strcmp (x->name, y->name);
}

/* One row for each name, from wherever it is known. */
static void
status_add_row (struct status_view *view, const char *name,
                const char *provider)
{
  for (size_t i = 0; i < view->n_rows; i++)
    if (strcmp (view->rows[i].name, name) == 0) {
      if (view->rows[i].provider == NULL)
        view->rows[i].provider = provider;
      return;
    }
  view->rows[view->n_rows++] = (struct status_row) { .name = name,
                                                     .provider = provider };
}

static void
status_make_rows (struct status_view *view)
{
  const struct configuration *configuration = view->store->configuration;
  const struct figures *figures = view->figures;

  view->rows = memory_zeroed (configuration->n_descriptors + view->n_depths
                                + figures->n_lanes + 1,
                              sizeof *view->rows);
  for (size_t i = 0; i < configuration->n_descriptors; i++)
    if (configuration->descriptors[i]->is_enabled)
      status_add_row (view, configuration->descriptors[i]->name,
                      configuration->descriptors[i]->provider);
  /* Of what is configured no more only what something is kept of. */
  for (size_t i = 0; i < view->n_depths; i++) {
    const struct queue_lane_state *depth = &view->depths[i];

    if (depth->waiting + depth->retrying + depth->dead > 0
        || depth->is_paused)
      status_add_row (view, depth->name, NULL);
  }
  for (size_t i = 0; i < figures->n_lanes; i++)
    if (figures->lanes[i].is_here)
      status_add_row (view, figures->lanes[i].name,
                      figures->lanes[i].provider);
  qsort (view->rows, view->n_rows, sizeof *view->rows, status_compare);
  for (size_t i = 0; i < view->n_rows; i++) {
    struct status_row *row = &view->rows[i];

    row->figures = figures_lane (figures, row->name);
    if (row->provider == NULL && row->figures != NULL)
      row->provider = row->figures->provider;
    row->state = status_lane_state (view->store, figures, row->name,
                                    &row->why);
    for (size_t k = 0; k < view->n_depths; k++)
      if (strcmp (view->depths[k].name, row->name) == 0)
        row->depth = &view->depths[k];
  }
}

struct status_view *
status_view_new (struct store *store, int64_t now_ms)
{
  struct status_view *view = memory_zeroed (1, sizeof *view);

  store_look (store);
  view->store = store;
  view->directory = memory_strdup (store->directory);
  view->supervisor = pidfile_find (store->state_directory);
  view->figures = figures_read (store->run_directory, now_ms);
  view->bytes = store->queue != NULL ? queue_bytes (store->queue) : -1;
  view->n_depths = store->n_lanes;
  view->depths = memory_zeroed (store->n_lanes + 1, sizeof *view->depths);
  for (size_t i = 0; i < store->n_lanes; i++)
    view->depths[i] = store->lanes[i].state;
  status_make_rows (view);
  return view;
}

void
status_view_free (struct status_view *view)
{
  if (view == NULL)
    return;
  figures_free (view->figures);
  free (view->directory);
  free (view->depths);
  free (view->rows);
  free (view);
}

/* ------------------------------------------------------------------ */

static uint64_t
status_delivered (const struct status_view *view)
{
  uint64_t n = 0;

  for (size_t i = 0; i < view->figures->n_lanes; i++)
    n += view->figures->lanes[i].delivered;
  return n;
}

/* " (12.3/s)", or nothing where there is nothing to compare with. */
static void
status_add_rate (struct buf *out, const char *before, const char *behind,
                 uint64_t now, uint64_t then, int64_t ms)
{
  if (ms > 0 && now >= then)
    buf_printf (out, "%s%.1f/s%s", before, (double) (now - then) * 1000
                                             / (double) ms, behind);
}

static void
status_add_bytes (struct buf *out, int64_t bytes)
{
  static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
  double value = (double) bytes;
  size_t unit = 0;

  while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
    value /= 1024;
    unit++;
  }
  buf_printf (out, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

static void
status_add_us (struct buf *out, int64_t us)
{
  if (us < 1000000)
    buf_printf (out, "%.1f ms", (double) us / 1000);
  else
    number_add_duration (out, us / 1000);
}

static void
status_write_processes (const struct status_view *view, struct buf *out)
{
  const struct figures *figures = view->figures;
  bool is_up = view->supervisor != 0;

  if (is_up)
    buf_printf (out, "serve up (%ld)\n", (long) view->supervisor);
  for (size_t i = 0; i < figures->n_processes; i++) {
    const struct figures_process *process = &figures->processes[i];

    if (process->pid == 0)
      continue;
    buf_printf (out, "%s ", process->name);
    if (process->is_up) {
      is_up = true;
      buf_printf (out, "up (%lld) for ", (long long) process->pid);
      number_add_duration (out, figures->now_ms - process->started_ms);
    } else {
      buf_add_text (out, "DOWN, last heard of ");
      number_add_duration (out, figures->now_ms - process->beat_ms);
      buf_add_text (out, " ago");
    }
    if (process->starts > 1)
      buf_printf (out, ", started %llu times",
                  (unsigned long long) process->starts);
    buf_add_char (out, '\n');
  }
  if (!is_up)
    buf_add_text (out, "no daemon runs here: \"herald serve\" starts it\n");
}

/* " (full 12, forbidden 3)": why. */
static void
status_add_refusals (const struct board_intake *intake, struct buf *out)
{
  const char *before = " (";

  for (size_t i = 0; i < BOARD_REFUSALS; i++)
    if (intake->refused[i] > 0) {
      buf_printf (out, "%s%s %llu", before,
                  board_refusal_name ((enum board_refusal) i),
                  (unsigned long long) intake->refused[i]);
      before = ", ";
    }
  if (before[0] == ',')
    buf_add_char (out, ')');
}

static void
status_write_intake (const struct status_view *view,
                     const struct status_view *before, struct buf *out)
{
  const struct board_intake *intake = &view->figures->intake;
  int64_t ms = before != NULL
                 ? view->figures->now_ms - before->figures->now_ms : 0;
  uint64_t refused = 0;

  for (size_t i = 0; i < BOARD_REFUSALS; i++)
    refused += intake->refused[i];
  buf_printf (out, "accepted %llu", (unsigned long long) intake->accepted);
  status_add_rate (out, " (", ")", intake->accepted,
                   before != NULL ? before->figures->intake.accepted : 0, ms);
  buf_printf (out, "  seen before %llu  refused %llu",
              (unsigned long long) intake->seen,
              (unsigned long long) refused);
  status_add_refusals (intake, out);
  buf_printf (out, "  delivered %llu",
              (unsigned long long) status_delivered (view));
  status_add_rate (out, " (", ")", status_delivered (view),
                   before != NULL ? status_delivered (before) : 0, ms);
  buf_add_char (out, '\n');
}

static void
status_write_store (const struct status_view *view, struct buf *out)
{
  struct histogram commits = { 0 };

  if (view->bytes < 0) {
    buf_printf (out, "there is no store in %s yet\n", view->directory);
    return;
  }
  buf_printf (out, "store %s: ", view->directory);
  status_add_bytes (out, view->bytes);
  for (size_t i = 0; i < view->figures->n_processes; i++)
    histogram_sum (&commits, &view->figures->processes[i].commit);
  if (histogram_count (&commits) > 0) {
    buf_add_text (out, ", commits p50 ");
    status_add_us (out, histogram_percentile (&commits, 50));
    buf_add_text (out, ", p99 ");
    status_add_us (out, histogram_percentile (&commits, 99));
  }
  buf_add_char (out, '\n');
}

static void
status_add_latency (struct table *table, const struct status_row *row,
                    const struct figures_lane *then)
{
  struct histogram latency = { 0 };

  if (row->figures != NULL) {
    latency = row->figures->latency;
    if (then != NULL
        && histogram_count (&latency) > histogram_count (&then->latency))
      histogram_since (&latency, &row->figures->latency, &then->latency);
  }
  for (int percent = 50; percent <= 99; percent += 49) {
    struct buf text = BUF_INIT (0);

    if (histogram_count (&latency) == 0)
      buf_add_char (&text, '-');
    else
      status_add_us (&text, histogram_percentile (&latency, percent));
    table_add (table, "%s", text.data);
    buf_done (&text);
  }
}

/* What holds the lane, and for how long; else what failed last, and when
 * that was. */
static void
status_add_reason (struct table *table, const struct status_row *row,
                   int64_t now_ms)
{
  const struct figures_lane *lane = row->figures;
  bool is_failure = *row->why == '\0';
  const char *why = row->why;
  struct buf text = BUF_INIT (0);

  if (is_failure && lane != NULL && lane->failed_ms > 0)
    why = lane->failure;
  if (lane != NULL && lane->until_ms > now_ms) {
    buf_add_text (&text, "nothing goes for ");
    number_add_duration (&text, lane->until_ms - now_ms);
    buf_add_text (&text, *why != '\0' ? ": " : "");
  } else if (is_failure && *why != '\0') {
    number_add_duration (&text, now_ms > lane->failed_ms
                                  ? now_ms - lane->failed_ms : 0);
    buf_add_text (&text, " ago: ");
  }
  buf_add_text (&text, why);
  table_add_text (table, text.data);
  buf_done (&text);
}

static void
status_add_row_cells (struct table *table, const struct status_view *view,
                      const struct status_view *before,
                      const struct status_row *row)
{
  static const struct queue_lane_state none;
  static const struct figures_lane nothing;
  const struct queue_lane_state *depth = row->depth ? row->depth : &none;
  const struct figures_lane *now = row->figures ? row->figures : &nothing;
  const struct figures_lane *then
    = before != NULL ? figures_lane (before->figures, row->name) : NULL;
  struct buf rate = BUF_INIT (0);
  int64_t age_ms = view->figures->now_ms - depth->oldest_ms;

  if (before != NULL)
    status_add_rate (&rate, "", "", now->delivered,
                     then != NULL ? then->delivered : 0,
                     view->figures->now_ms - before->figures->now_ms);
  table_add (table, "%s", row->name);
  table_add (table, "%s", row->provider != NULL ? row->provider : "-");
  table_add (table, "%s", row->state);
  table_add (table, "%llu", (unsigned long long) depth->waiting);
  table_add (table, "%llu", (unsigned long long) depth->retrying);
  table_add (table, "%llu", (unsigned long long) now->in_flight);
  table_add (table, "%llu", (unsigned long long) depth->dead);
  table_add_duration (table, depth->oldest_ms == 0 ? -1
                             : age_ms > 0          ? age_ms : 0);
  table_add (table, "%llu", (unsigned long long) now->delivered);
  table_add (table, "%s", rate.len > 0 ? rate.data : "-");
  status_add_latency (table, row, then);
  status_add_reason (table, row, view->figures->now_ms);
  buf_done (&rate);
}

void
status_view_write (const struct status_view *view,
                   const struct status_view *before, struct buf *out)
{
  static const char *const titles[] = {
    "INTEGRATION", "PROVIDER", "STATE", ">WAITING", ">RETRYING",
    ">IN FLIGHT", ">DEAD", ">OLDEST", ">DELIVERED", ">RATE", ">P50", ">P99",
    "LAST REASON", NULL
  };
  struct table *table = table_new (titles);

  status_write_processes (view, out);
  status_write_intake (view, before, out);
  status_write_store (view, out);
  for (size_t i = 0; i < view->n_rows; i++)
    status_add_row_cells (table, view, before, &view->rows[i]);
  if (view->n_rows > 0)
    buf_add_char (out, '\n');
  table_write (table, out);
  table_free (table);
}

/* ------------------------------------------------------------------ */

static struct json_doc *
status_histogram_json (const struct histogram *histogram)
{
  struct json_doc *doc = json_doc_object ();

  json_doc_put (doc, "count",
                json_doc_number ((int64_t) histogram_count (histogram)));
  json_doc_put (doc, "sumUs", json_doc_number ((int64_t) histogram->sum_us));
  json_doc_put (doc, "p50Us",
                json_doc_number (histogram_percentile (histogram, 50)));
  json_doc_put (doc, "p99Us",
                json_doc_number (histogram_percentile (histogram, 99)));
  return doc;
}

static struct json_doc *
status_processes_json (const struct figures *figures)
{
  struct json_doc *list = json_doc_array ();

  for (size_t i = 0; i < figures->n_processes; i++) {
    const struct figures_process *process = &figures->processes[i];
    struct json_doc *row = json_doc_object ();

    json_doc_put (row, "name", json_doc_text (process->name));
    json_doc_put (row, "up", json_doc_bool (process->is_up));
    json_doc_put (row, "pid", json_doc_number (process->pid));
    json_doc_put (row, "started", output_json_time (process->started_ms));
    json_doc_put (row, "lastBeat", output_json_time (process->beat_ms));
    json_doc_put (row, "starts", json_doc_number ((int64_t) process->starts));
    json_doc_put (row, "commits", status_histogram_json (&process->commit));
    json_doc_push (list, row);
  }
  return list;
}

static struct json_doc *
status_intake_json (const struct board_intake *intake)
{
  struct json_doc *doc = json_doc_object (), *refused = json_doc_object ();

  for (size_t i = 0; i < BOARD_REFUSALS; i++)
    json_doc_put (refused, board_refusal_name ((enum board_refusal) i),
                  json_doc_number ((int64_t) intake->refused[i]));
  json_doc_put (doc, "accepted", json_doc_number ((int64_t) intake->accepted));
  json_doc_put (doc, "duplicates", json_doc_number ((int64_t) intake->seen));
  json_doc_put (doc, "refused", refused);
  json_doc_put (doc, "bytes", json_doc_number ((int64_t) intake->bytes));
  json_doc_put (doc, "connections",
                json_doc_number ((int64_t) intake->connections));
  return doc;
}

static struct json_doc *
status_classes_json (const uint64_t by_class[FAILURE_CLASSES])
{
  struct json_doc *doc = json_doc_object ();

  for (size_t i = 0; i < FAILURE_CLASSES; i++)
    if (by_class[i] > 0)
      json_doc_put (doc, failure_class_name ((enum failure_class) i),
                    json_doc_number ((int64_t) by_class[i]));
  return doc;
}

static struct json_doc *
status_row_json (const struct status_row *row)
{
  static const struct queue_lane_state none;
  static const struct figures_lane nothing;
  const struct queue_lane_state *depth = row->depth ? row->depth : &none;
  const struct figures_lane *now = row->figures ? row->figures : &nothing;
  struct json_doc *doc = json_doc_object ();

  json_doc_put (doc, "integration", json_doc_text (row->name));
  json_doc_put (doc, "provider", json_doc_text (row->provider));
  json_doc_put (doc, "state", json_doc_text (row->state));
  json_doc_put (doc, "stateReason", json_doc_text (row->why));
  json_doc_put (doc, "until", output_json_time (now->until_ms));
  json_doc_put (doc, "paused", json_doc_bool (depth->is_paused));
  json_doc_put (doc, "waiting", json_doc_number ((int64_t) depth->waiting));
  json_doc_put (doc, "retrying", json_doc_number ((int64_t) depth->retrying));
  json_doc_put (doc, "dead", json_doc_number ((int64_t) depth->dead));
  json_doc_put (doc, "oldest", output_json_time (depth->oldest_ms));
  json_doc_put (doc, "inFlight", json_doc_number ((int64_t) now->in_flight));
  json_doc_put (doc, "held", json_doc_number ((int64_t) now->held));
  json_doc_put (doc, "inFlightCap", json_doc_number ((int64_t) now->cap));
  json_doc_put (doc, "delivered", json_doc_number ((int64_t) now->delivered));
  json_doc_put (doc, "requests", json_doc_number ((int64_t) now->requests));
  json_doc_put (doc, "retried", status_classes_json (now->retried));
  json_doc_put (doc, "rejected", status_classes_json (now->rejected));
  json_doc_put (doc, "givenUp", status_classes_json (now->dead));
  json_doc_put (doc, "attemptTime", status_histogram_json (&now->latency));
  json_doc_put (doc, "eventAge", status_histogram_json (&now->age));
  json_doc_put (doc, "lastFailure",
                json_doc_text (now->failed_ms > 0 ? now->failure : NULL));
  json_doc_put (doc, "lastFailureTime", output_json_time (now->failed_ms));
  return doc;
}

struct json_doc *
status_view_json (const struct status_view *view)
{
  struct json_doc *doc = json_doc_object (), *lanes = json_doc_array ();
  struct json_doc *store = json_doc_object ();
  bool is_up = view->supervisor != 0;

  for (size_t i = 0; i < view->figures->n_processes; i++)
    is_up = is_up || view->figures->processes[i].is_up;
  for (size_t i = 0; i < view->n_rows; i++)
    json_doc_push (lanes, status_row_json (&view->rows[i]));
  json_doc_put (store, "directory", json_doc_text (view->directory));
  json_doc_put (store, "exists", json_doc_bool (view->bytes >= 0));
  json_doc_put (store, "bytes",
                json_doc_number (view->bytes > 0 ? view->bytes : 0));
  json_doc_put (doc, "time", output_json_time (view->figures->now_ms));
  json_doc_put (doc, "running", json_doc_bool (is_up));
  json_doc_put (doc, "supervisor",
                view->supervisor != 0 ? json_doc_number (view->supervisor)
                                      : NULL);
  json_doc_put (doc, "processes", status_processes_json (view->figures));
  json_doc_put (doc, "intake", status_intake_json (&view->figures->intake));
  json_doc_put (doc, "store", store);
  json_doc_put (doc, "integrations", lanes);
  return doc;
}
