/* main.c - herald-plugin-test: a plugin's golden cases, without a network.
 *
 * SPDX-License-Identifier: MIT
 */

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/redact.h"
#include "case.h"
#include "fixture.h"
#include "hostile.h"
#include "verdict.h"

enum { EXIT_USAGE = 2, MAIN_NOTES = 256 * 1024 };

static const char usage[] =
  "usage: herald-plugin-test [--plain] PLUGIN.so CASE...\n"
  "\n"
  "Runs golden cases of a herald plugin without a network and prints TAP.\n"
  "A CASE is a file, or a directory whose *.case are meant.  Every case is\n"
  "run again with hostile values and hostile replies, but with --plain.\n"
  "\n"
  "  --plain      only the cases as they are written\n"
  "  --help       this text\n"
  "  --version    which herald this is\n"
  "\n"
  "Exit status: 0 all passed, 1 some did not, 2 bad usage.\n"
  "See herald-plugin-test(1) for the format of a case.\n";

struct report {
  struct loader *loader;
  const struct provider *provider;
  bool is_plain;
  unsigned n, n_failed;
  struct buf log;               /* lines of the case under way */
};

/* ------------------------------------------------------------------ */

static void
print_notes (const char *notes)
{
  while (*notes != '\0') {
    size_t len = strcspn (notes, "\n");

    printf ("# %.*s\n", (int) len, notes);
    notes += len + (notes[len] == '\n');
  }
}

/* A "#" would begin a directive of TAP. */
static void
report_test (struct report *report, bool is_good, const char *path,
             const char *what, const char *notes)
{
  report->n++;
  report->n_failed += !is_good;
  printf ("%s %u - %s", is_good ? "ok" : "not ok", report->n, path);
  if (*what != '\0')
    fputs (": ", stdout);
  for (; *what != '\0'; what++)
    putchar (*what == '#' ? '.' : *what);
  putchar ('\n');
  if (!is_good) {
    print_notes (notes);
    if (report->log.len > 0) {
      puts ("# what was logged:");
      print_notes (report->log.data);
    }
  }
  fflush (stdout);
  buf_clear (&report->log);
}

static void
take_log (void *data, enum log_level level, const char *line)
{
  struct report *report = data;

  (void) level;
  buf_printf (&report->log, "  %s\n", line);
}

/* A case as written, then what its variants say of the plugin. */
static void
run_case (struct report *report, const struct test_case *test)
{
  struct fixture fixture;
  struct buf notes = BUF_INIT (MAIN_NOTES);
  bool is_good;

  fixture_open (&fixture, test, report->loader, report->provider);
  is_good = verdict_of_opening (&fixture, &notes);
  if (is_good && fixture.integration != NULL)
    is_good = verdict_of_run (&fixture, &notes);
  report_test (report, is_good, test->path, test->description, notes.data);
  buf_clear (&notes);
  if (fixture.integration != NULL && !report->is_plain) {
    if (!test->is_verify) {
      is_good = hostile_values (&fixture, &notes);
      report_test (report, is_good, test->path, "with hostile values",
                   notes.data);
      buf_clear (&notes);
    }
    is_good = hostile_replies (&fixture, &notes);
    report_test (report, is_good, test->path, "with hostile replies",
                 notes.data);
  }
  buf_done (&notes);
  fixture_close (&fixture);
  redact_forget_all ();
}

static void
run_file (struct report *report, const char *path)
{
  char reason[600];
  struct test_case *test = case_read (path, reason, sizeof reason);

  if (test == NULL)
    report_test (report, false, path, "can be read", reason);
  else
    run_case (report, test);
  case_free (test);
}

static int
is_case (const struct dirent *entry)
{
  size_t len = strlen (entry->d_name);

  return len > 5 && strcmp (entry->d_name + len - 5, ".case") == 0;
}

/* -1 if there is nothing of that name. */
static int
run_path (struct report *report, const char *path)
{
  struct stat status;
  struct dirent **entries;
  int n;

  if (stat (path, &status) == -1)
    return -1;
  if (!S_ISDIR (status.st_mode)) {
    run_file (report, path);
    return 0;
  }
  n = scandir (path, &entries, is_case, alphasort);
  if (n <= 0)
    return -1;
  for (int k = 0; k < n; k++) {
    struct buf file = BUF_INIT (0);

    buf_printf (&file, "%s/%s", path, entries[k]->d_name);
    run_file (report, file.data);
    buf_done (&file);
    free (entries[k]);
  }
  free (entries);
  return 0;
}

static int
run_everything (struct report *report, char **paths)
{
  char reason[1200];

  report->provider = loader_open (report->loader, paths[0], reason,
                                  sizeof reason);
  report_test (report, report->provider != NULL, paths[0],
               "loads and declares itself well", reason);
  for (paths++; report->provider != NULL && *paths != NULL; paths++)
    if (run_path (report, *paths) == -1) {
      fprintf (stderr, "herald-plugin-test: there is no case %s\n", *paths);
      return EXIT_USAGE;
    }
  printf ("1..%u\n", report->n);
  return report->n_failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main (int argc, char **argv)
{
  struct report report = { .log = BUF_INIT (MAIN_NOTES) };
  int status;

  (void) argc;
  for (argv++; *argv != NULL && **argv == '-'; argv++) {
    if (strcmp (*argv, "--help") == 0) {
      fputs (usage, stdout);
      return EXIT_SUCCESS;
    }
    if (strcmp (*argv, "--version") == 0) {
      puts ("herald-plugin-test " PACKAGE_VERSION);
      return EXIT_SUCCESS;
    }
    if (strcmp (*argv, "--plain") != 0) {
      fprintf (stderr, "herald-plugin-test: there is no option %s\n%s",
               *argv, usage);
      return EXIT_USAGE;
    }
    report.is_plain = true;
  }
  if (argv[0] == NULL || argv[1] == NULL) {
    fputs (usage, stderr);
    return EXIT_USAGE;
  }
  log_setup (LOG_LEVEL_NOTICE, LOG_PLAIN);
  log_to (take_log, &report);
  report.loader = loader_new (NULL);
  status = run_everything (&report, argv);
  log_to (NULL, NULL);
  loader_free (report.loader);
  buf_done (&report.log);
  return status;
}
