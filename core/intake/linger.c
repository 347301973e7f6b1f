/* linger.c - connections that are answered, but whose client still sends.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/linger.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/date.h"
#include "base/memory.h"

enum {
  LINGER_MOST = 64,             /* the oldest goes before one more comes */
  LINGER_US = 2 * 1000 * 1000,
  LINGER_BYTES = 16 << 20
};

struct lingerer {
  int fd;
  int64_t end_us;
  size_t taken;
};

struct lingers {
  struct loop *loop;
  struct loop_timer *timer;
  size_t n;
  struct lingerer all[LINGER_MOST];       /* oldest first */
};

static void
linger_end (struct lingers *lingers, size_t k)
{
  loop_forget (lingers->loop, lingers->all[k].fd);
  close (lingers->all[k].fd);
  lingers->n--;
  for (; k < lingers->n; k++)
    lingers->all[k] = lingers->all[k + 1];
}

static void
linger_on_ready (void *data, int fd, unsigned ready)
{
  char nowhere[16 << 10];
  struct lingers *lingers = data;
  ssize_t len = recv (fd, nowhere, sizeof nowhere, MSG_DONTWAIT);

  (void) ready;
  if (len < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  for (size_t k = 0; k < lingers->n; k++) {
    struct lingerer *linger = &lingers->all[k];

    if (linger->fd != fd)
      continue;
    linger->taken += len > 0 ? (size_t) len : 0;
    if (len <= 0 || linger->taken > LINGER_BYTES)
      linger_end (lingers, k);
    return;
  }
}

static void
lingers_on_timer (void *data)
{
  struct lingers *lingers = data;

  while (lingers->n > 0
         && lingers->all[0].end_us <= loop_now_us (lingers->loop))
    linger_end (lingers, 0);
  if (lingers->n > 0)
    loop_timer_set (lingers->timer, lingers->all[0].end_us);
}

struct lingers *
lingers_new (struct loop *loop)
{
  struct lingers *lingers = memory_zeroed (1, sizeof *lingers);

  lingers->loop = loop;
  lingers->timer = loop_timer_new (loop, lingers_on_timer, lingers);
  return lingers;
}

void
lingers_free (struct lingers *lingers)
{
  if (lingers == NULL)
    return;
  while (lingers->n > 0)
    linger_end (lingers, lingers->n - 1);
  loop_timer_free (lingers->timer);
  free (lingers);
}

void
lingers_add (struct lingers *lingers, int fd)
{
  if (lingers->n == LINGER_MOST)
    linger_end (lingers, 0);
  lingers->all[lingers->n++] = (struct lingerer) {
    .fd = fd, .end_us = date_monotonic_us () + LINGER_US,
  };
  loop_want (lingers->loop, fd, LOOP_READ, linger_on_ready, lingers);
  if (!loop_timer_is_set (lingers->timer))
    loop_timer_set (lingers->timer, lingers->all[0].end_us);
}
