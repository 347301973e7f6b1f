/* test-descriptor-edit.c - enabled="..." is set, and nothing else changes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include <dirent.h>

#include "config/descriptor.h"

static char *directory;

static int
set_up (void **state)
{
  (void) state;
  directory = fixture_directory ();
  return 0;
}

static int
tear_down (void **state)
{
  (void) state;
  fixture_remove (directory);
  return 0;
}

static void
contains (const char *path, const char *text)
{
  char content[4096];
  FILE *file = fopen (path, "rb");
  size_t len;

  assert_non_null (file);
  len = fread (content, 1, sizeof content - 1, file);
  content[len] = '\0';
  fclose (file);
  assert_string_equal (content, text);
}

#define NS "xmlns=\"urn:herald:integration:1\""

struct row {
  const char *before;
  bool is_enabled;
  const char *after;
};

static const struct row rows[] = {
  { "<integration " NS " name=\"a\" enabled=\"true\" provider=\"b\"/>", false,
    "<integration " NS " name=\"a\" enabled=\"false\" provider=\"b\"/>" },
  { "<integration " NS " enabled='false'>\n\t<x/></integration>\n", true,
    "<integration " NS " enabled='true'>\n\t<x/></integration>\n" },
  { "<integration " NS ">x</integration>", false,
    "<integration " NS " enabled=\"false\">x</integration>" },
  { "<integration " NS "\r\n  name='a'\r\n/>", true,
    "<integration " NS "\r\n  name='a' enabled=\"true\"\r\n/>" },
  { "<?xml version=\"1.0\"?><!-- <integration enabled=\"true\"> -->\n"
    "<?pi enabled=\"true\"?><integration " NS
    " label=\"> enabled='true'\" enabled = \"true\" />", false,
    "<?xml version=\"1.0\"?><!-- <integration enabled=\"true\"> -->\n"
    "<?pi enabled=\"true\"?><integration " NS
    " label=\"> enabled='true'\" enabled = \"false\" />" },
  { "\xef\xbb\xbf<p:integration xmlns:p=\"urn:herald:integration:1\" "
    "p-enabled=\"x\"></p:integration>", true,
    "\xef\xbb\xbf<p:integration xmlns:p=\"urn:herald:integration:1\" "
    "p-enabled=\"x\" enabled=\"true\"></p:integration>" },
  { "<integration " NS " enabled=\"\"/>", true,
    "<integration " NS " enabled=\"true\"/>" },
  { "<integration " NS " enabled=\"true\"/>", true,
    "<integration " NS " enabled=\"true\"/>" }
};

static void
test_edits (void **state)
{
  (void) state;
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const char *path = fixture_write (directory, "a.xml", rows[k].before,
                                      0640);
    char reason[400] = "";

    if (descriptor_set_enabled (path, rows[k].is_enabled, reason,
                                sizeof reason) < 0)
      fail_msg ("%zu: %s", k, reason);
    contains (path, rows[k].after);
  }
}

static void
test_replacement (void **state)
{
  const char *path = fixture_write (directory, "a.xml",
                                    "<integration " NS "/>", 0640);
  const char *link = fixture_path (directory, "link.xml");
  struct stat before, after, of_link;
  struct dirent *entry;
  char reason[400] = "";
  DIR *listing;
  int n = 0;

  (void) state;
  assert_int_equal (symlink ("a.xml", link), 0);
  assert_int_equal (stat (path, &before), 0);
  assert_int_equal (descriptor_set_enabled (link, false, reason,
                                            sizeof reason), 0);
  contains (path, "<integration " NS " enabled=\"false\"/>");
  assert_int_equal (stat (path, &after), 0);
  assert_int_equal (after.st_mode, before.st_mode);
  assert_int_equal (after.st_uid, before.st_uid);
  assert_int_equal (after.st_gid, before.st_gid);
  assert_int_not_equal (after.st_ino, before.st_ino);
  assert_int_equal (lstat (link, &of_link), 0);
  assert_true (S_ISLNK (of_link.st_mode));
  listing = opendir (directory);
  while ((entry = readdir (listing)) != NULL)
    n++;
  closedir (listing);
  assert_int_equal (n, 4);      /* ., .., both files; nothing left over */
  /* What is so already is not written again. */
  assert_int_equal (descriptor_set_enabled (path, false, reason,
                                            sizeof reason), 0);
  assert_int_equal (stat (path, &before), 0);
  assert_int_equal (after.st_ino, before.st_ino);
}

struct refusal {
  const char *text;
  const char *part;
};

static const struct refusal refusals[] = {
  { "", "has no root element that can be edited; mend it first" },
  { "<!-- ", "has no root element that can be edited; mend it first" },
  { "<!DOCTYPE x><integration " NS "/>", "has no root element" },
  { "<integration", "has no root element" },
  { "<integration enabled>", "has no root element" },
  { "<integration enabled=\"true>", "has no root element" },
  { "<integration enabled=true/>", "has no root element" },
  { "<integration " NS ">", "line 1: an element is not closed" },
  { "<herald xmlns=\"urn:herald:config:1\"/>", "another kind of file" },
  { "<integration/>", "is not of the namespace" }
};

static void
test_refusals (void **state)
{
  const char *path;
  char reason[400];

  (void) state;
  for (size_t k = 0; k < sizeof refusals / sizeof *refusals; k++) {
    path = fixture_write (directory, "a.xml", refusals[k].text, 0640);
    reason[0] = '\0';
    assert_int_equal (descriptor_set_enabled (path, false, reason,
                                              sizeof reason), -1);
    if (strstr (reason, refusals[k].part) == NULL)
      fail_msg ("\"%s\" does not say \"%s\"", reason, refusals[k].part);
    contains (path, refusals[k].text);
  }
  chmod (path, 0666);
  assert_int_equal (descriptor_set_enabled (path, false, reason,
                                            sizeof reason), -1);
  assert_non_null (strstr (reason, "others may write to it"));
  path = fixture_path (directory, "none.xml");
  assert_int_equal (descriptor_set_enabled (path, false, reason,
                                            sizeof reason), -1);
  assert_string_equal (reason,
                       "it can't be found: No such file or directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_edits), TEST (test_replacement), TEST (test_refusals),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
