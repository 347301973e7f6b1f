/* child.c - one process that the supervisor keeps running.
 *
 * SPDX-License-Identifier: MIT
 */

#include "serve/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/date.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/process.h"
#include "serve/spawn.h"

enum {
  PAUSE_MS = 100,
  MAX_PAUSE_MS = 30 * 1000,
  LONG_UP_MS = 60 * 1000,       /* after which it is not failing any more */
  WORKED_MS = 1000,             /* after which it has done some work */
  PLACE_MS = 100,               /* between two looks for a free place */
  ABORT_MS = 5 * 1000,          /* from SIGABRT to SIGKILL */
  GRACE_MS = 400,               /* besides a tenth of its time */
  STATUS_LEN = 256
};

struct child {
  struct child_config config;
  enum child_state state;
  bool is_wanted;               /* to run */
  bool is_hurried;              /* to be started without a pause */
  bool is_reload_due;           /* when it is up */
  bool is_told;                 /* that its place is taken */
  bool is_doubted;              /* silent for as long as it may be */
  pid_t pid;
  int64_t pause_ms, started_us;
  int64_t watchdog_ms;          /* as it was told */
  int exit_code;
  struct loop_timer *start_timer, *watchdog_timer, *kill_timer;
  char status[STATUS_LEN];
};

static void child_spawn (struct child *child);

static void
child_enter (struct child *child, enum child_state state)
{
  if (child->state == state)
    return;
  child->state = state;
  child->config.changed (child->config.data, child);
}

/* From now on, not from when the loop last looked at the clock: we may
 * have waited since, for a service manager or a disk, and a child would be
 * called hung for it. */
static void
set_timer (struct loop_timer *timer, int64_t ms)
{
  loop_timer_set (timer, date_monotonic_us () + ms * 1000);
}

static void
child_start_due (void *data)
{
  child_spawn (data);
}

/* It goes on for ever, or waits for what never comes. */
static void
child_is_hung (struct child *child)
{
  const char *name = child->config.name;
  struct buf time = BUF_INIT (0);

  number_add_duration (&time, child->watchdog_ms);
  if (process_is_stopped (child->pid)) {
    /* SIGABRT would wait with it; and it is nobody's fault. */
    log_error ("%s (pid %ld) was stopped from outside for %s: it is killed "
               "and started again", name, (long) child->pid, time.data);
    kill (child->pid, SIGKILL);
  } else {
    log_error ("%s (pid %ld) gave no sign of life for %s: it is aborted "
               "and started again", name, (long) child->pid, time.data);
    kill (child->pid, SIGABRT);
    set_timer (child->kill_timer, ABORT_MS);
  }
  buf_done (&time);
  child_enter (child, CHILD_STOPPING);
}

static void
child_is_alive (struct child *child)
{
  child->is_doubted = false;
  if (child->watchdog_ms > 0)
    set_timer (child->watchdog_timer, child->watchdog_ms);
}

/* Perhaps it is us who slept: what it said then waits to be read, or found
 * no room between what others said, and is said again soon. */
static void
child_watchdog_due (void *data)
{
  struct child *child = data;

  service_inbox_read (child->config.inbox);
  if (loop_timer_is_set (child->watchdog_timer)
      || child->state == CHILD_STOPPING || child->pid == 0)
    return;
  if (child->is_doubted)
    child_is_hung (child);
  else {
    child->is_doubted = true;
    set_timer (child->watchdog_timer, child->watchdog_ms / 10 + GRACE_MS);
  }
}

static void
child_kill_due (void *data)
{
  struct child *child = data;

  log_warning ("%s (pid %ld) does not end: it is killed",
               child->config.name, (long) child->pid);
  kill (child->pid, SIGKILL);
}

struct child *
child_new (const struct child_config *config)
{
  struct child *child = memory_zeroed (1, sizeof *child);

  child->config = *config;
  child->config.name = memory_strdup (config->name);
  child->pause_ms = PAUSE_MS;
  child->exit_code = -1;
  child->start_timer = loop_timer_new (config->loop, child_start_due, child);
  child->watchdog_timer = loop_timer_new (config->loop, child_watchdog_due,
                                          child);
  child->kill_timer = loop_timer_new (config->loop, child_kill_due, child);
  return child;
}

void
child_free (struct child *child)
{
  char *name;

  if (child == NULL)
    return;
  if (child->pid > 0) {
    kill (child->pid, SIGKILL);
    waitpid (child->pid, NULL, 0);
  }
  loop_timer_free (child->start_timer);
  loop_timer_free (child->watchdog_timer);
  loop_timer_free (child->kill_timer);
  memcpy (&name, &child->config.name, sizeof name);
  free (name);
  free (child);
}

/* Later, and each time later still. */
static void
child_wait (struct child *child)
{
  set_timer (child->start_timer, child->pause_ms);
  child->pause_ms = child->pause_ms * 2 < MAX_PAUSE_MS ? child->pause_ms * 2
                                                       : MAX_PAUSE_MS;
  child_enter (child, CHILD_WAITING);
}

static void
child_wait_for_place (struct child *child)
{
  if (!child->is_told)
    log_notice ("%s waits until the one of a former herald serve has ended",
                child->config.name);
  child->is_told = true;
  set_timer (child->start_timer, PLACE_MS);
  child_enter (child, CHILD_WAITING);
}

static void
child_spawn (struct child *child)
{
  const struct child_config *config = &child->config;
  struct spawn order = {
    .program = config->program, .arguments = config->arguments,
    .notify_path = config->notify_path, .listeners = config->listeners,
    .watchdog_ms = config->watchdog_ms, .hidden = config->hidden,
    .place_fd = pidfile_take (config->pidfile, config->place),
  };

  if (order.place_fd < 0 && errno == EAGAIN) {
    child_wait_for_place (child);
    return;
  }
  if (order.place_fd < 0) {
    log_error ("%s can't be started: its lock can't be had: %m",
               config->name);
    child->is_told = false;
    child_wait (child);
    return;
  }
  child->is_told = child->is_hurried = child->is_reload_due = false;
  child->status[0] = '\0';
  child->watchdog_ms = config->watchdog_ms;
  child->pid = spawn (&order);
  close (order.place_fd);
  if (child->pid < 0) {
    log_error ("%s can't be started: %s: %m", config->name, config->program);
    child->pid = 0;
    child_wait (child);
    return;
  }
  child->started_us = loop_now_us (config->loop);
  child_is_alive (child);
  log_info ("%s started (pid %ld)", config->name, (long) child->pid);
  child_enter (child, CHILD_STARTING);
}

void
child_start (struct child *child)
{
  child->is_wanted = true;
  if (child->state == CHILD_DOWN)
    child_spawn (child);
}

/* Make a running child end.  Once: a second SIGTERM would cut off what is in
 * flight. */
static void
child_end (struct child *child, int64_t most_ms)
{
  if (child->state == CHILD_STOPPING)
    return;
  loop_timer_stop (child->watchdog_timer);
  /* Stopped, it would not hear.  Not afterwards: a debugger or sanitizer
     that stops it when it ends would be undone. */
  kill (child->pid, SIGCONT);
  kill (child->pid, SIGTERM);
  set_timer (child->kill_timer, most_ms);
  child_enter (child, CHILD_STOPPING);
}

void
child_stop (struct child *child, int64_t most_ms)
{
  child->is_wanted = false;
  loop_timer_stop (child->start_timer);
  if (child->pid > 0)
    child_end (child, most_ms);
  else
    child_enter (child, CHILD_DOWN);
}

void
child_restart (struct child *child, int64_t most_ms)
{
  child->is_wanted = child->is_hurried = true;
  if (child->pid > 0)
    child_end (child, most_ms);
  else {
    loop_timer_stop (child->start_timer);
    child_spawn (child);
  }
}

void
child_kill (struct child *child)
{
  child->is_wanted = false;
  loop_timer_stop (child->start_timer);
  if (child->pid > 0)
    kill (child->pid, SIGKILL);
}

/* Before it is up it has no ear for SIGHUP, and would end.  If it waits to
 * be started again, what it failed of may have been mended just now. */
void
child_reload (struct child *child)
{
  if (child->state == CHILD_WAITING && !child->is_told) {
    child->pause_ms = PAUSE_MS;
    set_timer (child->start_timer, 0);
    return;
  }
  if (child->state != CHILD_UP) {
    child->is_reload_due = child->pid > 0;
    return;
  }
  child->is_reload_due = false;
  kill (child->pid, SIGHUP);
  child_enter (child, CHILD_RELOADING);
}

void
child_set_watchdog (struct child *child, int64_t watchdog_ms)
{
  child->config.watchdog_ms = watchdog_ms;
}

void
child_set_hidden (struct child *child, const char *const *hidden)
{
  child->config.hidden = hidden;
}

bool
child_hear (struct child *child, const struct service_message *message)
{
  if (child->pid == 0 || message->pid != child->pid)
    return false;
  if (message->status != NULL)
    snprintf (child->status, sizeof child->status, "%s", message->status);
  if (child->state == CHILD_STOPPING)
    return true;
  child_is_alive (child);
  if (message->is_hung) {
    loop_timer_stop (child->watchdog_timer);
    child_is_hung (child);
  } else if (message->is_ready && (child->state == CHILD_STARTING
                                   || child->state == CHILD_RELOADING)) {
    child_enter (child, CHILD_UP);
    if (child->is_reload_due && child->state == CHILD_UP)
      child_reload (child);
  }
  return true;
}

/* A reload makes a process end by itself when it is to begin anew. */
static bool
child_begins_anew (const struct child *child, int status)
{
  return child->state == CHILD_RELOADING && WIFEXITED (status)
         && WEXITSTATUS (status) == 0;
}

/* Tell what it ended of; true: somebody is to blame whose deliveries the
 * next one will handle otherwise, or leave. */
static bool
child_tell (struct child *child, pid_t pid, int status)
{
  bool is_told_to = child->state == CHILD_STOPPING
                    || child_begins_anew (child, status);
  bool is_blamed;
  struct buf why = BUF_INIT (0);

  if (child->config.explain != NULL
      && (!is_told_to || (WIFSIGNALED (status)
                          && WTERMSIG (status) != SIGKILL
                          && WTERMSIG (status) != SIGTERM)))
    child->config.explain (child->config.data, child, &why);
  if (is_told_to && why.len == 0)
    log_info ("%s (pid %ld) has ended", child->config.name, (long) pid);
  else if (WIFSIGNALED (status))
    log_error ("%s (pid %ld) was ended by signal %d (%s)%s%s",
               child->config.name, (long) pid, WTERMSIG (status),
               process_signal_name (WTERMSIG (status)),
               why.len > 0 ? ": " : "", why.data);
  else
    log_error ("%s (pid %ld) ended with exit code %d%s%s",
               child->config.name, (long) pid, WEXITSTATUS (status),
               why.len > 0 ? ": " : "", why.data);
  is_blamed = why.len > 0;
  buf_done (&why);
  return is_blamed;
}

/* A plugin took it down: the others' deliveries do not wait for that.  What
 * crashed is not tried a third time, so this has an end. */
static void
child_go_on (struct child *child, int64_t up_us)
{
  if (up_us >= WORKED_MS * INT64_C (1000)) {
    child_spawn (child);
    return;
  }
  set_timer (child->start_timer, PAUSE_MS);
  child_enter (child, CHILD_WAITING);
}

bool
child_ended (struct child *child, pid_t pid, int status)
{
  int64_t up_us = loop_now_us (child->config.loop) - child->started_us;
  bool is_blamed;

  if (child->pid != pid)
    return false;
  /* What it said last may be why. */
  service_inbox_read (child->config.inbox);
  loop_timer_stop (child->watchdog_timer);
  loop_timer_stop (child->kill_timer);
  is_blamed = child_tell (child, pid, status);
  child->exit_code = WIFEXITED (status) ? WEXITSTATUS (status) : -1;
  child->pid = 0;
  if (up_us >= LONG_UP_MS * INT64_C (1000))
    child->pause_ms = PAUSE_MS;
  if (!child->is_wanted)
    child_enter (child, CHILD_DOWN);
  else if (child->is_hurried || child_begins_anew (child, status))
    child_spawn (child);
  else if (is_blamed)
    child_go_on (child, up_us);
  else
    child_wait (child);
  return true;
}

const char *
child_name (const struct child *child)
{
  return child->config.name;
}

unsigned
child_place (const struct child *child)
{
  return child->config.place;
}

enum child_state
child_state (const struct child *child)
{
  return child->state;
}

pid_t
child_pid (const struct child *child)
{
  return child->pid;
}

const char *
child_status (const struct child *child)
{
  return child->status;
}

bool
child_is_settled (const struct child *child)
{
  return child->state == CHILD_UP && !child->is_reload_due;
}

bool
child_waits_for_place (const struct child *child)
{
  return child->state == CHILD_WAITING && child->is_told;
}

int
child_exit_code (const struct child *child)
{
  return child->exit_code;
}
