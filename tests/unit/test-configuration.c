/* test-configuration.c - herald.xml and conf.d together, and the samples.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include <sys/inotify.h>

#include "base/buf.h"
#include "config/configuration.h"

struct fixture {
  char *directory;
  struct problems *problems;
};

#define HERALD "<herald xmlns=\"urn:herald:config:1\"><workspaces>" \
               "<workspace name=\"acme\"/></workspaces>" \
               "<defaults provider=\"smtp\"/></herald>"
#define INTEGRATION(name)                                           \
  "<integration xmlns=\"urn:herald:integration:1\" name=\"" name    \
  "\" provider=\"x\"><workspaces all=\"true\"/></integration>"

static int
set_up (void **state)
{
  static struct fixture fixture;

  fixture.directory = fixture_directory ();
  fixture.problems = problems_new ();
  assert_int_equal (mkdir (fixture_path (fixture.directory, "conf.d"), 0755),
                    0);
  fixture_write (fixture.directory, "herald.xml", HERALD, 0644);
  *state = &fixture;
  return 0;
}

static int
tear_down (void **state)
{
  struct fixture *fixture = *state;

  problems_free (fixture->problems);
  fixture_remove (fixture->directory);
  return 0;
}

static void
test_order (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  fixture_write (fixture->directory, "conf.d/20.xml", INTEGRATION ("b"),
                 0644);
  fixture_write (fixture->directory, "conf.d/Z.xml", INTEGRATION ("c"), 0644);
  fixture_write (fixture->directory, "conf.d/10.xml", INTEGRATION ("z"),
                 0640);
  fixture_write (fixture->directory, "conf.d/a.xml.off", "broken", 0644);
  fixture_write (fixture->directory, "conf.d/.a.xml", "broken", 0644);
  fixture_write (fixture->directory, "conf.d/.xml", "broken", 0644);
  configuration = configuration_read (fixture->directory, SECRETS_READ,
                                      fixture->problems);
  fixture_expect_none (fixture->problems);
  assert_int_equal (configuration->n_descriptors, 3);
  assert_string_equal (configuration->descriptors[0]->name, "z");
  assert_string_equal (configuration->descriptors[1]->name, "b");
  assert_string_equal (configuration->descriptors[2]->name, "c");
  assert_true (configuration->descriptors[0]->is_private);
  assert_false (configuration->descriptors[1]->is_private);
  assert_ptr_equal (configuration_find (configuration, "b"),
                    configuration->descriptors[1]);
  assert_null (configuration_find (configuration, "none"));
  assert_string_equal (configuration_defaults (configuration,
                                               "smtp")->provider, "smtp");
  assert_null (configuration_defaults (configuration, "x"));
  configuration_free (configuration);
  configuration_free (NULL);
}

static void
test_broken_ones (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  fixture_write (fixture->directory, "conf.d/1.xml", INTEGRATION ("a"), 0644);
  fixture_write (fixture->directory, "conf.d/2.xml", INTEGRATION ("a"), 0644);
  fixture_write (fixture->directory, "conf.d/3.xml", "<integration", 0644);
  fixture_write (fixture->directory, "conf.d/4.xml", INTEGRATION ("b"), 0666);
  fixture_write (fixture->directory, "conf.d/5.xml", INTEGRATION ("c"), 0644);
  configuration = configuration_read (fixture->directory, SECRETS_READ,
                                      fixture->problems);
  assert_non_null (configuration);
  assert_int_equal (configuration->n_descriptors, 3);
  assert_false (configuration_find (configuration, "a")->has_errors);
  assert_true (configuration->descriptors[1]->has_errors);
  assert_false (configuration_find (configuration, "c")->has_errors);
  assert_int_equal (problems_errors (fixture->problems), 3);
  assert_non_null (strstr (problems_at (fixture->problems, 0)->text,
                           "integration \"a\" is defined already in "));
  assert_non_null (strstr (problems_at (fixture->problems, 0)->text,
                           "conf.d/1.xml:1; give this one another name"));
  assert_non_null (strstr (problems_at (fixture->problems, 1)->file,
                           "/3.xml"));
  assert_non_null (strstr (problems_at (fixture->problems, 2)->text,
                           "others may write to it"));
  configuration_free (configuration);
}

static void
test_absent (void **state)
{
  struct fixture *fixture = *state;

  assert_int_equal (rmdir (fixture_path (fixture->directory, "conf.d")), 0);
  assert_null (configuration_read (fixture->directory, SECRETS_READ,
                                   fixture->problems));
  assert_int_equal (problems_errors (fixture->problems), 1);
  assert_non_null (strstr (problems_at (fixture->problems, 0)->file,
                           "/conf.d"));
  unlink (fixture_path (fixture->directory, "herald.xml"));
  assert_null (configuration_read (fixture->directory, SECRETS_READ,
                                   fixture->problems));
  assert_non_null (strstr (problems_at (fixture->problems, 1)->file,
                           "/herald.xml"));
}

/* Copy one of the samples in the source tree. */
static void
copy_sample (struct fixture *fixture, const char *sample, const char *name)
{
  const char *top = getenv ("top_srcdir");
  char text[16384];
  FILE *file;
  size_t len;

  file = fopen (fixture_path (top != NULL ? top : ".", sample), "rb");
  assert_non_null (file);
  len = fread (text, 1, sizeof text, file);
  assert_in_range (len, 1, sizeof text - 1);
  fclose (file);
  fixture_write_bytes (fixture->directory, name, text, len, 0640);
}

static void
test_samples (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  copy_sample (fixture, "conf.d/herald.xml.sample", "herald.xml");
  copy_sample (fixture, "conf.d/custom-api.xml", "conf.d/custom-api.xml");
  copy_sample (fixture, "conf.d/smtp.xml", "conf.d/smtp.xml");
  fixture_write (fixture->directory, "conf.d/custom-api.key", "a key\n",
                 0640);
  fixture_write (fixture->directory, "conf.d/smtp.password", "a word\n",
                 0640);
  configuration = configuration_read (fixture->directory, SECRETS_READ,
                                      fixture->problems);
  fixture_expect_none (fixture->problems);
  assert_int_equal (configuration->n_descriptors, 2);
  assert_false (configuration_find (configuration, "custom-api")->is_enabled);
  assert_false (configuration_find (configuration, "smtp")->is_enabled);
  assert_non_null (configuration_find (configuration, "smtp")->mail);
  configuration_free (configuration);
}

/* The names that were opened in the directories watched, and how often each
 * directory was, "/". */
static void
add_opened (int watch, struct buf *out)
{
  char events[16384] __attribute__ ((__aligned__ (8)));
  ssize_t len;

  while ((len = read (watch, events, sizeof events)) > 0)
    for (ssize_t at = 0; at < len;) {
      struct inotify_event event;

      memcpy (&event, events + at, sizeof event);
      buf_printf (out, "%s ", event.len > 0
                  ? events + at + (ssize_t) sizeof event : "/");
      at += (ssize_t) (sizeof event + event.len);
    }
}

#define SECRETS "<integration xmlns=\"urn:herald:integration:1\" " \
  "name=\"secrets\" provider=\"x\" enabled=\"false\"><workspaces>" \
  "<workspace>acme</workspace></workspaces><when source=\"email\" " \
  "present=\"true\"/><settings>" \
  "<setting name=\"a\" from=\"file\" path=\"a.key\"/>" \
  "<setting name=\"b\" from=\"file\" path=\"missing.key\"/>" \
  "<setting name=\"c\" from=\"env\" variable=\"HERALD_NOT_SET\"/>" \
  "<setting name=\"d\" from=\"credential\" credential=\"none\"/>" \
  "<setting name=\"e\">inline-word</setting></settings></integration>"

static void
test_routes (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;
  const struct descriptor *descriptor;
  struct buf opened = BUF_INIT (0);
  int watch = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);

  fixture_write (fixture->directory, "herald.xml",
                 "<herald xmlns=\"urn:herald:config:1\"><workspaces>"
                 "<workspace name=\"acme\"/></workspaces><tls "
                 "ca-file=\"ca.pem\"/><intake><tokens path=\"t\"/></intake>"
                 "<defaults provider=\"x\"><setting name=\"a\" "
                 "from=\"file\" path=\"default.key\"/></defaults></herald>",
                 0644);
  fixture_write (fixture->directory, "ca.pem", "-----BEGIN CERT", 0644);
  fixture_write (fixture->directory, "t", "tokens\n", 0600);
  fixture_write (fixture->directory, "default.key", "word\n", 0640);
  fixture_write (fixture->directory, "conf.d/a.key", "word\n", 0640);
  fixture_write (fixture->directory, "conf.d/1.xml", SECRETS, 0640);
  assert_true (inotify_add_watch (watch, fixture->directory, IN_OPEN) >= 0);
  assert_true (inotify_add_watch (watch, fixture_path (fixture->directory,
                                                       "conf.d"),
                                  IN_OPEN) >= 0);

  configuration = configuration_read (fixture->directory, SECRETS_UNREAD,
                                      fixture->problems);
  add_opened (watch, &opened);
  assert_non_null (configuration);
  fixture_expect_none (fixture->problems);
  assert_int_equal (configuration->herald->secrets, SECRETS_UNREAD);
  assert_string_equal (configuration->herald->ca_file,
                       fixture_path (fixture->directory, "ca.pem"));
  assert_null (configuration->herald->defaults[0].settings[0].value);
  descriptor = configuration_find (configuration, "secrets");
  assert_false (descriptor->has_errors);
  assert_false (descriptor->is_enabled);
  assert_true (descriptor_serves (descriptor, "acme"));
  assert_false (descriptor_serves (descriptor, "globex"));
  assert_int_equal (descriptor->n_conditions, 1);
  assert_int_equal (descriptor->n_settings, 5);
  for (size_t k = 0; k < 5; k++)
    assert_null (descriptor->settings[k].value);
  configuration_free (configuration);
  /* conf.d is seen from outside and from inside. */
  assert_string_equal (opened.data, "herald.xml conf.d / 1.xml ");

  /* And that would have been seen. */
  buf_clear (&opened);
  configuration = configuration_read (fixture->directory, SECRETS_READ,
                                      fixture->problems);
  add_opened (watch, &opened);
  assert_string_equal (opened.data, "herald.xml ca.pem default.key conf.d / "
                                    "1.xml a.key ");
  assert_int_equal (problems_errors (fixture->problems), 3);
  assert_true (configuration_find (configuration, "secrets")->has_errors);
  configuration_free (configuration);
  buf_done (&opened);
  close (watch);
}

/* How a setting is written counts nevertheless. */
static void
test_routes_faults (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  fixture_write (fixture->directory, "conf.d/1.xml",
                 "<integration xmlns=\"urn:herald:integration:1\" "
                 "name=\"a\" provider=\"x\"><workspaces all=\"true\"/>"
                 "<settings><setting name=\"a\" from=\"file\"/></settings>"
                 "</integration>", 0644);
  configuration = configuration_read (fixture->directory, SECRETS_UNREAD,
                                      fixture->problems);
  fixture_expect (fixture->problems, PROBLEM_ERROR, 1,
                  "setting \"a\" has from=\"file\" but no path=");
  assert_true (configuration->descriptors[0]->has_errors);
  configuration_free (configuration);
}

/* A mailer in line 1, its <fallback> in line 2. */
static void
write_mailer (struct fixture *fixture, const char *name,
              const char *attributes, const char *fallback)
{
  struct buf text = BUF_INIT (0), path = BUF_INIT (0);

  buf_printf (&path, "conf.d/%s.xml", name);
  buf_printf (&text, "<integration xmlns=\"urn:herald:integration:1\" "
              "name=\"%s\" provider=\"x\" %s><workspaces all=\"true\"/>"
              "<mail><to source=\"email\"/><subject>s</subject><text>t"
              "</text></mail>", name, attributes);
  if (fallback != NULL)
    buf_printf (&text, "<delivery>\n<fallback integration=\"%s\"/>"
                "</delivery>", fallback);
  buf_add_text (&text, "</integration>");
  fixture_write (fixture->directory, path.data, text.data, 0644);
  buf_done (&text);
  buf_done (&path);
}

static const char *
name_of (const struct descriptor *descriptor)
{
  return descriptor != NULL ? descriptor->name : "nobody";
}

static void
test_fallback (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;
  const struct descriptor *a, *b, *c, *d;

  write_mailer (fixture, "a", "", "b");
  write_mailer (fixture, "b", "", "c");
  write_mailer (fixture, "c", "", NULL);
  write_mailer (fixture, "d", "", "c");
  configuration = configuration_read (fixture->directory, SECRETS_READ,
                                      fixture->problems);
  fixture_expect_none (fixture->problems);
  a = configuration_find (configuration, "a");
  b = configuration_find (configuration, "b");
  c = configuration_find (configuration, "c");
  d = configuration_find (configuration, "d");
  assert_ptr_equal (configuration_fallback (configuration, a), b);
  assert_ptr_equal (configuration_fallback (configuration, b), c);
  assert_ptr_equal (configuration_fallback (configuration, d), c);
  assert_null (configuration_fallback (configuration, c));
  assert_ptr_equal (configuration_root (configuration, a), c);
  assert_ptr_equal (configuration_root (configuration, b), c);
  assert_ptr_equal (configuration_root (configuration, c), c);
  assert_ptr_equal (configuration_root (configuration, d), c);
  configuration_free (configuration);
}

/* Reads, and expects that problem of line 2, and so many errors. */
static struct configuration *
read_fallbacks (struct fixture *fixture, enum problem_severity severity,
                const char *text, size_t n_errors)
{
  struct configuration *configuration;

  configuration = configuration_read (fixture->directory, SECRETS_READ,
                                      fixture->problems);
  assert_non_null (configuration);
  fixture_expect (fixture->problems, severity, 2, text);
  assert_int_equal (problems_errors (fixture->problems), n_errors);
  return configuration;
}

static void
test_fallback_circle (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;
  const struct descriptor *descriptor;

  write_mailer (fixture, "a", "", "c");
  write_mailer (fixture, "c", "", "b");
  write_mailer (fixture, "b", "", "c");
  configuration = read_fallbacks (fixture, PROBLEM_ERROR, "<fallback> leads "
                                  "from \"b\" back to \"c\", so nobody "
                                  "would be the last; remove one of them", 2);
  fixture_expect (fixture->problems, PROBLEM_ERROR, 2, "<fallback> leads "
                  "from \"c\" back to \"b\", so nobody would be the last; "
                  "remove one of them");
  assert_false (configuration_find (configuration, "a")->has_errors);
  assert_true (configuration_find (configuration, "b")->has_errors);
  assert_true (configuration_find (configuration, "c")->has_errors);
  /* Whoever asks, and there is an end. */
  descriptor = configuration_find (configuration, "a");
  assert_string_equal (configuration_root (configuration, descriptor)->name,
                       "b");
  assert_string_equal (name_of (configuration_fallback (configuration,
                                                        descriptor)), "c");
  descriptor = configuration_find (configuration, "c");
  assert_string_equal (configuration_root (configuration, descriptor)->name,
                       "b");
  assert_string_equal (name_of (configuration_fallback (configuration,
                                                        descriptor)), "b");
  descriptor = configuration_find (configuration, "b");
  assert_ptr_equal (configuration_root (configuration, descriptor),
                    descriptor);
  assert_null (configuration_fallback (configuration, descriptor));
  configuration_free (configuration);
}

static void
test_fallback_absent (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;
  const struct descriptor *descriptor;

  write_mailer (fixture, "a", "", "backups");
  write_mailer (fixture, "z", "", "nobody");
  write_mailer (fixture, "backup", "", NULL);
  configuration = read_fallbacks (fixture, PROBLEM_ERROR, "there is no "
                                  "integration \"backups\" to fall back on; "
                                  "did you mean \"backup\"?", 2);
  fixture_expect (fixture->problems, PROBLEM_ERROR, 2, "there is no "
                  "integration \"nobody\" to fall back on; add it, or remove "
                  "<fallback>");
  descriptor = configuration_find (configuration, "a");
  assert_true (descriptor->has_errors);
  assert_ptr_equal (configuration_root (configuration, descriptor),
                    descriptor);
  assert_null (configuration_fallback (configuration, descriptor));
  configuration_free (configuration);
}

/* A broken file disables only what it defines. */
static void
test_fallback_unread (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  write_mailer (fixture, "a", "", "backup");
  fixture_write (fixture->directory, "conf.d/backup.xml", "<integ", 0644);
  configuration = read_fallbacks (fixture, PROBLEM_WARNING, "there is no "
                                  "integration \"backup\" to fall back on in "
                                  "the files that can be read", 1);
  assert_false (configuration_find (configuration, "a")->has_errors);
  configuration_free (configuration);
}

static void
test_fallback_kinds (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  write_mailer (fixture, "mails", "", "hook");
  fixture_write (fixture->directory, "conf.d/hook.xml",
                 "<integration xmlns=\"urn:herald:integration:1\" "
                 "name=\"hook\" provider=\"x\"><workspaces all=\"true\"/>"
                 "<map><field name=\"a\" source=\"email\"/></map><delivery>\n"
                 "<fallback integration=\"mails\"/></delivery>"
                 "</integration>", 0644);
  configuration = read_fallbacks (fixture, PROBLEM_ERROR, "<fallback> names "
                                  "\"hook\", which sends no e-mails; name "
                                  "one that does", 2);
  fixture_expect (fixture->problems, PROBLEM_ERROR, 2, "<fallback> is for "
                  "integrations that send e-mails; remove it");
  configuration_free (configuration);
}

#define OF(name, workspaces, fallback)                                    \
  "<integration xmlns=\"urn:herald:integration:1\" name=\"" name "\" "     \
  "provider=\"x\"><workspaces" workspaces "<mail><to source=\"email\"/>"   \
  "<subject>s</subject><text>t</text></mail><delivery>\n" fallback        \
  "</delivery></integration>"
#define FALLBACK(name) "<fallback integration=\"" name "\"/>"

/* What is one tenant's must not get where the host did not say so. */
static void
test_fallback_workspaces (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  fixture_write (fixture->directory, "conf.d/a.xml",
                 OF ("a", " all=\"true\"/>", FALLBACK ("b")), 0644);
  fixture_write (fixture->directory, "conf.d/b.xml",
                 OF ("b", "><workspace>acme</workspace></workspaces>", ""),
                 0644);
  fixture_write (fixture->directory, "conf.d/c.xml",
                 OF ("c", "><workspace>acme</workspace></workspaces>",
                     FALLBACK ("b")), 0644);
  fixture_write (fixture->directory, "conf.d/d.xml",
                 OF ("d", "><workspace>acme</workspace></workspaces>",
                     FALLBACK ("e")), 0644);
  fixture_write (fixture->directory, "conf.d/e.xml",
                 OF ("e", " all=\"true\"/>", ""), 0644);
  configuration = read_fallbacks (fixture, PROBLEM_ERROR, "<fallback> names "
                                  "\"b\", which does not serve all "
                                  "workspaces that this one serves; add them "
                                  "to its <workspaces>, or name another", 1);
  assert_true (configuration_find (configuration, "a")->has_errors);
  assert_false (configuration_find (configuration, "c")->has_errors);
  assert_false (configuration_find (configuration, "d")->has_errors);
  configuration_free (configuration);
}

static void
test_fallback_disabled (void **state)
{
  struct fixture *fixture = *state;
  struct configuration *configuration;

  write_mailer (fixture, "a", "", "b");
  write_mailer (fixture, "b", "enabled=\"false\"", "c");
  write_mailer (fixture, "c", "enabled=\"false\"", NULL);
  configuration = read_fallbacks (fixture, PROBLEM_WARNING, "\"b\", which "
                                  "<fallback> names, is disabled and will "
                                  "not take over; run: herald enable b", 0);
  assert_int_equal (problems_warnings (fixture->problems), 1);
  configuration_free (configuration);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    TEST (test_order), TEST (test_broken_ones), TEST (test_absent),
    TEST (test_samples), TEST (test_routes), TEST (test_routes_faults),
    TEST (test_fallback), TEST (test_fallback_circle),
    TEST (test_fallback_absent), TEST (test_fallback_unread),
    TEST (test_fallback_kinds), TEST (test_fallback_workspaces),
    TEST (test_fallback_disabled),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
