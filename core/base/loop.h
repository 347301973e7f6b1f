/* loop.h - the one event loop: sockets, timers and signals.
 *
 * epoll where there is one, poll(2) elsewhere.  Interest in a socket is
 * noted and applied just before waiting, as the net difference: a socket
 * that is wanted, unwanted and wanted again costs no system call.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_LOOP_H
#define HERALD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void loop_socket_fn (void *data, int fd, unsigned ready);
typedef void loop_timer_fn (void *data);
typedef void loop_signal_fn (void *data, int signal);

struct loop *loop_new (void);
void loop_free (struct loop *loop);

/* Want to hear of a socket; wanted 0 keeps it known but silent (cheap to
 * want again).  loop_forget before the descriptor is closed. */
void loop_want (struct loop *loop, int fd, unsigned wanted,
                loop_socket_fn *fn, void *data);
void loop_forget (struct loop *loop, int fd);

/* A timer is made once and set as often as needed; it fires once each
 * time, never twice in a turn.  A time gone by means the next turn.
 * Times are microseconds of date_monotonic_us (). */
struct loop_timer *loop_timer_new (struct loop *loop, loop_timer_fn *fn,
                                   void *data);
void loop_timer_free (struct loop_timer *timer);        /* NULL is fine */
void loop_timer_set (struct loop_timer *timer, int64_t at_us);
void loop_timer_stop (struct loop_timer *timer);
bool loop_timer_is_set (const struct loop_timer *timer);

/* Hear of a signal inside the loop, not in a handler; fn NULL restores
 * the signal's default action, as loop_free () does.  One loop of a
 * process listens to signals. */
void loop_on_signal (struct loop *loop, int signal, loop_signal_fn *fn,
                     void *data);

/* Until loop_on_signal () asks for it the signal waits: for what starts,
 * and must not be ended by a reload that comes too early. */
void loop_hold_signal (int signal);

/* Wait for something, at most max_ms (-1: as long as it takes), and call
 * whoever it concerns.  The time is read once a turn: loop_now_us (). */
void loop_turn (struct loop *loop, int max_ms);
int64_t loop_now_us (const struct loop *loop);

#endif
