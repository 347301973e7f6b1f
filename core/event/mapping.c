/* mapping.c - rows that make a record of an event.
 *
 * SPDX-License-Identifier: MIT
 */

#include "mapping.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "template.h"

enum {
  MAPPING_REASON = 200,
  MAPPING_MAX_LEVELS = 16       /* of dotted targets */
};

/* A member of the record: a row's value, or an object of members. */
struct mapping_node {
  const char *name;             /* one segment of a dotted target */
  size_t name_len;
  const char *json_key;         /* "name": as it is written */
  size_t json_key_len;
  const struct mapping_rule *rule;      /* NULL: an object */
  struct mapping_node *first;           /* of an object */
  struct mapping_node *last;
  struct mapping_node *next;
};

/* Text as each kind of record has it. */
struct mapping_constant {
  const char *json;             /* typed */
  const char *string;           /* the same as a JSON string */
  const char *text;             /* without quotes */
};

/* A compiled row. */
struct mapping_rule {
  const char *target;
  const char *source;
  size_t source_len;
  const struct template *template;
  bool is_constant;             /* the value is constant, else fallback */
  bool has_fallback;
  struct mapping_constant constant;
  enum mapping_as as;
  enum mapping_missing missing;
};

struct mapping {
  struct arena *arena;
  bool is_nested;
  struct mapping_node root;
  struct mapping_rule **rules;
  size_t n;
  size_t size;
};

/* What one mapping_write () needs on its way down the tree. */
struct mapping_writer {
  const struct event *event;
  bool is_text, is_whole;
  struct buf *out;
  struct buf scratch;
  char *reason;
};

/* What became of a value. */
enum mapping_result { MAPPING_WRITTEN, MAPPING_MISSING, MAPPING_UNREADABLE };

static const char *const mapping_as_words[] = {
  [MAPPING_AS_IS] = "text",
  [MAPPING_STRING] = "text",
  [MAPPING_NUMBER] = "number",
  [MAPPING_BOOLEAN] = "boolean",
};

struct mapping *
mapping_new (struct arena *arena, bool is_nested)
{
  struct mapping *mapping = arena_zeroed (arena, 1, sizeof *mapping);

  mapping->arena = arena;
  mapping->is_nested = is_nested;
  return mapping;
}

/* "true", "false", or NULL. */
static const char *
mapping_read_boolean (const char *text, size_t len)
{
  static const char *const words[][2] = {
    { "true", "true" }, { "false", "false" }, { "1", "true" },
    { "0", "false" },   { "yes", "true" },    { "no", "false" },
    { "on", "true" },   { "off", "false" },
  };
  char word[6];

  if (len >= sizeof word || memchr (text, '\0', len) != NULL)
    return NULL;
  memcpy (word, text, len);
  word[len] = '\0';
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (text_equal_fold (word, words[i][0]))
      return words[i][1];
  return NULL;
}

/* Text as a value of type as. */
static enum mapping_result
mapping_add_typed (const char *text, size_t len, enum mapping_as as,
                   bool is_text, struct buf *out)
{
  const char *word;
  double number;

  switch (as) {
  case MAPPING_NUMBER:
    if (number_read_real (text, len, &number) != 0)
      return MAPPING_UNREADABLE;
    break;
  case MAPPING_BOOLEAN:
    word = mapping_read_boolean (text, len);
    if (word == NULL)
      return MAPPING_UNREADABLE;
    text = word;
    len = strlen (word);
    break;
  default:
    is_text = true;
  }
  if (is_text)
    text_add_json (out, text, len);
  else
    buf_add (out, text, len);
  return MAPPING_WRITTEN;
}

static const char *
mapping_keep (struct mapping *mapping, struct buf *buf)
{
  const char *kept = arena_strndup (mapping->arena, buf->data, buf->len);

  buf_clear (buf);
  return kept;
}

static int
mapping_set_constant (struct mapping *mapping, struct mapping_rule *rule,
                      const char *text, const char *what, char *ret_reason)
{
  size_t len = strlen (text);
  struct buf buf;

  buf_init (&buf, 0);
  if (mapping_add_typed (text, len, rule->as, false, &buf)
      != MAPPING_WRITTEN) {
    buf_done (&buf);
    snprintf (ret_reason, MAPPING_REASON, "%s of %.60s does not read as %s",
              what, rule->target, mapping_as_words[rule->as]);
    return -1;
  }
  rule->constant.json = mapping_keep (mapping, &buf);
  mapping_add_typed (text, len, rule->as, true, &buf);
  rule->constant.string = mapping_keep (mapping, &buf);
  if (rule->as == MAPPING_BOOLEAN)
    rule->constant.text = rule->constant.json;
  else
    rule->constant.text = arena_strdup (mapping->arena, text);
  buf_done (&buf);
  return 0;
}

static int
mapping_check_source (const char *source, const char *target,
                      const struct catalogue *catalogue, char *ret_reason)
{
  const char *nearest;

  if (catalogue_find (catalogue, source, strlen (source)) != NULL)
    return 0;
  nearest = catalogue_nearest (catalogue, source);
  snprintf (ret_reason, MAPPING_REASON,
            "unknown source field %.48s for %.48s%s%s%s", source, target,
            nearest != NULL ? "; did you mean " : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
  return -1;
}

static struct mapping_rule *
mapping_compile (struct mapping *mapping, const struct mapping_row *row,
                 const struct catalogue *catalogue, char *ret_reason)
{
  struct mapping_rule *rule = arena_zeroed (mapping->arena, 1,
                                            sizeof *rule);
  int given = (row->source != NULL) + (row->value != NULL)
              + (row->template != NULL);

  if (given != 1) {
    snprintf (ret_reason, MAPPING_REASON,
              "%.60s needs one of source, value and template",
              row->target);
    return NULL;
  }
  rule->target = arena_strdup (mapping->arena, row->target);
  rule->as = row->as;
  rule->missing = row->missing;
  rule->is_constant = row->value != NULL;
  rule->has_fallback = row->fallback != NULL;
  if (row->source != NULL) {
    if (mapping_check_source (row->source, row->target, catalogue,
                              ret_reason) != 0)
      return NULL;
    rule->source = arena_strdup (mapping->arena, row->source);
    rule->source_len = strlen (row->source);
  }
  if (row->template != NULL) {
    rule->template = template_new (mapping->arena, row->template, false,
                                   catalogue, ret_reason);
    if (rule->template == NULL)
      return NULL;
  }
  if (rule->is_constant
      && mapping_set_constant (mapping, rule, row->value, "the value",
                               ret_reason) != 0)
    return NULL;
  if (!rule->is_constant && rule->has_fallback
      && mapping_set_constant (mapping, rule, row->fallback, "the default",
                               ret_reason) != 0)
    return NULL;
  return rule;
}

static struct mapping_node *
mapping_find_child (const struct mapping_node *object, const char *name,
                    size_t len)
{
  struct mapping_node *node = object->first;

  while (node != NULL
         && (node->name_len != len || memcmp (node->name, name, len) != 0))
    node = node->next;
  return node;
}

static struct mapping_node *
mapping_add_child (struct mapping *mapping, struct mapping_node *object,
                   const char *name, size_t len)
{
  struct mapping_node *node = arena_zeroed (mapping->arena, 1,
                                            sizeof *node);
  struct buf key;

  node->name = name;
  node->name_len = len;
  buf_init (&key, 0);
  text_add_json (&key, name, len);
  buf_add_char (&key, ':');
  node->json_key_len = key.len;
  node->json_key = mapping_keep (mapping, &key);
  buf_done (&key);
  if (object->last != NULL)
    object->last->next = node;
  else
    object->first = node;
  object->last = node;
  return node;
}

/* Segments must not be empty, nor too many for the walk down the tree. */
static bool
mapping_is_target (const struct mapping *mapping, const char *target)
{
  size_t levels = 1;

  if (target[0] == '\0' || !text_is_utf8 (target, strlen (target)))
    return false;
  if (!mapping->is_nested)
    return true;
  for (const char *at = target; *at != '\0'; at++)
    if (*at == '.') {
      levels++;
      if (at == target || at[1] == '.' || at[1] == '\0')
        return false;
    }
  return levels <= MAPPING_MAX_LEVELS;
}

/* Whether the target's place in the tree is free: not taken, not inside a
 * value.  Asked first, so that a refused row leaves the tree as it was. */
static int
mapping_check_place (const struct mapping *mapping, const char *target,
                     char *ret_reason)
{
  const struct mapping_node *node = &mapping->root;
  const char *at = target;

  for (;;) {
    size_t len = mapping->is_nested ? strcspn (at, ".") : strlen (at);

    node = mapping_find_child (node, at, len);
    if (node == NULL)
      return 0;
    if (at[len] == '\0' && node->rule != NULL) {
      snprintf (ret_reason, MAPPING_REASON, "%.60s is mapped twice",
                target);
      return -1;
    }
    if (at[len] == '\0' || node->rule != NULL) {
      snprintf (ret_reason, MAPPING_REASON,
                "%.*s is mapped both as a value and as an object",
                (int) (at - target + (ptrdiff_t) len), target);
      return -1;
    }
    at += len + 1;
  }
}

static void
mapping_place (struct mapping *mapping, const struct mapping_rule *rule)
{
  struct mapping_node *node = &mapping->root;
  const char *at = rule->target;

  for (;;) {
    size_t len = mapping->is_nested ? strcspn (at, ".") : strlen (at);
    struct mapping_node *child = mapping_find_child (node, at, len);

    if (child == NULL)
      child = mapping_add_child (mapping, node, at, len);
    node = child;
    if (at[len] == '\0')
      break;
    at += len + 1;
  }
  node->rule = rule;
}

int
mapping_add (struct mapping *mapping, const struct mapping_row *row,
             const struct catalogue *catalogue, char ret_reason[200])
{
  struct mapping_rule *rule;

  if (!mapping_is_target (mapping, row->target)) {
    snprintf (ret_reason, MAPPING_REASON, "%.60s%s", row->target,
              row->target[0] == '\0' ? "a target has no name"
                                     : " is no target name");
    return -1;
  }
  if (mapping_check_place (mapping, row->target, ret_reason) != 0)
    return -1;
  rule = mapping_compile (mapping, row, catalogue, ret_reason);
  if (rule == NULL)
    return -1;
  mapping_place (mapping, rule);
  if (mapping->n == mapping->size) {
    size_t size = mapping->size == 0 ? 16 : 2 * mapping->size;
    struct mapping_rule **rules = arena_zeroed (mapping->arena, size,
                                                sizeof *rules);

    if (mapping->n > 0)
      memcpy (rules, mapping->rules, mapping->n * sizeof *rules);
    mapping->rules = rules;
    mapping->size = size;
  }
  mapping->rules[mapping->n++] = rule;
  return 0;
}

static const struct mapping_rule *
mapping_find (const struct mapping *mapping, const char *target)
{
  for (size_t i = 0; i < mapping->n; i++)
    if (strcmp (mapping->rules[i]->target, target) == 0)
      return mapping->rules[i];
  return NULL;
}

bool
mapping_has (const struct mapping *mapping, const char *target)
{
  return mapping_find (mapping, target) != NULL;
}

size_t
mapping_count (const struct mapping *mapping)
{
  return mapping->n;
}

const char *
mapping_target (const struct mapping *mapping, size_t k)
{
  return k < mapping->n ? mapping->rules[k]->target : NULL;
}

/* A value that needs no reading: copied as it stands, quoted if need be. */
static void
mapping_add_plain (const struct event_value *value, bool is_text,
                   struct buf *out)
{
  bool is_nested = value->kind == JSON_ARRAY || value->kind == JSON_OBJECT;

  if (is_text && is_nested)
    text_add_json (out, value->text, value->len);
  else if (is_text || value->kind == JSON_STRING) {
    buf_add_char (out, '"');
    buf_add (out, value->text, value->len);
    buf_add_char (out, '"');
  } else
    buf_add (out, value->text, value->len);
}

/* A source field as a number or boolean. */
static enum mapping_result
mapping_add_read (const struct event_value *value, enum mapping_as as,
                  struct mapping_writer *writer)
{
  if (as == MAPPING_NUMBER && value->kind == JSON_NUMBER) {
    mapping_add_plain (value, writer->is_text, writer->out);
    return MAPPING_WRITTEN;
  }
  if (!value->has_escapes)
    return mapping_add_typed (value->text, value->len, as, writer->is_text,
                              writer->out);
  buf_clear (&writer->scratch);
  json_unescape (value->text, value->len, &writer->scratch);
  return mapping_add_typed (writer->scratch.data, writer->scratch.len, as,
                            writer->is_text, writer->out);
}

static enum mapping_result
mapping_add_source (const struct mapping_rule *rule,
                    struct mapping_writer *writer)
{
  const struct event_value *value
    = event_field (writer->event, rule->source, rule->source_len);

  if (value == NULL || value->kind == JSON_NULL)
    return MAPPING_MISSING;
  if (rule->as == MAPPING_NUMBER || rule->as == MAPPING_BOOLEAN)
    return mapping_add_read (value, rule->as, writer);
  mapping_add_plain (value, writer->is_text || rule->as == MAPPING_STRING,
                     writer->out);
  return MAPPING_WRITTEN;
}

static enum mapping_result
mapping_add_template (const struct mapping_rule *rule,
                      struct mapping_writer *writer)
{
  struct buf *text = &writer->scratch;

  buf_clear (text);
  template_write (rule->template, writer->event, text);
  if (text->len == 0)
    return MAPPING_MISSING;
  return mapping_add_typed (text->data, text->len, rule->as,
                            writer->is_text, writer->out);
}

static void
mapping_add_constant (const struct mapping_rule *rule,
                      struct mapping_writer *writer)
{
  buf_add_text (writer->out, writer->is_text ? rule->constant.string
                                             : rule->constant.json);
}

/* What the row is made of, for a reason. */
static void
mapping_fail (const struct mapping_rule *rule,
              const struct mapping_writer *writer, bool is_missing)
{
  if (is_missing && rule->source != NULL)
    snprintf (writer->reason, MAPPING_REASON,
              "%.60s: the event has no %s", rule->target, rule->source);
  else if (is_missing)
    snprintf (writer->reason, MAPPING_REASON,
              "%.60s: its template has no text", rule->target);
  else
    snprintf (writer->reason, MAPPING_REASON,
              "%.60s: %s does not read as %s", rule->target,
              rule->source != NULL ? rule->source : "its template",
              mapping_as_words[rule->as]);
}

/* 1 written, 0 omitted, -1 with a reason. */
static int
mapping_write_value (const struct mapping_rule *rule,
                     struct mapping_writer *writer)
{
  enum mapping_result result = MAPPING_WRITTEN;

  if (rule->is_constant)
    mapping_add_constant (rule, writer);
  else if (rule->source != NULL)
    result = mapping_add_source (rule, writer);
  else
    result = mapping_add_template (rule, writer);

  if (result == MAPPING_WRITTEN)
    return 1;
  if (result == MAPPING_MISSING && rule->has_fallback) {
    mapping_add_constant (rule, writer);
    return 1;
  }
  if (result == MAPPING_MISSING && rule->missing == MAPPING_OMIT
      && !writer->is_whole)
    return 0;
  if (result == MAPPING_MISSING && rule->missing == MAPPING_OMIT) {
    buf_add_text (writer->out, writer->is_text ? "\"\"" : "null");
    return 1;
  }
  if (result == MAPPING_MISSING && rule->missing == MAPPING_NULL) {
    buf_add_text (writer->out, "null");
    return 1;
  }
  mapping_fail (rule, writer, result == MAPPING_MISSING);
  return -1;
}

static void
mapping_cut (struct buf *out, size_t len)
{
  if (out->len > len) {
    out->len = len;
    out->data[len] = '\0';
  }
}

/* Write an object's members.  How many, or -1.  It calls itself at most
 * MAPPING_MAX_LEVELS deep. */
static int
mapping_write_members (const struct mapping_node *object,
                       struct mapping_writer *writer)
{
  struct buf *out = writer->out;
  int n = 0;

  for (const struct mapping_node *node = object->first; node != NULL;
       node = node->next) {
    size_t before = out->len;
    int written;

    if (n > 0)
      buf_add_char (out, ',');
    buf_add (out, node->json_key, node->json_key_len);
    if (node->rule != NULL)
      written = mapping_write_value (node->rule, writer);
    else {
      buf_add_char (out, '{');
      written = mapping_write_members (node, writer);
      buf_add_char (out, '}');
    }
    if (written < 0)
      return -1;
    if (written == 0)
      mapping_cut (out, before);
    else
      n++;
  }
  return n;
}

int
mapping_write (const struct mapping *mapping, const struct event *event,
               unsigned flags, struct buf *out, char ret_reason[200])
{
  struct mapping_writer writer = {
    .event = event, .is_text = (flags & MAPPING_TEXT) != 0,
    .is_whole = (flags & MAPPING_WHOLE) != 0, .out = out,
    .reason = ret_reason
  };
  size_t before = out->len;
  int n;

  buf_init (&writer.scratch, 0);
  buf_add_char (out, '{');
  n = mapping_write_members (&mapping->root, &writer);
  buf_add_char (out, '}');
  buf_done (&writer.scratch);
  if (n < 0) {
    mapping_cut (out, before);
    return -1;
  }
  return 0;
}

/* Whether an event lacks what the row is made of; text_len is what its
 * template came to. */
static bool
mapping_is_missing (const struct mapping_rule *rule,
                    const struct event *event, size_t text_len)
{
  const struct event_value *value;

  if (rule->source == NULL)
    return text_len == 0;
  value = event_field (event, rule->source, rule->source_len);
  return value == NULL || value->kind == JSON_NULL;
}

void
mapping_add_text (const struct mapping *mapping, const char *target,
                  const struct event *event, struct buf *out)
{
  const struct mapping_rule *rule = mapping_find (mapping, target);
  size_t before = out->len;
  const char *word;

  if (rule == NULL)
    return;
  if (rule->source != NULL)
    event_add_field_text (event, rule->source, rule->source_len, out);
  else if (rule->template != NULL)
    template_write (rule->template, event, out);
  if (rule->is_constant
      || (rule->has_fallback
          && mapping_is_missing (rule, event, out->len - before)))
    buf_add_text (out, rule->constant.text);
  if (rule->as != MAPPING_BOOLEAN)
    return;
  word = mapping_read_boolean (out->data + before, out->len - before);
  if (word != NULL) {
    mapping_cut (out, before);
    buf_add_text (out, word);
  }
}
