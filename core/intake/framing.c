/* framing.c - whether a request's head says only one thing about where
 * its body ends.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/framing.h"

#include <string.h>

#include "base/number.h"
#include "base/text.h"

/* RFC 9110, 5.6.2. */
static bool
framing_is_token (const char *text)
{
  static const char others[] = "!#$%&'*+-.^_`|~";
  const char *c = text;

  for (; *c != '\0'; c++)
    if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')
          || (*c >= '0' && *c <= '9') || strchr (others, *c) != NULL))
      return false;
  return c > text;
}

void
framing_take (struct framing *framing, const char *name, const char *value)
{
  if (!framing_is_token (name))
    framing->is_malformed = true;
  else if (text_equal_fold (name, "content-length")) {
    framing->n_lengths++;
    framing->length = value;
  } else if (text_equal_fold (name, "transfer-encoding")) {
    framing->n_encodings++;
    framing->encoding = value;
  } else if (text_equal_fold (name, "host"))
    framing->n_hosts++;
  else if (text_equal_fold (name, "authorization"))
    framing->n_authorizations++;
  else if (text_equal_fold (name, "content-type"))
    framing->n_types++;
  else if (text_equal_fold (name, "content-encoding"))
    framing->n_codings++;
  else if (text_equal_fold (name, "expect"))
    framing->expect = value;
}

static unsigned
framing_refuse (unsigned status, const char *detail, const char **ret_detail)
{
  *ret_detail = detail;
  return status;
}

unsigned
framing_judge (const struct framing *framing, bool is_http_1_1,
               int64_t *ret_body_len, const char **ret_detail)
{
  bool is_encoded = framing->n_encodings > 0;

  if (framing->is_malformed)
    return framing_refuse (400, "a header field's name is no token",
                           ret_detail);
  if (framing->is_folded)
    return framing_refuse (400, "a header field goes on in the next line",
                           ret_detail);
  if (framing->n_lengths > 1 || framing->n_hosts > 1
      || framing->n_authorizations > 1 || framing->n_encodings > 1
      || framing->n_types > 1 || framing->n_codings > 1)
    return framing_refuse (400, "Content-Length, -Type or -Encoding, "
                           "Transfer-Encoding, Host or Authorization is "
                           "given twice", ret_detail);
  if (is_encoded && (framing->n_lengths > 0 || !is_http_1_1))
    return framing_refuse (400, "Transfer-Encoding goes without "
                           "Content-Length, and with HTTP/1.1 only",
                           ret_detail);
  if (is_encoded && !text_equal_fold (framing->encoding, "chunked"))
    return framing_refuse (501, "no Transfer-Encoding but chunked is "
                           "understood", ret_detail);
  if (framing->expect != NULL
      && !text_equal_fold (framing->expect, "100-continue"))
    return framing_refuse (417, "no expectation but 100-continue can be met",
                           ret_detail);
  *ret_body_len = is_encoded ? -1 : 0;
  if (framing->n_lengths > 0
      && number_read (framing->length, strlen (framing->length), 0,
                      INT64_MAX, ret_body_len) != 0)
    return framing_refuse (400, "Content-Length is no number", ret_detail);
  return 0;
}

size_t
framing_value_len (const char *value)
{
  size_t len = strlen (value);

  while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
    len--;
  return len;
}
