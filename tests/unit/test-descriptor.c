/* test-descriptor.c - an integration as its file describes it.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include "base/buf.h"
#include "config/descriptor.h"

struct fixture {
  struct arena *arena;
  struct problems *problems;
  struct herald_xml host;
  const char *workspaces[2];
};

static int
set_up (void **state)
{
  static struct fixture fixture;

  fixture = (struct fixture) { .workspaces = { "acme", "globex" } };
  fixture.arena = arena_new (0);
  fixture.problems = problems_new ();
  fixture.host.n_workspaces = 2;
  fixture.host.workspaces = fixture.workspaces;
  fixture.host.catalogue = catalogue_new ();
  fixture.host.connect_ms = 10000;
  fixture.host.total_ms = 60000;
  *state = &fixture;
  return 0;
}

static int
tear_down (void **state)
{
  struct fixture *fixture = *state;

  herald_xml_done (&fixture->host);
  problems_free (fixture->problems);
  arena_free (fixture->arena);
  return 0;
}

static const struct descriptor *
read_text (struct fixture *fixture, const char *text)
{
  return descriptor_read_text (text, strlen (text), "crm.xml",
                               &fixture->host, fixture->arena,
                               fixture->problems);
}

#define OPEN "<integration xmlns=\"urn:herald:integration:1\" name=\"crm\" " \
             "provider=\"hubspot\">\n"
#define ALL "<workspaces all=\"true\"/>"

/* The content, after all that must be there, stands in line 2. */
static const struct descriptor *
read_content (struct fixture *fixture, const char *content)
{
  struct buf text = BUF_INIT (0);
  const struct descriptor *descriptor;

  buf_printf (&text, OPEN ALL "%s</integration>", content);
  descriptor = read_text (fixture, text.data);
  buf_done (&text);
  return descriptor;
}

static void
test_webhook (void **state)
{
  struct fixture *fixture = *state;
  const struct descriptor *descriptor;

  descriptor = read_text (fixture,
    "<!-- x -->\n<integration xmlns=\"urn:herald:integration:1\" name=\"crm\" "
    "provider=\"hubspot\" enabled=\"false\">\n<label> HubSpot </label>"
    "<workspaces><workspace> acme </workspace></workspaces>"
    "<when source=\"score\" above=\"3\"/><when source=\"email\" "
    "present=\"true\"/>\n<settings><setting name=\"a\">1</setting>"
    "<setting name=\"b\">2</setting></settings>\n<map nested=\"true\">"
    "<field name=\"x.y\" source=\"email\"/><field name=\"z\" "
    "value=\"1\" as=\"number\"/></map></integration>");
  fixture_expect_none (fixture->problems);
  assert_string_equal (descriptor->path, "crm.xml");
  assert_string_equal (descriptor->name, "crm");
  assert_string_equal (descriptor->provider, "hubspot");
  assert_string_equal (descriptor->label, "HubSpot");
  assert_false (descriptor->is_enabled);
  assert_false (descriptor->is_private);
  assert_false (descriptor->has_errors);
  assert_int_equal (descriptor->line, 2);
  assert_int_equal (descriptor->settings_line, 4);
  assert_int_equal (descriptor->map_line, 5);
  assert_false (descriptor->all_workspaces);
  assert_true (descriptor_serves (descriptor, "acme"));
  assert_false (descriptor_serves (descriptor, "globex"));
  assert_int_equal (descriptor->n_conditions, 2);
  assert_int_equal (descriptor->n_settings, 2);
  assert_string_equal (descriptor->settings[1].value, "2");
  assert_true (descriptor->has_map);
  assert_int_equal (mapping_count (descriptor->mapping), 2);
  assert_string_equal (mapping_target (descriptor->mapping, 0), "x.y");
  assert_null (descriptor->mail);
}

static void
test_bare (void **state)
{
  struct fixture *fixture = *state;
  const struct descriptor *descriptor = read_content (fixture, "");

  fixture_expect_none (fixture->problems);
  assert_true (descriptor->is_enabled);
  assert_null (descriptor->label);
  assert_false (descriptor->has_map);
  assert_non_null (descriptor->mapping);
  assert_true (descriptor_serves (descriptor, "any"));
  assert_int_equal (descriptor->delivery.batch_wait_ms, -1);
  assert_int_equal (descriptor->delivery.n_retries, 0);
  assert_int_equal (descriptor->delivery.in_flight, 0);
  assert_int_equal (descriptor->settings_line, 1);
}

static void
test_delivery (void **state)
{
  struct fixture *fixture = *state;
  const struct descriptor_delivery *delivery;

  delivery = &read_content (fixture,
    "<delivery><retry schedule=\" 5s 30s\n7d \"/><rate limit=\"100\" "
    "per=\"10s\"/><batch max=\"10000\" wait=\"0\"/><in-flight "
    "max=\"10000\"/><timeouts connect=\"5s\" total=\"1h\"/><http "
    "version=\"2\"/>\n<fallback integration=\"backup-2\"/>"
    "</delivery>")->delivery;
  fixture_expect_none (fixture->problems);
  assert_int_equal (delivery->n_retries, 3);
  assert_int_equal (delivery->retry_ms[0], 5000);
  assert_int_equal (delivery->retry_ms[2], 604800000);
  assert_int_equal (delivery->rate_limit, 100);
  assert_int_equal (delivery->rate_ms, 10000);
  assert_int_equal (delivery->batch_max, 10000);
  assert_int_equal (delivery->batch_wait_ms, 0);
  assert_int_equal (delivery->in_flight, 10000);
  assert_int_equal (delivery->connect_ms, 5000);
  assert_int_equal (delivery->total_ms, 3600000);
  assert_true (delivery->http2);
  assert_string_equal (delivery->fallback, "backup-2");
  assert_int_equal (delivery->fallback_line, 4);
  delivery = &read_content (fixture, "<delivery><rate limit=\"5\"/><http "
                            "version=\"1.1\"/></delivery>")->delivery;
  fixture_expect_none (fixture->problems);
  assert_int_equal (delivery->rate_ms, 1000);
  assert_false (delivery->http2);
  assert_null (delivery->fallback);
}

static void
test_mail (void **state)
{
  struct fixture *fixture = *state;
  const struct mail_form *mail;

  mail = read_content (fixture,
    "<mail><from name=\"Acme\" address=\"Play@ACME.example\"/>"
    "<reply-to address=\"hello@b\xc3\xbc" "cher.example\"/>"
    "<to source=\"email\" name=\"{{firstName}}\"/>"
    "<bcc address=\"audit@acme.example\"/><subject>Well\n  done</subject>"
    "<text>\n  Hello\n\n</text><html><![CDATA[<p>{{firstName}}</p>]]></html>"
    "<header name=\"X-A\">1</header><header name=\"X-B\">2</header>"
    "<parameters><parameter name=\"p\" source=\"email\"/></parameters>"
    "</mail>")->mail;
  fixture_expect_none (fixture->problems);
  assert_string_equal (mail->from_address, "Play@acme.example");
  assert_string_equal (mail->reply_to_address,
                       "hello@xn--bcher-kva.example");
  assert_string_equal (mail->bcc_address, "audit@acme.example");
  assert_string_equal (mail->to_source, "email");
  assert_non_null (mail->to_name);
  assert_true (template_is_constant (mail->from_name));
  assert_null (mail->reply_to_name);
  assert_int_equal (mail->n_headers, 2);
  assert_string_equal (mail->headers[1].name, "X-B");
  assert_int_equal (mapping_count (mail->parameters), 1);
  assert_null (mail->template_id);
  mail = read_content (fixture, "<mail><to source=\"email\"/><template "
                       "id=\"d-1\"/></mail>")->mail;
  fixture_expect_none (fixture->problems);
  assert_string_equal (mail->template_id, "d-1");
  assert_null (mail->subject);
  assert_non_null (mail->parameters);
}

static struct event *
make_event (const char *text)
{
  struct event_reader *reader = event_reader_new ("acme");
  struct event_error error;
  struct event *event = NULL;

  if (event_reader_read (reader, text, strlen (text), &event, &error) < 0)
    fail_msg ("%s", error.reason);
  event_reader_free (reader);
  return event;
}

/* What becomes of the space that a file's layout brings along. */
static void
test_mail_space (void **state)
{
  struct fixture *fixture = *state;
  const struct mail_form *mail;
  struct event *event = make_event ("{\"firstName\": \"A&B\"}");
  struct buf out = BUF_INIT (0);

  mail = read_content (fixture,
    "<mail><to source=\"email\"/><subject>\n  Well\n  done {{firstName}}\n"
    "</subject><text>\n\n  Hello,\n\n  you\n  </text>"
    "<html>{{firstName}}</html></mail>")->mail;
  template_write (mail->subject, event, &out);
  assert_string_equal (out.data, "Well done A&B");
  buf_clear (&out);
  template_write (mail->text, event, &out);
  assert_string_equal (out.data, "  Hello,\n\n  you");
  buf_clear (&out);
  template_write (mail->html, event, &out);
  assert_string_equal (out.data, "A&amp;B");
  buf_done (&out);
  event_release (event);
}

static void
test_unmet (void **state)
{
  struct fixture *fixture = *state;
  const struct descriptor *descriptor;
  struct event *event = make_event ("{\"score\": 5}");
  struct buf out = BUF_INIT (0);

  descriptor = read_content (fixture, "<when source=\"score\" above=\"3\"/>");
  assert_null (descriptor_unmet (descriptor, event));
  descriptor = read_content (fixture, "<when source=\"score\" above=\"3\"/>"
                             "<when source=\"score\" is=\"4\"/>");
  assert_ptr_equal (descriptor_unmet (descriptor, event),
                    descriptor->conditions[1]);
  condition_add_text (descriptor->conditions[1], &out);
  assert_string_equal (out.data, "score is 4");
  buf_done (&out);
  event_release (event);
}

struct fault {
  const char *content;
  const char *message;
};

#define MAIL(inner) "<mail><to source=\"email\"/><subject>s</subject>" \
                    "<text>t</text>" inner "</mail>"
#define DELIVERY(inner) "<delivery>" inner "</delivery>"
#define MAP(inner) "<map>" inner "</map>"

static const struct fault faults[] = {
  { "<wen/>", "<integration> has no element <wen>; did you mean <when>?" },
  { "<label/><label/>", "<label> is there already, in line 2; one is "
                        "enough" },
  { "<label>a\nb</label>", "the label must be one line of at most 200 "
                           "bytes" },
  { "hello", "<integration> has text in it, which belongs into an element or "
             "attribute" },
  { "<when is=\"x\"/>", "<when> has no source=" },
  { "<when source=\"email\"/>", "<when> has no test, such as is=\"true\" or "
                                "present=\"true\"" },
  { "<when source=\"email\" iz=\"1\" is=\"2\"/>",
    "<when> has no attribute \"iz\"; did you mean \"is\"?" },
  { "<settings><seting/></settings>",
    "<settings> has no element <seting>; did you mean <setting>?" },
  { "<map nested=\"yes\"/>",
    "nested=\"yes\" of <map> is neither \"true\" nor \"false\"" },
  { MAP ("<field source=\"email\"/>"), "<field> has no name=" },
  { MAP ("<field name=\"a\"/>"), "<field name=\"a\"> has no source=, value= "
                                 "or template=" },
  { MAP ("<field name=\"a\" source=\"email\" value=\"\"/>"),
    "<field name=\"a\"> has more than one of source=, value= and "
    "template=" },
  { MAP ("<field name=\"a\" source=\"email\" as=\"nummber\"/>"),
    "as=\"nummber\" is none of string, number and boolean; did you mean "
    "number?" },
  { MAP ("<field name=\"a\" source=\"email\" missing=\"never\"/>"),
    "missing=\"never\" is none of omit, null and fail" },
  { "<mail><subject>s</subject><text>t</text></mail>",
    "<mail> has no recipient; add <to source=\"email\"/>" },
  { "<mail><to source=\"emial\"/><subject>s</subject><text>t</text></mail>",
    "source=\"emial\" of <to> is no source field; did you mean email?" },
  { "<mail><to source=\"email\"/><text>t</text></mail>",
    "<mail> has no subject; add <subject>...</subject>" },
  { "<mail><to source=\"email\"/><subject>s</subject></mail>",
    "<mail> has nothing to say; add <text>, <html> or <template "
    "id=\"...\"/>" },
  { MAIL ("<template id=\"1\"/>"),
    "<mail> has both a <template> and a <text> or <html>; remove one" },
  { MAIL ("<html> </html>"), "<html> is empty; write the text into it, or "
                             "remove it" },
  { MAIL ("<html><p>x</p></html>"), "<html> has elements in it; write "
                                    "<html><![CDATA[ ... ]]></html>" },
  { MAIL ("<reply-to/>"), "<reply-to> has no address=" },
  { MAIL ("<bcc/>"), "<bcc> has no address=" },
  { MAIL ("<header>x</header>"), "<header> has no name=" },
  { MAIL ("<header name=\"A\"/>"), "header A has no value; write <header "
                                   "name=\"A\">value</header>" },
  { MAIL ("<header name=\"X-A\">x</header>"
          "<header name=\"x-a\">y</header>"),
    "there is a header x-a already; remove one" },
  { MAIL ("<header name=\"A:B\">x</header>"),
    "\"A:B\" is no header's name: letters, digits, - and _" },
  { MAIL ("<header name=\"reply-to\">x</header>"),
    "header Reply-To is made of <reply-to>; remove this one" },
  { MAIL ("<header name=\"date\">x</header>"),
    "header Date is herald's; remove this one" },
  { "<mail><to source=\"email\"/><template/></mail>",
    "<template> has no id=" },
  { MAIL ("<form/>"), "<mail> has no element <form>; did you mean <from>?" },
  { DELIVERY ("<retry/>"), "<retry> has no schedule=" },
  { DELIVERY ("<retry schedule=\" \"/>"),
    "the retry schedule must have 1 to 32 entries" },
  { DELIVERY ("<retry schedule=\"1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s "
              "1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s 1s\"/>"),
    "the retry schedule must have 1 to 32 entries" },
  { DELIVERY ("<retry schedule=\"5s 30\"/>"),
    "\"30\" in the retry schedule is no duration between 1ms and 7d; write "
    "it like 5s 30s 2m" },
  { DELIVERY ("<retry schedule=\"8d\"/>"),
    "\"8d\" in the retry schedule is no duration between 1ms and 7d; write "
    "it like 5s 30s 2m" },
  { DELIVERY ("<rate per=\"1s\"/>"), "<rate> has no limit=" },
  { DELIVERY ("<rate limit=\"0\"/>"),
    "limit=\"0\" of <rate> is no number between 1 and 1000000" },
  { DELIVERY ("<rate limit=\"1\" per=\"25h\"/>"),
    "per=\"25h\" of <rate> is no duration between 1 ms and 24h; write it "
    "like 10s" },
  { DELIVERY ("<batch max=\"10001\"/>"),
    "max=\"10001\" of <batch> is no number between 1 and 10000" },
  { DELIVERY ("<batch wait=\"11m\"/>"),
    "wait=\"11m\" of <batch> is no duration between 0 ms and 10m; write it "
    "like 10s" },
  { DELIVERY ("<in-flight/>"), "<in-flight> has no max=" },
  { DELIVERY ("<in-flight max=\"-1\"/>"),
    "max=\"-1\" of <in-flight> is no number between 1 and 10000" },
  { DELIVERY ("<timeouts total=\"2s\"/>"),
    "the total timeout is shorter than the one to connect; give both" },
  { DELIVERY ("<fallback/>"), "<fallback> has no integration=" },
  { DELIVERY ("<fallback integration=\"B\"/>"),
    "integration=\"B\" of <fallback> is no name: small letters, digits and "
    "-" },
  { DELIVERY ("<fallback integration=\"crm\"/>"),
    "<fallback> names the integration itself; name another one, or remove "
    "it" },
  { DELIVERY ("<fallback integration=\"a\"/><fallback integration=\"b\"/>"),
    "<fallback> is there already, in line 2; one is enough" },
  { DELIVERY ("<http version=\"3\"/>"),
    "version=\"3\" of <http> is neither 1.1 nor 2" },
  { DELIVERY ("<retrys/>"), "<delivery> has no element <retrys>; did you "
                             "mean <retry>?" }
};

static void
test_faults (void **state)
{
  struct fixture *fixture = *state;

  for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
    const struct descriptor *descriptor;

    problems_free (fixture->problems);
    fixture->problems = problems_new ();
    descriptor = read_content (fixture, faults[k].content);
    assert_non_null (descriptor);
    assert_true (descriptor->has_errors);
    if (problems_count (fixture->problems) != 1)
      fixture_print (fixture->problems);
    assert_int_equal (problems_count (fixture->problems), 1);
    assert_string_equal (problems_at (fixture->problems, 0)->text,
                         faults[k].message);
    assert_string_equal (problems_at (fixture->problems, 0)->integration,
                         "crm");
    assert_int_not_equal (problems_at (fixture->problems, 0)->line, 0);
  }
}

/* What rooms below refuse comes with the place it stands in. */
static void
test_passed_on (void **state)
{
  static const struct fault passed[] = {
    { "<when source=\"emial\" is=\"1\"/>", "<when>: " },
    { MAP ("<field name=\"a\" source=\"emial\"/>"), "<field name=\"a\">: " },
    { MAP ("<field name=\"a\" value=\"1\"/><field name=\"a\" "
           "value=\"1\"/>"), "<field name=\"a\">: " },
    { MAIL ("<html>{{firstName</html>"), "<html>: " },
    { MAIL ("<header name=\"A\">{{nobody}}</header>"), "<header>: " },
    { MAIL ("<from address=\"x\"/>"),
      "address= of <from> is no e-mail address: " },
    { MAIL ("<parameters><parameter name=\"a\" source=\"q\"/></parameters>"),
      "<parameter name=\"a\">: " }
  };
  struct fixture *fixture = *state;

  for (size_t k = 0; k < sizeof passed / sizeof *passed; k++) {
    const char *text;

    problems_free (fixture->problems);
    fixture->problems = problems_new ();
    assert_true (read_content (fixture, passed[k].content)->has_errors);
    assert_int_equal (problems_count (fixture->problems), 1);
    text = problems_at (fixture->problems, 0)->text;
    assert_int_equal (strncmp (text, passed[k].message,
                               strlen (passed[k].message)), 0);
    assert_true (strlen (text) > strlen (passed[k].message));
  }
}

struct root_fault {
  const char *text;
  unsigned line;
  const char *message;
  bool is_listed;               /* a descriptor is returned all the same */
};

#define ROOT(attributes) "<integration xmlns=\"urn:herald:integration:1\" " \
                         attributes ">" ALL "</integration>"

static const struct root_fault root_faults[] = {
  { ROOT ("provider=\"x\""), 1, "<integration> has no name=", false },
  { ROOT ("name=\"Big\" provider=\"x\""), 1, "name=\"Big\" is no name: a "
    "small letter, then small letters, digits and -, at most 64", false },
  { ROOT ("name=\"a\""), 1, "<integration> has no provider=", true },
  { ROOT ("name=\"a\" provider=\"../x\""), 1,
    "provider=\"../x\" is no name: small letters, digits and -", true },
  { ROOT ("name=\"a\" provider=\"b\" enabled=\"1\""), 1, "enabled=\"1\" of "
    "<integration> is neither \"true\" nor \"false\"", true },
  { ROOT ("name=\"a\" provider=\"b\" enable=\"true\""), 1, "<integration> "
    "has no attribute \"enable\"; did you mean \"enabled\"?", true },
  { OPEN "</integration>", 1, "it does not say whom it serves; add "
    "<workspaces all=\"true\"/>", true },
  { OPEN "<workspaces/></integration>", 2, "<workspaces> names none; add "
    "<workspace>NAME</workspace> or say all=\"true\"", true },
  { OPEN "<workspaces all=\"true\"><workspace>acme</workspace></workspaces>"
    "</integration>", 2, "<workspaces> says all=\"true\" and names some as "
    "well; remove one", true },
  { OPEN "<workspaces><workspace>acme</workspace>\n<workspace>acme"
    "</workspace></workspaces></integration>", 3,
    "workspace \"acme\" is named twice", true },
  { OPEN "<workspaces><workspace>amce</workspace></workspaces>"
    "</integration>", 2, "workspace \"amce\" is not declared in herald.xml; "
    "did you mean \"acme\"?", true },
  { OPEN "<workspaces><workspace>initech</workspace></workspaces>"
    "</integration>", 2, "workspace \"initech\" is not declared in "
    "herald.xml; add <workspace name=\"initech\"/> to <workspaces> there",
    true },
  { "<herald xmlns=\"urn:herald:config:1\"/>", 1, "the root element is "
    "<herald>, not <integration>: this is another kind of file", false },
  { "<!DOCTYPE integration>" OPEN ALL "</integration>", 1, "a document type "
    "is not allowed; remove the <!DOCTYPE ...>", false }
};

static void
test_root_faults (void **state)
{
  struct fixture *fixture = *state;

  for (size_t k = 0; k < sizeof root_faults / sizeof *root_faults; k++) {
    const struct descriptor *descriptor;

    problems_free (fixture->problems);
    fixture->problems = problems_new ();
    descriptor = read_text (fixture, root_faults[k].text);
    fixture_expect (fixture->problems, PROBLEM_ERROR, root_faults[k].line,
                    root_faults[k].message);
    assert_int_equal (problems_count (fixture->problems), 1);
    assert_int_equal (descriptor != NULL, root_faults[k].is_listed);
    if (descriptor != NULL)
      assert_true (descriptor->has_errors && descriptor->provider != NULL);
  }
}

static void
test_names (void **state)
{
  char name[66];

  (void) state;
  assert_true (descriptor_is_name ("a"));
  assert_true (descriptor_is_name ("custom-api2"));
  assert_false (descriptor_is_name (""));
  assert_false (descriptor_is_name ("2a"));
  assert_false (descriptor_is_name ("-a"));
  assert_false (descriptor_is_name ("a_b"));
  assert_false (descriptor_is_name ("a/b"));
  memset (name, 'a', sizeof name);
  name[64] = '\0';
  assert_true (descriptor_is_name (name));
  name[64] = 'a';
  name[65] = '\0';
  assert_false (descriptor_is_name (name));
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_webhook), TEST (test_bare), TEST (test_delivery),
    TEST (test_mail), TEST (test_mail_space), TEST (test_unmet),
    TEST (test_faults), TEST (test_passed_on), TEST (test_root_faults),
    TEST (test_names),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
