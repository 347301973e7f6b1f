/* mail_form.h - what a mailer sends: <mail>, compiled.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_MAIL_FORM_H
#define HERALD_MAIL_FORM_H

#include "base/arena.h"
#include "catalogue.h"
#include "event.h"
#include "herald-plugin.h"
#include "mapping.h"
#include "template.h"

/* All that is NULL was not given.  Addresses and names of from, reply_to
 * and bcc are constants, checked when read; names, subject, text, html
 * and header values are templates. */
struct mail_form {
  const struct template *from_name;
  const char *from_address;
  const struct template *reply_to_name;
  const char *reply_to_address;
  const char *bcc_address;
  const char *to_source;                /* the field that holds the address */
  const struct template *to_name;
  const struct template *subject;
  const struct template *text;
  const struct template *html;
  const char *template_id;
  struct mapping *parameters;           /* may be empty, never NULL */
  size_t n_headers;
  struct mail_form_header {
    const char *name;
    const struct template *value;
  } *headers;
};

/* Fill in the mail for an event; strings are arena's.  Line breaks that a
 * field brings into a subject, name or header become one space; a name
 * without text is NULL, a header without text is left out, a form without
 * subject makes "".  -1 with a
 * reason fit for an operator ("the event has no email", "email is no
 * address: has a line break"), never with the value: the delivery is
 * rejected.  to_address: instead of the event's (a test e-mail), or
 * NULL. */
int mail_form_write (const struct mail_form *form,
                     const struct event *event, const char *to_address,
                     struct arena *arena, struct herald_mail *ret_mail,
                     char ret_reason[200]);

/* What no event changes: addresses but to's, template_id, and the names of
 * headers; all else is NULL. */
void mail_form_write_constant (const struct mail_form *form,
                               struct arena *arena,
                               struct herald_mail *ret_mail);

#endif
