/* peer.h - who is at the other end of a connection.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_PEER_H
#define HERALD_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PEER_MAX_GROUPS = 64, PEER_KEY_LEN = 16 };

struct peer {
  size_t listen;                /* the number of the listening socket */
  bool is_local;                /* a Unix socket: uid and groups count */
  bool is_loopback;             /* TCP from this host */
  uid_t uid;
  size_t n_groups;
  gid_t groups[PEER_MAX_GROUPS];
  unsigned char key[PEER_KEY_LEN];      /* equal for one address (of IPv6:
                                           one /64) or one user */
};

/* Of a connected socket.  -1: it is gone already. */
int peer_read (int fd, struct peer *ret_peer);

#endif
