/* media.c - which content mode a request's head asks for.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/media.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "intake/framing.h"

const char media_accepted[]
  = "application/cloudevents+json, application/cloudevents-batch+json, "
    "application/json, application/x-ndjson";

static const struct {
  const char *type;
  enum body_mode mode;
} media_types[] = {
  { "application/cloudevents+json", BODY_STRUCTURED },
  { "application/cloudevents-batch+json", BODY_BATCH },
  { "application/x-ndjson", BODY_LINES },
  { "application/ndjson", BODY_LINES },
  { "application/json", BODY_EITHER },
};

static const char media_blanks[] = " \t";

static bool
media_is (const char *text, size_t len, const char *word)
{
  return strlen (word) == len && strncasecmp (text, word, len) == 0;
}

/* application/json, text/json, anything+json: as in an event. */
static bool
media_is_json (const char *text, size_t len)
{
  return media_is (text, len, "application/json")
         || media_is (text, len, "text/json")
         || (len > 5 && media_is (text + len - 5, 5, "+json"));
}

/* Parameters: all may be there, but JSON is UTF-8 (RFC 8259, 8.1). */
static bool
media_is_utf8 (const char *parameters)
{
  const char *at = parameters;

  while (*at == ';') {
    const char *value;
    size_t len;

    at += 1;
    at += strspn (at, media_blanks);
    len = strcspn (at, ";");
    value = memchr (at, '=', len);
    if (value != NULL && media_is (at, (size_t) (value - at), "charset")) {
      size_t quote = value[1] == '"';
      const char *name = value + 1 + quote;
      size_t n = strcspn (name, "\"; \t");

      if (!media_is (name, n, "utf-8") && !media_is (name, n, "us-ascii"))
        return false;
    }
    at += len;
  }
  return true;
}

int
media_read (const char *content_type, bool has_attributes,
            enum body_mode *ret_mode)
{
  size_t len;

  if (content_type == NULL) {
    *ret_mode = BODY_BINARY;
    return has_attributes ? 0 : -1;
  }
  content_type += strspn (content_type, media_blanks);
  len = strcspn (content_type, "; \t");
  if (!media_is_utf8 (content_type + strcspn (content_type, ";")))
    return -1;
  /* What says it is an event is one, with ce- fields or not. */
  for (size_t i = 0; i < sizeof media_types / sizeof media_types[0]; i++)
    if (media_is (content_type, len, media_types[i].type)
        && (i < 2 || !has_attributes)) {
      *ret_mode = media_types[i].mode;
      return 0;
    }
  if (!has_attributes || !media_is_json (content_type, len)
      || strncasecmp (content_type, "application/cloudevents", 23) == 0)
    return -1;
  *ret_mode = BODY_BINARY;
  return 0;
}

int
media_read_encoding (const char *encoding, bool *ret_is_gzip)
{
  size_t len = encoding != NULL ? framing_value_len (encoding) : 0;

  *ret_is_gzip = len > 0 && (media_is (encoding, len, "gzip")
                             || media_is (encoding, len, "x-gzip"));
  return *ret_is_gzip || len == 0 || media_is (encoding, len, "identity")
           ? 0 : -1;
}
