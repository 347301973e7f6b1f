/* test-sigv4.c - plugins/ses/sigv4 agrees with Amazon's own test suite.
 *
 * The cases have the names of Amazon's aws-sig-v4-test-suite, and its
 * signatures; credentials, date, region and service are the suite's, too.
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

#include "../../plugins/ses/sigv4.h"
#include "mock.h"

enum { MOST = 5 }; /* headers or parameters of a case */

#define UNRESERVED                                                            \
  "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define SUITE_TOKEN                                                           \
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTw"          \
  "dQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi"          \
  "/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5V"          \
  "SXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPk"          \
  "UL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabI"          \
  "Qwj2ICCR/oLxBA=="

struct suite_case {
  const char *name, *method, *path;
  struct herald_header query[MOST];
  struct herald_header headers[MOST]; /* besides Host */
  const char *body, *token;
  const char *names, *signature;
};

static const struct suite_case suite[]
  = { { .name = "get-vanilla",
        .method = "GET",
        .path = "/",
        .names = "host;x-amz-date",
        .signature = "5fa00fa31553b73ebf1942676e86291e"
                     "8372ff2a2260956d9b8aae1d763fbf31" },
      { .name = "get-slash",
        .method = "GET",
        .path = "//",
        .names = "host;x-amz-date",
        .signature = "5fa00fa31553b73ebf1942676e86291e"
                     "8372ff2a2260956d9b8aae1d763fbf31" },
      { .name = "get-slash-dot-slash",
        .method = "GET",
        .path = "/./",
        .names = "host;x-amz-date",
        .signature = "5fa00fa31553b73ebf1942676e86291e"
                     "8372ff2a2260956d9b8aae1d763fbf31" },
      { .name = "get-relative",
        .method = "GET",
        .path = "/example/..",
        .names = "host;x-amz-date",
        .signature = "5fa00fa31553b73ebf1942676e86291e"
                     "8372ff2a2260956d9b8aae1d763fbf31" },
      { .name = "get-relative-relative",
        .method = "GET",
        .path = "/example1/example2/../..",
        .names = "host;x-amz-date",
        .signature = "5fa00fa31553b73ebf1942676e86291e"
                     "8372ff2a2260956d9b8aae1d763fbf31" },
      { .name = "get-slashes",
        .method = "GET",
        .path = "//example//",
        .names = "host;x-amz-date",
        .signature = "9a624bd73a37c9a373b5312afbebe7a7"
                     "14a789de108f0bdfe846570885f57e84" },
      { .name = "get-unreserved",
        .method = "GET",
        .path = "/" UNRESERVED,
        .names = "host;x-amz-date",
        .signature = "07ef7494c76fa4850883e2b006601f94"
                     "0f8a34d404d0cfa977f52a65bbf5f24f" },
      { .name = "get-utf8",
        .method = "GET",
        .path = "/\xe1\x88\xb4",
        .names = "host;x-amz-date",
        .signature = "8318018e0b0f223aa2bbf98705b62bb7"
                     "87dc9c0e678f255a891fd03141be5d85" },
      { .name = "get-vanilla-empty-query-key",
        .method = "GET",
        .path = "/",
        .query = { { "Param1", "value1" } },
        .names = "host;x-amz-date",
        .signature = "a67d582fa61cc504c4bae71f336f98b9"
                     "7f1ea3c7a6bfe1b6e45aec72011b9aeb" },
      { .name = "get-vanilla-query-order-key-case",
        .method = "GET",
        .path = "/",
        .query = { { "Param2", "value2" }, { "Param1", "value1" } },
        .names = "host;x-amz-date",
        .signature = "b97d918cfa904a5beff61c982a1b6f45"
                     "8b799221646efd99d3219ec94cdf2500" },
      { .name = "get-vanilla-query-unreserved",
        .method = "GET",
        .path = "/",
        .query = { { UNRESERVED, UNRESERVED } },
        .names = "host;x-amz-date",
        .signature = "9c3e54bfcdf0b19771a7f523ee5669cd"
                     "f59bc7cc0884027167c21bb143a40197" },
      { .name = "get-vanilla-utf8-query",
        .method = "GET",
        .path = "/",
        .query = { { "\xe1\x88\xb4", "bar" } },
        .names = "host;x-amz-date",
        .signature = "2cdec8eed098649ff3a119c94853b13c"
                     "643bcf08f8b0a1d91e12c9027818dd04" },
      { .name = "get-header-key-duplicate",
        .method = "GET",
        .path = "/",
        .headers = { { "My-Header1", "value2" },
                     { "My-Header1", "value2" },
                     { "My-Header1", "value1" } },
        .names = "host;my-header1;x-amz-date",
        .signature = "c9d5ea9f3f72853aea855b47ea873832"
                     "890dbdd183b4468f858259531a5138ea" },
      { .name = "get-header-value-order",
        .method = "GET",
        .path = "/",
        .headers = { { "My-Header1", "value4" },
                     { "My-Header1", "value1" },
                     { "My-Header1", "value3" },
                     { "My-Header1", "value2" } },
        .names = "host;my-header1;x-amz-date",
        .signature = "08c7e5a9acfcfeb3ab6b2185e75ce8b1"
                     "deb5e634ec47601a50643f830c755c01" },
      { .name = "get-header-value-trim",
        .method = "GET",
        .path = "/",
        .headers = { { "My-Header2", " \"a   b   c\"  " },
                     { "My-Header1", " value1" } },
        .names = "host;my-header1;my-header2;x-amz-date",
        .signature = "acc3ed3afb60bb290fc8d2dd0098b991"
                     "1fcaa05412b367055dee359757a9c736" },
      { .name = "post-vanilla, post-header-key-case",
        .method = "POST",
        .path = "/",
        .names = "host;x-amz-date",
        .signature = "5da7c1a2acd57cee7505fc6676e4e544"
                     "621c30862966e37dddb68e92efbe5d6b" },
      { .name = "post-header-key-sort",
        .method = "POST",
        .path = "/",
        .headers = { { "My-Header1", "value1" } },
        .names = "host;my-header1;x-amz-date",
        .signature = "c5410059b04c1ee005303aed430f6e66"
                     "45f61f4dc9e1461ec8f8916fdf18852c" },
      { .name = "post-header-value-case",
        .method = "POST",
        .path = "/",
        .headers = { { "My-Header1", "VALUE1" } },
        .names = "host;my-header1;x-amz-date",
        .signature = "cdbc9802e29d2942e5e10b5bccfdd67c"
                     "5f22c7c4e8ae67b53629efa58b974b7d" },
      { .name = "post-vanilla-query",
        .method = "POST",
        .path = "/",
        .query = { { "Param1", "value1" } },
        .names = "host;x-amz-date",
        .signature = "28038455d6de14eafc1f9222cf5aa6f1"
                     "a96197d7deb8263271d420d138af7f11" },
      { .name = "post-vanilla-query-nonunreserved",
        .method = "POST",
        .path = "/",
        .query = { { "@#$%^", "" }, { "+", "/,?><`\";:\\|][{}" } },
        .names = "host;x-amz-date",
        .signature = "66c82657c86e26fb25238d0e69f011ed"
                     "c4c6df5ae71119d7cb98ed9b87393c1e" },
      { .name = "post-vanilla-query-space",
        .method = "POST",
        .path = "/",
        .query = { { "p", "" } },
        .names = "host;x-amz-date",
        .signature = "e71688addb58a26418614085fb730ba3"
                     "faa623b461c17f48f2fbdb9361b94a9b" },
      { .name = "post-x-www-form-urlencoded",
        .method = "POST",
        .path = "/",
        .headers = { { "Content-Type", "application/x-www-form-urlencoded" } },
        .body = "Param1=value1",
        .names = "content-type;host;x-amz-date",
        .signature = "ff11897932ad3f4e8b18135d722051e5"
                     "ac45fc38421b1da7b9d196a0fe09473a" },
      { .name = "post-x-www-form-urlencoded-parameters",
        .method = "POST",
        .path = "/",
        .headers = { { "Content-Type",
                       "application/x-www-form-urlencoded; charset=utf8" } },
        .body = "Param1=value1",
        .names = "content-type;host;x-amz-date",
        .signature = "1a72ec8f64bd914b0e42e42607c7fbce"
                     "7fb2c7465f63e3092b3b0d39fa77a6fe" },
      { .name = "post-sts-header-before",
        .method = "POST",
        .path = "/",
        .token = SUITE_TOKEN,
        .names = "host;x-amz-date;x-amz-security-token",
        .signature = "85d96828115b5dc0cfc3bd16ad9e210d"
                     "d772bbebba041836c64533a82be05ead" } };

static size_t
length (const struct herald_header list[MOST])
{
  size_t n = 0;

  while (n < MOST && list[n].name != NULL)
    n++;
  return n;
}

static void
check (const struct suite_case *test)
{
  struct sigv4_keys keys
    = { .access_key = "AKIDEXAMPLE",
        .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        .session_token = test->token,
        .region = "us-east-1",
        .service = "service" };
  struct herald_header headers[MOST + 1];
  size_t n = length (test->headers);
  struct sigv4_request request
    = { .method = test->method,
        .path = test->path,
        .query = test->query,
        .n_query = length (test->query),
        .headers = headers,
        .n_headers = n + 1,
        .body = test->body,
        .body_len = test->body != NULL ? strlen (test->body) : 0,
        .time_ms = 1440938160123 }; /* 2015-08-30T12:36:00Z */
  struct sigv4_signature signature;
  char expected[500];

  memcpy (headers, test->headers, n * sizeof *headers);
  headers[n] = (struct herald_header){ "Host", "example.amazonaws.com" };
  sigv4_sign (&request, &keys, &signature);
  snprintf (expected, sizeof expected,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"
            "service/aws4_request, SignedHeaders=%s, Signature=%s",
            test->names, test->signature);
  print_message ("# %s\n", test->name);
  assert_string_equal (signature.date, "20150830T123600Z");
  assert_string_equal (signature.authorization, expected);
}

static void
test_suite (struct herald_job *job)
{
  (void) job;
  for (size_t k = 0; k < HERALD_COUNT (suite); k++)
    check (&suite[k]);
}

/* The second example of Amazon's description of the algorithm: another
 * service, a query with a date, a type. */
static void
test_list_users (struct herald_job *job)
{
  static const struct herald_header query[]
    = { { "Version", "2010-05-08" }, { "Action", "ListUsers" } };
  static const struct herald_header headers[]
    = { { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" },
        { "Host", "iam.amazonaws.com" } };
  static const struct sigv4_keys keys
    = { .access_key = "AKIDEXAMPLE",
        .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        .region = "us-east-1",
        .service = "iam" };
  static const struct sigv4_request request = { .method = "GET",
                                                .path = "/",
                                                .query = query,
                                                .n_query = 2,
                                                .headers = headers,
                                                .n_headers = 2,
                                                .time_ms = 1440938160000 };
  struct sigv4_signature signature;

  (void) job;
  sigv4_sign (&request, &keys, &signature);
  assert_string_equal (
    signature.authorization,
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/"
    "aws4_request, SignedHeaders=content-type;host;x-amz-date, "
    "Signature=5d672d79c15b13162d9279b0855cfba6"
    "789a8edb4c82c400e06b5924a6f2b5d7");
}

/* Plugins have memory inside a callback only. */
static void (*inside) (struct herald_job *job);

static int
build (void *instance, struct herald_job *job)
{
  (void) instance;
  inside (job);
  herald->delivered (job, 0, NULL);
  return 0;
}

static void
run_inside (void (*fn) (struct herald_job *job))
{
  struct mock mock;

  mock_open (&mock, HERALD_WEBHOOK, 0);
  inside = fn;
  job_free (mock_built (&mock, 1, build));
  mock_close (&mock);
}

static void
test_published (void **state)
{
  (void) state;
  run_inside (test_suite);
}

static void
test_other_service (void **state)
{
  (void) state;
  run_inside (test_list_users);
}

int
main (void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test (test_published),
                                      cmocka_unit_test (test_other_service) };

  return cmocka_run_group_tests_name ("sigv4", tests, NULL, NULL);
}
