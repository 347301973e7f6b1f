/* event_state.h - what the files of an event share; nobody else includes it.
 *
 * An event is one block: the struct, the table of data's members, their
 * hints, the attributes as C strings, and a copy of the text, which the
 * table points into.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_EVENT_STATE_H
#define HERALD_EVENT_STATE_H

#include "event.h"

enum attribute {
  ATTRIBUTE_ID, ATTRIBUTE_SOURCE, ATTRIBUTE_TYPE, ATTRIBUTE_WORKSPACE,
  ATTRIBUTE_ONLY_FOR,
  ATTRIBUTE_N_KEPT,             /* those above are kept as strings */
  ATTRIBUTE_TIME = ATTRIBUTE_N_KEPT, ATTRIBUTE_SPECVERSION,
  ATTRIBUTE_CONTENT_TYPE, ATTRIBUTE_SCHEMA, ATTRIBUTE_SUBJECT,
  ATTRIBUTE_DATA, ATTRIBUTE_DATA_BASE64, ATTRIBUTE_N
};

extern const char *const event_attribute_names[ATTRIBUTE_N];

struct event_slot {
  const char *key;              /* without escapes; no NUL behind it */
  uint32_t key_len;
  struct event_value value;
};

struct event {
  uint32_t n_holders;
  uint32_t n_fields;
  uint32_t text_len;
  uint32_t only_for_start;      /* where heraldto's value stands in text */
  uint32_t only_for_len;        /* with its quotes; 0: it has none */
  bool is_data_alone;           /* text is data; attributes were made */
  int64_t time_ms;
  size_t memory;
  const char *kept[ATTRIBUTE_N_KEPT];
  const char *text;             /* one line */
  const uint32_t *hints;        /* event_hint () of each slot's key */
  struct event_slot slots[];
};

/* What tells most keys apart without looking at them: the length, the
 * first, a middle and the last character. */
static inline uint32_t
event_hint (const char *key, size_t len)
{
  const unsigned char *c = (const unsigned char *) key;

  if (len == 0)
    return 0;
  return (uint32_t) (len & 0xff) | (uint32_t) c[0] << 8
         | (uint32_t) c[len / 2] << 16 | (uint32_t) c[len - 1] << 24;
}

#endif
