/* listener.c - the sockets that connections come in by.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/service.h"
#include "config/network.h"

enum { LISTENER_BACKLOG = 1024 };

static struct listener *
listeners_add (struct listeners *listeners, int fd)
{
  struct listener *listener;

  listeners->all = memory_resize (listeners->all, listeners->n + 1,
                                  sizeof listeners->all[0]);
  listener = &listeners->all[listeners->n++];
  *listener = (struct listener) { .fd = fd };
  return listener;
}

static void
listener_name (struct listener *listener)
{
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
  } address;
  socklen_t len = sizeof address;
  char text[INET6_ADDRSTRLEN];
  char *name = listener->name;

  memset (&address, 0, sizeof address);
  if (getsockname (listener->fd, &address.any, &len) != 0)
    snprintf (name, sizeof listener->name, "descriptor %d", listener->fd);
  else if (address.any.sa_family == AF_UNIX)
    snprintf (name, sizeof listener->name, "%.108s", address.local.sun_path);
  else if (address.any.sa_family == AF_INET
           && inet_ntop (AF_INET, &address.v4.sin_addr, text, sizeof text)
                != NULL)
    snprintf (name, sizeof listener->name, "%s:%u", text,
              ntohs (address.v4.sin_port));
  else if (address.any.sa_family == AF_INET6
           && inet_ntop (AF_INET6, &address.v6.sin6_addr, text, sizeof text)
                != NULL)
    snprintf (name, sizeof listener->name, "[%s]:%u", text,
              ntohs (address.v6.sin6_port));
}

const struct herald_listen *
listener_find (const struct listener *listener,
               const struct herald_intake *intake)
{
  for (size_t k = 0; k < intake->n_listens; k++) {
    const struct herald_listen *listen = &intake->listens[k];
    const char *name = listen->socket != NULL ? listen->socket
                                              : listen->address;

    if (strcmp (name, listener->name) == 0)
      return listen;
  }
  return NULL;
}

static int
listener_socket (int family)
{
  int fd = socket (family, SOCK_STREAM, 0);

  if (fd < 0)
    return -1;
  fcntl (fd, F_SETFD, FD_CLOEXEC);
  fcntl (fd, F_SETFL, O_NONBLOCK);
  return fd;
}

static int
listener_fail (int fd, char *ret_reason, size_t size, const char *what)
{
  snprintf (ret_reason, size, "%s: %s", what, strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

static int
listener_bind_address (const char *text, char *ret_reason, size_t size)
{
  struct network_address address;
  int fd, one = 1;
  char why[200];

  if (network_read_address (text, &address, why) != 0) {
    snprintf (ret_reason, size, "%s %s", text, why);
    return -1;
  }
  fd = listener_socket (address.socket.any.sa_family);
  if (fd < 0)
    return listener_fail (fd, ret_reason, size, text);
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (address.socket.any.sa_family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (bind (fd, &address.socket.any, address.len) != 0
      || listen (fd, LISTENER_BACKLOG) != 0)
    return listener_fail (fd, ret_reason, size, text);
  return fd;
}

/* What is at path and nobody listens on is left over: it goes. */
static int
listener_clear_path (const struct sockaddr_un *address)
{
  struct stat status;
  int fd, result;

  if (lstat (address->sun_path, &status) != 0)
    return errno == ENOENT ? 0 : -1;
  if (!S_ISSOCK (status.st_mode)) {
    errno = EEXIST;
    return -1;
  }
  fd = socket (AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0)
    return -1;
  result = connect (fd, (const struct sockaddr *) address, sizeof *address);
  close (fd);
  if (result == 0) {
    errno = EADDRINUSE;
    return -1;
  }
  return unlink (address->sun_path);
}

static int
listener_bind_path (const struct herald_listen *listen_at, char *ret_reason,
                    size_t size)
{
  const char *path = listen_at->socket;
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  mode_t saved;
  int fd, result;

  if (strlen (path) >= sizeof address.sun_path) {
    snprintf (ret_reason, size, "%s is longer than a socket's path may be "
              "(%zu bytes)", path, sizeof address.sun_path - 1);
    return -1;
  }
  memcpy (address.sun_path, path, strlen (path) + 1);
  if (listener_clear_path (&address) != 0)
    return listener_fail (-1, ret_reason, size, path);
  fd = listener_socket (AF_UNIX);
  if (fd < 0)
    return listener_fail (fd, ret_reason, size, path);
  /* Nobody else may connect before the mode is right. */
  saved = umask (0777);
  result = bind (fd, (const struct sockaddr *) &address, sizeof address);
  umask (saved);
  if (result != 0 || chmod (path, listen_at->mode) != 0
      || listen (fd, LISTENER_BACKLOG) != 0)
    return listener_fail (fd, ret_reason, size, path);
  return fd;
}

static int
listeners_take (struct listeners *listeners, char *ret_reason, size_t size)
{
  struct service_socket *sockets;
  size_t n;

  if (service_sockets (&sockets, &n, ret_reason, size) != 0)
    return -1;
  for (size_t i = 0; i < n; i++)
    listener_name (listeners_add (listeners, sockets[i].fd));
  free (sockets);
  return 0;
}

int
listeners_open (const struct herald_intake *intake,
                struct listeners *ret_listeners, char *ret_reason,
                size_t size)
{
  struct listeners listeners = { 0 };

  if (listeners_take (&listeners, ret_reason, size) != 0)
    return -1;
  for (size_t k = 0; listeners.n == k && k < intake->n_listens; k++) {
    const struct herald_listen *listen = &intake->listens[k];
    int fd = listen->socket != NULL
               ? listener_bind_path (listen, ret_reason, size)
               : listener_bind_address (listen->address, ret_reason, size);
    struct listener *listener;

    if (fd < 0) {
      listeners_close (&listeners);
      return -1;
    }
    listener = listeners_add (&listeners, fd);
    listener_name (listener);
    if (listen->socket != NULL)
      listener->made = memory_strdup (listen->socket);
  }
  *ret_listeners = listeners;
  return 0;
}

void
listeners_close (struct listeners *listeners)
{
  for (size_t i = 0; i < listeners->n; i++) {
    close (listeners->all[i].fd);
    if (listeners->all[i].made != NULL)
      unlink (listeners->all[i].made);
    free (listeners->all[i].made);
  }
  free (listeners->all);
  *listeners = (struct listeners) { 0 };
}
