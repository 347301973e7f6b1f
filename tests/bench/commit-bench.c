/* commit-bench.c - what the commits of an intake cost by themselves.
 *
 * usage: commit-bench DIRECTORY EVENTS GROUP BYTES
 *
 * Puts EVENTS events of BYTES each into a new store in DIRECTORY, GROUP to
 * a commit, for one lane, and prints as JSON how many a second that were
 * and the CPU they took.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/date.h"
#include "base/memory.h"
#include "base/number.h"
#include "queue/queue.h"

enum { ID_LEN = 32 };

static size_t
read_count (const char *text)
{
  int64_t value;

  if (number_read (text, strlen (text), 1, INT32_MAX, &value) != 0) {
    fprintf (stderr, "commit-bench: %s is no count\n", text);
    exit (2);
  }
  return (size_t) value;
}

static double
cpu_us (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return 1e6 * (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void
put_all (struct queue *queue, size_t n_events, size_t group, size_t len)
{
  struct queue_event *events = memory_zeroed (group, sizeof *events);
  enum queue_answer *answers = memory_zeroed (group, sizeof *answers);
  char *ids = memory_zeroed (group, ID_LEN), *body = memory_alloc (len);
  uint32_t lane = queue_lane (queue, "bench");

  memset (body, 'x', len);
  for (size_t at = 0; at < n_events; at += group) {
    for (size_t i = 0; i < group; i++) {
      snprintf (ids + i * ID_LEN, ID_LEN, "bench-%zu", at + i);
      events[i] = (struct queue_event) {
        .source = "/bench", .id = ids + i * ID_LEN, .body = body,
        .len = len, .lanes = &lane, .n_lanes = 1,
      };
    }
    if (queue_put (queue, events, group, answers) != QUEUE_OK) {
      fprintf (stderr, "commit-bench: %s\n", queue_reason (queue));
      exit (1);
    }
  }
  free (events);
  free (answers);
  free (ids);
  free (body);
}

int
main (int argc, char **argv)
{
  struct queue_config config = { .engine = "sqlite",
                                 .window_ms = 24 * 3600 * 1000 };
  size_t n_events, group;
  struct queue *queue;
  char reason[400];
  int64_t start_us;
  double cpu;

  if (argc != 5) {
    fprintf (stderr, "usage: commit-bench DIRECTORY EVENTS GROUP BYTES\n");
    return 2;
  }
  n_events = read_count (argv[2]);
  group = read_count (argv[3]);
  config.where = argv[1];
  queue = queue_open (&config, reason, sizeof reason);
  if (queue == NULL || queue_put (queue, NULL, 0, NULL) != QUEUE_OK) {
    fprintf (stderr, "commit-bench: %s\n",
             queue == NULL ? reason : queue_reason (queue));
    return 1;
  }
  n_events -= n_events % group;
  start_us = date_monotonic_us ();
  cpu = cpu_us ();
  put_all (queue, n_events, group, read_count (argv[4]));
  printf ("{\"rate\":%.0f,\"cpu_us\":%.2f}\n",
          1e6 * (double) n_events
            / (double) (date_monotonic_us () - start_us),
          (cpu_us () - cpu) / (double) n_events);
  queue_close (queue);
  return 0;
}
