/* openmetrics.h - how a figure is spelt in OpenMetrics 1.0.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_OPENMETRICS_H
#define HERALD_OPENMETRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "metrics/histogram.h"

/* The lines that begin a family.  unit may be NULL. */
void openmetrics_family (struct buf *out, const char *family,
                         const char *type, const char *unit,
                         const char *help);
/* A sample's name and labels: pairs of name and value up to NULL. */
void openmetrics_labels (struct buf *out, const char *sample,
                         const char *const *labels);
/* Its value, and the end of its line. */
void openmetrics_number (struct buf *out, uint64_t value);
void openmetrics_seconds (struct buf *out, int64_t us);
/* All samples of one. */
void openmetrics_histogram (struct buf *out, const char *family,
                            const char *const *labels,
                            const struct histogram *histogram);

#endif
