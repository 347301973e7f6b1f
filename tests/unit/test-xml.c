/* test-xml.c - XML is read strictly, and faults are named without a quote.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include "base/buf.h"
#include "config/xml.h"

#define NS "urn:test"

struct fixture {
  struct problems *problems;
  struct xml_doc *doc;
};

static int
set_up (void **state)
{
  static struct fixture fixture;

  fixture.problems = problems_new ();
  fixture.doc = NULL;
  *state = &fixture;
  return 0;
}

static int
tear_down (void **state)
{
  struct fixture *fixture = *state;

  xml_free (fixture->doc);
  problems_free (fixture->problems);
  return 0;
}

static const struct xml_node *
read_text (struct fixture *fixture, const char *text)
{
  fixture->doc = xml_read_text (text, strlen (text), "t.xml", "root", NS,
                                fixture->problems);
  return fixture->doc != NULL ? xml_root (fixture->doc) : NULL;
}

static void
test_tree (void **state)
{
  struct fixture *fixture = *state;
  const struct xml_node *root, *child;

  root = read_text (fixture, "<?xml version=\"1.0\"?><!-- x -->\n"
                    "<root xmlns=\"" NS "\" a=\"1 &amp; 2\" b=\"\">\n"
                    " one<x/><![CDATA[ <two>]]> &lt;three&#233;\n"
                    " <y k='v'><z/></y><x/></root>");
  fixture_expect_none (fixture->problems);
  assert_string_equal (xml_path (fixture->doc), "t.xml");
  assert_false (xml_is_private (fixture->doc));
  assert_string_equal (root->name, "root");
  assert_int_equal (root->line, 2);
  assert_string_equal (xml_attribute (root, "a"), "1 & 2");
  assert_string_equal (xml_attribute (root, "b"), "");
  assert_null (xml_attribute (root, "c"));
  assert_string_equal (root->text, "\n one <two> <three\xc3\xa9\n ");
  child = xml_child (root, "y");
  assert_int_equal (child->line, 4);
  assert_string_equal (xml_attribute (child, "k"), "v");
  assert_string_equal (child->child->name, "z");
  assert_string_equal (child->text, "");
  assert_string_equal (child->next->name, "x");
  assert_null (child->next->next);
  assert_ptr_equal (xml_child (root, "x"), root->child);
  assert_null (xml_child (root, "none"));
}

struct fault {
  const char *text;
  unsigned line;
  const char *message;
};

#define OPEN "<root xmlns=\"" NS "\">"

static const struct fault faults[] = {
  { "", 1, "there is no XML in it" },
  { "<!DOCTYPE root>\n" OPEN "</root>", 1,
    "a document type is not allowed; remove the <!DOCTYPE ...>" },
  { "\n<!DOCTYPE root [<!ENTITY a \"b\">]>" OPEN "&a;</root>", 2,
    "a document type is not allowed; remove the <!DOCTYPE ...>" },
  { "<!DOCTYPE root SYSTEM \"http://localhost:1/x.dtd\">" OPEN "</root>", 1,
    "a document type is not allowed; remove the <!DOCTYPE ...>" },
  { OPEN "\n&secret;</root>", 2, "an entity is not known; write & as &amp; "
                                 "and < as &lt;" },
  { OPEN "s3 & cret</root>", 1, "a name is missing; write & as &amp; and < "
                                "as &lt;" },
  { OPEN "s3&cret</root>", 1, "an entity is not closed; write & as &amp; and "
                              "< as &lt;" },
  { OPEN "\n\n<a></b></root>", 3, "an end tag does not match the start tag "
                                  "in line 3" },
  { "<root a=\"1\" a=\"2\"/>", 1, "an attribute is given twice" },
  { "<root a=1/>", 1, "an attribute's value has no quotes" },
  { "<root a/>", 1, "an attribute has no value" },
  { "<root a=\"<\"/>", 1, "an attribute has a < in its value; write it as "
                          "&lt;" },
  { OPEN "</root><x/>", 1, "something follows the root element" },
  { OPEN "<p:a/></root>", 1, "a prefix that is not declared" },
  { OPEN "\n<!-- a", 2, "a comment is not closed" },
  { "\n<?xml version=\"1.0\"?>" OPEN "</root>", 2,
    "an XML declaration that is not at the very start of the file" },
  { OPEN "&#1;</root>", 1, "a character that XML does not allow" },
  { OPEN "a\n\xff</root>", 2, "the text is not UTF-8; save the file as "
                              "UTF-8" },
  { "<integration/>", 1, "the root element is <integration>, not <root>: "
                         "this is another kind of file" },
  { "<root/>", 1, "<root> is not of the namespace urn:test; write <root "
                  "xmlns=\"urn:test\" ...>" },
  { "<root xmlns=\"urn:other\"/>", 1, "<root> is not of the namespace "
    "urn:test; write <root xmlns=\"urn:test\" ...>" }
};

static void
test_faults (void **state)
{
  (void) state;
  for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
    struct problems *problems = problems_new ();

    assert_null (xml_read_text (faults[k].text, strlen (faults[k].text),
                                "t.xml", "root", NS, problems));
    fixture_expect (problems, PROBLEM_ERROR, faults[k].line,
                    faults[k].message);
    assert_int_equal (problems_count (problems), 1);
    fixture_expect_silence (problems, "cret");
    problems_free (problems);
  }
}

static void
test_truncated (void **state)
{
  static const char text[] = "<?xml version=\"1.0\"?><!-- c --><root xmlns=\""
                             NS "\" a='b'>x<y><![CDATA[z]]></y>&lt;</root>";

  (void) state;
  for (size_t len = 0; len < sizeof text - 1; len++) {
    struct problems *problems = problems_new ();

    assert_null (xml_read_text (text, len, "t.xml", "root", NS, problems));
    assert_int_equal (problems_errors (problems), 1);
    problems_free (problems);
  }
}

static void
test_foreign (void **state)
{
  struct fixture *fixture = *state;
  const struct xml_node *root;

  root = read_text (fixture,
    "<root xmlns=\"" NS "\" xmlns:o=\"urn:o\" o:k=\"1\" "
    "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
    "xsi:schemaLocation=\"a b\">\n"
    "<o:x/>\n<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" "
    "href=\"t.xml\"/>\n<y/></root>");
  fixture_expect (fixture->problems, PROBLEM_ERROR, 1,
                  "attribute \"k\" is of another namespace");
  fixture_expect (fixture->problems, PROBLEM_ERROR, 2,
                  "element <x> is not of the namespace urn:test");
  fixture_expect (fixture->problems, PROBLEM_ERROR, 3,
                  "XInclude is not allowed; write it into this file");
  assert_int_equal (problems_count (fixture->problems), 3);
  assert_int_equal (root->n_attributes, 0);
  assert_string_equal (root->child->name, "y");
  assert_null (root->child->next);
}

static void
test_depth (void **state)
{
  struct fixture *fixture = *state;
  struct buf text = BUF_INIT (0);

  for (int round = 0; round < 2; round++) {
    buf_clear (&text);
    buf_add_text (&text, OPEN);
    for (int i = 1; i < XML_MAX_DEPTH + round; i++)
      buf_add_text (&text, "<a>");
    for (int i = 1; i < XML_MAX_DEPTH + round; i++)
      buf_add_text (&text, "</a>");
    buf_add_text (&text, "</root>");
    xml_free (fixture->doc);
    assert_non_null (read_text (fixture, text.data));
    assert_int_equal (problems_count (fixture->problems), round);
  }
  fixture_expect (fixture->problems, PROBLEM_ERROR, 1,
                  "elements are nested deeper than 32 levels");
  buf_done (&text);
}

static void
test_files (void **state)
{
  struct fixture *fixture = *state;
  struct problems *problems = fixture->problems;
  char *directory = fixture_directory ();
  char *huge = calloc (1, XML_MAX_LEN + 1);
  const char *path;

  path = fixture_write (directory, "a.xml", OPEN "</root>", 0640);
  fixture->doc = xml_read_file (path, "root", NS, problems);
  fixture_expect_none (problems);
  assert_true (xml_is_private (fixture->doc));
  xml_free (fixture->doc);
  chmod (path, 0644);
  fixture->doc = xml_read_file (path, "root", NS, problems);
  assert_false (xml_is_private (fixture->doc));
  chmod (path, 0666);
  assert_null (xml_read_file (path, "root", NS, problems));
  assert_non_null (strstr (problems_at (problems, 0)->text,
                           "others may write to it; run: chmod"));
  assert_null (xml_read_file (fixture_path (directory, "b"), "root", NS,
                              problems));
  assert_int_equal (problems_count (problems), 2);
  memset (huge, ' ', XML_MAX_LEN + 1);
  path = fixture_write_bytes (directory, "c", huge, XML_MAX_LEN + 1, 0600);
  assert_null (xml_read_file (path, "root", NS, problems));
  fixture_expect (problems, PROBLEM_ERROR, 0,
                  "the file is larger than 1048576 bytes");
  free (huge);
  fixture_remove (directory);
}

static const char *const some_attributes[] = { "name", "from", NULL };
static const char *const some_children[] = { "when", "setting", NULL };

static void
test_expect (void **state)
{
  struct fixture *fixture = *state;
  struct problems *problems = fixture->problems;
  const struct xml_node *root;

  root = read_text (fixture, "<root xmlns=\"" NS "\" nane=\"1\" q=\"\"> \n"
                    "<setting/>\n<wen/>\n<zzzzzz/>\n<setting>secret"
                    "</setting></root>");
  xml_expect (fixture->doc, root, some_attributes, some_children, 0, "crm",
              problems);
  xml_expect (fixture->doc, xml_child (root, "wen"), NULL, NULL, 0, "crm",
              problems);
  xml_expect (fixture->doc, root->child->next->next->next, NULL, NULL, 0,
              "crm", problems);
  xml_expect (fixture->doc, root->child->next->next->next, NULL, NULL, 1,
              "crm", problems);
  fixture_expect (problems, PROBLEM_ERROR, 1, "<root> has no attribute "
                  "\"nane\"; did you mean \"name\"?");
  fixture_expect (problems, PROBLEM_ERROR, 1, "<root> has no attribute "
                  "\"q\"; known are \"name\", \"from\"");
  fixture_expect (problems, PROBLEM_ERROR, 3, "<root> has no element <wen>; "
                  "did you mean <when>?");
  fixture_expect (problems, PROBLEM_ERROR, 4, "<root> has no element "
                  "<zzzzzz>; known are <when>, <setting>");
  fixture_expect (problems, PROBLEM_ERROR, 5, "<setting> has text in it, "
                  "which belongs into an element or attribute");
  assert_int_equal (problems_count (problems), 5);
  assert_string_equal (problems_at (problems, 0)->integration, "crm");
  assert_string_equal (problems_at (problems, 0)->file, "t.xml");
}

static void
test_expect_once (void **state)
{
  static const char *const repeated[] = { "a", NULL };
  struct fixture *fixture = *state;
  const struct xml_node *root;

  root = read_text (fixture, OPEN "<a/><a/>\n<b/>\n<b/><c/></root>");
  xml_expect_once (fixture->doc, root, repeated, NULL, fixture->problems);
  fixture_expect (fixture->problems, PROBLEM_ERROR, 3,
                  "<b> is there already, in line 2; one is enough");
  assert_int_equal (problems_count (fixture->problems), 1);
  xml_expect_once (fixture->doc, root, NULL, NULL, fixture->problems);
  assert_int_equal (problems_count (fixture->problems), 3);
}

static void
test_bool (void **state)
{
  struct fixture *fixture = *state;
  struct xml_doc *doc;
  const struct xml_node *root;

  root = read_text (fixture, "<root xmlns=\"" NS "\" a=\"true\" b=\"false\" "
                    "c=\"yes\"/>");
  doc = fixture->doc;
  assert_true (xml_bool (doc, root, "a", false, "", fixture->problems));
  assert_false (xml_bool (doc, root, "b", true, "", fixture->problems));
  assert_true (xml_bool (doc, root, "d", true, "", fixture->problems));
  assert_false (xml_bool (doc, root, "d", false, "", fixture->problems));
  fixture_expect_none (fixture->problems);
  assert_false (xml_bool (doc, root, "c", true, "", fixture->problems));
  fixture_expect (fixture->problems, PROBLEM_ERROR, 1,
                  "c=\"yes\" of <root> is neither \"true\" nor \"false\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_tree), TEST (test_faults), TEST (test_truncated),
    TEST (test_foreign), TEST (test_depth), TEST (test_files),
    TEST (test_expect), TEST (test_expect_once), TEST (test_bool),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
