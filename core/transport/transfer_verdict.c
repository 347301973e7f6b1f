/* transfer_verdict.c - one request at its end: a reply, or why there is none.
 *
 * SPDX-License-Identifier: MIT
 */

#include "transfer.h"

#include <stdio.h>

#include "failure.h"

static enum failure_cause
cause_of_certificate (CURL *easy)
{
  long verdict = 0;

  curl_easy_getinfo (easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
  switch (verdict) {            /* X509_V_ERR_... of OpenSSL */
  case 2: case 18: case 19: case 20: case 21: case 27:
    return CAUSE_CA_UNKNOWN;
  case 9: case 10:
    return CAUSE_CERTIFICATE_EXPIRED;
  case 0: case 1: case 62: case 64:     /* 1: libcurl's, before it looked */
    return CAUSE_CERTIFICATE_NAME;
  default:
    return CAUSE_CERTIFICATE;
  }
}

/* A tunnel that the proxy refuses, or any other break. */
static enum failure_cause
cause_of_break (struct transfer *transfer)
{
  long status = 0;

  curl_easy_getinfo (transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
  if (status == 407)
    return CAUSE_PROXY_LOGIN;
  if (status < 300)
    return CAUSE_RESET;
  snprintf (transfer->detail, sizeof transfer->detail,
            "it answers with status %ld", status);
  return CAUSE_PROXY;
}

/* Whether the request could be sent: TLS and logins are done. */
static bool
was_ready (CURL *easy)
{
  curl_off_t at_us = 0;

  curl_easy_getinfo (easy, CURLINFO_PRETRANSFER_TIME_T, &at_us);
  return at_us > 0;
}

/* Whether there was a connection, though perhaps not more. */
static bool
was_connected (CURL *easy)
{
  curl_off_t at_us = 0;

  curl_easy_getinfo (easy, CURLINFO_CONNECT_TIME_T, &at_us);
  return at_us > 0 || was_ready (easy);
}

static enum failure_cause
transfer_cause (struct transfer *transfer, CURLcode code)
{
  if (transfer->lacks_login)
    return CAUSE_LOGIN_NOT_OFFERED;
  switch (code) {
  case CURLE_URL_MALFORMAT:
    return CAUSE_URL;
  case CURLE_UNSUPPORTED_PROTOCOL:      /* HTTP/0.9 is reported so, too */
    return was_ready (transfer->easy) ? CAUSE_NO_PROTOCOL : CAUSE_URL;
  case CURLE_COULDNT_RESOLVE_HOST:
    return CAUSE_RESOLVE;
  case CURLE_COULDNT_RESOLVE_PROXY:
    return CAUSE_RESOLVE_PROXY;
  case CURLE_COULDNT_CONNECT:
    return transfer->guard_reason && transfer->n_opened == 0
             ? CAUSE_GUARD : CAUSE_CONNECT;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_ISSUER_ERROR:
    return cause_of_certificate (transfer->easy);
  case CURLE_SSL_CACERT_BADFILE:
    return CAUSE_CA_FILE;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_CIPHER:
    return CAUSE_TLS;
  case CURLE_USE_SSL_FAILED:
    return CAUSE_NO_STARTTLS;
  case CURLE_LOGIN_DENIED:
    return transfer->kind == TRANSFER_SMTP ? CAUSE_NO_LOGIN : CAUSE_URL;
  case CURLE_OPERATION_TIMEDOUT:
    return was_connected (transfer->easy) ? CAUSE_TIMEOUT
                                          : CAUSE_CONNECT_TIMEOUT;
  case CURLE_WEIRD_SERVER_REPLY:
    return CAUSE_NO_PROTOCOL;
  case CURLE_PROXY:
    return CAUSE_PROXY;
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
    return CAUSE_STREAM;
  case CURLE_GOT_NOTHING:
  case CURLE_RECV_ERROR:
  case CURLE_SEND_ERROR:
  case CURLE_PARTIAL_FILE:
    return cause_of_break (transfer);
  default:
    return CAUSE_OTHER;
  }
}

static void
transfer_describe (struct transfer *transfer, CURLcode code,
                   struct transport_reply *reply)
{
  const struct transport_request *request = transfer->request;
  struct transport *transport = transfer->transport;
  struct failure failure = { .cause = CAUSE_REQUEST, .url = request->url };
  bool is_sent = false;
  long os_error = 0;

  buf_clear (&transport->error);
  failure.proxy = transport->proxy;
  failure.ca_file = transport->ca_file;
  failure.detail = transfer->fault;
  if (!transfer->fault) {
    failure.cause = transfer_cause (transfer, code);
    failure.detail = curl_easy_strerror (code);
    if (failure.cause == CAUSE_GUARD)
      failure.detail = transfer->guard_reason;
    else if ((failure.cause == CAUSE_TLS || failure.cause == CAUSE_PROXY)
             && transfer->detail[0])
      failure.detail = transfer->detail;
    curl_easy_getinfo (transfer->easy, CURLINFO_OS_ERRNO, &os_error);
    is_sent = transfer->kind == TRANSFER_SMTP
                ? transfer->dialogue.has_message
                : was_ready (transfer->easy);
  }
  failure.os_error = (int) os_error;
  failure.limit_ms = transfer_total_ms (request);
  /* Of libcurl's two limits the shorter one ended it, if it had not got
   * further than a handshake. */
  if (!was_ready (transfer->easy)
      && transfer_connect_ms (request) < failure.limit_ms)
    failure.limit_ms = transfer_connect_ms (request);
  reply->result = failure_add (&transport->error, &failure);
  reply->error = transport->error.data;
  reply->class = failure_class (failure.cause);
  reply->is_maybe_sent = is_sent && reply->result == TRANSPORT_NO_ANSWER;
}

static void
transfer_fill_smtp (struct transfer *transfer, CURLcode code,
                    struct transport_reply *reply)
{
  const struct smtp_dialogue *dialogue = &transfer->dialogue;

  if (!transfer->lacks_login
      && (code == CURLE_OK || transfer->is_stopped
          || smtp_dialogue_is_refused (dialogue))) {
    reply->status = dialogue->status;
    reply->stage = code == CURLE_OK ? TRANSPORT_STAGE_DONE : dialogue->stage;
    if (dialogue->stage == TRANSPORT_STAGE_RECIPIENT)
      reply->recipient = dialogue->recipient;
    reply->body = dialogue->text.data;
    reply->body_len = dialogue->text.len;
    return;
  }
  transfer_describe (transfer, code, reply);
}

static void
transfer_fill_http (struct transfer *transfer, CURLcode code,
                    struct transport_reply *reply)
{
  struct assembly *assembly = transfer->reply;

  /* Once a status came there is an answer, however it ended: error 92 of
   * libcurl 7.88 comes after a complete one. */
  if (!assembly || assembly->status == 0) {
    transfer_describe (transfer, code, reply);
    return;
  }
  reply->status = assembly->status;
  reply->body = assembly->body.data;
  reply->body_len = assembly->body.len;
  reply->is_truncated = assembly->is_truncated || !assembly->is_block_over
                        || code != CURLE_OK;
  reply->headers = transfer->transport->headers;
  reply->n_headers
    = assembly_headers (assembly, transfer->transport->headers);
}

void
transfer_fill (struct transfer *transfer, CURLcode code,
               struct transport_reply *reply)
{
  if (transfer->fault)
    transfer_describe (transfer, code, reply);
  else if (transfer->kind == TRANSFER_SMTP)
    transfer_fill_smtp (transfer, code, reply);
  else
    transfer_fill_http (transfer, code, reply);
}
