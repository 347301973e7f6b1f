/* peer.c - who is at the other end of a connection.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/peer.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The user that connected and its groups, by the kernel's word (unix(7)).
 * Where there are more groups than fit the first alone counts. */
static int
peer_ask_kernel (int fd, struct peer *peer)
{
#ifdef SO_PEERCRED
  struct ucred user;
  socklen_t len = sizeof user;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &user, &len) != 0)
    return -1;
  peer->uid = user.uid;
  peer->groups[0] = user.gid;
  peer->n_groups = 1;
  len = (PEER_MAX_GROUPS - 1) * sizeof peer->groups[0];
  if (getsockopt (fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups + 1, &len) == 0)
    peer->n_groups += len / sizeof peer->groups[0];
  return 0;
#else
  peer->n_groups = 1;
  return getpeereid (fd, &peer->uid, &peer->groups[0]);
#endif
}

static int
peer_read_user (int fd, struct peer *peer)
{
  if (peer_ask_kernel (fd, peer) != 0)
    return -1;
  peer->is_local = true;
  memcpy (peer->key, &peer->uid, sizeof peer->uid);
  peer->key[PEER_KEY_LEN - 1] = 'u';
  return 0;
}

static void
peer_read_v4 (const struct sockaddr_in *address, struct peer *peer)
{
  const unsigned char *bytes = (const unsigned char *) &address->sin_addr;

  peer->is_loopback = bytes[0] == 127;
  memcpy (peer->key, bytes, 4);
}

static void
peer_read_v6 (const struct sockaddr_in6 *address, struct peer *peer)
{
  const struct in6_addr *bytes = &address->sin6_addr;

  if (IN6_IS_ADDR_V4MAPPED (bytes)) {
    peer->is_loopback = bytes->s6_addr[12] == 127;
    memcpy (peer->key, bytes->s6_addr + 12, 4);
    return;
  }
  peer->is_loopback = IN6_IS_ADDR_LOOPBACK (bytes);
  memcpy (peer->key, bytes->s6_addr, 8);
  peer->key[PEER_KEY_LEN - 1] = '6';
}

int
peer_read (int fd, struct peer *ret_peer)
{
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
  } address;
  socklen_t len = sizeof address;

  memset (ret_peer, 0, sizeof *ret_peer);
  if (getpeername (fd, &address.any, &len) != 0)
    return -1;
  switch (address.any.sa_family) {
  case AF_UNIX:
    return peer_read_user (fd, ret_peer);
  case AF_INET:
    peer_read_v4 (&address.v4, ret_peer);
    return 0;
  case AF_INET6:
    peer_read_v6 (&address.v6, ret_peer);
    return 0;
  default:
    return -1;
  }
}
