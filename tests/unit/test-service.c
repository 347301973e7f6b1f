/* test-service.c - the service manager's protocol, both its ends.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/date.h"
#include "base/loop.h"
#include "base/number.h"
#include "base/service.h"

struct fixture {
  char directory[32], path[64];
  struct loop *loop;
  struct service_inbox *inbox;
  int n;                        /* messages */
  struct service_message last;
  char status[128];
};

static void
keep_message (void *data, const struct service_message *message)
{
  struct fixture *fixture = data;

  fixture->n++;
  fixture->last = *message;
  snprintf (fixture->status, sizeof fixture->status, "%s",
            message->status != NULL ? message->status : "");
}

static int
set_up (void **state)
{
  static struct fixture fixture;
  char reason[200] = "";

  fixture = (struct fixture) { .directory = "/tmp/test-service.XXXXXX" };
  assert_non_null (mkdtemp (fixture.directory));
  snprintf (fixture.path, sizeof fixture.path, "%s/notify",
            fixture.directory);
  fixture.loop = loop_new ();
  fixture.inbox = service_inbox_new (fixture.loop, fixture.path,
                                     keep_message, &fixture, reason,
                                     sizeof reason);
  assert_string_equal (reason, "");
  assert_non_null (fixture.inbox);
  setenv ("NOTIFY_SOCKET", fixture.path, 1);
  *state = &fixture;
  return 0;
}

static int
tear_down (void **state)
{
  struct fixture *fixture = *state;

  service_inbox_free (fixture->inbox);
  assert_int_equal (access (fixture->path, F_OK), -1);
  loop_free (fixture->loop);
  assert_int_equal (rmdir (fixture->directory), 0);
  unsetenv ("NOTIFY_SOCKET");
  unsetenv ("WATCHDOG_USEC");
  unsetenv ("WATCHDOG_PID");
  return 0;
}

static void
test_told (void **state)
{
  struct fixture *fixture = *state;
  struct stat st;

  assert_int_equal (stat (fixture->path, &st), 0);
  assert_int_equal (st.st_mode & 0777, 0600);
  assert_true (service_is_managed ());
  assert_int_equal (service_notify ("READY=1\nSTATUS=%d lanes", 3), 0);
  loop_turn (fixture->loop, 1000);
  assert_int_equal (fixture->n, 1);
  assert_int_equal (fixture->last.pid, getpid ());
  assert_true (fixture->last.is_ready);
  assert_false (fixture->last.is_alive);
  assert_string_equal (fixture->status, "3 lanes");
  assert_int_equal (service_notify ("WATCHDOG=1"), 0);
  service_inbox_read (fixture->inbox);
  assert_int_equal (fixture->n, 2);
  assert_true (fixture->last.is_alive);
  assert_false (fixture->last.is_ready);
  assert_null (fixture->last.status);
}

static void
test_reloading (void **state)
{
  struct fixture *fixture = *state;

  assert_int_equal (service_notify_reloading (), 0);
  service_inbox_read (fixture->inbox);
  assert_true (fixture->last.is_reloading);
  assert_false (fixture->last.is_stopping);
}

/* systemd compares MONOTONIC_USEC with its own clock, so it must be there
 * and be that clock's. */
static void
test_reloading_time (void **state)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct fixture *fixture = *state;
  char path[80], text[200], *time;
  int fd = socket (AF_UNIX, SOCK_DGRAM, 0);
  int64_t before = date_monotonic_us (), told;
  ssize_t n;

  snprintf (path, sizeof path, "%s/raw", fixture->directory);
  snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
  assert_int_equal (bind (fd, (struct sockaddr *) &address, sizeof address),
                    0);
  setenv ("NOTIFY_SOCKET", path, 1);
  assert_int_equal (service_notify_reloading (), 0);
  n = recv (fd, text, sizeof text - 1, 0);
  assert_true (n > 0);
  text[n] = '\0';
  assert_int_equal (strncmp (text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
  time = text + 27;
  assert_int_equal (number_read (time, strlen (time), 0, INT64_MAX, &told),
                    0);
  assert_true (told >= before && told <= date_monotonic_us ());
  close (fd);
  unlink (path);
}

static void
test_abstract (void **state)
{
  static const char name[] = "\0herald-test-service";
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  char path[64], text[64] = "";
  int fd = socket (AF_UNIX, SOCK_DGRAM, 0);

  (void) state;
  memcpy (address.sun_path, name, sizeof name - 1);
  snprintf (address.sun_path + sizeof name - 1, 20, "-%ld",
            (long) getpid ());
  snprintf (path, sizeof path, "@%.40s", address.sun_path + 1);
  assert_int_equal (bind (fd, (struct sockaddr *) &address,
                          (socklen_t) (offsetof (struct sockaddr_un,
                                                 sun_path)
                                       + strlen (path))), 0);
  setenv ("NOTIFY_SOCKET", path, 1);
  assert_int_equal (service_notify ("STOPPING=1"), 0);
  assert_int_equal (recv (fd, text, sizeof text - 1, MSG_DONTWAIT), 10);
  assert_string_equal (text, "STOPPING=1");
  close (fd);
}

static void
test_nobody (void **state)
{
  (void) state;
  setenv ("NOTIFY_SOCKET", "/nowhere/at/all", 1);
  assert_int_equal (service_notify ("READY=1"), -1);
  setenv ("NOTIFY_SOCKET", "vsock:2:1234", 1);
  assert_int_equal (service_notify ("READY=1"), -1);
  unsetenv ("NOTIFY_SOCKET");
  assert_false (service_is_managed ());
  assert_int_equal (service_notify ("READY=1"), 0);
}

static int64_t
ms_to_say (const char *text, int wanted)
{
  int64_t start = date_monotonic_us ();

  assert_int_equal (service_notify ("%s", text), wanted);
  return (date_monotonic_us () - start) / 1000;
}

/* How many it took until there was no room. */
static int
fill (void)
{
  int n = 0;

  while (n < 2000 && service_notify ("STATUS=%d", n) == 0)
    n++;
  assert_in_range (n, 1, 1999);
  return n;
}

/* A manager that is stopped costs a second at most, and that only for what
 * it waits for; what is news for a moment costs nothing. */
static void
test_full (void **state)
{
  struct fixture *fixture = *state;
  int64_t start = date_monotonic_us (), ms;
  int n = fill ();

  for (int i = 0; i < 3; i++) {
    ms_to_say ("STATUS=READY=1", -1);
    ms_to_say ("WATCHDOG=1", -1);
  }
  assert_true (date_monotonic_us () - start < 900 * 1000);
  ms = ms_to_say ("READY=1\nSTATUS=up", -1);
  assert_true (ms >= 900 && ms < 5000);
  assert_true (ms_to_say ("STOPPING=1", -1) >= 900);
  start = date_monotonic_us ();
  assert_int_equal (service_notify_reloading (), -1);
  assert_true (date_monotonic_us () - start >= 900 * 1000);
  while (fixture->n < n)
    loop_turn (fixture->loop, 1000);
  assert_int_equal (service_notify ("READY=1"), 0);
}

/* A sign of life that found no room is given as soon as there is some. */
static void
test_beat_is_late (void **state)
{
  struct fixture *fixture = *state;
  struct loop *loop = loop_new ();      /* where nobody reads the inbox */
  struct service_beat *beat;
  int64_t start;

  setenv ("WATCHDOG_USEC", "30000000", 1);
  fill ();
  beat = service_beat_new (loop);
  service_inbox_read (fixture->inbox);
  assert_false (fixture->last.is_alive);
  start = date_monotonic_us ();
  while (!fixture->last.is_alive
         && date_monotonic_us () - start < 5 * 1000 * 1000) {
    loop_turn (loop, 5000);
    service_inbox_read (fixture->inbox);
  }
  assert_true (fixture->last.is_alive);
  service_beat_free (beat);
  loop_free (loop);
}

/* Nor is it forgotten that somebody is ready. */
static void
test_ready_is_late (void **state)
{
  struct fixture *fixture = *state;
  struct loop *loop = loop_new ();
  struct service_beat *beat;
  int64_t start;

  setenv ("WATCHDOG_USEC", "30000000", 1);
  beat = service_beat_new (loop);
  fill ();
  service_ready (beat);
  start = date_monotonic_us ();
  while (!fixture->last.is_ready
         && date_monotonic_us () - start < 5 * 1000 * 1000) {
    loop_turn (loop, 5000);
    service_inbox_read (fixture->inbox);
  }
  assert_true (fixture->last.is_ready && fixture->last.is_alive);
  service_beat_free (beat);
  loop_free (loop);
  service_ready (NULL);
  service_inbox_read (fixture->inbox);
  assert_true (fixture->last.is_ready);
}

/* The sender is who the kernel says; descriptors that come along do not
 * stay open. */
static void
test_sender (void **state)
{
  struct fixture *fixture = *state;
  pid_t child = fork ();
  int status;

  assert_true (child >= 0);
  if (child == 0)
    _exit (service_notify ("READY=1\nMAINPID=1") == 0 ? 0 : 1);
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_int_equal (status, 0);
  service_inbox_read (fixture->inbox);
  assert_int_equal (fixture->n, 1);
  assert_int_equal (fixture->last.pid, child);
}

static void
test_barrier (void **state)
{
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control = { .space = "" };
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct fixture *fixture = *state;
  struct iovec text = { (char[]) { "BARRIER=1" }, 9 };
  struct msghdr header = { .msg_name = &address,
                           .msg_namelen = sizeof address, .msg_iov = &text,
                           .msg_iovlen = 1, .msg_control = &control,
                           .msg_controllen = sizeof control };
  int ends[2], fd = socket (AF_UNIX, SOCK_DGRAM, 0);
  char byte;

  snprintf (address.sun_path, sizeof address.sun_path, "%s", fixture->path);
  assert_int_equal (pipe (ends), 0);
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN (sizeof (int));
  memcpy (CMSG_DATA (&control.header), &ends[1], sizeof (int));
  assert_int_equal (sendmsg (fd, &header, 0), 9);
  close (ends[1]);
  service_inbox_read (fixture->inbox);
  assert_int_equal (fixture->n, 1);
  assert_int_equal (read (ends[0], &byte, 1), 0);       /* the last end */
  close (ends[0]);
  close (fd);
}

static void
test_message (void **state)
{
  char all[] = "READY=1\nRELOADING=1\nSTOPPING=1\nWATCHDOG=1\nSTATUS=a=b";
  char none[] = "READY=0\nREADY=11\nxSTATUS=no\n\nWATCHDOG=trigger";
  struct service_message message = { .pid = 7 };

  (void) state;
  service_message_read (all, &message);
  assert_int_equal (message.pid, 7);
  assert_true (message.is_ready && message.is_reloading
               && message.is_stopping && message.is_alive);
  assert_false (message.is_hung);
  assert_string_equal (message.status, "a=b");
  service_message_read (none, &message);
  assert_false (message.is_ready || message.is_reloading
                || message.is_stopping || message.is_alive);
  assert_true (message.is_hung);
  assert_null (message.status);
}

static void
test_watchdog (void **state)
{
  struct fixture *fixture = *state;
  struct service_beat *beat;
  char pid[20];

  assert_int_equal (service_watchdog_ms (), 0);
  assert_null (service_beat_new (fixture->loop));
  setenv ("WATCHDOG_USEC", "150000", 1);
  assert_int_equal (service_watchdog_ms (), 150);
  setenv ("WATCHDOG_PID", "1", 1);
  assert_int_equal (service_watchdog_ms (), 0);
  snprintf (pid, sizeof pid, "%ld", (long) getpid ());
  setenv ("WATCHDOG_PID", pid, 1);
  assert_int_equal (service_watchdog_ms (), 150);
  beat = service_beat_new (fixture->loop);
  assert_non_null (beat);
  service_inbox_read (fixture->inbox);
  assert_int_equal (fixture->n, 1);     /* the first at once */
  for (int64_t end = date_monotonic_us () + 5000000;
       fixture->n < 4 && date_monotonic_us () < end;)
    loop_turn (fixture->loop, 1000);
  assert_true (fixture->n >= 4);
  assert_true (fixture->last.is_alive);
  service_beat_free (beat);
  service_beat_free (NULL);
  setenv ("WATCHDOG_USEC", "soon", 1);
  assert_int_equal (service_watchdog_ms (), 0);
}

/* Sockets of a manager, at 3 and 4, in a child whose descriptors they are
 * alone; its exit status says what went wrong. */
static int
take_sockets (int first, int second, const char *names)
{
  struct service_socket *sockets = NULL;
  char reason[200] = "", pid[20];
  int kept[2] = { fcntl (first, F_DUPFD, 10), fcntl (second, F_DUPFD, 10) };
  size_t n = 9;

  dup2 (kept[0], 3);
  dup2 (kept[1], 4);
  snprintf (pid, sizeof pid, "%ld", (long) getpid ());
  setenv ("LISTEN_PID", pid, 1);
  setenv ("LISTEN_FDS", "2", 1);
  if (names != NULL)
    setenv ("LISTEN_FDNAMES", names, 1);
  if (service_sockets (&sockets, &n, reason, sizeof reason) != 0)
    return strstr (reason, "descriptor 4") != NULL
           && fcntl (3, F_GETFD) < 0 && fcntl (4, F_GETFD) < 0
           && getenv ("LISTEN_FDS") == NULL ? 10 : 11;
  if (n != 2 || sockets[0].fd != 3 || sockets[1].fd != 4)
    return 1;
  if (fcntl (3, F_GETFD) != FD_CLOEXEC || fcntl (4, F_GETFD) != FD_CLOEXEC
      || (fcntl (4, F_GETFL) & O_NONBLOCK) == 0)
    return 2;
  if (strcmp (sockets[0].name, names != NULL ? "web" : "") != 0
      || strcmp (sockets[1].name, names != NULL ? "second" : "") != 0)
    return 3;
  free (sockets);
  if (getenv ("LISTEN_FDS") != NULL || getenv ("LISTEN_PID") != NULL
      || getenv ("LISTEN_FDNAMES") != NULL)
    return 4;
  if (service_sockets (&sockets, &n, reason, sizeof reason) != 0 || n != 0)
    return 5;
  return 0;
}

static int
in_child (int first, int second, const char *names)
{
  pid_t child = fork ();
  int status;

  assert_true (child >= 0);
  if (child == 0)
    _exit (take_sockets (first, second, names));
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

static void
test_sockets (void **state)
{
  int stream = socket (AF_INET, SOCK_STREAM, 0);
  int other = socket (AF_INET6, SOCK_STREAM, 0);
  int deaf = socket (AF_INET, SOCK_STREAM, 0);

  (void) state;
  if (other < 0)                /* no IPv6 here */
    other = socket (AF_INET, SOCK_STREAM, 0);
  assert_int_equal (listen (stream, 5), 0);
  assert_int_equal (listen (other, 5), 0);
  assert_int_equal (in_child (stream, other, "web:second"), 0);
  assert_int_equal (in_child (stream, other, NULL), 0);
  assert_int_equal (in_child (stream, deaf, "web:second"), 10);
  assert_int_equal (in_child (stream, STDIN_FILENO, "web:second"), 10);
  close (stream);
  close (other);
  close (deaf);
}

static void
test_no_sockets (void **state)
{
  struct service_socket *sockets = NULL;
  char reason[200] = "", pid[20];
  size_t n = 9;

  (void) state;
  assert_int_equal (service_sockets (&sockets, &n, reason, sizeof reason),
                    0);
  assert_int_equal (n, 0);
  setenv ("LISTEN_PID", "1", 1);        /* meant for another */
  setenv ("LISTEN_FDS", "1", 1);
  n = 9;
  assert_int_equal (service_sockets (&sockets, &n, reason, sizeof reason),
                    0);
  assert_int_equal (n, 0);
  assert_null (sockets);
  snprintf (pid, sizeof pid, "%ld", (long) getpid ());
  setenv ("LISTEN_PID", pid, 1);
  setenv ("LISTEN_FDS", "many", 1);
  assert_int_equal (service_sockets (&sockets, &n, reason, sizeof reason),
                    -1);
  assert_string_equal (reason, "LISTEN_FDS is no number up to 64");
}

static void
test_long_path (void **state)
{
  struct fixture *fixture = *state;
  char path[200], reason[300] = "";

  snprintf (path, sizeof path, "/tmp/%0150d", 1);
  assert_null (service_inbox_new (fixture->loop, path, keep_message, fixture,
                                  reason, sizeof reason));
  assert_non_null (strstr (reason, "at most 107 bytes"));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_told, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_reloading, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_reloading_time, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_abstract, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_nobody, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_full, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_beat_is_late, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_ready_is_late, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_sender, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_barrier, set_up, tear_down),
    cmocka_unit_test (test_message),
    cmocka_unit_test_setup_teardown (test_watchdog, set_up, tear_down),
    cmocka_unit_test (test_sockets),
    cmocka_unit_test (test_no_sockets),
    cmocka_unit_test_setup_teardown (test_long_path, set_up, tear_down),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
