/* service.h - the service manager's protocol, both its ends.
 *
 * What sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3) of
 * systemd say on the wire.  The supervisor speaks it upwards to systemd
 * and downwards to its children, so an intake or a worker behaves the
 * same under either.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_SERVICE_H
#define HERALD_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"

/* -- The end of what is managed. */

/* Whether there is a manager to be told (NOTIFY_SOCKET). */
bool service_is_managed (void);

/* Tell it "READY=1", "STATUS=3 lanes" and the like, several with newlines
 * between.  0 when it was told or there is none; -1 (nothing is logged)
 * if it could not be told: what begins with READY, RELOADING or STOPPING
 * waits a second for a manager that does not read, all else not at all. */
int service_notify (const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 1, 2)));

/* A reload begins; it ends with READY=1. */
int service_notify_reloading (void);

/* How long the manager waits between two WATCHDOG=1 before it thinks
 * this process hangs; 0: it does not watch. */
int64_t service_watchdog_ms (void);

/* Says WATCHDOG=1 from the loop at a third of that time, the first at
 * once; sooner again if it could not be said.  NULL if nobody watches. */
struct service_beat;
struct service_beat *service_beat_new (struct loop *loop);
void service_beat_free (struct service_beat *beat);     /* NULL is fine */

/* READY=1, which nobody says in our place: if it could not be told, the
 * beat says it until it was.  NULL is fine. */
void service_ready (struct service_beat *beat);

enum { SERVICE_SOCKETS_MAX = 64, SERVICE_NAME_MAX = 256 };

struct service_socket {
  int fd;                       /* listens; CLOEXEC and not blocking */
  char name[SERVICE_NAME_MAX];  /* of LISTEN_FDNAMES, or "" */
};

/* The listening sockets this process was given (LISTEN_FDS, LISTEN_PID,
 * LISTEN_FDNAMES; they are unset, so a second call finds none).  A malloc'd
 * array in *ret_sockets, NULL when there are none.  -1 with a reason if
 * what was given are no listening stream sockets; all are closed then. */
int service_sockets (struct service_socket **ret_sockets, size_t *ret_n,
                     char *ret_reason, size_t size);

/* -- The end of the manager. */

struct service_message {
  pid_t pid;                    /* who sent it, by the kernel's word */
  bool is_ready, is_reloading, is_stopping, is_alive;
  bool is_hung;                 /* WATCHDOG=trigger */
  const char *status;           /* NULL: says nothing of it */
};

typedef void service_message_fn (void *data,
                                 const struct service_message *message);

struct service_inbox;

/* A socket at path that takes such messages and gives them to fn from the
 * loop.  What is at path is replaced.  NULL with a reason. */
struct service_inbox *service_inbox_new (struct loop *loop, const char *path,
                                         service_message_fn *fn, void *data,
                                         char *ret_reason, size_t size);
/* Read what has come, before its senders are taken for dead. */
void service_inbox_read (struct service_inbox *inbox);
void service_inbox_free (struct service_inbox *inbox);  /* and the file */

/* One message as it came from the wire; text is changed, and the status
 * points into it. */
void service_message_read (char *text, struct service_message *ret_message);

#endif
