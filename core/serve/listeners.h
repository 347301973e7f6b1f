/* listeners.h - the sockets that the intake accepts from.
 *
 * They are the supervisor's: an intake that crashes or is replaced finds
 * those that connected meanwhile in the queue of the socket.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LISTENERS_H
#define HERALD_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/service.h"
#include "config/herald_xml.h"

struct listeners;

struct listener {
  char *name;                   /* "127.0.0.1:8414", or a socket's path */
  int fd;                       /* CLOEXEC, not blocking */
  bool is_given;                /* by the service manager */
  bool is_wanted;               /* by a <listen> */
};

struct listeners *listeners_new (void);
/* Closed, and the files of the sockets we made removed.  NULL is fine. */
void listeners_free (struct listeners *listeners);

/* Sockets of a service manager, taken over.  They are used for the
 * <listen> that names them, and never closed or removed while we run. */
void listeners_give (struct listeners *listeners,
                     const struct service_socket *sockets, size_t n);

enum listeners_answer {
  LISTENERS_SAME,               /* as it was */
  LISTENERS_CHANGED,
  LISTENERS_BUSY,               /* another process listens there */
  LISTENERS_FAILED
};

/* Listen to what intake says, and to nothing else.  New ones are bound
 * first: if one can't be, nothing changes, and there is a reason.  A
 * socket's file that nobody listens to any more is replaced; any other
 * file is not.  One that we made and that is gone is made anew. */
enum listeners_answer listeners_set (struct listeners *listeners,
                                     const struct herald_intake *intake,
                                     char *ret_reason, size_t size);

size_t listeners_count (const struct listeners *listeners);
const struct listener *listeners_at (const struct listeners *listeners,
                                     size_t k);

/* Which <listen> a listening socket belongs to; NULL: none. */
const struct herald_listen *
listeners_find (const struct herald_intake *intake, int fd);

#endif
