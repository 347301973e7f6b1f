/* test-proof.c - a test e-mail counts for exactly its settings.
 *
 * SPDX-License-Identifier: MIT
 */

#include "integration-fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "provider/proof.h"

#define PASSWORD "correct-horse"
#define MAILER(password, from, bcc)                                 \
  DESCRIPTOR ("post", "<settings>"                                  \
    "<setting name=\"host\">mail.example</setting>"                 \
    "<setting name=\"password\">" password "</setting></settings>"  \
    "<mail><from address=\"" from "\"/><to source=\"email\"/>"      \
    "<bcc address=\"" bcc "\"/><subject>S</subject>"                \
    "<text>T</text></mail>")

static char directory[64];
static char reason[600];

static int
mock_build (void *instance, struct herald_job *job)
{
  (void) instance;
  (void) job;
  return 0;
}

static const struct herald_field fields[] = {
  { .name = "host", .label = "Host", .type = HERALD_TEXT },
  { .name = "password", .label = "Password", .type = HERALD_TEXT,
    .flags = HERALD_SECRET }
};
static const struct herald_plugin post = {
  .name = "post", .label = "Post", .category = HERALD_MAILER,
  .caps = HERALD_BCC, .n_settings = HERALD_COUNT (fields),
  .settings = fields, .build = mock_build
};

static const char *
file (const char *name)
{
  static char path[200];

  snprintf (path, sizeof path, "%s/state/%s", directory, name);
  return path;
}

static const char *
state_directory (void)
{
  static char path[200];

  snprintf (path, sizeof path, "%s/state", directory);
  return path;
}

static int
make_directory (void **state)
{
  (void) state;
  snprintf (directory, sizeof directory, "/tmp/test-proof.XXXXXX");
  return mkdtemp (directory) == NULL ? -1 : 0;
}

static int
remove_directory (void **state)
{
  (void) state;
  date_set_now (-1);
  unlink (file ("key"));
  unlink (file ("crm.json"));
  rmdir (state_directory ());
  return rmdir (directory);
}

/* What is known of a mailer with this descriptor; it is proven first if
 * writes. */
static enum proof_kind
proof_of (const char *xml, bool writes, int64_t *ret_time_ms)
{
  struct host_fixture host;
  struct integration *integration;
  enum proof_kind kind;

  host_fixture_open (&host);
  host_fixture_adopt (&host, &post);
  integration = host_fixture_integration (&host, xml);
  assert_non_null (integration);
  if (writes
      && proof_write (state_directory (), integration, reason,
                      sizeof reason) == -1)
    fail_msg ("%s", reason);
  kind = proof_read (state_directory (), integration, ret_time_ms);
  integration_close (integration);
  host_fixture_close (&host);
  return kind;
}

static const char one[] = MAILER (PASSWORD, "a@x.example", "b@x.example");

static void
test_life (void **state)
{
  int64_t when = -1;

  (void) state;
  assert_int_equal (proof_of (one, false, NULL), PROOF_NONE);
  date_set_now (1767225600000);
  assert_int_equal (proof_of (one, true, &when), PROOF_GOOD);
  assert_int_equal (when, 1767225600000);
  assert_int_equal (proof_of (one, false, NULL), PROOF_GOOD);
  proof_remove (state_directory (), "crm");
  assert_int_equal (proof_of (one, false, NULL), PROOF_NONE);
  proof_remove (state_directory (), "crm");
}

static void
test_changes (void **state)
{
  (void) state;
  assert_int_equal (proof_of (one, true, NULL), PROOF_GOOD);
  assert_int_equal (proof_of (MAILER ("other-horse", "a@x.example",
                                      "b@x.example"), false, NULL),
                    PROOF_STALE);
  assert_int_equal (proof_of (MAILER (PASSWORD, "c@x.example",
                                      "b@x.example"), false, NULL),
                    PROOF_STALE);
  assert_int_equal (proof_of (MAILER (PASSWORD, "a@x.example",
                                      "c@x.example"), false, NULL),
                    PROOF_STALE);
  /* Sender and copy exchanged are not the same settings. */
  assert_int_equal (proof_of (MAILER (PASSWORD, "b@x.example",
                                      "a@x.example"), false, NULL),
                    PROOF_STALE);
  assert_int_equal (proof_of (one, false, NULL), PROOF_GOOD);
}

static void
test_files (void **state)
{
  struct stat status;
  char text[4096] = "";
  FILE *in;

  (void) state;
  assert_int_equal (proof_of (one, true, NULL), PROOF_GOOD);
  assert_int_equal (stat (state_directory (), &status), 0);
  assert_int_equal (status.st_mode & 0777, 0700);
  assert_int_equal (stat (file ("key"), &status), 0);
  assert_int_equal (status.st_mode & 0777, 0600);
  assert_int_equal (status.st_size, 32);
  in = fopen (file ("crm.json"), "r");
  assert_non_null (in);
  assert_true (fread (text, 1, sizeof text - 1, in) > 0);
  fclose (in);
  assert_null (strstr (text, PASSWORD));
  assert_non_null (strstr (text, "\"provider\""));

  /* Another key: nothing it says can be checked any more. */
  unlink (file ("key"));
  assert_int_equal (proof_of (one, false, NULL), PROOF_NONE);
  assert_int_equal (proof_of (one, true, NULL), PROOF_GOOD);

  /* A key that others may read proves nothing. */
  assert_int_equal (chmod (file ("key"), 0644), 0);
  assert_int_equal (proof_of (one, false, NULL), PROOF_NONE);
}

static void
test_damage (void **state)
{
  FILE *out;

  (void) state;
  assert_int_equal (proof_of (one, true, NULL), PROOF_GOOD);
  out = fopen (file ("crm.json"), "w");
  assert_non_null (out);
  fputs ("{\"fingerprint\":7", out);
  fclose (out);
  assert_int_equal (proof_of (one, false, NULL), PROOF_NONE);
  out = fopen (file ("crm.json"), "w");
  assert_non_null (out);
  fputs ("{\"fingerprint\":\"\",\"accepted\":\"2026-01-01T00:00:00Z\"}", out);
  fclose (out);
  assert_int_equal (proof_of (one, false, NULL), PROOF_STALE);
}

static void
test_no_directory (void **state)
{
  struct host_fixture host;
  struct integration *integration;

  (void) state;
  host_fixture_open (&host);
  host_fixture_adopt (&host, &post);
  integration = host_fixture_integration (&host, one);
  assert_non_null (integration);
  assert_int_equal (proof_write ("/dev/null/state", integration, reason,
                                 sizeof reason), -1);
  assert_non_null (strstr (reason, "/dev/null/state"));
  integration_close (integration);
  host_fixture_close (&host);
}

#define IN_DIRECTORY(test)                                          \
  cmocka_unit_test_setup_teardown (test, make_directory, remove_directory)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    IN_DIRECTORY (test_life),
    IN_DIRECTORY (test_changes),
    IN_DIRECTORY (test_files),
    IN_DIRECTORY (test_damage),
    IN_DIRECTORY (test_no_directory)
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
