/* submission.h - the events of one request, and what became of each.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SUBMISSION_H
#define HERALD_SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "caller.h"
#include "committer.h"
#include "event/event.h"
#include "http.h"
#include "routes.h"

struct submission;

struct submission_counts {
  size_t accepted, seen;        /* after the commit */
  size_t invalid, forbidden;
};

/* Holds both. */
struct submission *submission_new (struct caller *caller,
                                   struct routes *routes);
void submission_free (struct submission *submission);   /* NULL is fine */

struct caller *submission_caller (const struct submission *submission);

/* The next event, taken over; or what is none. */
void submission_add (struct submission *submission, struct event *event);
void submission_add_bad (struct submission *submission, const char *reason);
size_t submission_memory (const struct submission *submission);

/* What goes to the committer; NULL if no event is good.  No more is added
 * from then on. */
struct commit *submission_commit (struct submission *submission);
/* Which submission a commit belongs to. */
struct submission *submission_of (struct commit *commit);

/* After the commit, or without one: 202, or 400 or 403 if any event was
 * bad, with a line for each. */
void submission_answer (const struct submission *submission,
                        struct http_answer *ret_answer,
                        struct submission_counts *ret_counts);

/* For whoever made it: the request that waits for the answer. */
void submission_keep (struct submission *submission,
                      struct http_request *request);
struct http_request *submission_kept (const struct submission *submission);

#endif
