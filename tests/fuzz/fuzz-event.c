/* fuzz-event.c - any bytes as an event, and what is made of it.
 *
 * What is taken must read back as the same event, and every record made
 * of it must be JSON.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_index.h"
#include "base/text.h"
#include "event/event.h"
#include "event/mapping.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
must (bool holds)
{
  if (!holds)
    abort ();
}

static const struct mapping_row rows[] = {
  { .target = "a.email", .source = "email" },
  { .target = "a.text", .source = "score", .as = MAPPING_STRING },
  { .target = "b.c.name", .template = "{{firstName}} {{{lastName}}}" },
  { .target = "town", .source = "town", .missing = MAPPING_NULL },
  { .target = "d", .source = "cp", .fallback = "none" },
  { .target = "e", .value = "3", .as = MAPPING_NUMBER },
};

/* These fail for most values. */
static const struct mapping_row typed_rows[] = {
  { .target = "n", .source = "score", .as = MAPPING_NUMBER },
  { .target = "b", .source = "optinNewsletter", .as = MAPPING_BOOLEAN },
};

static void
must_be_json (const struct buf *text)
{
  struct json_index index = { 0 };
  struct json_error error;

  must (json_index_read (&index, text->data, text->len, 80,
                         JSON_UNIQUE_KEYS, &error) == 0);
  json_index_done (&index);
}

static void
map (const struct event *event, const struct mapping_row *table, size_t n,
     bool is_nested)
{
  struct arena *arena = arena_new (0);
  struct catalogue *catalogue = catalogue_new ();
  struct mapping *mapping = mapping_new (arena, is_nested);
  struct buf out = BUF_INIT (0);
  char reason[200];

  for (size_t i = 0; i < n; i++)
    must (mapping_add (mapping, &table[i], catalogue, reason) == 0);
  for (unsigned flags = 0; flags < 4; flags++) {
    buf_clear (&out);
    if (mapping_write (mapping, event, flags, &out, reason) == 0)
      must_be_json (&out);
    else
      must (out.len == 0 && text_is_one_line (reason, strlen (reason)));
  }
  for (size_t i = 0; i < n; i++)
    mapping_add_text (mapping, table[i].target, event, &out);
  buf_done (&out);
  catalogue_free (catalogue);
  arena_free (arena);
}

static void
must_read_back (struct event_reader *reader, const struct event *event,
                const char *only_for)
{
  static const char *const keys[] = { "email", "firstName", "score", "" };
  const char *expected = only_for != NULL ? only_for
                                          : event_only_for (event);
  struct buf out = BUF_INIT (0);
  struct event_error error;
  struct event *again;

  event_add_json (event, only_for, &out);
  must (memchr (out.data, '\n', out.len) == NULL);
  must (event_reader_read (reader, out.data, out.len, &again, &error) == 0);
  must (strcmp (event_id (event), event_id (again)) == 0);
  must (strcmp (event_source (event), event_source (again)) == 0);
  must (strcmp (event_type (event), event_type (again)) == 0);
  must (strcmp (event_workspace (event), event_workspace (again)) == 0);
  must (strcmp (expected, event_only_for (again)) == 0);
  must (event_time_ms (event) == event_time_ms (again));
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    size_t len = strlen (keys[i]);
    const struct event_value *a = event_field (event, keys[i], len);
    const struct event_value *b = event_field (again, keys[i], len);

    must ((a == NULL) == (b == NULL));
    must (a == NULL || (a->kind == b->kind && a->len == b->len
                        && memcmp (a->text, b->text, a->len) == 0));
  }
  event_release (again);
  buf_done (&out);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct event_reader *reader = event_reader_new ("acme");
  struct event_error error;
  struct event *event;

  if (event_reader_read (reader, (const char *) data, size, &event, &error)
      != 0)
    must (error.reason[0] != '\0'
          && text_is_one_line (error.reason, strlen (error.reason)));
  else {
    must_read_back (reader, event, NULL);
    must_read_back (reader, event, "crm mail");
    must_read_back (reader, event, "");
    map (event, rows, sizeof rows / sizeof rows[0], true);
    map (event, rows, sizeof rows / sizeof rows[0], false);
    map (event, typed_rows, sizeof typed_rows / sizeof typed_rows[0],
         false);
    event_release (event);
  }
  event_reader_free (reader);
  return 0;
}
