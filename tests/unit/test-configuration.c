/* test-configuration.c - herald.xml and conf.d together, and the samples.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include "config/configuration.h"

struct fixture {
  char *directory;
  struct problems *problems;
};

#define HERALD "<herald xmlns=\"urn:herald:config:1\"><workspaces>" \
               "<workspace name=\"acme\"/></workspaces>" \
               "<defaults provider=\"smtp\"/></herald>"
#define INTEGRATION(name)                                           \
  "<integration xmlns=\"urn:herald:integration:1\" name=\"" name    \
  "\" provider=\"x\"><workspaces all=\"true\"/></integration>"

static int
set_up (void **state)
{
  static struct fixture fixture;

  fixture.directory = fixture_directory ();
  fixture.problems = problems_new ();
  assert_int_equal (mkdir (fixture_path (fixture.directory, "conf.d"), 0755),
                    0);
  fixture_write (fixture.directory, "herald.xml", HERALD, 0644);
  *state = &fixture;
  return 0;
}

static int
tear_down (void **state)
{
  struct fixture *fixture = *state;

  problems_free (fixture->problems);
  fixture_remove (fixture->directory);
  return 0;
}

static void
test_order (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  fixture_write (fixture->directory, "conf.d/20.xml", INTEGRATION ("b"),
                 0644);
  fixture_write (fixture->directory, "conf.d/Z.xml", INTEGRATION ("c"), 0644);
  fixture_write (fixture->directory, "conf.d/10.xml", INTEGRATION ("z"),
                 0640);
  fixture_write (fixture->directory, "conf.d/a.xml.off", "broken", 0644);
  fixture_write (fixture->directory, "conf.d/.a.xml", "broken", 0644);
  fixture_write (fixture->directory, "conf.d/.xml", "broken", 0644);
  configuration = configuration_read (fixture->directory, fixture->problems);
  fixture_expect_none (fixture->problems);
  assert_int_equal (configuration->n_descriptors, 3);
  assert_string_equal (configuration->descriptors[0]->name, "z");
  assert_string_equal (configuration->descriptors[1]->name, "b");
  assert_string_equal (configuration->descriptors[2]->name, "c");
  assert_true (configuration->descriptors[0]->is_private);
  assert_false (configuration->descriptors[1]->is_private);
  assert_ptr_equal (configuration_find (configuration, "b"),
                    configuration->descriptors[1]);
  assert_null (configuration_find (configuration, "none"));
  assert_string_equal (configuration_defaults (configuration,
                                               "smtp")->provider, "smtp");
  assert_null (configuration_defaults (configuration, "x"));
  configuration_free (configuration);
  configuration_free (NULL);
}

static void
test_broken_ones (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  fixture_write (fixture->directory, "conf.d/1.xml", INTEGRATION ("a"), 0644);
  fixture_write (fixture->directory, "conf.d/2.xml", INTEGRATION ("a"), 0644);
  fixture_write (fixture->directory, "conf.d/3.xml", "<integration", 0644);
  fixture_write (fixture->directory, "conf.d/4.xml", INTEGRATION ("b"), 0666);
  fixture_write (fixture->directory, "conf.d/5.xml", INTEGRATION ("c"), 0644);
  configuration = configuration_read (fixture->directory, fixture->problems);
  assert_non_null (configuration);
  assert_int_equal (configuration->n_descriptors, 3);
  assert_false (configuration_find (configuration, "a")->has_errors);
  assert_true (configuration->descriptors[1]->has_errors);
  assert_false (configuration_find (configuration, "c")->has_errors);
  assert_int_equal (problems_errors (fixture->problems), 3);
  assert_non_null (strstr (problems_at (fixture->problems, 0)->text,
                           "integration \"a\" is defined already in "));
  assert_non_null (strstr (problems_at (fixture->problems, 0)->text,
                           "conf.d/1.xml:1; give this one another name"));
  assert_non_null (strstr (problems_at (fixture->problems, 1)->file,
                           "/3.xml"));
  assert_non_null (strstr (problems_at (fixture->problems, 2)->text,
                           "others may write to it"));
  configuration_free (configuration);
}

static void
test_absent (void **state)
{
  struct fixture *fixture = *state;

  assert_int_equal (rmdir (fixture_path (fixture->directory, "conf.d")), 0);
  assert_null (configuration_read (fixture->directory, fixture->problems));
  assert_int_equal (problems_errors (fixture->problems), 1);
  assert_non_null (strstr (problems_at (fixture->problems, 0)->file,
                           "/conf.d"));
  unlink (fixture_path (fixture->directory, "herald.xml"));
  assert_null (configuration_read (fixture->directory, fixture->problems));
  assert_non_null (strstr (problems_at (fixture->problems, 1)->file,
                           "/herald.xml"));
}

/* Copy one of the samples in the source tree. */
static void
copy_sample (struct fixture *fixture, const char *sample, const char *name)
{
  const char *top = getenv ("top_srcdir");
  char text[16384];
  FILE *file;
  size_t len;

  file = fopen (fixture_path (top != NULL ? top : ".", sample), "rb");
  assert_non_null (file);
  len = fread (text, 1, sizeof text, file);
  assert_in_range (len, 1, sizeof text - 1);
  fclose (file);
  fixture_write_bytes (fixture->directory, name, text, len, 0640);
}

static void
test_samples (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  copy_sample (fixture, "conf.d/herald.xml.sample", "herald.xml");
  copy_sample (fixture, "conf.d/custom-api.xml", "conf.d/custom-api.xml");
  copy_sample (fixture, "conf.d/smtp.xml", "conf.d/smtp.xml");
  fixture_write (fixture->directory, "conf.d/custom-api.key", "a key\n",
                 0640);
  fixture_write (fixture->directory, "conf.d/smtp.password", "a word\n",
                 0640);
  configuration = configuration_read (fixture->directory, fixture->problems);
  fixture_expect_none (fixture->problems);
  assert_int_equal (configuration->n_descriptors, 2);
  assert_false (configuration_find (configuration, "custom-api")->is_enabled);
  assert_false (configuration_find (configuration, "smtp")->is_enabled);
  assert_non_null (configuration_find (configuration, "smtp")->mail);
  configuration_free (configuration);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_order), TEST (test_broken_ones), TEST (test_absent),
    TEST (test_samples),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
