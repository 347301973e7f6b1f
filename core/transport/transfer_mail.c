/* transfer_mail.c - one mail on its way: what libcurl is told, and how
 * the dialogue with the server is followed.
 *
 * SPDX-License-Identifier: MIT
 */

#include "transfer.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "mail_message.h"

enum { MAIL_QUIT_S = 1 }; /* libcurl blocks while it says goodbye */

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

  if (!mail || dialogue->stage != TRANSPORT_STAGE_SENDER || dialogue->has_utf8
      || transfer->is_stopped || !mail_needs_utf8 (mail, &dialogue->recipient))
    return;
  transfer->is_stopped = true;
  dialogue->is_over = true;
  dialogue->status = 553;
  dialogue->stage = TRANSPORT_STAGE_RECIPIENT;
  buf_clear (&dialogue->text);
  buf_add_text (&dialogue->text, "the server does not offer SMTPUTF8, which "
                                 "an address with letters beyond ASCII needs");
}

/* libcurl hands the mail over without the login that was asked for, if the
 * server offers none. */
static void
transfer_check_login (struct transfer *transfer)
{
  const struct transport_request *request = transfer->request;

  if (!request || !request->user || transfer->is_stopped
      || !smtp_dialogue_lacks_login (&transfer->dialogue, request->tls))
    return;
  transfer->is_stopped = true;
  transfer->lacks_login = true;
  transfer->dialogue.is_over = true;
}

/* libcurl waits, with the whole loop, for the answer to QUIT when it gives
 * up a connection.  Nobody needs that answer.  After a success it is some
 * other connection that goes, of which only the wait can be cut short. */
static void
transfer_quit (struct transfer *transfer)
{
  const struct smtp_dialogue *dialogue = &transfer->dialogue;
  bool is_own = dialogue->is_over
                && (dialogue->status == 0 || transfer->is_stopped
                    || smtp_dialogue_is_refused (dialogue));

  if (is_own && transport_is_open (transfer->transport, transfer->fd))
    shutdown (transfer->fd, SHUT_RD);
  SET (transfer->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long) MAIL_QUIT_S);
  transfer->is_prepared = false;
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
  } else if (type == CURLINFO_HEADER_IN) {
    smtp_dialogue_reply (&transfer->dialogue, text, len);
    transfer_check_login (transfer);
  }
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

static size_t
on_upload (char *piece, size_t size, size_t n, void *data)
{
  struct transfer *transfer = data;
  size_t left = transfer->message.len - transfer->n_uploaded;
  size_t len = size * n < left ? size * n : left;

  memcpy (piece, transfer->message.data + transfer->n_uploaded, len);
  transfer->n_uploaded += len;
  return len;
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
  transfer_reserve (transfer, mail->n_to, len);
  for (size_t i = 0; i < mail->n_to; i++) {
    transfer->nodes[i].data = transfer->lines.data + transfer->lines.len;
    buf_add (&transfer->lines, mail->to[i], strlen (mail->to[i]) + 1);
  }
  SET (easy, CURLOPT_MAIL_FROM, mail->from);
  SET (easy, CURLOPT_MAIL_RCPT, nodes_link (transfer->nodes, mail->n_to));
  buf_clear (&transfer->message);
  transfer->n_uploaded = 0;
  if (mail_message_add (&transfer->message, mail) < 0) {
    transfer->fault = "a header of the mail has a line end in it";
    return -1;
  }
  SET (easy, CURLOPT_UPLOAD, 1L);
  SET (easy, CURLOPT_READFUNCTION, on_upload);
  SET (easy, CURLOPT_READDATA, transfer);
  SET (easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t) transfer->message.len);
  return 0;
}

static void
transfer_begin_dialogue (struct transfer *transfer)
{
  smtp_dialogue_clear (&transfer->dialogue);
  transfer->dialogue.has_tls
    = strncasecmp (transfer->request->url, "smtps:", 6) == 0;
}

int
transfer_set_smtp (struct transfer *transfer)
{
  static const long use_ssl[]
    = { CURLUSESSL_ALL, CURLUSESSL_ALL, CURLUSESSL_TRY, CURLUSESSL_NONE };
  const struct transport_request *request = transfer->request;
  CURL *easy = transfer->easy;
  unsigned tls = request->tls;

  transfer_begin_dialogue (transfer);
  SET (easy, CURLOPT_USE_SSL, use_ssl[tls <= TRANSPORT_TLS_NEVER ? tls : 0]);
  /* These options are for this request only. */
  if (request->user || !request->mail)
    transfer->is_prepared = false;
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

bool
transfer_set_again (struct transfer *transfer, CURLcode code)
{
  const struct smtp_dialogue *dialogue = &transfer->dialogue;
  const struct transport_request *request = transfer->request;
  bool is_unheard
    = dialogue->status == 0
      && (!dialogue->has_begun || dialogue->stage == TRANSPORT_STAGE_SENDER);
  int64_t left_ms;

  if (transfer->kind != TRANSFER_SMTP || !request->mail || !is_unheard
      || (code != CURLE_RECV_ERROR && code != CURLE_SEND_ERROR)
      || transfer->n_opened > 0 || transfer->is_again || transfer->is_stopped)
    return false;
  left_ms = transfer_total_ms (request)
            - (loop_now_us (transfer->transport->loop) - transfer->started_us)
                / 1000;
  if (left_ms <= 0)
    return false;
  transfer_begin_dialogue (transfer);
  transfer->is_again = true;
  transfer->is_prepared = false;
  transfer->n_uploaded = 0;
  transfer->fd = CURL_SOCKET_BAD;
  transfer->detail[0] = '\0';
  SET (transfer->easy, CURLOPT_TIMEOUT_MS, (long) left_ms);
  SET (transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
  return true;
}
