/* event_reader.c - one JSON object checked and made an event.
 *
 * SPDX-License-Identifier: MIT
 */

#include "event_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/date.h"
#include "base/memory.h"
#include "base/text.h"

static const char event_made_source[] = "urn:herald:send";
static const char event_made_type[] = "participation";

struct event_reader {
  char *default_workspace;
  bool is_lending;
  const char *lent;             /* the workspace of those without; or NULL */
  struct buf prefix;            /* it as a member, if the object lacks it */
  struct json_index index;
  struct buf kept[ATTRIBUTE_N_KEPT];
  struct buf scratch;
  /* Of the object being read; node 0: not there. */
  uint32_t nodes[ATTRIBUTE_N];
  uint32_t only_for;            /* heraldto's, even if it is null */
  uint32_t data;
  int64_t time_ms;
  bool is_data_alone;
};

struct event_reader *
event_reader_new (const char *default_workspace)
{
  struct event_reader *reader = memory_zeroed (1, sizeof *reader);

  if (default_workspace != NULL)
    reader->default_workspace = memory_strdup (default_workspace);
  for (size_t i = 0; i < ATTRIBUTE_N_KEPT; i++)
    buf_init (&reader->kept[i], 0);
  buf_init (&reader->scratch, 0);
  buf_init (&reader->prefix, 0);
  return reader;
}

void
event_reader_free (struct event_reader *reader)
{
  if (reader == NULL)
    return;
  for (size_t i = 0; i < ATTRIBUTE_N_KEPT; i++)
    buf_done (&reader->kept[i]);
  buf_done (&reader->scratch);
  buf_done (&reader->prefix);
  json_index_done (&reader->index);
  free (reader->default_workspace);
  free (reader);
}

void
event_reader_lend (struct event_reader *reader, const char *workspace)
{
  reader->is_lending = true;
  reader->lent = workspace;
}

static int
event_refuse (struct event_error *ret_error, const char *what,
              const char *why)
{
  snprintf (ret_error->reason, sizeof ret_error->reason, "%s%s%s", what,
            what[0] != '\0' ? " " : "", why);
  return -1;
}

/* Which attribute a key is, or ATTRIBUTE_N. */
static unsigned
event_find_attribute (const char *key, size_t len)
{
  unsigned k;

  for (k = 0; k < ATTRIBUTE_N; k++) {
    const char *name = event_attribute_names[k];

    if (name[0] == key[0] && strlen (name) == len
        && memcmp (name, key, len) == 0)
      break;
  }
  return k;
}

/* CloudEvents 1.0, 3.1: lower-case letters and digits. */
static bool
event_is_attribute_name (const char *key, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if (!((key[i] >= 'a' && key[i] <= 'z')
          || (key[i] >= '0' && key[i] <= '9')))
      return false;
  return len > 0;
}

/* An extension may be a string, a number or a boolean; null counts as
 * not given (JSON format 2.2). */
static int
event_check_extension (const char *key, size_t len, unsigned kind,
                       struct event_error *ret_error)
{
  char what[60];

  if (!event_is_attribute_name (key, len))
    return event_refuse (ret_error, "an attribute's name",
                         "has other characters than a-z and 0-9");
  if (kind != JSON_ARRAY && kind != JSON_OBJECT)
    return 0;
  snprintf (what, sizeof what, "attribute %.*s%s",
            len > 40 ? 40 : (int) len, key, len > 40 ? "..." : "");
  return event_refuse (ret_error, what,
                       "is not a string, number or boolean");
}

/* Note where the known attributes stand, check the others. */
static int
event_walk_attributes (struct event_reader *reader,
                       struct event_error *ret_error)
{
  const struct json_index *index = &reader->index;
  bool has_workspace = false;
  uint32_t node = 1;

  memset (reader->nodes, 0, sizeof reader->nodes);
  reader->only_for = 0;
  buf_clear (&reader->prefix);
  for (uint32_t i = 0; i < index->nodes[0].count; i++) {
    const struct json_node *key = &index->nodes[node];
    const struct json_node *value = &index->nodes[node + 1];
    const char *name = index->text + key->start;
    size_t len = key->len;
    unsigned k;

    if (key->has_escapes) {
      buf_clear (&reader->scratch);
      json_unescape (name, len, &reader->scratch);
      name = reader->scratch.data;
      len = reader->scratch.len;
    }
    k = len > 0 ? event_find_attribute (name, len) : ATTRIBUTE_N;
    if (k == ATTRIBUTE_ONLY_FOR)
      reader->only_for = node + 1;
    if (k == ATTRIBUTE_WORKSPACE)
      has_workspace = true;
    if (k < ATTRIBUTE_N) {
      if (value->kind != JSON_NULL || k >= ATTRIBUTE_DATA)
        reader->nodes[k] = node + 1;
    } else if (event_check_extension (name, len, value->kind, ret_error)
             != 0)
      return -1;
    node = value->next;
  }
  if (!has_workspace && reader->lent != NULL) {
    buf_add_text (&reader->prefix, "\"workspace\":");
    text_add_json (&reader->prefix, reader->lent, strlen (reader->lent));
    buf_add_char (&reader->prefix, ',');
  }
  return 0;
}

/* Put an attribute's text into out; without it out is left empty. */
static int
event_read_attribute (struct event_reader *reader, unsigned k,
                      struct buf *out, struct event_error *ret_error)
{
  uint32_t node = reader->nodes[k];

  buf_clear (out);
  if (node == 0)
    return 0;
  if (reader->index.nodes[node].kind != JSON_STRING)
    return event_refuse (ret_error, event_attribute_names[k],
                         "is not a string");
  json_index_add_text (&reader->index, node, out);
  /* CloudEvents 1.0, 3.1.1 forbids them, and \u0000 would cut it short. */
  if (!text_is_one_line (out->data, out->len))
    return event_refuse (ret_error, event_attribute_names[k],
                         "has a control character");
  return 0;
}

/* application/json, text/json, anything+json, with parameters or not. */
static bool
event_is_json_type (char *type)
{
  size_t len = strcspn (type, "; ");

  type[len] = '\0';
  return text_equal_fold (type, "application/json")
         || text_equal_fold (type, "text/json")
         || (len > 5 && text_equal_fold (type + len - 5, "+json"));
}

static int
event_check_optional (struct event_reader *reader,
                      struct event_error *ret_error)
{
  struct buf *text = &reader->scratch;

  if (event_read_attribute (reader, ATTRIBUTE_TIME, text, ret_error) != 0)
    return -1;
  reader->time_ms = 0;
  if (reader->nodes[ATTRIBUTE_TIME] != 0) {
    reader->time_ms = date_read_rfc3339 (text->data, text->len);
    if (reader->time_ms < 0)
      return event_refuse (ret_error, "time", "is no RFC 3339 time after "
                           "1970, such as 2026-11-23T08:15:30Z");
  }
  if (event_read_attribute (reader, ATTRIBUTE_SCHEMA, text, ret_error) != 0
      || event_read_attribute (reader, ATTRIBUTE_SUBJECT, text, ret_error)
           != 0
      || event_read_attribute (reader, ATTRIBUTE_CONTENT_TYPE, text,
                               ret_error) != 0)
    return -1;
  if (reader->nodes[ATTRIBUTE_CONTENT_TYPE] != 0
      && !event_is_json_type (text->data))
    return event_refuse (ret_error, "datacontenttype", "is not JSON");
  return 0;
}

static int
event_check_data (struct event_reader *reader,
                  struct event_error *ret_error)
{
  if (reader->nodes[ATTRIBUTE_DATA_BASE64] != 0)
    return event_refuse (ret_error, "data_base64",
                         "is not read: data must be a JSON object");
  reader->data = reader->nodes[ATTRIBUTE_DATA];
  if (reader->data != 0
      && reader->index.nodes[reader->data].kind != JSON_OBJECT)
    return event_refuse (ret_error, "data", "is not an object");
  return 0;
}

/* A CloudEvent: what must be there is, and all of it is well-formed. */
static int
event_check (struct event_reader *reader, struct event_error *ret_error)
{
  struct buf *version = &reader->scratch;

  if (event_walk_attributes (reader, ret_error) != 0
      || event_read_attribute (reader, ATTRIBUTE_SPECVERSION, version,
                               ret_error) != 0)
    return -1;
  if (strcmp (version->data, "1.0") != 0)
    return event_refuse (ret_error, "specversion", "is not 1.0");
  for (unsigned k = 0; k < ATTRIBUTE_N_KEPT; k++) {
    const char *why = reader->nodes[k] == 0 ? "is missing" : "is empty";

    if (event_read_attribute (reader, k, &reader->kept[k], ret_error)
        != 0)
      return -1;
    if (k == ATTRIBUTE_WORKSPACE && reader->prefix.len > 0)
      buf_add_text (&reader->kept[k], reader->lent);
    if (reader->kept[k].len == 0 && k != ATTRIBUTE_ONLY_FOR)
      return event_refuse (ret_error, event_attribute_names[k], why);
  }
  if (event_check_optional (reader, ret_error) != 0)
    return -1;
  return event_check_data (reader, ret_error);
}

/* An object that is data alone gets its attributes here. */
static int
event_make_attributes (struct event_reader *reader,
                       struct event_error *ret_error)
{
  char id[CRYPTO_UUID_LEN + 1];

  if (reader->is_lending && reader->default_workspace == NULL)
    return event_refuse (ret_error, "specversion", "is missing");
  if (reader->default_workspace == NULL)
    return event_refuse (ret_error, "specversion", "is missing: data alone "
                         "is taken only with --workspace NAME");
  for (unsigned k = 0; k < ATTRIBUTE_N_KEPT; k++)
    buf_clear (&reader->kept[k]);
  crypto_uuid_random (id);
  buf_add_text (&reader->kept[ATTRIBUTE_ID], id);
  buf_add_text (&reader->kept[ATTRIBUTE_SOURCE], event_made_source);
  buf_add_text (&reader->kept[ATTRIBUTE_TYPE], event_made_type);
  buf_add_text (&reader->kept[ATTRIBUTE_WORKSPACE],
                reader->default_workspace);
  buf_clear (&reader->prefix);
  reader->only_for = 0;
  reader->time_ms = date_now_ms ();
  reader->data = 0;
  return 0;
}

/* The bytes that unescaped keys of data need; most events need none. */
static size_t
event_escaped_keys (const struct json_index *index, uint32_t object)
{
  size_t total = 0;
  uint32_t node = object + 1;

  for (uint32_t i = 0; i < index->nodes[object].count; i++) {
    if (index->nodes[node].has_escapes)
      total += index->nodes[node].len;
    node = index->nodes[node + 1].next;
  }
  return total;
}

/* Fill the table; unescaped keys are written to strings. */
static void
event_fill (struct event *event, uint32_t *hints,
            struct event_reader *reader, uint32_t object, char *strings)
{
  const struct json_index *index = &reader->index;
  const char *text = event->text + reader->prefix.len;
  uint32_t node = object + 1;

  for (uint32_t i = 0; i < event->n_fields; i++) {
    const struct json_node *key = &index->nodes[node];
    const struct json_node *value = &index->nodes[node + 1];
    struct event_slot *slot = &event->slots[i];

    slot->key = text + key->start;
    slot->key_len = key->len;
    if (key->has_escapes) {
      struct buf *plain = &reader->scratch;

      buf_clear (plain);
      json_unescape (slot->key, key->len, plain);
      memcpy (strings, plain->data, plain->len);
      slot->key = strings;
      slot->key_len = (uint32_t) plain->len;
      strings += plain->len;
    }
    hints[i] = event_hint (slot->key, slot->key_len);
    slot->value.text = text + value->start;
    slot->value.len = value->len;
    slot->value.kind = value->kind;
    slot->value.has_escapes = value->has_escapes;
    node = value->next;
  }
}

/* Line breaks stand between tokens only (RFC 8259, 7), so making them
 * spaces changes no value and makes the text one line. */
static void
event_copy_line (char *copy, const struct buf *prefix, const char *text,
                 size_t len)
{
  static const char breaks[] = { '\n', '\r' };

  /* Behind the brace, which stays where it is. */
  *copy = *text;
  memcpy (copy + 1, prefix->data, prefix->len);
  memcpy (copy + 1 + prefix->len, text + 1, len - 1);
  len += prefix->len;
  copy[len] = '\0';
  for (size_t i = 0; i < sizeof breaks; i++)
    for (char *at = memchr (copy, breaks[i], len); at != NULL;
         at = memchr (at, breaks[i], (size_t) (copy + len - at)))
      *at = ' ';
}

/* Make the block of what was read and checked. */
static struct event *
event_build (struct event_reader *reader, size_t len)
{
  const struct json_index *index = &reader->index;
  size_t shift = reader->prefix.len;
  bool has_data = reader->data != 0 || reader->is_data_alone;
  uint32_t n = has_data ? index->nodes[reader->data].count : 0;
  const struct json_node *only_for = &index->nodes[reader->only_for];
  size_t size = sizeof (struct event) + n * sizeof (struct event_slot)
                + n * sizeof (uint32_t) + shift + len + 1;
  struct event *event;
  uint32_t *hints;
  char *at;

  for (unsigned k = 0; k < ATTRIBUTE_N_KEPT; k++)
    size += reader->kept[k].len + 1;
  if (has_data)
    size += event_escaped_keys (index, reader->data);

  event = memory_alloc (size);
  memset (event, 0, sizeof *event);
  event->n_holders = 1;
  event->memory = size;
  event->n_fields = n;
  event->is_data_alone = reader->is_data_alone;
  event->time_ms = reader->time_ms;
  hints = (uint32_t *) (event->slots + n);
  event->hints = hints;
  at = (char *) (hints + n);
  for (unsigned k = 0; k < ATTRIBUTE_N_KEPT; k++) {
    event->kept[k] = at;
    memcpy (at, reader->kept[k].data, reader->kept[k].len + 1);
    at += reader->kept[k].len + 1;
  }
  event->text = at;
  event->text_len = (uint32_t) (shift + len);
  event_copy_line (at, &reader->prefix, index->text, len);
  if (reader->only_for != 0) {
    uint32_t quote = only_for->kind == JSON_STRING ? 1 : 0;

    event->only_for_start = (uint32_t) (shift + only_for->start - quote);
    event->only_for_len = only_for->len + 2 * quote;
  }
  if (has_data)
    event_fill (event, hints, reader, reader->data, at + shift + len + 1);
  return event;
}

static bool
event_is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int
event_reader_read (struct event_reader *reader, const char *text,
                   size_t len, struct event **ret_event,
                   struct event_error *ret_error)
{
  struct json_error error;
  struct json_index *index = &reader->index;
  size_t skipped = 0;

  while (skipped < len && event_is_space (text[skipped]))
    skipped++;
  text += skipped;
  len -= skipped;
  while (len > 0 && event_is_space (text[len - 1]))
    len--;
  if (json_index_read (index, text, len, EVENT_MAX_DEPTH, JSON_UNIQUE_KEYS,
                       &error) != 0) {
    snprintf (ret_error->reason, sizeof ret_error->reason,
              "not JSON at byte %zu: %s", skipped + error.offset + 1,
              error.reason);
    return -1;
  }
  if (index->nodes[0].kind != JSON_OBJECT)
    return event_refuse (ret_error, "", "is not an object");
  reader->is_data_alone
    = json_index_member (index, 0, "specversion", 11) == 0;
  if ((reader->is_data_alone ? event_make_attributes (reader, ret_error)
                             : event_check (reader, ret_error)) != 0)
    return -1;
  *ret_event = event_build (reader, len);
  return 0;
}
