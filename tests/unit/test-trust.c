/* test-trust.c - base/trust believes no file that others could write.
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
#include <sys/stat.h>
#include <unistd.h>

#include "base/trust.h"

static char directory[200];
static char file[240];

static int
setup (void **state)
{
  const char *top = getenv ("TMPDIR");
  FILE *out;

  (void) state;
  snprintf (directory, sizeof directory, "%.150s/test-trust-XXXXXX",
            top != NULL ? top : "/tmp");
  if (mkdtemp (directory) == NULL)
    return -1;
  snprintf (file, sizeof file, "%s/crm.xml", directory);
  out = fopen (file, "w");
  if (out == NULL)
    return -1;
  fputs ("hello", out);
  fclose (out);
  return chmod (file, 0640);
}

static int
teardown (void **state)
{
  (void) state;
  chmod (directory, 0700);
  unlink (file);
  return rmdir (directory);
}

static void
assert_trusted (const char *path, unsigned flags)
{
  char reason[400] = "";
  int fd = trust_open (path, flags, reason, sizeof reason);

  assert_string_equal (reason, "");
  assert_true (fd >= 0);
  assert_int_equal (fcntl (fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  close (fd);
}

/* expected: the reason, with a path behind it if it ends with a space. */
static void
assert_refused (const char *path, unsigned flags, const char *expected,
                const char *named)
{
  char reason[400] = "";
  char whole[400];

  snprintf (whole, sizeof whole, "%s%s", expected, named);
  assert_int_equal (trust_open (path, flags, reason, sizeof reason), -1);
  assert_string_equal (reason, whole);
}

static void
test_good (void **state)
{
  (void) state;
  assert_trusted (file, 0);
  assert_trusted (file, TRUST_PRIVATE);
  chmod (file, 0644);
  assert_trusted (file, 0);
  chmod (file, 0400);
  assert_trusted (file, TRUST_PRIVATE);
  assert_trusted (directory, TRUST_DIRECTORY);
}

static void
test_mode (void **state)
{
  (void) state;
  chmod (file, 0642);
  assert_refused (file, 0, "others may write to it; run: chmod o-w ", file);
  chmod (file, 0660);
  assert_refused (file, 0, "its group may write to it; run: chmod g-w ",
                  file);
  chmod (file, 0666);
  assert_refused (file, 0, "others may write to it; run: chmod go-w ", file);
  assert_refused (file, TRUST_PRIVATE,
                  "others may write to it; run: chmod go-w,o-r ", file);
  chmod (file, 0644);
  assert_refused (file, TRUST_PRIVATE,
                  "others may read it; run: chmod o-r ", file);
}

static void
test_directory (void **state)
{
  (void) state;
  chmod (directory, 0777);
  assert_refused (file, 0, "others may write to its directory; run: chmod "
                           "o-w ", directory);
  assert_refused (directory, TRUST_DIRECTORY,
                  "others may write to it; run: chmod go-w ", directory);
  chmod (directory, 01777);
  assert_trusted (file, 0);
  chmod (directory, 0770);
  assert_trusted (file, 0);
  chmod (directory, 0700);
}

/* A link does not lead out of what is checked. */
static void
test_link (void **state)
{
  char safe[] = "/tmp/test-trust-XXXXXX";
  char path[100];

  (void) state;
  assert_non_null (mkdtemp (safe));
  snprintf (path, sizeof path, "%s/link", safe);
  assert_int_equal (symlink (file, path), 0);
  assert_trusted (path, 0);
  chmod (directory, 0777);
  assert_refused (path, 0, "others may write to its directory; run: chmod "
                           "o-w ", directory);
  chmod (directory, 0700);
  unlink (path);
  rmdir (safe);
}

static void
test_owner (void **state)
{
  char expected[100];

  (void) state;
  if (geteuid () != 0 || chown (file, 12345, (gid_t) -1) != 0)
    skip ();
  snprintf (expected, sizeof expected,
            "it belongs to another user (uid 12345); run: chown root ");
  assert_refused (file, 0, expected, file);
}

static void
test_kind (void **state)
{
  char path[260];

  (void) state;
  snprintf (path, sizeof path, "%s/none", directory);
  assert_refused (path, 0, "there is no such file", "");
  assert_refused ("", 0, "there is no such file", "");
  assert_refused (directory, 0, "is no regular file", "");
  assert_refused (file, TRUST_DIRECTORY, "is no directory", "");
  /* It would block whoever opens it plainly. */
  assert_int_equal (mkfifo (path, 0600), 0);
  assert_refused (path, 0, "is no regular file", "");
  unlink (path);
  assert_refused ("/dev/null", 0, "is no regular file", "");
}

static void
test_shell_quotes (void **state)
{
  char path[260], quoted[280];
  int fd;

  (void) state;
  snprintf (path, sizeof path, "%s/a'b $(c)", directory);
  snprintf (quoted, sizeof quoted, "'%s/a'\\''b $(c)'", directory);
  fd = open (path, O_CREAT | O_WRONLY, 0600);
  assert_true (fd >= 0);
  fchmod (fd, 0602);
  close (fd);
  assert_refused (path, 0, "others may write to it; run: chmod o-w ",
                  quoted);
  unlink (path);
}

static void
test_read (void **state)
{
  char reason[100] = "";
  size_t len = 0;
  char *text = trust_read (file, 0, 5, &len, reason, sizeof reason);

  (void) state;
  assert_string_equal (reason, "");
  assert_string_equal (text, "hello");
  assert_int_equal (len, 5);
  free (text);
  assert_null (trust_read (file, 0, 4, &len, reason, sizeof reason));
  assert_string_equal (reason, "is longer than 4 bytes");
  chmod (file, 0644);
  assert_null (trust_read (file, TRUST_PRIVATE, 9, &len, reason,
                           sizeof reason));
  assert_non_null (strstr (reason, "others may read it"));
  assert_null (trust_read (directory, TRUST_DIRECTORY, 9, &len, reason,
                           sizeof reason));
  assert_string_equal (reason, "is a directory");
}

static void
test_read_empty_and_large (void **state)
{
  char reason[100] = "";
  size_t len = 7;
  char *text;
  FILE *out = fopen (file, "w");

  (void) state;
  assert_non_null (out);
  fclose (out);
  text = trust_read (file, 0, 0, &len, reason, sizeof reason);
  assert_non_null (text);
  assert_int_equal (len, 0);
  assert_string_equal (text, "");
  free (text);

  out = fopen (file, "w");
  for (int i = 0; i < 300000; i++)
    fputc (i % 251, out);
  fclose (out);
  text = trust_read (file, 0, 1 << 20, &len, reason, sizeof reason);
  assert_non_null (text);
  assert_int_equal (len, 300000);
  for (int i = 0; i < 300000; i++)
    if ((unsigned char) text[i] != i % 251)
      fail_msg ("byte %d", i);
  assert_int_equal (text[len], 0);
  free (text);
}

/* A short buffer for the reason is filled, not overrun. */
static void
test_short_reason (void **state)
{
  char reason[12];

  (void) state;
  chmod (file, 0666);
  assert_int_equal (trust_open (file, 0, reason, sizeof reason), -1);
  assert_string_equal (reason, "others may ");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_good, setup, teardown),
    cmocka_unit_test_setup_teardown (test_mode, setup, teardown),
    cmocka_unit_test_setup_teardown (test_directory, setup, teardown),
    cmocka_unit_test_setup_teardown (test_link, setup, teardown),
    cmocka_unit_test_setup_teardown (test_owner, setup, teardown),
    cmocka_unit_test_setup_teardown (test_kind, setup, teardown),
    cmocka_unit_test_setup_teardown (test_shell_quotes, setup, teardown),
    cmocka_unit_test_setup_teardown (test_read, setup, teardown),
    cmocka_unit_test_setup_teardown (test_read_empty_and_large, setup,
                                     teardown),
    cmocka_unit_test_setup_teardown (test_short_reason, setup, teardown),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
