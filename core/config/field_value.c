/* field_value.c - one value of a setting, checked against its field.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/field_value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/json_index.h"
#include "base/number.h"
#include "base/text.h"
#include "config/network.h"

enum { MAX_JSON_DEPTH = 32, MAX_TEXT = 8192 };

/* What field_value_read is at. */
struct check {
  const struct herald_field *field;
  const char *text;
  const struct settings_scope *scope;
  struct arena *arena;
  char *reason;
};

static int __attribute__ ((__format__ (__printf__, 2, 3)))
refuse (const struct check *check, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  vsnprintf (check->reason, FIELD_VALUE_REASON, fmt, args);
  va_end (args);
  return -1;
}

/* The upper bound, or INT64_MAX: a field that sets neither has none, and
 * one that sets min alone has max 0. */
static int64_t
upper (const struct herald_field *field)
{
  bool is_unset = field->min == 0 && field->max == 0;

  return is_unset || field->max < field->min ? INT64_MAX : field->max;
}

static int64_t
lower (const struct herald_field *field, int64_t least)
{
  bool is_unset = field->min == 0 && field->max == 0;

  return is_unset ? least : field->min;
}

static size_t
characters (const char *text)
{
  size_t n = 0;

  for (; *text != '\0'; text++)
    if (((unsigned char) *text & 0xc0) != 0x80)
      n++;
  return n;
}

static int
check_length (const struct check *check)
{
  int64_t len = (int64_t) characters (check->text);
  int64_t least = lower (check->field, 0), most = upper (check->field);

  if (len < least)
    return refuse (check, "must have at least %" PRId64 " characters", least);
  if (len > most)
    return refuse (check, "must not have more than %" PRId64 " characters",
                   most);
  return 0;
}

static int
read_text (const struct check *check, struct field_value *ret_value)
{
  (void) ret_value;
  if (strpbrk (check->text, "\r\n") != NULL)
    return refuse (check, "must be one line");
  if (!text_is_one_line (check->text, strlen (check->text)))
    return refuse (check, "has a control character in it");
  if (strlen (check->text) > MAX_TEXT)
    return refuse (check, "must not have more than %d bytes", MAX_TEXT);
  return check_length (check);
}

static int
read_long_text (const struct check *check, struct field_value *ret_value)
{
  (void) ret_value;
  for (const char *at = check->text; *at != '\0'; at++)
    if (((unsigned char) *at < ' ' && strchr ("\t\r\n", *at) == NULL)
        || *at == 0x7f)
      return refuse (check, "has a control character in it");
  return check_length (check);
}

static int
read_number (const struct check *check, struct field_value *ret_value)
{
  int64_t least = lower (check->field, INT64_MIN);
  int64_t most = upper (check->field);

  if (number_read (check->text, strlen (check->text), least, most,
                   &ret_value->number) == 0)
    return 0;
  if (least == INT64_MIN && most == INT64_MAX)
    return refuse (check, "must be a whole number");
  if (most == INT64_MAX)
    return refuse (check, "must be a whole number, at least %" PRId64, least);
  return refuse (check, "must be a whole number between %" PRId64 " and %"
                 PRId64, least, most);
}

static int
read_bool (const struct check *check, struct field_value *ret_value)
{
  static const char *const words[] = {
    "false", "true", "no", "yes", "0", "1", NULL
  };

  for (int64_t k = 0; words[k] != NULL; k++)
    if (text_equal_fold (check->text, words[k])) {
      ret_value->number = k % 2;
      ret_value->text = words[k % 2];
      return 0;
    }
  return refuse (check, "must be true or false");
}

enum { MOST_CHOICES = 64 };

static int
read_choice (const struct check *check, struct field_value *ret_value)
{
  const struct herald_choice *choices = check->field->choices;
  const char *values[MOST_CHOICES + 1];
  struct buf list = BUF_INIT (FIELD_VALUE_REASON / 2);
  const char *nearest;
  size_t n = 0;

  for (; choices != NULL && n < MOST_CHOICES && choices[n].value != NULL;
       n++) {
    if (strcmp (choices[n].value, check->text) == 0) {
      ret_value->number = (int64_t) n;
      buf_done (&list);
      return 0;
    }
    values[n] = choices[n].value;
    buf_printf (&list, "%s%s", n > 0 ? ", " : "", choices[n].value);
  }
  values[n] = NULL;
  nearest = text_nearest (check->text, values);
  refuse (check, "must be one of %s%s%s%s", list.data,
          nearest != NULL ? "; did you mean " : "",
          nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
  buf_done (&list);
  return -1;
}

static int
read_url (const struct check *check, struct field_value *ret_value)
{
  bool is_base = check->field->type == HERALD_BASE_URL;
  size_t len = strlen (check->text);
  char reason[200];

  if (network_check_url (check->text, is_base, check->scope->allow_http,
                         reason) < 0)
    return refuse (check, "%s", reason);
  while (is_base && len > 0 && check->text[len - 1] == '/')
    len--;
  ret_value->text = arena_strndup (check->arena, check->text, len);
  return 0;
}

static int
read_email (const struct check *check, struct field_value *ret_value)
{
  struct buf wire = BUF_INIT (1024);
  const char *reason = "is no e-mail address";
  int status = address_add (&wire, check->text, strlen (check->text),
                            &reason);

  if (status == 0)
    ret_value->text = arena_strndup (check->arena, wire.data, wire.len);
  else
    refuse (check, "is no e-mail address: %s", reason);
  buf_done (&wire);
  return status;
}

static int
read_duration (const struct check *check, struct field_value *ret_value)
{
  int64_t least = lower (check->field, 0), most = upper (check->field);
  struct buf range = BUF_INIT (100);
  int64_t ms;

  if (number_read_duration (check->text, &ms) < 0)
    return refuse (check, "must be a duration like 500ms, 30s, 5m, 24h or "
                          "7d");
  if (ms >= least && ms <= most) {
    ret_value->number = ms;
    return 0;
  }
  number_add_duration (&range, least);
  if (most < INT64_MAX) {
    buf_add_text (&range, " and at most ");
    number_add_duration (&range, most);
  }
  refuse (check, "must be at least %s", range.data);
  buf_done (&range);
  return -1;
}

/* RFC 9110, section 5.6.2. */
static bool
is_token (const char *text, size_t len)
{
  static const char letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    "!#$%&'*+-.^_`|~";

  return len > 0 && strspn (text, letters) >= len;
}

/* Headers by which a request could be made to end elsewhere than herald
 * thinks. */
static const char *const framing[] = {
  "Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "TE",
  "Trailer", "Transfer-Encoding", "Upgrade", NULL
};

static int
read_header (const struct check *check, struct field_value *ret_value)
{
  const char *colon = strchr (check->text, ':');
  size_t len = colon != NULL ? (size_t) (colon - check->text) : 0;
  const char *value;

  if (colon == NULL)
    return refuse (check, "must read \"Name: value\"");
  if (!is_token (check->text, len))
    return refuse (check, "must start with a header's name (letters, digits "
                          "and -) and a colon");
  for (value = check->text; *value != '\0'; value++)
    if (((unsigned char) *value < ' ' && *value != '\t') || *value == 0x7f)
      return refuse (check, "has a line break or control character in it");
  for (size_t k = 0; framing[k] != NULL; k++)
    if (strlen (framing[k]) == len
        && strncasecmp (framing[k], check->text, len) == 0)
      return refuse (check, "must not set %s: herald does", framing[k]);
  value = colon + 1 + strspn (colon + 1, " \t");
  ret_value->text = arena_printf (check->arena, "%.*s: %s", (int) len,
                                  check->text, value);
  return 0;
}

static int
read_json (const struct check *check, struct field_value *ret_value)
{
  struct json_index index = { 0 };
  struct json_error error;
  bool is_object;
  int status;

  (void) ret_value;
  status = json_index_read (&index, check->text, strlen (check->text),
                            MAX_JSON_DEPTH, JSON_UNIQUE_KEYS, &error);
  is_object = status == 0 && index.nodes[0].kind == JSON_OBJECT;
  json_index_done (&index);
  if (status < 0)
    return refuse (check, "is not JSON: %s at byte %zu", error.reason,
                   error.offset);
  if (!is_object)
    return refuse (check, "must be a JSON object: {\"name\": ...}");
  return 0;
}

static int
read_source (const struct check *check, struct field_value *ret_value)
{
  const struct catalogue *catalogue = check->scope->catalogue;
  const char *nearest;

  (void) ret_value;
  if (catalogue == NULL
      || catalogue_find (catalogue, check->text, strlen (check->text))
           != NULL)
    return 0;
  nearest = catalogue_nearest (catalogue, check->text);
  if (nearest != NULL)
    return refuse (check, "is \"%.64s\", which is no source field; did you "
                   "mean %s?", check->text, nearest);
  return refuse (check, "is \"%.64s\", which is no source field; name one, or "
                 "declare it in <fields> of herald.xml", check->text);
}

static int
read_target (const struct check *check, struct field_value *ret_value)
{
  const struct mapping *mapping = check->scope->mapping;

  (void) ret_value;
  if (mapping != NULL && mapping_has (mapping, check->text))
    return 0;
  return refuse (check, "is \"%.64s\", which no row maps; add <field "
                 "name=\"%.64s\" source=\"...\"/>", check->text, check->text);
}

typedef int read_fn (const struct check *check,
                     struct field_value *ret_value);

static read_fn *const readers[] = {
  [HERALD_TEXT] = read_text, [HERALD_LONG_TEXT] = read_long_text,
  [HERALD_NUMBER] = read_number, [HERALD_BOOL] = read_bool,
  [HERALD_CHOICE] = read_choice, [HERALD_URL] = read_url,
  [HERALD_BASE_URL] = read_url, [HERALD_EMAIL] = read_email,
  [HERALD_DURATION] = read_duration, [HERALD_HEADER] = read_header,
  [HERALD_JSON] = read_json, [HERALD_SOURCE] = read_source,
  [HERALD_TARGET] = read_target
};

int
field_value_read (const struct herald_field *field, const char *text,
                  const struct settings_scope *scope, struct arena *arena,
                  struct field_value *ret_value,
                  char ret_reason[FIELD_VALUE_REASON])
{
  struct check check = { field, text, scope, arena, ret_reason };
  struct field_value value = { text, 0 };

  if (field->type >= sizeof readers / sizeof *readers
      || readers[field->type] == NULL)
    return refuse (&check, "is of a type that this herald does not know");
  if (readers[field->type] (&check, &value) < 0)
    return -1;
  *ret_value = value;
  return 0;
}
