/* fuzz-template.c - any text as a template, filled in from a nasty event.
 *
 * A template without fields comes out as it went in, and what a field
 * brings into HTML never adds markup unless {{{ }}} asks for it.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "event/event.h"
#include "event/template.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char line[]
  = "{\"firstName\":\"<b>{{email}}</b>\",\"lastName\":\"\\u003ci>\\\"\","
    "\"email\":\"{{{\",\"score\":12,\"town\":null,"
    "\"customText\":[\"<p>\",{\"a\":\"<q>\"}]}";

static void
must (bool holds)
{
  if (!holds)
    abort ();
}

static size_t
count (const char *text, char c)
{
  size_t n = 0;

  for (; *text != '\0'; text++)
    n += *text == c;
  return n;
}

static void
fill (const char *text, bool is_html, const struct event *event,
      const struct catalogue *catalogue)
{
  struct arena *arena = arena_new (0);
  struct buf out = BUF_INIT (0);
  char reason[200] = "";
  struct template *template
    = template_new (arena, text, is_html, catalogue, reason);

  if (template == NULL)
    must (text_is_one_line (reason, strlen (reason)) && reason[0] != '\0');
  else {
    template_write (template, event, &out);
    if (template_is_constant (template))
      must (strcmp (text, out.data) == 0);
    if (is_html && strstr (text, "{{{") == NULL)
      must (count (text, '<') == count (out.data, '<')
            && count (text, '"') == count (out.data, '"'));
  }
  buf_done (&out);
  arena_free (arena);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct event_reader *reader = event_reader_new ("acme");
  struct catalogue *catalogue = catalogue_new ();
  struct event_error error;
  struct event *event;
  char *text = malloc (size + 1);

  must (text != NULL);
  if (size > 0)
    memcpy (text, data, size);
  text[size] = '\0';
  must (event_reader_read (reader, line, sizeof line - 1, &event, &error)
        == 0);
  fill (text, false, event, catalogue);
  fill (text, true, event, catalogue);
  event_release (event);
  free (text);
  catalogue_free (catalogue);
  event_reader_free (reader);
  return 0;
}
