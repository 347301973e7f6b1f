/* exposition.h - the figures as OpenMetrics text, for /metrics.
 *
 * OpenMetrics 1.0 (github.com/OpenObservability/OpenMetrics).  Labels are
 * names of integrations, providers, processes, and words from fixed lists,
 * never anything from an event.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_EXPOSITION_H
#define HERALD_EXPOSITION_H

#include <stdint.h>

#include "base/buf.h"
#include "queue/queue.h"

/* The Content-Type header. */
#define EXPOSITION_TYPE \
  "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* Add everything, up to # EOF.  queue NULL: without the lanes' depths and
 * the store's size.  Out of room (out->is_over) there is half a text. */
void exposition_write (struct buf *out, const char *run_directory,
                       struct queue *queue, int64_t now_ms);

#endif
