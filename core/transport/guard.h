/* guard.h - which addresses may be reached.
 *
 * An endpoint's name is an operator's wish, what it resolves to is not:
 * the guard looks at the address that is really being connected to.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_GUARD_H
#define HERALD_GUARD_H

#include <stddef.h>
#include <sys/socket.h>

struct guard;

/* allowed: "10.1.0.0/16", "fd00::/8" ... beyond the public internet.
 * NULL with a reason if one is no network (name its index). */
struct guard *guard_new (const char *const *allowed, size_t n,
                         char ret_reason[200]);
void guard_free (struct guard *guard);

/* Whether text is a network in CIDR form, without host bits set. */
int guard_check_cidr (const char *text, char ret_reason[200]);

/* 0 if address may be connected to; else -1 with what it is and what would
 * allow it: "127.0.0.1 is a loopback address; allow it in herald.xml:
 * <allow cidr="127.0.0.0/8"/>".  Refused by default: "this network",
 * loopback, private, carrier-grade NAT, link-local (with the metadata
 * services), multicast, broadcast, documentation, benchmarking, reserved;
 * in IPv6 also unique local, site-local, and the IPv4 inside v4-mapped,
 * v4-compatible, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), 6to4 and Teredo
 * addresses.  An allowed range opens addresses in it, also when embedded. */
int guard_check (const struct guard *guard, const struct sockaddr *address,
                 socklen_t len, char ret_reason[200]);

#endif
