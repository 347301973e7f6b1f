/* test-answer.c - what the intake says, and which heads it does not
 * believe.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/json_doc.h"
#include "config-fixture.h"
#include "intake/answer.h"
#include "intake/framing.h"
#include "intake/submission.h"

static const char herald_xml[]
  = "<herald xmlns=\"urn:herald:config:1\"><workspaces>"
    "<workspace name=\"acme\"/><workspace name=\"beta\"/></workspaces>"
    "</herald>";

static const char integration_xml[]
  = "<integration xmlns=\"urn:herald:integration:1\" name=\"%s\" "
    "provider=\"custom-api\" enabled=\"%s\">"
    "<workspaces><workspace>acme</workspace></workspaces>"
    "<when source=\"email\" present=\"true\"/>"
    "<settings><setting name=\"endpoint\">https://x.example/</setting>"
    "</settings><map><field name=\"email\" source=\"email\"/></map>"
    "</integration>";

static void
test_problem (void **state)
{
  struct http_answer answer;
  struct json_doc *doc;
  char reason[160];

  (void) state;
  answer_problem (&answer, 413, "more than %d \"events\"", 7);
  answer_field (&answer, "Retry-After", "1");
  assert_int_equal (answer.status, 413);
  assert_string_equal (answer.type, "application/problem+json");
  doc = json_doc_read (answer.body, answer.len, reason);
  assert_non_null (doc);
  assert_string_equal (json_doc_as_text (json_doc_get (doc, "title")),
                       "Content Too Large");
  assert_int_equal (json_doc_as_number (json_doc_get (doc, "status")), 413);
  assert_string_equal (json_doc_as_text (json_doc_get (doc, "detail")),
                       "more than 7 \"events\"");
  assert_string_equal (answer.fields[0].value, "1");
  assert_null (answer.fields[1].name);
  json_doc_free (doc);
  free (answer.body);
}

static void
test_bytes (void **state)
{
  struct buf out = BUF_INIT (0);
  struct http_answer answer;

  (void) state;
  date_set_now (784111777000);
  answer_text (&answer, 503, "full");
  answer_field (&answer, "Retry-After", "5");
  answer_add_bytes (&answer, "Service Unavailable", &out);
  assert_string_equal (out.data,
                       "HTTP/1.1 503 Service Unavailable\r\n"
                       "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                       "Connection: close\r\nContent-Length: 5\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Retry-After: 5\r\n\r\nfull\n");
  date_set_now (-1);
  free (answer.body);
  buf_done (&out);
}

static unsigned
judge (const char *const *fields, bool is_http_1_1, int64_t *ret_len)
{
  struct framing framing = { 0 };
  const char *detail = NULL;
  unsigned status;

  for (; *fields != NULL; fields += 2)
    framing_take (&framing, fields[0], fields[1]);
  *ret_len = -7;
  status = framing_judge (&framing, is_http_1_1, ret_len, &detail);
  assert_true (status == 0 || detail != NULL);
  return status;
}

static void
test_framing (void **state)
{
  static const struct {
    const char *fields[7];
    unsigned status;
    int64_t len;
  } cases[] = {
    { { "Host", "x" }, 0, 0 },
    { { "content-LENGTH", "12", "Host", "x" }, 0, 12 },
    { { "Transfer-Encoding", "Chunked" }, 0, -1 },
    { { "Expect", "100-Continue", "Content-Length", "1" }, 0, 1 },
    { { "Content-Length", "1", "Content-Length", "1" }, 400, 0 },
    { { "Content-Length", "0x1" }, 400, 0 },
    { { "Content-Length", "" }, 400, 0 },
    { { "Content-Length", "-1" }, 400, 0 },
    { { "Content-Length", "99999999999999999999" }, 400, 0 },
    { { "Content-Length", "1", "Transfer-Encoding", "chunked" }, 400, 0 },
    { { "Transfer-Encoding", "chunked, chunked" }, 501, 0 },
    { { "Transfer-Encoding ", "chunked" }, 400, 0 },
    { { "", "x" }, 400, 0 },
    { { "Host", "x", "host", "y" }, 400, 0 },
    { { "Authorization", "x", "Authorization", "x" }, 400, 0 },
    { { "Expect", "tea" }, 417, 0 },
  };
  static const char *const chunked[] = { "Transfer-Encoding", "chunked",
                                         NULL };
  int64_t len;

  (void) state;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal (judge (cases[i].fields, true, &len), cases[i].status);
    if (cases[i].status == 0)
      assert_int_equal (len, cases[i].len);
  }
  assert_int_equal (judge (chunked, false, &len), 400);
}

static void
write_integration (const char *directory, const char *name,
                   const char *enabled)
{
  char text[1000], path[60];

  snprintf (text, sizeof text, integration_xml, name, enabled);
  snprintf (path, sizeof path, "conf.d/%s.xml", name);
  fixture_write (directory, path, text, 0644);
}

static struct routes *
make_routes (const char *directory)
{
  struct problems *problems = problems_new ();
  struct configuration *configuration;
  struct routes *routes;

  assert_int_equal (mkdir (fixture_path (directory, "conf.d"), 0755), 0);
  fixture_write (directory, "herald.xml", herald_xml, 0644);
  write_integration (directory, "off", "false");
  write_integration (directory, "web", "true");
  configuration = configuration_read (directory, SECRETS_UNREAD, problems);
  assert_non_null (configuration);
  routes = routes_new (configuration);
  configuration_free (configuration);
  problems_free (problems);
  return routes;
}

static void
add (struct submission *submission, const char *id, const char *workspace,
     const char *data)
{
  struct event_reader *reader = event_reader_new (NULL);
  struct event_error error;
  struct event *event;
  char text[300];

  snprintf (text, sizeof text, "{\"specversion\":\"1.0\",\"source\":\"s\","
            "\"type\":\"t\",\"id\":\"%s\",\"workspace\":\"%s\","
            "\"data\":%s}", id, workspace, data);
  assert_int_equal (event_reader_read (reader, text, strlen (text), &event,
                                       &error), 0);
  submission_add (submission, event);
  event_reader_free (reader);
}

static void
expect (const struct submission *submission, unsigned status,
        const char *words[])
{
  struct submission_counts counts;
  struct http_answer answer;
  struct json_doc *doc;
  char reason[160];

  submission_answer (submission, &answer, &counts);
  assert_int_equal (answer.status, status);
  doc = json_doc_read (answer.body, answer.len, reason);
  assert_non_null (doc);
  for (size_t i = 0; words[i] != NULL; i++) {
    const struct json_doc *event
      = json_doc_at (json_doc_get (doc, "events"), i);

    assert_int_equal (json_doc_as_number (json_doc_get (event, "index")), i);
    assert_string_equal (json_doc_as_text (json_doc_get (event, "status")),
                         words[i]);
  }
  json_doc_free (doc);
  free (answer.body);
}

static void
test_submission (void **state)
{
  const char *directory = fixture_directory ();
  struct routes *routes = make_routes (directory);
  struct caller *caller = caller_new ("shop");
  struct submission *submission;
  struct commit *commit;

  (void) state;
  caller_add (caller, "acme", 4);
  caller_add (caller, "gone", 4);
  submission = submission_new (caller, routes);
  add (submission, "1", "acme", "{\"email\":\"a@example.com\"}");
  submission_add_bad (submission, "not \"JSON\"");
  add (submission, "2", "beta", "{}");
  add (submission, "3", "acme", "{}");
  add (submission, "4", "gone", "{}");
  commit = submission_commit (submission);
  assert_ptr_equal (submission_of (commit), submission);
  assert_int_equal (commit->n, 2);
  assert_string_equal (commit->events[0].id, "1");
  /* For web alone: the other is off; and 3 has no email. */
  assert_int_equal (commit->events[0].n_lanes, 1);
  assert_string_equal (commit->events[1].id, "3");
  assert_int_equal (commit->events[1].n_lanes, 0);
  commit->answers[0] = QUEUE_ACCEPTED;
  commit->answers[1] = QUEUE_SEEN;
  expect (submission, 400,
          (const char *[]) { "accepted", "rejected", "rejected", "duplicate",
                             "rejected", NULL });
  submission_free (submission);

  submission = submission_new (caller, routes);
  add (submission, "1", "beta", "{}");
  assert_null (submission_commit (submission));
  expect (submission, 403, (const char *[]) { "rejected", NULL });
  submission_free (submission);

  submission = submission_new (caller, routes);
  assert_null (submission_commit (submission));
  expect (submission, 202, (const char *[]) { NULL });
  submission_free (submission);

  caller_release (caller);
  routes_release (routes);
  fixture_remove (directory);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_problem),
    cmocka_unit_test (test_bytes),
    cmocka_unit_test (test_framing),
    cmocka_unit_test (test_submission),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
