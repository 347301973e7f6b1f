/* plain.c - texts in which Mailgun finds nothing to expand.
 *
 * SPDX-License-Identifier: MIT
 */

#include "plain.h"

#include <string.h>
#include <strings.h>

/* What takes the place of the sign before a word: in HTML its entity,
 * elsewhere the sign and a character without width (U+2060). */
static const char plain_in_html[] = "&#37;";
static const char plain_in_text[] = "%\xe2\x81\xa0";

/* Where the next of Mailgun's words is, or the end. */
static const char *
plain_find (const char *text)
{
  static const char *const words[]
    = { "%recipient", "%unsubscribe", "%mailing_list", "%tag_unsubscribe" };

  for (; *(text += strcspn (text, "%")) != '\0'; text++)
    for (size_t k = 0; k < HERALD_COUNT (words); k++)
      if (strncasecmp (text, words[k], strlen (words[k])) == 0)
        return text;
  return text;
}

static const char *
plain_with (const char *text, const char *sign)
{
  size_t n = 0, len;
  char *made, *to;

  if (text == NULL)
    return NULL;
  for (const char *at = plain_find (text); *at != '\0';
       at = plain_find (at + 1))
    n++;
  if (n == 0)
    return text;
  made = to = herald->alloc (strlen (text) + n * strlen (sign) + 1);
  while (*text != '\0') {
    len = (size_t) (plain_find (text) - text);
    memcpy (to, text, len);
    to += len;
    text += len;
    if (*text == '\0')
      break;
    memcpy (to, sign, strlen (sign));
    to += strlen (sign);
    text++;
  }
  return made;
}

const char *
plain_text (const char *text)
{
  return plain_with (text, plain_in_text);
}

const char *
plain_html (const char *html)
{
  return plain_with (html, plain_in_html);
}

const char *
plain_mailbox (const struct herald_mailbox *mailbox)
{
  const struct herald_mailbox plain
    = { plain_text (mailbox->name), mailbox->address };

  return mailbox->address != NULL ? herald->mailbox (&plain) : NULL;
}
