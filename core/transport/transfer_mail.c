/* transfer_mail.c - one mail on its way: what libcurl is told, and how
 * the dialogue with the server is followed.
 *
 * SPDX-License-Identifier: MIT
 */

#include "transfer.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "mail_text.h"

enum { MAIL_QUIT_S = 1 };       /* libcurl blocks while it says goodbye */

static bool
mail_needs_utf8 (const struct transport_mail *mail, size_t *ret_recipient)
{
  for (size_t i = 0; i < mail->n_to; i++)
    for (const char *c = mail->to[i]; *c; c++)
      if ((unsigned char) *c >= 0x80) {
        *ret_recipient = i;
        return true;
      }
  return false;
}

/* libcurl sends SMTPUTF8 if the server offers it, and the bare bytes if
 * not; the server would have to guess. */
static void
transfer_check_utf8 (struct transfer *transfer)
{
  struct smtp_dialogue *dialogue = &transfer->dialogue;
  const struct transport_mail *mail = transfer->request->mail;

  if (!mail || dialogue->stage != TRANSPORT_STAGE_SENDER
      || dialogue->has_utf8 || transfer->is_stopped
      || !mail_needs_utf8 (mail, &dialogue->recipient))
    return;
  transfer->is_stopped = true;
  dialogue->is_over = true;
  dialogue->status = 553;
  dialogue->stage = TRANSPORT_STAGE_RECIPIENT;
  buf_clear (&dialogue->text);
  buf_add_text (&dialogue->text, "the server does not offer SMTPUTF8, which "
                "an address with letters beyond ASCII needs");
}

/* libcurl waits, with the whole loop, for the answer to QUIT when it gives
 * up a connection.  Nobody needs that answer.  After a success it is some
 * other connection that goes, of which only the wait can be cut short. */
static void
transfer_quit (struct transfer *transfer)
{
  const struct smtp_dialogue *dialogue = &transfer->dialogue;
  bool is_own = dialogue->is_over
                && (dialogue->status == 0
                    || smtp_dialogue_is_refused (dialogue));

  if (is_own && transport_is_open (transfer->transport, transfer->fd))
    shutdown (transfer->fd, SHUT_RD);
  SET (transfer->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT,
       (long) MAIL_QUIT_S);
}

static int
on_dialogue (CURL *easy, curl_infotype type, char *text, size_t len,
             void *data)
{
  struct transfer *transfer = data;

  (void) easy;
  if (type == CURLINFO_HEADER_OUT) {
    bool is_quit = len >= 4 && strncasecmp (text, "QUIT", 4) == 0;

    smtp_dialogue_command (&transfer->dialogue, text, len);
    transfer_check_utf8 (transfer);
    if (is_quit)
      transfer_quit (transfer);
  } else if (type == CURLINFO_HEADER_IN)
    smtp_dialogue_reply (&transfer->dialogue, text, len);
  return 0;
}

void
transfer_prepare_smtp (struct transfer *transfer)
{
  CURL *easy = transfer->easy;

  SET (easy, CURLOPT_VERBOSE, 1L);
  SET (easy, CURLOPT_DEBUGFUNCTION, on_dialogue);
  SET (easy, CURLOPT_DEBUGDATA, transfer);
  /* Left out: mechanisms that ask other machines (GSSAPI, NTLM). */
  SET (easy, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN;AUTH=CRAM-MD5");
}

/* One text as a part; its own buffer, because libcurl copies it. */
static void
mime_add_text (curl_mime *mime, const char *text, const char *type)
{
  struct buf crlf = BUF_INIT (0);
  curl_mimepart *part = curl_mime_addpart (mime);

  mail_text_add (&crlf, text);
  curl_mime_data (part, crlf.data, crlf.len);
  curl_mime_type (part, type);
  curl_mime_encoder (part, mail_text_encoding (crlf.data, crlf.len));
  buf_done (&crlf);
}

static int
transfer_set_mail_headers (struct transfer *transfer,
                           struct curl_slist *nodes)
{
  static char alternative[] = "Content-Type: multipart/alternative";
  const struct transport_mail *mail = transfer->request->mail;
  struct buf *lines = &transfer->lines;
  size_t n = 0;

  for (size_t i = 0; i < mail->n_headers; i++) {
    const char *name = mail->headers[i].name;
    size_t name_len = strlen (name);

    nodes[n++].data = lines->data + lines->len;
    buf_add (lines, name, name_len);
    buf_add (lines, ": ", 2);
    if (name_len == 0 || has_line_end (name, name_len)
        || mail_text_add_header (lines, mail->headers[i].value) < 0) {
      transfer->fault = "a header of the mail has a line end in it";
      return -1;
    }
    buf_add (lines, "", 1);
  }
  if (mail->text && mail->html)
    nodes[n++].data = alternative;
  SET (transfer->easy, CURLOPT_HTTPHEADER, nodes_link (nodes, n));
  return 0;
}

static int
transfer_set_mail (struct transfer *transfer)
{
  const struct transport_mail *mail = transfer->request->mail;
  CURL *easy = transfer->easy;
  size_t len = 0;

  for (size_t i = 0; i < mail->n_to; i++) {
    if (has_line_end (mail->to[i], strlen (mail->to[i]))) {
      transfer->fault = "a recipient has a line end in it";
      return -1;
    }
    len += strlen (mail->to[i]) + 1;
  }
  if (has_line_end (mail->from, strlen (mail->from))) {
    transfer->fault = "the sender has a line end in it";
    return -1;
  }
  /* A line end may become two bytes. */
  for (size_t i = 0; i < mail->n_headers; i++)
    len += strlen (mail->headers[i].name)
           + 2 * strlen (mail->headers[i].value) + 3;
  transfer_reserve (transfer, mail->n_to + mail->n_headers + 1, len);
  for (size_t i = 0; i < mail->n_to; i++) {
    transfer->nodes[i].data = transfer->lines.data + transfer->lines.len;
    buf_add (&transfer->lines, mail->to[i], strlen (mail->to[i]) + 1);
  }
  SET (easy, CURLOPT_MAIL_FROM, mail->from);
  SET (easy, CURLOPT_MAIL_RCPT, nodes_link (transfer->nodes, mail->n_to));
  if (transfer_set_mail_headers (transfer, transfer->nodes + mail->n_to) < 0)
    return -1;
  transfer->mime = curl_mime_init (easy);
  if (mail->text || !mail->html)
    mime_add_text (transfer->mime, mail->text ? mail->text : "",
                   "text/plain; charset=utf-8");
  if (mail->html)
    mime_add_text (transfer->mime, mail->html, "text/html; charset=utf-8");
  SET (easy, CURLOPT_MIMEPOST, transfer->mime);
  return 0;
}

int
transfer_set_smtp (struct transfer *transfer)
{
  static const long use_ssl[] = {
    CURLUSESSL_ALL, CURLUSESSL_ALL, CURLUSESSL_TRY, CURLUSESSL_NONE
  };
  const struct transport_request *request = transfer->request;
  CURL *easy = transfer->easy;
  unsigned tls = request->tls;

  smtp_dialogue_clear (&transfer->dialogue);
  SET (easy, CURLOPT_USE_SSL, use_ssl[tls <= TRANSPORT_TLS_NEVER ? tls : 0]);
  if (request->user) {
    SET (easy, CURLOPT_USERNAME, request->user);
    SET (easy, CURLOPT_PASSWORD, request->password ? request->password : "");
  }
  if (request->mail)
    return transfer_set_mail (transfer);
  /* To log in is what is asked for: not on a connection that has. */
  SET (easy, CURLOPT_FRESH_CONNECT, 1L);
  SET (easy, CURLOPT_NOBODY, 1L);
  SET (easy, CURLOPT_CUSTOMREQUEST, "NOOP");
  return 0;
}
