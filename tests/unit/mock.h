/* mock.h - an integration made by hand, its plugin linked in.
 *
 * A test sets mock.plugin's callbacks (through mock_job and the like) to
 * functions of its own, which use herald-> as any plugin does.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_MOCK_H
#define HERALD_MOCK_H

#include "base/arena.h"
#include "event/catalogue.h"
#include "event/event.h"
#include "herald-plugin.h"
#include "provider/integration.h"
#include "provider/job.h"

struct mock {
  struct arena *arena;
  struct catalogue *catalogue;
  struct event_reader *reader;
  struct problems *problems;
  struct mapping *mapping; /* email name score flag tags */
  struct descriptor descriptor;
  struct provider provider; /* .plugin.build and so on */
  struct integration integration;
  char log[8192]; /* lines logged, each with its newline */
};

/* A webhook with the settings endpoint, key, extra (many), count, on and
 * mode; or a mailer. */
void mock_open (struct mock *mock, unsigned category, unsigned caps);
void mock_close (struct mock *mock);

/* An event of data, a JSON object. */
struct event *mock_event (struct mock *mock, const char *data);
/* A job of n deliveries to p0@example.org, p1@... */
struct job *mock_job (struct mock *mock, size_t n);
/* The same, with the first built by fn. */
struct job *mock_built (struct mock *mock, size_t n,
                        int (*fn) (void *, struct herald_job *));
/* Of one delivery of this data. */
struct job *mock_job_of (struct mock *mock, const char *data);

void mock_answer (struct job *job, struct herald_request *request, int status,
                  const char *body);
/* The next request, which must be there, is answered so. */
void mock_reply (struct job *job, int status, const char *body);
void mock_reply_header (struct job *job, int status, const char *body,
                        const char *name, const char *value);

#endif
