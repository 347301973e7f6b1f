/* test-secret.c - secrets come from files, variables and credentials.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include "config/secret.h"

static char *directory;

static int
set_up (void **state)
{
  (void) state;
  directory = fixture_directory ();
  return 0;
}

static int
tear_down (void **state)
{
  (void) state;
  fixture_remove (directory);
  unsetenv ("CREDENTIALS_DIRECTORY");
  unsetenv ("HERALD_TEST_SECRET");
  return 0;
}

static void
reads_as (const char *from, const char *where, const char *value)
{
  char reason[600] = "";
  bool is_elsewhere;
  char *secret = secret_read (from, where, directory, &is_elsewhere, reason,
                              sizeof reason);

  if (secret == NULL)
    fail_msg ("%s", reason);
  assert_string_equal (secret, value);
  free (secret);
}

static void
refuses_here (const char *from, const char *where, bool is_expected_elsewhere,
              const char *part)
{
  char reason[600] = "";
  bool is_elsewhere;

  assert_null (secret_read (from, where, directory, &is_elsewhere, reason,
                            sizeof reason));
  assert_int_equal (is_elsewhere, is_expected_elsewhere);
  if (strstr (reason, part) == NULL)
    fail_msg ("\"%s\" does not say \"%s\"", reason, part);
  assert_null (strstr (reason, "s3cret"));
}

static void
refuses (const char *from, const char *where, const char *part)
{
  refuses_here (from, where, false, part);
}

static void
test_file (void **state)
{
  (void) state;
  reads_as ("file", fixture_write (directory, "a", "s3cret\n", 0600),
            "s3cret");
  fixture_write (directory, "b", "s3cret\r\n", 0640);
  reads_as ("file", "b", "s3cret");
  fixture_write (directory, "c", " two\nlines\n\n", 0600);
  reads_as ("file", "c", " two\nlines\n");
  fixture_write (directory, "d", "s3cret", 0644);
  refuses ("file", "d", "chmod");
  refuses ("file", "d", "/d");
  fixture_write (directory, "e", "\n", 0600);
  refuses ("file", "e", "/e is empty; write the value into it");
  fixture_write_bytes (directory, "f", "s3cret\0more", 11, 0600);
  refuses ("file", "f", "holds bytes that are not UTF-8 text");
  fixture_write (directory, "g", "s3cret\xff", 0600);
  refuses ("file", "g", "holds bytes that are not UTF-8 text");
  refuses ("file", "none", "/none");
  refuses ("file", "", "from=\"file\" does not say which");
  refuses ("file", ".", "no regular file");
}

static void
test_long (void **state)
{
  char *text = malloc (SECRET_MAX_LEN + 3);

  (void) state;
  assert_non_null (text);
  memset (text, 'x', SECRET_MAX_LEN + 3);
  text[SECRET_MAX_LEN] = '\0';
  fixture_write (directory, "a", text, 0600);
  reads_as ("file", "a", text);
  text[SECRET_MAX_LEN] = 'x';
  fixture_write_bytes (directory, "b", text, SECRET_MAX_LEN + 1, 0600);
  refuses ("file", "b", "holds more than 64 KiB");
  fixture_write_bytes (directory, "c", text, SECRET_MAX_LEN + 3, 0600);
  refuses ("file", "c", "/c");
  free (text);
}

static void
test_env (void **state)
{
  (void) state;
  setenv ("HERALD_TEST_SECRET", "s3cret", 1);
  reads_as ("env", "HERALD_TEST_SECRET", "s3cret");
  setenv ("HERALD_TEST_SECRET", "", 1);
  refuses ("env", "HERALD_TEST_SECRET",
           "the environment variable HERALD_TEST_SECRET is empty");
  unsetenv ("HERALD_TEST_SECRET");
  refuses_here ("env", "HERALD_TEST_SECRET", true, "the environment variable "
                "HERALD_TEST_SECRET is not set");
}

static void
test_credential (void **state)
{
  (void) state;
  fixture_write (directory, "token", "s3cret\n", 0400);
  refuses_here ("credential", "token", true, "CREDENTIALS_DIRECTORY is not "
                "set; start herald through systemd with "
                "LoadCredential=token:");
  setenv ("CREDENTIALS_DIRECTORY", "/no/such/directory", 1);
  refuses_here ("credential", "token", true, "the credential ");
  setenv ("CREDENTIALS_DIRECTORY", directory, 1);
  reads_as ("credential", "token", "s3cret");
  refuses ("credential", "../token", "has no slash");
  refuses ("credential", "..", "does not start with a dot");
  refuses ("credential", "none", "the credential ");
}

static void
test_other (void **state)
{
  (void) state;
  refuses ("vault", "x", "from=\"vault\" is none of \"file\", \"env\" "
           "and \"credential\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_file), TEST (test_long), TEST (test_env),
    TEST (test_credential), TEST (test_other),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
