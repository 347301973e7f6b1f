/* store.c - what commands that look after the store start with.
 *
 * SPDX-License-Identifier: MIT
 */

#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "owner.h"

static char *
store_path (const char *directory, const char *name)
{
  struct buf path = BUF_INIT (0);

  buf_printf (&path, "%s/%s", directory, name);
  return buf_steal (&path);
}

static void
store_find (struct store *store, const char *state_directory)
{
  const struct herald_xml *host = store->configuration->herald;

  if (state_directory == NULL)
    state_directory = host->state_directory;
  if (state_directory == NULL)
    state_directory = HERALD_STATEDIR;
  store->state_directory = memory_strdup (state_directory);
  store->directory = host->store.directory != NULL
                       ? memory_strdup (host->store.directory)
                       : store_path (state_directory, "store");
  store->run_directory = store_path (state_directory, "run");
}

/* 1: it is there; 0: it is not; -1: whether can't be told, with errno. */
static int
store_is_there (const struct store *store)
{
  char *path = store_path (store->directory, "store.db");
  struct stat about;
  int status = stat (path, &about);

  free (path);
  if (status == 0)
    return 1;
  return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

static struct queue *
store_open_queue (const struct store *store, char *ret_reason, size_t size)
{
  const struct herald_store *about = &store->configuration->herald->store;
  const struct queue_config config = {
    .engine = about->engine,
    .where = store->directory,
    .window_ms = about->window_ms,
    .history_ms = about->history_ms,
    .history_rows = about->history_rows,
    .most_bytes = about->most_bytes,
  };

  return queue_open (&config, ret_reason, size);
}

static int
store_open_files (struct store *store)
{
  char reason[400];

  switch (store_is_there (store)) {
  case 0:
    return EXIT_DONE;
  case -1:
    if (errno == EACCES)
      owner_say (store->directory);
    else
      log_error ("%s: %m", store->directory);
    return EXIT_FILE;
  }
  if (!owner_is_me (store->directory)) {
    owner_say (store->directory);
    return EXIT_FILE;
  }
  store->queue = store_open_queue (store, reason, sizeof reason);
  if (store->queue == NULL) {
    log_error ("%s", reason);
    return EXIT_FILE;
  }
  return EXIT_DONE;
}

struct store *
store_open (const struct command_globals *globals, int *ret_status)
{
  struct store *store = memory_zeroed (1, sizeof *store);

  store->problems = problems_new ();
  store->configuration = configuration_read (globals->config_directory,
                                             SECRETS_UNREAD, store->problems);
  if (store->configuration == NULL) {
    problems_log (store->problems, false);
    *ret_status = EXIT_CONFIG;
  } else {
    /* What is broken goes on as it was: the daemon has it from there. */
    configuration_recall (store->configuration, globals->state_directory,
                          store->problems);
    store_find (store, globals->state_directory);
    *ret_status = store_open_files (store);
  }
  if (*ret_status == EXIT_DONE)
    return store;
  store_close (store);
  return NULL;
}

struct store *
store_peek (struct configuration *configuration, const char *state_directory)
{
  struct store *store = memory_zeroed (1, sizeof *store);
  char reason[400];

  store->configuration = configuration_hold (configuration);
  store_find (store, state_directory);
  if (store_is_there (store) == 1)
    store->queue = store_open_queue (store, reason, sizeof reason);
  if (store->queue != NULL) {
    store_look (store);
    return store;
  }
  store_close (store);
  return NULL;
}

void
store_close (struct store *store)
{
  if (store == NULL)
    return;
  queue_close (store->queue);
  configuration_free (store->configuration);
  problems_free (store->problems);
  free (store->state_directory);
  free (store->directory);
  free (store->run_directory);
  free (store->lanes);
  free (store);
}

void
store_say_none (const struct store *store)
{
  log_notice ("there is no store in %s yet: \"herald serve\" makes it",
              store->directory);
}

int
store_failed (const struct store *store)
{
  log_error ("%s", queue_reason (store->queue));
  return EXIT_FILE;
}

void
store_look (struct store *store)
{
  struct queue_lane_state state;
  char reason[400];
  uint32_t lane;

  store->n_lanes = 0;
  if (store->queue == NULL && store_is_there (store) == 1)
    store->queue = store_open_queue (store, reason, sizeof reason);
  if (store->queue == NULL)
    return;
  for (size_t k = 0; queue_lane_state (store->queue, k, &lane, &state); k++) {
    store->lanes = memory_resize (store->lanes, k + 1, sizeof *store->lanes);
    store->lanes[k].lane = lane;
    store->lanes[k].state = state;
    store->n_lanes = k + 1;
  }
}

const struct store_lane *
store_lane (const struct store *store, const char *name)
{
  for (size_t i = 0; i < store->n_lanes; i++)
    if (strcmp (store->lanes[i].state.name, name) == 0)
      return &store->lanes[i];
  return NULL;
}

const char *
store_lane_name (const struct store *store, uint32_t lane)
{
  for (size_t i = 0; i < store->n_lanes; i++)
    if (store->lanes[i].lane == lane)
      return store->lanes[i].state.name;
  return "?";
}

const struct descriptor *
store_descriptor (const struct store *store, const char *name)
{
  return configuration_find (store->configuration, name);
}

void
store_say_unknown (const struct store *store, const char *name)
{
  const struct configuration *configuration = store->configuration;
  const char **names, *nearest;
  size_t n = 0;

  names = memory_zeroed (configuration->n_descriptors + store->n_lanes + 1,
                         sizeof *names);
  for (size_t i = 0; i < configuration->n_descriptors; i++)
    names[n++] = configuration->descriptors[i]->name;
  for (size_t i = 0; i < store->n_lanes; i++)
    names[n++] = store->lanes[i].state.name;
  nearest = text_nearest (name, names);
  if (nearest != NULL)
    log_error ("there is no integration %s, and nothing kept of one; did you "
               "mean %s?", name, nearest);
  else
    log_error ("there is no integration %s, and nothing kept of one; \"herald "
               "queue\" shows what there is", name);
  free (names);
}
