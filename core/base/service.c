/* service.c - the service manager's protocol: the end of what is managed.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"

enum {
  FIRST_FD = 3,                 /* SD_LISTEN_FDS_START */
  MESSAGE_LEN = 4096,           /* most of one message */
  BEAT_TRIES = 10               /* in the time of one beat */
};

struct service_beat {
  struct loop *loop;
  struct loop_timer *timer;
  int64_t every_us;
  bool is_ready_due;            /* it was not told */
};

bool
service_is_managed (void)
{
  const char *path = getenv ("NOTIFY_SOCKET");

  return path != NULL && *path != '\0';
}

/* The address of NOTIFY_SOCKET; its length, or 0 if it is none that can
 * be used. */
static socklen_t
service_address (const char *path, struct sockaddr_un *ret_address)
{
  size_t len = strlen (path);

  if ((*path != '/' && *path != '@') || len < 2
      || len >= sizeof ret_address->sun_path)
    return 0;
  memset (ret_address, 0, sizeof *ret_address);
  ret_address->sun_family = AF_UNIX;
  memcpy (ret_address->sun_path, path, len);
  if (*path == '@') {           /* in the abstract namespace, no NUL ends it */
    ret_address->sun_path[0] = '\0';
    return (socklen_t) (offsetof (struct sockaddr_un, sun_path) + len);
  }
  return (socklen_t) sizeof *ret_address;
}

/* What the manager must hear, as it waits for it; the rest is said again,
 * or is news that grows old. */
static bool
is_worth_waiting (const char *text)
{
  static const char *const words[] = { "READY=", "RELOADING=", "STOPPING=" };

  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strncmp (text, words[i], strlen (words[i])) == 0)
      return true;
  return false;
}

/* A manager that does not read must not stop us for long. */
static int
service_send (const char *path, const char *text, size_t len)
{
  int flags = MSG_NOSIGNAL | (is_worth_waiting (text) ? 0 : MSG_DONTWAIT);
  const struct timeval patience = { .tv_sec = 1 };
  struct sockaddr_un address;
  socklen_t address_len = service_address (path, &address);
  ssize_t n;
  int fd;

  if (address_len == 0)
    return -1;
  fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  do
    n = sendto (fd, text, len, flags,
                (const struct sockaddr *) &address, address_len);
  while (n < 0 && errno == EINTR);
  close (fd);
  return n == (ssize_t) len ? 0 : -1;
}

int
service_notify (const char *fmt, ...)
{
  struct buf text = BUF_INIT (MESSAGE_LEN);
  va_list args;
  int status;

  if (!service_is_managed ())
    return 0;
  va_start (args, fmt);
  buf_vprintf (&text, fmt, args);
  va_end (args);
  status = text.is_over ? -1 : service_send (getenv ("NOTIFY_SOCKET"),
                                             text.data, text.len);
  buf_done (&text);
  return status;
}

int
service_notify_reloading (void)
{
  struct timespec now;

  /* Asked for by name: systemd compares it with its own. */
  clock_gettime (CLOCK_MONOTONIC, &now);
  return service_notify ("RELOADING=1\nMONOTONIC_USEC=%lld",
                         (long long) now.tv_sec * 1000000
                           + now.tv_nsec / 1000);
}

static int64_t
service_number (const char *variable, int64_t min, int64_t max)
{
  const char *text = getenv (variable);
  int64_t value;

  return text != NULL
         && number_read (text, strlen (text), min, max, &value) == 0 ? value
                                                                     : -1;
}

int64_t
service_watchdog_ms (void)
{
  int64_t us = service_number ("WATCHDOG_USEC", 1, INT64_MAX);

  if (us < 0 || (getenv ("WATCHDOG_PID") != NULL
                 && service_number ("WATCHDOG_PID", 1, INT32_MAX)
                      != getpid ()))
    return 0;
  return us < 1000 ? 1 : us / 1000;
}

static void
beat_fire (void *data)
{
  struct service_beat *beat = data;
  int64_t next_us = beat->every_us;

  /* Where others talk too much, it has to be said soon again. */
  if (service_notify ("WATCHDOG=1%s", beat->is_ready_due ? "\nREADY=1" : "")
      != 0)
    next_us /= BEAT_TRIES;
  else
    beat->is_ready_due = false;
  log_settle (false);           /* a daemon with nothing to say meanwhile */
  loop_timer_set (beat->timer, loop_now_us (beat->loop) + next_us);
}

struct service_beat *
service_beat_new (struct loop *loop)
{
  int64_t ms = service_watchdog_ms ();
  struct service_beat *beat;

  if (ms == 0 || !service_is_managed ())
    return NULL;
  beat = memory_zeroed (1, sizeof *beat);
  beat->loop = loop;
  beat->every_us = ms > 3 ? ms * 1000 / 3 : 1000;
  beat->timer = loop_timer_new (loop, beat_fire, beat);
  beat_fire (beat);
  return beat;
}

void
service_beat_free (struct service_beat *beat)
{
  if (beat == NULL)
    return;
  loop_timer_free (beat->timer);
  free (beat);
}

void
service_ready (struct service_beat *beat)
{
  bool is_due = service_notify ("READY=1") != 0;

  if (beat == NULL)
    return;
  beat->is_ready_due = is_due;
  if (is_due)
    loop_timer_set (beat->timer, loop_now_us (beat->loop)
                                   + beat->every_us / BEAT_TRIES);
}

static bool
is_listening (int fd)
{
  int type = 0, is_listening = 0;
  socklen_t len = sizeof type;

  if (getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0
      || type != SOCK_STREAM)
    return false;
  len = sizeof is_listening;
  return getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) == 0
         && is_listening != 0;
}

/* The k-th of the names, which colons part. */
static void
name_copy (const char *names, size_t k, char *ret_name)
{
  size_t len;

  *ret_name = '\0';
  for (; names != NULL && k > 0; k--) {
    names = strchr (names, ':');
    if (names != NULL)
      names++;
  }
  if (names == NULL)
    return;
  len = strcspn (names, ":");
  if (len < SERVICE_NAME_MAX) {
    memcpy (ret_name, names, len);
    ret_name[len] = '\0';
  }
}

static int
sockets_take (struct service_socket *sockets, size_t n, char *ret_reason,
              size_t size)
{
  const char *names = getenv ("LISTEN_FDNAMES");

  for (size_t i = 0; i < n; i++) {
    int fd = FIRST_FD + (int) i, flags = fcntl (fd, F_GETFL);

    if (flags < 0 || !is_listening (fd)) {
      snprintf (ret_reason, size, "file descriptor %d, one of the %zu of "
                "LISTEN_FDS, is no listening stream socket", fd, n);
      return -1;
    }
    fcntl (fd, F_SETFD, FD_CLOEXEC);
    fcntl (fd, F_SETFL, flags | O_NONBLOCK);
    sockets[i].fd = fd;
    name_copy (names, i, sockets[i].name);
  }
  return 0;
}

int
service_sockets (struct service_socket **ret_sockets, size_t *ret_n,
                 char *ret_reason, size_t size)
{
  bool is_ours = service_number ("LISTEN_PID", 1, INT32_MAX) == getpid ();
  int64_t n = service_number ("LISTEN_FDS", 0, SERVICE_SOCKETS_MAX);
  struct service_socket *sockets = NULL;
  int status = 0;

  if (is_ours && n < 0) {
    snprintf (ret_reason, size, "LISTEN_FDS is no number up to %d",
              SERVICE_SOCKETS_MAX);
    status = -1;
  } else if (is_ours && n > 0) {
    sockets = memory_zeroed ((size_t) n, sizeof *sockets);
    status = sockets_take (sockets, (size_t) n, ret_reason, size);
  }
  unsetenv ("LISTEN_PID");
  unsetenv ("LISTEN_FDS");
  unsetenv ("LISTEN_FDNAMES");
  if (status != 0) {
    for (int64_t i = 0; i < n; i++)
      close (FIRST_FD + (int) i);
    free (sockets);
    return -1;
  }
  *ret_sockets = sockets;
  *ret_n = sockets != NULL ? (size_t) n : 0;
  return 0;
}
