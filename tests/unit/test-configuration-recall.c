/* test-configuration-recall.c - copies of what was good, and what is made
 * of them while a file is broken.
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

#define HOST(text) "<herald xmlns=\"urn:herald:config:1\"><workspaces>" \
                   "<workspace name=\"acme\"/>" text "</workspaces></herald>"
#define OTHER "<workspace name=\"other\"/>"
#define LABEL(text) "<label>" text "</label>"
#define SECRET "<settings><setting name=\"a\" from=\"file\" " \
               "path=\"a.key\"/></settings>"

static int
set_up (void **state)
{
  static struct fixture fixture;

  fixture.directory = fixture_directory ();
  fixture.problems = problems_new ();
  assert_int_equal (mkdir (fixture_path (fixture.directory, "conf.d"), 0755),
                    0);
  assert_int_equal (mkdir (fixture_path (fixture.directory, "state"), 0700),
                    0);
  fixture_write (fixture.directory, "herald.xml", HOST (OTHER), 0644);
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

static const char *
text_of (const char *name, const char *attributes, const char *content)
{
  static char text[1000];
  int len = snprintf (text, sizeof text, "<integration xmlns=\"urn:herald:"
                      "integration:1\" name=\"%s\" provider=\"x\"%s>"
                      "<!-- said --><workspaces all=\"true\"/>%s"
                      "</integration>\n", name, attributes, content);

  assert_in_range (len, 1, sizeof text - 1);
  return text;
}

static void
write_good (struct fixture *fixture, const char *file, const char *name,
            const char *content)
{
  fixture_write (fixture->directory, file, text_of (name, "", content), 0640);
}

static void
write_broken (struct fixture *fixture, const char *file)
{
  fixture_write (fixture->directory, file, "<integration", 0640);
}

/* As a process that starts: routes, or all. */
static struct configuration *
start (struct fixture *fixture, bool is_routes)
{
  struct configuration *configuration;

  problems_free (fixture->problems);
  fixture->problems = problems_new ();
  configuration = configuration_read (fixture->directory,
                                      is_routes ? SECRETS_UNREAD
                                                : SECRETS_READ,
                                      fixture->problems);
  assert_non_null (configuration);
  configuration_recall (configuration,
                        fixture_path (fixture->directory, "state"),
                        fixture->problems);
  return configuration;
}

static void
remember (struct fixture *fixture, struct configuration *configuration)
{
  char reason[400] = "x";
  int status;

  status = configuration_remember (configuration,
                                   fixture_path (fixture->directory,
                                                 "state"),
                                   reason, sizeof reason);
  assert_string_equal (reason, "");
  assert_int_equal (status, 0);
}

/* As herald serve does when it starts. */
static void
serve (struct fixture *fixture)
{
  struct configuration *configuration = start (fixture, true);

  remember (fixture, configuration);
  configuration_free (configuration);
}

static void
expect_recalled (struct fixture *fixture, const char *name, size_t n)
{
  struct buf text = BUF_INIT (0);

  buf_printf (&text, "integration \"%s\" goes on as it was when its file was "
              "last good, until that is mended", name);
  fixture_expect (fixture->problems, PROBLEM_WARNING, 0, text.data);
  assert_int_equal (problems_warnings (fixture->problems), n);
  buf_done (&text);
}

static void
expect_copy (struct fixture *fixture, const char *name, const char *text,
             mode_t mode)
{
  const char *path = fixture_path (fixture->directory, name);
  FILE *file = fopen (path, "rb");
  char found[1000];
  struct stat status;
  size_t len;

  assert_non_null (file);
  len = fread (found, 1, sizeof found - 1, file);
  fclose (file);
  found[len] = '\0';
  assert_string_equal (found, text);
  assert_int_equal (stat (path, &status), 0);
  assert_int_equal (status.st_mode & 07777, mode);
}

static bool
is_there (struct fixture *fixture, const char *name)
{
  return access (fixture_path (fixture->directory, name), F_OK) == 0;
}

static void
test_copies (void **state)
{
  struct fixture *fixture = *state;
  mode_t mask = umask (0077);
  struct stat before, after;

  write_good (fixture, "conf.d/1.xml", "a", LABEL ("one"));
  fixture_write (fixture->directory, "conf.d/2.xml",
                 text_of ("b", " enabled=\"false\"", ""), 0644);
  write_broken (fixture, "conf.d/3.xml");
  serve (fixture);
  umask (mask);
  expect_copy (fixture, "state/good/1.xml", text_of ("a", "", LABEL ("one")),
               0600);
  /* Others may read the file: the copy says so, behind a closed door. */
  expect_copy (fixture, "state/good/2.xml",
               text_of ("b", " enabled=\"false\"", ""), 0644);
  assert_false (is_there (fixture, "state/good/3.xml"));
  assert_false (is_there (fixture, "state/good/.new"));
  assert_int_equal (stat (fixture_path (fixture->directory, "state/good"),
                          &after), 0);
  assert_int_equal (after.st_mode & 07777, 0700);

  /* Unchanged ones are left alone, changed ones replaced. */
  assert_int_equal (stat (fixture_path (fixture->directory,
                                        "state/good/2.xml"), &before), 0);
  write_good (fixture, "conf.d/1.xml", "a", LABEL ("two"));
  serve (fixture);
  expect_copy (fixture, "state/good/1.xml", text_of ("a", "", LABEL ("two")),
               0600);
  assert_int_equal (stat (fixture_path (fixture->directory,
                                        "state/good/2.xml"), &after), 0);
  assert_int_equal (after.st_ino, before.st_ino);
  chmod (fixture_path (fixture->directory, "conf.d/2.xml"), 0600);
  serve (fixture);
  expect_copy (fixture, "state/good/2.xml",
               text_of ("b", " enabled=\"false\"", ""), 0600);

  /* Of a broken one it stays, of one that is gone it goes. */
  write_broken (fixture, "conf.d/1.xml");
  unlink (fixture_path (fixture->directory, "conf.d/2.xml"));
  serve (fixture);
  expect_copy (fixture, "state/good/1.xml", text_of ("a", "", LABEL ("two")),
               0600);
  assert_false (is_there (fixture, "state/good/2.xml"));
}

/* The file at the time of the copy, not at that of the reading. */
static void
test_changed_between (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  write_good (fixture, "conf.d/1.xml", "a", LABEL ("one"));
  serve (fixture);
  write_good (fixture, "conf.d/1.xml", "a", LABEL ("two"));
  configuration = start (fixture, true);
  write_broken (fixture, "conf.d/1.xml");
  remember (fixture, configuration);
  expect_copy (fixture, "state/good/1.xml", text_of ("a", "", LABEL ("one")),
               0600);
  write_good (fixture, "conf.d/1.xml", "a", LABEL ("three"));
  remember (fixture, configuration);
  expect_copy (fixture, "state/good/1.xml", text_of ("a", "", LABEL ("one")),
               0600);
  configuration_free (configuration);
  assert_false (is_there (fixture, "state/good/.new"));
}

static void
test_no_copy (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  write_broken (fixture, "conf.d/1.xml");
  write_good (fixture, "conf.d/2.xml", "b", "<x/>");
  configuration = start (fixture, true);
  assert_int_equal (problems_warnings (fixture->problems), 0);
  assert_int_equal (problems_errors (fixture->problems), 2);
  assert_int_equal (configuration->n_descriptors, 1);
  assert_true (configuration->descriptors[0]->has_errors);
  configuration_free (configuration);
}

static void
test_recall (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;
  const struct descriptor *descriptor;

  write_good (fixture, "conf.d/1.xml", "unreadable", LABEL ("good"));
  write_good (fixture, "conf.d/2.xml", "broken", LABEL ("good"));
  fixture_write (fixture->directory, "conf.d/3.xml",
                 text_of ("disabled", " enabled=\"false\"", ""), 0640);
  write_good (fixture, "conf.d/4.xml", "gone", "");
  write_good (fixture, "conf.d/5.xml", "fine", "");
  serve (fixture);
  write_broken (fixture, "conf.d/1.xml");
  write_good (fixture, "conf.d/2.xml", "broken", LABEL ("bad") "<x/>");
  write_broken (fixture, "conf.d/3.xml");
  unlink (fixture_path (fixture->directory, "conf.d/4.xml"));
  for (int i = 0; i < 2; i++) {
    configuration = start (fixture, i == 0);
    assert_int_equal (problems_errors (fixture->problems), 3);
    expect_recalled (fixture, "unreadable", 3);
    expect_recalled (fixture, "broken", 3);
    expect_recalled (fixture, "disabled", 3);
    assert_int_equal (configuration->n_descriptors, 4);
    descriptor = configuration_find (configuration, "unreadable");
    assert_string_equal (descriptor->label, "good");
    assert_non_null (strstr (descriptor->path, "/conf.d/1.xml"));
    assert_true (descriptor->is_recalled && !descriptor->has_errors);
    descriptor = configuration_find (configuration, "broken");
    assert_string_equal (descriptor->label, "good");
    assert_true (descriptor->is_recalled && !descriptor->has_errors);
    assert_false (configuration_find (configuration,
                                      "disabled")->is_enabled);
    assert_false (configuration_find (configuration, "fine")->is_recalled);
    configuration_free (configuration);
    serve (fixture);            /* started again, still broken */
  }
}

/* As if the file had never been broken: secrets beside the file, and a
 * lane that has no reason to stop when it is mended. */
static void
test_digest (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;
  static const mode_t modes[] = { 0640, 0644 };

  fixture_write (fixture->directory, "conf.d/a.key", "word", 0640);
  for (size_t i = 0; i < 2; i++) {
    unsigned char before[CRYPTO_SHA256_LEN], after[CRYPTO_SHA256_LEN];
    const char *path = fixture_write (fixture->directory, "conf.d/1.xml",
                                      text_of ("a", "", SECRET), modes[i]);

    serve (fixture);
    configuration = start (fixture, false);
    fixture_expect_none (fixture->problems);
    configuration_digest (configuration, configuration->descriptors[0],
                          before);
    configuration_free (configuration);

    assert_int_equal (truncate (path, 5), 0);
    configuration = start (fixture, false);
    expect_recalled (fixture, "a", 1);
    assert_string_equal (configuration->descriptors[0]->settings[0].value,
                         "word");
    configuration_digest (configuration, configuration->descriptors[0],
                          after);
    assert_memory_equal (after, before, sizeof after);
    configuration_free (configuration);

    /* Who only asks for routes reads no secret. */
    configuration = start (fixture, true);
    expect_recalled (fixture, "a", 1);
    assert_null (configuration->descriptors[0]->settings[0].value);
    configuration_free (configuration);
  }
}

/* A process that was started with a copy goes on with it. */
static void
test_kept (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *old, *fresh;

  write_good (fixture, "conf.d/1.xml", "a", LABEL ("old"));
  serve (fixture);
  write_broken (fixture, "conf.d/1.xml");
  old = start (fixture, false);
  problems_free (fixture->problems);
  fixture->problems = problems_new ();
  fresh = configuration_read (fixture->directory, SECRETS_READ,
                              fixture->problems);
  assert_non_null (fresh);
  configuration_keep_old (fresh, old, fixture->problems);
  configuration_free (old);
  configuration_recall (fresh, fixture_path (fixture->directory, "state"),
                        fixture->problems);
  fixture_expect (fixture->problems, PROBLEM_WARNING, 0, "integration \"a\" "
                  "stays as it was until its file is mended");
  assert_int_equal (problems_warnings (fixture->problems), 1);
  assert_int_equal (fresh->n_descriptors, 1);
  assert_string_equal (fresh->descriptors[0]->label, "old");
  remember (fixture, fresh);
  assert_true (is_there (fixture, "state/good/1.xml"));
  configuration_free (fresh);
}

/* Another file has the name by now: that one is meant. */
static void
test_moved (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  write_good (fixture, "conf.d/1.xml", "a", LABEL ("old"));
  serve (fixture);
  write_broken (fixture, "conf.d/1.xml");
  write_good (fixture, "conf.d/2.xml", "a", LABEL ("new"));
  configuration = start (fixture, false);
  assert_int_equal (problems_warnings (fixture->problems), 0);
  assert_int_equal (configuration->n_descriptors, 1);
  assert_string_equal (configuration->descriptors[0]->label, "new");
  configuration_free (configuration);
}

static void
test_useless_copy (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  fixture_write (fixture->directory, "conf.d/1.xml",
                 "<integration xmlns=\"urn:herald:integration:1\" name=\"a\" "
                 "provider=\"x\"><workspaces><workspace>other</workspace>"
                 "</workspaces></integration>", 0640);
  write_good (fixture, "conf.d/2.xml", "b", "");
  serve (fixture);
  write_broken (fixture, "conf.d/1.xml");
  write_broken (fixture, "conf.d/2.xml");
  chmod (fixture_path (fixture->directory, "state/good/2.xml"), 0666);
  fixture_write (fixture->directory, "herald.xml", HOST (""), 0644);
  configuration = start (fixture, false);
  assert_int_equal (configuration->n_descriptors, 0);
  assert_int_equal (problems_warnings (fixture->problems), 2);
  for (size_t k = 0; k < problems_count (fixture->problems); k++) {
    const struct problem *problem = problems_at (fixture->problems, k);

    if (problem->severity == PROBLEM_WARNING) {
      assert_non_null (strstr (problem->file, "/conf.d/"));
      assert_non_null (strstr (problem->text, "/state/good/"));
      assert_non_null (strstr (problem->text, "can't be used either: "));
      assert_non_null (strstr (problem->text,
                               strstr (problem->file, "2.xml") != NULL
                                 ? "others may write to it"
                                 : "workspace \"other\""));
    }
  }
  configuration_free (configuration);
}

static void
test_unwritable (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration = start (fixture, true);
  char reason[400] = "";

  fixture_write (fixture->directory, "state/good", "no directory", 0600);
  assert_int_equal (configuration_remember (configuration,
                                            fixture_path (fixture->directory,
                                                          "state"),
                                            reason, sizeof reason), -1);
  assert_non_null (strstr (reason, "/state/good can't be read: "));
  assert_int_equal (configuration_remember (configuration,
                                            fixture_path (fixture->directory,
                                                          "none"),
                                            reason, sizeof reason), -1);
  assert_non_null (strstr (reason, "/none/good can't be made: "));
  configuration_free (configuration);
}

/* herald.xml itself, for those that start while it is broken. */
static struct configuration *
start_anyway (struct fixture *fixture)
{
  problems_free (fixture->problems);
  fixture->problems = problems_new ();
  return configuration_read_or_recall (fixture->directory,
                                       fixture_path (fixture->directory,
                                                     "state"),
                                       SECRETS_READ, fixture->problems);
}

static void
test_host (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;
  struct stat status;
  char copy[FIXTURE_PATH];
  const struct problem *last;

  snprintf (copy, sizeof copy, "%s/state/good/.herald.xml",
            fixture->directory);
  write_good (fixture, "conf.d/crm.xml", "crm", LABEL ("one"));
  fixture_write (fixture->directory, "herald.xml", "<herald", 0644);
  assert_null (start_anyway (fixture));
  fixture_write (fixture->directory, "herald.xml", HOST (OTHER), 0640);
  serve (fixture);
  assert_int_equal (lstat (copy, &status), 0);
  assert_int_equal (status.st_mode & 07777, 0600);
  fixture_write (fixture->directory, "herald.xml", "<herald", 0644);

  configuration = start_anyway (fixture);
  assert_non_null (configuration);
  assert_true (herald_xml_has_workspace (configuration->herald, "other"));
  assert_string_equal (configuration->herald->path,
                       fixture_path (fixture->directory, "herald.xml"));
  assert_int_equal (configuration->n_descriptors, 1);
  fixture_expect (fixture->problems, PROBLEM_WARNING, 0, "all goes on as it "
                  "was when this was last good, until it is mended");
  assert_true (problems_errors (fixture->problems) > 0);
  /* It is no news of a file that is good. */
  assert_int_equal (unlink (copy), 0);
  remember (fixture, configuration);
  assert_int_not_equal (lstat (copy, &status), 0);
  configuration_free (configuration);

  fixture_write (fixture->directory, "state/good/.herald.xml", "<herald/>",
                 0600);
  assert_null (start_anyway (fixture));
  last = problems_at (fixture->problems,
                      problems_count (fixture->problems) - 1);
  assert_int_equal (last->severity, PROBLEM_WARNING);
  assert_non_null (strstr (last->text, "can't be used either: <herald> is "
                           "not of the namespace"));
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_copies), TEST (test_changed_between), TEST (test_no_copy),
    TEST (test_recall), TEST (test_digest), TEST (test_kept),
    TEST (test_moved), TEST (test_useless_copy), TEST (test_host),
    TEST (test_unwritable),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
