/* smtp_dialogue.h - what client and server said to each other by SMTP.
 *
 * libcurl tells that a mail failed, not which command the server refused
 * and in what words.  This follows the commands and the lines of replies
 * as they pass, so the refusal can be blamed on the right step and the
 * right recipient.  Nothing of a login is kept.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SMTP_DIALOGUE_H
#define HERALD_SMTP_DIALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "transport.h"

struct smtp_dialogue {
  int status;                   /* of the last command; 0: not answered */
  enum transport_stage stage;   /* the step that command belongs to */
  size_t recipient;             /* of _RECIPIENT: which, from 0 */
  struct buf text;              /* the last reply's lines without codes,
                                   a newline between them */
  bool has_begun;               /* something was said */
  bool has_login;               /* AUTH was tried */
  bool has_message;             /* 354 came: content may have arrived */
  bool has_utf8;                /* MAIL asked for SMTPUTF8 */
  bool is_over;                 /* QUIT was sent: no more counts */
  size_t n_recipients;          /* RCPT commands so far */
  bool is_multiline;            /* in the middle of a reply */
};

/* Forgets all but the memory; a zeroed struct may be cleared, too. */
void smtp_dialogue_clear (struct smtp_dialogue *dialogue);
void smtp_dialogue_done (struct smtp_dialogue *dialogue);

/* One command, one line of a reply; line ends may be there or not. */
void smtp_dialogue_command (struct smtp_dialogue *dialogue,
                            const char *line, size_t len);
void smtp_dialogue_reply (struct smtp_dialogue *dialogue, const char *line,
                          size_t len);

/* Whether the last command was answered with a refusal (4yz, 5yz). */
bool smtp_dialogue_is_refused (const struct smtp_dialogue *dialogue);

#endif
