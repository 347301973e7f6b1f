/* test-setting.c - <setting> in all its spellings.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include "base/buf.h"
#include "base/redact.h"
#include "config/setting.h"

struct fixture {
  struct arena *arena;
  struct problems *problems;
  enum secrets secrets;
  const char *integration;
  struct setting setting;
};

static int
set_up (void **state)
{
  static struct fixture fixture;

  fixture.arena = arena_new (0);
  fixture.problems = problems_new ();
  fixture.secrets = SECRETS_READ;
  fixture.integration = "crm";
  *state = &fixture;
  return 0;
}

static int
tear_down (void **state)
{
  struct fixture *fixture = *state;

  problems_free (fixture->problems);
  arena_free (fixture->arena);
  redact_forget_all ();
  return 0;
}

/* The element's line is 2. */
static const struct setting *
read_element (struct fixture *fixture, const char *path, const char *element)
{
  struct buf text = BUF_INIT (0);
  struct xml_doc *doc;

  buf_printf (&text, "<r xmlns=\"urn:t\">\n%s</r>", element);
  doc = xml_read_text (text.data, text.len, path, "r", "urn:t",
                       fixture->problems);
  assert_non_null (doc);
  setting_read (doc, xml_root (doc)->child, fixture->integration,
                fixture->secrets, fixture->arena, fixture->problems,
                &fixture->setting);
  xml_free (doc);
  buf_done (&text);
  return &fixture->setting;
}

static void
test_inline (void **state)
{
  struct fixture *fixture = *state;
  const struct setting *setting;

  setting = read_element (fixture, "a.xml", "<setting name=\"host\">\n "
                          "mail.example\t</setting>");
  fixture_expect_none (fixture->problems);
  assert_string_equal (setting->name, "host");
  assert_string_equal (setting->value, "mail.example");
  assert_string_equal (setting->file, "a.xml");
  assert_int_equal (setting->line, 2);
  assert_true (setting->is_inline);
  assert_false (setting->is_private);
  setting = read_element (fixture, "a.xml", "<setting name=\"host\"/>");
  assert_string_equal (setting->value, "");
  fixture_expect_none (fixture->problems);
}

/* What is not wanted is looked at and left where it is. */
static void
test_not_wanted (void **state)
{
  struct fixture *fixture = *state;
  const struct setting *setting;

  fixture->secrets = SECRETS_UNREAD;
  setting = read_element (fixture, "a.xml", "<setting name=\"key\" "
                          "from=\"file\" path=\"/no/such/file\"/>");
  assert_null (setting->value);
  assert_false (setting->is_inline);
  assert_string_equal (setting->name, "key");
  setting = read_element (fixture, "a.xml", "<setting name=\"key\" "
                          "from=\"env\" variable=\"HERALD_NONE\"/>");
  assert_null (setting->value);
  assert_string_equal (setting->variable, "HERALD_NONE");
  setting = read_element (fixture, "a.xml",
                          "<setting name=\"key\">word</setting>");
  assert_null (setting->value);
  assert_true (setting->is_inline);
  fixture_expect_none (fixture->problems);
  setting_forget (setting);
  read_element (fixture, "a.xml", "<setting name=\"key\" from=\"env\"/>");
  fixture_expect (fixture->problems, PROBLEM_ERROR, 2, "setting \"key\" has "
                  "from=\"env\" but no variable=");
}

static void
test_fetched (void **state)
{
  struct fixture *fixture = *state;
  const struct setting *setting;
  char *directory = fixture_directory ();
  struct buf masked = BUF_INIT (0);

  fixture_write (directory, "token", "s3cret-value\n", 0600);
  setting = read_element (fixture, fixture_path (directory, "a.xml"),
                          "<setting name=\"key\" from=\"file\" "
                          "path=\"token\"> </setting>");
  fixture_expect_none (fixture->problems);
  assert_string_equal (setting->value, "s3cret-value");
  assert_false (setting->is_inline);
  redact_add (&masked, "is s3cret-value", 15, 0);
  assert_string_equal (masked.data, "is ***");
  setting_forget (setting);
  buf_clear (&masked);
  redact_add (&masked, "is s3cret-value", 15, 0);
  assert_string_equal (masked.data, "is s3cret-value");
  buf_done (&masked);
  setenv ("HERALD_TEST", "from env", 1);
  setting = read_element (fixture, "a.xml", "<setting name=\"key\" "
                          "from=\"env\" variable=\"HERALD_TEST\"/>");
  assert_string_equal (setting->value, "from env");
  setenv ("CREDENTIALS_DIRECTORY", directory, 1);
  setting = read_element (fixture, "a.xml", "<setting name=\"key\" "
                          "from=\"credential\" credential=\"token\"/>");
  assert_string_equal (setting->value, "s3cret-value");
  fixture_expect_none (fixture->problems);
  unsetenv ("HERALD_TEST");
  unsetenv ("CREDENTIALS_DIRECTORY");
  fixture_remove (directory);
}

/* Whoever needs it says so. */
static void
test_of_defaults (void **state)
{
  struct fixture *fixture = *state;
  const struct setting *setting;

  fixture->integration = NULL;
  setting = read_element (fixture, "a.xml", "<setting name=\"key\" "
                          "from=\"env\" variable=\"HERALD_NONE\"/>");
  fixture_expect_none (fixture->problems);
  assert_null (setting->value);
  assert_string_equal (setting->missing, "the environment variable "
                       "HERALD_NONE is not set");
  fixture->secrets = SECRETS_ELSEWHERE;
  setting = read_element (fixture, "a.xml", "<setting name=\"key\" "
                          "from=\"env\" variable=\"HERALD_NONE\"/>");
  fixture_expect (fixture->problems, PROBLEM_WARNING, 2, "setting "
                  "\"key\" can't be checked here: only the service has the "
                  "variable HERALD_NONE");
  assert_null (setting->missing);
  setting = read_element (fixture, "a.xml", "<setting name=\"key\" "
                          "from=\"env\"/>");
  fixture_expect (fixture->problems, PROBLEM_ERROR, 2, "setting \"key\" has "
                  "from=\"env\" but no variable=");
  assert_null (setting->missing);
}

struct fault {
  const char *element;
  const char *message;
};

static const struct fault faults[] = {
  { "<setting>hidden</setting>", "<setting> has no name=" },
  { "<setting name=\"\">hidden</setting>", "<setting> has no name=" },
  { "<setting name=\"k\" form=\"file\">hidden</setting>",
    "<setting> has no attribute \"form\"; did you mean \"from\"?" },
  { "<setting name=\"k\" from=\"fil\" path=\"x\"/>",
    "setting \"k\" has from=\"fil\", which is none of \"file\", \"env\" and "
    "\"credential\"; did you mean file?" },
  { "<setting name=\"k\" from=\"keychain\"/>",
    "setting \"k\" has from=\"keychain\", which is none of \"file\", \"env\" "
    "and \"credential\"" },
  { "<setting name=\"k\" from=\"file\"/>",
    "setting \"k\" has from=\"file\" but no path=" },
  { "<setting name=\"k\" from=\"env\" variable=\"\"/>",
    "setting \"k\" has from=\"env\" but no variable=" },
  { "<setting name=\"k\" from=\"file\" variable=\"X\"/>",
    "setting \"k\" has variable=, which goes with from=\"env\"" },
  { "<setting name=\"k\" path=\"x\"/>",
    "setting \"k\" has path=, which goes with from=\"file\"" },
  { "<setting name=\"k\" from=\"env\" variable=\"X\">hidden</setting>",
    "setting \"k\" has both from=\"env\" and a text; remove one" },
  { "<setting name=\"k\" from=\"env\" variable=\"HERALD_NONE\"/>",
    "setting \"k\": the environment variable HERALD_NONE is not set" },
  { "<setting name=\"k\"><b/></setting>",
    "<setting> has no element <b>" }
};

static void
test_faults (void **state)
{
  struct fixture *fixture = *state;

  for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
    const struct setting *setting;

    problems_free (fixture->problems);
    fixture->problems = problems_new ();
    setting = read_element (fixture, "a.xml", faults[k].element);
    fixture_expect (fixture->problems, PROBLEM_ERROR, 2, faults[k].message);
    assert_int_equal (problems_count (fixture->problems), 1);
    assert_string_equal (problems_at (fixture->problems, 0)->integration,
                         "crm");
    assert_non_null (setting->name);
    fixture_expect_silence (fixture->problems, "hidden");
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_inline), TEST (test_not_wanted), TEST (test_fetched),
    TEST (test_of_defaults), TEST (test_faults),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
