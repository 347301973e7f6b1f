/* allows.h - who may put events in at a Unix socket: root, our own user,
 * and whom <allow> of the socket names.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_ALLOWS_H
#define HERALD_ALLOWS_H

#include <stddef.h>

#include "caller.h"
#include "config/herald_xml.h"
#include "listener.h"
#include "peer.h"

struct allows;

/* Users and groups are looked up now; those that there are not are told in
 * the log.  A socket has the rights of the <listen> of its path, wherever
 * that stands.  intake must outlive it. */
struct allows *allows_new (const struct herald_intake *intake,
                           const struct listeners *listeners);
void allows_free (struct allows *allows);       /* NULL is fine */

/* Of a local peer; peer->listen counts listeners.  NULL: it may not. */
struct caller *allows_find (struct allows *allows, const struct peer *peer);

#endif
