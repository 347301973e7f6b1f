/* crasher.c - a plugin that takes its process down when an event says so.
 *
 * A record is posted to the endpoint as it is.  Its member "mark" says what
 * happens before that: "segv", "abort", "exit", "loop" (for ever), and the
 * same with "-reply" behind it when the endpoint has answered.
 *
 * SPDX-License-Identifier: MIT
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "herald-plugin.h"

static const struct herald_field crasher_settings[] = {
  { .name = "endpoint", .label = "Endpoint", .type = HERALD_URL,
    .flags = HERALD_REQUIRED }
};

/* Ends the process, one way or another. */
static void
crasher_do (const char *mark)
{
  static volatile int *nowhere;
  static volatile unsigned long n_turns;

  if (strcmp (mark, "segv") == 0)
    *nowhere = 1;
  if (strcmp (mark, "abort") == 0)
    abort ();
  if (strcmp (mark, "exit") == 0)
    exit (0);
  while (strcmp (mark, "loop") == 0)
    n_turns++;
}

static void
crasher_look (struct herald_job *job, const char *suffix)
{
  for (size_t i = 0; i < herald->count (job); i++) {
    const char *mark = herald->value (job, i, "mark");
    size_t len = strlen (mark), suffix_len = strlen (suffix);

    if (len <= suffix_len || strcmp (mark + len - suffix_len, suffix) != 0)
      continue;
    crasher_do (herald->format ("%.*s", (int) (len - suffix_len), mark));
  }
}

static int
crasher_reply (void *instance, struct herald_job *job,
               const struct herald_reply *reply)
{
  (void) instance;
  crasher_look (job, "-reply");
  herald->settle (job, reply, HERALD_BY_STATUS, NULL);
  return 0;
}

static int
crasher_build (void *instance, struct herald_job *job)
{
  struct herald_request *request;
  const char *endpoint = herald->text (herald->settings (job), "endpoint");

  (void) instance;
  crasher_look (job, "");
  request = herald->request (job, "POST", endpoint, crasher_reply);
  herald->append (request, "[");
  for (size_t i = 0; i < herald->count (job); i++)
    herald->append (request, "%s%s", i > 0 ? "," : "",
                    herald->record (job, i));
  herald->append (request, "]");
  return 0;
}

static const struct herald_plugin crasher = {
  .name = "crasher",
  .label = "Crasher",
  .summary = "Crashes when an event says so.",
  .version = "1",
  .category = HERALD_WEBHOOK,
  .max_batch = 10,
  .n_settings = HERALD_COUNT (crasher_settings),
  .settings = crasher_settings,
  .build = crasher_build
};

HERALD_REGISTER (crasher);
