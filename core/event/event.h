/* event.h - one CloudEvents 1.0 object.
 *
 * An event is its bytes and an index of its fields.  Everything else
 * reads it through event_field (), so what parses it can be replaced.
 * It never changes once made, is counted, and is one block of memory.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_EVENT_H
#define HERALD_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_index.h"

struct event;

/* A value as it stands in the event. */
struct event_value {
  const char *text;             /* JSON; of a string: between the quotes */
  uint32_t len;
  uint8_t kind;                 /* enum json_kind */
  bool has_escapes;             /* a string with backslashes */
};

enum {
  EVENT_MAX_DEPTH = 64,
  EVENT_MAX_LEN = 1 << 20       /* bytes; the default of --max-event */
};

/* Made once and used for many events: it holds the memory of the index. */
struct event_reader;

struct event_error {
  char reason[200];             /* "data is not an object", one line, never
                                   quotes a value */
};

/* default_workspace: of objects without specversion, which are taken as
 * data alone and get a made id (random), the source "urn:herald:send",
 * the type "participation" and the time of reading; NULL: such objects
 * are refused with a word about --workspace. */
struct event_reader *event_reader_new (const char *default_workspace);
void event_reader_free (struct event_reader *reader);

/* From now on events that have a specversion and no workspace are given
 * this one (NULL: refused).  Not copied. */
void event_reader_lend (struct event_reader *reader, const char *workspace);

/* Check and copy one object.  Refused, with the reason: what is not JSON
 * (with the byte offset), bad UTF-8, duplicate keys, depth above
 * EVENT_MAX_DEPTH, specversion other than 1.0, an absent or empty id,
 * source, type or workspace, attributes of a wrong type, data_base64, data
 * that is no object, a datacontenttype that is not JSON, a bad time. */
int event_reader_read (struct event_reader *reader, const char *text,
                       size_t len, struct event **ret_event,
                       struct event_error *ret_error);

struct event *event_hold (struct event *event);         /* one more owner */
void event_release (struct event *event);               /* NULL is fine */

/* Attributes, unescaped and NUL-terminated. */
const char *event_id (const struct event *event);
const char *event_source (const struct event *event);
const char *event_type (const struct event *event);
const char *event_workspace (const struct event *event);
int64_t event_time_ms (const struct event *event);      /* 0: none given */
size_t event_memory (const struct event *event);        /* bytes held */

/* The extension attribute heraldto: the names, separated by spaces, of
 * the integrations this event is for, "" for all.  herald writes it into
 * what was not delivered, so that sending that again reaches only those
 * that lack it. */
const char *event_only_for (const struct event *event);

/* A member of data, or NULL.  A JSON null is a value of kind JSON_NULL. */
const struct event_value *event_field (const struct event *event,
                                       const char *key, size_t len);
/* A field's text: a string without escapes, a number or boolean as
 * written, an array or object as JSON, nothing for null or none. */
void event_add_field_text (const struct event *event, const char *key,
                           size_t len, struct buf *out);
/* There, not null and not "". */
bool event_has (const struct event *event, const char *key, size_t len);

/* What event_add_json () would write with only_for NULL, as it stands in
 * the event; NULL if it stands there in other words (data alone). */
const char *event_line (const struct event *event, size_t *ret_len);
/* The whole event as one line of JSON that reads back as the same event
 * (same id), with heraldto set to only_for unless that is NULL. */
void event_add_json (const struct event *event, const char *only_for,
                     struct buf *out);

#endif
