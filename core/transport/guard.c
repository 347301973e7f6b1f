/* guard.c - which addresses may be reached.
 *
 * Everything is compared as sixteen bytes: an IPv4 address is looked at as
 * such, and an IPv6 address that carries one is looked at as both, because
 * a translator on the way would deliver to the inner one.
 *
 * SPDX-License-Identifier: MIT
 */

#include "guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"

enum { GUARD_REASON_LEN = 200, GUARD_CIDR_LEN = INET6_ADDRSTRLEN + 4 };

struct network {
  unsigned char bytes[16];      /* of IPv4 the first four */
  unsigned char len;            /* 4 or 16 */
  unsigned char prefix;
};

struct guard {
  struct network *allowed;
  size_t n;
};

struct range {
  struct network network;
  const char *what;
};

/* IANA's special-purpose registries (RFC 6890 and its updates), narrower
 * ranges first.  168.63.129.16 is public by number only: it is the host
 * side of Azure's machines. */
static const struct range ranges4[] = {
  { { { 0 }, 4, 8 }, "an address of \"this network\"" },
  { { { 10 }, 4, 8 }, "a private address" },
  { { { 100, 64 }, 4, 10 }, "a carrier-grade NAT address" },
  { { { 127 }, 4, 8 }, "a loopback address" },
  { { { 168, 63, 129, 16 }, 4, 32 }, "a metadata service's address" },
  { { { 169, 254 }, 4, 16 }, "a link-local address" },
  { { { 172, 16 }, 4, 12 }, "a private address" },
  { { { 192, 0, 0 }, 4, 24 }, "a reserved address" },
  { { { 192, 0, 2 }, 4, 24 }, "a documentation address" },
  { { { 192, 88, 99 }, 4, 24 }, "a reserved address" },
  { { { 192, 168 }, 4, 16 }, "a private address" },
  { { { 198, 18 }, 4, 15 }, "a benchmarking address" },
  { { { 198, 51, 100 }, 4, 24 }, "a documentation address" },
  { { { 203, 0, 113 }, 4, 24 }, "a documentation address" },
  { { { 224 }, 4, 4 }, "a multicast address" },
  { { { 255, 255, 255, 255 }, 4, 32 }, "the broadcast address" },
  { { { 240 }, 4, 4 }, "a reserved address" }
};

static const struct range ranges6[] = {
  { { { 0 }, 16, 128 }, "an address of \"this network\"" },
  { { { [15] = 1 }, 16, 128 }, "a loopback address" },
  { { { 0x01, 0x00 }, 16, 64 }, "a reserved address" },
  { { { 0x20, 0x01, 0, 0x02 }, 16, 48 }, "a benchmarking address" },
  { { { 0x20, 0x01, 0, 0x10 }, 16, 28 }, "a reserved address" },
  { { { 0x20, 0x01, 0, 0x20 }, 16, 28 }, "a reserved address" },
  { { { 0x20, 0x01, 0x0d, 0xb8 }, 16, 32 }, "a documentation address" },
  { { { 0x3f, 0xff }, 16, 20 }, "a documentation address" },
  { { { 0xfc }, 16, 7 }, "a unique local address" },
  { { { 0xfe, 0x80 }, 16, 10 }, "a link-local address" },
  { { { 0xfe, 0xc0 }, 16, 10 }, "a site-local address" },
  { { { 0xff }, 16, 8 }, "a multicast address" }
};

static const struct network global6 = { { 0x20 }, 16, 3 };

/* Where an IPv4 address stands inside an IPv6 one. */
struct carrier {
  struct network network;
  unsigned char at[4];
  unsigned char mask;           /* Teredo hides it by inverting */
};

/* RFC 4291 (compatible, mapped), 2765 (translated), 6052 and 8215 (NAT64;
 * of the local-use /48 the place depends on the prefix its owner chose, so
 * each possible one is looked at), 3056 (6to4), 4380 (Teredo: the server
 * and the client). */
static const struct carrier carriers[] = {
  { { { 0 }, 16, 96 }, { 12, 13, 14, 15 }, 0 },
  { { { [10] = 0xff, [11] = 0xff }, 16, 96 }, { 12, 13, 14, 15 }, 0 },
  { { { [8] = 0xff, [9] = 0xff }, 16, 96 }, { 12, 13, 14, 15 }, 0 },
  { { { 0, 0x64, 0xff, 0x9b }, 16, 96 }, { 12, 13, 14, 15 }, 0 },
  { { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 16, 48 }, { 12, 13, 14, 15 }, 0 },
  { { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 16, 48 }, { 6, 7, 9, 10 }, 0 },
  { { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 16, 48 }, { 7, 9, 10, 11 }, 0 },
  { { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 16, 48 }, { 9, 10, 11, 12 }, 0 },
  { { { 0x20, 0x02 }, 16, 16 }, { 2, 3, 4, 5 }, 0 },
  { { { 0x20, 0x01, 0, 0 }, 16, 32 }, { 4, 5, 6, 7 }, 0 },
  { { { 0x20, 0x01, 0, 0 }, 16, 32 }, { 12, 13, 14, 15 }, 0xff }
};

#define COUNT(array) (sizeof (array) / sizeof *(array))

static bool
network_holds (const struct network *network, const unsigned char *bytes,
               unsigned len)
{
  unsigned whole = network->prefix / 8, rest = network->prefix % 8;

  if (network->len != len || memcmp (network->bytes, bytes, whole) != 0)
    return false;
  return rest == 0
         || (network->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

static void
network_print (const struct network *network, char ret_text[GUARD_CIDR_LEN])
{
  char address[INET6_ADDRSTRLEN] = "";

  inet_ntop (network->len == 4 ? AF_INET : AF_INET6, network->bytes, address,
             sizeof address);
  snprintf (ret_text, GUARD_CIDR_LEN, "%s/%u", address,
            (unsigned) network->prefix);
}

/* Clear what is right of the prefix; true if there was something. */
static bool
network_trim (struct network *network)
{
  bool is_trimmed = false;

  for (unsigned i = 0; i < network->len; i++) {
    unsigned first = i * 8, kept = 0;

    if (network->prefix > first)
      kept = network->prefix - first < 8 ? network->prefix - first : 8;
    unsigned char mask = (unsigned char) (0xff00 >> kept);
    if (network->bytes[i] & ~mask)
      is_trimmed = true;
    network->bytes[i] &= mask;
  }
  return is_trimmed;
}

static int
network_read (const char *text, struct network *ret_network, char *ret_reason,
              size_t size)
{
  struct network network = { { 0 }, 0, 0 };
  char address[INET6_ADDRSTRLEN], mended[GUARD_CIDR_LEN];
  const char *slash = strchr (text, '/');
  size_t len = slash ? (size_t) (slash - text) : strlen (text);
  int64_t prefix = 0;

  if (len < sizeof address) {
    memcpy (address, text, len);
    address[len] = '\0';
    if (inet_pton (AF_INET, address, network.bytes) == 1)
      network.len = 4;
    else if (inet_pton (AF_INET6, address, network.bytes) == 1)
      network.len = 16;
  }
  if (network.len == 0 || !slash) {
    snprintf (ret_reason, size,
              "\"%.60s\" is no network; write it as 10.1.0.0/16 or fd00::/8",
              text);
    return -1;
  }
  if (number_read (slash + 1, strlen (slash + 1), 0, network.len * 8, &prefix)
      < 0) {
    snprintf (ret_reason, size,
              "\"%.60s\" is no network; after the slash is a number from 0 "
              "to %d", text, network.len * 8);
    return -1;
  }
  network.prefix = (unsigned char) prefix;
  if (network_trim (&network)) {
    network_print (&network, mended);
    snprintf (ret_reason, size,
              "\"%.60s\" is an address in a network; the network is %s", text,
              mended);
    return -1;
  }
  *ret_network = network;
  return 0;
}

struct guard *
guard_new (const char *const *allowed, size_t n, char ret_reason[200])
{
  struct guard *guard = memory_zeroed (1, sizeof *guard);
  char reason[160];

  guard->allowed = memory_zeroed (n ? n : 1, sizeof *guard->allowed);
  for (guard->n = 0; guard->n < n; guard->n++)
    if (network_read (allowed[guard->n], &guard->allowed[guard->n], reason,
                      sizeof reason) < 0) {
      snprintf (ret_reason, GUARD_REASON_LEN, "allowed network %zu: %s",
                guard->n + 1, reason);
      guard_free (guard);
      return NULL;
    }
  return guard;
}

void
guard_free (struct guard *guard)
{
  if (!guard)
    return;
  free (guard->allowed);
  free (guard);
}

int
guard_check_cidr (const char *text, char ret_reason[200])
{
  struct network network;

  return network_read (text, &network, ret_reason, GUARD_REASON_LEN);
}

static bool
guard_allows (const struct guard *guard, const unsigned char *bytes,
              unsigned len)
{
  for (size_t i = 0; i < guard->n; i++)
    if (network_holds (&guard->allowed[i], bytes, len))
      return true;
  return false;
}

static const struct range *
range_find (const struct range *ranges, size_t n, const unsigned char *bytes,
            unsigned len)
{
  for (size_t i = 0; i < n; i++)
    if (network_holds (&ranges[i].network, bytes, len))
      return &ranges[i];
  return NULL;
}

/* outer is the IPv6 address that carries bytes, or NULL. */
static int
guard_check4 (const struct guard *guard, const unsigned char *bytes,
              const unsigned char *outer, char *ret_reason)
{
  const struct range *range
    = range_find (ranges4, COUNT (ranges4), bytes, 4);
  char address[INET_ADDRSTRLEN] = "", around[INET6_ADDRSTRLEN] = "";
  char cidr[GUARD_CIDR_LEN];

  if (!range || guard_allows (guard, bytes, 4))
    return 0;
  inet_ntop (AF_INET, bytes, address, sizeof address);
  if (outer)
    inet_ntop (AF_INET6, outer, around, sizeof around);
  network_print (&range->network, cidr);
  snprintf (ret_reason, GUARD_REASON_LEN,
            "%s%s%s is %s; allow it in herald.xml: <allow cidr=\"%s\"/>",
            around, outer ? " holds an IPv4 address: " : "", address,
            range->what, cidr);
  return -1;
}

/* Whether bytes are not laid out as carrier says, so what stands there is
 * no address.  Only of the local NAT64 /48 there are several layouts; the
 * usual one has nothing between the prefix and the last four bytes. */
static bool
carrier_is_other (const struct carrier *carrier, const unsigned char *bytes,
                  const unsigned char *inner)
{
  static const unsigned char none[10];

  if (carrier->network.prefix != 48 || memcmp (bytes + 6, none, 10) == 0)
    return false;
  if (memcmp (inner, none, 4) == 0)
    return true;
  return carrier->at[0] != 12 && memcmp (bytes + 6, none, 6) == 0;
}

/* All IPv4 addresses that bytes may carry. */
static int
guard_check_carried (const struct guard *guard, const unsigned char *bytes,
                     char *ret_reason)
{
  for (size_t i = 0; i < COUNT (carriers); i++) {
    const struct carrier *carrier = &carriers[i];
    unsigned char inner[4];

    if (!network_holds (&carrier->network, bytes, 16))
      continue;
    for (size_t k = 0; k < sizeof inner; k++)
      inner[k] = bytes[carrier->at[k]] ^ carrier->mask;
    if (!carrier_is_other (carrier, bytes, inner)
        && guard_check4 (guard, inner, bytes, ret_reason) < 0)
      return -1;
  }
  return 0;
}

static bool
guard_carries (const unsigned char *bytes)
{
  for (size_t i = 0; i < COUNT (carriers); i++)
    if (network_holds (&carriers[i].network, bytes, 16))
      return true;
  return false;
}

static int
guard_check6 (const struct guard *guard, const unsigned char *bytes,
              char *ret_reason)
{
  const struct range *range
    = range_find (ranges6, COUNT (ranges6), bytes, 16);
  struct network itself = { { 0 }, 16, 128 };
  char address[INET6_ADDRSTRLEN] = "", cidr[GUARD_CIDR_LEN];

  if (guard_allows (guard, bytes, 16))
    return 0;
  if (!range && guard_carries (bytes))
    return guard_check_carried (guard, bytes, ret_reason);
  if (!range && network_holds (&global6, bytes, 16))
    return 0;
  inet_ntop (AF_INET6, bytes, address, sizeof address);
  if (range)
    itself = range->network;
  else
    memcpy (itself.bytes, bytes, sizeof itself.bytes);
  network_print (&itself, cidr);
  snprintf (ret_reason, GUARD_REASON_LEN,
            "%s is %s; allow it in herald.xml: <allow cidr=\"%s\"/>", address,
            range ? range->what : "a reserved address", cidr);
  return -1;
}

int
guard_check (const struct guard *guard, const struct sockaddr *address,
             socklen_t len, char ret_reason[200])
{
  /* Copied, because what libcurl hands over need not be aligned. */
  if (address->sa_family == AF_INET && len >= sizeof (struct sockaddr_in)) {
    struct sockaddr_in in;

    memcpy (&in, address, sizeof in);
    return guard_check4 (guard, (const unsigned char *) &in.sin_addr, NULL,
                         ret_reason);
  }
  if (address->sa_family == AF_INET6 && len >= sizeof (struct sockaddr_in6)) {
    struct sockaddr_in6 in6;

    memcpy (&in6, address, sizeof in6);
    return guard_check6 (guard, in6.sin6_addr.s6_addr, ret_reason);
  }
  snprintf (ret_reason, GUARD_REASON_LEN, "%s",
            "this is neither an IPv4 nor an IPv6 address");
  return -1;
}
