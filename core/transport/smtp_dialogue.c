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

static void
dialogue_step (struct smtp_dialogue *dialogue, const char *line, size_t len)
{
  if (starts_with (line, len, "AUTH ")) {
    dialogue->has_login = true;
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
  else if (starts_with (line, len, "EHLO ")
           || starts_with (line, len, "HELO ")
           || starts_with (line, len, "STARTTLS"))
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
  dialogue->is_multiline = len > 3 && line[3] == '-';
  if (dialogue->is_multiline)
    return;
  dialogue->status = status;
  if (dialogue->stage == TRANSPORT_STAGE_MESSAGE && status == 354)
    dialogue->has_message = true;
}

bool
smtp_dialogue_is_refused (const struct smtp_dialogue *dialogue)
{
  return dialogue->status >= 400;
}
