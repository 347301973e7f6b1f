/* mail_message.c - a mail as it goes over the wire.
 *
 * SPDX-License-Identifier: MIT
 */

#include "mail_message.h"

#include <string.h>

#include "base/crypto.h"
#include "mail_text.h"

enum { HEADERS_LEN = 512 }; /* those added here, about */

static int
message_add_headers (struct buf *out, const struct transport_mail *mail)
{
  for (size_t i = 0; i < mail->n_headers; i++) {
    const char *name = mail->headers[i].name;

    if (!name[0] || strpbrk (name, "\r\n"))
      return -1;
    buf_add_text (out, name);
    buf_add (out, ": ", 2);
    if (mail_text_add_header (out, mail->headers[i].value) < 0)
      return -1;
    buf_add (out, "\r\n", 2);
  }
  buf_add_text (out, "MIME-Version: 1.0\r\n");
  return 0;
}

/* The headers of one text, and the text. */
static void
message_add_part (struct buf *out, const char *text, const char *subtype)
{
  enum mail_encoding encoding = mail_text_encoding (text);

  buf_printf (out,
              "Content-Type: text/%s; charset=utf-8\r\n"
              "Content-Transfer-Encoding: %s\r\n\r\n",
              subtype, mail_encoding_names[encoding]);
  mail_text_add (out, text, encoding);
}

int
mail_message_add (struct buf *out, const struct transport_mail *mail)
{
  char boundary[CRYPTO_UUID_LEN + 1];
  size_t len = HEADERS_LEN;

  len += mail->text ? strlen (mail->text) : 0;
  len += mail->html ? strlen (mail->html) : 0;
  buf_reserve (out, len);
  if (message_add_headers (out, mail) < 0)
    return -1;
  if (!mail->text || !mail->html) {
    if (mail->html)
      message_add_part (out, mail->html, "html");
    else
      message_add_part (out, mail->text ? mail->text : "", "plain");
    return 0;
  }
  crypto_uuid_random (boundary);
  buf_printf (out,
              "Content-Type: multipart/alternative;\r\n"
              " boundary=\"=_%s\"\r\n\r\n--=_%s\r\n",
              boundary, boundary);
  message_add_part (out, mail->text, "plain");
  buf_printf (out, "\r\n--=_%s\r\n", boundary);
  message_add_part (out, mail->html, "html");
  buf_printf (out, "\r\n--=_%s--\r\n", boundary);
  return 0;
}
