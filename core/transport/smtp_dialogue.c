/* smtp_dialogue.c - what client and server said to each other by SMTP.
 *
 * SPDX-License-Identifier: MIT
 */

#include "smtp_dialogue.h"

#include <string.h>
#include <strings.h>

enum { DIALOGUE_TEXT_CEILING = 4096 };

void
smtp_dialogue_clear (struct smtp_dialogue *dialogue)
{
  struct buf text = dialogue->text;

  if (text.size == 0)
    buf_init (&text, DIALOGUE_TEXT_CEILING);
  buf_clear (&text);
  memset (dialogue, 0, sizeof *dialogue);
  dialogue->text = text;
  dialogue->stage = TRANSPORT_STAGE_CONNECT;
}

void
smtp_dialogue_done (struct smtp_dialogue *dialogue)
{
  if (dialogue->text.size > 0)
    buf_done (&dialogue->text);
}

static bool
starts_with (const char *line, size_t len, const char *verb)
{
  size_t n = strlen (verb);

  return len >= n && strncasecmp (line, verb, n) == 0;
}

static size_t
trimmed (const char *line, size_t len)
{
  while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'
                     || line[len - 1] == ' '))
    len--;
  return len;
}

static enum smtp_verb
verb_read (const char *line, size_t len)
{
  if (starts_with (line, len, "EHLO "))
    return SMTP_EHLO;
  if (starts_with (line, len, "HELO "))
    return SMTP_HELO;
  return starts_with (line, len, "STARTTLS") ? SMTP_STARTTLS : SMTP_OTHER;
}

static void
dialogue_step (struct smtp_dialogue *dialogue, const char *line, size_t len)
{
  dialogue->verb = verb_read (line, len);
  if (dialogue->verb == SMTP_EHLO || dialogue->verb == SMTP_HELO)
    dialogue->offers_login = dialogue->offers_tls = false;
  if (starts_with (line, len, "AUTH ")) {
    dialogue->stage = TRANSPORT_STAGE_LOGIN;
  } else if (starts_with (line, len, "MAIL ")) {
    dialogue->stage = TRANSPORT_STAGE_SENDER;
    dialogue->n_recipients = 0;
    dialogue->has_message = false;
    dialogue->has_utf8 = memmem (line, len, " SMTPUTF8", 9) != NULL;
  } else if (starts_with (line, len, "RCPT ")) {
    dialogue->stage = TRANSPORT_STAGE_RECIPIENT;
    dialogue->recipient = dialogue->n_recipients++;
  } else if (starts_with (line, len, "DATA"))
    dialogue->stage = TRANSPORT_STAGE_MESSAGE;
  else if (dialogue->verb != SMTP_OTHER)
    dialogue->stage = TRANSPORT_STAGE_CONNECT;
  else
    dialogue->stage = TRANSPORT_STAGE_DONE;
}

void
smtp_dialogue_command (struct smtp_dialogue *dialogue, const char *line,
                       size_t len)
{
  /* After 334 whatever is sent is part of the login, also if it reads
   * like a command. */
  bool is_login = dialogue->stage == TRANSPORT_STAGE_LOGIN
                  && dialogue->status == 334;

  if (dialogue->is_over)
    return;
  if (!is_login && starts_with (line, len, "QUIT")) {
    /* Before all else it is meant for another connection, given up in
     * favour of this one. */
    dialogue->is_over = dialogue->has_begun;
    return;
  }
  dialogue->has_begun = true;
  if (!is_login)
    dialogue_step (dialogue, line, len);
  dialogue->status = 0;
  dialogue->is_multiline = false;
  buf_clear (&dialogue->text);
}

/* A keyword of EHLO's reply, read as libcurl does, which minds the case:
 * what it does not see it will not use. */
static void
dialogue_offer (struct smtp_dialogue *dialogue, const char *line, size_t len)
{
  if (len >= 5 && memcmp (line, "AUTH ", 5) == 0)
    dialogue->offers_login = true;
  else if (len >= 8 && memcmp (line, "STARTTLS", 8) == 0)
    dialogue->offers_tls = true;
}

void
smtp_dialogue_reply (struct smtp_dialogue *dialogue, const char *line,
                     size_t len)
{
  int status = 0;

  len = trimmed (line, len);
  if (dialogue->is_over || len < 3)
    return;
  dialogue->has_begun = true;
  for (size_t i = 0; i < 3; i++) {
    if (line[i] < '0' || line[i] > '9')
      return;
    status = status * 10 + (line[i] - '0');
  }
  if (dialogue->is_multiline)
    buf_add_char (&dialogue->text, '\n');
  else
    buf_clear (&dialogue->text);
  if (len > 4)
    buf_add (&dialogue->text, line + 4, len - 4);
  if (len > 4 && dialogue->verb == SMTP_EHLO)
    dialogue_offer (dialogue, line + 4, len - 4);
  dialogue->is_multiline = len > 3 && line[3] == '-';
  if (dialogue->is_multiline)
    return;
  dialogue->status = status;
  if (dialogue->stage == TRANSPORT_STAGE_MESSAGE && status == 354)
    dialogue->has_message = true;
  if (dialogue->verb == SMTP_STARTTLS && status == 220)
    dialogue->has_tls = true;
}

bool
smtp_dialogue_is_refused (const struct smtp_dialogue *dialogue)
{
  return dialogue->status >= 400;
}

bool
smtp_dialogue_lacks_login (const struct smtp_dialogue *dialogue,
                           enum transport_tls tls)
{
  bool is_accepted = dialogue->status >= 200 && dialogue->status < 300;
  bool is_tls_next = !dialogue->has_tls && tls != TRANSPORT_TLS_NEVER
                     && (tls != TRANSPORT_TLS_IF_OFFERED
                         || dialogue->offers_tls);

  if (dialogue->is_multiline || dialogue->status == 0
      || dialogue->offers_login)
    return false;
  switch (dialogue->verb) {
  case SMTP_EHLO:
    return is_accepted && !is_tls_next;
  case SMTP_HELO:
    return is_accepted;
  case SMTP_STARTTLS:           /* refused: it goes on in the clear */
    return dialogue->status != 220 && tls == TRANSPORT_TLS_IF_OFFERED;
  case SMTP_OTHER:
    break;
  }
  return false;
}
