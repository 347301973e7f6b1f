/* mail_form.c - what a mailer sends: <mail>, compiled.
 *
 * SPDX-License-Identifier: MIT
 */

#include "mail_form.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"

enum { MAIL_FORM_REASON = 200 };

/* The length of the control character at text (line breaks of Unicode
 * and C1 controls are some), or 0. */
static size_t
mail_form_control (const char *text)
{
  const unsigned char *c = (const unsigned char *) text;

  if (c[0] < 0x20 || c[0] == 0x7f)
    return 1;
  if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
    return 2;
  if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9))
    return 3;
  return 0;
}

/* One line of it, in place: each run of control characters, with the
 * spaces around it, becomes one space; none at the ends. */
static void
mail_form_flatten (struct buf *text)
{
  size_t to = 0;
  size_t at = 0;

  while (at < text->len) {
    size_t from = at;
    bool is_broken = false;

    while (at < text->len
           && (text->data[at] == ' '
               || mail_form_control (text->data + at) > 0)) {
      size_t len = mail_form_control (text->data + at);

      is_broken = is_broken || len > 0;
      at += len > 0 ? len : 1;
    }
    if (at > from && to > 0 && at < text->len) {
      size_t spaces = is_broken ? 1 : at - from;

      memset (text->data + to, ' ', spaces);
      to += spaces;
    }
    if (at < text->len)
      text->data[to++] = text->data[at++];
  }
  if (to < text->len) {
    text->data[to] = '\0';
    text->len = to;
  }
}

static const char *
mail_form_fill (const struct template *template, const struct event *event,
                bool is_one_line, struct arena *arena, struct buf *scratch)
{
  buf_clear (scratch);
  template_write (template, event, scratch);
  if (is_one_line)
    mail_form_flatten (scratch);
  return arena_strndup (arena, scratch->data, scratch->len);
}

/* One line, or NULL if there is no text. */
static const char *
mail_form_fill_name (const struct template *template,
                     const struct event *event, struct arena *arena,
                     struct buf *scratch)
{
  const char *name;

  if (template == NULL)
    return NULL;
  name = mail_form_fill (template, event, true, arena, scratch);
  return name[0] != '\0' ? name : NULL;
}

/* The recipient's address, checked. */
static int
mail_form_find_to (const struct mail_form *form, const struct event *event,
                   const char *to_address, struct arena *arena,
                   struct buf *scratch, const char **ret_address,
                   char *ret_reason)
{
  const char *what = to_address != NULL ? "the recipient" : form->to_source;
  const char *why;
  struct buf text;
  int result;

  if (what == NULL) {
    snprintf (ret_reason, MAIL_FORM_REASON, "the mail has no recipient");
    return -1;
  }
  if (to_address == NULL && !event_has (event, what, strlen (what))) {
    snprintf (ret_reason, MAIL_FORM_REASON, "the event has no %s", what);
    return -1;
  }
  buf_init (&text, 0);
  if (to_address != NULL)
    buf_add_text (&text, to_address);
  else
    event_add_field_text (event, what, strlen (what), &text);
  buf_clear (scratch);
  result = address_add (scratch, text.data, text.len, &why);
  buf_done (&text);
  if (result != 0) {
    snprintf (ret_reason, MAIL_FORM_REASON, "%s is no address: %s", what,
              why);
    return -1;
  }
  *ret_address = arena_strndup (arena, scratch->data, scratch->len);
  return 0;
}

/* A header without text is left out. */
static void
mail_form_fill_headers (const struct mail_form *form,
                        const struct event *event, struct arena *arena,
                        struct buf *scratch, struct herald_mail *mail)
{
  struct herald_header *headers;
  uint32_t n = 0;

  if (form->n_headers == 0)
    return;
  headers = arena_zeroed (arena, form->n_headers, sizeof *headers);
  for (size_t i = 0; i < form->n_headers; i++) {
    const char *value = mail_form_fill_name (form->headers[i].value,
                                             event, arena, scratch);

    if (value == NULL)
      continue;
    headers[n].name = form->headers[i].name;
    headers[n].value = value;
    n++;
  }
  mail->n_headers = n;
  mail->headers = n > 0 ? headers : NULL;
}

int
mail_form_write (const struct mail_form *form, const struct event *event,
                 const char *to_address, struct arena *arena,
                 struct herald_mail *ret_mail, char ret_reason[200])
{
  struct herald_mail mail = { 0 };
  struct buf scratch;

  buf_init (&scratch, 0);
  if (mail_form_find_to (form, event, to_address, arena, &scratch,
                         &mail.to.address, ret_reason) != 0) {
    buf_done (&scratch);
    return -1;
  }
  mail.to.name = mail_form_fill_name (form->to_name, event, arena, &scratch);
  mail.from.name = mail_form_fill_name (form->from_name, event, arena,
                                        &scratch);
  mail.from.address = form->from_address;
  mail.reply_to.name = mail_form_fill_name (form->reply_to_name, event,
                                            arena, &scratch);
  mail.reply_to.address = form->reply_to_address;
  mail.bcc.address = form->bcc_address;
  mail.subject = form->subject != NULL
                   ? mail_form_fill (form->subject, event, true, arena,
                                     &scratch)
                   : "";
  mail.template_id = form->template_id;
  if (form->template_id == NULL && form->text != NULL)
    mail.text = mail_form_fill (form->text, event, false, arena, &scratch);
  if (form->template_id == NULL && form->html != NULL)
    mail.html = mail_form_fill (form->html, event, false, arena, &scratch);
  mail_form_fill_headers (form, event, arena, &scratch, &mail);
  buf_done (&scratch);
  *ret_mail = mail;
  return 0;
}

void
mail_form_write_constant (const struct mail_form *form, struct arena *arena,
                          struct herald_mail *ret_mail)
{
  struct herald_header *headers
    = arena_zeroed (arena, form->n_headers + 1, sizeof *headers);
  struct herald_mail mail = {
    .from.address = form->from_address,
    .reply_to.address = form->reply_to_address,
    .bcc.address = form->bcc_address,
    .template_id = form->template_id,
    .n_headers = (uint32_t) form->n_headers,
    .headers = headers
  };

  for (size_t k = 0; k < form->n_headers; k++)
    headers[k].name = form->headers[k].name;
  *ret_mail = mail;
}
