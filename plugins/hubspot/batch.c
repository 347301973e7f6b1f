/* batch.c - what an answered batch says of each record.
 *
 * Results come mostly in the order of inputs, which HubSpot does not
 * promise, so each is found by its trace id.
 *
 * SPDX-License-Identifier: MIT
 */

#include "batch.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "refusal.h"

/* What is known while the reply is read.  A search begins behind the last
 * one found. */
struct batch {
  struct herald_job *job;
  const struct herald_reply *reply;
  const char *const *ids;               /* of inputs, by delivery */
  size_t n;                             /* covered by the reply */
  size_t next;
  bool *is_settled;                     /* by place among the covered */
};

static void
batch_init (struct batch *batch, struct herald_job *job,
            const struct herald_reply *reply)
{
  memset (batch, 0, sizeof *batch);
  batch->job = job;
  batch->reply = reply;
  batch->ids = reply->tag;
  while (herald->covered (reply, batch->n) != HERALD_END)
    batch->n++;
  batch->is_settled = herald->alloc (batch->n * sizeof *batch->is_settled);
}

/* The delivery with that trace id, or else with that value of the unique
 * property, marked as settled; HERALD_END if there is none, or no longer. */
static size_t
batch_take (struct batch *batch, const char *trace, const char *id)
{
  for (size_t k = 0; k < batch->n; k++) {
    size_t place = (batch->next + k) % batch->n;
    size_t i = herald->covered (batch->reply, place);

    if (*trace != '\0'
          ? strcmp (herald->delivery (batch->job, i)->id, trace) != 0
          : strcasecmp (batch->ids[i], id) != 0)
      continue;
    if (batch->is_settled[place])
      return HERALD_END;
    batch->is_settled[place] = true;
    batch->next = place + 1;
    return i;
  }
  return HERALD_END;
}

static void
batch_read_results (struct batch *batch, const char *id_property)
{
  size_t n = herald->json_count (batch->reply, "results"), i;
  const char *trace, *id = "";

  for (size_t k = 0; k < n && k < batch->n; k++) {
    trace = herald->json_text (batch->reply, "results.%zu.objectWriteTraceId",
                               k);
    if (*trace == '\0')
      id = herald->json_text (batch->reply, "results.%zu.properties.%s", k,
                              id_property);
    if (*trace == '\0' && *id == '\0')
      continue;
    i = batch_take (batch, trace, id);
    if (i != HERALD_END)
      herald->delivered (batch->job, i,
                         herald->json_text (batch->reply, "results.%zu.id",
                                            k));
  }
}

static bool
batch_is_passing (const char *category)
{
  static const char *const passing[]
    = { "RATE_LIMITS", "INTERNAL_ERROR", "LOCKED", "TIMEOUT",
        "SERVICE_UNAVAILABLE" };

  for (size_t k = 0; k < HERALD_COUNT (passing); k++)
    if (strcmp (category, passing[k]) == 0)
      return true;
  return false;
}

/* Errors, of a 207; each may speak of several records. */
static void
batch_read_errors (struct batch *batch)
{
  size_t n = herald->json_count (batch->reply, "errors");

  for (size_t k = 0; k < n && k < batch->n; k++) {
    const char *text
      = herald->clip (herald->json_text (batch->reply, "errors.%zu.message",
                                         k),
                      REFUSAL_MOST_QUOTED);
    bool is_passing = batch_is_passing (
      herald->json_text (batch->reply, "errors.%zu.category", k));

    for (size_t t = 0; t < batch->n; t++) {
      const char *trace
        = herald->json_text (batch->reply,
                             "errors.%zu.context.objectWriteTraceId.%zu", k,
                             t);
      size_t i;

      if (*trace == '\0')
        break;
      i = batch_take (batch, trace, "");
      if (i != HERALD_END && is_passing)
        herald->retry (batch->job, i, 0, "%s", text);
      else if (i != HERALD_END)
        herald->rejected (batch->job, i, "%s", text);
    }
  }
}

/* A 200 stands for all inputs, a 207 only for those it names.  A record
 * sent again does no harm, so none is believed delivered without a word. */
void
batch_settle (struct herald_job *job, const struct herald_reply *reply,
              const char *id_property)
{
  const char *status = herald->json_text (reply, "status");
  struct batch batch;
  size_t n, i;

  if (strcmp (status, "COMPLETE") != 0) {
    herald->settle (job, reply, HERALD_RETRY, "%s",
                    *status != '\0'
                      ? "HubSpot has not completed the batch"
                      : "what answers is not HubSpot; check Base URL");
    return;
  }
  n = herald->json_count (reply, "results");
  batch_init (&batch, job, reply);
  batch_read_results (&batch, id_property);
  batch_read_errors (&batch);
  if (reply->status == 207)
    herald->settle (job, reply, HERALD_SPLIT, "%s",
                    herald->clip (herald->json_text (reply,
                                                     "errors.0.message"),
                                  REFUSAL_MOST_QUOTED));
  else if (n < batch.n)
    herald->settle (job, reply, HERALD_RETRY,
                    "HubSpot answered %zu of %zu records", n, batch.n);
  else
    for (size_t k = 0; (i = herald->covered (reply, k)) != HERALD_END; k++)
      if (!batch.is_settled[k])
        herald->delivered (job, i, "");
}
