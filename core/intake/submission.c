/* submission.c - the events of one request, and what became of each.
 *
 * Arrays grow by doubling and keep offsets, not pointers, until the
 * submission goes to the committer.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/submission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"
#include "intake/answer.h"

enum entry_kind { ENTRY_GOOD, ENTRY_INVALID, ENTRY_FORBIDDEN };

struct entry {
  struct event *event;          /* NULL: it could not be read */
  enum entry_kind kind;
  uint32_t n_wanted;            /* of GOOD */
  size_t reason;                /* of the others: where in reasons */
};

struct submission {
  struct commit commit;         /* first: a commit is its submission */
  struct caller *caller;
  struct http_request *request;
  struct entry *entries;
  size_t n, size;
  size_t n_good;
  size_t wanted_size;
  struct buf reasons;           /* each with a NUL */
  size_t memory;                /* of the events */
};

struct submission *
submission_new (struct caller *caller, struct routes *routes)
{
  struct submission *submission = memory_zeroed (1, sizeof *submission);

  submission->caller = caller_hold (caller);
  submission->commit.routes = routes_hold (routes);
  buf_init (&submission->reasons, 0);
  return submission;
}

void
submission_free (struct submission *submission)
{
  if (submission == NULL)
    return;
  for (size_t i = 0; i < submission->n; i++)
    event_release (submission->entries[i].event);
  free (submission->entries);
  free (submission->commit.events);
  free (submission->commit.answers);
  free (submission->commit.wanted);
  buf_done (&submission->reasons);
  caller_release (submission->caller);
  routes_release (submission->commit.routes);
  free (submission);
}

struct caller *
submission_caller (const struct submission *submission)
{
  return submission->caller;
}

static struct entry *
submission_entry (struct submission *submission, struct event *event)
{
  struct entry *entry;

  if (submission->n == submission->size) {
    submission->size = submission->size > 0 ? submission->size * 2 : 4;
    submission->entries
      = memory_resize (submission->entries, submission->size,
                       sizeof submission->entries[0]);
  }
  entry = &submission->entries[submission->n++];
  *entry = (struct entry) { .event = event };
  return entry;
}

static void
submission_refuse (struct submission *submission, struct entry *entry,
                   enum entry_kind kind, const char *reason)
{
  entry->kind = kind;
  entry->reason = submission->reasons.len;
  buf_add (&submission->reasons, reason, strlen (reason) + 1);
}

/* Note the integrations that want the event. */
static uint32_t
submission_route (struct submission *submission, const struct event *event)
{
  struct commit *commit = &submission->commit;
  size_t most = routes_count (commit->routes), n;

  if (submission->wanted_size - commit->n_wanted < most) {
    submission->wanted_size = 2 * submission->wanted_size + most;
    commit->wanted = memory_resize (commit->wanted, submission->wanted_size,
                                    sizeof commit->wanted[0]);
  }
  if (most == 0)
    return 0;
  n = routes_find (commit->routes, event, commit->wanted + commit->n_wanted);
  commit->n_wanted += n;
  return (uint32_t) n;
}

void
submission_add (struct submission *submission, struct event *event)
{
  const struct configuration *configuration
    = routes_configuration (submission->commit.routes);
  const char *workspace = event_workspace (event);
  struct entry *entry = submission_entry (submission, event);
  char reason[200];

  submission->memory += event_memory (event);
  if (!caller_may (submission->caller, workspace)) {
    snprintf (reason, sizeof reason, "no right to write to the workspace "
              "%.64s", workspace);
    submission_refuse (submission, entry, ENTRY_FORBIDDEN, reason);
  } else if (!herald_xml_has_workspace (configuration->herald, workspace)) {
    snprintf (reason, sizeof reason, "herald.xml does not declare the "
              "workspace %.64s", workspace);
    submission_refuse (submission, entry, ENTRY_INVALID, reason);
  } else {
    entry->n_wanted = submission_route (submission, event);
    submission->n_good++;
  }
}

void
submission_add_bad (struct submission *submission, const char *reason)
{
  submission_refuse (submission, submission_entry (submission, NULL),
                     ENTRY_INVALID, reason);
}

size_t
submission_memory (const struct submission *submission)
{
  return sizeof *submission + submission->memory + submission->reasons.size
         + submission->size * sizeof submission->entries[0]
         + submission->wanted_size * sizeof submission->commit.wanted[0];
}

struct commit *
submission_commit (struct submission *submission)
{
  struct commit *commit = &submission->commit;
  size_t wanted = 0;

  if (submission->n_good == 0)
    return NULL;
  commit->events = memory_alloc (submission->n_good
                                 * sizeof commit->events[0]);
  commit->answers = memory_alloc (submission->n_good
                                  * sizeof commit->answers[0]);
  for (size_t i = 0; i < submission->n; i++) {
    const struct entry *entry = &submission->entries[i];
    struct queue_event *event = &commit->events[commit->n];

    if (entry->kind != ENTRY_GOOD)
      continue;
    event->source = event_source (entry->event);
    event->id = event_id (entry->event);
    event->body = event_line (entry->event, &event->len);
    /* Where nobody wants any of them there is no list at all. */
    event->lanes = entry->n_wanted > 0 ? commit->wanted + wanted : NULL;
    event->n_lanes = entry->n_wanted;
    wanted += entry->n_wanted;
    commit->n++;
  }
  return commit;
}

struct submission *
submission_of (struct commit *commit)
{
  return (struct submission *) commit;
}

/* ------------------------------------------------------------------ */
/* The answer. */

static void
submission_count (const struct submission *submission,
                  struct submission_counts *counts)
{
  memset (counts, 0, sizeof *counts);
  for (size_t i = 0; i < submission->commit.n; i++)
    if (submission->commit.answers[i] == QUEUE_ACCEPTED)
      counts->accepted++;
    else
      counts->seen++;
  for (size_t i = 0; i < submission->n; i++) {
    counts->invalid += submission->entries[i].kind == ENTRY_INVALID;
    counts->forbidden += submission->entries[i].kind == ENTRY_FORBIDDEN;
  }
}

/* Numbers as they are mostly: small.  printf () would cost more than all
 * else of an answer to many events. */
static void
submission_add_number (struct buf *out, size_t number)
{
  char digits[24];
  size_t at = sizeof digits;

  do
    digits[--at] = (char) ('0' + number % 10);
  while ((number /= 10) > 0);
  buf_add (out, digits + at, sizeof digits - at);
}

static void
submission_add_entries (const struct submission *submission, struct buf *out)
{
  const enum queue_answer *answer = submission->commit.answers;

  buf_add_text (out, "\"events\":[");
  for (size_t i = 0; i < submission->n; i++) {
    const struct entry *entry = &submission->entries[i];

    buf_add_text (out, i > 0 ? ",\n{\"index\":" : "\n{\"index\":");
    submission_add_number (out, i);
    if (entry->event != NULL) {
      const char *id = event_id (entry->event);

      buf_add_text (out, ",\"id\":");
      text_add_json (out, id, strlen (id));
    }
    if (entry->kind == ENTRY_GOOD) {
      buf_add_text (out, *answer++ == QUEUE_ACCEPTED
                           ? ",\"status\":\"accepted\"}"
                           : ",\"status\":\"duplicate\"}");
      continue;
    }
    buf_add_text (out, ",\"status\":\"rejected\",\"reason\":");
    text_add_json (out, submission->reasons.data + entry->reason,
                   strlen (submission->reasons.data + entry->reason));
    buf_add_char (out, '}');
  }
  buf_add_text (out, "]}\n");
}

static unsigned
submission_status (const struct submission *submission,
                   const struct submission_counts *counts)
{
  if (counts->invalid + counts->forbidden == 0)
    return 202;
  return counts->forbidden == submission->n ? 403 : 400;
}

void
submission_answer (const struct submission *submission,
                   struct http_answer *ret_answer,
                   struct submission_counts *ret_counts)
{
  struct buf out = BUF_INIT (0);
  unsigned status;
  size_t n_bad;

  submission_count (submission, ret_counts);
  status = submission_status (submission, ret_counts);
  n_bad = ret_counts->invalid + ret_counts->forbidden;
  buf_reserve (&out, 128 + 80 * submission->n);
  buf_add_char (&out, '{');
  if (status != 202) {
    buf_printf (&out, "\"type\":\"about:blank\",\"title\":\"%s\","
                "\"status\":%u,\"detail\":\"", answer_title (status),
                status);
    buf_printf (&out, "%zu of %zu event%s rejected%s\",", n_bad,
                submission->n, submission->n == 1 ? " was" : "s were",
                n_bad < submission->n ? ", the others are kept" : "");
  }
  buf_add_text (&out, "\"accepted\":");
  submission_add_number (&out, ret_counts->accepted);
  buf_add_text (&out, ",\"duplicate\":");
  submission_add_number (&out, ret_counts->seen);
  buf_add_text (&out, ",\"rejected\":");
  submission_add_number (&out, n_bad);
  buf_add_char (&out, ',');
  submission_add_entries (submission, &out);
  *ret_answer = (struct http_answer) {
    .status = status, .len = out.len,
    .type = status == 202 ? "application/json" : "application/problem+json",
  };
  ret_answer->body = buf_steal (&out);
}

void
submission_keep (struct submission *submission, struct http_request *request)
{
  submission->request = request;
}

struct http_request *
submission_kept (const struct submission *submission)
{
  return submission->request;
}
