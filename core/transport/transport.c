/* transport.c - requests out, replies in: the loop's side of libcurl.
 *
 * libcurl's callbacks only note what they are told; done is called when
 * libcurl has returned, so it may send, cancel, and do what it likes.
 *
 * SPDX-License-Identifier: MIT
 */

#include "transport.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/date.h"
#include "base/memory.h"
#include "transfer.h"

#ifndef HERALD_CA_BUNDLE
#define HERALD_CA_BUNDLE ""
#endif

static void transport_collect (struct transport *transport);

static void
transport_ready (void *data, int fd, unsigned ready)
{
  struct transport *transport = data;
  int mask = (ready & LOOP_READ ? CURL_CSELECT_IN : 0)
             | (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
  int running;

  curl_multi_socket_action (transport->multi, fd, mask, &running);
  transport_collect (transport);
}

/* A kept connection says something while nothing was asked: mostly that
 * the other end closed it.  libcurl 7.88 only notices a connection that is
 * closed both ways, and would lose the next request on this one. */
static void
transport_idle_ready (void *data, int fd, unsigned ready)
{
  struct transport *transport = data;
  struct pollfd state = { .fd = fd };

  (void) ready;
#ifdef POLLRDHUP
  state.events = POLLRDHUP;
#endif
  if (poll (&state, 1, 0) > 0 && state.revents)
    shutdown (fd, SHUT_RDWR);
  loop_want (transport->loop, fd, 0, transport_idle_ready, transport);
}

bool
transport_is_open (const struct transport *transport, int fd)
{
  return fd >= 0 && (size_t) fd < transport->n_open && transport->is_open[fd];
}

static void
transport_mark_open (struct transport *transport, int fd, bool is_open)
{
  size_t n = (size_t) fd + 1;

  if (n > transport->n_open) {
    n = n < 64 ? 64 : n * 2;
    transport->is_open
      = memory_resize (transport->is_open, n, sizeof *transport->is_open);
    memset (transport->is_open + transport->n_open, 0,
            (n - transport->n_open) * sizeof *transport->is_open);
    transport->n_open = n;
  }
  transport->is_open[fd] = is_open;
}

/* libcurl copies a request for TLS into a buffer of 16 kB and keeps it until
 * the reply is there: of a thousand, 16 MB.  To set its size frees it.  While
 * libcurl waits for nothing but a reply of HTTP/1, all has been sent.  8.7
 * has no such buffer. */
static void
transfer_release_upload (struct transfer *transfer)
{
  const struct transport_request *request = transfer->request;

  if (transfer->kind == TRANSFER_HTTP && request && !request->http2
      && transfer->transport->keeps_uploads
      && strncasecmp (request->url, "https:", 6) == 0)
    SET (transfer->easy, CURLOPT_UPLOAD_BUFFERSIZE,
         (long) TRANSFER_UPLOAD_BUFFER);
}

static int
on_socket (CURL *easy, curl_socket_t fd, int what, void *data, void *unused)
{
  struct transport *transport = data;
  unsigned wanted = (what & CURL_POLL_IN ? LOOP_READ : 0)
                    | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);
  char *private = NULL;

  (void) unused;
  if (what != CURL_POLL_REMOVE) {
    loop_want (transport->loop, fd, wanted, transport_ready, transport);
    curl_easy_getinfo (easy, CURLINFO_PRIVATE, &private);
    if (private && transport_is_open (transport, fd)) {
      struct transfer *transfer = (struct transfer *) (void *) private;

      transfer->fd = fd;
      if (what == CURL_POLL_IN)
        transfer_release_upload (transfer);
    }
    return 0;
  }
  /* A connection stays known until it is closed: asking for it again is
   * then free.  Others (the resolver's) are gone after this. */
  if (transport_is_open (transport, fd))
    loop_want (transport->loop, fd, LOOP_READ, transport_idle_ready,
               transport);
  else
    loop_forget (transport->loop, fd);
  return 0;
}

curl_socket_t
on_open_socket (void *data, curlsocktype purpose,
                struct curl_sockaddr *address)
{
  struct transfer *transfer = data;
  struct transport *transport = transfer->transport;
  char reason[200];
  int fd;

  (void) purpose;
  if (transport->guard && !transport->proxy && !transport->unix_socket
      && guard_check (transport->guard, &address->addr,
                      (socklen_t) address->addrlen, reason)
           < 0) {
    free (transfer->guard_reason);
    transfer->guard_reason = memory_strdup (reason);
    return CURL_SOCKET_BAD;
  }
  transfer->n_opened++;
  fd = socket (address->family, address->socktype | SOCK_CLOEXEC,
               address->protocol);
  if (fd >= 0)
    transport_mark_open (transport, fd, true);
  return fd < 0 ? CURL_SOCKET_BAD : fd;
}

int
on_close_socket (void *data, curl_socket_t fd)
{
  struct transport *transport = data;

  loop_forget (transport->loop, fd);
  transport_mark_open (transport, fd, false);
  return close (fd);
}

static int
on_timer (CURLM *multi, long after_ms, void *data)
{
  struct transport *transport = data;

  (void) multi;
  if (after_ms < 0)
    loop_timer_stop (transport->timer);
  else if (after_ms == 0)
    loop_timer_set (transport->timer, 0);
  else
    loop_timer_set (transport->timer, date_monotonic_us () + after_ms * 1000);
  return 0;
}

static void
transport_timeout (void *data)
{
  struct transport *transport = data;
  int running;

  curl_multi_socket_action (transport->multi, CURL_SOCKET_TIMEOUT, 0,
                            &running);
  transport_collect (transport);
}

/* Off the busy list and away from libcurl; its memory is still there. */
static void
transfer_detach (struct transfer *transfer)
{
  struct transport *transport = transfer->transport;

  if (transfer->prev)
    transfer->prev->next = transfer->next;
  else
    transport->busy = transfer->next;
  if (transfer->next)
    transfer->next->prev = transfer->prev;
  transport->in_flight--;
  gate_leave (&transfer->place);
  if (transfer->is_added)
    curl_multi_remove_handle (transport->multi, transfer->easy);
  transfer->is_added = false;
}

static void
transfer_finish (struct transfer *transfer, CURLcode code, bool is_cancelled)
{
  struct transport_reply reply
    = { .result = TRANSPORT_ANSWERED, .body = "", .error = "" };

  reply.elapsed_us = date_monotonic_us () - transfer->started_us;
  if (is_cancelled)
    reply.result = TRANSPORT_CANCELLED;
  else
    transfer_fill (transfer, code, &reply);
  transfer_detach (transfer);
  transfer->done (transfer->data, &reply);
  transfer_give_back (transfer);
}

/* Let in those that the gate has room for. */
static void
transport_admit (struct transport *transport)
{
  struct gate *gate = &transport->gate;
  struct transfer *transfer;

  if (gate_is_empty (gate))
    return;
  while ((transfer = gate_admit (gate, date_monotonic_us ()))) {
    if (curl_multi_add_handle (transport->multi, transfer->easy) == CURLM_OK)
      transfer->is_added = true;
    else {
      transfer->fault = "libcurl does not take it";
      loop_timer_set (transport->later_timer, 0);
    }
  }
  if (!gate_is_empty (gate) && !loop_timer_is_set (transport->later_timer))
    loop_timer_set (transport->later_timer, gate_opens_us (gate));
}

static void
transport_collect (struct transport *transport)
{
  CURLMsg *message;
  int left;

  while ((message = curl_multi_info_read (transport->multi, &left))) {
    CURLcode code = message->data.result;
    struct transfer *transfer;
    char *private = NULL;

    if (message->msg != CURLMSG_DONE)
      continue;
    curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, &private);
    transfer = (struct transfer *) (void *) private;
    if (transfer_set_again (transfer, code)) {
      curl_multi_remove_handle (transport->multi, transfer->easy);
      transfer->is_added = false;
      gate_leave (&transfer->place);
      gate_wait (&transport->gate, &transfer->place);
    } else
      transfer_finish (transfer, code, false);
  }
  transport_admit (transport);
}

/* Those that could not be sent, as done must not be called from send; and
 * those that the gate held back. */
static void
transport_later (void *data)
{
  struct transport *transport = data;
  struct transfer *transfer = transport->busy;

  while (transfer) {
    if (transfer->fault) {
      transfer_finish (transfer, CURLE_OK, false);
      transfer = transport->busy; /* done may have changed the list */
    } else
      transfer = transfer->next;
  }
  transport_admit (transport);
}

struct transfer *
transport_send (struct transport *transport,
                const struct transport_request *request,
                transport_done_fn *done, void *data)
{
  bool is_smtp = strncasecmp (request->url, "smtp", 4) == 0;
  struct transfer *transfer
    = transfer_take (transport, is_smtp ? TRANSFER_SMTP : TRANSFER_HTTP);

  transfer->request = request;
  transfer->done = done;
  transfer->data = data;
  transfer->started_us = date_monotonic_us ();
  transfer->fault = NULL;
  transfer->is_stopped = false;
  transfer->lacks_login = false;
  transfer->is_again = false;
  transfer->fd = CURL_SOCKET_BAD;
  transfer->n_opened = 0;
  transfer->detail[0] = '\0';
  if (transfer_set (transfer) == 0) {
    gate_wait (&transport->gate, &transfer->place);
    transport_admit (transport);
  } else
    loop_timer_set (transport->later_timer, 0);
  return transfer;
}

void
transport_cancel (struct transport *transport, struct transfer *transfer)
{
  (void) transport;
  transfer_finish (transfer, CURLE_OK, true);
}

size_t
transport_in_flight (const struct transport *transport)
{
  return transport->in_flight;
}

static int
ca_file_check (const char *path, char *ret_reason)
{
  FILE *file = fopen (path, "re");
  int c = file ? getc (file) : EOF;

  if (file)
    fclose (file);
  if (c != EOF)
    return 0;
  snprintf (ret_reason, 200,
            "the certificate authorities in %.80s can't be "
            "read: set <tls ca-file=\"...\"/> in herald.xml",
            path);
  return -1;
}

struct transport *
transport_new (struct loop *loop, const struct transport_config *config,
               char ret_reason[200])
{
  const char *ca_file = config->ca_file ? config->ca_file : HERALD_CA_BUNDLE;
  struct transport *transport;

  if (ca_file[0] && ca_file_check (ca_file, ret_reason) < 0)
    return NULL;
  if (curl_global_init (CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    snprintf (ret_reason, 200, "%s", "libcurl does not start");
    return NULL;
  }
  transport = memory_zeroed (1, sizeof *transport);
  transport->loop = loop;
  transport->guard = config->guard;
  transport->ca_file = ca_file[0] ? memory_strdup (ca_file) : NULL;
  if (config->proxy && config->proxy[0])
    transport->proxy = memory_strdup (config->proxy);
  if (config->unix_socket)
    transport->unix_socket = memory_strdup (config->unix_socket);
  transport->max_reply = config->max_reply;
  transport->keeps_uploads
    = curl_version_info (CURLVERSION_NOW)->version_num < 0x080700;
  buf_init (&transport->error, 1024);
  transport->timer = loop_timer_new (loop, transport_timeout, transport);
  transport->later_timer = loop_timer_new (loop, transport_later, transport);
  transport->share = curl_share_init ();
  curl_share_setopt (transport->share, CURLSHOPT_SHARE,
                     CURL_LOCK_DATA_SSL_SESSION);
  transport->multi = curl_multi_init ();
  if (!transport->multi || !transport->share)
    memory_exhausted ();
  curl_multi_setopt (transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt (transport->multi, CURLMOPT_SOCKETDATA, transport);
  curl_multi_setopt (transport->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt (transport->multi, CURLMOPT_TIMERDATA, transport);
  curl_multi_setopt (transport->multi, CURLMOPT_MAXCONNECTS,
                     (long) config->max_connections);
  curl_multi_setopt (transport->multi, CURLMOPT_PIPELINING,
                     (long) CURLPIPE_MULTIPLEX);
  return transport;
}

void
transport_free (struct transport *transport)
{
  if (!transport)
    return;
  while (transport->busy)
    transport_cancel (transport, transport->busy);
  /* QUIT goes out, but nobody waits for what is said to it. */
  for (size_t fd = 0; fd < transport->n_open; fd++)
    if (transport->is_open[fd])
      shutdown ((int) fd, SHUT_RD);
  for (int kind = 0; kind < TRANSFER_KINDS; kind++)
    while (transport->idle[kind]) {
      struct transfer *transfer = transport->idle[kind];

      transport->idle[kind] = transfer->next;
      transfer_free (transfer);
    }
  while (transport->assemblies) {
    struct assembly *assembly = transport->assemblies;

    transport->assemblies = assembly->next;
    assembly_free (assembly);
  }
  curl_multi_cleanup (transport->multi);
  curl_share_cleanup (transport->share);
  loop_timer_free (transport->timer);
  loop_timer_free (transport->later_timer);
  buf_done (&transport->error);
  free (transport->is_open);
  free (transport->ca_file);
  free (transport->proxy);
  free (transport->unix_socket);
  free (transport);
  curl_global_cleanup ();
}
