/* fixture.c - an integration as a case describes it, and its events.
 *
 * SPDX-License-Identifier: MIT
 */

#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/json_doc.h"

/* The descriptor with <delivery> exchanged for the case's. */
static const char *
splice_delivery (struct arena *arena, const char *xml, const char *delivery)
{
  static const char closing[] = "</integration>";
  const char *end = strstr (xml, closing), *from, *to;

  if (delivery == NULL || end == NULL)
    return xml;
  from = strstr (xml, "<delivery");
  if (from == NULL)
    from = to = end;
  else {
    const char *close = strstr (from, "</delivery>");

    to = close != NULL ? close + strlen ("</delivery>")
                       : from + strcspn (from, ">") + 1;
  }
  return arena_printf (arena, "%.*s%s%s", (int) (from - xml), xml, delivery,
                       to);
}

static bool
is_host_only (const struct provider *provider, const char *name)
{
  for (size_t k = 0; k < provider->n_fields; k++)
    if (strcmp (provider->fields[k].name, name) == 0)
      return (provider->fields[k].flags & HERALD_HOST_ONLY) != 0;
  return false;
}

static bool
is_set_by_case (const struct test_case *test, const char *name)
{
  for (size_t k = 0; k < test->n_settings; k++)
    if (strcmp (test->settings[k].name, name) == 0)
      return true;
  return false;
}

/* The case's settings in place of the descriptor's of the same name; what
 * only the host may set becomes its default. */
static void
override_settings (struct fixture *fixture, const struct provider *provider)
{
  const struct test_case *test = fixture->test;
  struct descriptor *descriptor = fixture->descriptor;
  size_t n = 0, n_host = 0, most = descriptor->n_settings + test->n_settings;
  struct setting *own, *host;

  own = arena_zeroed (fixture->arena, most + 1, sizeof *own);
  host = arena_zeroed (fixture->arena, most + 1, sizeof *host);
  for (size_t k = 0; k < descriptor->n_settings; k++)
    if (!is_set_by_case (test, descriptor->settings[k].name))
      own[n++] = descriptor->settings[k];
  for (size_t k = 0; k < test->n_settings; k++) {
    const struct case_setting *given = &test->settings[k];
    struct setting setting = {
      .name = given->name, .value = given->value, .file = test->path,
      .line = given->line, .is_inline = true, .is_private = true
    };

    if (is_host_only (provider, given->name))
      host[n_host++] = setting;
    else
      own[n++] = setting;
  }
  descriptor->settings = own;
  descriptor->n_settings = n;
  fixture->defaults.provider = provider->name;
  fixture->defaults.settings = host;
  fixture->defaults.n_settings = n_host;
}

static void
make_host (struct fixture *fixture)
{
  static const char *workspaces[] = { FIXTURE_WORKSPACE };
  struct herald_xml *host = &fixture->herald;

  host->path = fixture->test->path;
  host->n_workspaces = 1;
  host->workspaces = workspaces;
  host->catalogue = catalogue_new ();
  host->allow_http = true;
  host->n_defaults = 1;
  host->defaults = &fixture->defaults;
  fixture->configuration.arena = fixture->arena;
  fixture->configuration.directory = ".";
  fixture->configuration.herald = host;
}

void
fixture_open (struct fixture *fixture, const struct test_case *test,
              struct loader *loader, const struct provider *provider)
{
  const char *xml;

  memset (fixture, 0, sizeof *fixture);
  fixture->test = test;
  fixture->arena = arena_new (0);
  fixture->problems = problems_new ();
  date_set_now (test->now_ms);
  make_host (fixture);
  xml = splice_delivery (fixture->arena, test->integration, test->delivery);
  fixture->descriptor
    = descriptor_read_text (xml, strlen (xml), test->path, &fixture->herald,
                            fixture->arena, fixture->problems);
  if (fixture->descriptor == NULL || fixture->descriptor->has_errors)
    return;
  /* A case is no place for real secrets, whoever may read it. */
  fixture->descriptor->is_private = true;
  override_settings (fixture, provider);
  fixture->integration
    = integration_open (&fixture->configuration, fixture->descriptor,
                        loader, fixture->problems);
}

void
fixture_close (struct fixture *fixture)
{
  for (size_t k = 0; k < fixture->n_events; k++)
    event_release (fixture->events[k]);
  integration_close (fixture->integration);
  catalogue_free (fixture->herald.catalogue);
  problems_free (fixture->problems);
  arena_free (fixture->arena);
}

const char *
fixture_delivery_id (const struct fixture *fixture, size_t k)
{
  return arena_printf (fixture->arena, "00000000-0000-8000-8000-%012zu",
                       k + 1);
}

/* ------------------------------------------------------------------ */

/* Data as it is, but for its top strings. */
static struct json_doc *
copy_changed (const struct json_doc *data, fixture_change_fn *change,
              void *with)
{
  struct json_doc *copy = json_doc_object ();
  char reason[160];

  for (size_t k = 0; k < json_doc_count (data); k++) {
    const char *name = json_doc_name_at (data, k);
    const struct json_doc *value = json_doc_get (data, name);
    const char *text = json_doc_as_text (value), *other = NULL;

    if (text != NULL && change != NULL)
      other = change (with, text);
    if (other != NULL)
      json_doc_put (copy, name, json_doc_text (other));
    else {
      char *written = json_doc_write (value, false);

      json_doc_put (copy, name, json_doc_read (written, strlen (written),
                                               reason));
      free (written);
    }
  }
  return copy;
}

/* The event with data changed. */
static char *
change_event (const struct json_doc *doc, fixture_change_fn *change,
              void *with)
{
  struct json_doc *event = json_doc_object ();
  char reason[160];
  char *written;

  for (size_t m = 0; m < json_doc_count (doc); m++) {
    const char *name = json_doc_name_at (doc, m);
    const struct json_doc *value = json_doc_get (doc, name);

    if (strcmp (name, "data") == 0 && json_doc_is_object (value)) {
      json_doc_put (event, name, copy_changed (value, change, with));
      continue;
    }
    written = json_doc_write (value, false);
    json_doc_put (event, name, json_doc_read (written, strlen (written),
                                              reason));
    free (written);
  }
  written = json_doc_write (event, false);
  json_doc_free (event);
  return written;
}

/* Bare data gets attributes that are always the same. */
static const char *
complete_event (const struct fixture *fixture, const char *data, size_t k)
{
  struct buf time = BUF_INIT (0);
  const char *event;

  date_add_rfc3339 (&time, fixture->test->now_ms);
  event = arena_printf (fixture->arena,
                        "{\"specversion\":\"1.0\",\"id\":\"event-%zu\","
                        "\"source\":\"urn:herald:plugin-test\","
                        "\"type\":\"participation\",\"workspace\":\""
                        FIXTURE_WORKSPACE "\",\"time\":\"%s\","
                        "\"data\":%s}", k + 1, time.data, data);
  buf_done (&time);
  return event;
}

static int
read_event (struct fixture *fixture, struct event_reader *reader, size_t k,
            fixture_change_fn *change, void *with, char *reason, size_t size)
{
  const char *text = fixture->test->events.lines[k];
  struct event_error error = { "" };
  char why[160] = "it is something else";
  struct json_doc *doc = json_doc_read (text, strlen (text), why);
  char *changed = NULL;
  int status;

  if (!json_doc_is_object (doc)) {
    snprintf (reason, size, "event %zu is no JSON object: %s", k + 1, why);
    json_doc_free (doc);
    return -1;
  }
  if (json_doc_get (doc, "specversion") == NULL) {
    text = complete_event (fixture, text, k);
    json_doc_free (doc);
    doc = json_doc_read (text, strlen (text), why);
  }
  /* Read as it was written where nothing is to change: 1.50 stays so. */
  if (change != NULL)
    text = changed = change_event (doc, change, with);
  status = event_reader_read (reader, text, strlen (text),
                              &fixture->events[k], &error);
  if (status == -1)
    snprintf (reason, size, "event %zu: %s", k + 1, error.reason);
  json_doc_free (doc);
  free (changed);
  return status;
}

int
fixture_read_events (struct fixture *fixture, fixture_change_fn *change,
                     void *data, char *ret_reason, size_t size)
{
  struct event_reader *reader = event_reader_new (NULL);
  size_t n = fixture->test->events.n;
  int status = 0;

  for (size_t k = 0; k < fixture->n_events; k++)
    event_release (fixture->events[k]);
  fixture->n_events = 0;
  fixture->events = arena_zeroed (fixture->arena, n + 1,
                                  sizeof *fixture->events);
  for (size_t k = 0; status == 0 && k < n; k++) {
    status = read_event (fixture, reader, k, change, data, ret_reason, size);
    if (status == 0)
      fixture->n_events++;
  }
  event_reader_free (reader);
  return status;
}
