/* test-settings.c - values against what a plugin declares.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include "base/redact.h"
#include "config/settings.h"

static const struct herald_choice auths[] = {
  { "none", "None" }, { "bearer", "Bearer Token" }, { "basic", "Basic" },
  { NULL, NULL }
};

static const struct herald_field fields[] = {
  { .name = "endpoint", .label = "API Endpoint", .type = HERALD_URL,
    .flags = HERALD_REQUIRED, .example = "https://api.example/x" },
  { .name = "auth", .label = "Key Type", .type = HERALD_CHOICE,
    .choices = auths, .preset = "none" },
  { .name = "api-key", .label = "API Key", .type = HERALD_TEXT,
    .flags = HERALD_REQUIRED | HERALD_SECRET, .when = "auth=bearer,basic" },
  { .name = "header", .label = "Header", .type = HERALD_HEADER,
    .flags = HERALD_MANY },
  { .name = "port", .label = "Port", .type = HERALD_NUMBER, .min = 1,
    .max = 65535, .preset = "443" },
  { .name = "any", .label = "Any", .type = HERALD_NUMBER },
  { .name = "least", .label = "Least", .type = HERALD_NUMBER, .min = 5 },
  { .name = "text", .label = "Text", .type = HERALD_TEXT, .min = 2,
    .max = 4 },
  { .name = "long", .label = "Long", .type = HERALD_LONG_TEXT },
  { .name = "bool", .label = "Bool", .type = HERALD_BOOL },
  { .name = "base", .label = "Base", .type = HERALD_BASE_URL },
  { .name = "email", .label = "Mail", .type = HERALD_EMAIL },
  { .name = "span", .label = "Span", .type = HERALD_DURATION, .min = 1000,
    .max = 60000 },
  { .name = "json", .label = "JSON", .type = HERALD_JSON },
  { .name = "order-key", .label = "Order Key", .type = HERALD_SOURCE,
    .flags = HERALD_ORDER_KEY },
  { .name = "target", .label = "Last Name", .type = HERALD_TARGET },
  { .name = "relay", .label = "Relay", .type = HERALD_TEXT,
    .flags = HERALD_HOST_ONLY },
  { .name = "old", .label = "Old", .type = HERALD_TEXT,
    .flags = HERALD_DEPRECATED, .help = "Use text." },
  { .name = "signed", .label = "Signed", .type = HERALD_TEXT,
    .when = "bool" },
  { .name = "odd", .label = "Odd", .type = 99 }
};
enum { N_FIELDS = sizeof fields / sizeof *fields, MOST = 8 };

struct fixture {
  struct arena *arena;
  struct problems *problems;
  struct catalogue *catalogue;
  struct settings_scope scope;
  struct setting given[MOST], defaults[MOST];
  size_t n_given, n_defaults;
};

static int
set_up (void **state)
{
  static struct fixture fixture;
  struct mapping_row row = { .target = "LastName", .value = "x" };
  struct mapping *mapping;
  char reason[200];

  fixture = (struct fixture) { 0 };
  fixture.arena = arena_new (0);
  fixture.problems = problems_new ();
  fixture.catalogue = catalogue_new ();
  mapping = mapping_new (fixture.arena, false);
  assert_int_equal (mapping_add (mapping, &row, fixture.catalogue, reason),
                    0);
  fixture.scope = (struct settings_scope) {
    .integration = "crm", .file = "crm.xml", .line = 9,
    .catalogue = fixture.catalogue, .mapping = mapping, .allow_http = true
  };
  *state = &fixture;
  return 0;
}

static int
tear_down (void **state)
{
  struct fixture *fixture = *state;

  problems_free (fixture->problems);
  catalogue_free (fixture->catalogue);
  arena_free (fixture->arena);
  redact_forget_all ();
  return 0;
}

/* The k-th setting given stands in line 10 + k. */
static void
give (struct fixture *fixture, const char *name, const char *value)
{
  struct setting setting = { .name = name, .value = value,
                             .file = "crm.xml",
                             .line = 10 + (unsigned) fixture->n_given,
                             .is_inline = true };

  assert_true (fixture->n_given < MOST);
  fixture->given[fixture->n_given++] = setting;
}

static void
give_default (struct fixture *fixture, const char *name, const char *value)
{
  struct setting setting = { .name = name, .value = value,
                             .file = "herald.xml",
                             .line = 50 + (unsigned) fixture->n_defaults,
                             .is_inline = true };

  assert_true (fixture->n_defaults < MOST);
  fixture->defaults[fixture->n_defaults++] = setting;
}

static struct herald_settings *
make (struct fixture *fixture)
{
  return settings_new (fixture->arena, &fixture->scope, fields, N_FIELDS,
                       fixture->given, fixture->n_given, fixture->defaults,
                       fixture->n_defaults, fixture->problems);
}

/* One value on its own: refused with that message, in its line. */
static void
refuses (struct fixture *fixture, const char *name, const char *value,
         const char *message)
{
  problems_free (fixture->problems);
  fixture->problems = problems_new ();
  fixture->n_given = 0;
  give (fixture, "endpoint", "https://api.example/");
  give (fixture, name, value);
  assert_null (make (fixture));
  fixture_expect (fixture->problems, PROBLEM_ERROR, 11, message);
  assert_int_equal (problems_count (fixture->problems), 1);
  assert_string_equal (problems_at (fixture->problems, 0)->integration,
                       "crm");
}

/* One value on its own: taken, and read as that text. */
static const struct herald_settings *
reads (struct fixture *fixture, const char *name, const char *value,
       const char *text)
{
  const struct herald_settings *settings;

  fixture->n_given = 0;
  give (fixture, "endpoint", "https://api.example/");
  give (fixture, name, value);
  settings = make (fixture);
  fixture_expect_none (fixture->problems);
  assert_non_null (settings);
  assert_string_equal (settings_text (settings, name), text);
  return settings;
}

static void
test_numbers (void **state)
{
  struct fixture *fixture = *state;

  assert_int_equal (settings_number (reads (fixture, "port", "65535",
                                            "65535"), "port"), 65535);
  assert_int_equal (settings_number (reads (fixture, "any", "-7", "-7"),
                                     "any"), -7);
  assert_int_equal (settings_number (reads (fixture, "least", "900", "900"),
                                     "least"), 900);
  refuses (fixture, "port", "0", "setting \"port\" (Port) must be a whole "
           "number between 1 and 65535");
  refuses (fixture, "port", "12x", "setting \"port\" (Port) must be a whole "
           "number between 1 and 65535");
  refuses (fixture, "any", "1.5", "setting \"any\" (Any) must be a whole "
           "number");
  refuses (fixture, "least", "4", "setting \"least\" (Least) must be a whole "
           "number, at least 5");
}

static void
test_texts (void **state)
{
  struct fixture *fixture = *state;

  reads (fixture, "text", "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa9",
         "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa9");
  reads (fixture, "long", "a\n\tb\r\n", "a\n\tb\r\n");
  refuses (fixture, "text", "a", "setting \"text\" (Text) must have at least "
           "2 characters");
  refuses (fixture, "text", "abcde", "setting \"text\" (Text) must not have "
           "more than 4 characters");
  refuses (fixture, "text", "a\nb", "setting \"text\" (Text) must be one "
           "line");
  refuses (fixture, "text", "a\x01", "setting \"text\" (Text) has a control "
           "character in it");
  refuses (fixture, "long", "a\x01", "setting \"long\" (Long) has a control "
           "character in it");
}

static void
test_bools_and_choices (void **state)
{
  struct fixture *fixture = *state;

  assert_int_equal (settings_number (reads (fixture, "bool", "Yes", "true"),
                                     "bool"), 1);
  assert_int_equal (settings_number (reads (fixture, "bool", "0", "false"),
                                     "bool"), 0);
  refuses (fixture, "bool", "on", "setting \"bool\" (Bool) must be true or "
           "false");
  refuses (fixture, "auth", "baerer", "setting \"auth\" (Key Type) must be "
           "one of none, bearer, basic; did you mean bearer?");
  refuses (fixture, "auth", "kerberos5", "setting \"auth\" (Key Type) must "
           "be one of none, bearer, basic");
}

static void
test_urls (void **state)
{
  struct fixture *fixture = *state;

  reads (fixture, "endpoint", "", "https://api.example/");
  reads (fixture, "base", "https://a.example/v3//", "https://a.example/v3");
  reads (fixture, "base", "http://127.0.0.1:8080", "http://127.0.0.1:8080");
  refuses (fixture, "base", "https://a.example/?x", "setting \"base\" (Base) "
           "must not have a query or fragment (? or #)");
  refuses (fixture, "base", "http://a.example", "setting \"base\" (Base) "
           "must start with https://; plain http goes to this host "
           "(localhost, 127.0.0.1, [::1]) only");
  fixture->scope.allow_http = false;
  refuses (fixture, "base", "http://localhost", "setting \"base\" (Base) "
           "must start with https://, or herald.xml must have <allow-http/> "
           "in <network>");
}

static void
test_addresses (void **state)
{
  struct fixture *fixture = *state;

  reads (fixture, "email", "Info@Acme.Example", "Info@acme.example");
  fixture->n_given = 0;
  give (fixture, "endpoint", "https://api.example/");
  give (fixture, "email", "no address");
  assert_null (make (fixture));
  assert_non_null (strstr (problems_at (fixture->problems, 0)->text,
                           "setting \"email\" (Mail) is no e-mail address: "));
}

static void
test_durations (void **state)
{
  struct fixture *fixture = *state;

  assert_int_equal (settings_number (reads (fixture, "span", "30s", "30s"),
                                     "span"), 30000);
  refuses (fixture, "span", "30", "setting \"span\" (Span) must be a "
           "duration like 500ms, 30s, 5m, 24h or 7d");
  refuses (fixture, "span", "2h", "setting \"span\" (Span) must be at least "
           "1 s and at most 1 min");
}

static void
test_headers (void **state)
{
  struct fixture *fixture = *state;

  reads (fixture, "header", "X-Tenant:acme", "X-Tenant: acme");
  reads (fixture, "header", "X-Empty:", "X-Empty: ");
  refuses (fixture, "header", "X-Tenant", "setting \"header\" (Header) must "
           "read \"Name: value\"");
  refuses (fixture, "header", "X Y: z", "setting \"header\" (Header) must "
           "start with a header's name (letters, digits and -) and a colon");
  refuses (fixture, "header", ": z", "setting \"header\" (Header) must "
           "start with a header's name (letters, digits and -) and a colon");
  refuses (fixture, "header", "X: a\r\nY: b", "setting \"header\" (Header) "
           "has a line break or control character in it");
  refuses (fixture, "header", "transfer-encoding: x", "setting \"header\" "
           "(Header) must not set Transfer-Encoding: herald does");
}

static void
test_json (void **state)
{
  struct fixture *fixture = *state;

  reads (fixture, "json", "{\"a\": [1]}", "{\"a\": [1]}");
  refuses (fixture, "json", "[1]", "setting \"json\" (JSON) must be a JSON "
           "object: {\"name\": ...}");
  fixture->n_given = 0;
  give (fixture, "endpoint", "https://api.example/");
  give (fixture, "json", "{\"a\": 1, \"a\": 2}");
  assert_null (make (fixture));
  assert_non_null (strstr (problems_at (fixture->problems, 1)->text,
                           "setting \"json\" (JSON) is not JSON: "));
}

static void
test_fields_and_rows (void **state)
{
  struct fixture *fixture = *state;
  const struct herald_settings *settings;

  settings = reads (fixture, "order-key", "email", "email");
  assert_string_equal (settings_order_key (settings)->name, "order-key");
  assert_true (settings_maps (settings, "LastName"));
  assert_false (settings_maps (settings, "FirstName"));
  settings = reads (fixture, "target", "LastName", "LastName");
  assert_null (settings_order_key (settings));
  refuses (fixture, "order-key", "emial", "setting \"order-key\" (Order Key) "
           "is \"emial\", which is no source field; did you mean email?");
  refuses (fixture, "order-key", "qqqqqqqqqqq", "setting \"order-key\" (Order "
           "Key) is \"qqqqqqqqqqq\", which is no source field; name one, or "
           "declare it in <fields> of herald.xml");
  refuses (fixture, "target", "Nachname", "setting \"target\" (Last Name) is "
           "\"Nachname\", which no row maps; add <field name=\"Nachname\" "
           "source=\"...\"/>");
}

static void
test_places (void **state)
{
  struct fixture *fixture = *state;

  refuses (fixture, "relay", "x", "setting \"relay\" (Relay) is the host's: "
           "it may only stand in <defaults> of herald.xml");
  refuses (fixture, "endpiont", "x", "there is no setting \"endpiont\"; did "
           "you mean \"endpoint\"?");
  refuses (fixture, "zzzzzzzzz", "x", "there is no setting \"zzzzzzzzz\"; "
           "known are endpoint, auth, api-key, header, port, any, least, "
           "text, long, bool, base, email, span, json, order-key, target, "
           "relay, old, signed, odd");
  refuses (fixture, "endpoint", "https://b.example", "setting \"endpoint\" "
           "(API Endpoint) is given already, in line 10; remove one");
  refuses (fixture, "odd", "x", "setting \"odd\" (Odd) is of a type that this "
           "herald does not know");
}

static void
test_secrets (void **state)
{
  struct fixture *fixture = *state;
  struct herald_settings *settings;

  fixture->given[2].is_inline = true;
  give (fixture, "endpoint", "https://api.example/");
  give (fixture, "auth", "bearer");
  give (fixture, "api-key", "s3cretvalue");
  assert_null (make (fixture));
  fixture_expect (fixture->problems, PROBLEM_ERROR, 12, "setting \"api-key\" "
                  "(API Key) is a secret in a file that others can read; "
                  "write <setting name=\"api-key\" from=\"file\" "
                  "path=\"...\"/>, or run: chmod o-r crm.xml");
  problems_add (fixture->problems, PROBLEM_ERROR, "", 0, "", "s3cretvalue");
  fixture_expect_silence (fixture->problems, "s3cret");
  problems_free (fixture->problems);
  fixture->problems = problems_new ();
  fixture->scope.is_private_file = true;
  settings = make (fixture);
  fixture_expect_none (fixture->problems);
  assert_string_equal (settings_text (settings, "api-key"), "s3cretvalue");
  fixture->scope.is_private_file = false;
  fixture->given[2].is_inline = false;
  assert_non_null (make (fixture));
  fixture_expect_none (fixture->problems);
}

static void
test_when (void **state)
{
  struct fixture *fixture = *state;
  const struct herald_settings *settings;

  give (fixture, "auth", "basic");
  assert_null (make (fixture));
  fixture_expect (fixture->problems, PROBLEM_ERROR, 9, "setting \"endpoint\" "
                  "(API Endpoint) is missing; add <setting "
                  "name=\"endpoint\">https://api.example/x</setting> to "
                  "<settings>");
  fixture_expect (fixture->problems, PROBLEM_ERROR, 9, "setting \"api-key\" "
                  "(API Key) is missing, as \"auth\" is \"basic\"; add "
                  "<setting name=\"api-key\" from=\"file\" path=\"...\"/> to "
                  "<settings>");
  assert_int_equal (problems_count (fixture->problems), 2);
  fixture->n_given = 0;
  problems_free (fixture->problems);
  fixture->problems = problems_new ();
  fixture->scope.is_private_file = true;
  give (fixture, "endpoint", "https://api.example/");
  give (fixture, "api-key", "s3cretvalue");
  give (fixture, "signed", "abc");
  settings = make (fixture);
  assert_non_null (settings);
  fixture_expect (fixture->problems, PROBLEM_WARNING, 11, "setting "
                  "\"api-key\" (API Key) is not used, as \"auth\" is not "
                  "bearer,basic");
  fixture_expect (fixture->problems, PROBLEM_WARNING, 12, "setting "
                  "\"signed\" (Signed) is not used, as \"bool\" is not set");
  assert_null (settings_text (settings, "api-key"));
  give (fixture, "bool", "1");
  settings = make (fixture);
  assert_string_equal (settings_text (settings, "signed"), "abc");
}

static void
test_presets_and_defaults (void **state)
{
  struct fixture *fixture = *state;
  const struct herald_settings *settings;

  give (fixture, "header", "A: 1");
  give (fixture, "header", "B: 2");
  give (fixture, "text", "");
  give_default (fixture, "endpoint", "https://host.example/");
  give_default (fixture, "header", "C: 3");
  give_default (fixture, "relay", "mx");
  give_default (fixture, "text", "abc");
  settings = make (fixture);
  fixture_expect_none (fixture->problems);
  assert_string_equal (settings_text (settings, "endpoint"),
                       "https://host.example/");
  assert_string_equal (settings_text_at (settings, "header", 0), "A: 1");
  assert_string_equal (settings_text_at (settings, "header", 1), "B: 2");
  assert_null (settings_text_at (settings, "header", 2));
  assert_string_equal (settings_text (settings, "relay"), "mx");
  assert_string_equal (settings_text (settings, "text"), "abc");
  assert_int_equal (settings_number (settings, "port"), 443);
  assert_string_equal (settings_text (settings, "auth"), "none");
  assert_null (settings_text (settings, "json"));
  assert_int_equal (settings_number (settings, "json"), 0);
  assert_true (settings_knows (settings, "json"));
  assert_false (settings_knows (settings, "jsn"));
  assert_null (settings_text (settings, "jsn"));
  give_default (fixture, "porrt", "1");
  assert_null (make (fixture));
  fixture_expect (fixture->problems, PROBLEM_ERROR, 54, "there is no setting "
                  "\"porrt\"; did you mean \"port\"?");
  assert_string_equal (problems_at (fixture->problems, 0)->file,
                       "herald.xml");
}

/* It concerns who would use it, and nobody else. */
static void
test_default_not_fetched (void **state)
{
  struct fixture *fixture = *state;

  give (fixture, "endpoint", "https://api.example/");
  give_default (fixture, "text", NULL);
  fixture->defaults[0].is_inline = false;
  fixture->defaults[0].missing = "the environment variable X is not set";
  assert_null (make (fixture));
  fixture_expect (fixture->problems, PROBLEM_ERROR, 50, "setting \"text\" "
                  "(Text) can't be had: the environment variable X is not "
                  "set");
  assert_string_equal (problems_at (fixture->problems, 0)->file,
                       "herald.xml");
  assert_string_equal (problems_at (fixture->problems, 0)->integration,
                       "crm");
  problems_free (fixture->problems);
  fixture->problems = problems_new ();
  give (fixture, "text", "abc");
  assert_string_equal (settings_text (make (fixture), "text"), "abc");
  fixture_expect_none (fixture->problems);
}

/* Nor does who has no use for it. */
static void
test_default_not_wanted (void **state)
{
  struct fixture *fixture = *state;

  give (fixture, "endpoint", "https://api.example/");
  give_default (fixture, "signed", NULL);
  fixture->defaults[0].missing = "the environment variable X is not set";
  assert_null (settings_text (make (fixture), "signed"));
  assert_int_equal (problems_errors (fixture->problems), 0);
  give (fixture, "bool", "1");
  assert_null (make (fixture));
  assert_int_equal (problems_errors (fixture->problems), 1);
}

static void
test_deprecated (void **state)
{
  struct fixture *fixture = *state;

  give (fixture, "endpoint", "https://api.example/");
  give (fixture, "old", "x");
  assert_non_null (make (fixture));
  fixture_expect (fixture->problems, PROBLEM_WARNING, 11, "setting \"old\" "
                  "(Old) is deprecated; a later version will not know it: "
                  "Use text.");
}

static void
test_unfetched (void **state)
{
  struct fixture *fixture = *state;

  give (fixture, "endpoint", NULL);
  assert_null (make (fixture));
  assert_int_equal (problems_count (fixture->problems), 0);
}

static void
test_bad_preset (void **state)
{
  static const struct herald_field bad[] = {
    { .name = "row", .label = "Row", .type = HERALD_TARGET,
      .preset = "Email" },
    { .name = "other", .label = "Other", .type = HERALD_TARGET,
      .preset = "None", .when = "row=x" }
  };
  struct fixture *fixture = *state;

  assert_null (settings_new (fixture->arena, &fixture->scope, bad, 2, NULL, 0,
                             NULL, 0, fixture->problems));
  fixture_expect (fixture->problems, PROBLEM_ERROR, 9, "setting \"row\" (Row) "
                  "is not given, and its preset is \"Email\", which no row "
                  "maps; add <field name=\"Email\" source=\"...\"/>");
  assert_int_equal (problems_count (fixture->problems), 1);
}

static void
test_complaints (void **state)
{
  struct fixture *fixture = *state;
  struct herald_settings *settings;

  give (fixture, "endpoint", "https://api.example/");
  settings = make (fixture);
  assert_int_equal (settings_complaints (settings), 0);
  settings_complain (settings, PROBLEM_ERROR, "endpoint", "is odd");
  settings_complain (settings, PROBLEM_WARNING, "port", "is odd");
  settings_complain (settings, PROBLEM_ERROR, "Email", "is odd");
  settings_complain (settings, PROBLEM_ERROR, NULL, "all is odd");
  fixture_expect (fixture->problems, PROBLEM_ERROR, 10,
                  "setting \"endpoint\" (API Endpoint) is odd");
  fixture_expect (fixture->problems, PROBLEM_WARNING, 9,
                  "setting \"port\" (Port) is odd");
  fixture_expect (fixture->problems, PROBLEM_ERROR, 9,
                  "mapping row \"Email\": is odd");
  fixture_expect (fixture->problems, PROBLEM_ERROR, 9, "all is odd");
  assert_int_equal (settings_complaints (settings), 3);
  settings_seal (settings);
  settings_complain (settings, PROBLEM_ERROR, NULL, "late");
  assert_int_equal (settings_complaints (settings), 4);
  assert_int_equal (problems_count (fixture->problems), 4);
  assert_int_equal (settings_batch_limit (settings), 0);
  settings_limit_batch (settings, 50);
  settings_limit_batch (settings, 80);
  assert_int_equal (settings_batch_limit (settings), 50);
}

static void
test_canonical (void **state)
{
  struct fixture *fixture = *state;
  struct buf one = BUF_INIT (0), two = BUF_INIT (0);

  give (fixture, "endpoint", "https://api.example/");
  give (fixture, "long", "a\n1:b");
  settings_add_canonical (make (fixture), &one);
  assert_non_null (strstr (one.data, "endpoint 1\n20:https://api.example/\n"));
  assert_non_null (strstr (one.data, "long 1\n5:a\n1:b\n"));
  assert_non_null (strstr (one.data, "port 1\n3:443\n"));
  settings_add_canonical (make (fixture), &two);
  assert_string_equal (one.data, two.data);
  fixture->given[1].value = "a\n1:c";
  buf_clear (&two);
  settings_add_canonical (make (fixture), &two);
  assert_string_not_equal (one.data, two.data);
  buf_done (&one);
  buf_done (&two);
}

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

static void
test_forget (void **state)
{
  struct fixture *fixture = *state;
  struct herald_settings *one, *two;

  fixture->scope.is_private_file = true;
  give (fixture, "endpoint", "https://api.example/");
  give (fixture, "auth", "bearer");
  give (fixture, "api-key", "key-of-one");
  give_default (fixture, "api-key", "key-of-host");
  fixture->defaults[0].is_private = true;
  one = make (fixture);
  assert_non_null (one);
  two = make (fixture);
  settings_forget (one);
  assert_true (is_masked ("key-of-one"));
  assert_true (is_masked ("key-of-host"));
  settings_forget (two);
  assert_false (is_masked ("key-of-one"));
  assert_false (is_masked ("key-of-host"));
  settings_forget (NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_numbers), TEST (test_texts), TEST (test_bools_and_choices),
    TEST (test_urls), TEST (test_addresses), TEST (test_durations),
    TEST (test_headers), TEST (test_json), TEST (test_fields_and_rows),
    TEST (test_places), TEST (test_secrets), TEST (test_when),
    TEST (test_presets_and_defaults), TEST (test_default_not_fetched),
    TEST (test_default_not_wanted), TEST (test_deprecated),
    TEST (test_unfetched), TEST (test_bad_preset), TEST (test_complaints),
    TEST (test_canonical), TEST (test_forget),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
