/* herald_store.c - <store> of herald.xml: where what is accepted is kept.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/herald_reading.h"

#define SECOND INT64_C (1000)
#define DAY (24 * 3600 * SECOND)
#define MEGABYTE (INT64_C (1) << 20)
#define GIGABYTE (INT64_C (1) << 30)

static const struct herald_store defaults = {
  .engine = "sqlite",
  .window_ms = DAY,
  .history_ms = 30 * DAY,
  .history_rows = 2000000,
  .most_bytes = 10 * GIGABYTE,
  .commit_ms = 2,
  .commit_most = 512
};

static const struct herald_range window_range = {
  SECOND, 90 * DAY, "1s and 90d"
};
static const struct herald_range history_range = {
  0, 3650 * DAY, "0 and 3650d"
};
static const struct herald_range rows_range = {
  0, INT64_C (1000000000), "0 and 1000000000"
};
static const struct herald_range wait_range = { 0, SECOND, "0 and 1s" };
static const struct herald_range commit_range = { 1, 100000, "1 and 100000" };
/* 0 is no ceiling but the disk's. */
static const struct herald_range any_range = {
  0, 1024 * 1024 * GIGABYTE, "64M and 1048576G"
};

static const char *const engines[] = { "sqlite", NULL };

static void
read_commit (const struct herald_reading *reading,
             const struct xml_node *node)
{
  static const char *const attributes[] = { "wait", "most", NULL };
  struct herald_store *store = &reading->xml->store;
  int64_t most = store->commit_most;

  herald_expect (reading, node, attributes, NULL);
  herald_read_duration (reading, node, "wait", &wait_range,
                        &store->commit_ms);
  herald_read_count (reading, node, "most", &commit_range, &most);
  store->commit_most = (uint32_t) most;
}

static void
read_directory (const struct herald_reading *reading,
                const struct xml_node *node)
{
  const char *path = xml_attribute (node, "directory");

  if (path == NULL)
    return;
  if (path[0] != '/')
    herald_complain (reading, PROBLEM_ERROR, node, "the store's directory "
                     "must start with /");
  else
    reading->xml->store.directory = arena_strdup (reading->arena, path);
}

static void
read_most (const struct herald_reading *reading, const struct xml_node *node)
{
  struct herald_store *store = &reading->xml->store;

  herald_read_size (reading, node, "most", &any_range, &store->most_bytes);
  if (store->most_bytes > 0 && store->most_bytes < 64 * MEGABYTE)
    herald_complain (reading, PROBLEM_ERROR, node, "most=\"%.32s\" is no "
                     "size between %s; 0 is no limit",
                     xml_attribute (node, "most"), any_range.text);
}

void
herald_read_store (const struct herald_reading *reading,
                   const struct xml_node *node)
{
  static const char *const attributes[] = {
    "engine", "directory", "window", "history", "history-rows", "most", NULL
  };
  static const char *const children[] = { "commit", NULL };
  struct herald_store *store = &reading->xml->store;
  size_t engine = 0;

  *store = defaults;
  if (node == NULL)
    return;
  herald_expect (reading, node, attributes, children);
  xml_expect_once (reading->doc, node, NULL, NULL, reading->problems);
  herald_read_choice (reading, node, "engine", engines, &engine);
  store->engine = engines[engine];
  read_directory (reading, node);
  herald_read_duration (reading, node, "window", &window_range,
                        &store->window_ms);
  herald_read_duration (reading, node, "history", &history_range,
                        &store->history_ms);
  herald_read_count (reading, node, "history-rows", &rows_range,
                     &store->history_rows);
  read_most (reading, node);
  if (xml_child (node, "commit") != NULL)
    read_commit (reading, xml_child (node, "commit"));
}
