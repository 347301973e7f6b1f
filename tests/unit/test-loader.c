/* test-loader.c - which plugins are loaded, and what is said of the rest.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "provider/loader.h"

static char directory[64];
static char reason[1200];

/* ------------------------------------------------------------------ */

static void
copy_file (const char *from, const char *to, mode_t mode)
{
  char bytes[4096];
  FILE *in = fopen (from, "r"), *out = fopen (to, "w");
  size_t n;

  assert_non_null (in);
  assert_non_null (out);
  while ((n = fread (bytes, 1, sizeof bytes, in)) > 0)
    assert_int_equal (fwrite (bytes, 1, n, out), n);
  fclose (in);
  assert_int_equal (fclose (out), 0);
  assert_int_equal (chmod (to, mode), 0);
}

static const char *
in_directory (const char *name)
{
  static char path[200];

  snprintf (path, sizeof path, "%s/%s", directory, name);
  return path;
}

/* A module of tests/unit/modules under a name of its own. */
static void
install (const char *module, const char *name, mode_t mode)
{
  const char *top = getenv ("top_builddir");
  char from[4096];

  snprintf (from, sizeof from, "%s/tests/unit/modules/.libs/%s.so",
            top == NULL ? "." : top, module);
  copy_file (from, in_directory (name), mode);
}

static int
make_directory (void **state)
{
  (void) state;
  snprintf (directory, sizeof directory, "/tmp/test-loader.XXXXXX");
  return mkdtemp (directory) == NULL ? -1 : 0;
}

static int
remove_directory (void **state)
{
  static const char *const names[] = {
    "good.so", "no-abi.so", "other-major.so", "newer-minor.so",
    "missing-function.so", "older.so", "misnamed.so", "text.so", "Bad.so",
    "notes.txt"
  };

  (void) state;
  for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
    unlink (in_directory (names[k]));
  chmod (directory, 0700);
  return rmdir (directory);
}

/* The provider is refused, in words with all of these in them. */
static void
assert_refused (const char *name, const char *first, const char *second)
{
  struct loader *loader = loader_new (directory);

  memset (reason, 0, sizeof reason);
  assert_null (loader_find (loader, name, reason, sizeof reason));
  if (strstr (reason, first) == NULL || strstr (reason, second) == NULL)
    fail_msg ("the reason is: %s", reason);
  assert_null (strchr (reason, '\n'));
  loader_free (loader);
}

/* ------------------------------------------------------------------ */

static void
test_good (void **state)
{
  struct loader *loader;
  const struct provider *provider;

  (void) state;
  install ("good", "good.so", 0755);
  loader = loader_new (directory);
  provider = loader_find (loader, "good", reason, sizeof reason);
  assert_non_null (provider);
  assert_string_equal (provider->name, "good");
  assert_string_equal (provider->path, in_directory ("good.so"));
  assert_int_equal (provider->n_fields, 2);
  assert_string_equal (provider->fields[1].name, "level");
  assert_int_equal (provider->fields[1].max, 9);
  assert_ptr_equal (provider->plugin.settings, provider->fields);
  assert_int_equal (provider->plugin.max_batch, 1);
  assert_ptr_equal (loader_find (loader, "good", reason, sizeof reason),
                    provider);
  assert_ptr_equal (loader_open (loader, in_directory ("good.so"), reason,
                                 sizeof reason), provider);
  loader_free (loader);

  /* Modules stay: a second loader finds it again. */
  loader = loader_new (directory);
  assert_non_null (loader_find (loader, "good", reason, sizeof reason));
  loader_free (loader);
}

static void
test_relative_directory (void **state)
{
  char here[4096];
  struct loader *loader;
  const struct provider *provider;

  (void) state;
  install ("good", "good.so", 0755);
  assert_non_null (getcwd (here, sizeof here));
  assert_int_equal (chdir (directory), 0);
  loader = loader_new (".");
  assert_int_equal (chdir (here), 0);
  provider = loader_find (loader, "good", reason, sizeof reason);
  assert_non_null (provider);
  assert_int_equal (provider->path[0], '/');
  loader_free (loader);
}

static void
test_names (void **state)
{
  struct loader *loader = loader_new (directory);
  const char *const *names;

  (void) state;
  install ("older", "older.so", 0755);
  install ("good", "good.so", 0755);
  install ("good", "Bad.so", 0755);
  install ("good", "notes.txt", 0755);
  names = loader_names (loader);
  assert_string_equal (names[0], "good");
  assert_string_equal (names[1], "older");
  assert_null (names[2]);
  loader_free (loader);
}

static void
test_none_of_that_name (void **state)
{
  (void) state;
  assert_refused ("hubspot", "\"hubspot\"",
                  "install the package herald-plugin-hubspot");
  install ("good", "good.so", 0755);
  assert_refused ("goood", "\"goood\"", "did you mean \"good\"?");
  assert_refused ("../etc", "no name of a provider", "[a-z][a-z0-9-]*");
}

static void
test_no_plugin (void **state)
{
  FILE *file = fopen (in_directory ("text.so"), "w");

  (void) state;
  assert_non_null (file);
  fputs ("hello, I am no plugin\n", file);
  fclose (file);
  chmod (in_directory ("text.so"), 0755);
  assert_refused ("text", "text.so", "can't be loaded");
  install ("no-abi", "no-abi.so", 0755);
  assert_refused ("no-abi", "is no herald plugin", "herald_plugin_abi");
}

static void
test_abi (void **state)
{
  (void) state;
  install ("other-major", "other-major.so", 0755);
  assert_refused ("other-major", "built for plugin ABI 2", "has 1");
  install ("newer-minor", "newer-minor.so", 0755);
  assert_refused ("newer-minor", "needs plugin ABI 1.1", "newer herald");
}

/* Refused when loaded, and with dlopen's own words. */
static void
test_missing_function (void **state)
{
  (void) state;
  install ("missing-function", "missing-function.so", 0755);
  assert_refused ("missing-function", "can't be loaded",
                  "function_that_nobody_has");
}

static void
test_misnamed (void **state)
{
  (void) state;
  install ("misnamed", "misnamed.so", 0755);
  assert_refused ("misnamed", "calls itself \"other\"", "other.so");
}

static void
test_older (void **state)
{
  struct loader *loader;
  const struct provider *provider;

  (void) state;
  install ("older", "older.so", 0755);
  loader = loader_new (directory);
  provider = loader_find (loader, "older", reason, sizeof reason);
  assert_non_null (provider);
  assert_int_equal (provider->n_fields, 3);
  assert_string_equal (provider->fields[2].name, "third");
  assert_string_equal (provider->fields[2].preset, "7");
  assert_null (provider->fields[0].when);
  assert_null (provider->fields[1].when);
  assert_int_equal (provider->fields[1].max, 0);
  loader_free (loader);
}

static void
test_trust (void **state)
{
  struct loader *loader;

  (void) state;
  install ("good", "good.so", 0757);
  assert_refused ("good", "others may write", "chmod o-w");
  chmod (in_directory ("good.so"), 0755);
  chmod (directory, 0777);
  assert_refused ("good", "its directory is not safe", "chmod");

  /* The test kit runs whatever its user built. */
  loader = loader_new (NULL);
  assert_non_null (loader_open (loader, in_directory ("good.so"), reason,
                                sizeof reason));
  assert_null (loader_open (loader, in_directory ("good"), reason,
                            sizeof reason));
  assert_non_null (strstr (reason, "must end in .so"));
  loader_free (loader);
}

/* ------------------------------------------------------------------ */
/* Declarations, of plugins that are linked in. */

static const struct herald_abi own_abi = {
  HERALD_ABI_MAJOR, HERALD_ABI_MINOR, sizeof (struct herald_plugin),
  sizeof (struct herald_field), 0
};

static int
build (void *instance, struct herald_job *job)
{
  (void) instance;
  (void) job;
  return 0;
}

static const struct herald_choice choices[] = {
  { "red", "Red" }, { "blue", "Blue" }, { NULL, NULL }
};
static const struct herald_choice twice[] = {
  { "red", "Red" }, { "red", "Blue" }, { NULL, NULL }
};
static const struct herald_choice none[] = { { NULL, NULL } };

#define FIELD .name = "colour", .label = "Colour"

static const struct bad_field {
  struct herald_field field;
  const char *expected;
} bad_fields[] = {
  { { .label = "L", .type = HERALD_TEXT }, "name of its setting 2" },
  { { .name = "Colour", .label = "L", .type = HERALD_TEXT },
    "(\"Colour\") is not of the form" },
  { { .name = "first", .label = "L", .type = HERALD_TEXT }, "\"first\" twice" },
  { { .name = "colour", .type = HERALD_TEXT }, "has no .label" },
  { { FIELD }, "no known .type" },
  { { FIELD, .type = HERALD_TARGET + 1 }, "no known .type" },
  { { FIELD, .type = HERALD_TEXT, .flags = 1U << 30 },
    "flags without meaning" },
  { { FIELD, .type = HERALD_TEXT, .flags = HERALD_ORDER_KEY },
    "HERALD_ORDER_KEY" },
  { { FIELD, .type = HERALD_SOURCE, .flags = HERALD_FOLD_CASE },
    "HERALD_FOLD_CASE without" },
  { { FIELD, .type = HERALD_TEXT, .flags = HERALD_SECRET, .preset = "x" },
    "secret with a .preset" },
  { { FIELD, .type = HERALD_NUMBER, .min = 5, .max = 4 },
    ".min above its .max" },
  { { FIELD, .type = HERALD_CHOICE }, "without .choices" },
  { { FIELD, .type = HERALD_CHOICE, .choices = none }, "without .choices" },
  { { FIELD, .type = HERALD_CHOICE, .choices = twice }, "\"red\" twice" },
  { { FIELD, .type = HERALD_TEXT, .choices = choices },
    "is no HERALD_CHOICE" },
  { { FIELD, .type = HERALD_CHOICE, .choices = choices, .preset = "green" },
    ".preset of setting \"colour\" is none of its choices" },
  { { FIELD, .type = HERALD_NUMBER, .preset = "many" },
    ".preset of setting \"colour\"" },
  { { FIELD, .type = HERALD_NUMBER, .preset = "9", .max = 4 },
    ".preset of setting \"colour\"" },
  { { FIELD, .type = HERALD_DURATION, .preset = "30" },
    ".preset of setting \"colour\"" },
  { { FIELD, .type = HERALD_SOURCE, .preset = "emial" },
    ".preset of setting \"colour\"" },
  { { FIELD, .type = HERALD_TEXT, .when = "shape=round" },
    "which is no other setting" },
  { { FIELD, .type = HERALD_TEXT, .when = "colour=red" },
    "which is no other setting" },
  { { FIELD, .type = HERALD_TEXT, .when = "nobody" },
    "which is no other setting" },
  { { FIELD, .type = HERALD_TEXT, .when = "first=two,three" },
    "first=three, which is none of its choices" }
};

static const struct herald_choice first_choices[] = {
  { "one", "One" }, { "two", "Two" }, { NULL, NULL }
};

static void
assert_adopted (const struct herald_plugin *plugin, const char *expected)
{
  struct loader *loader = loader_new (NULL);
  const struct provider *provider
    = loader_adopt (loader, &own_abi, plugin, reason, sizeof reason);

  if (expected == NULL && provider == NULL)
    fail_msg ("refused: %s", reason);
  if (expected != NULL && provider != NULL)
    fail_msg ("accepted, without: %s", expected);
  if (expected != NULL && strstr (reason, expected) == NULL)
    fail_msg ("refused without \"%s\": %s", expected, reason);
  loader_free (loader);
}

static void
test_bad_fields (void **state)
{
  struct herald_field fields[2] = {
    { .name = "first", .label = "First", .type = HERALD_CHOICE,
      .choices = first_choices, .preset = "one" }
  };
  struct herald_plugin plugin = {
    .name = "mock", .label = "Mock", .category = HERALD_WEBHOOK,
    .n_settings = 2, .settings = fields, .build = build
  };

  (void) state;
  for (size_t k = 0; k < HERALD_COUNT (bad_fields); k++) {
    fields[1] = bad_fields[k].field;
    assert_adopted (&plugin, bad_fields[k].expected);
  }
  fields[1] = (struct herald_field) {
    .name = "key", .label = "Key", .type = HERALD_TARGET,
    .flags = HERALD_ORDER_KEY | HERALD_FOLD_CASE, .preset = "Email",
    .when = "first=two"
  };
  assert_adopted (&plugin, NULL);
}

static void
test_bad_plugins (void **state)
{
  const struct herald_plugin fine = {
    .name = "mock", .label = "Mock", .category = HERALD_MAILER,
    .caps = HERALD_TEMPLATES, .max_batch = 10, .build = build
  };
  struct herald_plugin plugin = fine;

  (void) state;
  assert_adopted (&plugin, NULL);
  plugin.name = "Mock";
  assert_adopted (&plugin, "[a-z][a-z0-9-]*");
  plugin = fine;
  plugin.label = "";
  assert_adopted (&plugin, "no .label");
  plugin = fine;
  plugin.category = 3;
  assert_adopted (&plugin, ".category");
  plugin = fine;
  plugin.build = NULL;
  assert_adopted (&plugin, "no .build");
  plugin = fine;
  plugin.category = HERALD_WEBHOOK;
  assert_adopted (&plugin, "speaks of mail");
  plugin = fine;
  plugin.caps = HERALD_NUMBERED_TEMPLATES;
  assert_adopted (&plugin, "without HERALD_TEMPLATES");
  plugin = fine;
  plugin.batch = 11;
  assert_adopted (&plugin, "above its .max_batch");
  plugin = fine;
  plugin.rate = 10;
  assert_adopted (&plugin, ".rate_ms is 0");
  plugin = fine;
  plugin.n_settings = 1;
  assert_adopted (&plugin, ".settings is NULL");
}

static void
test_sizes (void **state)
{
  const struct herald_plugin plugin = {
    .name = "mock", .label = "Mock", .category = HERALD_WEBHOOK,
    .build = build
  };
  struct herald_abi abi = own_abi;
  struct loader *loader = loader_new (NULL);

  (void) state;
  abi.plugin_size = offsetof (struct herald_plugin, build);
  assert_null (loader_adopt (loader, &abi, &plugin, reason, sizeof reason));
  assert_non_null (strstr (reason, "struct herald_plugin"));
  abi = own_abi;
  abi.field_size = 3;
  assert_null (loader_adopt (loader, &abi, &plugin, reason, sizeof reason));
  assert_non_null (strstr (reason, "struct herald_field"));
  loader_free (loader);
}

#define IN_DIRECTORY(test)                                          \
  cmocka_unit_test_setup_teardown (test, make_directory, remove_directory)

int
main (void)
{
  const struct CMUnitTest tests[] = {
    IN_DIRECTORY (test_good),
    IN_DIRECTORY (test_relative_directory),
    IN_DIRECTORY (test_names),
    IN_DIRECTORY (test_none_of_that_name),
    IN_DIRECTORY (test_no_plugin),
    IN_DIRECTORY (test_abi),
    IN_DIRECTORY (test_missing_function),
    IN_DIRECTORY (test_misnamed),
    IN_DIRECTORY (test_older),
    IN_DIRECTORY (test_trust),
    cmocka_unit_test (test_bad_fields),
    cmocka_unit_test (test_bad_plugins),
    cmocka_unit_test (test_sizes)
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
