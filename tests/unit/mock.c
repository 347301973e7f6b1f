/* mock.c - an integration made by hand, its plugin linked in.
 *
 * SPDX-License-Identifier: MIT
 */

#include "mock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "provider/host.h"

/* As HERALD_REGISTER defines it in a plugin. */
const struct herald_host *herald = &host_table;

static const struct herald_choice modes[]
  = { { "one", "One" }, { "two", "Two" }, { NULL, NULL } };

static struct herald_field fields[]
  = { { .name = "endpoint", .label = "Endpoint", .type = HERALD_TEXT },
      { .name = "key",
        .label = "Key",
        .type = HERALD_TEXT,
        .flags = HERALD_SECRET },
      { .name = "extra",
        .label = "Extra",
        .type = HERALD_HEADER,
        .flags = HERALD_MANY },
      { .name = "count", .label = "Count", .type = HERALD_NUMBER, .max = 100 },
      { .name = "on", .label = "On", .type = HERALD_BOOL, .preset = "true" },
      { .name = "mode",
        .label = "Mode",
        .type = HERALD_CHOICE,
        .choices = modes,
        .preset = "one" },
      { .name = "absent", .label = "Absent", .type = HERALD_TEXT } };

static const struct setting given[]
  = { { .name = "endpoint",
        .value = "https://api.example.org/v1",
        .file = "mock.xml",
        .line = 2 },
      { .name = "key",
        .value = "s3cret-of-the-mock",
        .file = "mock.xml",
        .line = 3 },
      { .name = "extra", .value = "X-One: 1", .file = "mock.xml", .line = 4 },
      { .name = "extra", .value = "X-Two: 2", .file = "mock.xml", .line = 5 },
      { .name = "count", .value = "42", .file = "mock.xml", .line = 6 },
      { .name = "mode", .value = "two", .file = "mock.xml", .line = 7 } };

static void
keep_line (void *data, enum log_level level, const char *line)
{
  struct mock *mock = data;
  size_t len = strlen (mock->log);

  (void) level;
  snprintf (mock->log + len, sizeof mock->log - len, "%s\n", line);
}

static void
add_row (struct mock *mock, const char *target, const char *source)
{
  struct mapping_row row = { .target = target, .source = source };
  char reason[200];

  assert_int_equal (mapping_add (mock->mapping, &row, mock->catalogue, reason),
                    0);
}

static const struct template *
make_template (struct mock *mock, const char *text, bool is_html)
{
  char reason[200];
  const struct template *template
    = template_new (mock->arena, text, is_html, mock->catalogue, reason);

  assert_non_null (template);
  return template;
}

static void
make_mail (struct mock *mock)
{
  struct mail_form *form = arena_zeroed (mock->arena, 1, sizeof *form);

  form->from_name = make_template (mock, "Acme, Games", false);
  form->from_address = "play@acme.example";
  form->bcc_address = "audit@acme.example";
  form->reply_to_address = "hello@acme.example";
  form->to_source = "email";
  form->to_name = make_template (mock, "{{firstName}}", false);
  form->subject = make_template (mock, "Well done, {{town}}", false);
  form->text = make_template (mock, "Hello", false);
  form->html = make_template (mock, "<p>Hello</p>", true);
  form->parameters = mock->mapping;
  mock->descriptor.mail = form;
}

static void
make_settings (struct mock *mock)
{
  struct herald_mail *mail = arena_zeroed (mock->arena, 1, sizeof *mail);
  struct settings_scope scope = { .integration = "crm",
                                  .file = "mock.xml",
                                  .line = 1,
                                  .catalogue = mock->catalogue,
                                  .mapping = mock->mapping,
                                  .is_private_file = true };

  if (mock->descriptor.mail != NULL) {
    mail_form_write_constant (mock->descriptor.mail, mock->arena, mail);
    scope.mail = mail;
  }
  mock->problems = problems_new ();
  mock->integration.settings
    = settings_new (mock->arena, &scope, fields, HERALD_COUNT (fields), given,
                    HERALD_COUNT (given), NULL, 0, mock->problems);
  assert_non_null (mock->integration.settings);
}

void
mock_open (struct mock *mock, unsigned category, unsigned caps)
{
  memset (mock, 0, sizeof *mock);
  log_to (keep_line, mock);
  mock->arena = arena_new (0);
  mock->catalogue = catalogue_new ();
  mock->reader = event_reader_new ("acme");
  mock->mapping = mapping_new (mock->arena, false);
  add_row (mock, "email", "email");
  add_row (mock, "name", "firstName");
  add_row (mock, "score", "score");
  add_row (mock, "flag", "played");
  add_row (mock, "home.town", "town");
  mock->descriptor.name = "crm";
  mock->descriptor.mapping = mock->mapping;
  mock->provider.name = "mock";
  mock->provider.plugin.name = "mock";
  mock->provider.plugin.category = category;
  mock->provider.plugin.caps = caps;
  mock->provider.plugin.max_batch = 100;
  mock->provider.fields = fields;
  mock->provider.n_fields = HERALD_COUNT (fields);
  mock->integration.descriptor = &mock->descriptor;
  mock->integration.name = "crm";
  mock->integration.label = "Mock";
  mock->integration.provider = &mock->provider;
  mock->integration.arena = mock->arena;
  mock->integration.is_mailer = category == HERALD_MAILER;
  mock->integration.batch_max = 100;
  if (category == HERALD_MAILER)
    make_mail (mock);
  make_settings (mock);
}

void
mock_close (struct mock *mock)
{
  log_to (NULL, NULL);
  token_done (&mock->integration.token);
  problems_free (mock->problems);
  event_reader_free (mock->reader);
  catalogue_free (mock->catalogue);
  arena_free (mock->arena);
}

struct event *
mock_event (struct mock *mock, const char *data)
{
  struct event_error error;
  struct event *event;

  if (event_reader_read (mock->reader, data, strlen (data), &event, &error)
      < 0)
    fail_msg ("%s", error.reason);
  return event;
}

struct job *
mock_job (struct mock *mock, size_t n)
{
  struct job_item items[200] = { { .event = NULL } };
  struct job *job;

  assert_true (n <= HERALD_COUNT (items));
  for (size_t i = 0; i < n; i++) {
    char data[200];

    snprintf (data, sizeof data,
              "{\"email\":\"p%zu@example.org\","
              "\"firstName\":\"P%zu\",\"score\":%zu,\"town\":\"Bern\"}",
              i, i, i);
    items[i].event = mock_event (mock, data);
    items[i].id
      = arena_printf (mock->arena, "00000000-0000-8000-8000-%012zu", i);
    items[i].attempt = 1;
  }
  job = job_new (&mock->integration, JOB_DELIVER, items, n);
  for (size_t i = 0; i < n; i++)
    event_release (items[i].event);
  return job;
}

struct job *
mock_built (struct mock *mock, size_t n,
            int (*fn) (void *, struct herald_job *))
{
  struct job *job = mock_job (mock, n);

  mock->provider.plugin.build = fn;
  job_build (job);
  return job;
}

struct job *
mock_job_of (struct mock *mock, const char *data)
{
  struct job_item item = { .event = mock_event (mock, data),
                           .id = "00000000-0000-8000-8000-000000000000",
                           .attempt = 1 };
  struct job *job = job_new (&mock->integration, JOB_DELIVER, &item, 1);

  event_release (item.event);
  return job;
}

void
mock_answer (struct job *job, struct herald_request *request, int status,
             const char *body)
{
  struct job_answer answer
    = { .status = status, .body = body, .body_len = strlen (body) };

  job_answer (job, request, &answer);
}

void
mock_reply_header (struct job *job, int status, const char *body,
                   const char *name, const char *value)
{
  struct request_header header = { name, value };
  struct job_answer answer = { .status = status,
                               .body = body,
                               .body_len = strlen (body),
                               .headers = &header,
                               .n_headers = 1 };
  struct herald_request *request = job_take (job);

  assert_non_null (request);
  job_answer (job, request, &answer);
}

void
mock_reply (struct job *job, int status, const char *body)
{
  struct herald_request *request = job_take (job);

  assert_non_null (request);
  mock_answer (job, request, status, body);
}
