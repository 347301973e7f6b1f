/* send_email.c - a mail as the action SendEmail takes it.
 *
 * SPDX-License-Identifier: MIT
 */

#include "send_email.h"

static void
send_email_append_part (struct herald_request *request, const char *before,
                        const char *text)
{
  if (text != NULL)
    herald->append (request, "%s{\"Data\":%s,\"Charset\":\"UTF-8\"}", before,
                    herald->quote (text));
}

static void
send_email_append_addresses (struct herald_request *request, const char *name,
                             const struct herald_mailbox *mailbox)
{
  if (mailbox->address != NULL)
    herald->append (request, ",\"%s\":[%s]", name,
                    herald->quote (herald->mailbox (mailbox)));
}

static void
send_email_append_content (struct herald_request *request,
                           const struct herald_mail *mail)
{
  const char *comma = mail->text != NULL ? "," : "";

  send_email_append_part (
    request, ",\"Content\":{\"Simple\":{\"Subject\":", mail->subject);
  herald->append (request, ",\"Body\":{");
  send_email_append_part (request, "\"Text\":", mail->text);
  send_email_append_part (request, herald->format ("%s\"Html\":", comma),
                          mail->html);
  herald->append (request, "}");
  for (uint32_t k = 0; k < mail->n_headers; k++)
    herald->append (request, "%s{\"Name\":%s,\"Value\":%s}",
                    k == 0 ? ",\"Headers\":[" : ",",
                    herald->quote (mail->headers[k].name),
                    herald->quote (herald->encoded (mail->headers[k].value)));
  herald->append (request, "%s}}", mail->n_headers > 0 ? "]" : "");
}

void
send_email_append (struct herald_request *request,
                   const struct herald_mail *mail)
{
  herald->append (request,
                  "\"FromEmailAddress\":%s,\"Destination\":{"
                  "\"ToAddresses\":[%s]",
                  herald->quote (herald->mailbox (&mail->from)),
                  herald->quote (herald->mailbox (&mail->to)));
  send_email_append_addresses (request, "BccAddresses", &mail->bcc);
  herald->append (request, "}");
  send_email_append_addresses (request, "ReplyToAddresses", &mail->reply_to);
  send_email_append_content (request, mail);
}
