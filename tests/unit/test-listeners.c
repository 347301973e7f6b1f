/* test-listeners.c - the sockets of the intake, and who runs here.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/listeners.h"
#include "serve/pidfile.h"

static char directory[40];
static char path[80];
static char reason[300];

static int
set_up (void **state)
{
  *state = NULL;
  snprintf (directory, sizeof directory, "/tmp/test-listeners.XXXXXX");
  assert_non_null (mkdtemp (directory));
  snprintf (path, sizeof path, "%s/a.sock", directory);
  reason[0] = '\0';
  return 0;
}

static int
tear_down (void **state)
{
  (void) state;
  unlink (path);
  assert_int_equal (rmdir (directory), 0);
  return 0;
}

static int
bind_tcp (int family, char *ret_text, size_t size)
{
  struct sockaddr_in v4 = { .sin_family = AF_INET };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
                             .sin6_addr = IN6ADDR_LOOPBACK_INIT };
  int fd = socket (family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t len;

  v4.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (family == AF_INET) {
    len = sizeof v4;
    assert_int_equal (bind (fd, (struct sockaddr *) &v4, len), 0);
    assert_int_equal (getsockname (fd, (struct sockaddr *) &v4, &len), 0);
    snprintf (ret_text, size, "127.0.0.1:%u", ntohs (v4.sin_port));
  } else {
    len = sizeof v6;
    if (fd < 0 || bind (fd, (struct sockaddr *) &v6, len) != 0)
      return -1;                /* there is no IPv6 here */
    assert_int_equal (getsockname (fd, (struct sockaddr *) &v6, &len), 0);
    snprintf (ret_text, size, "[::1]:%u", ntohs (v6.sin6_port));
  }
  assert_int_equal (listen (fd, 5), 0);
  return fd;
}

static enum listeners_answer
set (struct listeners *listeners, const struct herald_listen *listens,
     size_t n)
{
  const struct herald_intake intake = { .n_listens = n,
                                        .listens = listens };

  return listeners_set (listeners, &intake, reason, sizeof reason);
}

static void
test_local (void **state)
{
  struct listeners *listeners = listeners_new ();
  struct herald_listen listen = { .socket = path, .mode = 0620 };
  struct stat st;
  int fd;

  (void) state;
  assert_int_equal (set (listeners, &listen, 1), LISTENERS_CHANGED);
  assert_int_equal (listeners_count (listeners), 1);
  assert_string_equal (listeners_at (listeners, 0)->name, path);
  assert_true (listeners_at (listeners, 0)->is_wanted);
  fd = listeners_at (listeners, 0)->fd;
  assert_int_equal (fcntl (fd, F_GETFD), FD_CLOEXEC);
  assert_true ((fcntl (fd, F_GETFL) & O_NONBLOCK) != 0);
  assert_int_equal (stat (path, &st), 0);
  assert_int_equal (st.st_mode & 0777, 0620);
  assert_int_equal (set (listeners, &listen, 1), LISTENERS_SAME);
  listen.mode = 0600;           /* the socket stays, its mode does not */
  assert_int_equal (set (listeners, &listen, 1), LISTENERS_SAME);
  assert_int_equal (listeners_at (listeners, 0)->fd, fd);
  assert_int_equal (stat (path, &st), 0);
  assert_int_equal (st.st_mode & 0777, 0600);
  /* Without it nobody would find us. */
  assert_int_equal (unlink (path), 0);
  assert_int_equal (set (listeners, &listen, 1), LISTENERS_CHANGED);
  assert_int_equal (listeners_count (listeners), 1);
  assert_true (listeners_at (listeners, 0)->is_wanted);
  assert_int_equal (stat (path, &st), 0);
  assert_int_equal (set (listeners, &listen, 1), LISTENERS_SAME);
  assert_int_equal (set (listeners, NULL, 0), LISTENERS_CHANGED);
  assert_int_equal (listeners_count (listeners), 0);
  assert_int_equal (access (path, F_OK), -1);
  listeners_free (listeners);
  listeners_free (NULL);
}

static void
test_in_the_way (void **state)
{
  struct listeners *first = listeners_new (), *second = listeners_new ();
  const struct herald_listen listen = { .socket = path, .mode = 0600 };
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd;

  (void) state;
  assert_int_equal (set (first, &listen, 1), LISTENERS_CHANGED);
  assert_int_equal (set (second, &listen, 1), LISTENERS_BUSY);
  assert_non_null (strstr (reason, "another process does"));
  assert_int_equal (listeners_count (second), 0);
  listeners_free (first);
  snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
  fd = socket (AF_UNIX, SOCK_STREAM, 0);        /* stale */
  assert_int_equal (bind (fd, (struct sockaddr *) &address, sizeof address),
                    0);
  close (fd);
  assert_int_equal (set (second, &listen, 1), LISTENERS_CHANGED);
  unlink (path);
  fd = open (path, O_CREAT | O_WRONLY | O_EXCL, 0600);
  close (fd);
  listeners_free (second);      /* leaves what is not its own */
  assert_int_equal (access (path, F_OK), 0);
  second = listeners_new ();
  assert_int_equal (set (second, &listen, 1), LISTENERS_FAILED);
  assert_non_null (strstr (reason, "no socket"));
  assert_int_equal (access (path, F_OK), 0);
  listeners_free (second);
}

static void
test_addresses (void **state)
{
  static const int families[] = { AF_INET, AF_INET6 };

  (void) state;
  for (size_t i = 0; i < 2; i++) {
    struct listeners *listeners = listeners_new ();
    char text[64];
    int other = bind_tcp (families[i], text, sizeof text);
    const struct herald_listen listens[] = { { .socket = path,
                                               .mode = 0600 },
                                             { .address = text } };

    if (other < 0) {
      listeners_free (listeners);
      continue;
    }
    /* All or nothing. */
    assert_int_equal (set (listeners, listens, 2), LISTENERS_BUSY);
    assert_int_equal (listeners_count (listeners), 0);
    assert_int_equal (access (path, F_OK), -1);
    close (other);
    assert_int_equal (set (listeners, listens, 2), LISTENERS_CHANGED);
    assert_int_equal (listeners_count (listeners), 2);
    assert_string_equal (listeners_at (listeners, 1)->name, text);
    listeners_free (listeners);
  }
}

/* What is in the way may be ourselves, as long as nothing is given up. */
static void
test_every_address (void **state)
{
  struct listeners *listeners = listeners_new ();
  char one[64], every[64];
  struct herald_listen listen = { .address = one };
  int other = bind_tcp (AF_INET, one, sizeof one);

  (void) state;
  close (other);
  snprintf (every, sizeof every, "0.0.0.0%s", strchr (one, ':'));
  assert_int_equal (set (listeners, &listen, 1), LISTENERS_CHANGED);
  listen.address = every;
  assert_int_equal (set (listeners, &listen, 1), LISTENERS_FAILED);
  assert_non_null (strstr (reason, "while herald listens on 127.0.0.1:"));
  assert_string_equal (listeners_at (listeners, 0)->name, one);
  listeners_free (listeners);
}

static void
test_given (void **state)
{
  struct listeners *listeners = listeners_new ();
  char text[2][64];
  struct service_socket sockets[2] = { { .fd = -1 }, { .fd = -1 } };
  const struct herald_listen listens[] = { { .address = text[0] },
                                           { .socket = path,
                                             .mode = 0600 } };
  const struct herald_intake intake = { .n_listens = 2,
                                        .listens = listens };

  (void) state;
  for (size_t i = 0; i < 2; i++)
    sockets[i].fd = bind_tcp (AF_INET, text[i], sizeof text[i]);
  listeners_give (listeners, sockets, 2);
  assert_int_equal (set (listeners, listens, 2), LISTENERS_CHANGED);
  assert_int_equal (listeners_count (listeners), 3);
  assert_int_equal (listeners_at (listeners, 0)->fd, sockets[0].fd);
  assert_true (listeners_at (listeners, 0)->is_given);
  assert_true (listeners_at (listeners, 0)->is_wanted);
  assert_false (listeners_at (listeners, 1)->is_wanted);
  assert_false (listeners_at (listeners, 2)->is_given);
  assert_ptr_equal (listeners_find (&intake, sockets[0].fd), &listens[0]);
  assert_null (listeners_find (&intake, sockets[1].fd));
  assert_ptr_equal (listeners_find (&intake, listeners_at (listeners, 2)->fd),
                    &listens[1]);
  /* Not wanted any more, it stays open: it is the manager's. */
  assert_int_equal (set (listeners, listens + 1, 1), LISTENERS_CHANGED);
  assert_int_equal (listeners_count (listeners), 3);
  assert_false (listeners_at (listeners, 0)->is_wanted);
  listeners_free (listeners);
}

/* A child keeps its place, whatever becomes of its supervisor. */
static void
test_places (void **state)
{
  struct pidfile *pidfile;
  int fd, ends[2], status;
  pid_t child;

  (void) state;
  assert_int_equal (pidfile_find (directory), 0);
  pidfile = pidfile_hold (directory, reason, sizeof reason);
  assert_non_null (pidfile);
  assert_false (pidfile_is_inherited (pidfile));
  assert_int_equal (pidfile_find (directory), getpid ());
  assert_null (pidfile_hold (directory, reason, sizeof reason));
  assert_non_null (strstr (reason, "herald serve runs already"));
  fd = pidfile_take (pidfile, 3);
  assert_true (fd >= 0);
  errno = 0;
  assert_int_equal (pidfile_take (pidfile, 3), -1);
  assert_int_equal (errno, EAGAIN);
  assert_int_equal (pipe (ends), 0);
  child = fork ();
  if (child == 0) {
    char byte;

    close (ends[1]);
    _exit (read (ends[0], &byte, 1) == 0 ? 0 : 1);
  }
  close (ends[0]);
  close (fd);
  assert_int_equal (pidfile_take (pidfile, 3), -1);     /* the child has it */
  close (ends[1]);
  assert_int_equal (waitpid (child, &status, 0), child);
  fd = pidfile_take (pidfile, 3);
  assert_true (fd >= 0);
  close (fd);
  pidfile_release (pidfile);
  pidfile_release (NULL);
  assert_int_equal (pidfile_find (directory), 0);
}

/* Another process that was killed leaves its number behind. */
static void
test_inherited (void **state)
{
  struct pidfile *pidfile;
  char run[80], file[100];
  int status;
  pid_t child = fork ();

  (void) state;
  if (child == 0)
    _exit (pidfile_hold (directory, reason, sizeof reason) != NULL ? 0 : 1);
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_int_equal (status, 0);
  assert_int_equal (pidfile_find (directory), 0);
  pidfile = pidfile_hold (directory, reason, sizeof reason);
  assert_non_null (pidfile);
  assert_true (pidfile_is_inherited (pidfile));
  pidfile_release (pidfile);
  pidfile = pidfile_hold (directory, reason, sizeof reason);
  assert_false (pidfile_is_inherited (pidfile));
  pidfile_release (pidfile);
  snprintf (run, sizeof run, "%s/run", directory);
  assert_int_equal (chmod (run, 0777), 0);
  assert_null (pidfile_hold (directory, reason, sizeof reason));
  assert_non_null (strstr (reason, "writable by nobody else"));
  snprintf (file, sizeof file, "%s/serve.pid", run);
  unlink (file);
  assert_int_equal (rmdir (run), 0);
}

static int
remove_run (void **state)
{
  char name[100];

  snprintf (name, sizeof name, "%s/run/serve.pid", directory);
  unlink (name);
  snprintf (name, sizeof name, "%s/run", directory);
  rmdir (name);
  return tear_down (state);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_local, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_in_the_way, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_addresses, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_every_address, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_given, set_up, tear_down),
    cmocka_unit_test_setup_teardown (test_places, set_up, remove_run),
    cmocka_unit_test_setup_teardown (test_inherited, set_up, remove_run),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
