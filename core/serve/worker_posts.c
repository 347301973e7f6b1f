/* worker_posts.c - which integrations a worker has, and opening them.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "serve/worker_state.h"

enum {
  MOST_CRASHES = 2              /* of a plugin in what is no delivery */
};

/* ------------------------------------------------------------------ */
/* Opening. */

/* A number for the plugin and the descriptor as they are on disk. */
static uint64_t
worker_version (const struct worker *worker,
                const struct descriptor *descriptor)
{
  const char *paths[2] = { descriptor->path, NULL };
  unsigned char hash[CRYPTO_SHA256_LEN];
  struct buf module = BUF_INIT (0), all = BUF_INIT (0);
  uint64_t version;

  buf_printf (&module, "%s/%s.so", worker->config->plugin_directory,
              descriptor->provider);
  paths[1] = module.data;
  for (size_t i = 0; i < 2; i++) {
    struct stat about;

    if (stat (paths[i], &about) == 0)
      buf_printf (&all, "%s %lld %lld %lld.%ld\n", paths[i],
                  (long long) about.st_ino, (long long) about.st_size,
                  (long long) about.st_mtim.tv_sec,
                  (long) about.st_mtim.tv_nsec);
  }
  crypto_sha256 (all.data, all.len, hash);
  memcpy (&version, hash, sizeof version);
  buf_done (&module);
  buf_done (&all);
  return version;
}

/* "herald check" may be run where they are none: without the service's
 * environment or credentials.  So the first is told here. */
static void
worker_say_errors (const struct problems *problems, const char *name,
                   char *reason, size_t size)
{
  for (size_t i = 0; i < problems_count (problems); i++) {
    const struct problem *problem = problems_at (problems, i);

    if (problem->severity == PROBLEM_ERROR
        && strcmp (problem->integration, name) == 0) {
      snprintf (reason, size, "its configuration has errors: %s",
                problem->text);
      return;
    }
  }
  snprintf (reason, size, "its configuration has errors, see \"herald "
            "check\"");
}

/* NULL with the reason for which its lane is parked. */
static struct integration *
worker_open (struct worker *worker, struct configuration *configuration,
             const struct descriptor *descriptor, struct problems *problems,
             char *reason, size_t size)
{
  struct flight *flight = worker->feeding.flight;
  struct integration *integration = NULL;

  *reason = '\0';
  if (flight_crashes (flight, descriptor->name,
                      worker_version (worker, descriptor)) >= MOST_CRASHES) {
    snprintf (reason, size, "the provider %s crashed twice when it was "
              "opened, got a token or verified: mend it and run \"herald "
              "reload\"", descriptor->provider);
    problems_add (problems, PROBLEM_ERROR, "", 0, descriptor->name, "%s",
                  reason);
    return NULL;
  }
  if (!descriptor->has_errors)
    integration = integration_open (configuration, descriptor,
                                    worker->loader, problems);
  if (integration == NULL)
    worker_say_errors (problems, descriptor->name, reason, size);
  return integration;
}

/* ------------------------------------------------------------------ */

static bool
worker_has (struct worker *worker, const struct configuration *configuration,
            const struct descriptor *descriptor)
{
  uint32_t number;

  if (!descriptor->is_enabled)
    return false;
  if (worker->config->of <= 1)
    return true;
  number = ledger_number (worker->feeding.ledger,
                          configuration_root (configuration,
                                              descriptor)->name);
  return number % worker->config->of == worker->config->index;
}

static struct post *
worker_post (struct worker *worker, const char *name)
{
  for (size_t i = 0; i < worker->n_posts; i++)
    if (strcmp (feeder_name (worker->posts[i].feeder), name) == 0)
      return &worker->posts[i];
  return NULL;
}

void
worker_let_go (struct worker *worker, struct feeder *feeder)
{
  feeder_leave (feeder);
  worker->leaving = memory_resize (worker->leaving, worker->n_leaving + 1,
                                   sizeof *worker->leaving);
  worker->leaving[worker->n_leaving++] = feeder;
}

/* The post as it was, as far as it still holds; else a new feeder. */
static struct feeder *
worker_fill (struct worker *worker, struct configuration *configuration,
             const struct descriptor *descriptor,
             const unsigned char *digest, struct problems *problems)
{
  struct post *old = worker_post (worker, descriptor->name);
  struct integration *integration;
  struct feeder *feeder;
  char reason[300];

  if (old != NULL && feeder_integration (old->feeder) != NULL
      && memcmp (old->digest, digest, CRYPTO_SHA256_LEN) == 0) {
    feeder = old->feeder;
    old->feeder = NULL;
    return feeder;
  }
  integration = worker_open (worker, configuration, descriptor, problems,
                             reason, sizeof reason);
  if (old != NULL && integration == NULL
      && feeder_integration (old->feeder) != NULL) {
    problems_add (problems, PROBLEM_WARNING, descriptor->path, 0,
                  descriptor->name, "it goes on with the settings it had");
    feeder = old->feeder;
    old->feeder = NULL;
    return feeder;
  }
  if (old != NULL) {
    worker_let_go (worker, old->feeder);
    old->feeder = NULL;
  }
  return feeder_new (&worker->feeding, configuration, descriptor,
                     integration, reason);
}

/* So that worker_post () finds what is left only. */
static void
worker_close_up (struct worker *worker)
{
  size_t n = 0;

  for (size_t i = 0; i < worker->n_posts; i++)
    if (worker->posts[i].feeder != NULL)
      worker->posts[n++] = worker->posts[i];
  worker->n_posts = n;
}

static void
worker_link (struct worker *worker,
             const struct configuration *configuration)
{
  for (size_t i = 0; i < worker->n_posts; i++) {
    struct feeder *feeder = worker->posts[i].feeder;
    const struct descriptor *own
      = configuration_find (configuration, feeder_name (feeder));
    const struct descriptor *other
      = own == NULL ? NULL : configuration_fallback (configuration, own);
    const struct post *post
      = other == NULL ? NULL : worker_post (worker, other->name);

    feeder_set_fallback (feeder, post == NULL ? NULL : post->feeder);
  }
  worker->feeding.bytes_each
    = FEEDING_BYTES / (worker->n_posts > 0 ? worker->n_posts : 1);
  if (worker->feeding.bytes_each < FEEDING_LEAST)
    worker->feeding.bytes_each = FEEDING_LEAST;
}

void
worker_set_posts (struct worker *worker, struct configuration *configuration,
                  struct problems *problems)
{
  struct post *posts = memory_zeroed (configuration->n_descriptors + 1,
                                      sizeof *posts);
  size_t n = 0;

  for (size_t i = 0; i < configuration->n_descriptors; i++) {
    const struct descriptor *descriptor = configuration->descriptors[i];

    if (!worker_has (worker, configuration, descriptor))
      continue;
    configuration_digest (configuration, descriptor, posts[n].digest);
    posts[n].feeder = worker_fill (worker, configuration, descriptor,
                                   posts[n].digest, problems);
    n++;
    worker_close_up (worker);
  }
  for (size_t i = 0; i < worker->n_posts; i++)
    worker_let_go (worker, worker->posts[i].feeder);
  free (worker->posts);
  worker->posts = posts;
  worker->n_posts = n;
  worker_link (worker, configuration);
}
