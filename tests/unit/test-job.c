/* test-job.c - outcomes, splits, tokens, and plugins that misbehave.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "mock.h"
#include "provider/host.h"

static struct mock mock;

static int
setup (void **state)
{
  (void) state;
  mock_open (&mock, HERALD_WEBHOOK, 0);
  return 0;
}

static int
setup_mailer (void **state)
{
  (void) state;
  mock_open (&mock, HERALD_MAILER, HERALD_ALIKE);
  return 0;
}

static int
teardown (void **state)
{
  (void) state;
  mock_close (&mock);
  date_set_now (-1);
  return 0;
}

static struct herald_request *
post (struct herald_job *job, herald_reply_fn *on_reply)
{
  struct herald_request *r
    = herald->request (job, "POST", "https://a.example/x", on_reply);

  herald->append (r, "%s", "{}");
  return r;
}

static void
assert_kind (const struct job *job, size_t item, enum outcome_kind kind)
{
  assert_string_equal (outcome_name (job_outcome (job, item)->kind),
                       outcome_name (kind));
}

static const char *
reason (const struct job *job, size_t item)
{
  return job_outcome (job, item)->reason;
}

static void
assert_says (const char *text, const char *piece)
{
  if (strstr (text, piece) == NULL)
    fail_msg ("\"%s\" does not say \"%s\"", text, piece);
}

/* -- the plain way */

static int
build_plain (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, NULL);
  return 0;
}

static void
test_delivered (void **state)
{
  struct job *job = mock_built (&mock, 2, build_plain);

  (void) state;
  assert_false (job_is_done (job));
  mock_reply (job, 200, "ok");
  assert_true (job_is_done (job));
  assert_null (job_take (job));
  assert_kind (job, 0, OUTCOME_DELIVERED);
  assert_kind (job, 1, OUTCOME_DELIVERED);
  assert_int_equal (job_outcome (job, 0)->status, 200);
  assert_string_equal (reason (job, 0), "");
  assert_int_equal (job_faults (job), 0);
  assert_int_equal (job_wait_ms (job), -1);
  job_free (job);
}

static void
test_by_status (void **state)
{
  struct job *job = mock_built (&mock, 1, build_plain);

  (void) state;
  mock_reply (job, 503, "p0@example.org\nis s3cret-of-the-mock");
  assert_kind (job, 0, OUTCOME_RETRY);
  assert_string_equal (reason (job, 0), "HTTP 503: *@example.org is ***");
  assert_int_equal (job_outcome (job, 0)->after_ms, 0);
  job_free (job);

  job = mock_built (&mock, 1, build_plain);
  mock_reply (job, 401, "<html>no");
  assert_kind (job, 0, OUTCOME_BLOCKED);
  assert_string_equal (reason (job, 0), "HTTP 401");
  job_free (job);

  job = mock_built (&mock, 1, build_plain);
  mock_reply (job, 422, "\xff\xfe");
  assert_kind (job, 0, OUTCOME_REJECTED);
  assert_string_equal (reason (job, 0), "HTTP 422");
  job_free (job);
}

static void
test_retry_after (void **state)
{
  struct job *job = mock_built (&mock, 1, build_plain);

  (void) state;
  mock_reply_header (job, 429, "", "retry-after", "7");
  assert_kind (job, 0, OUTCOME_RETRY);
  assert_int_equal (job_outcome (job, 0)->after_ms, 7000);
  assert_false (job_outcome (job, 0)->is_free);
  assert_int_equal (job_wait_ms (job), 7000);
  job_free (job);
}

static void
test_no_answer (void **state)
{
  struct job *job = mock_built (&mock, 2, build_plain);

  (void) state;
  job_no_answer (job, job_take (job), false, FAILURE_CONNECT,
                 "could not connect");
  assert_kind (job, 1, OUTCOME_RETRY);
  assert_string_equal (reason (job, 1), "could not connect");
  assert_int_equal (outcome_class (job_outcome (job, 1)), FAILURE_CONNECT);
  assert_true (job_is_done (job));
  job_free (job);
  job = mock_built (&mock, 1, build_plain);
  job_no_answer (job, job_take (job), true, FAILURE_CREDENTIALS,
                 "127.0.0.1 is loopback");
  assert_kind (job, 0, OUTCOME_BLOCKED);
  job_free (job);
}

static void
test_fail (void **state)
{
  struct outcome outcome = { .kind = OUTCOME_BLOCKED, .reason = "no token" };
  struct job *job = mock_job (&mock, 2);

  (void) state;
  job_fail (job, &outcome);
  assert_true (job_is_done (job));
  assert_kind (job, 1, OUTCOME_BLOCKED);
  assert_string_equal (reason (job, 1), "no token");
  job_free (job);

  /* A token that came too late delivers nothing. */
  outcome.kind = OUTCOME_DELIVERED;
  job = mock_job (&mock, 1);
  job_fail (job, &outcome);
  assert_kind (job, 0, OUTCOME_RETRY);
  job_free (job);
}

static int
build_never (void *instance, struct herald_job *job)
{
  (void) instance;
  (void) job;
  fail_msg ("built");
  return 0;
}

/* What does not fit is the operator's business, never the plugin's. */
static void
test_unfit (void **state)
{
  static const struct mapping_row row
    = { .target = "need", .source = "code", .missing = MAPPING_FAIL };
  char why[200];
  struct job *job;

  (void) state;
  assert_int_equal (mapping_add (mock.mapping, &row, mock.catalogue, why), 0);
  job = mock_built (&mock, 1, build_never);
  assert_true (job_is_done (job));
  assert_null (job_take (job));
  assert_kind (job, 0, OUTCOME_REJECTED);
  assert_says (reason (job, 0), "need");
  assert_string_equal (job_record (job, 0), "{}");
  job_free (job);
}

static int
build_second (void *instance, struct herald_job *job)
{
  (void) instance;
  assert_int_equal (herald->count (job), 2);
  assert_string_equal (herald->value (job, 0, "email"), "b@x.org");
  assert_string_equal (herald->value (job, 1, "email"), "c@x.org");
  herald->delivered (job, 0, NULL);
  herald->rejected (job, 1, "no");
  return 0;
}

/* The plugin counts what it sees, outcomes are by item. */
static void
test_hidden (void **state)
{
  struct job_item items[3]
    = { { .event = mock_event (&mock, "{\"score\":1}"), .id = "a" },
        { .event = mock_event (&mock, "{\"email\":\"b@x.org\"}"), .id = "b" },
        { .event = mock_event (&mock, "{\"email\":\"c@x.org\"}"),
          .id = "c" } };
  struct job *job;

  (void) state;
  job = job_new (&mock.integration, JOB_DELIVER, items, 3);
  assert_kind (job, 0, OUTCOME_REJECTED);
  mock.provider.plugin.build = build_second;
  job_build (job);
  assert_int_equal (job_faults (job), 0);
  assert_kind (job, 1, OUTCOME_DELIVERED);
  assert_kind (job, 2, OUTCOME_REJECTED);
  assert_int_equal (job_count (job), 3);
  assert_non_null (job_mail (job, 1));
  assert_null (job_mail (job, 0));
  job_free (job);
  for (size_t i = 0; i < 3; i++)
    event_release (items[i].event);
}

/* -- handlers */

static int on_mixed (void *instance, struct herald_job *job,
                     const struct herald_reply *reply);

static int
build_mixed (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, on_mixed);
  return 0;
}

static int
on_mixed (void *instance, struct herald_job *job,
          const struct herald_reply *reply)
{
  (void) instance;
  /* Whatever the order: settle () speaks for the rest. */
  herald->settle (job, reply, HERALD_REJECTED, "%s", "not found");
  herald->delivered (job, 0, "<id\n@x\302\233>");
  herald->retry (job, 1, 1500, "locked %d", 1);
  return 0;
}

static void
test_mixed (void **state)
{
  struct job *job = mock_built (&mock, 3, build_mixed);

  (void) state;
  mock_reply (job, 207, "{}");
  assert_kind (job, 0, OUTCOME_DELIVERED);
  assert_string_equal (job_outcome (job, 0)->reference, "<id @x  >");
  assert_kind (job, 1, OUTCOME_RETRY);
  assert_int_equal (job_outcome (job, 1)->after_ms, 1500);
  assert_string_equal (reason (job, 1), "HTTP 207: locked 1");
  assert_kind (job, 2, OUTCOME_REJECTED);
  assert_string_equal (reason (job, 2), "HTTP 207: not found");
  assert_int_equal (job_faults (job), 0);
  job_free (job);
}

static int
on_twice (void *instance, struct herald_job *job,
          const struct herald_reply *reply)
{
  (void) instance;
  (void) reply;
  herald->delivered (job, 0, "first");
  herald->delivered (job, 0, "again");
  herald->rejected (job, 0, "no");
  herald->delivered (job, 7, "");
  return 0;
}

static int
build_twice (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, on_twice);
  return 0;
}

static void
test_settled_twice (void **state)
{
  struct job *job = mock_built (&mock, 1, build_twice);

  (void) state;
  mock_reply (job, 200, "");
  assert_kind (job, 0, OUTCOME_DELIVERED);
  assert_string_equal (job_outcome (job, 0)->reference, "first");
  assert_int_equal (job_faults (job), 2);
  assert_says (job_fault (job, 0), "twice");
  assert_says (job_fault (job, 1), "delivery 7 of 1");
  assert_null (job_fault (job, 2));
  assert_says (mock.log, "the plugin mock is at fault");
  job_free (job);
}

static int
on_nothing (void *instance, struct herald_job *job,
            const struct herald_reply *reply)
{
  (void) instance;
  (void) job;
  return reply->tag != NULL ? -1 : 0;
}

static int
build_forgets (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, on_nothing);
  return 0;
}

static void
test_forgotten (void **state)
{
  struct job *job = mock_built (&mock, 2, build_forgets);

  (void) state;
  mock_reply (job, 200, "");
  assert_kind (job, 0, OUTCOME_FAULT);
  assert_kind (job, 1, OUTCOME_FAULT);
  assert_int_equal (job_faults (job), 1);
  assert_says (reason (job, 0), "without outcome");
  assert_true (job_is_done (job));
  job_free (job);
}

static int
build_covers_one (void *instance, struct herald_job *job)
{
  (void) instance;
  herald->covers (post (job, NULL), 1);
  return 0;
}

static void
test_uncovered (void **state)
{
  struct job *job = mock_built (&mock, 2, build_covers_one);

  (void) state;
  assert_kind (job, 0, OUTCOME_FAULT);
  assert_kind (job, 1, OUTCOME_NONE);
  mock_reply (job, 200, "");
  assert_kind (job, 1, OUTCOME_DELIVERED);
  job_free (job);
}

static int
build_refuses (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, NULL);
  return -1;
}

static int
build_tagged (void *instance, struct herald_job *job)
{
  (void) instance;
  herald->tag (post (job, on_nothing), job);
  return 0;
}

static void
test_minus_one (void **state)
{
  struct job *job = mock_built (&mock, 1, build_refuses);

  (void) state;
  assert_null (job_take (job));
  assert_true (job_is_done (job));
  assert_kind (job, 0, OUTCOME_RETRY);
  assert_says (reason (job, 0), "could not build");
  job_free (job);

  job = mock_built (&mock, 1, build_tagged);
  mock_reply (job, 200, "odd");
  assert_kind (job, 0, OUTCOME_RETRY);
  assert_string_equal (reason (job, 0),
                       "HTTP 200: the plugin could not read the reply");
  job_free (job);
}

static int
build_settles (void *instance, struct herald_job *job)
{
  (void) instance;
  herald->rejected (job, 0, "has no last name");
  herald->settle (job, NULL, HERALD_BLOCKED, "no list %d", 5);
  post (job, NULL);
  return 0;
}

static void
test_settled_in_build (void **state)
{
  struct job *job = mock_built (&mock, 2, build_settles);

  (void) state;
  assert_null (job_take (job));
  assert_true (job_is_done (job));
  assert_kind (job, 0, OUTCOME_REJECTED);
  assert_string_equal (reason (job, 0), "has no last name");
  assert_kind (job, 1, OUTCOME_BLOCKED);
  assert_string_equal (reason (job, 1), "no list 5");
  job_free (job);
}

static int
build_spoilt (void *instance, struct herald_job *job)
{
  struct herald_request *r = post (job, NULL);

  (void) instance;
  herald->covers (r, 0);
  herald->header (r, "Bad Name", "x");
  herald->covers (post (job, NULL), 1);
  return 0;
}

static void
test_sticky (void **state)
{
  struct job *job = mock_built (&mock, 2, build_spoilt);

  (void) state;
  assert_null (job_take (job));
  assert_true (job_is_done (job));
  assert_kind (job, 0, OUTCOME_FAULT);
  assert_kind (job, 1, OUTCOME_FAULT);
  assert_says (reason (job, 1), "the plugin mock is at fault: ");
  assert_says (reason (job, 1), "Bad Name");
  job_free (job);
}

static int
build_overlaps (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, NULL);
  post (job, NULL);
  return 0;
}

static void
test_overlap (void **state)
{
  struct job *job = mock_built (&mock, 1, build_overlaps);

  (void) state;
  assert_kind (job, 0, OUTCOME_FAULT);
  assert_says (reason (job, 0), "cover the same delivery");
  job_free (job);
}

/* -- further requests */

static int on_endless (void *instance, struct herald_job *job,
                       const struct herald_reply *reply);

static int
build_endless (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, on_endless);
  return 0;
}

static int
on_endless (void *instance, struct herald_job *job,
            const struct herald_reply *reply)
{
  (void) reply;
  return build_endless (instance, job);
}

static void
test_endless (void **state)
{
  struct job *job = mock_built (&mock, 2, build_endless);
  size_t n = 0;

  (void) state;
  while (!job_is_done (job)) {
    mock_reply (job, 200, "");
    assert_true (++n <= 2 * JOB_MAX_REQUESTS);
  }
  assert_int_equal (n, 2 * JOB_MAX_REQUESTS);
  assert_kind (job, 0, OUTCOME_FAULT);
  assert_says (reason (job, 0), "without end");
  job_free (job);
}

static int
on_look_up (void *instance, struct herald_job *job,
            const struct herald_reply *reply)
{
  struct herald_request *r;

  (void) instance;
  assert_int_equal (herald->covered (reply, 0), 2);
  assert_int_equal (herald->covered (reply, 1), 0);
  assert_int_equal (herald->covered (reply, 2), HERALD_END);
  r = post (job, NULL);
  herald->covers (r, 0);
  /* For the one that goes no further. */
  herald->settle (job, reply, HERALD_BY_STATUS, NULL);
  return 0;
}

static int
build_look_up (void *instance, struct herald_job *job)
{
  struct herald_request *r = post (job, on_look_up);

  (void) instance;
  herald->covers (r, 2);
  herald->covers (r, 0);
  herald->covers (r, 2);
  herald->delivered (job, 1, "");
  return 0;
}

static void
test_further (void **state)
{
  struct job *job = mock_built (&mock, 3, build_look_up);

  (void) state;
  mock_reply (job, 200, "");
  assert_false (job_is_done (job));
  assert_kind (job, 0, OUTCOME_NONE);
  assert_kind (job, 2, OUTCOME_DELIVERED);
  mock_reply (job, 500, "");
  assert_kind (job, 0, OUTCOME_RETRY);
  assert_int_equal (job_faults (job), 0);
  assert_true (job_is_done (job));
  job_free (job);
}

static int
on_more (void *instance, struct herald_job *job,
         const struct herald_reply *reply)
{
  (void) instance;
  (void) reply;
  herald->delivered (job, 0, "");
  post (job, NULL); /* covers what is left: 1 */
  return 0;
}

static int
build_more (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, on_more);
  return 0;
}

static void
test_further_rest (void **state)
{
  struct job *job = mock_built (&mock, 2, build_more);
  struct herald_request *further;

  (void) state;
  mock_reply (job, 200, "");
  further = job_take (job);
  assert_int_equal (further->n_covers, 1);
  assert_int_equal (further->covers[0], 1);
  mock_answer (job, further, 404, "");
  assert_kind (job, 0, OUTCOME_DELIVERED);
  assert_kind (job, 1, OUTCOME_BLOCKED);
  /* A second answer changes nothing. */
  mock_answer (job, further, 200, "");
  assert_kind (job, 1, OUTCOME_BLOCKED);
  job_free (job);
}

/* -- splits and tokens */

static void
test_split (void **state)
{
  struct job *job = mock_built (&mock, 5, build_plain);
  const size_t *group;
  size_t n;

  (void) state;
  mock_reply (job, 400, "bad");
  assert_int_equal (job_groups (job), 2);
  group = job_group (job, 0, &n);
  assert_int_equal (n, 3);
  assert_int_equal (group[0], 0);
  assert_int_equal (group[2], 2);
  group = job_group (job, 1, &n);
  assert_int_equal (n, 2);
  assert_int_equal (group[0], 3);
  assert_int_equal (group[1], 4);
  for (size_t i = 0; i < 5; i++)
    assert_kind (job, i, OUTCOME_AGAIN);
  assert_null (job_group (job, 2, &n));
  assert_int_equal (n, 0);
  assert_int_equal (job_renewals (job), 0);
  job_free (job);
}

static int
on_part (void *instance, struct herald_job *job,
         const struct herald_reply *reply)
{
  (void) instance;
  herald->settle (job, reply, HERALD_SPLIT, "later");
  herald->rejected (job, 1, "this one");
  return 0;
}

static int
build_part (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, on_part);
  return 0;
}

static void
test_split_rest_whole (void **state)
{
  struct job *job = mock_built (&mock, 4, build_part);
  const size_t *group;
  size_t n;

  (void) state;
  mock_reply (job, 400, "bad");
  assert_int_equal (job_groups (job), 1);
  group = job_group (job, 0, &n);
  assert_int_equal (n, 3);
  assert_int_equal (group[0], 0);
  assert_int_equal (group[1], 2);
  assert_int_equal (group[2], 3);
  assert_kind (job, 1, OUTCOME_REJECTED);
  job_free (job);

  /* Down to one, which is not suspect either. */
  job = mock_built (&mock, 2, build_part);
  mock_reply (job, 400, "bad");
  assert_int_equal (job_groups (job), 1);
  assert_kind (job, 0, OUTCOME_AGAIN);
  job_free (job);
}

static int
on_renew (void *instance, struct herald_job *job,
          const struct herald_reply *reply)
{
  (void) instance;
  herald->settle (job, reply, HERALD_RENEW, "expired");
  return 0;
}

static int
build_renew (void *instance, struct herald_job *job)
{
  size_t n = herald->count (job);

  (void) instance;
  for (size_t i = 0; i < n || i == 0; i++) {
    struct herald_request *r = post (job, on_renew);

    herald->bearer_auth (r, NULL);
    if (n > 0)
      herald->covers (r, i);
  }
  return 0;
}

static int
on_token (void *instance, struct herald_job *job,
          const struct herald_reply *reply)
{
  (void) instance;
  assert_int_equal (herald->count (job), 0);
  herald->token (job, herald->json_text (reply, "access_token"),
                 herald->json_text (reply, "instance_url"), 60000);
  herald->settle (job, reply, HERALD_BY_STATUS, NULL);
  return 0;
}

static int
build_token (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, on_token);
  return 0;
}

static void
test_token (void **state)
{
  struct job *job;

  (void) state;
  mock.provider.plugin.token = build_token;
  date_set_now (1000000);
  job = job_new (&mock.integration, JOB_TOKEN, NULL, 0);
  assert_false (job_wants_token (job));
  job_build (job);
  mock_reply (job, 200,
              "{\"access_token\":\"tok-1\","
              "\"instance_url\":\"https://eu.example\"}");
  assert_true (job_is_done (job));
  assert_int_equal (job_verdict (job)->outcome.kind, OUTCOME_DELIVERED);
  assert_int_equal (job_faults (job), 0);
  assert_string_equal (mock.integration.token.value, "tok-1");
  assert_string_equal (herald->token_url ((struct herald_job *) job),
                       "https://eu.example");
  job_free (job);

  job = mock_job (&mock, 1);
  assert_false (job_wants_token (job));
  date_set_now (1000000 + 59000);
  assert_true (job_wants_token (job));
  job_free (job);
}

static enum outcome_kind
token_answer (int status, const char *body)
{
  struct job *job = job_new (&mock.integration, JOB_TOKEN, NULL, 0);
  enum outcome_kind kind;

  mock.provider.plugin.token = build_token;
  job_build (job);
  mock_reply (job, status, body);
  kind = job_verdict (job)->outcome.kind;
  job_free (job);
  return kind;
}

static void
test_token_fails (void **state)
{
  (void) state;
  assert_int_equal (token_answer (200, "{}"), OUTCOME_RETRY);
  assert_int_equal (token_answer (503, ""), OUTCOME_RETRY);
  assert_int_equal (token_answer (400, "{}"), OUTCOME_BLOCKED);
  assert_int_equal (token_answer (401, "{}"), OUTCOME_BLOCKED);
  assert_null (mock.integration.token.value);
}

static void
test_renew (void **state)
{
  struct job *job;
  size_t n;

  (void) state;
  mock.provider.plugin.token = build_token;
  token_set (&mock.integration.token, "tok-1", NULL, 0, 0);
  job = mock_built (&mock, 2, build_renew);
  mock_reply (job, 401, "");
  mock_reply (job, 401, "");
  assert_kind (job, 0, OUTCOME_AGAIN);
  assert_kind (job, 1, OUTCOME_AGAIN);
  assert_int_equal (job_groups (job), 1);
  assert_non_null (job_group (job, 0, &n));
  assert_int_equal (n, 2);
  assert_int_equal (job_renewals (job), 1);
  assert_null (mock.integration.token.value);
  job_free (job);

  /* A second time in a row it is not the token. */
  token_set (&mock.integration.token, "tok-2", NULL, 0, 0);
  job = mock_job (&mock, 1);
  job_set_renewals (job, 1);
  job_build (job);
  mock_reply (job, 401, "");
  assert_kind (job, 0, OUTCOME_BLOCKED);
  assert_string_equal (reason (job, 0), "HTTP 401: expired");
  job_free (job);
}

/* A reply to an older token drops nothing. */
static void
test_renew_late (void **state)
{
  struct job *job;

  (void) state;
  mock.provider.plugin.token = build_token;
  token_set (&mock.integration.token, "tok-1", NULL, 0, 0);
  job = mock_built (&mock, 1, build_renew);
  token_set (&mock.integration.token, "tok-2", NULL, 0, 0);
  mock_reply (job, 401, "");
  assert_kind (job, 0, OUTCOME_AGAIN);
  assert_string_equal (mock.integration.token.value, "tok-2");
  job_free (job);
}

static int
on_limits (void *instance, struct herald_job *job,
           const struct herald_reply *reply)
{
  (void) instance;
  herald->rate (job, 50, 1000);
  herald->rate (job, 0, 0);
  herald->settle (job, reply, HERALD_RETRY, "later");
  herald->wait (job, 90000);
  return 0;
}

static int
build_limits (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, on_limits);
  return 0;
}

static void
test_wait_and_rate (void **state)
{
  struct job *job = mock_built (&mock, 1, build_limits);
  uint32_t rate, per;

  (void) state;
  assert_false (job_rate (job, &rate, &per));
  mock_reply (job, 429, "");
  assert_kind (job, 0, OUTCOME_RETRY);
  assert_true (job_outcome (job, 0)->is_free);
  assert_int_equal (job_outcome (job, 0)->after_ms, 90000);
  assert_int_equal (job_wait_ms (job), 90000);
  assert_true (job_rate (job, &rate, &per));
  assert_int_equal (rate, 50);
  assert_int_equal (per, 1000);
  job_free (job);
}

/* -- verify */

static int
on_verify (void *instance, struct herald_job *job,
           const struct herald_reply *reply)
{
  (void) instance;
  if (reply->status == 403)
    herald->verified (job, HERALD_UNPROVEN, "valid, but %s", "may not ask");
  else
    herald->settle (job, reply, HERALD_BY_STATUS, NULL);
  return 0;
}

static int
build_verify (void *instance, struct herald_job *job)
{
  (void) instance;
  post (job, on_verify);
  return 0;
}

static struct job *
verify_answer (int status)
{
  struct job *job = job_new (&mock.integration, JOB_VERIFY, NULL, 0);

  mock.provider.plugin.verify = build_verify;
  job_build (job);
  mock_reply (job, status, "{}");
  assert_true (job_is_done (job));
  return job;
}

static void
test_verify (void **state)
{
  struct job *job = verify_answer (200);

  (void) state;
  assert_int_equal (job_verdict (job)->how, HERALD_PROVEN);
  job_free (job);
  job = verify_answer (403);
  assert_int_equal (job_verdict (job)->how, HERALD_UNPROVEN);
  assert_string_equal (job_verdict (job)->text, "valid, but may not ask");
  job_free (job);
  job = verify_answer (401);
  assert_int_equal (job_verdict (job)->how, 0);
  assert_int_equal (job_verdict (job)->outcome.kind, OUTCOME_BLOCKED);
  assert_string_equal (job_verdict (job)->text, "HTTP 401: {}");
  job_free (job);

  mock.provider.plugin.verify = NULL;
  job = job_new (&mock.integration, JOB_VERIFY, NULL, 0);
  job_build (job);
  assert_true (job_is_done (job));
  assert_int_equal (job_verdict (job)->how, HERALD_UNPROVEN);
  job_free (job);
}

/* -- smtp */

static int
build_smtp (void *instance, struct herald_job *job)
{
  (void) instance;
  herald->message (
    herald->request (job, "MAIL", "smtp://mail.example/", NULL), 0, NULL);
  return 0;
}

static struct job *
smtp_answer (int status, const char *stage, const char *text)
{
  struct job *job = mock_built (&mock, 1, build_smtp);

  mock_reply_header (job, status, text, "stage", stage);
  assert_true (job_is_done (job));
  return job;
}

static void
test_smtp (void **state)
{
  struct job *job
    = smtp_answer (250, "message", "2.0.0 Ok:\nqueued as 4F");

  (void) state;
  assert_kind (job, 0, OUTCOME_DELIVERED);
  assert_string_equal (job_outcome (job, 0)->reference,
                       "2.0.0 Ok: queued as 4F");
  job_free (job);
  job = smtp_answer (550, "sender", "5.7.1 p0@example.org is not yours");
  assert_kind (job, 0, OUTCOME_BLOCKED);
  assert_string_equal (reason (job, 0),
                       "SMTP 550: the server refuses the sender: 5.7.1 "
                       "*@example.org is not yours");
  job_free (job);
  job = smtp_answer (550, "recipient", "");
  assert_kind (job, 0, OUTCOME_REJECTED);
  assert_string_equal (reason (job, 0),
                       "SMTP 550: the server refuses the recipient");
  job_free (job);
  job = smtp_answer (450, "bcc", "4.2.0 greylisted");
  assert_kind (job, 0, OUTCOME_RETRY);
  assert_string_equal (reason (job, 0), "SMTP 450: 4.2.0 greylisted");
  job_free (job);
}

static int
verify_smtp (void *instance, struct herald_job *job)
{
  struct herald_request *r
    = herald->request (job, "NOOP", "smtp://mail.example/", NULL);

  if (instance != NULL)
    herald->basic_auth (r, "herald", "sandbox");
  return 0;
}

static void
test_smtp_verify (void **state)
{
  static const int how[] = { HERALD_UNPROVEN, HERALD_PROVEN };
  struct job *job;

  (void) state;
  mock.provider.plugin.verify = verify_smtp;
  for (size_t k = 0; k < 2; k++) {
    mock.integration.instance = k == 0 ? NULL : &mock;
    job = job_new (&mock.integration, JOB_VERIFY, NULL, 0);
    job_build (job);
    mock_reply_header (job, 250, "2.0.0 Ok", "stage", "message");
    assert_int_equal (job_verdict (job)->how, how[k]);
    job_free (job);
  }
  job = job_new (&mock.integration, JOB_VERIFY, NULL, 0);
  job_build (job);
  mock_reply_header (job, 535, "5.7.8 no", "stage", "login");
  assert_int_equal (job_verdict (job)->outcome.kind, OUTCOME_BLOCKED);
  assert_string_equal (job_verdict (job)->text,
                       "SMTP 535: the server refuses this login: 5.7.8 no");
  job_free (job);
  mock.integration.instance = NULL;
}

static void
test_verify_renews (void **state)
{
  struct job *job;

  (void) state;
  mock.provider.plugin.token = build_token;
  mock.provider.plugin.verify = build_renew;
  token_set (&mock.integration.token, "tok-1", NULL, 0, 0);
  job = job_new (&mock.integration, JOB_VERIFY, NULL, 0);
  job_build (job);
  mock_reply (job, 401, "");
  assert_int_equal (job_verdict (job)->how, 0);
  assert_int_equal (job_verdict (job)->outcome.kind, OUTCOME_AGAIN);
  assert_int_equal (job_renewals (job), 1);
  assert_int_equal (job_groups (job), 0);
  assert_true (job_wants_token (job));
  job_free (job);
}

/* -- mails */

static uint64_t
alike (const char *data)
{
  struct arena *scratch = arena_new (0);
  struct event *event = mock_event (&mock, data);
  uint64_t number = job_alike (&mock.integration, event, scratch);

  event_release (event);
  arena_free (scratch);
  return number;
}

static void
test_alike (void **state)
{
  uint64_t bern = alike ("{\"email\":\"a@x.org\",\"town\":\"Bern\"}");

  (void) state;
  /* The subject names the town; to and the parameters do not count. */
  assert_true (bern
               == alike ("{\"email\":\"b@x.org\",\"town\":\"Bern\","
                         "\"score\":3,\"firstName\":\"B\"}"));
  assert_true (bern != alike ("{\"email\":\"a@x.org\",\"town\":\"Thun\"}"));
  mock.provider.plugin.caps = 0;
  assert_true (alike ("{\"email\":\"a@x.org\",\"town\":\"Thun\"}") == 0);
}

/* What a flight recorder sees of calls. */
struct watched {
  unsigned n_entered, n_left;
  uint64_t tag;
  uint32_t lane;
};

static void
watch_enter (void *data, const struct host_scope *scope)
{
  struct watched *watched = data;

  assert_int_equal (watched->n_entered++, watched->n_left);
  assert_non_null (scope->job);
  assert_int_equal (job_count (scope->job), 2);
  watched->tag = job_tag (scope->job, 1, &watched->lane);
}

static void
watch_leave (void *data, const struct host_scope *scope)
{
  struct watched *watched = data;

  assert_non_null (scope->job);
  watched->n_left++;
}

static void
test_watch (void **state)
{
  struct watched watched = { 0 };
  struct host_watch watch = { watch_enter, watch_leave, &watched };
  struct event *event = mock_event (&mock, "{\"email\":\"p@example.org\"}");
  struct job_item items[2] = {
    { .event = event, .id = "a", .attempt = 1, .tag_lane = 7, .tag = 11 },
    { .event = event, .id = "b", .attempt = 1, .tag_lane = 8,
      .tag = 1ull << 60 }
  };
  struct job *job;
  uint32_t lane = 9;

  (void) state;
  mock.provider.plugin.build = build_plain;
  job = job_new (&mock.integration, JOB_DELIVER, items, 2);
  host_watch (&watch);
  job_build (job);
  assert_int_equal (watched.n_left, 1);
  assert_int_equal (watched.lane, 8);
  assert_true (watched.tag == 1ull << 60);
  mock_reply (job, 200, "{}");
  assert_int_equal (watched.n_left, 2);
  host_watch (NULL);
  assert_int_equal (job_tag (job, 0, &lane), 11);
  assert_int_equal (lane, 7);
  assert_int_equal (job_tag (job, 2, &lane), 0);
  job_free (job);
  event_release (event);
}

int
main (void)
{
#define TEST(f) cmocka_unit_test_setup_teardown (f, setup, teardown)
#define TEST_MAIL(f)                                                          \
  cmocka_unit_test_setup_teardown (f, setup_mailer, teardown)
  const struct CMUnitTest tests[] = { TEST (test_delivered),
                                      TEST (test_by_status),
                                      TEST (test_retry_after),
                                      TEST (test_no_answer),
                                      TEST (test_fail),
                                      TEST (test_unfit),
                                      TEST_MAIL (test_hidden),
                                      TEST (test_mixed),
                                      TEST (test_settled_twice),
                                      TEST (test_forgotten),
                                      TEST (test_uncovered),
                                      TEST (test_minus_one),
                                      TEST (test_settled_in_build),
                                      TEST (test_sticky),
                                      TEST (test_overlap),
                                      TEST (test_endless),
                                      TEST (test_further),
                                      TEST (test_further_rest),
                                      TEST (test_split),
                                      TEST (test_split_rest_whole),
                                      TEST (test_token),
                                      TEST (test_token_fails),
                                      TEST (test_renew),
                                      TEST (test_renew_late),
                                      TEST (test_wait_and_rate),
                                      TEST (test_verify),
                                      TEST (test_verify_renews),
                                      TEST_MAIL (test_smtp),
                                      TEST_MAIL (test_smtp_verify),
                                      TEST_MAIL (test_alike),
                                      TEST (test_watch) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
