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
  fixture->xml = herald_xml_read (path, SECRETS_READ, fixture->arena,
                                  fixture->problems);
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
    "<log format=\"json\" level=\"debug\"/>"
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
  assert_int_equal (xml->log.format, HERALD_LOG_JSON);
  assert_int_equal (xml->log.level, LOG_LEVEL_DEBUG);
  assert_int_equal (xml->n_defaults, 2);
  assert_string_equal (xml->defaults[0].provider, "drimify");
  assert_string_equal (xml->defaults[0].settings[0].value, "mx");
}

static void
test_daemon (void **state)
{
  struct fixture *fixture = *state;
  const struct herald_xml *xml;
  const struct herald_listen *listen;

  xml = read_content (fixture,
    "<workspaces><workspace name=\"acme\"/><workspace name=\"globex\"/>"
    "<workspace name=\"a,b\"/></workspaces>"
    "<store engine=\"sqlite\" directory=\"/srv/store\" window=\"1h\" "
    "history=\"0\" history-rows=\"7\" most=\"0\"><commit wait=\"0\" "
    "most=\"100000\"/></store>"
    "<intake><listen address=\"127.1.2.3:1\"/>"
    "<listen address=\"[0::1]:65535\"/>\n"
    "<listen socket=\"/run/herald/in.sock\" mode=\"0600\">"
    "<allow user=\"www-data\" workspace=\"acme,globex\"/>"
    "<allow group=\"33\" workspace=\"*\"/>"
    "<allow user=\"x\" workspace=\"a,b\"/></listen>\n"
    "<listen socket=\"/run/b\"/><tokens path=\"intake.tokens\"/>\n"
    "<limits body=\"1G\" connections=\"2\" timeout=\"100ms\" "
    "events=\"3\"/></intake>"
    "<workers number=\"64\" watchdog=\"1s\" stop=\"0\"/>");
  fixture_expect_none (fixture->problems);
  assert_string_equal (xml->store.engine, "sqlite");
  assert_string_equal (xml->store.directory, "/srv/store");
  assert_int_equal (xml->store.window_ms, 3600000);
  assert_int_equal (xml->store.history_ms, 0);
  assert_int_equal (xml->store.history_rows, 7);
  assert_int_equal (xml->store.most_bytes, 0);
  assert_int_equal (xml->store.commit_ms, 0);
  assert_int_equal (xml->store.commit_most, 100000);

  assert_int_equal (xml->intake.n_listens, 4);
  listen = xml->intake.listens;
  assert_string_equal (listen[0].address, "127.1.2.3:1");
  assert_null (listen[0].socket);
  assert_int_equal (listen[0].line, 2);
  assert_string_equal (listen[1].address, "[::1]:65535");
  assert_string_equal (listen[2].socket, "/run/herald/in.sock");
  assert_null (listen[2].address);
  assert_int_equal (listen[2].mode, 0600);
  assert_int_equal (listen[2].line, 3);
  assert_int_equal (listen[2].n_allows, 3);
  assert_string_equal (listen[2].allows[0].user, "www-data");
  assert_null (listen[2].allows[0].group);
  assert_false (listen[2].allows[0].all_workspaces);
  assert_int_equal (listen[2].allows[0].n_workspaces, 2);
  assert_string_equal (listen[2].allows[0].workspaces[1], "globex");
  assert_string_equal (listen[2].allows[1].group, "33");
  assert_true (listen[2].allows[1].all_workspaces);
  /* A name with a comma is that name. */
  assert_int_equal (listen[2].allows[2].n_workspaces, 1);
  assert_string_equal (listen[2].allows[2].workspaces[0], "a,b");
  assert_int_equal (listen[3].mode, 0660);
  assert_int_equal (listen[3].n_allows, 0);
  assert_string_equal (xml->intake.tokens_path,
                       fixture_path (fixture->directory, "intake.tokens"));
  assert_int_equal (xml->intake.tokens_line, 4);
  assert_int_equal (xml->intake.max_body, 1 << 30);
  assert_int_equal (xml->intake.max_connections, 2);
  assert_int_equal (xml->intake.timeout_ms, 100);
  assert_int_equal (xml->intake.max_events, 3);
  assert_int_equal (xml->workers.number, 64);
  assert_int_equal (xml->workers.watchdog_ms, 1000);
  assert_int_equal (xml->workers.stop_ms, 0);
}

/* What herald-conf(5) promises of a file that says nothing. */
static void
expect_defaults (const struct herald_xml *xml)
{
  assert_string_equal (xml->store.engine, "sqlite");
  assert_null (xml->store.directory);
  assert_int_equal (xml->store.window_ms, 86400000);
  assert_int_equal (xml->store.history_ms, 30 * INT64_C (86400000));
  assert_int_equal (xml->store.history_rows, 2000000);
  assert_int_equal (xml->store.most_bytes, INT64_C (10) << 30);
  assert_int_equal (xml->store.commit_ms, 2);
  assert_int_equal (xml->store.commit_most, 512);
  assert_int_equal (xml->intake.n_listens, 1);
  assert_string_equal (xml->intake.listens[0].address, "127.0.0.1:8414");
  assert_null (xml->intake.listens[0].socket);
  assert_null (xml->intake.tokens_path);
  assert_int_equal (xml->intake.max_body, 8 << 20);
  assert_int_equal (xml->intake.timeout_ms, 10000);
  assert_int_equal (xml->intake.max_connections, 1000);
  assert_int_equal (xml->intake.max_events, 10000);
  assert_int_equal (xml->workers.number, 1);
  assert_int_equal (xml->workers.watchdog_ms, 30000);
  assert_int_equal (xml->workers.stop_ms, 30000);
  assert_int_equal (xml->log.format, HERALD_LOG_AUTO);
  assert_int_equal (xml->log.level, LOG_LEVEL_NOTICE);
}

static void
test_daemon_defaults (void **state)
{
  struct fixture *fixture = *state;

  expect_defaults (read_content (fixture, ""));
  expect_defaults (read_content (fixture, "<store/><intake/><workers/>"
                                          "<log/>"));
  expect_defaults (read_content (fixture, "<store><commit/></store><intake>"
                                          "<limits/></intake>"));
}

static void
test_warnings_of_intake (void **state)
{
  struct fixture *fixture = *state;

  assert_non_null (read_content (fixture, "<intake><tokens path=\"t\"/>"
                                 "<listen address=\"0.0.0.0:80\"/>\n"
                                 "<listen address=\"[::]:80\"/></intake>"));
  fixture_expect (fixture->problems, PROBLEM_WARNING, 2, "address=\"0.0.0.0"
                  ":80\" can be reached from other hosts, and tokens pass in "
                  "clear; listen on 127.0.0.1 and put a TLS proxy in front");
  fixture_expect (fixture->problems, PROBLEM_WARNING, 3, "address=\"[::]:80\""
                  " can be reached from other hosts, and tokens pass in "
                  "clear; listen on 127.0.0.1 and put a TLS proxy in front");
  assert_non_null (read_content (fixture, "<intake>\n\n<listen "
                                 "address=\"127.0.0.1:80\"/></intake>"));
  fixture_expect (fixture->problems, PROBLEM_WARNING, 4, "nobody can write to "
                  "127.0.0.1:80 without a token; add <tokens "
                  "path=\"intake.tokens\"/>");
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
    "<setting> has no name=" },

  { "<store engine=\"sqlit\"/>",
    "engine=\"sqlit\" is not known; did you mean \"sqlite\"?" },
  { "<store engine=\"oracle\"/>",
    "engine=\"oracle\" is not known; known are \"sqlite\"" },
  { "<store windows=\"1h\"/>", "<store> has no attribute \"windows\"; did "
                               "you mean \"window\"?" },
  { "<store directory=\"store\"/>",
    "the store's directory must start with /" },
  { "<store window=\"0\"/>", "window=\"0\" is no duration between 1s and "
                             "90d; write it like 10s" },
  { "<store history=\"99999d\"/>", "history=\"99999d\" is no duration "
                                   "between 0 and 3650d; write it like 10s" },
  { "<store history-rows=\"-1\"/>",
    "history-rows=\"-1\" is no number between 0 and 1000000000" },
  { "<store most=\"63M\"/>", "most=\"63M\" is no size between 64M and "
                             "1048576G; 0 is no limit" },
  { "<store most=\"much\"/>", "most=\"much\" is no size between 64M and "
                              "1048576G" },
  { "<store><commits/></store>", "<store> has no element <commits>; did you "
                                 "mean <commit>?" },
  { "<store><commit/><commit/></store>",
    "<commit> is there already, in line 2; one is enough" },
  { "<store><commit wait=\"2s\"/></store>",
    "wait=\"2s\" is no duration between 0 and 1s; write it like 10s" },
  { "<store><commit most=\"0\"/></store>",
    "most=\"0\" is no number between 1 and 100000" },
  { "<store><commit most=\"100001\"/></store>",
    "most=\"100001\" is no number between 1 and 100000" },
  { "<workers number=\"0\"/>", "number=\"0\" is no number between 1 and 64" },
  { "<workers number=\"65\"/>",
    "number=\"65\" is no number between 1 and 64" },
  { "<workers watchdog=\"999ms\"/>", "watchdog=\"999ms\" is no duration "
                                     "between 1s and 1h; write it like 10s" },
  { "<workers stop=\"2h\"/>", "stop=\"2h\" is no duration between 0 and 1h; "
                              "write it like 10s" },
  { "<log format=\"xml\"/>", "format=\"xml\" is not known; known are "
                             "\"auto\", \"plain\", \"logfmt\", \"json\"" },
  { "<log level=\"notices\"/>", "level=\"notices\" is not known; did you "
                                "mean \"notice\"?" }
};

#define LISTEN(text) "<intake><tokens path=\"t\"/>" text "</intake>"
#define SOCKET(text) LISTEN ("<listen socket=\"/a\">" text "</listen>")
#define ACME "<workspaces><workspace name=\"acme\"/></workspaces>"

static const struct fault intake_faults[] = {
  { "<intake><lisen/></intake>", "<intake> has no element <lisen>; did you "
                                 "mean <listen>?" },
  { LISTEN ("<tokens path=\"u\"/>"),
    "<tokens> is there already, in line 2; one is enough" },
  { "<intake><tokens/></intake>", "<tokens> has no path=" },
  { LISTEN ("<listen/>"), "<listen> must have either address= or socket=" },
  { LISTEN ("<listen address=\"127.0.0.1:1\" socket=\"/a\"/>"),
    "<listen> must have either address= or socket=" },
  { LISTEN ("<listen address=\"localhost:80\"/>"),
    "address=\"localhost:80\" is no address and port; write it like "
    "127.0.0.1:8414 or [::1]:8414" },
  { LISTEN ("<listen address=\"127.0.0.1:0\"/>"),
    "address=\"127.0.0.1:0\" has a port that is not between 1 and 65535" },
  { LISTEN ("<listen address=\"127.0.0.1:80\"/>"
            "<listen address=\"127.0.0.1:0080\"/>"),
    "127.0.0.1:80 is listened to already, in line 2; remove one" },
  { LISTEN ("<listen address=\"[::1]:80\"/><listen address=\"[0::1]:80\"/>"),
    "[::1]:80 is listened to already, in line 2; remove one" },
  { LISTEN ("<listen socket=\"/a\"/><listen socket=\"/a\"/>"),
    "/a is listened to already, in line 2; remove one" },
  { LISTEN ("<listen address=\"127.0.0.1:1\" mode=\"0600\"/>"),
    "mode= is for a socket; remove it" },
  { LISTEN ("<listen address=\"127.0.0.1:1\"><allow user=\"a\" "
            "workspace=\"*\"/></listen>"),
    "<allow> is for a socket; who may write to an address is said by "
    "<tokens>" },
  { LISTEN ("<listen socket=\"a\"/>"),
    "the socket's path must start with /" },
  { LISTEN ("<listen socket=\"/a\" mode=\"0680\"/>"),
    "mode=\"0680\" is no mode in octal; write it like 0660" },
  { LISTEN ("<listen socket=\"/a\" mode=\"rw\"/>"),
    "mode=\"rw\" is no mode in octal; write it like 0660" },
  { LISTEN ("<listen socket=\"/a\" mode=\"1777\"/>"),
    "mode=\"1777\" is no mode in octal; write it like 0660" },
  { LISTEN ("<listen socket=\"/a\" mode=\"60\"/>"),
    "mode=\"60\" is no mode in octal; write it like 0660" },
  { SOCKET ("<allow workspace=\"*\"/>"),
    "<allow> must have either user= or group=" },
  { SOCKET ("<allow user=\"a\" group=\"b\" workspace=\"*\"/>"),
    "<allow> must have either user= or group=" },
  { SOCKET ("<allow group=\"\" workspace=\"*\"/>"),
    "the group of <allow> is no name of 1 to 256 bytes" },
  { SOCKET ("<allow user=\"a\"/>"), "<allow> has no workspace=" },
  { SOCKET ("<allow user=\"a\" workspaces=\"*\" workspace=\"*\"/>"),
    "<allow> has no attribute \"workspaces\"; did you mean "
    "\"workspace\"?" },
  { ACME SOCKET ("<allow user=\"a\" workspace=\"acm\"/>"),
    "workspace \"acm\" is not declared; did you mean \"acme\"?" },
  { ACME SOCKET ("<allow user=\"a\" workspace=\"acme,other\"/>"),
    "workspace \"other\" is not declared; add <workspace name=\"other\"/> "
    "to <workspaces>, or write workspace=\"*\" for all" },
  { ACME SOCKET ("<allow user=\"a\" workspace=\"acme,\"/>"),
    "workspace \"\" is not declared; add <workspace name=\"\"/> to "
    "<workspaces>, or write workspace=\"*\" for all" },
  { LISTEN ("<limits body=\"1023\"/>"),
    "body=\"1023\" is no size between 1k and 1G" },
  { LISTEN ("<limits body=\"2G\"/>"),
    "body=\"2G\" is no size between 1k and 1G" },
  { LISTEN ("<limits timeout=\"10\"/>"), "timeout=\"10\" is no duration "
    "between 100ms and 1h; write it like 10s" },
  { LISTEN ("<limits connections=\"0\"/>"),
    "connections=\"0\" is no number between 1 and 100000" },
  { LISTEN ("<limits events=\"1e3\"/>"),
    "events=\"1e3\" is no number between 1 and 100000" }
};

static void
expect_faults (struct fixture *fixture, const struct fault *fault, size_t n)
{
  for (; n > 0; fault++, n--) {
    problems_free (fixture->problems);
    fixture->problems = problems_new ();
    assert_null (read_content (fixture, fault->content));
    fixture_expect (fixture->problems, PROBLEM_ERROR, 2, fault->message);
    assert_int_equal (problems_errors (fixture->problems), 1);
  }
}

static void
test_faults (void **state)
{
  expect_faults (*state, faults, sizeof faults / sizeof *faults);
}

static void
test_faults_of_intake (void **state)
{
  expect_faults (*state, intake_faults,
                 sizeof intake_faults / sizeof *intake_faults);
}

static void
test_long_socket (void **state)
{
  struct fixture *fixture = *state;
  struct buf text = BUF_INIT (0);

  buf_printf (&text, LISTEN ("<listen socket=\"/%0106d\"/>"), 0);
  assert_non_null (read_content (fixture, text.data));
  assert_int_equal (strlen (fixture->xml->intake.listens[0].socket), 107);
  buf_clear (&text);
  buf_printf (&text, LISTEN ("<listen socket=\"/%0107d\"/>"), 0);
  assert_null (read_content (fixture, text.data));
  fixture_expect (fixture->problems, PROBLEM_ERROR, 2, "the socket's path is "
                  "longer than 107 bytes, which is all the system takes; "
                  "choose a shorter one");
  buf_done (&text);
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
    TEST (test_whole), TEST (test_daemon), TEST (test_daemon_defaults),
    TEST (test_warnings_of_intake), TEST (test_bare), TEST (test_faults),
    TEST (test_faults_of_intake), TEST (test_long_socket),
    TEST (test_certificates), TEST (test_open_network),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
