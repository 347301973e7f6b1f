/* replay.c - runs a fuzz target over its corpus, without a fuzzer.
 *
 * The main of every tests/fuzz/fuzz-NAME.c in an ordinary build: each
 * file of tests/fuzz/corpus/NAME is one test, TAP is the output.  Files
 * may be named as arguments instead, to look into one find.
 *
 * SPDX-License-Identifier: MIT
 */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (16u << 20)
#define MOST_FILES 100000

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* A buffer of exactly the file's size, so that a read past its end is
 * seen by AddressSanitizer.
 */
static uint8_t *
read_file (const char *path, size_t *ret_size)
{
  FILE *file = fopen (path, "rb");
  uint8_t *whole = malloc (MOST_BYTES);
  uint8_t *exact = NULL;

  if (file != NULL && whole != NULL) {
    size_t size = fread (whole, 1, MOST_BYTES, file);

    exact = malloc (size > 0 ? size : 1);
    if (ferror (file) || exact == NULL) {
      free (exact);
      exact = NULL;
    } else {
      memcpy (exact, whole, size);
      *ret_size = size;
    }
  }
  free (whole);
  if (file != NULL)
    fclose (file);
  return exact;
}

static int
replay (int n, const char *path, const char *name)
{
  size_t size = 0;
  uint8_t *data = read_file (path, &size);

  if (data == NULL) {
    printf ("not ok %d - %s\n# %s: %s\n", n, name, path, strerror (errno));
    return -1;
  }
  /* Said first: a crash ends the process, and the log must name it. */
  printf ("# %s\n", path);
  fflush (stdout);
  LLVMFuzzerTestOneInput (data, size);
  free (data);
  printf ("ok %d - %s\n", n, name);
  return 0;
}

static int
replay_directory (const char *directory)
{
  struct dirent **entries;
  int n_entries = scandir (directory, &entries, NULL, alphasort);
  int n = 0;
  int status = 0;

  if (n_entries < 0) {
    printf ("Bail out! %s: %s\n", directory, strerror (errno));
    return -1;
  }
  for (int i = 0; i < n_entries && n < MOST_FILES; i++) {
    char path[4096];

    snprintf (path, sizeof path, "%s/%s", directory, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.'
        && replay (++n, path, entries[i]->d_name) < 0)
      status = -1;
    free (entries[i]);
  }
  free (entries);
  if (n == 0) {
    printf ("not ok 1 - %s holds at least one file\n", directory);
    status = -1;
    n = 1;
  }
  printf ("1..%d\n", n);
  return status;
}

int
main (int argc, char **argv)
{
  const char *top = getenv ("top_srcdir");
  const char *slash = strrchr (argv[0], '/');
  const char *program = slash != NULL ? slash + 1 : argv[0];
  char directory[2048];

  if (argc > 1) {
    int status = 0;

    printf ("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++)
      if (replay (i, argv[i], argv[i]) < 0)
        status = -1;
    return status < 0;
  }
  /* libtool may have put lt- before the name. */
  if (strncmp (program, "lt-", 3) == 0)
    program += 3;
  if (strncmp (program, "fuzz-", 5) == 0)
    program += 5;
  snprintf (directory, sizeof directory, "%s/tests/fuzz/corpus/%s",
            top != NULL ? top : ".", program);
  return replay_directory (directory) < 0;
}
