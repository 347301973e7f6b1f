/* plain.c - texts in which Brevo finds nothing to expand.
 *
 * SPDX-License-Identifier: MIT
 */

#include "plain.h"

#include <string.h>

enum { PLAIN_MOST_NAME = 70 };          /* characters */

/* Between the two characters of a tag's beginning comes what no reader
 * sees. */
static const char *
plain_with (const char *text, const char *brace, const char *line_break)
{
  enum { MORE = 5 };                    /* bytes in place of one, less one */
  size_t len;
  char *out, *to;

  if (text == NULL)
    return NULL;
  len = strlen (text);
  for (const char *p = text; (p = strpbrk (p, "{\n")) != NULL; p++)
    len += MORE;
  out = to = herald->alloc (len + 1);
  for (; *text != '\0'; text++) {
    if (*text == '{' && text[1] != '\0' && strchr ("{%#", text[1]) != NULL)
      to = stpcpy (to, brace);
    else if (*text == '\n')
      to = stpcpy (to, line_break);
    else
      *to++ = *text;
  }
  return out;
}

const char *
plain_text (const char *text)
{
  return plain_with (text, "{\u2060", "\n");
}

const char *
plain_html (const struct herald_mail *mail)
{
  if (mail->html != NULL)
    return plain_with (mail->html, "&#123;", "\n");
  return plain_with (herald->html_escape (mail->text), "&#123;", "<br>\n");
}

const char *
plain_name (const char *name)
{
  const char *plain = plain_text (name);
  const char *text = herald->clip (plain, PLAIN_MOST_NAME);

  if (strpbrk (text, ",;:@<>()[]\\\"") == NULL)
    return text;
  for (size_t most = PLAIN_MOST_NAME;
       strlen (text = herald->encoded (herald->clip (plain, most)))
       > PLAIN_MOST_NAME;)
    most -= 4;
  return text;
}
