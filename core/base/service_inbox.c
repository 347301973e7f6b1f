/* service_inbox.c - the service manager's protocol: the manager's end.
 *
 * SPDX-License-Identifier: MIT
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/service.h"

enum {
  MESSAGE_LEN = 4096,
  MOST_A_TURN = 64              /* others want their turn too */
};

struct service_inbox {
  struct loop *loop;
  service_message_fn *fn;
  void *data;
  int fd;
  struct sockaddr_un address;
};

void
service_message_read (char *text, struct service_message *ret_message)
{
  struct service_message message = { .pid = ret_message->pid };
  char *line, *rest = text;

  while ((line = strsep (&rest, "\n")) != NULL) {
    if (strcmp (line, "READY=1") == 0)
      message.is_ready = true;
    else if (strcmp (line, "RELOADING=1") == 0)
      message.is_reloading = true;
    else if (strcmp (line, "STOPPING=1") == 0)
      message.is_stopping = true;
    else if (strcmp (line, "WATCHDOG=1") == 0)
      message.is_alive = true;
    else if (strcmp (line, "WATCHDOG=trigger") == 0)
      message.is_hung = true;
    else if (strncmp (line, "STATUS=", 7) == 0)
      message.status = line + 7;
  }
  *ret_message = message;
}

#ifdef SCM_CREDENTIALS

/* Who sent it; 0 if that was not told.  Descriptors that came along (as
 * sd_notify_barrier (3) sends one) are closed: that is the answer. */
static pid_t
inbox_sender (struct msghdr *header)
{
  pid_t pid = 0;

  for (struct cmsghdr *part = CMSG_FIRSTHDR (header); part != NULL;
       part = CMSG_NXTHDR (header, part)) {
    const unsigned char *data = CMSG_DATA (part);

    if (part->cmsg_level != SOL_SOCKET)
      continue;
    if (part->cmsg_type == SCM_CREDENTIALS) {
      struct ucred credentials;

      memcpy (&credentials, data, sizeof credentials);
      pid = credentials.pid;
    } else if (part->cmsg_type == SCM_RIGHTS) {
      size_t n = (part->cmsg_len - CMSG_LEN (0)) / sizeof (int);

      for (size_t i = 0; i < n; i++) {
        int fd;

        memcpy (&fd, data + i * sizeof fd, sizeof fd);
        close (fd);
      }
    }
  }
  return pid;
}

/* False: there is no more. */
static bool
inbox_read_one (struct service_inbox *inbox)
{
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (struct ucred))
               + CMSG_SPACE (16 * sizeof (int))];
  } control;
  char text[MESSAGE_LEN + 1];
  struct iovec part = { text, MESSAGE_LEN };
  struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control };
  struct service_message message = { .pid = 0 };
  ssize_t n = recvmsg (inbox->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

  if (n < 0)
    return errno == EINTR;
  message.pid = inbox_sender (&header);
  if (message.pid <= 0 || (header.msg_flags & MSG_TRUNC) != 0
      || memchr (text, '\0', (size_t) n) != NULL)
    return true;
  text[n] = '\0';
  service_message_read (text, &message);
  inbox->fn (inbox->data, &message);
  return true;
}

static int
inbox_wants_credentials (int fd)
{
  int on = 1;

  return setsockopt (fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
}

#else /* nobody can be told from the other */

static bool
inbox_read_one (struct service_inbox *inbox)
{
  (void) inbox;
  return false;
}

static int
inbox_wants_credentials (int fd)
{
  (void) fd;
  errno = ENOTSUP;
  return -1;
}

#endif

void
service_inbox_read (struct service_inbox *inbox)
{
  for (int i = 0; i < MOST_A_TURN && inbox_read_one (inbox); i++)
    continue;
}

static void
inbox_is_ready (void *data, int fd, unsigned ready)
{
  (void) fd;
  (void) ready;
  service_inbox_read (data);
}

struct service_inbox *
service_inbox_new (struct loop *loop, const char *path,
                   service_message_fn *fn, void *data, char *ret_reason,
                   size_t size)
{
  struct service_inbox *inbox;
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  size_t len = strlen (path);
  int fd;

  if (len >= sizeof address.sun_path) {
    snprintf (ret_reason, size, "%s: a socket's path has at most %zu bytes",
              path, sizeof address.sun_path - 1);
    return NULL;
  }
  memcpy (address.sun_path, path, len);
  unlink (path);
  fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || inbox_wants_credentials (fd) != 0
      || bind (fd, (const struct sockaddr *) &address, sizeof address) != 0
      || chmod (path, 0600) != 0) {
    snprintf (ret_reason, size, "%s: %s", path, strerror (errno));
    if (fd >= 0)
      close (fd);
    return NULL;
  }
  inbox = memory_zeroed (1, sizeof *inbox);
  inbox->loop = loop;
  inbox->fn = fn;
  inbox->data = data;
  inbox->fd = fd;
  inbox->address = address;
  loop_want (loop, fd, LOOP_READ, inbox_is_ready, inbox);
  return inbox;
}

void
service_inbox_free (struct service_inbox *inbox)
{
  if (inbox == NULL)
    return;
  loop_forget (inbox->loop, inbox->fd);
  close (inbox->fd);
  unlink (inbox->address.sun_path);
  free (inbox);
}
