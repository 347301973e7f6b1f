/* template.c - text with {{key}} in it, and nothing more.
 *
 * SPDX-License-Identifier: MIT
 */

#include "template.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { TEMPLATE_REASON = 200 };

/* A stretch of text, or a key. */
struct template_part {
  const char *text;
  size_t len;
  bool is_key;
  bool is_raw;                  /* {{{key}}} */
};

struct template {
  struct template_part *parts;
  size_t n;
  size_t size;
  bool is_html;
  bool is_constant;
};

static struct template_part *
template_append (struct arena *arena, struct template *template,
                 const char *text, size_t len)
{
  struct template_part *part;

  if (template->n == template->size) {
    size_t size = template->size == 0 ? 4 : 2 * template->size;
    struct template_part *parts = arena_zeroed (arena, size,
                                                sizeof *parts);

    if (template->n > 0)
      memcpy (parts, template->parts, template->n * sizeof *parts);
    template->parts = parts;
    template->size = size;
  }
  part = &template->parts[template->n++];
  part->text = text;
  part->len = len;
  return part;
}

static bool
template_is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The key between the braces must be in the catalogue. */
static int
template_check_key (const char *key, size_t len,
                    const struct catalogue *catalogue, char *ret_reason)
{
  char name[72];
  const char *nearest;

  if (len == 0) {
    snprintf (ret_reason, TEMPLATE_REASON,
              "{{}} names no source field; write {{firstName}}");
    return -1;
  }
  if (catalogue_find (catalogue, key, len) != NULL)
    return 0;
  len = text_clip (key, len, 64);
  if (len >= sizeof name || !text_is_utf8 (key, len)
      || !text_is_one_line (key, len)) {
    snprintf (ret_reason, TEMPLATE_REASON,
              "what stands between {{ and }} is no source field");
    return -1;
  }
  memcpy (name, key, len);
  name[len] = '\0';
  nearest = catalogue_nearest (catalogue, name);
  snprintf (ret_reason, TEMPLATE_REASON,
            "unknown source field %s%s%s%s", name,
            nearest != NULL ? "; did you mean " : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
  return -1;
}

/* Read the field whose braces open at text.  Where it ends, or NULL. */
static const char *
template_read_field (struct arena *arena, struct template *template,
                     const char *text, const struct catalogue *catalogue,
                     char *ret_reason)
{
  bool is_raw = text[2] == '{';
  const char *key = text + (is_raw ? 3 : 2);
  const char *end = strstr (key, is_raw ? "}}}" : "}}");
  const char *after;
  struct template_part *part;

  if (end == NULL) {
    snprintf (ret_reason, TEMPLATE_REASON, "%s is not closed by %s",
              is_raw ? "{{{" : "{{", is_raw ? "}}}" : "}}");
    return NULL;
  }
  after = end + (is_raw ? 3 : 2);
  while (key < end && template_is_space (*key))
    key++;
  while (end > key && template_is_space (end[-1]))
    end--;
  if (template_check_key (key, (size_t) (end - key), catalogue, ret_reason)
      != 0)
    return NULL;
  part = template_append (arena, template, key, (size_t) (end - key));
  part->is_key = true;
  part->is_raw = is_raw;
  template->is_constant = false;
  return after;
}

struct template *
template_new (struct arena *arena, const char *text, bool is_html,
              const struct catalogue *catalogue, char ret_reason[200])
{
  struct template *template = arena_zeroed (arena, 1, sizeof *template);

  text = arena_strdup (arena, text);
  template->is_html = is_html;
  template->is_constant = true;
  while (*text != '\0') {
    const char *open = strstr (text, "{{");
    size_t len = open != NULL ? (size_t) (open - text) : strlen (text);

    if (len > 0)
      template_append (arena, template, text, len);
    if (open == NULL)
      break;
    text = template_read_field (arena, template, open, catalogue,
                                ret_reason);
    if (text == NULL)
      return NULL;
  }
  return template;
}

static void
template_write_escaped (const struct event *event, const char *key,
                        size_t len, struct buf *out)
{
  const struct event_value *value = event_field (event, key, len);
  struct buf text;

  if (value == NULL || value->kind == JSON_NULL)
    return;
  if (!value->has_escapes) {
    text_add_html (out, value->text, value->len);
    return;
  }
  buf_init (&text, 0);
  event_add_field_text (event, key, len, &text);
  text_add_html (out, text.data, text.len);
  buf_done (&text);
}

void
template_write (const struct template *template, const struct event *event,
                struct buf *out)
{
  for (size_t i = 0; i < template->n; i++) {
    const struct template_part *part = &template->parts[i];

    if (!part->is_key)
      buf_add (out, part->text, part->len);
    else if (template->is_html && !part->is_raw)
      template_write_escaped (event, part->text, part->len, out);
    else
      event_add_field_text (event, part->text, part->len, out);
  }
}

bool
template_is_constant (const struct template *template)
{
  return template->is_constant;
}
