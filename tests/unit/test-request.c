/* test-request.c - what plugins write, and what they may not.
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

#include "base/redact.h"
#include "mock.h"

static struct mock mock;
static void (*writes) (struct herald_job *job);

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
  mock_open (&mock, HERALD_MAILER, 0);
  return 0;
}

static int
teardown (void **state)
{
  (void) state;
  mock_close (&mock);
  return 0;
}

static int
build (void *instance, struct herald_job *job)
{
  (void) instance;
  writes (job);
  return 0;
}

static struct job *
job_written (void (*fn) (struct herald_job *job))
{
  writes = fn;
  return mock_built (&mock, 1, build);
}

/* What fn writes is sent as text. */
static void
assert_sends (void (*fn) (struct herald_job *job), const char *text)
{
  struct job *job = job_written (fn);
  struct herald_request *request = job_take (job);
  struct buf out = BUF_INIT (0);

  if (request == NULL)
    fail_msg ("nothing sent: %s", job_fault (job, 0));
  request_add_text (request, &out);
  assert_string_equal (out.data, text);
  buf_done (&out);
  job_free (job);
}

/* What fn writes is a fault that says so. */
static void
assert_spoils (void (*fn) (struct herald_job *job), const char *why)
{
  struct job *job = job_written (fn);

  assert_null (job_take (job));
  assert_int_equal (job_outcome (job, 0)->kind, OUTCOME_FAULT);
  if (strstr (job_fault (job, 0), why) == NULL)
    fail_msg ("\"%s\" does not say \"%s\"", job_fault (job, 0), why);
  job_free (job);
}

static struct herald_request *
post (struct herald_job *job)
{
  return herald->request (job, "POST", "https://a.example/x", NULL);
}

static void
write_headers (struct herald_job *job)
{
  struct herald_request *r
    = herald->request (job, "GET", "https://a.example/x?a=1#top", NULL);

  herald->query (r, "q", "a b&c");
  herald->query (r, "none", NULL);
  herald->query (r, "\xc3\xa9", "");
  herald->header (r, "X-One", "1");
  herald->header (r, "X-Two", "2");
  herald->header (r, "x-one", "one");
  herald->header (r, "X-Two", NULL);
  herald->header (r, "X-Absent", NULL);
  herald->header_line (r, "X-Line:  a: b");
  herald->header_line (r, NULL);
  herald->bearer_auth (r, "tok");
}

static void
write_query (struct herald_job *job)
{
  herald->query (herald->request (job, "GET", "http://a.example", NULL), "a",
                 "1");
}

static void
test_headers (void **state)
{
  (void) state;
  assert_sends (write_headers,
                "GET https://a.example/x?a=1&q=a%20b%26c&%C3%A9=\n"
                "x-one: one\nX-Line: a: b\nAuthorization: Bearer tok\n");
  assert_sends (write_query, "GET http://a.example?a=1\n");
}

static void
write_json (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->append (r, "{\"records\":[");
  herald->append (r, "%s", herald->record (job, 0));
  herald->append (r, ",{\"n\":%d,\"s\":%s}]}", 7, herald->quote ("a\"b"));
}

static void
write_typed (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->header (r, "content-type", "application/vnd.x+json");
  herald->append (r, "%s", "[1]");
}

static void
write_untyped (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->append (r, "%s", "[1]");
  herald->header (r, "content-type", NULL);
}

static void
write_members (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->append (r, "{");
  herald->append_member (r, "none", NULL);
  herald->append_member (r, "empty", "");
  herald->append_member (r, "a\"", "b\n");
  herald->append (r, ",\"n\":1");
  herald->append_member (r, "c", "d");
  herald->append_values (r, "lines", "extra");
  herald->append_values (r, "none", "absent");
  herald->append (r, ",\"tags\":[");
  herald->append_member (r, NULL, "one");
  herald->append_member (r, NULL, "two");
  herald->append (r, "]}");
  herald->append_member (NULL, "x", "y");
  herald->append_values (NULL, "x", "extra");
}

static void
test_json (void **state)
{
  (void) state;
  assert_sends (write_json,
                "POST https://a.example/x\nContent-Type: application/json\n\n"
                "{\"records\":[{\"email\":\"p0@example.org\","
                "\"name\":\"P0\",\"score\":0,\"home.town\":\"Bern\"},"
                "{\"n\":7,\"s\":\"a\\\"b\"}]}");
  assert_sends (write_typed, "POST https://a.example/x\n"
                             "content-type: application/vnd.x+json\n\n[1]");
  assert_sends (write_untyped, "POST https://a.example/x\n\n[1]");
  assert_sends (write_members,
                "POST https://a.example/x\nContent-Type: application/json\n\n"
                "{\"a\\\"\":\"b\\n\",\"n\":1,\"c\":\"d\","
                "\"lines\":[\"X-One: 1\",\"X-Two: 2\"],"
                "\"tags\":[\"one\",\"two\"]}");
}

static void
write_merge (struct herald_job *job)
{
  struct herald_request *r = post (job);
  size_t len;

  herald->append (r, "%s", "{\"a\":1,\"m\":[{},{\"x\":{\"k\":\"}\"}}]}");
  herald->merge (r, "", "{\"a\":2,\"b\":[1, 2],\"c\\n\":null}");
  herald->merge (r, "m.0", "{\"y\":1e400,\"z\":{}}");
  herald->merge (r, "m.1.x", "{\"k\":0,\"l\":true}");
  herald->merge (r, NULL, "{}");
  herald->merge (r, "nowhere", NULL);
  herald->merge (r, "nowhere", "");
  assert_string_equal (herald->body_text (r, &len),
                       "{\"a\":1,\"m\":[{\"y\":1e400,\"z\":{}},{\"x\":{"
                       "\"k\":\"}\",\"l\":true}}],\"b\":[1, 2],"
                       "\"c\\n\":null}");
  assert_int_equal (len, strlen (herald->body_text (r, NULL)));
}

/* What is an object in both is merged in turn; what is not stays. */
static void
write_merge_deep (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->append (r, "%s", "{\"a\":{\"b\":{ },\"c\":1},\"d\":[{\"x\":{}},{},"
                           "{\"y\":{\"z\":0}}]}");
  herald->merge (r, "", "{\"n\":1,\"a\":{\"b\":{\"p\":1,\"q\":2},\"c\":{},"
                        "\"e\":3},\"d\":[]}");
  herald->merge (r, "d.*", "{\"y\":{\"z\":1,\"w\":2}}");
  assert_string_equal (herald->body_text (r, NULL),
                       "{\"a\":{\"b\":{ \"p\":1,\"q\":2},\"c\":1,\"e\":3},"
                       "\"d\":[{\"x\":{},\"y\":{\"z\":1,\"w\":2}},"
                       "{\"y\":{\"z\":1,\"w\":2}},"
                       "{\"y\":{\"z\":0,\"w\":2}}],\"n\":1}");
}

static void
write_merge_star (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->append (r, "%s", "[{},{\"a\":1}]");
  herald->merge (r, "*", "{\"a\":2}");
  assert_string_equal (herald->body_text (r, NULL),
                       "[{\"a\":2},{\"a\":1}]");
}

static void
write_merge_no_list (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->append (r, "%s", "{\"a\":[1]}");
  herald->merge (r, "a.*", "{\"b\":1}");
}

/* What was appended behind a merge is checked as well. */
static void
write_merge_and_more (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->append (r, "%s", "{\"a\":1}");
  herald->merge (r, "", "{\"b\":1}");
  herald->append (r, "}");
}

static void
write_merge_nowhere (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->append (r, "%s", "{\"a\":1}");
  herald->merge (r, "a", "{\"b\":1}");
}

static void
write_merge_array (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->append (r, "%s", "{\"a\":1}");
  herald->merge (r, "", "[1]");
}

static void
test_merge (void **state)
{
  struct job *job = job_written (write_merge);

  (void) state;
  assert_non_null (job_take (job));
  job_free (job);
  job = job_written (write_merge_deep);
  assert_non_null (job_take (job));
  job_free (job);
  job = job_written (write_merge_star);
  assert_non_null (job_take (job));
  job_free (job);
  assert_spoils (write_merge_no_list, "no object");
  assert_spoils (write_merge_and_more, "no JSON");
  assert_spoils (write_merge_nowhere, "no object");
  assert_spoils (write_merge_array, "no JSON object");
}

static void
write_params (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->param (r, "grant_type", "client_credentials");
  herald->param (r, "scope", NULL);
  herald->param (r, "secret", "a&b=c d\xc3\xa9");
}

static void
write_bytes (struct herald_job *job)
{
  herald->body (post (job), "text/plain", "a\tb", 3);
}

static void
test_params_and_bytes (void **state)
{
  (void) state;
  assert_sends (write_params,
                "POST https://a.example/x\n"
                "Content-Type: application/x-www-form-urlencoded\n\n"
                "grant_type=client_credentials&secret=a%26b%3Dc%20d%C3%A9");
  assert_sends (write_bytes, "POST https://a.example/x\n"
                             "Content-Type: text/plain\n\na\tb");
}

static char seen[2000];

static void
write_form (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->form (r, "to", "a@x.org");
  herald->form (r, "to", "b@x.org");
  herald->form (r, "none", NULL);
  herald->form (r, "a\"b\r\nc", "line\r\nline");
  snprintf (seen, sizeof seen, "%s", herald->body_text (r, NULL));
}

static const char *boundary;

static void
write_form_hostile (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->form (r, "evil", herald->format ("--%s--", boundary));
}

static void
test_form (void **state)
{
  struct job *job = job_written (write_form);
  struct herald_request *r = job_take (job);
  char kept[40];

  (void) state;
  assert_non_null (r);
  assert_int_equal (strlen (r->boundary), 39);
  assert_string_equal (r->body.data, seen);
  assert_non_null (strstr (seen, "form-data; name=\"to\"\r\n\r\na@x.org\r\n"));
  assert_non_null (strstr (seen, "name=\"a%22b%0D%0Ac\"\r\n\r\nline\r\n"));
  assert_string_equal (seen + strlen (seen) - 43 + 39, "--\r\n");
  assert_non_null (strstr (r->headers[0].value, r->boundary));
  snprintf (kept, sizeof kept, "%s", r->boundary);
  job_free (job);

  /* The same deliveries, the same boundary, unless it occurs. */
  job = job_written (write_form);
  assert_string_equal (job_take (job)->boundary, kept);
  job_free (job);
  boundary = kept;
  job = job_written (write_form_hostile);
  assert_string_not_equal (job_take (job)->boundary, kept);
  job_free (job);
}

static void
write_basic (struct herald_job *job)
{
  struct herald_request *r = post (job);

  herald->basic_auth (r, "api", "pass\xc3\xa9");
}

static void
write_bearer_none (struct herald_job *job)
{
  herald->bearer_auth (post (job), NULL);
}

static void
test_auth (void **state)
{
  struct buf out = BUF_INIT (0);

  (void) state;
  assert_sends (write_basic, "POST https://a.example/x\n"
                             "Authorization: Basic YXBpOnBhc3PDqQ==\n");
  redact_add_secrets_only (&out, "Basic YXBpOnBhc3PDqQ==", 22);
  assert_string_equal (out.data, "Basic ***");
  buf_done (&out);
  assert_spoils (write_bearer_none, "token");
  mock.provider.plugin.token = build;
  assert_sends (write_bearer_none, "POST https://a.example/x\n"
                                   "Authorization: Bearer (token)\n");
  token_set (&mock.integration.token, "tok-9", NULL, 0, 0);
  assert_sends (write_bearer_none, "POST https://a.example/x\n"
                                   "Authorization: Bearer tok-9\n");
}

/* -- faults */

#define SPOILER(name, request, ...)                                           \
  static void name (struct herald_job *job)                                   \
  {                                                                           \
    struct herald_request *r = request;                                       \
                                                                              \
    __VA_ARGS__;                                                              \
    herald->tag (r, NULL);                                                    \
  }
#define OPEN(method, url) herald->request (job, method, url, NULL)

SPOILER (spoil_scheme, OPEN ("GET", "ftp://a/"))
SPOILER (spoil_no_url, OPEN ("GET", NULL))
SPOILER (spoil_space, OPEN ("GET", "https://a/ b"))
SPOILER (spoil_method, OPEN ("GE T", "https://a/"))
SPOILER (spoil_no_method, OPEN (NULL, "https://a/"))
SPOILER (spoil_noop, OPEN ("EHLO", "smtp://a"))
SPOILER (spoil_no_mail, OPEN ("MAIL", "smtp://a"))
SPOILER (spoil_mail, OPEN ("MAIL", "smtp://a"), herald->message (r, 0, NULL))
SPOILER (spoil_crlf, post (job), herald->header (r, "X", "a\r\nB: c"))
SPOILER (spoil_colon, post (job), herald->header_line (r, "no colon"))
SPOILER (spoil_name, post (job), herald->header (r, NULL, "x"))
SPOILER (spoil_token, post (job), herald->bearer_auth (r, "a\nb"))
SPOILER (spoil_tls, post (job), herald->tls (r, 9))
SPOILER (spoil_cover, post (job), herald->covers (r, 1))
SPOILER (spoil_mixed, post (job), herald->append (r, "1");
         herald->param (r, "a", "b"))
SPOILER (spoil_mixed2, post (job), herald->form (r, "a", "b");
         herald->body (r, NULL, "x", 1))
SPOILER (spoil_bodies, post (job), herald->body (r, NULL, "x", 1);
         herald->body (r, NULL, "x", 1))
SPOILER (spoil_json, post (job), herald->append (r, "{\"a\":%s}", "b\"c"))
SPOILER (spoil_utf8, post (job), herald->append (r, "\"%s\"", "\xff"))
SPOILER (spoil_text, post (job), herald->body (r, "text/plain", "\xff", 1))
SPOILER (spoil_typed, post (job),
         herald->body (r, "application/json; charset=utf-8", "{", 1))
SPOILER (spoil_form, post (job), herald->form (r, "a", "\xff"))

static void
spoil_url_len (struct herald_job *job)
{
  struct herald_request *r = post (job);

  for (int i = 0; i < 2000; i++)
    herald->query (r, "name", "value");
}

static void
spoil_headers (struct herald_job *job)
{
  struct herald_request *r = post (job);

  for (int i = 0; i < 101; i++)
    herald->header (r, herald->format ("X-%d", i), "value");
}

static void
spoil_body_len (struct herald_job *job)
{
  struct herald_request *r = post (job);
  size_t len = 17 << 20;
  char *text = herald->alloc (len + 1);

  memset (text, ' ', len);
  herald->append (r, "%s", text);
  herald->append (r, "1%s", text);
}

static void
test_faults (void **state)
{
  (void) state;
  assert_spoils (spoil_scheme, "none of http");
  assert_spoils (spoil_no_url, "no URL");
  assert_spoils (spoil_space, "space");
  assert_spoils (spoil_method, "method");
  assert_spoils (spoil_no_method, "method");
  assert_spoils (spoil_crlf, "line break");
  assert_spoils (spoil_colon, "colon");
  assert_spoils (spoil_name, "name of a header");
  assert_spoils (spoil_token, "line break");
  assert_spoils (spoil_tls, "tls ()");
  assert_spoils (spoil_cover, "covers delivery 1 of 1");
  assert_spoils (spoil_mixed, "two kinds");
  assert_spoils (spoil_mixed2, "two kinds");
  assert_spoils (spoil_bodies, "two bodies");
  assert_spoils (spoil_json, "no JSON");
  assert_spoils (spoil_utf8, "no JSON");
  assert_spoils (spoil_text, "not UTF-8");
  assert_spoils (spoil_typed, "no JSON");
  assert_spoils (spoil_form, "not UTF-8");
  assert_spoils (spoil_mail, "no mailer");
  assert_spoils (spoil_noop, "MAIL or NOOP");
  assert_spoils (spoil_no_mail, "needs a message");
  assert_spoils (spoil_url_len, "16 KiB");
  assert_spoils (spoil_headers, "more than 100 headers");
  assert_spoils (spoil_body_len, "32 MiB");
}

/* A request kept past its callback, and none at all. */
static struct herald_request *kept_request;

static void
write_kept (struct herald_job *job)
{
  kept_request = post (job);
  herald->append (kept_request, "%s", "{}");
}

static void
test_kept (void **state)
{
  struct job *job = job_written (write_kept);

  (void) state;
  herald->append (kept_request, "junk");
  herald->header (kept_request, "X", "y");
  assert_string_equal (kept_request->body.data, "{}");
  assert_int_equal (kept_request->n_headers, 1);
  assert_int_equal (job_faults (job), 1);
  herald->header (NULL, "X", "y");
  herald->append (NULL, "x");
  herald->merge (NULL, "", "{}");
  herald->body (NULL, NULL, NULL, 0);
  herald->form (NULL, "a", "b");
  herald->message (NULL, 0, NULL);
  assert_string_equal (herald->body_text (NULL, NULL), "");
  job_free (job);
}

/* -- SMTP */

static void
write_mail (struct herald_job *job)
{
  struct herald_request *r
    = herald->request (job, "MAIL", "smtp://mx.example:587/me", NULL);

  herald->tls (r, HERALD_TLS_IF_OFFERED);
  herald->basic_auth (r, "login", "password");
  herald->message (r, 0, NULL);
}

static void
write_noop (struct herald_job *job)
{
  herald->request (job, "NOOP", "SMTPS://mx.example", NULL);
}

static void
test_smtp (void **state)
{
  struct job *job = job_written (write_mail);
  struct herald_request *r = job_take (job);
  struct buf out = BUF_INIT (0);

  (void) state;
  assert_non_null (r);
  assert_true (r->is_smtp);
  assert_int_equal (r->tls, HERALD_TLS_IF_OFFERED);
  assert_string_equal (r->user, "login");
  assert_string_equal (r->password, "password");
  assert_non_null (r->message);
  request_add_text (r, &out);
  assert_non_null (strstr (out.data, "MAIL FROM:<play@acme.example>\n"
                                     "RCPT TO:<p0@example.org>\n"
                                     "RCPT TO:<audit@acme.example>\n\nFrom:"));
  assert_null (strstr (out.data, "password"));
  buf_done (&out);
  mock_answer (job, r, 550, "5.1.1 no such user");
  assert_int_equal (job_outcome (job, 0)->kind, OUTCOME_REJECTED);
  assert_string_equal (job_outcome (job, 0)->reason,
                       "SMTP 550: the server refuses the mail: "
                       "5.1.1 no such user");
  job_free (job);
  assert_sends (write_noop, "NOOP SMTPS://mx.example\n");
}

int
main (void)
{
#define TEST(f) cmocka_unit_test_setup_teardown (f, setup, teardown)
#define TEST_MAIL(f)                                                          \
  cmocka_unit_test_setup_teardown (f, setup_mailer, teardown)
  const struct CMUnitTest tests[] = {
    TEST (test_headers),          TEST (test_json), TEST (test_merge),
    TEST (test_params_and_bytes), TEST (test_form), TEST (test_auth),
    TEST (test_faults),           TEST (test_kept), TEST_MAIL (test_smtp)
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
