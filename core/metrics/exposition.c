/* exposition.c - the figures as OpenMetrics text, for /metrics.
 *
 * SPDX-License-Identifier: MIT
 */

#include "metrics/exposition.h"

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "metrics/figures.h"
#include "metrics/openmetrics.h"

/* What no worker has is in a state that no board knows. */
#define UNOWNED "unowned"

struct exposition {
  struct buf *out;
  const struct figures *figures;
  size_t n_depths;              /* lanes of the store */
  struct queue_lane_state *depths;
};

static void
exposition_read_depths (struct exposition *exposition, struct queue *queue)
{
  struct queue_lane_state state;
  uint32_t lane;

  for (size_t k = 0; queue_lane_state (queue, k, &lane, &state); k++) {
    exposition->depths = memory_resize (exposition->depths, k + 1,
                                        sizeof *exposition->depths);
    exposition->depths[k] = state;
    exposition->n_depths = k + 1;
  }
}

/* ------------------------------------------------------------------ */

static void
exposition_processes (const struct exposition *exposition)
{
  const struct figures *figures = exposition->figures;
  struct buf *out = exposition->out;

  openmetrics_family (out, "herald_build", "info", NULL, "What runs here.");
  openmetrics_labels (out, "herald_build_info",
                      (const char *[]) { "version", PACKAGE_VERSION, NULL });
  openmetrics_number (out, 1);

  openmetrics_family (out, "herald_process_up", "gauge", NULL,
                      "1: the process has been heard of a moment ago.");
  for (size_t i = 0; i < figures->n_processes; i++) {
    const struct figures_process *process = &figures->processes[i];

    /* One that was ended and not started again is not missing. */
    if (process->pid == 0)
      continue;
    openmetrics_labels (out, "herald_process_up",
                        (const char *[]) { "process", process->name, NULL });
    openmetrics_number (out, process->is_up);
  }
  openmetrics_family (out, "herald_process_start_time_seconds", "gauge",
                      "seconds", "When the process started, since 1970.");
  for (size_t i = 0; i < figures->n_processes; i++) {
    const struct figures_process *process = &figures->processes[i];

    openmetrics_labels (out, "herald_process_start_time_seconds",
                        (const char *[]) { "process", process->name, NULL });
    openmetrics_seconds (out, process->started_ms * 1000);
  }
  openmetrics_family (out, "herald_process_starts", "counter", NULL,
                      "How often the process was started.");
  for (size_t i = 0; i < figures->n_processes; i++) {
    const struct figures_process *process = &figures->processes[i];

    openmetrics_labels (out, "herald_process_starts_total",
                        (const char *[]) { "process", process->name, NULL });
    openmetrics_number (out, process->starts);
  }
  openmetrics_family (out, "herald_store_commit_seconds", "histogram",
                      "seconds", "How long commits of the store took.");
  for (size_t i = 0; i < figures->n_processes; i++)
    openmetrics_histogram (out, "herald_store_commit_seconds",
                           (const char *[]) { "process",
                                              figures->processes[i].name,
                                              NULL },
                           &figures->processes[i].commit);
}

static void
exposition_counter (struct buf *out, const char *family, const char *unit,
                    const char *help, uint64_t value)
{
  openmetrics_family (out, family, "counter", unit, help);
  buf_printf (out, "%s_total", family);
  openmetrics_number (out, value);
}

static void
exposition_intake (const struct exposition *exposition)
{
  const struct board_intake *intake = &exposition->figures->intake;
  struct buf *out = exposition->out;

  exposition_counter (out, "herald_events_accepted", NULL,
                      "Events accepted: on disk.", intake->accepted);
  exposition_counter (out, "herald_events_duplicate", NULL,
                      "Events answered as accepted before.", intake->seen);
  openmetrics_family (out, "herald_events_refused", "counter", NULL,
                      "Events, or whole requests, not accepted.");
  for (size_t i = 0; i < BOARD_REFUSALS; i++) {
    openmetrics_labels (out, "herald_events_refused_total",
                        (const char *[]) {
                          "reason",
                          board_refusal_name ((enum board_refusal) i),
                          NULL });
    openmetrics_number (out, intake->refused[i]);
  }
  openmetrics_family (out, "herald_intake_requests", "counter", NULL,
                      "Requests answered.");
  for (size_t i = 1; i < sizeof intake->requests / sizeof *intake->requests;
       i++) {
    char code[] = "0xx";

    code[0] = (char) ('0' + i);
    openmetrics_labels (out, "herald_intake_requests_total",
                        (const char *[]) { "code", code, NULL });
    openmetrics_number (out, intake->requests[i]);
  }
  exposition_counter (out, "herald_intake_received_bytes", "bytes",
                      "Bodies of requests.", intake->bytes);
  openmetrics_family (out, "herald_intake_connections", "gauge", NULL,
                      "Connections open now.");
  buf_add_text (out, "herald_intake_connections");
  openmetrics_number (out, intake->connections);
}

/* ------------------------------------------------------------------ */

/* Every lane's own labels. */
#define LANE_LABELS(lane) \
  "integration", (lane)->name, "provider", (lane)->provider

static void
exposition_by_class (const struct exposition *exposition, const char *family,
                     const char *sample, const char *help, size_t offset)
{
  const struct figures *figures = exposition->figures;
  struct buf *out = exposition->out;

  openmetrics_family (out, family, "counter", NULL, help);
  for (size_t i = 0; i < figures->n_lanes; i++) {
    const struct figures_lane *lane = &figures->lanes[i];
    const uint64_t *counters
      = (const uint64_t *) (const void *) ((const char *) lane + offset);

    for (size_t k = 0; k < FAILURE_CLASSES; k++) {
      /* A class that can't be is shown only if it was after all. */
      if (k == FAILURE_NONE && counters[k] == 0)
        continue;
      openmetrics_labels (out, sample,
                          (const char *[]) {
                            LANE_LABELS (lane), "class",
                            failure_class_name ((enum failure_class) k),
                            NULL });
      openmetrics_number (out, counters[k]);
    }
  }
}

/* One sample of each lane. */
static void
exposition_by_lane (const struct exposition *exposition, const char *family,
                    const char *type, const char *help, size_t offset)
{
  const struct figures *figures = exposition->figures;
  struct buf *out = exposition->out;
  struct buf sample = BUF_INIT (0);

  openmetrics_family (out, family, type, NULL, help);
  buf_printf (&sample, "%s%s", family,
              strcmp (type, "counter") == 0 ? "_total" : "");
  for (size_t i = 0; i < figures->n_lanes; i++) {
    const struct figures_lane *lane = &figures->lanes[i];

    openmetrics_labels (out, sample.data,
                        (const char *[]) { LANE_LABELS (lane), NULL });
    openmetrics_number (out,
                        *(const uint64_t *) (const void *)
                          ((const char *) lane + offset));
  }
  buf_done (&sample);
}

static void
exposition_deliveries (const struct exposition *exposition)
{
  exposition_by_lane (exposition, "herald_deliveries_delivered", "counter",
                      "Deliveries that arrived.",
                      offsetof (struct figures_lane, delivered));
  exposition_by_class (exposition, "herald_deliveries_retried",
                       "herald_deliveries_retried_total",
                       "Attempts that will be made again.",
                       offsetof (struct figures_lane, retried));
  exposition_by_class (exposition, "herald_deliveries_rejected",
                       "herald_deliveries_rejected_total",
                       "Dead letters: the record is wrong.",
                       offsetof (struct figures_lane, rejected));
  exposition_by_class (exposition, "herald_deliveries_dead",
                       "herald_deliveries_dead_total",
                       "Dead letters: given up.",
                       offsetof (struct figures_lane, dead));
  exposition_by_lane (exposition, "herald_provider_requests", "counter",
                      "Requests sent to the service.",
                      offsetof (struct figures_lane, requests));
  exposition_by_lane (exposition, "herald_lane_in_flight", "gauge",
                      "Jobs (a delivery, or a batch) on their way.",
                      offsetof (struct figures_lane, in_flight));
  exposition_by_lane (exposition, "herald_lane_held", "gauge",
                      "Deliveries in a worker's memory.",
                      offsetof (struct figures_lane, held));
  exposition_by_lane (exposition, "herald_lane_in_flight_cap", "gauge",
                      "How many jobs may be on their way at once.",
                      offsetof (struct figures_lane, cap));
}

static void
exposition_histograms (const struct exposition *exposition,
                       const char *family, const char *help, size_t offset)
{
  const struct figures *figures = exposition->figures;
  struct buf *out = exposition->out;

  openmetrics_family (out, family, "histogram", "seconds", help);
  for (size_t i = 0; i < figures->n_lanes; i++) {
    const struct figures_lane *lane = &figures->lanes[i];

    openmetrics_histogram (out, family,
                           (const char *[]) { LANE_LABELS (lane), NULL },
                           (const struct histogram *) (const void *)
                             ((const char *) lane + offset));
  }
}

static void
exposition_states (const struct exposition *exposition)
{
  static const char family[] = "herald_lane_state";
  const struct figures *figures = exposition->figures;
  struct buf *out = exposition->out;

  openmetrics_family (out, family, "stateset", NULL,
                      "The lane's state; unowned: no worker has it.");
  for (size_t i = 0; i < figures->n_lanes; i++) {
    const struct figures_lane *lane = &figures->lanes[i];

    for (size_t k = 0; k <= BOARD_STATES; k++) {
      bool is_state = k < BOARD_STATES ? lane->is_here && lane->state == k
                                       : !lane->is_here;

      openmetrics_labels (out, family,
                          (const char *[]) {
                            LANE_LABELS (lane), family,
                            k < BOARD_STATES
                              ? board_state_name ((enum board_state) k)
                              : UNOWNED,
                            NULL });
      openmetrics_number (out, is_state);
    }
  }
}

/* ------------------------------------------------------------------ */

static void
exposition_depth (const struct exposition *exposition, const char *family,
                  const char *help, size_t offset)
{
  struct buf *out = exposition->out;

  openmetrics_family (out, family, "gauge", NULL, help);
  for (size_t i = 0; i < exposition->n_depths; i++) {
    const struct queue_lane_state *depth = &exposition->depths[i];

    openmetrics_labels (out, family,
                        (const char *[]) { "integration", depth->name,
                                           NULL });
    openmetrics_number (out,
                        *(const uint64_t *) (const void *)
                          ((const char *) depth + offset));
  }
}

static void
exposition_store (const struct exposition *exposition, struct queue *queue)
{
  int64_t now_ms = exposition->figures->now_ms;
  struct buf *out = exposition->out;

  exposition_depth (exposition, "herald_lane_waiting",
                    "Deliveries in the store that may go.",
                    offsetof (struct queue_lane_state, waiting));
  exposition_depth (exposition, "herald_lane_retrying",
                    "Deliveries in the store that wait for their time.",
                    offsetof (struct queue_lane_state, retrying));
  exposition_depth (exposition, "herald_lane_dead_letters",
                    "Dead letters kept.",
                    offsetof (struct queue_lane_state, dead));
  openmetrics_family (out, "herald_lane_paused", "gauge", NULL,
                      "1: paused by an operator.");
  for (size_t i = 0; i < exposition->n_depths; i++) {
    openmetrics_labels (out, "herald_lane_paused",
                        (const char *[]) { "integration",
                                           exposition->depths[i].name,
                                           NULL });
    openmetrics_number (out, exposition->depths[i].is_paused);
  }
  openmetrics_family (out, "herald_lane_oldest_age_seconds", "gauge",
                      "seconds",
                      "Since the oldest that is not delivered was accepted;"
                      " 0: none.");
  for (size_t i = 0; i < exposition->n_depths; i++) {
    int64_t oldest_ms = exposition->depths[i].oldest_ms;

    openmetrics_labels (out, "herald_lane_oldest_age_seconds",
                        (const char *[]) { "integration",
                                           exposition->depths[i].name,
                                           NULL });
    openmetrics_seconds (out, oldest_ms > 0 && oldest_ms < now_ms
                                ? (now_ms - oldest_ms) * 1000 : 0);
  }
  openmetrics_family (out, "herald_store_bytes", "gauge", "bytes",
                      "The store on disk.");
  buf_add_text (out, "herald_store_bytes");
  openmetrics_number (out, (uint64_t) queue_bytes (queue));
}

void
exposition_write (struct buf *out, const char *run_directory,
                  struct queue *queue, int64_t now_ms)
{
  struct figures *figures = figures_read (run_directory, now_ms);
  struct exposition exposition = { .out = out, .figures = figures };

  if (queue != NULL)
    exposition_read_depths (&exposition, queue);
  exposition_processes (&exposition);
  exposition_intake (&exposition);
  exposition_deliveries (&exposition);
  exposition_histograms (&exposition, "herald_attempt_seconds",
                         "How long attempts took.",
                         offsetof (struct figures_lane, latency));
  exposition_histograms (&exposition, "herald_event_age_seconds",
                         "From accepted to delivered.",
                         offsetof (struct figures_lane, age));
  exposition_states (&exposition);
  if (queue != NULL)
    exposition_store (&exposition, queue);
  buf_add_text (out, "# EOF\n");
  free (exposition.depths);
  figures_free (figures);
}
