/* listeners.c - the sockets that the intake accepts from.
 *
 * SPDX-License-Identifier: MIT
 */

#include "serve/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/network.h"

enum {
  BACKLOG = 1024,               /* somaxconn may be less */
  MOST = 256
};

struct place {                  /* what is known besides */
  struct listener listener;
  unsigned mode;                /* of a socket's file that we made */
  dev_t device;
  ino_t inode;
  bool is_lost;                 /* the file; to be made anew */
};

struct listeners {
  size_t n;
  struct place places[MOST];
};

struct listeners *
listeners_new (void)
{
  return memory_zeroed (1, sizeof (struct listeners));
}

/* Not so when somebody has removed it, or put another in its place. */
static bool
place_has_file (const struct place *place)
{
  struct stat st;

  return lstat (place->listener.name, &st) == 0
         && st.st_dev == place->device && st.st_ino == place->inode;
}

static void
place_unlink (const struct place *place)
{
  if (place->mode != 0 && place_has_file (place))
    unlink (place->listener.name);
}

static void
place_close (struct place *place)
{
  place_unlink (place);
  close (place->listener.fd);
  free (place->listener.name);
}

void
listeners_free (struct listeners *listeners)
{
  if (listeners == NULL)
    return;
  for (size_t i = 0; i < listeners->n; i++)
    place_close (&listeners->places[i]);
  free (listeners);
}

/* The name of what a socket is bound to, as herald.xml is read; malloc'd,
 * NULL if it can't be in herald.xml. */
static char *
socket_name (int fd)
{
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
  } address;
  socklen_t len = sizeof address;
  char host[INET6_ADDRSTRLEN], name[INET6_ADDRSTRLEN + 16];

  memset (&address, 0, sizeof address);
  if (getsockname (fd, &address.any, &len) != 0)
    return NULL;
  switch (address.any.sa_family) {
    case AF_UNIX:
      return address.local.sun_path[0] == '/'
             ? memory_strndup (address.local.sun_path,
                               sizeof address.local.sun_path)
             : NULL;
    case AF_INET:
      inet_ntop (AF_INET, &address.v4.sin_addr, host, sizeof host);
      snprintf (name, sizeof name, "%s:%u", host,
                (unsigned) ntohs (address.v4.sin_port));
      return memory_strdup (name);
    case AF_INET6:
      inet_ntop (AF_INET6, &address.v6.sin6_addr, host, sizeof host);
      snprintf (name, sizeof name, "[%s]:%u", host,
                (unsigned) ntohs (address.v6.sin6_port));
      return memory_strdup (name);
  }
  return NULL;
}

void
listeners_give (struct listeners *listeners,
                const struct service_socket *sockets, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    char *name = socket_name (sockets[i].fd);

    if (listeners->n == MOST || name == NULL) {
      free (name);
      close (sockets[i].fd);
      continue;
    }
    listeners->places[listeners->n++] = (struct place) {
      .listener = { .name = name, .fd = sockets[i].fd, .is_given = true },
    };
  }
}

/* The one spelling of what a <listen> names. */
static void
listen_name (const struct herald_listen *listen, char *ret_name, size_t size)
{
  struct network_address address;
  char reason[200];

  if (listen->socket != NULL)
    snprintf (ret_name, size, "%s", listen->socket);
  else if (network_read_address (listen->address, &address, reason) == 0)
    snprintf (ret_name, size, "%s", address.text);
  else
    snprintf (ret_name, size, "%s", listen->address);
}

const struct herald_listen *
listeners_find (const struct herald_intake *intake, int fd)
{
  char *name = socket_name (fd), wanted[256];
  const struct herald_listen *found = NULL;

  for (size_t i = 0; i < intake->n_listens && name != NULL; i++) {
    listen_name (&intake->listens[i], wanted, sizeof wanted);
    if (strcmp (wanted, name) == 0)
      found = &intake->listens[i];
  }
  free (name);
  return found;
}

/* -1: with errno. */
static int
open_address (const char *text)
{
  struct network_address address;
  char reason[200];
  int on = 1, fd, saved;

  if (network_read_address (text, &address, reason) != 0) {
    errno = EINVAL;
    return -1;
  }
  fd = socket (address.socket.any.sa_family,
               SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  /* Connections of before that linger are no reason to wait. */
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  /* "[::]:8414" is not "0.0.0.0:8414", which may be listened to as well. */
  if (address.socket.any.sa_family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind (fd, &address.socket.any, address.len) == 0
      && listen (fd, BACKLOG) == 0)
    return fd;
  saved = errno;
  close (fd);
  errno = saved;
  return -1;
}

/* Remove a socket that nobody listens to any more.  -1 with errno: what
 * is there is in use (EADDRINUSE), or no socket (EEXIST). */
static int
remove_stale (const char *path, const struct sockaddr_un *address)
{
  struct stat st;
  int fd, status;

  if (lstat (path, &st) != 0)
    return errno == ENOENT ? 0 : -1;
  if (!S_ISSOCK (st.st_mode)) {
    errno = EEXIST;
    return -1;
  }
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  status = connect (fd, (const struct sockaddr *) address, sizeof *address);
  if (status != 0 && errno == ECONNREFUSED)
    status = unlink (path);
  else {
    /* EAGAIN: its queue is full, so somebody listens.  EPROTOTYPE: it is
     * of another kind, and not ours. */
    errno = EADDRINUSE;
    status = -1;
  }
  close (fd);
  return status;
}

static int
open_local (const char *path, unsigned mode, struct place *place)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  mode_t umask_before;
  struct stat st;
  int fd, status, saved;

  if (strlen (path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy (address.sun_path, path, strlen (path));
  if (remove_stale (path, &address) != 0)
    return -1;
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  /* Never more open than it may be, not even at first. */
  umask_before = umask (0777 & ~(mode_t) mode);
  status = bind (fd, (const struct sockaddr *) &address, sizeof address);
  saved = errno;
  umask (umask_before);
  errno = saved;
  if (status == 0 && chmod (path, (mode_t) mode) == 0
      && listen (fd, BACKLOG) == 0 && lstat (path, &st) == 0) {
    place->mode = mode;
    place->device = st.st_dev;
    place->inode = st.st_ino;
    return fd;
  }
  saved = errno;
  if (status == 0)
    unlink (path);
  close (fd);
  errno = saved;
  return -1;
}

static enum listeners_answer
place_refuse (const char *name, char *ret_reason, size_t size)
{
  int error = errno;

  if (error == EADDRINUSE)
    snprintf (ret_reason, size, "can't listen on %s: another process does",
              name);
  else if (error == EEXIST)
    snprintf (ret_reason, size, "can't listen on %s: a file is there that "
              "is no socket; remove it, or name another path", name);
  else if (error == ENOENT)
    snprintf (ret_reason, size, "can't listen on %s: its directory is not "
              "there; make it, or name another path", name);
  else if (error == EADDRNOTAVAIL)
    snprintf (ret_reason, size, "can't listen on %s: this host has no such "
              "address", name);
  else
    snprintf (ret_reason, size, "can't listen on %s: %s", name,
              strerror (error));
  return error == EADDRINUSE ? LISTENERS_BUSY : LISTENERS_FAILED;
}

static struct place *
listeners_named (struct listeners *listeners, const char *name)
{
  for (size_t i = 0; i < listeners->n; i++)
    if (strcmp (listeners->places[i].listener.name, name) == 0
        && !listeners->places[i].is_lost)
      return &listeners->places[i];
  return NULL;
}

static bool
is_every_address (const char *name)
{
  return strncmp (name, "0.0.0.0:", 8) == 0
         || strncmp (name, "[::]:", 5) == 0;
}

/* An address of ours that is in the way, as 127.0.0.1:8414 is in that of
 * 0.0.0.0:8414; NULL: there is none. */
static const char *
listeners_against (const struct listeners *listeners, const char *name)
{
  const char *port = strrchr (name, ':');

  for (size_t i = 0; i < listeners->n; i++) {
    const char *other = listeners->places[i].listener.name;

    if (*other != '/' && (*other == '[') == (*name == '[')
        && strcmp (strrchr (other, ':'), port) == 0
        && (is_every_address (other) || is_every_address (name)))
      return other;
  }
  return NULL;
}

/* Add what listen names; its name is there already, or becomes so. */
static enum listeners_answer
listeners_add (struct listeners *listeners,
               const struct herald_listen *listen, char *ret_reason,
               size_t size)
{
  struct place place = { .mode = 0 };
  const char *other;
  char name[256];

  listen_name (listen, name, sizeof name);
  if (listeners_named (listeners, name) != NULL)
    return LISTENERS_SAME;
  if (listeners->n == MOST) {
    snprintf (ret_reason, size, "there are more than %d sockets", MOST);
    return LISTENERS_FAILED;
  }
  place.listener.fd = listen->socket != NULL
                        ? open_local (name, listen->mode, &place)
                        : open_address (name);
  other = place.listener.fd < 0 && errno == EADDRINUSE
            && listen->socket == NULL ? listeners_against (listeners, name)
                                      : NULL;
  if (other != NULL) {
    snprintf (ret_reason, size, "can't listen on %s while herald listens on "
              "%s; for that, start herald serve again", name, other);
    return LISTENERS_FAILED;
  }
  if (place.listener.fd < 0)
    return place_refuse (name, ret_reason, size);
  place.listener.name = memory_strdup (name);
  listeners->places[listeners->n++] = place;
  return LISTENERS_CHANGED;
}

/* Mark what intake names, and drop what it does not. */
static bool
listeners_choose (struct listeners *listeners,
                  const struct herald_intake *intake)
{
  bool is_changed = false;
  size_t n = 0;

  for (size_t i = 0; i < listeners->n; i++) {
    struct place *place = &listeners->places[i];
    const struct herald_listen *listen
      = place->is_lost ? NULL : listeners_find (intake, place->listener.fd);

    is_changed |= place->listener.is_wanted != (listen != NULL);
    place->listener.is_wanted = listen != NULL;
    if (listen != NULL && place->mode != 0 && place->mode != listen->mode
        && chmod (place->listener.name, (mode_t) listen->mode) == 0)
      place->mode = listen->mode;
    if (listen == NULL && !place->listener.is_given)
      place_close (place);
    else
      listeners->places[n++] = *place;
  }
  listeners->n = n;
  return is_changed;
}

enum listeners_answer
listeners_set (struct listeners *listeners,
               const struct herald_intake *intake, char *ret_reason,
               size_t size)
{
  size_t before = listeners->n;

  for (size_t i = 0; i < before; i++) {
    struct place *place = &listeners->places[i];

    place->is_lost = place->mode != 0 && !place_has_file (place);
  }
  for (size_t i = 0; i < intake->n_listens; i++) {
    enum listeners_answer answer
      = listeners_add (listeners, &intake->listens[i], ret_reason, size);

    if (answer < LISTENERS_BUSY)
      continue;
    while (listeners->n > before)
      place_close (&listeners->places[--listeners->n]);
    return answer;
  }
  return listeners_choose (listeners, intake) ? LISTENERS_CHANGED
                                              : LISTENERS_SAME;
}

size_t
listeners_count (const struct listeners *listeners)
{
  return listeners->n;
}

const struct listener *
listeners_at (const struct listeners *listeners, size_t k)
{
  return &listeners->places[k].listener;
}
