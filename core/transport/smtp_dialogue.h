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

enum smtp_verb {                /* those that what follows depends on */
  SMTP_OTHER, SMTP_EHLO, SMTP_HELO, SMTP_STARTTLS
};

struct smtp_dialogue {
  int status;                   /* of the last command; 0: not answered */
  enum transport_stage stage;   /* the step that command belongs to */
  size_t recipient;             /* of _RECIPIENT: which, from 0 */
  struct buf text;              /* the last reply's lines without codes,
                                   a newline between them */
  bool has_begun;               /* something was said */
  bool has_tls;                 /* set by the caller where it is implicit */
  bool has_message;             /* 354 came: content may have arrived */
  bool has_utf8;                /* MAIL asked for SMTPUTF8 */
  bool is_over;                 /* QUIT was sent: no more counts */
  size_t n_recipients;          /* RCPT commands so far */
  bool is_multiline;            /* in the middle of a reply */
  enum smtp_verb verb;          /* what is being answered */
  bool offers_login, offers_tls;        /* by the last EHLO's reply */
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

/* Whether libcurl, given a login, will now go on without one, as none is
 * offered.  To be asked after each line of a reply: it is true before the
 * next command goes out. */
bool smtp_dialogue_lacks_login (const struct smtp_dialogue *dialogue,
                                enum transport_tls tls);

#endif
