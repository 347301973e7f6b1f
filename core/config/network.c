/* network.c - addresses, ranges and URLs as configuration writes them.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/number.h"
#include "base/text.h"

enum { REASON_SIZE = 200, MAX_URL = 2048, MAX_HOST = 253 };

static int
refuse (char *ret_reason, const char *reason)
{
  snprintf (ret_reason, REASON_SIZE, "%s", reason);
  return -1;
}

static void
clear_behind (unsigned char *address, size_t len, unsigned prefix)
{
  for (size_t i = 0; i < len; i++) {
    unsigned kept = prefix > 8 * i ? prefix - 8 * (unsigned) i : 0;

    if (kept < 8)
      address[i] = (unsigned char) (address[i] & (0xff00u >> kept));
  }
}

int
network_check_range (const char *text, char ret_reason[200])
{
  const char *slash = strchr (text, '/');
  unsigned char address[16], network[16];
  char host[INET6_ADDRSTRLEN];
  int family = strchr (text, ':') != NULL ? AF_INET6 : AF_INET;
  size_t len = family == AF_INET6 ? 16 : 4;
  int64_t prefix;

  if (slash == NULL)
    return refuse (ret_reason, family == AF_INET6
                   ? "has no prefix; for one address add /128"
                   : "has no prefix; for one address add /32");
  if ((size_t) (slash - text) >= sizeof host)
    return refuse (ret_reason, "is no range of addresses");
  memcpy (host, text, (size_t) (slash - text));
  host[slash - text] = '\0';
  if (inet_pton (family, host, address) != 1)
    return refuse (ret_reason, "is no range of addresses; write it like "
                               "10.1.0.0/16 or fd00::/8");
  if (number_read (slash + 1, strlen (slash + 1), 0, (int64_t) (8 * len),
                   &prefix) < 0) {
    snprintf (ret_reason, REASON_SIZE, "has a prefix that is not between 0 "
              "and %zu", 8 * len);
    return -1;
  }
  memcpy (network, address, len);
  clear_behind (network, len, (unsigned) prefix);
  if (memcmp (network, address, len) != 0) {
    inet_ntop (family, network, host, sizeof host);
    snprintf (ret_reason, REASON_SIZE, "is an address in a range, not the "
              "range; write %s/%d", host, (int) prefix);
    return -1;
  }
  return 0;
}

/* The parts of an authority that herald wants to know. */
struct authority {
  char host[MAX_HOST + 1];      /* without brackets */
  bool is_bracketed;
};

static int
read_port (const char *text, size_t len, char *ret_reason)
{
  int64_t port;

  if (number_read (text, len, 1, 65535, &port) < 0)
    return refuse (ret_reason, "has a port that is not between 1 and 65535");
  return 0;
}

/* Of len bytes between "//" and the path. */
static int
read_authority (const char *text, size_t len, struct authority *ret_authority,
                char *ret_reason)
{
  bool is_bracketed = len > 0 && text[0] == '[';
  const char *end = memchr (text, is_bracketed ? ']' : ':', len);
  size_t start = is_bracketed ? 1 : 0;
  size_t host_len = (end != NULL ? (size_t) (end - text) : len) - start;
  size_t after = start + host_len + start;

  if (memchr (text, '@', len) != NULL)
    return refuse (ret_reason, "must not hold a user or password; there are "
                               "settings for them");
  if (is_bracketed && end == NULL)
    return refuse (ret_reason, "has a [ without ]");
  if (host_len == 0)
    return refuse (ret_reason, "has no host");
  if (host_len > MAX_HOST)
    return refuse (ret_reason, "has a host of more than 253 bytes");
  if (after < len && text[after] != ':')
    return refuse (ret_reason, "has something between ] and the port");
  if (after < len
      && read_port (text + after + 1, len - after - 1, ret_reason) < 0)
    return -1;
  memcpy (ret_authority->host, text + start, host_len);
  ret_authority->host[host_len] = '\0';
  ret_authority->is_bracketed = is_bracketed;
  return 0;
}

/* What libraries take for a host although no name server would. */
static int
check_host (const struct authority *authority, char *ret_reason)
{
  unsigned char address[16];

  if (authority->is_bracketed
      && inet_pton (AF_INET6, authority->host, address) != 1)
    return refuse (ret_reason, "has no IPv6 address between [ and ]");
  if (!authority->is_bracketed
      && strpbrk (authority->host, "[]%<>\"'`{}|^,;!$&()*+=") != NULL)
    return refuse (ret_reason, "has a character in its host that no host "
                               "name has");
  return 0;
}

static bool
is_loopback (const struct authority *authority)
{
  unsigned char address[16];

  if (authority->is_bracketed)
    return inet_pton (AF_INET6, authority->host, address) == 1
           && memcmp (address, &in6addr_loopback, sizeof address) == 0;
  if (text_equal_fold (authority->host, "localhost"))
    return true;
  return inet_pton (AF_INET, authority->host, address) == 1
         && address[0] == 127;
}

static int
check_characters (const char *url, char *ret_reason)
{
  size_t len = strlen (url);

  if (len > MAX_URL)
    return refuse (ret_reason, "is longer than 2048 bytes");
  for (size_t i = 0; i < len; i++)
    if ((unsigned char) url[i] <= ' ' || url[i] == 0x7f || url[i] == '\\')
      return refuse (ret_reason, "has a space, control character or \\ in "
                                 "it");
  return 0;
}

/* Where the scheme's "://" ends, if it is scheme; else 0. */
static size_t
after_scheme (const char *url, const char *scheme)
{
  size_t len = strlen (scheme);

  return strncasecmp (url, scheme, len) == 0
         && strncmp (url + len, "://", 3) == 0 ? len + 3 : 0;
}

int
network_check_proxy (const char *url, char ret_reason[200])
{
  static const char *const schemes[] = {
    "http", "https", "socks5", "socks5h", NULL
  };
  struct authority authority;
  size_t start = 0, len;

  if (check_characters (url, ret_reason) < 0)
    return -1;
  for (size_t k = 0; schemes[k] != NULL && start == 0; k++)
    start = after_scheme (url, schemes[k]);
  if (start == 0)
    return refuse (ret_reason, "must start with http://, https://, "
                               "socks5:// or socks5h://");
  len = strcspn (url + start, "/?#");
  if (url[start + len] != '\0' && strcmp (url + start + len, "/") != 0)
    return refuse (ret_reason, "must end after host and port");
  if (read_authority (url + start, len, &authority, ret_reason) < 0)
    return -1;
  return check_host (&authority, ret_reason);
}

int
network_check_url (const char *url, bool is_base, bool allow_http,
                   char ret_reason[200])
{
  size_t start = after_scheme (url, "https");
  bool is_http = false;
  struct authority authority;
  size_t len;

  if (check_characters (url, ret_reason) < 0)
    return -1;
  if (start == 0) {
    start = after_scheme (url, "http");
    is_http = true;
  }
  if (start == 0)
    return refuse (ret_reason, "must start with https://");
  len = strcspn (url + start, "/?#");
  if (read_authority (url + start, len, &authority, ret_reason) < 0
      || check_host (&authority, ret_reason) < 0)
    return -1;
  if (is_http && !is_loopback (&authority))
    return refuse (ret_reason, "must start with https://; plain http goes "
                               "to this host (localhost, 127.0.0.1, [::1]) "
                               "only");
  if (is_http && !allow_http)
    return refuse (ret_reason, "must start with https://, or herald.xml must "
                               "have <allow-http/> in <network>");
  if (is_base && url[start + strcspn (url + start, "?#")] != '\0')
    return refuse (ret_reason, "must not have a query or fragment (? or #)");
  return 0;
}

/* The host and the port of "127.0.0.1:8414"; -1 if there are no two. */
static int
split_address (const char *text, char ret_host[INET6_ADDRSTRLEN],
               bool *ret_is_v6, const char **ret_port)
{
  bool is_v6 = text[0] == '[';
  const char *start = is_v6 ? text + 1 : text;
  const char *end = strchr (start, is_v6 ? ']' : ':');

  if (end == NULL || end == start || end - start >= INET6_ADDRSTRLEN
      || (is_v6 && end[1] != ':'))
    return -1;
  memcpy (ret_host, start, (size_t) (end - start));
  ret_host[end - start] = '\0';
  *ret_is_v6 = is_v6;
  *ret_port = is_v6 ? end + 2 : end + 1;
  return 0;
}

int
network_read_address (const char *text, struct network_address *ret_address,
                      char ret_reason[200])
{
  static const char what[] = "is no address and port; write it like "
                             "127.0.0.1:8414 or [::1]:8414";
  struct network_address address = { .is_loopback = false };
  struct sockaddr_in *v4 = &address.socket.v4;
  struct sockaddr_in6 *v6 = &address.socket.v6;
  char host[INET6_ADDRSTRLEN];
  const char *port_text;
  int64_t port;
  bool is_v6;

  if (split_address (text, host, &is_v6, &port_text) < 0)
    return refuse (ret_reason, what);
  if (number_read (port_text, strlen (port_text), 1, 65535, &port) < 0)
    return refuse (ret_reason, "has a port that is not between 1 and 65535");
  if (is_v6) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons ((uint16_t) port);
    address.len = sizeof *v6;
    if (inet_pton (AF_INET6, host, &v6->sin6_addr) != 1)
      return refuse (ret_reason, what);
    address.is_loopback = IN6_IS_ADDR_LOOPBACK (&v6->sin6_addr);
    inet_ntop (AF_INET6, &v6->sin6_addr, host, sizeof host);
  } else {
    v4->sin_family = AF_INET;
    v4->sin_port = htons ((uint16_t) port);
    address.len = sizeof *v4;
    if (inet_pton (AF_INET, host, &v4->sin_addr) != 1)
      return refuse (ret_reason, what);
    address.is_loopback = ntohl (v4->sin_addr.s_addr) >> 24 == 127;
  }
  snprintf (address.text, sizeof address.text, is_v6 ? "[%s]:%d" : "%s:%d",
            host, (int) port);
  *ret_address = address;
  return 0;
}
