/* linger.h - connections that are answered, but whose client still sends.
 *
 * A socket closed with unread input is reset, and a reset can overtake
 * the answer.  So what comes is read and dropped until the client has
 * seen the end, for a short while.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LINGER_H
#define HERALD_LINGER_H

#include "base/loop.h"

struct lingers;

struct lingers *lingers_new (struct loop *loop);
void lingers_free (struct lingers *lingers);    /* closes all */
/* The descriptor, whose sending side is shut, is closed when it is time. */
void lingers_add (struct lingers *lingers, int fd);

#endif
