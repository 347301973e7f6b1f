/* transfer.c - one request on its way: what libcurl is told.
 *
 * SPDX-License-Identifier: MIT
 */

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif
#define USER_AGENT "herald/" PACKAGE_VERSION

enum {
  TRANSFER_CONNECT_MS = 10000, TRANSFER_TOTAL_MS = 60000,
  TRANSFER_KEPT = 64 * 1024,    /* a buffer worth keeping */
  TRANSFER_CA_CACHE_S = 24 * 3600,
  TRANSFER_QUIT_S = 1,          /* libcurl blocks while it says goodbye */
  TRANSFER_EXPECT = 1024,       /* from here it would ask to continue */
  TRANSFER_READ_BUFFER = 1024   /* a usual reply; each transfer has one */
};

/* Where the reply goes; made when its first piece comes, as most transfers
 * wait for one. */
static struct assembly *
transfer_reply (struct transfer *transfer)
{
  struct transport *transport = transfer->transport;

  if (transfer->reply)
    return transfer->reply;
  transfer->reply = transport->assemblies;
  if (transfer->reply)
    transport->assemblies = transfer->reply->next;
  else
    transfer->reply = assembly_new (transport->max_reply);
  return transfer->reply;
}

static void
transfer_drop_reply (struct transfer *transfer)
{
  struct transport *transport = transfer->transport;

  if (!transfer->reply)
    return;
  assembly_clear (transfer->reply);
  transfer->reply->next = transport->assemblies;
  transport->assemblies = transfer->reply;
  transfer->reply = NULL;
}

static size_t
on_header (char *line, size_t size, size_t n, void *data)
{
  struct transfer *transfer = data;

  if (transfer->kind == TRANSFER_SMTP)
    return transfer->is_stopped ? 0 : size * n;
  return assembly_header (transfer_reply (transfer), line, size * n) < 0
           ? 0 : size * n;
}

static size_t
on_body (char *piece, size_t size, size_t n, void *data)
{
  struct transfer *transfer = data;

  if (transfer->kind == TRANSFER_SMTP)
    return size * n;            /* the dialogue has the lines already */
  return assembly_body (transfer_reply (transfer), piece, size * n) < 0
           ? 0 : size * n;
}

static int
on_start (void *data, char *address, char *local_address, int port,
          int local_port)
{
  struct transfer *transfer = data;

  (void) address;
  (void) local_address;
  (void) port;
  (void) local_port;
  gate_leave (&transfer->place);
  return CURL_PREREQFUNC_OK;
}

static void
transfer_prepare_http (struct transfer *transfer)
{
  CURL *easy = transfer->easy;

  if (transfer->transport->proxy)       /* of CONNECT */
    SET (easy, CURLOPT_USERAGENT, USER_AGENT);
  if (transfer->transport->unix_socket)
    SET (easy, CURLOPT_UNIX_SOCKET_PATH, transfer->transport->unix_socket);
  SET (easy, CURLOPT_PATH_AS_IS, 1L);
  SET (easy, CURLOPT_BUFFERSIZE, (long) TRANSFER_READ_BUFFER);
  SET (easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  /* For a mail connection that is given up in favour of this one. */
  SET (easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long) TRANSFER_QUIT_S);
}

/* The options that all requests share. */
static void
transfer_prepare (struct transfer *transfer)
{
  struct transport *transport = transfer->transport;
  CURL *easy = transfer->easy;

  curl_easy_reset (easy);
  SET (easy, CURLOPT_NOSIGNAL, 1L);
  SET (easy, CURLOPT_PRIVATE, transfer);
  SET (easy, CURLOPT_ERRORBUFFER, transfer->detail);
  SET (easy, CURLOPT_SHARE, transport->share);
  SET (easy, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
  SET (easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET (easy, CURLOPT_FOLLOWLOCATION, 0L);
  SET (easy, CURLOPT_PROXY, transport->proxy ? transport->proxy : "");
  SET (easy, CURLOPT_NOPROXY, "");
  SET (easy, CURLOPT_TCP_KEEPALIVE, 1L);
  SET (easy, CURLOPT_UPLOAD_BUFFERSIZE, (long) TRANSFER_UPLOAD_BUFFER);
  SET (easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
  /* A directory of CAs turns the cache of the certificate store off: 27 ms
   * a connection instead of 0.8. */
  SET (easy, CURLOPT_CAPATH, NULL);
  if (transport->ca_file)
    SET (easy, CURLOPT_CAINFO, transport->ca_file);
#if LIBCURL_VERSION_NUM >= 0x075700
  SET (easy, CURLOPT_CA_CACHE_TIMEOUT, (long) TRANSFER_CA_CACHE_S);
#endif
  SET (easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  SET (easy, CURLOPT_OPENSOCKETDATA, transfer);
  SET (easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
  SET (easy, CURLOPT_CLOSESOCKETDATA, transport);
  SET (easy, CURLOPT_PREREQFUNCTION, on_start);
  SET (easy, CURLOPT_PREREQDATA, transfer);
  SET (easy, CURLOPT_HEADERFUNCTION, on_header);
  SET (easy, CURLOPT_HEADERDATA, transfer);
  SET (easy, CURLOPT_WRITEFUNCTION, on_body);
  SET (easy, CURLOPT_WRITEDATA, transfer);
  if (transfer->kind == TRANSFER_SMTP)
    transfer_prepare_smtp (transfer);
  else
    transfer_prepare_http (transfer);
  transfer->is_prepared = true;
}

void
transfer_reserve (struct transfer *transfer, size_t n, size_t len)
{
  buf_clear (&transfer->lines);
  buf_reserve (&transfer->lines, len);
  if (n <= transfer->n_nodes)
    return;
  transfer->n_nodes = n + 2;
  transfer->nodes = memory_resize (transfer->nodes, transfer->n_nodes,
                                   sizeof *transfer->nodes);
}

struct curl_slist *
nodes_link (struct curl_slist *nodes, size_t n)
{
  for (size_t i = 0; i < n; i++)
    nodes[i].next = i + 1 < n ? &nodes[i + 1] : NULL;
  return n > 0 ? nodes : NULL;
}

bool
has_line_end (const char *text, size_t len)
{
  return memchr (text, '\n', len) || memchr (text, '\r', len);
}

/* "Name: value", or what libcurl wants for a header without a value. */
static void
lines_add_header (struct buf *lines, const char *name, size_t name_len,
                  const char *value, size_t value_len)
{
  buf_add (lines, name, name_len);
  buf_add (lines, value_len > 0 ? ": " : ";", value_len > 0 ? 2 : 1);
  buf_add (lines, value, value_len);
  buf_add (lines, "", 1);
}

static int
transfer_set_headers (struct transfer *transfer, bool has_body)
{
  /* CURLOPT_USERAGENT is formatted twice, letter by letter. */
  static char agent[] = "User-Agent: " USER_AGENT;
  static char no_type[] = "Content-Type:", no_expect[] = "Expect:";
  const struct transport_request *request = transfer->request;
  const struct transport_header *headers = request->headers;
  size_t len = 0, n = 0;
  bool has_type = false, has_agent = false;

  for (size_t i = 0; i < request->n_headers; i++)
    len += strlen (headers[i].name) + strlen (headers[i].value) + 3;
  transfer_reserve (transfer, request->n_headers + 3, len);
  for (size_t i = 0; i < request->n_headers; i++) {
    size_t name_len = strlen (headers[i].name);
    size_t value_len = strlen (headers[i].value);

    if (name_len == 0 || has_line_end (headers[i].name, name_len)
        || has_line_end (headers[i].value, value_len)) {
      transfer->fault = "a header has a line end in it";
      return -1;
    }
    if (name_len == 12 && strcasecmp (headers[i].name, "Content-Type") == 0)
      has_type = true;
    else if (name_len == 10 && strcasecmp (headers[i].name, "User-Agent") == 0)
      has_agent = true;
    else if (name_len == 14
             && strcasecmp (headers[i].name, "Content-Length") == 0)
      continue;                 /* libcurl counts for itself */
    transfer->nodes[n++].data = transfer->lines.data + transfer->lines.len;
    lines_add_header (&transfer->lines, headers[i].name, name_len,
                      headers[i].value, value_len);
  }
  if (!has_agent)
    transfer->nodes[n++].data = agent;
  if (has_body && !has_type)
    transfer->nodes[n++].data = no_type;
  if (request->body_len >= TRANSFER_EXPECT)
    transfer->nodes[n++].data = no_expect;
  SET (transfer->easy, CURLOPT_HTTPHEADER, nodes_link (transfer->nodes, n));
  return 0;
}

static int
transfer_set_http (struct transfer *transfer)
{
  const struct transport_request *request = transfer->request;
  const char *method = request->method;
  CURL *easy = transfer->easy;
  bool is_post = strcmp (method, "POST") == 0;
  bool has_body = request->body || is_post || strcmp (method, "PUT") == 0
                  || strcmp (method, "PATCH") == 0;

  if (transfer_set_headers (transfer, has_body) < 0)
    return -1;
  if (has_body) {
    SET (easy, CURLOPT_POST, 1L);
    SET (easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len);
    SET (easy, CURLOPT_POSTFIELDS,
         request->body ? (const char *) request->body : "");
  } else if (strcmp (method, "HEAD") == 0)
    SET (easy, CURLOPT_NOBODY, 1L);
  else
    SET (easy, CURLOPT_HTTPGET, 1L);
  SET (easy, CURLOPT_CUSTOMREQUEST, is_post ? NULL : method);
  SET (easy, CURLOPT_HTTP_VERSION,
       (long) (request->http2 ? CURL_HTTP_VERSION_2TLS
                              : CURL_HTTP_VERSION_1_1));
  SET (easy, CURLOPT_PIPEWAIT, request->http2 ? 1L : 0L);
  return 0;
}

int64_t
transfer_connect_ms (const struct transport_request *request)
{
  return request->connect_ms > 0 ? request->connect_ms
                                 : TRANSFER_CONNECT_MS;
}

int64_t
transfer_total_ms (const struct transport_request *request)
{
  return request->total_ms > 0 ? request->total_ms : TRANSFER_TOTAL_MS;
}

int
transfer_set (struct transfer *transfer)
{
  const struct transport_request *request = transfer->request;
  CURL *easy = transfer->easy;

  if (!transfer->is_prepared)
    transfer_prepare (transfer);
  SET (easy, CURLOPT_URL, request->url);
  SET (easy, CURLOPT_CONNECTTIMEOUT_MS,
       (long) transfer_connect_ms (request));
  SET (easy, CURLOPT_TIMEOUT_MS, (long) transfer_total_ms (request));
  return transfer->kind == TRANSFER_SMTP ? transfer_set_smtp (transfer)
                                         : transfer_set_http (transfer);
}

void
transfer_free (struct transfer *transfer)
{
  curl_easy_cleanup (transfer->easy);
  buf_done (&transfer->message);
  assembly_free (transfer->reply);
  smtp_dialogue_done (&transfer->dialogue);
  buf_done (&transfer->lines);
  free (transfer->nodes);
  free (transfer);
}

struct transfer *
transfer_take (struct transport *transport, enum transfer_kind kind)
{
  struct transfer *transfer = transport->idle[kind];

  if (transfer) {
    transport->idle[kind] = transfer->next;
  } else {
    transfer = memory_zeroed (1, sizeof *transfer);
    transfer->transport = transport;
    transfer->kind = kind;
    transfer->place.transfer = transfer;
    buf_init (&transfer->lines, 0);
    buf_init (&transfer->message, 0);
    transfer->easy = curl_easy_init ();
    if (!transfer->easy)
      memory_exhausted ();
  }
  transfer->prev = NULL;
  transfer->next = transport->busy;
  if (transport->busy)
    transport->busy->prev = transfer;
  transport->busy = transfer;
  transport->in_flight++;
  return transfer;
}

void
transfer_give_back (struct transfer *transfer)
{
  struct transport *transport = transfer->transport;

  if (transfer->kind == TRANSFER_SMTP) {
    if (!transfer->is_prepared)
      curl_easy_reset (transfer->easy); /* it holds the password */
    if (transfer->message.size > TRANSFER_KEPT)
      buf_done (&transfer->message);
  } else
    transfer_drop_reply (transfer);
  free (transfer->guard_reason);
  transfer->guard_reason = NULL;
  if (transfer->lines.size > TRANSFER_KEPT)
    buf_done (&transfer->lines);
  transfer->request = NULL;
  transfer->next = transport->idle[transfer->kind];
  transport->idle[transfer->kind] = transfer;
}
