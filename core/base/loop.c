/* loop.c - the one event loop: sockets, timers and signals.
 *
 * Two ways to wait, epoll and poll (2) (which -DLOOP_USE_POLL asks for),
 * in wait_for_sockets (); the rest is the same.
 *
 * A socket's events are known by descriptor and generation.  A callback
 * may forget a descriptor, close it and open another that gets the same
 * number while events of the first still wait to be delivered; they are
 * of an older generation then, and dropped.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/memory.h"

#if defined (__linux__) && !defined (LOOP_USE_POLL)
#define LOOP_HAS_EPOLL 1
#include <sys/epoll.h>
#else
#define LOOP_HAS_EPOLL 0
#include <poll.h>
#endif

enum {
  MOST_EVENTS = 256,            /* a turn, of epoll */
  MOST_SIGNALS = 65
};

static const size_t not_set = SIZE_MAX;

/* By descriptor; fn NULL: nobody's. */
struct socket {
  loop_socket_fn *fn;
  void *data;
  uint32_t generation;
  unsigned wanted : 2;
  unsigned applied : 2;         /* what the kernel was told */
  unsigned is_known : 1;        /* to the kernel */
  unsigned is_dirty : 1;        /* in the list of those to apply */
  unsigned is_exact : 1;        /* to apply to the bit */
  unsigned is_always_ready : 1; /* a regular file */
};

struct event {
  int fd;
  uint32_t generation;
  unsigned ready;
};

struct loop_timer {
  struct loop *loop;
  loop_timer_fn *fn;
  void *data;
  int64_t at_us;
  uint64_t serial;              /* first set, first fired */
  size_t place;                 /* in the heap, or not_set */
};

struct loop {
  int64_t now_us;
  int epoll;
  struct socket *sockets;
  int n_sockets;
  int *dirty;
  size_t n_dirty, dirty_size;
  size_t n_always_ready;        /* wanted now */
  struct event *events;
  size_t events_size;
  struct loop_timer **timers;   /* a heap: the first fires first */
  size_t n_timers, timers_size;
  uint64_t serial;
  int pipe[2];                  /* signals; -1 until one is asked for */
  loop_signal_fn *signal_fns[MOST_SIGNALS];
  void *signal_data[MOST_SIGNALS];
};

/* What the signal handler can reach: the pipe's write end, and which
 * signals came. */
static volatile int signal_pipe = -1;
static volatile sig_atomic_t signal_came[MOST_SIGNALS];

struct loop *
loop_new (void)
{
  struct loop *loop = memory_zeroed (1, sizeof *loop);

  loop->pipe[0] = loop->pipe[1] = -1;
  loop->epoll = -1;
#if LOOP_HAS_EPOLL
  loop->epoll = epoll_create1 (EPOLL_CLOEXEC);
  if (loop->epoll < 0)
    memory_exhausted ();        /* or descriptors, before anything began */
#endif
  loop->now_us = date_monotonic_us ();
  return loop;
}

void
loop_free (struct loop *loop)
{
  if (loop == NULL)
    return;
  for (int number = 1; number < MOST_SIGNALS; number++)
    if (loop->signal_fns[number] != NULL)
      loop_on_signal (loop, number, NULL, NULL);
  if (loop->pipe[0] >= 0) {
    signal_pipe = -1;
    close (loop->pipe[0]);
    close (loop->pipe[1]);
  }
  /* Timers are their owners', who may free them later. */
  for (size_t i = 0; i < loop->n_timers; i++)
    loop->timers[i]->place = not_set;
  /* A child closes its parent's epoll set with this, so the sockets must
   * not be removed from it one by one. */
  if (loop->epoll >= 0)
    close (loop->epoll);
  free (loop->sockets);
  free (loop->dirty);
  free (loop->events);
  free (loop->timers);
  free (loop);
}

static struct socket *
socket_at (struct loop *loop, int fd)
{
  if (fd >= loop->n_sockets) {
    int n = fd < 32 ? 64 : fd < INT_MAX / 2 ? fd * 2 : INT_MAX;

    loop->sockets = memory_resize (loop->sockets, (size_t) n,
                                   sizeof *loop->sockets);
    memset (loop->sockets + loop->n_sockets, 0,
            (size_t) (n - loop->n_sockets) * sizeof *loop->sockets);
    loop->n_sockets = n;
  }
  return &loop->sockets[fd];
}

static void
socket_is_dirty (struct loop *loop, int fd)
{
  struct socket *socket = &loop->sockets[fd];

  if (socket->is_dirty)
    return;
  socket->is_dirty = 1;
  if (loop->n_dirty == loop->dirty_size) {
    loop->dirty_size = loop->dirty_size > 0 ? loop->dirty_size * 2 : 64;
    loop->dirty = memory_resize (loop->dirty, loop->dirty_size,
                                 sizeof *loop->dirty);
  }
  loop->dirty[loop->n_dirty++] = fd;
}

static void
socket_want (struct loop *loop, struct socket *socket, unsigned wanted)
{
  if (socket->is_always_ready) {
    loop->n_always_ready -= socket->wanted != 0;
    loop->n_always_ready += wanted != 0;
  }
  socket->wanted = wanted & 3u;
}

void
loop_want (struct loop *loop, int fd, unsigned wanted, loop_socket_fn *fn,
           void *data)
{
  struct socket *socket;

  if (fd < 0)
    return;
  socket = socket_at (loop, fd);
  if (socket->fn == NULL)
    socket->generation++;
  socket->fn = fn;
  socket->data = data;
  socket_want (loop, socket, wanted);
  if (socket->wanted != socket->applied && !socket->is_always_ready)
    socket_is_dirty (loop, fd);
}

void
loop_forget (struct loop *loop, int fd)
{
  struct socket *socket;

  if (fd < 0 || fd >= loop->n_sockets || loop->sockets[fd].fn == NULL)
    return;
  socket = &loop->sockets[fd];
  socket_want (loop, socket, 0);
#if LOOP_HAS_EPOLL
  /* At once: the descriptor is about to be closed, but a copy of it (in a
   * child) would keep it in the set. */
  if (socket->is_known)
    epoll_ctl (loop->epoll, EPOLL_CTL_DEL, fd, NULL);
#endif
  /* The generation stays, for the next owner to count on; a place in the
   * dirty list too. */
  *socket = (struct socket) { .generation = socket->generation + 1,
                              .is_dirty = socket->is_dirty };
}

#if LOOP_HAS_EPOLL

static void
socket_ready_always (struct loop *loop, struct socket *socket)
{
  socket->is_known = 0;
  socket->applied = 0;
  socket->is_always_ready = 1;
  loop->n_always_ready += socket->wanted != 0;
}

/* Tell the kernel the difference.  Read interest that nobody has is left
 * until it fires: an idle connection that is used again costs nothing. */
static void
socket_apply (struct loop *loop, int fd)
{
  struct socket *socket = &loop->sockets[fd];
  unsigned mask = socket->wanted;
  struct epoll_event event = { 0 };
  int operation;

  if (!socket->is_exact)
    mask |= socket->applied & LOOP_READ;
  socket->is_exact = 0;
  if (socket->fn == NULL || socket->is_always_ready
      || mask == socket->applied)
    return;
  event.events = ((mask & LOOP_READ) != 0 ? (uint32_t) EPOLLIN : 0)
                 | ((mask & LOOP_WRITE) != 0 ? (uint32_t) EPOLLOUT : 0);
  event.data.u64 = (uint64_t) socket->generation << 32 | (uint32_t) fd;
  /* With an empty mask the kernel would still tell of hang-ups. */
  operation = mask == 0 ? EPOLL_CTL_DEL
              : socket->is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (epoll_ctl (loop->epoll, operation, fd, &event) < 0 && mask != 0) {
    /* ENOENT and EEXIST: closed and opened again without our knowing. */
    operation = errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if ((errno != ENOENT && errno != EEXIST)
        || epoll_ctl (loop->epoll, operation, fd, &event) < 0) {
      /* EPERM: a regular file.  EBADF and all else: its owner learns it
       * by reading. */
      socket_ready_always (loop, socket);
      return;
    }
  }
  socket->is_known = mask != 0;
  socket->applied = mask & 3u;
}

/* Fills loop->events; returns how many. */
static size_t
wait_for_sockets (struct loop *loop, int timeout_ms)
{
  struct epoll_event ready[MOST_EVENTS];
  size_t n_events = 0;
  int n;

  for (size_t i = 0; i < loop->n_dirty; i++) {
    loop->sockets[loop->dirty[i]].is_dirty = 0;
    socket_apply (loop, loop->dirty[i]);
  }
  loop->n_dirty = 0;
  if (loop->n_always_ready > 0)
    timeout_ms = 0;
  if (loop->events_size == 0) {
    loop->events_size = MOST_EVENTS;
    loop->events = memory_resize (NULL, MOST_EVENTS, sizeof *loop->events);
  }
  n = epoll_wait (loop->epoll, ready, MOST_EVENTS, timeout_ms);
  for (int i = 0; i < n; i++) {
    struct event *event = &loop->events[n_events++];
    uint32_t bits = ready[i].events;

    event->fd = (int) (uint32_t) ready[i].data.u64;
    event->generation = (uint32_t) (ready[i].data.u64 >> 32);
    event->ready = ((bits & EPOLLIN) != 0 ? LOOP_READ : 0u)
                   | ((bits & EPOLLOUT) != 0 ? LOOP_WRITE : 0u);
    /* An error or hang-up is told by whatever is tried next. */
    if ((bits & (EPOLLERR | EPOLLHUP)) != 0)
      event->ready = LOOP_READ | LOOP_WRITE;
  }
  return n_events;
}

#else /* poll (2) */

static size_t
wait_for_sockets (struct loop *loop, int timeout_ms)
{
  struct pollfd *ready;
  size_t n = 0, n_events = 0;

  for (size_t i = 0; i < loop->n_dirty; i++)
    loop->sockets[loop->dirty[i]].is_dirty = 0;
  loop->n_dirty = 0;
  ready = memory_zeroed ((size_t) loop->n_sockets, sizeof *ready);
  for (int fd = 0; fd < loop->n_sockets; fd++) {
    unsigned wanted = loop->sockets[fd].wanted;

    if (wanted == 0)
      continue;
    ready[n].fd = fd;
    ready[n++].events = (short) (((wanted & LOOP_READ) != 0 ? POLLIN : 0)
                                 | ((wanted & LOOP_WRITE) != 0 ? POLLOUT : 0));
  }
  if (loop->events_size < n) {
    loop->events_size = n * 2;
    loop->events = memory_resize (loop->events, loop->events_size,
                                  sizeof *loop->events);
  }
  if (poll (ready, (nfds_t) n, timeout_ms) < 0)
    n = 0;
  for (size_t i = 0; i < n; i++) {
    struct event *event = &loop->events[n_events];
    int bits = ready[i].revents;

    if (bits == 0)
      continue;
    n_events++;
    event->fd = ready[i].fd;
    event->generation = loop->sockets[event->fd].generation;
    event->ready = ((bits & POLLIN) != 0 ? LOOP_READ : 0u)
                   | ((bits & POLLOUT) != 0 ? LOOP_WRITE : 0u);
    if ((bits & (POLLERR | POLLHUP | POLLNVAL)) != 0)
      event->ready = LOOP_READ | LOOP_WRITE;
  }
  free (ready);
  return n_events;
}

#endif

static void
event_deliver (struct loop *loop, const struct event *event)
{
  struct socket *socket = &loop->sockets[event->fd];
  unsigned ready = event->ready & socket->wanted;

  if (socket->fn == NULL || socket->generation != event->generation)
    return;
  if (ready == 0) {
    /* Left over from a former wish: now it is worth a system call. */
    socket->is_exact = 1;
    socket_is_dirty (loop, event->fd);
    return;
  }
  socket->fn (socket->data, event->fd, ready);
}

/* Regular files, which epoll does not take. */
static void
deliver_always_ready (struct loop *loop)
{
  if (loop->n_always_ready == 0)
    return;
  for (int fd = 0; fd < loop->n_sockets; fd++) {
    struct socket *socket = &loop->sockets[fd];

    if (socket->is_always_ready && socket->wanted != 0)
      socket->fn (socket->data, fd, socket->wanted);
  }
}

static bool
fires_before (const struct loop_timer *a, const struct loop_timer *b)
{
  return a->at_us < b->at_us
         || (a->at_us == b->at_us && a->serial < b->serial);
}

static void
heap_put (struct loop *loop, size_t place, struct loop_timer *timer)
{
  loop->timers[place] = timer;
  timer->place = place;
}

/* Find timer's place from a free one, upwards and downwards. */
static void
heap_settle (struct loop *loop, size_t place, struct loop_timer *timer)
{
  size_t child;

  while (place > 0 && fires_before (timer, loop->timers[(place - 1) / 2])) {
    heap_put (loop, place, loop->timers[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  while ((child = place * 2 + 1) < loop->n_timers) {
    if (child + 1 < loop->n_timers
        && fires_before (loop->timers[child + 1], loop->timers[child]))
      child++;
    if (!fires_before (loop->timers[child], timer))
      break;
    heap_put (loop, place, loop->timers[child]);
    place = child;
  }
  heap_put (loop, place, timer);
}

struct loop_timer *
loop_timer_new (struct loop *loop, loop_timer_fn *fn, void *data)
{
  struct loop_timer *timer = memory_zeroed (1, sizeof *timer);

  timer->loop = loop;
  timer->fn = fn;
  timer->data = data;
  timer->place = not_set;
  return timer;
}

void
loop_timer_free (struct loop_timer *timer)
{
  if (timer == NULL)
    return;
  loop_timer_stop (timer);
  free (timer);
}

void
loop_timer_set (struct loop_timer *timer, int64_t at_us)
{
  struct loop *loop = timer->loop;

  /* A time gone by is now: it must not come before those that are due
   * and waited longer. */
  timer->at_us = at_us > loop->now_us ? at_us : loop->now_us;
  timer->serial = loop->serial++;
  if (timer->place != not_set) {
    heap_settle (loop, timer->place, timer);
    return;
  }
  if (loop->n_timers == loop->timers_size) {
    loop->timers_size = loop->timers_size > 0 ? loop->timers_size * 2 : 64;
    loop->timers = memory_resize (loop->timers, loop->timers_size,
                                  sizeof *loop->timers);
  }
  heap_settle (loop, loop->n_timers++, timer);
}

void
loop_timer_stop (struct loop_timer *timer)
{
  struct loop *loop = timer->loop;
  size_t place = timer->place;

  if (place == not_set)
    return;
  timer->place = not_set;
  loop->n_timers--;
  if (place < loop->n_timers)
    heap_settle (loop, place, loop->timers[loop->n_timers]);
}

bool
loop_timer_is_set (const struct loop_timer *timer)
{
  return timer->place != not_set;
}

static void
fire_timers (struct loop *loop)
{
  uint64_t serial = loop->serial;

  while (loop->n_timers > 0) {
    struct loop_timer *timer = loop->timers[0];

    /* One set while others fire waits for the next turn. */
    if (timer->at_us > loop->now_us || timer->serial >= serial)
      break;
    loop_timer_stop (timer);
    timer->fn (timer->data);    /* which may free it */
  }
}

static void
on_signal (int number)
{
  int saved = errno;

  signal_came[number] = 1;
  /* A full pipe wakes the loop as well. */
  if (signal_pipe >= 0 && write (signal_pipe, "", 1) < 0)
    errno = saved;
  errno = saved;
}

static void
on_pipe (void *data, int fd, unsigned ready)
{
  struct loop *loop = data;
  char bytes[64];

  (void) ready;
  while (read (fd, bytes, sizeof bytes) == (ssize_t) sizeof bytes)
    continue;
  for (int number = 1; number < MOST_SIGNALS; number++)
    if (signal_came[number]) {
      signal_came[number] = 0;
      if (loop->signal_fns[number] != NULL)
        loop->signal_fns[number] (loop->signal_data[number], number);
    }
}

static void
open_signal_pipe (struct loop *loop)
{
  if (pipe (loop->pipe) < 0)
    memory_exhausted ();        /* descriptors, as in loop_new () */
  for (int i = 0; i < 2; i++) {
    fcntl (loop->pipe[i], F_SETFD, FD_CLOEXEC);
    fcntl (loop->pipe[i], F_SETFL, O_NONBLOCK);
  }
  signal_pipe = loop->pipe[1];
  loop_want (loop, loop->pipe[0], LOOP_READ, on_pipe, loop);
}

static void
signal_block (int how, int number)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, number);
  sigprocmask (how, &set, NULL);
}

void
loop_on_signal (struct loop *loop, int number, loop_signal_fn *fn, void *data)
{
  struct sigaction action;

  if (number < 1 || number >= MOST_SIGNALS)
    return;
  if (fn != NULL && loop->pipe[0] < 0)
    open_signal_pipe (loop);
  loop->signal_fns[number] = fn;
  loop->signal_data[number] = data;
  signal_came[number] = 0;
  memset (&action, 0, sizeof action);
  sigemptyset (&action.sa_mask);
  action.sa_flags = SA_RESTART;
  action.sa_handler = fn != NULL ? on_signal : SIG_DFL;
  sigaction (number, &action, NULL);
  if (fn != NULL)
    signal_block (SIG_UNBLOCK, number);
}

void
loop_hold_signal (int number)
{
  signal_block (SIG_BLOCK, number);
}

/* Until the first timer, at most max_ms; never too early. */
static int
time_to_wait (const struct loop *loop, int max_ms)
{
  int64_t us, ms;

  if (loop->n_timers == 0)
    return max_ms;
  us = loop->timers[0]->at_us - date_monotonic_us ();
  if (us <= 0)
    return 0;
  ms = us / 1000 + (us % 1000 > 0 ? 1 : 0);
  if (max_ms >= 0 && ms > max_ms)
    return max_ms;
  return ms < INT_MAX ? (int) ms : INT_MAX;
}

void
loop_turn (struct loop *loop, int max_ms)
{
  size_t n = wait_for_sockets (loop, time_to_wait (loop, max_ms));

  loop->now_us = date_monotonic_us ();
  for (size_t i = 0; i < n; i++)
    event_deliver (loop, &loop->events[i]);
  deliver_always_ready (loop);
  fire_timers (loop);
}

int64_t
loop_now_us (const struct loop *loop)
{
  return loop->now_us;
}
