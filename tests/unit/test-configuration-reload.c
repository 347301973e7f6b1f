/* test-configuration-reload.c - one configuration after another: what stays,
 * what has changed, and when the first can go.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include "base/buf.h"
#include "base/redact.h"
#include "config/configuration.h"

struct fixture {
  char *directory;
  struct problems *problems;
};

#define HOST(text) "<herald xmlns=\"urn:herald:config:1\">" text "</herald>"
#define ACME "<workspaces><workspace name=\"acme\"/></workspaces>"

static int
set_up (void **state)
{
  static struct fixture fixture;

  fixture.directory = fixture_directory ();
  fixture.problems = problems_new ();
  assert_int_equal (mkdir (fixture_path (fixture.directory, "conf.d"), 0755),
                    0);
  fixture_write (fixture.directory, "herald.xml", HOST (ACME), 0644);
  *state = &fixture;
  return 0;
}

static int
tear_down (void **state)
{
  struct fixture *fixture = *state;

  problems_free (fixture->problems);
  fixture_remove (fixture->directory);
  redact_forget_all ();
  return 0;
}

static void
write_file (struct fixture *fixture, const char *file, const char *name,
            const char *content)
{
  struct buf text = BUF_INIT (0), path = BUF_INIT (0);

  buf_printf (&path, "conf.d/%s.xml", file);
  buf_printf (&text, "<integration xmlns=\"urn:herald:integration:1\" "
              "name=\"%s\" provider=\"x\"><workspaces all=\"true\"/>%s"
              "</integration>", name, content);
  fixture_write (fixture->directory, path.data, text.data, 0640);
  buf_done (&text);
  buf_done (&path);
}

static struct configuration *
read_all (struct fixture *fixture)
{
  struct configuration *configuration
    = configuration_read (fixture->directory, SECRETS_READ, fixture->problems);

  assert_non_null (configuration);
  return configuration;
}

/* Read anew and keep what was good in old, which is freed. */
static struct configuration *
reload (struct fixture *fixture, struct configuration *old)
{
  struct configuration *fresh;

  problems_free (fixture->problems);
  fixture->problems = problems_new ();
  fresh = read_all (fixture);
  configuration_keep_old (fresh, old, fixture->problems);
  configuration_free (old);
  return fresh;
}

static void
expect_kept (struct fixture *fixture, const char *name, size_t n)
{
  struct buf text = BUF_INIT (0);

  buf_printf (&text, "integration \"%s\" stays as it was until its file is "
              "mended", name);
  fixture_expect (fixture->problems, PROBLEM_WARNING, 0, text.data);
  assert_int_equal (problems_warnings (fixture->problems), n);
  buf_done (&text);
}

#define LABEL(text) "<label>" text "</label>"

static void
test_hold (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration = read_all (fixture);

  assert_ptr_equal (configuration_hold (configuration), configuration);
  configuration_free (configuration);
  assert_string_equal (configuration->directory, fixture->directory);
  assert_true (herald_xml_has_workspace (configuration->herald, "acme"));
  configuration_free (configuration);
  assert_null (configuration_hold (NULL));
}

static void
test_keep (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  write_file (fixture, "1", "gone", "");
  write_file (fixture, "2", "changed", LABEL ("old"));
  write_file (fixture, "3", "broken", LABEL ("good"));
  write_file (fixture, "4", "unreadable", LABEL ("kept"));
  write_file (fixture, "5", "was-broken", "<x/>");
  configuration = read_all (fixture);

  unlink (fixture_path (fixture->directory, "conf.d/1.xml"));
  write_file (fixture, "2", "changed", LABEL ("new"));
  write_file (fixture, "3", "broken", LABEL ("bad") "<x/>");
  fixture_write (fixture->directory, "conf.d/4.xml", "<integr", 0644);
  write_file (fixture, "6", "added", "");
  configuration = reload (fixture, configuration);
  expect_kept (fixture, "broken", 2);
  expect_kept (fixture, "unreadable", 2);
  assert_int_equal (problems_errors (fixture->problems), 3);
  assert_int_equal (configuration->n_descriptors, 5);
  assert_null (configuration_find (configuration, "gone"));
  assert_string_equal (configuration_find (configuration, "changed")->label,
                       "new");
  assert_string_equal (configuration_find (configuration, "broken")->label,
                       "good");
  assert_false (configuration_find (configuration, "broken")->has_errors);
  assert_string_equal (configuration_find (configuration,
                                           "unreadable")->label, "kept");
  assert_true (configuration_find (configuration, "was-broken")->has_errors);
  assert_false (configuration_find (configuration, "added")->has_errors);
  configuration_free (configuration);
}

/* However often it is read while it is broken, and then it is mended. */
static void
test_keep_again (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration, *first;
  unsigned char before[CRYPTO_SHA256_LEN], after[CRYPTO_SHA256_LEN];

  write_file (fixture, "1", "a", LABEL ("first"));
  write_file (fixture, "2", "b", LABEL ("first"));
  first = configuration = read_all (fixture);
  configuration_digest (configuration, configuration->descriptors[0],
                        before);
  write_file (fixture, "1", "a", "<x/>");
  for (int i = 0; i < 3; i++) {
    configuration = reload (fixture, configuration);
    expect_kept (fixture, "a", 1);
    assert_string_equal (configuration_find (configuration, "a")->label,
                         "first");
    /* Its lane has no reason to stop. */
    configuration_digest (configuration, configuration->descriptors[0],
                          after);
    assert_memory_equal (after, before, sizeof after);
    /* Those between are not kept. */
    assert_ptr_equal (configuration->owners[0], first);
    assert_int_equal (first->n_holds, 1);
  }
  write_file (fixture, "1", "a", LABEL ("second"));
  configuration = reload (fixture, configuration);
  fixture_expect_none (fixture->problems);
  assert_string_equal (configuration_find (configuration, "a")->label,
                       "second");
  configuration_digest (configuration, configuration->descriptors[0], after);
  assert_memory_not_equal (after, before, sizeof after);
  configuration_free (configuration);
}

/* The file's name is what is left to know it by. */
static void
test_keep_renamed (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  write_file (fixture, "1", "a", LABEL ("old"));
  write_file (fixture, "2", "b", LABEL ("old"));
  configuration = read_all (fixture);
  /* A broken file that now says another name ... */
  write_file (fixture, "1", "c", "<x/>");
  /* ... and one whose integration has moved. */
  fixture_write (fixture->directory, "conf.d/2.xml", "<", 0644);
  write_file (fixture, "3", "b", LABEL ("new"));
  configuration = reload (fixture, configuration);
  expect_kept (fixture, "a", 1);
  assert_string_equal (configuration_find (configuration, "a")->label, "old");
  assert_string_equal (configuration_find (configuration, "b")->label, "new");
  assert_true (configuration_find (configuration, "c")->has_errors);
  configuration_free (configuration);
}

#define SECRET "<settings><setting name=\"a\" from=\"file\" " \
               "path=\"a.key\"/></settings>"

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

/* Secrets are masked while somebody has them, and no longer. */
static void
test_secrets (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  fixture_write (fixture->directory, "conf.d/a.key", "first-word", 0640);
  fixture_write (fixture->directory, "host.key", "host-word", 0640);
  fixture_write (fixture->directory, "herald.xml",
                 HOST (ACME "<defaults provider=\"x\"><setting name=\"b\" "
                       "from=\"file\" path=\"host.key\"/></defaults>"),
                 0644);
  write_file (fixture, "1", "a", SECRET);
  write_file (fixture, "2", "b", SECRET);
  configuration = read_all (fixture);
  fixture_expect_none (fixture->problems);
  assert_true (is_masked ("first-word"));
  assert_true (is_masked ("host-word"));

  /* The second stays as it was, and its secret with it. */
  fixture_write (fixture->directory, "conf.d/a.key", "second-word", 0640);
  write_file (fixture, "2", "b", SECRET "<x/>");
  configuration = reload (fixture, configuration);
  assert_true (is_masked ("first-word"));
  assert_true (is_masked ("second-word"));
  assert_string_equal (configuration_find (configuration,
                                           "b")->settings[0].value,
                       "first-word");
  write_file (fixture, "2", "b", SECRET);
  configuration = reload (fixture, configuration);
  assert_false (is_masked ("first-word"));
  assert_true (is_masked ("second-word"));
  assert_true (is_masked ("host-word"));
  configuration_free (configuration);
  assert_false (is_masked ("second-word"));
  assert_false (is_masked ("host-word"));
}

/* A secret that can't be read any more is no reason to lose what works. */
static void
test_keep_secret (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  fixture_write (fixture->directory, "conf.d/a.key", "first-word", 0640);
  write_file (fixture, "1", "a", SECRET);
  configuration = read_all (fixture);
  unlink (fixture_path (fixture->directory, "conf.d/a.key"));
  configuration = reload (fixture, configuration);
  expect_kept (fixture, "a", 1);
  assert_string_equal (configuration->descriptors[0]->settings[0].value,
                       "first-word");
  configuration_free (configuration);
}

#define MAIL "<mail><to source=\"email\"/><subject>s</subject><text>t" \
             "</text></mail>"
#define FALLBACK(name) "<delivery><fallback integration=\"" name \
                       "\"/></delivery>"

/* Half of the circle is fresh, half was kept. */
static void
test_kept_circle (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;
  const struct descriptor *a, *b;

  write_file (fixture, "1", "a", MAIL FALLBACK ("b"));
  write_file (fixture, "2", "b", MAIL);
  configuration = read_all (fixture);
  write_file (fixture, "1", "a", MAIL "<x/>");
  write_file (fixture, "2", "b", MAIL FALLBACK ("a"));
  configuration = reload (fixture, configuration);
  a = configuration_find (configuration, "a");
  b = configuration_find (configuration, "b");
  assert_false (a->has_errors || b->has_errors);
  assert_ptr_equal (configuration_root (configuration, b), a);
  assert_ptr_equal (configuration_root (configuration, a), a);
  assert_ptr_equal (configuration_fallback (configuration, b), a);
  assert_null (configuration_fallback (configuration, a));
  configuration_free (configuration);
}

struct digests {
  unsigned char integration[CRYPTO_SHA256_LEN], host[CRYPTO_SHA256_LEN];
};

/* Of integration "a". */
static struct digests
digests_now (struct fixture *fixture)
{
  struct configuration *configuration = read_all (fixture);
  struct digests digests;

  configuration_digest (configuration,
                        configuration_find (configuration, "a"),
                        digests.integration);
  configuration_host_digest (configuration, digests.host);
  configuration_free (configuration);
  return digests;
}

enum { SAME = 0, INTEGRATION = 1, TRANSPORT = 2 };

/* What differs from now on; *digests are then those of now. */
static int
changes (struct fixture *fixture, struct digests *digests)
{
  struct digests now = digests_now (fixture);
  int found = SAME;

  if (memcmp (now.integration, digests->integration,
              sizeof now.integration) != 0)
    found |= INTEGRATION;
  if (memcmp (now.host, digests->host, sizeof now.host) != 0)
    found |= TRANSPORT;
  *digests = now;
  return found;
}

static void
test_digest_of_file (void **state)
{
  struct fixture *fixture = *state;
  struct digests digests;

  fixture_write (fixture->directory, "conf.d/a.key", "word", 0640);
  write_file (fixture, "1", "a", SECRET);
  digests = digests_now (fixture);
  assert_int_equal (changes (fixture, &digests), SAME);
  write_file (fixture, "1", "a", "<!-- said -->" SECRET);
  assert_int_equal (changes (fixture, &digests), SAME);
  write_file (fixture, "2", "b", "");
  assert_int_equal (changes (fixture, &digests), SAME);
  write_file (fixture, "1", "a", SECRET "<when source=\"score\" "
              "above=\"3\"/>");
  assert_int_equal (changes (fixture, &digests), INTEGRATION);
  write_file (fixture, "1", "a", SECRET "<when source=\"score\" "
              "below=\"3\"/>");
  assert_int_equal (changes (fixture, &digests), INTEGRATION);
  fixture_write (fixture->directory, "conf.d/a.key", "Word", 0640);
  assert_int_equal (changes (fixture, &digests), INTEGRATION);
  assert_int_equal (chmod (fixture_path (fixture->directory,
                                         "conf.d/1.xml"), 0644), 0);
  assert_int_equal (changes (fixture, &digests), INTEGRATION);
}

struct host_row {
  const char *content;          /* beside the workspace, instead of the one
                                   before */
  int changes;
};

#define X(text) "<defaults provider=\"x\"><setting name=\"a\">" text \
                "</setting></defaults>"

static const struct host_row host_rows[] = {
  /* What no integration sees. */
  { "<!-- said -->", SAME },
  { "<workspaces><workspace name=\"b\"/></workspaces>", SAME },
  { "<intake><limits body=\"2M\"/></intake>", SAME },
  { "<workers number=\"2\"/>", SAME },
  { "<store window=\"1h\"><commit most=\"9\"/></store>", SAME },
  { "<log level=\"debug\"/>", SAME },
  { "<state directory=\"/var/x\"/>", SAME },
  { "<defaults provider=\"other\"><setting name=\"a\">1</setting>"
    "</defaults>", SAME },
  /* What it sees. */
  { X ("1"), INTEGRATION }, { X ("2"), INTEGRATION }, { "", INTEGRATION },
  { "<fields><field key=\"colour\"/></fields>", INTEGRATION },
  { "<fields><field key=\"color\"/></fields>", INTEGRATION },
  { "", INTEGRATION },
  { "<timeouts connect=\"3s\"/>", INTEGRATION | TRANSPORT },
  { "<timeouts connect=\"3s\" total=\"5s\"/>", INTEGRATION | TRANSPORT },
  { "", INTEGRATION | TRANSPORT },
  { "<network><allow-http/></network>", INTEGRATION | TRANSPORT },
  { "", INTEGRATION | TRANSPORT },
  /* What only the transport does. */
  { "<network><allow cidr=\"10.0.0.0/8\"/></network>", TRANSPORT },
  { "<network><allow cidr=\"10.0.0.0/9\"/></network>", TRANSPORT },
  { "<network><proxy url=\"http://p\"/></network>", TRANSPORT },
  { "<limits reply=\"2M\"/>", TRANSPORT },
  { "<tls ca-file=\"ca.pem\"/>", TRANSPORT },
  { "<tls ca-file=\"ca.pem\"/>", SAME }, { "", TRANSPORT }
};

static void
test_digest_of_host (void **state)
{
  struct fixture *fixture = *state;
  struct digests digests;

  write_file (fixture, "1", "a", "");
  fixture_write (fixture->directory, "ca.pem", "-----BEGIN 1", 0644);
  digests = digests_now (fixture);
  for (size_t k = 0; k < sizeof host_rows / sizeof *host_rows; k++) {
    struct buf text = BUF_INIT (0);

    buf_printf (&text, HOST ("%s"), host_rows[k].content);
    fixture_write (fixture->directory, "herald.xml", text.data, 0644);
    buf_done (&text);
    if (changes (fixture, &digests) != host_rows[k].changes)
      fail_msg ("%zu: %s", k, host_rows[k].content);
  }
  fixture_write (fixture->directory, "herald.xml",
                 HOST ("<tls ca-file=\"ca.pem\"/>"), 0644);
  assert_int_equal (changes (fixture, &digests), TRANSPORT);
  fixture_write (fixture->directory, "ca.pem", "-----BEGIN 2", 0644);
  assert_int_equal (changes (fixture, &digests), TRANSPORT);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_hold), TEST (test_keep), TEST (test_keep_again),
    TEST (test_keep_renamed), TEST (test_secrets), TEST (test_keep_secret),
    TEST (test_kept_circle), TEST (test_digest_of_file),
    TEST (test_digest_of_host),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
