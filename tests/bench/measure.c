/* measure.c - run a program and say what it cost.
 *
 * usage: measure RESULT-FILE PROGRAM [ARGUMENT...]
 *
 * Writes {"status", "seconds", "user", "system", "peak_kib"}.  Linux counts
 * the memory of whoever forked into the peak of what is executed, so a large
 * parent (Python) can't measure a small child; this one can.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
now (void)
{
  struct timespec at;

  clock_gettime (CLOCK_MONOTONIC, &at);
  return (double) at.tv_sec + (double) at.tv_nsec / 1e9;
}

static double
seconds (struct timeval time)
{
  return (double) time.tv_sec + (double) time.tv_usec / 1e6;
}

static int
write_result (const char *path, int status, double elapsed,
              const struct rusage *usage)
{
  FILE *file = fopen (path, "w");

  if (!file) {
    perror (path);
    return -1;
  }
  fprintf (file,
           "{\"status\": %d, \"seconds\": %.6f, \"user\": %.6f, "
           "\"system\": %.6f, \"peak_kib\": %ld}\n",
           WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status),
           elapsed, seconds (usage->ru_utime), seconds (usage->ru_stime),
           usage->ru_maxrss);
  return fclose (file);
}

int
main (int argc, char *argv[])
{
  struct rusage usage;
  int status;
  double start;
  pid_t child;

  if (argc < 3) {
    fprintf (stderr, "usage: measure RESULT-FILE PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  start = now ();
  child = fork ();
  if (child == 0) {
    execvp (argv[2], argv + 2);
    perror (argv[2]);
    _exit (127);
  }
  if (child < 0 || wait4 (child, &status, 0, &usage) != child) {
    perror ("measure");
    return 1;
  }
  return write_result (argv[1], status, now () - start, &usage) == 0 ? 0 : 1;
}
