/* report.c - what a send has come to, for people and for machines.
 *
 * SPDX-License-Identifier: MIT
 */

#include "report.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/number.h"
#include "output.h"
#include "table.h"

enum { REPORT_REASONS = 3 };    /* told of each integration */

static const char *
report_state (const struct lane *lane)
{
  return lane_state (lane) == LANE_BLOCKED ? "blocked" : "open";
}

static void
report_add_latency (struct table *table, const struct stats *stats,
                    double percent)
{
  int64_t us = stats_percentile (stats, percent);

  if (us == 0)
    table_add (table, "-");
  else
    table_add (table, "%.1f ms", (double) us / 1000);
}

static void
report_print_reasons (const char *name, struct stats *stats)
{
  uint64_t others = stats->other_reasons;

  stats_sort_reasons (stats);
  for (size_t i = 0; i < stats->n_reasons; i++)
    if (i < REPORT_REASONS)
      printf ("  %s: %llu x %s\n", name,
              (unsigned long long) stats->reasons[i].n,
              stats->reasons[i].text);
    else
      others += stats->reasons[i].n;
  if (others > 0)
    printf ("  %s: %llu x other reasons\n", name,
            (unsigned long long) others);
}

static void
report_print_lanes (const struct report *report)
{
  static const char *const titles[] = {
    "INTEGRATION", ">DELIVERED", ">REJECTED", ">UNDELIVERED", ">RETRIED",
    ">P50", ">P95", "STATE", NULL
  };
  struct table *table = table_new (titles);

  for (size_t i = 0; i < dispatcher_lanes (report->dispatcher); i++) {
    struct lane *lane = dispatcher_lane (report->dispatcher, i);
    const struct stats *stats = lane_stats (lane);

    table_add (table, "%s", lane_integration (lane)->name);
    table_add (table, "%llu", (unsigned long long) stats->delivered);
    table_add (table, "%llu", (unsigned long long) stats->rejected);
    table_add (table, "%llu", (unsigned long long) stats->undelivered);
    table_add (table, "%llu", (unsigned long long) stats->retried);
    report_add_latency (table, stats, 50);
    report_add_latency (table, stats, 95);
    table_add (table, "%s", report_state (lane));
  }
  for (size_t i = 0; i < dispatcher_absents (report->dispatcher); i++) {
    const struct dispatcher_absent *absent
      = dispatcher_absent (report->dispatcher, i);

    table_add (table, "%s", absent->descriptor->name);
    table_add (table, "0");
    table_add (table, "0");
    table_add (table, "%llu", (unsigned long long) absent->n);
    for (int k = 0; k < 3; k++)
      table_add (table, k == 0 ? "0" : "-");
    table_add (table, "skipped");
  }
  table_print (table);
  table_free (table);
}

static void
report_print_counts (const struct report *report)
{
  struct buf elapsed;

  buf_init (&elapsed, 0);
  number_add_duration (&elapsed, report->elapsed_us / 1000);
  printf ("%s%llu event%s in %s",
          dispatcher_lanes (report->dispatcher)
                + dispatcher_absents (report->dispatcher) > 0 ? "\n" : "",
          (unsigned long long) report->events,
          report->events == 1 ? "" : "s", elapsed.data);
  buf_done (&elapsed);
  if (report->no_match > 0)
    printf (", %llu for no integration",
            (unsigned long long) report->no_match);
  if (report->bad_lines > 0)
    printf (", %llu bad line%s", (unsigned long long) report->bad_lines,
            report->bad_lines == 1 ? "" : "s");
  if (report->not_offered > 0)
    printf (", %llu not begun", (unsigned long long) report->not_offered);
  printf ("%s\n", report->is_stopped ? "; stopped before the end" : "");
}

void
report_print (const struct report *report)
{
  const struct dispatcher *dispatcher = report->dispatcher;

  report_print_lanes (report);
  for (size_t i = 0; i < dispatcher_lanes (dispatcher); i++) {
    struct lane *lane = dispatcher_lane (dispatcher, i);

    report_print_reasons (lane_integration (lane)->name, lane_stats (lane));
  }
  for (size_t i = 0; i < dispatcher_absents (dispatcher); i++) {
    const struct dispatcher_absent *absent
      = dispatcher_absent (dispatcher, i);

    printf ("  %s: %s\n", absent->descriptor->name, absent->reason);
  }
  report_print_counts (report);
}

static struct json_doc *
report_reasons_json (struct stats *stats)
{
  struct json_doc *list = json_doc_array ();

  stats_sort_reasons (stats);
  for (size_t i = 0; i < stats->n_reasons; i++) {
    struct json_doc *one = json_doc_object ();

    json_doc_put (one, "count",
                  json_doc_number ((int64_t) stats->reasons[i].n));
    json_doc_put (one, "reason", json_doc_text (stats->reasons[i].text));
    json_doc_push (list, one);
  }
  return list;
}

static struct json_doc *
report_lane_json (struct lane *lane)
{
  struct stats *stats = lane_stats (lane);
  const struct integration *integration = lane_integration (lane);
  struct json_doc *row = json_doc_object ();

  json_doc_put (row, "name", json_doc_text (integration->name));
  json_doc_put (row, "provider", json_doc_text (integration->provider->name));
  json_doc_put (row, "state", json_doc_text (report_state (lane)));
  json_doc_put (row, "stateReason", json_doc_text (lane_state_reason (lane)));
  json_doc_put (row, "delivered",
                json_doc_number ((int64_t) stats->delivered));
  json_doc_put (row, "rejected", json_doc_number ((int64_t) stats->rejected));
  json_doc_put (row, "undelivered",
                json_doc_number ((int64_t) stats->undelivered));
  json_doc_put (row, "retried", json_doc_number ((int64_t) stats->retried));
  json_doc_put (row, "requests", json_doc_number ((int64_t) stats->requests));
  json_doc_put (row, "p50Us", json_doc_number (stats_percentile (stats, 50)));
  json_doc_put (row, "p95Us", json_doc_number (stats_percentile (stats, 95)));
  json_doc_put (row, "reasons", report_reasons_json (stats));
  return row;
}

static struct json_doc *
report_absent_json (const struct dispatcher_absent *absent)
{
  struct json_doc *row = json_doc_object ();

  json_doc_put (row, "name", json_doc_text (absent->descriptor->name));
  json_doc_put (row, "provider", json_doc_text (absent->descriptor->provider));
  json_doc_put (row, "state", json_doc_text ("skipped"));
  json_doc_put (row, "stateReason", json_doc_text (absent->reason));
  json_doc_put (row, "delivered", json_doc_number (0));
  json_doc_put (row, "rejected", json_doc_number (0));
  json_doc_put (row, "undelivered", json_doc_number ((int64_t) absent->n));
  json_doc_put (row, "retried", json_doc_number (0));
  json_doc_put (row, "requests", json_doc_number (0));
  return row;
}

void
report_print_json (const struct report *report)
{
  const struct dispatcher *dispatcher = report->dispatcher;
  struct json_doc *doc = json_doc_object (), *list = json_doc_array ();

  json_doc_put (doc, "events", json_doc_number ((int64_t) report->events));
  json_doc_put (doc, "noMatch", json_doc_number ((int64_t) report->no_match));
  json_doc_put (doc, "badLines",
                json_doc_number ((int64_t) report->bad_lines));
  json_doc_put (doc, "notBegun",
                json_doc_number ((int64_t) report->not_offered));
  json_doc_put (doc, "undeliveredEvents",
                json_doc_number ((int64_t) report->unsent));
  json_doc_put (doc, "stopped", json_doc_bool (report->is_stopped));
  json_doc_put (doc, "elapsedUs", json_doc_number (report->elapsed_us));
  for (size_t i = 0; i < dispatcher_lanes (dispatcher); i++)
    json_doc_push (list, report_lane_json (dispatcher_lane (dispatcher, i)));
  for (size_t i = 0; i < dispatcher_absents (dispatcher); i++)
    json_doc_push (list,
                   report_absent_json (dispatcher_absent (dispatcher, i)));
  json_doc_put (doc, "integrations", list);
  output_json (doc);
}

bool
report_is_all (const struct report *report)
{
  return report->bad_lines == 0 && report->unsent == 0
         && report->not_offered == 0 && !report->is_stopped;
}
