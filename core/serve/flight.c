/* flight.c - the flight recorder.
 *
 * The file is made to its full size before it is used, so a full disk
 * can't kill the process at a write to the map.
 *
 * SPDX-License-Identifier: MIT
 */

#include "serve/flight.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/date.h"
#include "base/memory.h"

enum {
  FLIGHT_LAYOUT = 2,
  WORK_COUNTS_MS = 10 * 60 * 1000,
  FLIGHT_NAME = 65,
  FLIGHT_NAMES = 512,
  FLIGHT_STACK = 64 * 1024,
  FLIGHT_NO_FILE = -2,
  CRASH_BY_EXIT = 0x10000       /* no signal has this number */
};

static const char flight_magic[8] = "hflight";
static const int flight_signals[] = { SIGSEGV, SIGBUS, SIGILL,
                                      SIGFPE,  SIGABRT, SIGSYS };

enum { N_SIGNALS = sizeof flight_signals / sizeof *flight_signals };

/* Crashes of an integration, in a row. */
struct tally {
  char name[FLIGHT_NAME];
  uint32_t n[FLIGHT_STEPS];
  uint64_t version;
  int64_t work_ms;              /* of the last in a delivery */
};

/* The file. */
struct record {
  char magic[8];
  uint32_t layout;
  /* The callback under way. */
  uint32_t is_in;
  uint32_t crash;               /* 0, a signal, or CRASH_BY_EXIT */
  uint32_t step;
  uint32_t n_marks;
  char integration[FLIGHT_NAME];
  struct flight_mark marks[FLIGHT_MARKS];
  /* What crashes have left. */
  uint32_t n_kept;
  struct flight_mark kept[2 * FLIGHT_MARKS];
  struct tally tallies[FLIGHT_NAMES];
};

struct flight {
  int fd;
  struct record *record;
  struct tally *tally;          /* of the step under way, or NULL */
  bool has_last;
  char last_integration[FLIGHT_NAME];
  enum flight_step last_step;
  int last_signal;
  pthread_mutex_t mutex;        /* of what crashes have left */
};

/* All that a signal handler can reach. */
static struct {
  struct record *volatile record;
  pthread_t thread;
  void *stack;
  struct sigaction before[N_SIGNALS];
  bool is_at_exit;
} watched;

const char *
flight_step_name (enum flight_step step)
{
  static const char *const names[FLIGHT_STEPS] = {
    "a delivery", "opening", "getting a token", "verifying"
  };

  return names[step];
}

/* ------------------------------------------------------------------ */
/* Open and close. */

static bool
record_is_sound (const struct record *record)
{
  return memcmp (record->magic, flight_magic, sizeof flight_magic) == 0
    && record->layout == FLIGHT_LAYOUT && record->n_marks <= FLIGHT_MARKS
    && record->n_kept <= 2 * FLIGHT_MARKS && record->step < FLIGHT_STEPS
    && memchr (record->integration, '\0', FLIGHT_NAME) != NULL;
}

static void
record_keep (struct record *record, const struct flight_mark *mark)
{
  for (uint32_t i = 0; i < record->n_kept; i++)
    if (record->kept[i].seq == mark->seq
        && record->kept[i].lane == mark->lane)
      return;
  if (record->n_kept < 2 * FLIGHT_MARKS)
    record->kept[record->n_kept++] = *mark;
}

static struct tally *
record_tally (struct record *record, const char *integration)
{
  struct tally *tally = NULL;

  for (size_t i = 0; i < FLIGHT_NAMES; i++) {
    tally = &record->tallies[i];
    if (tally->name[0] == '\0')
      break;
    tally->name[FLIGHT_NAME - 1] = '\0';
    if (strcmp (tally->name, integration) == 0)
      return tally;
  }
  /* Where there are too many, the last place is for all of them. */
  memset (tally, 0, sizeof *tally);
  snprintf (tally->name, sizeof tally->name, "%s", integration);
  return tally;
}

static void
tally_add (struct tally *tally, enum flight_step step)
{
  int64_t now_ms = date_now_ms ();

  if (step == FLIGHT_WORK) {
    if (now_ms - tally->work_ms > WORK_COUNTS_MS)
      tally->n[step] = 0;
    tally->work_ms = now_ms;
  }
  tally->n[step]++;
}

/* What the process before has left.  It is kept before it is cleared:
 * ending in between does no harm. */
static void
flight_take_over (struct flight *flight)
{
  struct record *record = flight->record;

  if (!record_is_sound (record)) {
    memset (record, 0, sizeof *record);
    memcpy (record->magic, flight_magic, sizeof flight_magic);
    record->layout = FLIGHT_LAYOUT;
    return;
  }
  if (record->crash != 0) {
    flight->has_last = true;
    memcpy (flight->last_integration, record->integration, FLIGHT_NAME);
    flight->last_step = (enum flight_step) record->step;
    flight->last_signal
      = record->crash == CRASH_BY_EXIT ? 0 : (int) record->crash;
    for (uint32_t i = 0; i < record->n_marks; i++)
      record_keep (record, &record->marks[i]);
    tally_add (record_tally (record, record->integration),
               (enum flight_step) record->step);
  }
  record->crash = 0;
  record->is_in = 0;
  record->n_marks = 0;
}

static int
flight_refuse (int fd, const char *path, const char *what, int error,
               char *reason, size_t size)
{
  snprintf (reason, size, "%s %s: %s", path, what, strerror (error));
  if (fd >= 0)
    close (fd);
  return -1;
}

/* A descriptor of the file, which is ours and has its size; -1; or
 * FLIGHT_NO_FILE. */
static int
flight_file (const char *path, char *reason, size_t size)
{
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  int error;

  if (fd < 0) {
    error = errno;
    flight_refuse (fd, path, "can't be opened", error, reason, size);
    return error == ENOSPC || error == EDQUOT ? FLIGHT_NO_FILE : -1;
  }
  if (flock (fd, LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK)
      return flight_refuse (fd, path, "can't be locked", errno, reason, size);
    snprintf (reason, size, "%s: another worker of this number runs", path);
    close (fd);
    return -1;
  }
  error = posix_fallocate (fd, 0, sizeof (struct record));
  if (error == 0)
    return fd;
  flight_refuse (fd, path, "can't be made", error, reason, size);
  return FLIGHT_NO_FILE;
}

struct flight *
flight_open (const char *path, char *ret_reason, size_t size)
{
  struct flight *flight;
  void *map;
  int fd;

  *ret_reason = '\0';
  fd = flight_file (path, ret_reason, size);
  if (fd == -1)
    return NULL;
  map = mmap (NULL, sizeof (struct record), PROT_READ | PROT_WRITE,
              fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
              fd >= 0 ? fd : -1, 0);
  if (map == MAP_FAILED) {
    flight_refuse (fd, path, "can't be mapped", errno, ret_reason, size);
    return NULL;
  }
  flight = memory_zeroed (1, sizeof *flight);
  flight->fd = fd;
  flight->record = map;
  pthread_mutex_init (&flight->mutex, NULL);
  flight_take_over (flight);
  return flight;
}

void
flight_close (struct flight *flight)
{
  if (flight == NULL)
    return;
  if (watched.record == flight->record)
    flight_watch (NULL);
  munmap (flight->record, sizeof *flight->record);
  if (flight->fd >= 0)
    close (flight->fd);
  pthread_mutex_destroy (&flight->mutex);
  free (flight);
}

/* ------------------------------------------------------------------ */
/* The end of a process. */

/* Then as before: a signal of the processor comes again by itself when
 * this returns, any other is raised. */
static void
flight_on_signal (int number, siginfo_t *info, void *context)
{
  struct record *record = watched.record;
  bool is_sent = info->si_code == SI_USER;

  (void) context;
  /* Another thread's crash is not the plugin's; who sends a signal from
   * outside (a watchdog) can't choose the thread. */
  if (record != NULL && record->is_in != 0
      && (is_sent || pthread_equal (watched.thread, pthread_self ())))
    record->crash = (uint32_t) number;
  for (size_t i = 0; i < N_SIGNALS; i++)
    if (flight_signals[i] == number)
      sigaction (number, &watched.before[i], NULL);
  if (info->si_code <= 0)
    raise (number);
}

static void
flight_at_exit (void)
{
  struct record *record = watched.record;

  if (record != NULL && record->is_in != 0)
    record->crash = CRASH_BY_EXIT;
}

static void
flight_unwatch (void)
{
  stack_t none = { .ss_flags = SS_DISABLE };

  if (watched.stack == NULL)
    return;
  for (size_t i = 0; i < N_SIGNALS; i++)
    sigaction (flight_signals[i], &watched.before[i], NULL);
  sigaltstack (&none, NULL);
  free (watched.stack);
  watched.stack = NULL;
}

void
flight_watch (struct flight *flight)
{
  struct sigaction action = { .sa_sigaction = flight_on_signal,
                              .sa_flags = SA_SIGINFO | SA_ONSTACK };
  stack_t stack = { .ss_size = FLIGHT_STACK };

  flight_unwatch ();
  watched.record = NULL;
  if (flight == NULL)
    return;
  watched.thread = pthread_self ();
  watched.record = flight->record;
  /* A plugin may have used up the stack there is. */
  watched.stack = stack.ss_sp = memory_alloc (FLIGHT_STACK);
  sigaltstack (&stack, NULL);
  sigemptyset (&action.sa_mask);
  for (size_t i = 0; i < N_SIGNALS; i++)
    sigaction (flight_signals[i], &action, &watched.before[i]);
  if (!watched.is_at_exit)
    atexit (flight_at_exit);
  watched.is_at_exit = true;
}

/* ------------------------------------------------------------------ */
/* While it runs. */

void
flight_enter (struct flight *flight, const char *integration,
              enum flight_step step)
{
  struct record *record = flight->record;
  size_t len = strnlen (integration, FLIGHT_NAME - 1);

  memcpy (record->integration, integration, len);
  record->integration[len] = '\0';
  record->step = step;
  record->n_marks = 0;
  flight->tally = step == FLIGHT_WORK ? NULL
                                      : record_tally (record, integration);
  __atomic_store_n (&record->is_in, 1, __ATOMIC_RELEASE);
}

void
flight_add (struct flight *flight, uint32_t lane, uint64_t seq)
{
  struct record *record = flight->record;

  if (record->n_marks < FLIGHT_MARKS)
    record->marks[record->n_marks++]
      = (struct flight_mark) { .lane = lane, .seq = seq };
}

void
flight_leave (struct flight *flight)
{
  struct record *record = flight->record;

  __atomic_store_n (&record->is_in, 0, __ATOMIC_RELEASE);
  if (flight->tally != NULL)
    flight->tally->n[record->step] = 0;
  flight->tally = NULL;
}

/* ------------------------------------------------------------------ */
/* What was left. */

bool
flight_last (const struct flight *flight, const char **ret_integration,
             enum flight_step *ret_step, int *ret_signal)
{
  if (!flight->has_last)
    return false;
  *ret_integration = flight->last_integration;
  *ret_step = flight->last_step;
  *ret_signal = flight->last_signal;
  return true;
}

struct flight_mark *
flight_marks (struct flight *flight, size_t *ret_n)
{
  const struct record *record = flight->record;
  struct flight_mark *marks = NULL;

  pthread_mutex_lock (&flight->mutex);
  *ret_n = record->n_kept;
  if (record->n_kept > 0) {
    marks = memory_alloc (record->n_kept * sizeof *marks);
    memcpy (marks, record->kept, record->n_kept * sizeof *marks);
  }
  pthread_mutex_unlock (&flight->mutex);
  return marks;
}

void
flight_marked (struct flight *flight, uint32_t lane)
{
  struct record *record = flight->record;
  uint32_t n = 0;

  pthread_mutex_lock (&flight->mutex);
  for (uint32_t i = 0; i < record->n_kept; i++)
    if (record->kept[i].lane != lane)
      record->kept[n++] = record->kept[i];
  record->n_kept = n;
  pthread_mutex_unlock (&flight->mutex);
}

unsigned
flight_crashes (struct flight *flight, const char *integration,
                uint64_t version)
{
  struct tally *tally = record_tally (flight->record, integration);
  unsigned most = 0;

  if (tally->version != version) {
    memset (tally->n, 0, sizeof tally->n);
    tally->version = version;
  }
  for (size_t i = 0; i < FLIGHT_STEPS; i++)
    if (i != FLIGHT_WORK && tally->n[i] > most)
      most = tally->n[i];
  return most;
}

unsigned
flight_work_crashes (struct flight *flight, const char *integration)
{
  const struct tally *tally = record_tally (flight->record, integration);

  return date_now_ms () - tally->work_ms > WORK_COUNTS_MS
           ? 0 : tally->n[FLIGHT_WORK];
}

void
flight_forgive (struct flight *flight, const char *integration)
{
  struct tally *tally = record_tally (flight->record, integration);

  memset (tally->n, 0, sizeof tally->n);
}
