/* committer.c - the thread that puts events into the queue, in groups.
 *
 * Two lists under one lock: what may be written, and what has been.  The
 * thread takes as many commits as fit a group, and wakes the loop through
 * a pipe when it has put the first into an empty list of those done.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/committer.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/memory.h"

enum { COMMITTER_TIDY_S = 1, COMMITTER_REASON = 200 };

struct commits {                /* a list with its end */
  struct commit *first;
  struct commit **end;
  size_t n_events;
};

struct committer {
  struct committer_config config;
  struct queue *queue;          /* the thread's */
  pthread_t thread;
  int pipe[2];

  /* The loop's: */
  struct commits gathering;
  int64_t since_us;             /* the first of them came */
  size_t waiting;

  pthread_mutex_t lock;
  pthread_cond_t has_work;
  struct commits ready;
  struct commits done;
  char reason[COMMITTER_REASON];        /* of the last failure */
  bool is_ending;

  /* The thread's: room for a group. */
  struct queue_event *events;
  enum queue_answer *answers;
  size_t size;
};

static void
commits_clear (struct commits *commits)
{
  commits->first = NULL;
  commits->end = &commits->first;
  commits->n_events = 0;
}

static void
commits_add (struct commits *commits, struct commit *commit)
{
  commit->next = NULL;
  *commits->end = commit;
  commits->end = &commit->next;
  commits->n_events += commit->n;
}

/* All of from go behind those of to. */
static void
commits_move (struct commits *to, struct commits *from)
{
  if (from->first == NULL)
    return;
  *to->end = from->first;
  to->end = from->end;
  to->n_events += from->n_events;
  commits_clear (from);
}

/* ------------------------------------------------------------------ */
/* The thread. */

/* As many as fit a group; one at least. */
static void
committer_take (struct committer *committer, struct commits *group)
{
  commits_clear (group);
  do {
    struct commit *commit = committer->ready.first;

    committer->ready.first = commit->next;
    if (commit->next == NULL)
      committer->ready.end = &committer->ready.first;
    committer->ready.n_events -= commit->n;
    commits_add (group, commit);
  } while (committer->ready.first != NULL
           && group->n_events + committer->ready.first->n
                <= committer->config.most);
}

static void
committer_reserve (struct committer *committer, size_t n)
{
  if (n <= committer->size)
    return;
  committer->size = n * 2;
  committer->events = memory_resize (committer->events, committer->size,
                                     sizeof committer->events[0]);
  committer->answers = memory_resize (committer->answers, committer->size,
                                      sizeof committer->answers[0]);
}

static enum queue_error
committer_put_group (struct committer *committer, struct commits *group)
{
  struct commit *commit;
  enum queue_error error;
  size_t n = 0;

  committer_reserve (committer, group->n_events);
  for (commit = group->first; commit != NULL; commit = commit->next) {
    if (routes_lanes (commit->routes, committer->queue, commit->wanted,
                      commit->n_wanted) != 0)
      return QUEUE_FULL;
    memcpy (committer->events + n, commit->events,
            commit->n * sizeof commit->events[0]);
    n += commit->n;
  }
  error = queue_put (committer->queue, committer->events, n,
                     committer->answers);
  n = 0;
  for (commit = group->first; commit != NULL && error == QUEUE_OK;
       commit = commit->next) {
    memcpy (commit->answers, committer->answers + n,
            commit->n * sizeof commit->answers[0]);
    n += commit->n;
  }
  return error;
}

static void
committer_write (struct committer *committer, struct commits *group,
                 char *ret_reason)
{
  int64_t start_us = date_monotonic_us ();
  enum queue_error error = committer_put_group (committer, group);

  *ret_reason = '\0';
  if (error != QUEUE_OK)
    snprintf (ret_reason, COMMITTER_REASON, "%s",
              queue_reason (committer->queue));
  else if (committer->config.timed != NULL)
    committer->config.timed (committer->config.data,
                             date_monotonic_us () - start_us);
  for (struct commit *commit = group->first; commit != NULL;
       commit = commit->next)
    commit->error = error;
}

/* Nothing to write: look after the store a little.  True: it is clean. */
static bool
committer_tidy (struct committer *committer)
{
  bool is_done = true;

  return queue_tidy (committer->queue, date_now_ms (), &is_done) != QUEUE_OK
         || is_done;
}

/* Wait for work, for a second at most if the store wants tidying then;
 * false: there is none.  Called and left with the lock held. */
static bool
committer_wait (struct committer *committer, bool is_clean)
{
  struct timespec until;

  clock_gettime (CLOCK_REALTIME, &until);
  until.tv_sec += is_clean ? COMMITTER_TIDY_S : 0;
  while (committer->ready.first == NULL && !committer->is_ending)
    if (pthread_cond_timedwait (&committer->has_work, &committer->lock,
                                &until) != 0)
      return committer->ready.first != NULL;
  return committer->ready.first != NULL;
}

static void *
committer_run (void *data)
{
  struct committer *committer = data;
  char reason[COMMITTER_REASON];
  struct commits group;
  bool is_clean = true, was_empty;

  pthread_mutex_lock (&committer->lock);
  for (;;) {
    if (!committer_wait (committer, is_clean)) {
      if (committer->is_ending)
        break;
      pthread_mutex_unlock (&committer->lock);
      is_clean = committer_tidy (committer);
      pthread_mutex_lock (&committer->lock);
      continue;
    }
    committer_take (committer, &group);
    pthread_mutex_unlock (&committer->lock);
    committer_write (committer, &group, reason);
    pthread_mutex_lock (&committer->lock);
    if (*reason != '\0')
      memcpy (committer->reason, reason, sizeof reason);
    was_empty = committer->done.first == NULL;
    commits_move (&committer->done, &group);
    /* A full pipe wakes the loop as well. */
    if (was_empty && write (committer->pipe[1], "", 1) < 0)
      continue;
  }
  pthread_mutex_unlock (&committer->lock);
  return NULL;
}

/* ------------------------------------------------------------------ */
/* The loop. */

static void
committer_give_done (struct committer *committer)
{
  char reason[COMMITTER_REASON];
  struct commits done;

  commits_clear (&done);
  pthread_mutex_lock (&committer->lock);
  commits_move (&done, &committer->done);
  memcpy (reason, committer->reason, sizeof reason);
  pthread_mutex_unlock (&committer->lock);
  committer->waiting -= done.n_events;
  if (done.first != NULL)
    committer->config.done (committer->config.data, done.first, reason);
}

static void
committer_on_pipe (void *data, int fd, unsigned ready)
{
  char bytes[64];

  (void) ready;
  while (read (fd, bytes, sizeof bytes) == (ssize_t) sizeof bytes)
    continue;
  committer_give_done (data);
}

static int
committer_start (struct committer *committer)
{
  sigset_t all, saved;
  int result;

  if (pipe (committer->pipe) != 0)
    return -1;
  for (int i = 0; i < 2; i++) {
    fcntl (committer->pipe[i], F_SETFD, FD_CLOEXEC);
    fcntl (committer->pipe[i], F_SETFL, O_NONBLOCK);
  }
  pthread_mutex_init (&committer->lock, NULL);
  pthread_cond_init (&committer->has_work, NULL);
  /* Signals are the loop's. */
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &saved);
  result = pthread_create (&committer->thread, NULL, committer_run,
                           committer);
  pthread_sigmask (SIG_SETMASK, &saved, NULL);
  if (result == 0)
    return 0;
  close (committer->pipe[0]);
  close (committer->pipe[1]);
  return -1;
}

struct committer *
committer_new (const struct committer_config *config, char *ret_reason,
               size_t size)
{
  struct committer *committer = memory_zeroed (1, sizeof *committer);

  committer->config = *config;
  commits_clear (&committer->gathering);
  commits_clear (&committer->ready);
  commits_clear (&committer->done);
  committer->queue = queue_open (&config->queue, ret_reason, size);
  if (committer->queue == NULL)
    goto fail;
  /* The ids of the window are read before anybody waits for an answer. */
  if (queue_put (committer->queue, NULL, 0, NULL) != QUEUE_OK) {
    snprintf (ret_reason, size, "%s", queue_reason (committer->queue));
    goto fail;
  }
  if (committer_start (committer) != 0) {
    snprintf (ret_reason, size, "no thread can be started");
    goto fail;
  }
  loop_want (config->loop, committer->pipe[0], LOOP_READ, committer_on_pipe,
             committer);
  return committer;

fail:
  queue_close (committer->queue);
  free (committer);
  return NULL;
}

/* Hand over what has gathered. */
static void
committer_hand_over (struct committer *committer)
{
  pthread_mutex_lock (&committer->lock);
  commits_move (&committer->ready, &committer->gathering);
  pthread_cond_signal (&committer->has_work);
  pthread_mutex_unlock (&committer->lock);
}

void
committer_free (struct committer *committer)
{
  if (committer == NULL)
    return;
  committer_hand_over (committer);
  pthread_mutex_lock (&committer->lock);
  committer->is_ending = true;
  pthread_cond_signal (&committer->has_work);
  pthread_mutex_unlock (&committer->lock);
  pthread_join (committer->thread, NULL);
  committer_give_done (committer);
  loop_forget (committer->config.loop, committer->pipe[0]);
  close (committer->pipe[0]);
  close (committer->pipe[1]);
  pthread_cond_destroy (&committer->has_work);
  pthread_mutex_destroy (&committer->lock);
  queue_close (committer->queue);
  free (committer->events);
  free (committer->answers);
  free (committer);
}

void
committer_put (struct committer *committer, struct commit *commit)
{
  if (committer->gathering.first == NULL)
    committer->since_us = date_monotonic_us ();
  committer->waiting += commit->n;
  commits_add (&committer->gathering, commit);
}

void
committer_turn (struct committer *committer, bool is_quiet)
{
  if (committer->gathering.first == NULL)
    return;
  if (is_quiet || committer->gathering.n_events >= committer->config.most
      || date_monotonic_us () - committer->since_us
           >= committer->config.wait_ms * 1000)
    committer_hand_over (committer);
}

bool
committer_gathers (const struct committer *committer)
{
  return committer->gathering.first != NULL;
}

size_t
committer_waiting (const struct committer *committer)
{
  return committer->waiting;
}
