/* members.c - what is in a JSON object or array, one after the other.
 *
 * SPDX-License-Identifier: MIT
 */

#include "members.h"

#include <string.h>

static const char members_spaces[] = " \t\r\n";

static const char *
members_skip (const char *at)
{
  return at + strspn (at, members_spaces);
}

/* Where the value at ends. */
static const char *
members_end (const char *at)
{
  bool is_string = false;
  int depth = 0;

  for (; *at != '\0'; at++)
    if (is_string) {
      if (*at == '\\' && at[1] != '\0')
        at++;
      else if (*at == '"')
        is_string = false;
    } else if (*at == '"')
      is_string = true;
    else if (depth == 0 && strchr (",:]} \t\r\n", *at) != NULL)
      break;
    else
      depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
  return at;
}

static const char *
members_take (struct members *members)
{
  const char *start = members_skip (members->at);

  members->at = members_end (start);
  return herald->format ("%.*s", (int) (members->at - start), start);
}

void
members_open (struct members *members, const char *json)
{
  members->at = members_skip (json);
  members->is_object = *members->at == '{';
  members->name = members->value = "";
  if (*members->at != '{' && *members->at != '[')
    members->at = "";
}

/* Each time it stands before the opening bracket or a comma. */
bool
members_next (struct members *members)
{
  members->at = members_skip (members->at);
  if (*members->at == '\0' || strchr ("{[,", *members->at) == NULL)
    return false;
  members->at = members_skip (members->at + 1);
  if (*members->at == '}' || *members->at == ']')
    return false;
  if (members->is_object) {
    members->name = members_text (members_take (members));
    members->at = members_skip (members->at);
    members->at += *members->at == ':';
  }
  members->value = members_take (members);
  return true;
}

static unsigned long
members_hex (const char *at)
{
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  unsigned long made = 0;

  for (size_t k = 0; k < 4; k++) {
    const char *digit = at[k] != '\0' ? strchr (digits, at[k]) : NULL;

    if (digit == NULL)
      return '?';
    made = made * 16 + (unsigned long) (digit - digits) % 16;
  }
  return made;
}

/* RFC 3629; a lone half of a pair becomes a question mark. */
static char *
members_put (char *to, unsigned long point)
{
  if (point == 0 || (point >= 0xd800 && point <= 0xdfff) || point > 0x10ffff)
    point = '?';
  if (point < 0x80)
    *to++ = (char) point;
  else if (point < 0x800) {
    *to++ = (char) (0xc0 | point >> 6);
    *to++ = (char) (0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    *to++ = (char) (0xe0 | point >> 12);
    *to++ = (char) (0x80 | (point >> 6 & 0x3f));
    *to++ = (char) (0x80 | (point & 0x3f));
  } else {
    *to++ = (char) (0xf0 | point >> 18);
    *to++ = (char) (0x80 | (point >> 12 & 0x3f));
    *to++ = (char) (0x80 | (point >> 6 & 0x3f));
    *to++ = (char) (0x80 | (point & 0x3f));
  }
  return to;
}

const char *
members_text (const char *json)
{
  static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
  char *made, *to;

  if (*json != '"')
    return json;
  made = to = herald->alloc (strlen (json) + 1);
  for (json++; *json != '\0' && *json != '"'; json++) {
    const char *letter;
    unsigned long point;

    if (*json != '\\' || json[1] == '\0') {
      *to++ = *json;
      continue;
    }
    json++;
    letter = strchr (letters, *json);
    if (*json != 'u' || strlen (json) < 5)
      *to++ = letter != NULL ? meant[letter - letters] : *json;
    else {
      point = members_hex (json + 1);
      json += 4;
      if (point >> 10 == 0xd800 >> 10 && json[1] == '\\' && json[2] == 'u'
          && strlen (json) > 6
          && members_hex (json + 3) >> 10 == 0xdc00 >> 10) {
        point = 0x10000 + ((point & 0x3ff) << 10)
                + (members_hex (json + 3) & 0x3ff);
        json += 6;
      }
      to = members_put (to, point);
    }
  }
  return made;
}
