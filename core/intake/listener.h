/* listener.h - the sockets that connections come in by.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LISTENER_H
#define HERALD_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "config/herald_xml.h"

struct listener {
  int fd;
  char *made;                   /* a file to remove; NULL: none of ours */
  char name[120];               /* for the log: "127.0.0.1:8414" */
};

struct listeners {
  size_t n;
  struct listener *all;
};

/* Those the service manager handed in (base/service.h), or if there are
 * none, one for each <listen>.  -1 with a reason; none is open then. */
int listeners_open (const struct herald_intake *intake,
                    struct listeners *ret_listeners, char *ret_reason,
                    size_t size);
void listeners_close (struct listeners *listeners);

/* Its <listen>; NULL: it has none there. */
const struct herald_listen *listener_find (const struct listener *listener,
                                           const struct herald_intake *intake);

#endif
