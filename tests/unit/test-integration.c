/* test-integration.c - what a descriptor and its plugin agree on.
 *
 * SPDX-License-Identifier: MIT
 */

#include "integration-fixture.h"

#include "provider/host.h"

/* The table as a plugin has it. */
#define HOST (&host_table)

#define MAP "<map><field name=\"Email\" source=\"email\"/></map>"
#define FROM "<from address=\"play@acme.example\"/>"
#define TO "<to source=\"email\"/>"
#define SUBJECT "<subject>Hello</subject>"
#define TEXT "<text>Hello {{firstName}}</text>"
#define MAIL(middle) "<mail>" middle "</mail>"

struct seen {
  unsigned opened, closed;
  uint32_t batch;               /* as .open saw it */
} seen;

static int
mock_build (void *instance, struct herald_job *job)
{
  (void) instance;
  (void) job;
  return 0;
}

static int
mock_open (const struct herald_settings *settings, void **instance)
{
  const char *mood = HOST->text (settings, "mood");

  seen.opened++;
  seen.batch = HOST->batch (settings);
  *instance = HOST->alloc (16);
  if (strcmp (mood, "complains") == 0)
    HOST->complain (settings, "mood", "is a bad one: be merry");
  else if (strcmp (mood, "warns") == 0)
    HOST->warn (settings, "mood", "is not the best");
  else if (strcmp (mood, "lowers") == 0)
    HOST->limit_batch (settings, 3);
  else if (strcmp (mood, "sulks") == 0)
    return -1;
  else if (strcmp (mood, "eats") == 0)
    for (int k = 0; k < 20; k++)
      HOST->alloc (1 << 20);
  return 0;
}

static void
mock_close (void *instance)
{
  assert_non_null (instance);
  seen.closed++;
}

static const struct herald_field fields[] = {
  { .name = "mood", .label = "Mood", .type = HERALD_TEXT,
    .preset = "merry" },
  { .name = "key", .label = "Key", .type = HERALD_TARGET,
    .flags = HERALD_ORDER_KEY },
  { .name = "relay", .label = "Relay", .type = HERALD_TEXT,
    .flags = HERALD_HOST_ONLY },
  { .name = "password", .label = "Password", .type = HERALD_TEXT,
    .flags = HERALD_SECRET }
};

static const struct herald_plugin hook = {
  .name = "hook", .label = "Hook", .category = HERALD_WEBHOOK,
  .max_batch = 50, .batch = 20, .rate = 10, .rate_ms = 1000,
  .n_settings = HERALD_COUNT (fields), .settings = fields,
  .open = mock_open, .close = mock_close, .build = mock_build
};
static const struct herald_plugin plain = {
  .name = "plain", .label = "Plain", .category = HERALD_MAILER,
  .build = mock_build
};
static const struct herald_plugin able = {
  .name = "able", .label = "Able", .category = HERALD_MAILER,
  .caps = HERALD_TEMPLATES | HERALD_NUMBERED_TEMPLATES | HERALD_BCC
          | HERALD_REPLY_TO | HERALD_HEADERS,
  .build = mock_build
};
static const struct herald_plugin fixed = {
  .name = "fixed", .label = "Fixed", .category = HERALD_MAILER,
  .caps = HERALD_FIXED_SENDER, .build = mock_build
};

static void
open_host (struct host_fixture *host)
{
  memset (&seen, 0, sizeof seen);
  host_fixture_open (host);
  host_fixture_adopt (host, &hook);
  host_fixture_adopt (host, &plain);
  host_fixture_adopt (host, &able);
  host_fixture_adopt (host, &fixed);
}

/* Refused with exactly one error, in these words, that names the file. */
static void
assert_refused (const char *xml, const char *expected)
{
  struct host_fixture host;
  const struct problem *problem;

  open_host (&host);
  if (host_fixture_integration (&host, xml) != NULL)
    fail_msg ("accepted, without: %s", expected);
  assert_int_equal (problems_errors (host.problems), 1);
  problem = problems_at (host.problems, 0);
  if (strstr (problem->text, expected) == NULL)
    fail_msg ("refused without \"%s\": %s", expected, problem->text);
  assert_string_equal (problem->file, "conf.d/crm.xml");
  assert_int_not_equal (problem->line, 0);
  host_fixture_close (&host);
}

static void
assert_accepted (const char *xml)
{
  struct host_fixture host;
  struct integration *integration;

  open_host (&host);
  integration = host_fixture_integration (&host, xml);
  if (integration == NULL)
    fail_msg ("%s", problems_at (host.problems, 0)->text);
  integration_close (integration);
  host_fixture_close (&host);
}

/* ------------------------------------------------------------------ */

static bool
is_masked (const char *text)
{
  struct buf out = BUF_INIT (0);
  bool is_masked;

  redact_add_secrets_only (&out, text, strlen (text));
  is_masked = strcmp (out.data, "***") == 0;
  buf_done (&out);
  return is_masked;
}

/* An integration's secrets are masked until it is closed. */
static void
test_secrets (void **state)
{
  struct host_fixture host;
  struct integration *integration;

  (void) state;
  open_host (&host);
  integration = host_fixture_integration (&host, DESCRIPTOR ("hook", MAP
    "<settings><setting name=\"password\">open-sesame</setting></settings>"));
  assert_non_null (integration);
  token_set (&integration->token, "a-token", NULL, 0, 0);
  assert_true (is_masked ("open-sesame"));
  assert_true (is_masked ("a-token"));
  integration_close (integration);
  assert_false (is_masked ("open-sesame"));
  assert_false (is_masked ("a-token"));
  host_fixture_close (&host);
}

static void
test_defaults (void **state)
{
  struct host_fixture host;
  struct integration *integration;

  (void) state;
  open_host (&host);
  integration = host_fixture_integration (&host, DESCRIPTOR ("hook", MAP));
  assert_non_null (integration);
  assert_string_equal (integration->label, "Hook Integration");
  assert_false (integration->is_mailer);
  assert_int_equal (integration->n_retries, 7);
  assert_int_equal (integration->retry_ms[0], 5000);
  assert_int_equal (integration->retry_ms[6], 86400000);
  assert_int_equal (integration->rate_limit, 10);
  assert_int_equal (integration->rate_ms, 1000);
  assert_int_equal (integration->batch_max, 20);
  assert_int_equal (seen.batch, 20);
  assert_int_equal (integration->batch_wait_ms, 200);
  assert_int_equal (integration->in_flight, 32);
  assert_int_equal (integration->connect_ms, 10000);
  assert_int_equal (integration->total_ms, 60000);
  assert_null (integration->order_key);
  integration_close (integration);
  assert_int_equal (seen.opened, 1);
  assert_int_equal (seen.closed, 1);
  integration_close (NULL);
  host_fixture_close (&host);
}

static void
test_own_values (void **state)
{
  struct host_fixture host;
  struct integration *integration;

  (void) state;
  open_host (&host);
  host.herald.connect_ms = 3000;
  host.herald.total_ms = 4000;
  integration = host_fixture_integration (&host, DESCRIPTOR ("hook",
    "<label>My CRM</label>"
    "<settings><setting name=\"key\">Email</setting></settings>" MAP
    "<delivery><retry schedule=\"1s 2s\"/><rate limit=\"7\" per=\"2s\"/>"
    "<batch max=\"50\" wait=\"0\"/><in-flight max=\"4\"/>"
    "<timeouts total=\"9s\"/></delivery>"));
  assert_non_null (integration);
  assert_string_equal (integration->label, "My CRM");
  assert_int_equal (integration->n_retries, 2);
  assert_int_equal (integration->rate_limit, 7);
  assert_int_equal (integration->rate_ms, 2000);
  assert_int_equal (integration->batch_max, 50);
  assert_int_equal (integration->batch_wait_ms, 0);
  assert_int_equal (integration->in_flight, 4);
  assert_int_equal (integration->connect_ms, 3000);
  assert_int_equal (integration->total_ms, 9000);
  assert_string_equal (integration->order_key->name, "key");
  integration_close (integration);
  host_fixture_close (&host);
}

#define MOOD(mood)                                                  \
  DESCRIPTOR ("hook", "<settings><setting name=\"mood\">" mood      \
              "</setting></settings>" MAP)

static void
test_limit (void **state)
{
  struct host_fixture host;
  struct integration *integration;

  (void) state;
  open_host (&host);
  integration = host_fixture_integration (&host, MOOD ("lowers"));
  assert_non_null (integration);
  assert_int_equal (integration->batch_max, 3);
  assert_int_equal (HOST->batch (integration->settings), 3);
  assert_int_equal (problems_count (host.problems), 0);
  integration_close (integration);
  host_fixture_close (&host);
}

static void
test_open (void **state)
{
  struct host_fixture host;
  struct integration *integration;

  (void) state;
  assert_refused (MOOD ("complains"), "is a bad one: be merry");
  assert_int_equal (seen.closed, 0);
  assert_refused (MOOD ("sulks"), "refused the settings without saying why");
  assert_int_equal (seen.closed, 0);
  assert_refused (MOOD ("eats"), "asked for more than");
  assert_int_equal (seen.closed, 1);

  open_host (&host);
  integration = host_fixture_integration (&host, MOOD ("warns"));
  assert_non_null (integration);
  assert_int_equal (problems_count (host.problems), 1);
  integration_close (integration);
  host_fixture_close (&host);
}

static void
test_webhook (void **state)
{
  (void) state;
  assert_refused (DESCRIPTOR ("hook", ""), "gets nothing of an event");
  assert_refused (DESCRIPTOR ("hook", MAP MAIL (FROM TO SUBJECT TEXT)),
                  "sends no e-mails: remove <mail>");
  assert_refused (DESCRIPTOR ("hook", MAP
                    "<delivery><batch max=\"51\"/></delivery>"),
                  "more than Hook takes: at most 50");
  assert_refused (DESCRIPTOR ("hooc", MAP), "no provider \"hooc\"");
  assert_refused (DESCRIPTOR ("hook",
                    "<settings><setting name=\"key\">Phone</setting>"
                    "</settings>" MAP), "Phone");
  /* A plugin is asked about sound settings only. */
  assert_int_equal (seen.opened, 0);
}

static void
test_mailer (void **state)
{
  (void) state;
  assert_accepted (DESCRIPTOR ("plain", MAIL (FROM TO SUBJECT TEXT)));
  assert_accepted (DESCRIPTOR ("plain", MAIL (FROM TO SUBJECT TEXT
    "<parameters><parameter name=\"a\" source=\"email\"/></parameters>")));
  assert_refused (DESCRIPTOR ("plain", ""), "say which in a <mail>");
  assert_refused (DESCRIPTOR ("plain", MAIL (TO SUBJECT TEXT)),
                  "<mail> has no sender");
  assert_refused (DESCRIPTOR ("plain", MAIL (FROM TO
                    "<template id=\"7\"/>")), "has no templates of its own");
  assert_refused (DESCRIPTOR ("plain", MAIL (FROM TO SUBJECT TEXT
                    "<bcc address=\"a@b.example\"/>")), "blind copies");
  assert_refused (DESCRIPTOR ("plain", MAIL (FROM TO SUBJECT TEXT
                    "<reply-to address=\"a@b.example\"/>")), "<reply-to>");
  assert_refused (DESCRIPTOR ("plain", MAIL (FROM TO SUBJECT TEXT) MAP),
                  "has no <map>");
}

static void
test_able_mailer (void **state)
{
  (void) state;
  assert_accepted (DESCRIPTOR ("able", MAIL (FROM TO
    "<template id=\"7\"/><bcc address=\"a@b.example\"/>"
    "<reply-to address=\"a@b.example\"/>")));
  assert_refused (DESCRIPTOR ("able", MAIL (FROM TO
                    "<template id=\"d-7\"/>")), "is no number");
  assert_accepted (DESCRIPTOR ("fixed", MAIL (TO SUBJECT TEXT)));
  assert_refused (DESCRIPTOR ("fixed", MAIL (FROM TO SUBJECT TEXT)),
                  "an address of its own");
}

/* All that is wrong is said at once. */
static void
test_all_at_once (void **state)
{
  struct host_fixture host;

  (void) state;
  open_host (&host);
  assert_null (host_fixture_integration (&host,
    DESCRIPTOR ("plain", MAIL (TO SUBJECT TEXT
                               "<bcc address=\"a@b.example\"/>") MAP
                "<delivery><batch max=\"9\"/></delivery>")));
  assert_int_equal (problems_errors (host.problems), 4);
  host_fixture_close (&host);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_secrets),
    cmocka_unit_test (test_defaults),
    cmocka_unit_test (test_own_values),
    cmocka_unit_test (test_limit),
    cmocka_unit_test (test_open),
    cmocka_unit_test (test_webhook),
    cmocka_unit_test (test_mailer),
    cmocka_unit_test (test_able_mailer),
    cmocka_unit_test (test_all_at_once)
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
