/* test-host.c - every member of the table that plugins are given.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "config/problem.h"
#include "mock.h"
#include "provider/host.h"

static struct mock mock;
static void (*look) (struct herald_job *job);

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
  date_set_now (-1);
  return 0;
}

static int
build (void *instance, struct herald_job *job)
{
  (void) instance;
  look (job);
  herald->settle (job, NULL, HERALD_REJECTED, "looked");
  return 0;
}

/* fn runs as a .build; returns its faults' number. */
static size_t
looked (size_t n, void (*fn) (struct herald_job *job))
{
  struct job *job = mock_job (&mock, n);
  size_t faults;

  look = fn;
  mock.provider.plugin.build = build;
  job_build (job);
  faults = job_faults (job);
  job_free (job);
  return faults;
}

/* No hole: a plugin may call what the header declares. */
static void
test_complete (void **state)
{
  const char *start = (const char *) &host_table;
  size_t at = offsetof (struct herald_host, version);

  (void) state;
  assert_int_equal (host_table.struct_size, sizeof host_table);
  assert_int_equal (host_table.abi_major, HERALD_ABI_MAJOR);
  assert_int_equal (host_table.abi_minor, HERALD_ABI_MINOR);
  for (; at < sizeof host_table; at += sizeof (void *)) {
    const void *p;

    memcpy (&p, start + at, sizeof p);
    assert_non_null (p);
  }
  assert_true (HERALD_HAS (hmac_sha256));
}

static void
look_at_settings (struct herald_job *job)
{
  const struct herald_settings *s = herald->settings (job);

  assert_string_equal (herald->text (s, "endpoint"),
                       "https://api.example.org/v1");
  assert_null (herald->text (s, "absent"));
  assert_string_equal (herald->text_at (s, "extra", 0), "X-One: 1");
  assert_string_equal (herald->text_at (s, "extra", 1), "X-Two: 2");
  assert_null (herald->text_at (s, "extra", 2));
  assert_int_equal (herald->number (s, "count"), 42);
  assert_int_equal (herald->number (s, "on"), 1);
  assert_int_equal (herald->number (s, "mode"), 1);
  assert_int_equal (herald->number (s, "absent"), 0);
  assert_true (herald->maps (s, "email"));
  assert_false (herald->maps (s, "phone"));
  assert_false (herald->maps (NULL, NULL));
  settings_set_batch (mock.integration.settings, 100);
  assert_int_equal (herald->batch (s), 100);
  herald->limit_batch (s, 0);
  herald->limit_batch (s, 7);
  assert_int_equal (settings_batch_limit (s), 7);
}

static void
look_at_undeclared (struct herald_job *job)
{
  const struct herald_settings *s = herald->settings (job);

  assert_null (herald->text (s, "typo"));
}

static void
look_at_undeclared_number (struct herald_job *job)
{
  assert_int_equal (herald->number (herald->settings (job), "typo"), 0);
  assert_null (herald->text_at (herald->settings (job), "typo", 0));
}

static void
test_settings (void **state)
{
  (void) state;
  assert_int_equal (looked (1, look_at_settings), 0);
  assert_int_equal (looked (1, look_at_undeclared), 1);
  assert_int_equal (looked (1, look_at_undeclared_number), 1);
  assert_non_null (strstr (mock.log, "typo"));
}

static void
test_complaints (void **state)
{
  struct host_scope scope;
  const struct problem *problem;

  (void) state;
  host_enter (&scope, mock.arena, NULL, "crm");
  herald->warn (mock.integration.settings, "count", "%d is a lot", 42);
  assert_int_equal (settings_complaints (mock.integration.settings), 0);
  herald->complain (mock.integration.settings, "key", "too %s", "short");
  herald->complain (mock.integration.settings, NULL, "too many headers");
  herald->complain (NULL, NULL, "nothing");
  host_leave (&scope);
  assert_int_equal (settings_complaints (mock.integration.settings), 2);
  assert_int_equal (problems_count (mock.problems), 3);
  assert_string_equal (problems_at (mock.problems, 2)->text,
                       "too many headers");
  problem = problems_at (mock.problems, 1);
  assert_int_equal (problem->severity, PROBLEM_ERROR);
  assert_non_null (strstr (problem->text, "too short"));
  assert_int_equal (problem->line, 3);
}

static void
look_at_deliveries (struct herald_job *job)
{
  const struct herald_delivery *delivery = herald->delivery (job, 1);

  assert_int_equal (herald->count (job), 2);
  assert_string_equal (delivery->id, "00000000-0000-8000-8000-000000000001");
  assert_string_equal (delivery->workspace, "acme");
  assert_string_equal (delivery->type, "participation");
  assert_true (delivery->event_id[0] != '\0');
  assert_true (delivery->time_ms > 0);
  assert_int_equal (delivery->attempt, 1);
  assert_string_equal (herald->record (job, 1),
                       "{\"email\":\"p1@example.org\",\"name\":\"P1\","
                       "\"score\":1,\"home.town\":\"Bern\"}");
  assert_string_equal (herald->value (job, 0, "email"), "p0@example.org");
  assert_string_equal (herald->value (job, 1, "email"), "p1@example.org");
  assert_string_equal (herald->value (job, 1, "score"), "1");
  assert_string_equal (herald->value (job, 1, "home.town"), "Bern");
  assert_string_equal (herald->value (job, 1, "flag"), "");
  assert_string_equal (herald->value (job, 1, NULL), "");
  assert_string_equal (herald->source (job, 1, "town"), "Bern");
  assert_string_equal (herald->source (job, 1, "website"), "");
  assert_string_equal (herald->source (job, 1, NULL), "");
}

static char first_id[40];

static void
look_at_id (struct herald_job *job)
{
  const char *id = herald->job_id (job);

  assert_int_equal (strlen (id), 36);
  if (first_id[0] == '\0')
    memcpy (first_id, id, 37);
  else if (herald->count (job) == 2)
    assert_string_equal (id, first_id);
  else
    assert_string_not_equal (id, first_id);
}

static void
look_past (struct herald_job *job)
{
  assert_string_equal (herald->delivery (job, 1)->id, "");
  assert_string_equal (herald->record (job, 1), "{}");
  assert_string_equal (herald->value (job, HERALD_END, "email"), "");
  assert_string_equal (herald->source (job, 1, "email"), "");
  assert_non_null (herald->mail (job, 0)->to.address);
}

static void
test_deliveries (void **state)
{
  (void) state;
  assert_int_equal (looked (2, look_at_deliveries), 0);
  assert_int_equal (looked (2, look_at_id), 0);
  assert_int_equal (looked (2, look_at_id), 0);
  assert_int_equal (looked (1, look_at_id), 0);
  assert_true (looked (1, look_past) > 0);
}

static void
look_at_mail (struct herald_job *job)
{
  const struct herald_mail *mail = herald->mail (job, 0);

  assert_string_equal (mail->from.name, "Acme, Games");
  assert_string_equal (mail->from.address, "play@acme.example");
  assert_string_equal (mail->to.name, "P0");
  assert_string_equal (mail->to.address, "p0@example.org");
  assert_string_equal (mail->reply_to.address, "hello@acme.example");
  assert_string_equal (mail->bcc.address, "audit@acme.example");
  assert_string_equal (mail->subject, "Well done, Bern");
  assert_string_equal (mail->text, "Hello");
  assert_string_equal (herald->value (job, 0, "name"), "P0");
  assert_string_equal (herald->mailbox (&mail->from),
                       "\"Acme, Games\" <play@acme.example>");
}

/* However long it is, it stays on one line. */
static void
look_at_long_mailbox (struct herald_job *job)
{
  const struct herald_mailbox mailbox
    = { "\xc3\x89lodie and all of the friends that she has ever played with, "
        "in every town that she has ever been to",
        "elodie.with.a.rather.long.name@players.of.the.games.example" };
  const char *made = herald->mailbox (&mailbox);

  (void) job;
  assert_null (strpbrk (made, "\r\n"));
  assert_non_null (strstr (made, "?= =?UTF-8?"));
  assert_non_null (strstr (made, "?= <elodie.with."));
}

static void
look_at_mail_form (struct herald_job *job)
{
  const struct herald_mail *mail
    = herald->mail_form (herald->settings (job));

  assert_string_equal (mail->from.address, "play@acme.example");
  assert_string_equal (mail->reply_to.address, "hello@acme.example");
  assert_string_equal (mail->bcc.address, "audit@acme.example");
  assert_null (mail->to.address);
  assert_null (mail->from.name);
  assert_null (mail->subject);
  assert_null (mail->text);
  assert_null (mail->template_id);
  assert_int_equal (mail->n_headers, 0);
}

static void
look_at_no_mail_form (struct herald_job *job)
{
  assert_null (herald->mail_form (herald->settings (job)));
  assert_null (herald->mail_form (NULL));
}

/* A number that JSON could not write. */
static void
test_template_id (void **state)
{
  struct mail_form *form
    = (struct mail_form *) (uintptr_t) mock.descriptor.mail;
  struct job *job;

  (void) state;
  form->template_id = "0070";
  job = mock_job (&mock, 1);
  assert_string_equal (job_mail (job, 0)->template_id, "0070");
  job_free (job);
  mock.provider.plugin.caps = HERALD_NUMBERED_TEMPLATES;
  job = mock_job (&mock, 1);
  assert_string_equal (job_mail (job, 0)->template_id, "70");
  job_free (job);
}

static void
test_mail (void **state)
{
  (void) state;
  assert_int_equal (looked (1, look_at_mail_form), 0);
  assert_int_equal (looked (1, look_at_mail), 0);
  assert_int_equal (looked (1, look_at_long_mailbox), 0);
}

static void
test_text_values (void **state)
{
  struct job *job;

  (void) state;
  mock.provider.plugin.caps = HERALD_TEXT_VALUES;
  job = mock_job_of (&mock, "{\"score\":1.50,\"played\":true}");
  assert_string_equal (job_record (job, 0),
                       "{\"score\":\"1.50\",\"flag\":\"true\"}");
  job_free (job);
}

static void
test_whole_records (void **state)
{
  struct job *job;

  (void) state;
  herald->whole_records (NULL);
  herald->whole_records (mock.integration.settings);
  job = mock_job_of (&mock, "{\"score\":1.50}");
  assert_string_equal (job_record (job, 0),
                       "{\"email\":null,\"name\":null,\"score\":1.50,"
                       "\"flag\":null,\"home.town\":null}");
  job_free (job);
  mock.provider.plugin.caps = HERALD_TEXT_VALUES;
  job = mock_job_of (&mock, "{\"score\":1.50}");
  assert_string_equal (job_record (job, 0),
                       "{\"email\":\"\",\"name\":\"\",\"score\":\"1.50\","
                       "\"flag\":\"\",\"home.town\":\"\"}");
  job_free (job);
}

static void
look_at_members (struct herald_job *job)
{
  static const char object[]
    = " { \"a\" : 1.50, \"b\\n\\u00e9\":\"x\\\"\" , \"c\":[ {},[2 ] ,null] } ";
  char own[] = "[1]";
  const char *name, *list;

  assert_string_equal (herald->member (object, 0, &name), "1.50");
  assert_string_equal (name, "a");
  assert_string_equal (herald->member (object, 1, &name), "\"x\\\"\"");
  assert_string_equal (name, "b\n\xc3\xa9");
  assert_string_equal (herald->unquote (herald->member (object, 1, NULL)),
                       "x\"");
  list = herald->member (object, 2, &name);
  assert_string_equal (list, "[ {},[2 ] ,null]");
  assert_string_equal (herald->member (list, 0, &name), "{}");
  assert_string_equal (name, "");
  assert_string_equal (herald->member (list, 1, NULL), "[2 ]");
  assert_string_equal (herald->member (list, 2, NULL), "null");
  assert_null (herald->member (list, 3, &name));
  assert_string_equal (name, "");
  assert_null (herald->member (object, 3, NULL));
  assert_string_equal (herald->member (object, 0, NULL), "1.50");
  assert_null (herald->member ("{}", 0, NULL));
  assert_null (herald->member ("\"text\"", 0, NULL));
  assert_null (herald->member ("{\"a\":1", 0, NULL));
  assert_null (herald->member ("", 0, NULL));
  assert_null (herald->member (NULL, 0, NULL));
  /* What a plugin writes over is not read past its end. */
  assert_string_equal (herald->member (own, 0, NULL), "1");
  own[0] = '\0';
  assert_string_equal (herald->member (own, 0, NULL), "1");
  assert_string_equal (
    herald->member (herald->record (job, 0), 0, &name),
    "\"p0@example.org\"");
  assert_string_equal (name, "email");
}

static void
look_at_own_member (struct herald_job *job)
{
  static char own[] = "[1]";

  (void) job;
  assert_string_equal (herald->member (own, 0, NULL),
                       own[1] == '1' ? "1" : "2");
  own[1] = '2';
}

/* A walk of all is one pass: minutes, if each step began at the first. */
static void
look_at_many_members (struct herald_job *job)
{
  enum { MANY = 100000 };
  char *text = herald->alloc (2 * MANY + 2);
  size_t n = 0;

  (void) job;
  for (size_t k = 0; k < MANY; k++)
    memcpy (text + 1 + 2 * k, "7,", 2);
  text[0] = '[';
  text[2 * MANY] = ']';
  while (herald->member (text, n, NULL) != NULL)
    n++;
  assert_int_equal (n, MANY);
}

static void
test_members (void **state)
{
  (void) state;
  assert_int_equal (looked (1, look_at_members), 0);
  assert_int_equal (looked (1, look_at_own_member), 0);
  assert_int_equal (looked (1, look_at_own_member), 0);
  assert_int_equal (looked (1, look_at_many_members), 0);
}

static void
look_at_text (struct herald_job *job)
{
  static const unsigned char bytes[] = { 0, 255, 16 };
  const unsigned char *decoded;
  char *zero = herald->alloc (1000);
  size_t len;

  (void) job;
  for (size_t i = 0; i < 1000; i++)
    assert_int_equal (zero[i], 0);
  assert_string_equal (herald->format ("%s-%d", "a", 1), "a-1");
  assert_string_equal (herald->quote ("a\"\n\xc3\xa9"),
                       "\"a\\\"\\n\xc3\xa9\"");
  assert_string_equal (herald->quote (NULL), "null");
  assert_string_equal (herald->unquote ("\"a\\\"\\n\\ud83d\\ude00\""),
                       "a\"\n\xf0\x9f\x98\x80");
  assert_string_equal (herald->unquote ("1e400"), "1e400");
  assert_string_equal (herald->unquote ("\"open"), "\"open");
  assert_string_equal (herald->encoded ("Acme, Games"), "Acme, Games");
  assert_string_equal (herald->encoded ("\xc3\x89lodie"),
                       "=?UTF-8?Q?=C3=89lodie?=");
  assert_string_equal (herald->url_escape ("a/b c"), "a%2Fb%20c");
  assert_string_equal (herald->html_escape ("<a & \"b\">"),
                       "&lt;a &amp; &quot;b&quot;&gt;");
  assert_string_equal (herald->clip ("\xc3\xa9\xc3\xa9x", 2),
                       "\xc3\xa9\xc3\xa9");
  assert_string_equal (herald->clip ("ab", 9), "ab");
  assert_true (herald->date ("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777000);
  assert_int_equal (herald->date ("tomorrow"), -1);
  assert_string_equal (herald->hex (bytes, 3), "00ff10");
  assert_string_equal (herald->base64 (bytes, 3), "AP8Q");
  decoded = herald->base64_decode ("AP8Q", &len);
  assert_int_equal (len, 3);
  assert_memory_equal (decoded, bytes, 3);
  herald->base64_decode ("not base64!", &len);
  assert_int_equal (len, 0);
}

/* Digests of RFC 4231 (case 2) and FIPS 180-2 ("abc"). */
static void
look_at_digests (struct herald_job *job)
{
  unsigned char digest[32];

  (void) job;
  herald->sha256 ("abc", 3, digest);
  assert_string_equal (herald->hex (digest, 32),
                       "ba7816bf8f01cfea414140de5dae2223"
                       "b00361a396177a9cb410ff61f20015ad");
  herald->hmac_sha256 ("Jefe", 4, "what do ya want for nothing?", 28, digest);
  assert_string_equal (herald->hex (digest, 32),
                       "5bdcc146bf60754e6a042426089575c7"
                       "5a003f089d2739839dec58b964ec3843");
}

static void
look_at_null (struct herald_job *job)
{
  unsigned char digest[32];
  size_t len = 9;

  (void) job;
  assert_string_equal (herald->url_escape (NULL), "");
  assert_string_equal (herald->html_escape (NULL), "");
  assert_string_equal (herald->clip (NULL, 3), "");
  assert_string_equal (herald->unquote (NULL), "");
  assert_string_equal (herald->encoded (NULL), "");
  assert_string_equal (herald->mailbox (NULL), "");
  assert_string_equal (herald->hex (NULL, 3), "");
  assert_string_equal (herald->base64 (NULL, 3), "");
  assert_non_null (herald->base64_decode (NULL, &len));
  assert_int_equal (len, 0);
  assert_int_equal (herald->date (NULL), -1);
  herald->sha256 (NULL, 0, digest);
  herald->hmac_sha256 (NULL, 0, NULL, 0, digest);
  assert_int_equal (herald->count (NULL), 0);
  assert_null (herald->settings (NULL));
  assert_string_equal (herald->job_id (NULL), "");
  assert_string_equal (herald->token_url (NULL), "");
  herald->append (herald->request (NULL, "GET", "https://a/", NULL), "x");
  herald->delivered (NULL, 0, NULL);
  herald->wait (NULL, 1);
  herald->rate (NULL, 1, 1);
}

static void
test_text (void **state)
{
  (void) state;
  assert_int_equal (looked (1, look_at_text), 0);
  assert_int_equal (looked (1, look_at_digests), 0);
  assert_int_equal (looked (1, look_at_null), 0);
  assert_int_equal (looked (1, look_at_no_mail_form), 0);
}

static void
look_and_log (struct herald_job *job)
{
  (void) job;
  herald->log (HERALD_WARNING, "odd: %s", "s3cret-of-the-mock");
  herald->log (HERALD_DEBUG, "quiet");
}

static void
test_log (void **state)
{
  (void) state;
  assert_int_equal (looked (1, look_and_log), 0);
  assert_non_null (strstr (mock.log, "odd: ***"));
  assert_non_null (strstr (mock.log, "crm"));
  assert_non_null (strstr (mock.log, "00000000-0000-8000-8000-0000"));
  assert_null (strstr (mock.log, "quiet"));
  date_set_now (5);
  assert_int_equal (herald->now_ms (), 5);
}

/* Memory taken outside any callback is a fault, and no crash. */
static void
test_stray (void **state)
{
  (void) state;
  assert_string_equal (herald->format ("%d", 1), "1");
  assert_non_null (strstr (mock.log, "outside a callback"));
}

static void
look_and_hoard (struct herald_job *job)
{
  (void) job;
  for (int i = 0; i < 260; i++)
    herald->alloc (1 << 20);
}

static void
look_and_misuse (struct herald_job *job)
{
  herald->token (job, "t", NULL, 0);
}

static void
look_and_verify (struct herald_job *job)
{
  herald->verified (job, HERALD_PROVEN, "yes");
}

static void
look_and_settle_status (struct herald_job *job)
{
  herald->settle (job, NULL, HERALD_BY_STATUS, "x");
}

static void
look_and_settle_oddly (struct herald_job *job)
{
  herald->settle (job, NULL, 77, "x");
}

static struct herald_job *kept_job;
static const struct herald_reply *kept_reply;

static void
look_and_keep (struct herald_job *job)
{
  kept_job = job;
}

/* Of the callback before, whose memory may be another's by now. */
static void
look_at_what_was_kept (struct herald_job *job)
{
  struct herald_request *request;

  assert_ptr_not_equal (job, kept_job);
  assert_int_equal (herald->count (kept_job), 0);
  assert_string_equal (herald->record (kept_job, 0), "{}");
  assert_string_equal (herald->value (kept_job, 0, "email"), "");
  assert_string_equal (herald->job_id (kept_job), "");
  assert_null (herald->settings (kept_job));
  request = herald->request (kept_job, "POST", "https://x.example/", NULL);
  herald->append (request, "{}");
  herald->rejected (kept_job, 0, "never");
  herald->wait (kept_job, 1000);
  assert_string_equal (herald->json_text (kept_reply, "id"), "");
  assert_string_equal (herald->reply_header (kept_reply, "x"), "");
  assert_int_equal (herald->header_number (kept_reply, "x"), -1);
  assert_int_equal (herald->covered (kept_reply, 0), HERALD_END);
}

static int
keep_reply (void *instance, struct herald_job *job,
            const struct herald_reply *reply)
{
  (void) instance;
  (void) job;
  kept_reply = reply;
  herald->settle (job, reply, HERALD_BY_STATUS, NULL);
  return 0;
}

static void
look_and_request (struct herald_job *job)
{
  herald->request (job, "GET", "https://x.example/", keep_reply);
}

static int
build_request (void *instance, struct herald_job *job)
{
  (void) instance;
  look_and_request (job);
  return 0;
}

static void
test_kept (void **state)
{
  struct job *first = mock_built (&mock, 1, build_request);
  struct job *second = mock_job (&mock, 1);

  (void) state;
  mock_reply (first, 200, "{\"id\":\"7\"}");
  look_and_keep ((struct herald_job *) first);
  look = look_at_what_was_kept;
  mock.provider.plugin.build = build;
  job_build (second);
  assert_true (job_faults (second) > 0);
  assert_non_null (strstr (job_fault (second, 0), "kept from another"));
  job_free (first);
  job_free (second);
}

static void
test_misuse (void **state)
{
  (void) state;
  assert_int_equal (looked (1, look_and_misuse), 1);
  assert_int_equal (looked (1, look_and_verify), 1);
  assert_int_equal (looked (1, look_and_settle_status), 1);
  assert_int_equal (looked (1, look_and_settle_oddly), 1);
  assert_int_equal (looked (1, look_and_hoard), 1);
  assert_non_null (strstr (mock.log, "256 MiB"));
}

int
main (void)
{
#define TEST(f) cmocka_unit_test_setup_teardown (f, setup, teardown)
#define TEST_MAIL(f)                                                          \
  cmocka_unit_test_setup_teardown (f, setup_mailer, teardown)
  const struct CMUnitTest tests[]
    = { TEST (test_complete),   TEST (test_settings),  TEST (test_complaints),
        TEST (test_deliveries), TEST_MAIL (test_mail), TEST (test_text_values),
        TEST (test_text),       TEST (test_log),       TEST (test_stray),
        TEST (test_kept),       TEST (test_whole_records),
        TEST (test_members),    TEST_MAIL (test_template_id),
        TEST (test_misuse) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
