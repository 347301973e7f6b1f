/* event.c - one CloudEvents 1.0 object: its bytes and where they lie.
 *
 * SPDX-License-Identifier: MIT
 */

#include "event_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"

const char *const event_attribute_names[ATTRIBUTE_N] = {
  [ATTRIBUTE_ID] = "id",
  [ATTRIBUTE_SOURCE] = "source",
  [ATTRIBUTE_TYPE] = "type",
  [ATTRIBUTE_WORKSPACE] = "workspace",
  [ATTRIBUTE_ONLY_FOR] = "heraldto",
  [ATTRIBUTE_TIME] = "time",
  [ATTRIBUTE_SPECVERSION] = "specversion",
  [ATTRIBUTE_CONTENT_TYPE] = "datacontenttype",
  [ATTRIBUTE_SCHEMA] = "dataschema",
  [ATTRIBUTE_SUBJECT] = "subject",
  [ATTRIBUTE_DATA] = "data",
  [ATTRIBUTE_DATA_BASE64] = "data_base64",
};

struct event *
event_hold (struct event *event)
{
  event->n_holders++;
  return event;
}

void
event_release (struct event *event)
{
  if (event != NULL && --event->n_holders == 0)
    free (event);
}

const char *
event_id (const struct event *event)
{
  return event->kept[ATTRIBUTE_ID];
}

const char *
event_source (const struct event *event)
{
  return event->kept[ATTRIBUTE_SOURCE];
}

const char *
event_type (const struct event *event)
{
  return event->kept[ATTRIBUTE_TYPE];
}

const char *
event_workspace (const struct event *event)
{
  return event->kept[ATTRIBUTE_WORKSPACE];
}

const char *
event_only_for (const struct event *event)
{
  return event->kept[ATTRIBUTE_ONLY_FOR];
}

int64_t
event_time_ms (const struct event *event)
{
  return event->time_ms;
}

size_t
event_memory (const struct event *event)
{
  return event->memory;
}

const struct event_value *
event_field (const struct event *event, const char *key, size_t len)
{
  uint32_t hint = event_hint (key, len);

  for (uint32_t i = 0; i < event->n_fields; i++)
    if (event->hints[i] == hint && event->slots[i].key_len == len
        && memcmp (event->slots[i].key, key, len) == 0)
      return &event->slots[i].value;
  return NULL;
}

void
event_add_field_text (const struct event *event, const char *key,
                      size_t len, struct buf *out)
{
  const struct event_value *value = event_field (event, key, len);

  if (value == NULL || value->kind == JSON_NULL)
    return;
  if (value->has_escapes)
    json_unescape (value->text, value->len, out);
  else
    buf_add (out, value->text, value->len);
}

bool
event_has (const struct event *event, const char *key, size_t len)
{
  const struct event_value *value = event_field (event, key, len);

  return value != NULL && value->kind != JSON_NULL
         && (value->kind != JSON_STRING || value->len > 0);
}

static void
event_add_member (struct buf *out, const char *name, const char *text)
{
  buf_printf (out, "\"%s\":", name);
  text_add_json (out, text, strlen (text));
  buf_add_char (out, ',');
}

/* A full CloudEvent around data that came alone. */
static void
event_add_made (const struct event *event, const char *only_for,
                struct buf *out)
{
  buf_add_text (out, "{\"specversion\":\"1.0\",");
  for (unsigned k = 0; k < ATTRIBUTE_ONLY_FOR; k++)
    event_add_member (out, event_attribute_names[k], event->kept[k]);
  if (only_for != NULL && only_for[0] != '\0')
    event_add_member (out, "heraldto", only_for);
  buf_add_text (out, "\"time\":\"");
  date_add_rfc3339 (out, event->time_ms);
  buf_add_text (out, "\",\"data\":");
  buf_add (out, event->text, event->text_len);
  buf_add_char (out, '}');
}

const char *
event_line (const struct event *event, size_t *ret_len)
{
  *ret_len = event->text_len;
  return event->is_data_alone ? NULL : event->text;
}

void
event_add_json (const struct event *event, const char *only_for,
                struct buf *out)
{
  size_t after = event->only_for_start + event->only_for_len;

  if (event->is_data_alone)
    event_add_made (event, only_for, out);
  else if (only_for == NULL
           || (only_for[0] == '\0' && event->only_for_len == 0))
    buf_add (out, event->text, event->text_len);
  else if (event->only_for_len > 0) {
    buf_add (out, event->text, event->only_for_start);
    text_add_json (out, only_for, strlen (only_for));
    buf_add (out, event->text + after, event->text_len - after);
  } else {
    /* An event has members, so a comma may follow. */
    buf_add_char (out, '{');
    event_add_member (out, "heraldto", only_for);
    buf_add (out, event->text + 1, event->text_len - 1);
  }
}
