/* network.h - addresses, ranges and URLs as configuration writes them.
 *
 * Only how they are written is checked here; what is really connected to
 * is the transport's affair.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_NETWORK_H
#define HERALD_NETWORK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* All return -1 with a reason that follows the value's name, such as
 * "has no host", and never quotes it: a URL may hold a password. */

/* "10.1.0.0/16", "fd00::/8", with no bit set behind the prefix. */
int network_check_range (const char *text, char ret_reason[200]);

/* http://, https://, socks5:// or socks5h://, a host, perhaps a port. */
int network_check_proxy (const char *url, char ret_reason[200]);

/* https, or http to loopback where allowed: a host, no user or password,
 * no space or control character.  is_base: no query or fragment. */
int network_check_url (const char *url, bool is_base, bool allow_http,
                       char ret_reason[200]);

/* Where to listen: "127.0.0.1:8414", "[::1]:8414".  No names: what they
 * mean may change. */
struct network_address {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } socket;
  socklen_t len;                /* of socket */
  bool is_loopback;
  char text[INET6_ADDRSTRLEN + 8];      /* one spelling for each address */
};
int network_read_address (const char *text,
                          struct network_address *ret_address,
                          char ret_reason[200]);

#endif
