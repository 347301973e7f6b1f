/* herald_workers.c - <workers> and <log> of herald.xml: how herald serve
 * runs.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/herald_reading.h"

#define SECOND INT64_C (1000)
#define HOUR (3600 * SECOND)

static const struct herald_workers defaults = {
  .number = 1, .watchdog_ms = 30 * SECOND, .stop_ms = 30 * SECOND
};

static const struct herald_range number_range = { 1, 64, "1 and 64" };
static const struct herald_range watchdog_range = {
  SECOND, HOUR, "1s and 1h"
};
static const struct herald_range stop_range = { 0, HOUR, "0 and 1h" };

void
herald_read_workers (const struct herald_reading *reading,
                     const struct xml_node *node)
{
  static const char *const attributes[] = {
    "number", "watchdog", "stop", NULL
  };
  struct herald_workers *workers = &reading->xml->workers;
  int64_t number = defaults.number;

  *workers = defaults;
  if (node == NULL)
    return;
  herald_expect (reading, node, attributes, NULL);
  herald_read_count (reading, node, "number", &number_range, &number);
  workers->number = (uint32_t) number;
  herald_read_duration (reading, node, "watchdog", &watchdog_range,
                        &workers->watchdog_ms);
  herald_read_duration (reading, node, "stop", &stop_range,
                        &workers->stop_ms);
}

/* In the order of enum herald_log_format. */
static const char *const formats[] = {
  "auto", "plain", "logfmt", "json", NULL
};
/* In the order of enum log_level. */
static const char *const levels[] = {
  "error", "warning", "notice", "info", "debug", NULL
};

void
herald_read_log (const struct herald_reading *reading,
                 const struct xml_node *node)
{
  static const char *const attributes[] = { "format", "level", NULL };
  size_t format = HERALD_LOG_AUTO;
  size_t level = LOG_LEVEL_NOTICE - LOG_LEVEL_ERROR;

  if (node != NULL) {
    herald_expect (reading, node, attributes, NULL);
    herald_read_choice (reading, node, "format", formats, &format);
    herald_read_choice (reading, node, "level", levels, &level);
  }
  reading->xml->log.format = (enum herald_log_format) format;
  reading->xml->log.level = (enum log_level) (LOG_LEVEL_ERROR + level);
}
