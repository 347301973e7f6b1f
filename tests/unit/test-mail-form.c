/* test-mail-form.c - event/mail_form makes mails nobody can break into.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "event/mail_form.h"

struct fixture {
  struct arena *arena;
  struct catalogue *catalogue;
  struct mail_form form;
};

static const struct template *
make_template (struct fixture *fixture, const char *text, bool is_html)
{
  char reason[200] = "";
  struct template *template = template_new (fixture->arena, text, is_html,
                                            fixture->catalogue, reason);

  assert_string_equal (reason, "");
  return template;
}

static int
setup (void **state)
{
  static struct fixture fixture;

  memset (&fixture, 0, sizeof fixture);
  fixture.arena = arena_new (0);
  fixture.catalogue = catalogue_new ();
  fixture.form.from_name = make_template (&fixture, "Acme", false);
  fixture.form.from_address = "play@acme.example";
  fixture.form.to_source = "email";
  fixture.form.to_name = make_template (&fixture,
                                        "{{firstName}} {{lastName}}", false);
  fixture.form.subject = make_template (&fixture, "Hi {{firstName}}", false);
  fixture.form.text = make_template (&fixture, "T {{firstName}}\n", false);
  fixture.form.html = make_template (&fixture, "<b>{{firstName}}</b>", true);
  *state = &fixture;
  return 0;
}

static int
teardown (void **state)
{
  struct fixture *fixture = *state;

  catalogue_free (fixture->catalogue);
  arena_free (fixture->arena);
  return 0;
}

static int
write_mail (struct fixture *fixture, const char *line,
            const char *to_address, struct herald_mail *ret_mail,
            char *ret_reason)
{
  struct event_reader *reader = event_reader_new ("acme");
  struct event_error error = { "" };
  struct event *event = NULL;
  int result;

  assert_int_equal (event_reader_read (reader, line, strlen (line), &event,
                                       &error), 0);
  result = mail_form_write (&fixture->form, event, to_address,
                            fixture->arena, ret_mail, ret_reason);
  event_release (event);
  event_reader_free (reader);
  return result;
}

static struct herald_mail
must_write (struct fixture *fixture, const char *line)
{
  struct herald_mail mail;
  char reason[200] = "";

  if (write_mail (fixture, line, NULL, &mail, reason) != 0)
    fail_msg ("%s", reason);
  return mail;
}

static void
assert_refused (struct fixture *fixture, const char *line,
                const char *to_address, const char *expected)
{
  struct herald_mail mail = { .subject = "untouched" };
  char reason[200] = "";

  assert_int_equal (write_mail (fixture, line, to_address, &mail, reason),
                    -1);
  assert_string_equal (reason, expected);
  assert_string_equal (mail.subject, "untouched");
}

static void
test_mail (void **state)
{
  struct fixture *fixture = *state;
  struct herald_mail mail;

  fixture->form.reply_to_address = "hello@acme.example";
  fixture->form.bcc_address = "audit@acme.example";
  mail = must_write (fixture,
                     "{\"email\":\"J.Doe@B\xc3\xbc"
                     "cher.Example\",\"firstName\":\"<J>\"}");
  assert_string_equal (mail.to.address, "J.Doe@xn--bcher-kva.example");
  assert_string_equal (mail.to.name, "<J>");
  assert_string_equal (mail.from.name, "Acme");
  assert_string_equal (mail.from.address, "play@acme.example");
  assert_string_equal (mail.reply_to.address, "hello@acme.example");
  assert_null (mail.reply_to.name);
  assert_string_equal (mail.bcc.address, "audit@acme.example");
  assert_string_equal (mail.subject, "Hi <J>");
  assert_string_equal (mail.text, "T <J>\n");
  assert_string_equal (mail.html, "<b>&lt;J&gt;</b>");
  assert_null (mail.template_id);
  assert_int_equal (mail.n_headers, 0);
}

static void
test_line_breaks (void **state)
{
  struct fixture *fixture = *state;
  struct mail_form_header header
    = { "List-Unsubscribe",
        make_template (fixture, "<{{website}}>", false) };
  struct herald_mail mail;

  fixture->form.headers = &header;
  fixture->form.n_headers = 1;
  mail = must_write (fixture,
                     "{\"email\":\"a@b.c\",\"firstName\":"
                     "\"x\\r\\nBcc: y@z \\u0085\\u2028\\u0007 w\\r\\n\","
                     "\"website\":\"a\\r\\n\\r\\n\\tb\"}");
  assert_string_equal (mail.subject, "Hi x Bcc: y@z w");
  assert_string_equal (mail.to.name, "x Bcc: y@z w");
  assert_int_equal (mail.n_headers, 1);
  assert_string_equal (mail.headers[0].name, "List-Unsubscribe");
  assert_string_equal (mail.headers[0].value, "<a b>");
  /* A body may have lines. */
  assert_non_null (strstr (mail.text, "x\r\nBcc"));
}

static void
test_empty (void **state)
{
  struct fixture *fixture = *state;
  struct mail_form_header headers[]
    = { { "X-A", make_template (fixture, "{{website}}", false) },
        { "X-B", make_template (fixture, "b", false) } };
  struct herald_mail mail;

  fixture->form.headers = headers;
  fixture->form.n_headers = 2;
  fixture->form.subject = NULL;
  fixture->form.html = NULL;
  mail = must_write (fixture, "{\"email\":\"a@b.c\",\"firstName\":\"\\n\"}");
  assert_null (mail.to.name);
  assert_string_equal (mail.subject, "");
  assert_null (mail.html);
  assert_int_equal (mail.n_headers, 1);
  assert_string_equal (mail.headers[0].name, "X-B");
}

static void
test_inner_spaces_stay (void **state)
{
  struct herald_mail mail
    = must_write (*state, "{\"email\":\"a@b.c\",\"firstName\":\" a  b \"}");

  assert_string_equal (mail.to.name, "a  b");
  assert_string_equal (mail.subject, "Hi  a  b");
}

static void
test_template_id (void **state)
{
  struct fixture *fixture = *state;
  struct herald_mail mail;

  fixture->form.template_id = "d-1";
  mail = must_write (fixture, "{\"email\":\"a@b.c\",\"firstName\":\"J\"}");
  assert_string_equal (mail.template_id, "d-1");
  assert_null (mail.text);
  assert_null (mail.html);
  assert_string_equal (mail.subject, "Hi J");
}

static void
test_refused (void **state)
{
  struct fixture *fixture = *state;

  assert_refused (fixture, "{}", NULL, "the event has no email");
  assert_refused (fixture, "{\"email\":null}", NULL,
                  "the event has no email");
  assert_refused (fixture, "{\"email\":\"\"}", NULL,
                  "the event has no email");
  assert_refused (fixture, "{\"email\":\"a@b.c\\r\\nBcc: x@y.z\"}", NULL,
                  "email is no address: has a line break");
  assert_refused (fixture, "{\"email\":\"jane\"}", NULL,
                  "email is no address: has no @");
  assert_refused (fixture, "{\"email\":[\"a@b.c\"]}", NULL,
                  "email is no address: has a character that is not allowed "
                  "before the @");
  assert_refused (fixture, "{\"email\":\"a@b.c\"}", "nobody",
                  "the recipient is no address: has no @");
  fixture->form.to_source = NULL;
  assert_refused (fixture, "{\"email\":\"a@b.c\"}", NULL,
                  "the mail has no recipient");
}

static void
test_other_recipient (void **state)
{
  struct fixture *fixture = *state;
  struct herald_mail mail;
  char reason[200];

  assert_int_equal (write_mail (fixture, "{}", "Me@Example.Org", &mail,
                                reason), 0);
  assert_string_equal (mail.to.address, "Me@example.org");
  fixture->form.to_source = NULL;
  assert_int_equal (write_mail (fixture, "{}", "me@example.org", &mail,
                                reason), 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_mail, setup, teardown),
    cmocka_unit_test_setup_teardown (test_line_breaks, setup, teardown),
    cmocka_unit_test_setup_teardown (test_empty, setup, teardown),
    cmocka_unit_test_setup_teardown (test_inner_spaces_stay, setup,
                                     teardown),
    cmocka_unit_test_setup_teardown (test_template_id, setup, teardown),
    cmocka_unit_test_setup_teardown (test_refused, setup, teardown),
    cmocka_unit_test_setup_teardown (test_other_recipient, setup, teardown),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
