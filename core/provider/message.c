/* message.c - a herald_mail as an Internet message: envelope and headers.
 *
 * SPDX-License-Identifier: MIT
 */

#include "message.h"

#include <string.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/text.h"

enum { MOST_OWN = 6 }; /* From To Reply-To Subject Date Message-ID */

struct draft {
  struct message *message;
  struct arena *arena;
  struct buf value;
};

static void
draft_add (struct draft *draft, const char *name)
{
  struct message *message = draft->message;

  message->headers[message->n_headers++] = (struct message_header){
    .name = arena_strdup (draft->arena, name),
    .value = arena_strndup (draft->arena, draft->value.data, draft->value.len)
  };
  buf_clear (&draft->value);
}

static void
draft_add_mailbox (struct draft *draft, const char *name,
                   const struct herald_mailbox *mailbox)
{
  if (mailbox->address == NULL)
    return;
  address_add_mailbox (&draft->value, mailbox->name, mailbox->address,
                       strlen (name) + 2);
  draft_add (draft, name);
}

static void
draft_add_text (struct draft *draft, const char *name, const char *text)
{
  address_add_header_text (&draft->value, text, strlen (name) + 2);
  draft_add (draft, name);
}

static void
draft_add_id (struct draft *draft, const char *delivery_id, const char *sender)
{
  const char *at = strrchr (sender, '@');

  buf_printf (&draft->value, "<%s@%s>", delivery_id,
              at != NULL ? at + 1 : "localhost");
  draft_add (draft, "Message-ID");
}

/* What a mail's own headers may not say: it is written here, or by
 * whoever makes the MIME parts, or would be read by the recipient. */
static bool
is_reserved (const char *name)
{
  static const char *const names[] = { "From",
                                       "To",
                                       "Cc",
                                       "Bcc",
                                       "Reply-To",
                                       "Subject",
                                       "Date",
                                       "Message-ID",
                                       "Sender",
                                       "Return-Path",
                                       "MIME-Version",
                                       "Content-Type",
                                       "Content-Transfer-Encoding",
                                       NULL };

  for (size_t k = 0; names[k] != NULL; k++)
    if (text_equal_fold (names[k], name))
      return true;
  return false;
}

static void
message_address (struct message *message, struct arena *arena,
                 const struct herald_mail *mail, const char *sender)
{
  message->from = arena_strdup (arena, sender);
  message->to = arena_alloc (arena, 2 * sizeof *message->to);
  message->to[message->n_to++] = arena_strdup (arena, mail->to.address);
  if (mail->bcc.address != NULL)
    message->to[message->n_to++] = arena_strdup (arena, mail->bcc.address);
}

struct message *
message_new (struct arena *arena, const struct herald_mail *mail,
             const struct herald_mailbox *from, const char *delivery_id,
             int64_t now_ms)
{
  struct draft draft = { .arena = arena, .value = BUF_INIT (0) };
  struct message *message;

  if (from == NULL || from->address == NULL)
    from = &mail->from;
  if (from->address == NULL || mail->to.address == NULL
      || (mail->text == NULL && mail->html == NULL))
    return NULL;
  message = arena_zeroed (arena, 1, sizeof *message);
  message_address (message, arena, mail, from->address);
  message->text = arena_strdup (arena, mail->text);
  message->html = arena_strdup (arena, mail->html);
  message->headers = arena_alloc (arena, (MOST_OWN + (size_t) mail->n_headers)
                                           * sizeof *message->headers);
  draft.message = message;
  draft_add_mailbox (&draft, "From", from);
  draft_add_mailbox (&draft, "To", &mail->to);
  draft_add_mailbox (&draft, "Reply-To", &mail->reply_to);
  draft_add_text (&draft, "Subject",
                  mail->subject != NULL ? mail->subject : "");
  date_add_mail (&draft.value, now_ms);
  draft_add (&draft, "Date");
  draft_add_id (&draft, delivery_id, from->address);
  for (uint32_t k = 0; k < mail->n_headers; k++)
    if (!is_reserved (mail->headers[k].name))
      draft_add_text (&draft, mail->headers[k].name, mail->headers[k].value);
  buf_done (&draft.value);
  return message;
}
