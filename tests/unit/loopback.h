/* loopback.h - small servers for the tests of transport, each connection
 * on a thread of its own.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LOOPBACK_H
#define HERALD_LOOPBACK_H

/* HTTP: the path says how to behave, see loopback.c. */
int loopback_start_http (void);
/* SMTP: addresses and subjects say how to behave. */
int loopback_start_smtp (void);
/* A port at which nobody listens. */
int loopback_dead_port (void);

extern _Atomic int loopback_connections;        /* accepted so far */
extern _Atomic int loopback_requests;
extern char loopback_last[65536];       /* the last request or dialogue */

#endif
