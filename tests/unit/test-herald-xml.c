/* test-herald-xml.c - what the host decides, and what it can't decide.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include "base/buf.h"
#include "config/herald_xml.h"

struct fixture {
  char *directory;
  struct arena *arena;
  struct problems *problems;
  struct herald_xml *xml;
};

static int
set_up (void **state)
{
  static struct fixture fixture;

  fixture.directory = fixture_directory ();
  fixture.arena = arena_new (0);
  fixture.problems = problems_new ();
  fixture.xml = NULL;
  *state = &fixture;
  return 0;
}

static int
tear_down (void **state)
{
  struct fixture *fixture = *state;

  herald_xml_done (fixture->xml);
  problems_free (fixture->problems);
  arena_free (fixture->arena);
  fixture_remove (fixture->directory);
  return 0;
}

/* The content starts in line 2. */
static const struct herald_xml *
read_content (struct fixture *fixture, const char *content)
{
  struct buf text = BUF_INIT (0);
  const char *path;

  buf_printf (&text, "<herald xmlns=\"urn:herald:config:1\">\n%s</herald>",
              content);
  path = fixture_write (fixture->directory, "herald.xml", text.data, 0644);
  buf_done (&text);
  herald_xml_done (fixture->xml);
  fixture->xml = herald_xml_read (path, fixture->arena, fixture->problems);
  return fixture->xml;
}

static void
test_whole (void **state)
{
  struct fixture *fixture = *state;
  const struct herald_xml *xml;

  fixture_write (fixture->directory, "ca.pem",
                 "-----BEGIN CERTIFICATE-----\n", 0644);
  xml = read_content (fixture,
    "<workspaces><workspace name=\"acme\"/><workspace name=\"a b\"/>"
    "</workspaces>\n"
    "<fields><field key=\"colour\" label=\"Favourite Colour\"/>"
    "<field key=\"size\"/></fields>"
    "<network><allow cidr=\"10.1.0.0/16\"/><allow cidr=\"fd00::/8\"/>"
    "<allow-http/><proxy url=\"http://proxy:3128\"/></network>"
    "<tls ca-file=\"ca.pem\"/><timeouts connect=\"2s\" total=\"5m\"/>"
    "<limits event=\"2M\" reply=\"64k\"/><state directory=\"/var/x\"/>"
    "<defaults provider=\"drimify\"><setting name=\"relay\">mx</setting>"
    "</defaults><defaults provider=\"smtp\"/>");
  fixture_expect_none (fixture->problems);
  assert_int_equal (xml->n_workspaces, 2);
  assert_true (herald_xml_has_workspace (xml, "a b"));
  assert_false (herald_xml_has_workspace (xml, "b"));
  assert_string_equal (catalogue_find (xml->catalogue, "colour", 6)->label,
                       "Favourite Colour");
  assert_string_equal (catalogue_find (xml->catalogue, "size", 4)->label,
                       "size");
  assert_int_equal (xml->n_allowed, 2);
  assert_string_equal (xml->allowed[1], "fd00::/8");
  assert_true (xml->allow_http);
  assert_string_equal (xml->proxy, "http://proxy:3128");
  assert_string_equal (xml->ca_file,
                       fixture_path (fixture->directory, "ca.pem"));
  assert_int_equal (xml->connect_ms, 2000);
  assert_int_equal (xml->total_ms, 300000);
  assert_int_equal (xml->max_event, 2 << 20);
  assert_int_equal (xml->max_reply, 64 << 10);
  assert_string_equal (xml->state_directory, "/var/x");
  assert_int_equal (xml->n_defaults, 2);
  assert_string_equal (xml->defaults[0].provider, "drimify");
  assert_string_equal (xml->defaults[0].settings[0].value, "mx");
}

static void
test_bare (void **state)
{
  struct fixture *fixture = *state;
  const struct herald_xml *xml = read_content (fixture, "");

  fixture_expect (fixture->problems, PROBLEM_WARNING, 1, "no workspace is "
                  "declared, so every event is refused; add "
                  "<workspaces><workspace name=\"...\"/></workspaces>");
  assert_int_equal (xml->connect_ms, 10000);
  assert_int_equal (xml->total_ms, 60000);
  assert_int_equal (xml->max_event, 1 << 20);
  assert_int_equal (xml->max_reply, 1 << 20);
  assert_null (xml->proxy);
  assert_null (xml->ca_file);
  assert_null (xml->state_directory);
  assert_false (xml->allow_http);
  assert_int_equal (xml->n_allowed, 0);
}

struct fault {
  const char *content;
  const char *message;
};

static const struct fault faults[] = {
  { "<workspace/>", "<herald> has no element <workspace>; did you mean "
                    "<workspaces>?" },
  { "<state directory=\"/a\"/><state directory=\"/b\"/>",
    "<state> is there already, in line 2; one is enough" },
  { "<workspaces><workspace/></workspaces>", "<workspace> has no name=" },
  { "<workspaces><workspace name=\"a&#10;b\"/></workspaces>",
    "a workspace's name is one line of at most 128 bytes" },
  { "<workspaces><workspace name=\"a\"/><workspace name=\"a\"/>"
    "</workspaces>", "workspace \"a\" is declared twice; remove one" },
  { "<fields><field/></fields>", "<field> has no key=" },
  { "<fields><field key=\"email\"/></fields>",
    "field \"email\" exists already; remove this one" },
  { "<fields><field key=\"a-b\"/></fields>",
    "field key \"a-b\" is not a letter followed by letters, digits and _, at "
    "most 64" },
  { "<network><allow/></network>", "<allow> has no cidr=" },
  { "<network><allow cidr=\"10.1.2.3/8\"/></network>",
    "cidr=\"10.1.2.3/8\" is an address in a range, not the range; write "
    "10.0.0.0/8" },
  { "<network><proxy url=\"ftp://x\"/></network>",
    "the proxy's url must start with http://, https://, socks5:// or "
    "socks5h://" },
  { "<network><allow-http/><allow-http/></network>",
    "<allow-http> is there already, in line 2; one is enough" },
  { "<tls/>", "<tls> has no ca-file=" },
  { "<timeouts connect=\"10\"/>", "connect=\"10\" is no duration between 1ms "
                                  "and 1h; write it like 10s" },
  { "<timeouts total=\"2h\"/>", "total=\"2h\" is no duration between 1ms and "
                                "1h; write it like 10s" },
  { "<timeouts connect=\"20s\" total=\"10s\"/>",
    "the total timeout is shorter than the one to connect" },
  { "<limits event=\"1T\"/>", "event=\"1T\" is no size between 1k and 64M" },
  { "<limits reply=\"65M\"/>", "reply=\"65M\" is no size between 1k and 64M" },
  { "<state directory=\"var\"/>", "the state directory must start with /" },
  { "<defaults/>", "<defaults> has no provider=" },
  { "<defaults provider=\"a\"/><defaults provider=\"a\"/>",
    "there are <defaults> for provider \"a\" already, in line 2; write all "
    "into one" },
  { "<defaults provider=\"a\"><setting/></defaults>",
    "<setting> has no name=" }
};

static void
test_faults (void **state)
{
  struct fixture *fixture = *state;

  for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
    problems_free (fixture->problems);
    fixture->problems = problems_new ();
    assert_null (read_content (fixture, faults[k].content));
    fixture_expect (fixture->problems, PROBLEM_ERROR, 2, faults[k].message);
    assert_int_equal (problems_errors (fixture->problems), 1);
  }
}

static void
test_certificates (void **state)
{
  struct fixture *fixture = *state;

  fixture_write (fixture->directory, "ca.pem", "nothing\n", 0644);
  assert_null (read_content (fixture, "<tls ca-file=\"ca.pem\"/>"));
  assert_non_null (strstr (problems_at (fixture->problems, 0)->text,
                           "ca.pem holds no certificate in PEM form"));
  assert_null (read_content (fixture, "<tls ca-file=\"none.pem\"/>"));
  assert_int_equal (problems_errors (fixture->problems), 2);
}

static void
test_open_network (void **state)
{
  struct fixture *fixture = *state;

  assert_non_null (read_content (fixture, "<network><allow cidr=\"::/0\"/>"
                                 "</network>"));
  fixture_expect (fixture->problems, PROBLEM_WARNING, 2, "cidr=\"::/0\" lets "
                  "integrations reach every address of this host's "
                  "networks");
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_whole), TEST (test_bare), TEST (test_faults),
    TEST (test_certificates), TEST (test_open_network),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
