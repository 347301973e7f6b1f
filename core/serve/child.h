/* child.h - one process that the supervisor keeps running.
 *
 * It is started again when it ends, after a pause that doubles from 100 ms
 * to 30 s and is short again once it was up for a minute; ended when it
 * hangs, which is when it has not said WATCHDOG=1 for watchdog_ms.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CHILD_H
#define HERALD_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/service.h"
#include "serve/listeners.h"
#include "serve/pidfile.h"

struct child;

enum child_state {
  CHILD_DOWN,                   /* not to run */
  CHILD_WAITING,                /* to be started again in a while */
  CHILD_STARTING,
  CHILD_UP,                     /* it has said READY=1 */
  CHILD_RELOADING,
  CHILD_STOPPING                /* told to end, or being killed */
};

struct child_config {
  struct loop *loop;
  const char *name;             /* "worker-0"; for messages and its log */
  const char *program;          /* what is run ... */
  char *const *arguments;       /* ... argv, up to NULL */
  struct pidfile *pidfile;
  unsigned place;               /* of pidfile_take () */
  const char *notify_path;      /* NOTIFY_SOCKET of the child */
  struct service_inbox *inbox;
  const struct listeners *listeners;    /* given to it; NULL: none */
  const char *const *hidden;    /* not given to it (spawn.h) */
  int64_t watchdog_ms;          /* 0: nobody watches */
  /* What it left behind in a crash, such as which provider it was in;
   * adds nothing when there is nothing to tell.  May be NULL. */
  void (*explain) (void *data, struct child *child, struct buf *out);
  void (*changed) (void *data, struct child *child);    /* its state */
  void *data;
};

struct child *child_new (const struct child_config *config);
/* What still runs is killed.  NULL is fine. */
void child_free (struct child *child);

void child_start (struct child *child);         /* from DOWN */
/* SIGTERM; after most_ms SIGKILL.  DOWN when it has ended. */
void child_stop (struct child *child, int64_t most_ms);
/* The same, but it is started again at once. */
void child_restart (struct child *child, int64_t most_ms);
void child_kill (struct child *child);          /* it is to stop at once */
/* SIGHUP; one that is starting gets it when it is up, and one that waits to
 * be started is started. */
void child_reload (struct child *child);
/* From its next start on. */
void child_set_watchdog (struct child *child, int64_t watchdog_ms);
void child_set_hidden (struct child *child, const char *const *hidden);

/* Something came from pid, or waitpid () has answered for it: false if it
 * is another's. */
bool child_hear (struct child *child, const struct service_message *message);
bool child_ended (struct child *child, pid_t pid, int status);

const char *child_name (const struct child *child);
unsigned child_place (const struct child *child);
enum child_state child_state (const struct child *child);
pid_t child_pid (const struct child *child);    /* 0: it does not run */
const char *child_status (const struct child *child);   /* its STATUS=, "" */
/* Up, and nothing it was told is under way. */
bool child_is_settled (const struct child *child);
/* It can't start before its like of a former supervisor has ended. */
bool child_waits_for_place (const struct child *child);
/* The exit code of its last end; -1: it was none, or by a signal. */
int child_exit_code (const struct child *child);

#endif
