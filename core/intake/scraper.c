/* scraper.c - the figures for /metrics, made by a thread of their own.
 *
 * All who ask while a text is being made wait for the next one, and get
 * the same.
 *
 * SPDX-License-Identifier: MIT
 */

#include "intake/scraper.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/memory.h"
#include "intake/answer.h"
#include "metrics/exposition.h"

enum { SCRAPER_MOST = 16, SCRAPER_MAX_TEXT = 8 << 20 };

struct scraper {
  struct loop *loop;
  char *run_directory;
  struct queue_config config;
  char *where;
  pthread_t thread;
  int pipe[2];
  /* The loop's: */
  size_t n_waiting;             /* for the next text */
  struct http_request *waiting[SCRAPER_MOST];
  size_t n_served;              /* by the one being made; 0: none is */
  struct http_request *served[SCRAPER_MOST];

  pthread_mutex_t lock;
  pthread_cond_t is_asked_now;
  bool is_asked, is_ending;
  struct buf text;              /* the thread's while is_asked */
};

static void
scraper_make (struct scraper *scraper, struct queue **queue)
{
  char reason[400];

  if (*queue == NULL)
    *queue = queue_open (&scraper->config, reason, sizeof reason);
  buf_clear (&scraper->text);
  exposition_write (&scraper->text, scraper->run_directory, *queue,
                    date_now_ms ());
}

static void *
scraper_run (void *data)
{
  struct scraper *scraper = data;
  struct queue *queue = NULL;

  pthread_mutex_lock (&scraper->lock);
  while (!scraper->is_ending) {
    if (!scraper->is_asked) {
      pthread_cond_wait (&scraper->is_asked_now, &scraper->lock);
      continue;
    }
    pthread_mutex_unlock (&scraper->lock);
    scraper_make (scraper, &queue);
    pthread_mutex_lock (&scraper->lock);
    scraper->is_asked = false;
    if (write (scraper->pipe[1], "", 1) < 0)
      break;
  }
  pthread_mutex_unlock (&scraper->lock);
  queue_close (queue);
  return NULL;
}

/* Those who wait are served by the text that is begun now. */
static void
scraper_begin (struct scraper *scraper)
{
  memcpy (scraper->served, scraper->waiting, sizeof scraper->served);
  scraper->n_served = scraper->n_waiting;
  scraper->n_waiting = 0;
  if (scraper->n_served == 0)
    return;
  pthread_mutex_lock (&scraper->lock);
  scraper->is_asked = true;
  pthread_cond_signal (&scraper->is_asked_now);
  pthread_mutex_unlock (&scraper->lock);
}

static void
scraper_serve (struct scraper *scraper)
{
  for (size_t i = 0; i < scraper->n_served; i++) {
    struct http_answer answer = {
      .status = 200, .type = EXPOSITION_TYPE, .len = scraper->text.len,
    };

    if (scraper->text.is_over)
      answer_problem (&answer, 500, "there are too many figures");
    else {
      answer.body = memory_alloc (answer.len + 1);
      memcpy (answer.body, scraper->text.data, answer.len);
    }
    http_answer (scraper->served[i], &answer);
  }
  scraper->n_served = 0;
}

static void
scraper_on_pipe (void *data, int fd, unsigned ready)
{
  struct scraper *scraper = data;
  char bytes[16];

  (void) ready;
  if (read (fd, bytes, sizeof bytes) <= 0)
    return;
  scraper_serve (scraper);
  scraper_begin (scraper);
}

static int
scraper_start (struct scraper *scraper)
{
  sigset_t all, saved;
  int result;

  if (pipe (scraper->pipe) != 0)
    return -1;
  for (int i = 0; i < 2; i++) {
    fcntl (scraper->pipe[i], F_SETFD, FD_CLOEXEC);
    fcntl (scraper->pipe[i], F_SETFL, O_NONBLOCK);
  }
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &saved);
  result = pthread_create (&scraper->thread, NULL, scraper_run, scraper);
  pthread_sigmask (SIG_SETMASK, &saved, NULL);
  if (result == 0)
    return 0;
  close (scraper->pipe[0]);
  close (scraper->pipe[1]);
  return -1;
}

struct scraper *
scraper_new (struct loop *loop, const char *run_directory,
             const struct queue_config *queue)
{
  struct scraper *scraper = memory_zeroed (1, sizeof *scraper);

  scraper->loop = loop;
  scraper->run_directory = memory_strdup (run_directory);
  scraper->config = *queue;
  scraper->where = memory_strdup (queue->where);
  scraper->config.where = scraper->where;
  buf_init (&scraper->text, SCRAPER_MAX_TEXT);
  pthread_mutex_init (&scraper->lock, NULL);
  pthread_cond_init (&scraper->is_asked_now, NULL);
  if (scraper_start (scraper) == 0) {
    loop_want (loop, scraper->pipe[0], LOOP_READ, scraper_on_pipe, scraper);
    return scraper;
  }
  free (scraper->run_directory);
  free (scraper->where);
  free (scraper);
  return NULL;
}

void
scraper_free (struct scraper *scraper)
{
  if (scraper == NULL)
    return;
  pthread_mutex_lock (&scraper->lock);
  scraper->is_ending = true;
  pthread_cond_signal (&scraper->is_asked_now);
  pthread_mutex_unlock (&scraper->lock);
  pthread_join (scraper->thread, NULL);
  /* Nobody is left without an answer. */
  scraper_serve (scraper);
  scraper->n_served = scraper->n_waiting;
  memcpy (scraper->served, scraper->waiting, sizeof scraper->served);
  scraper_serve (scraper);
  loop_forget (scraper->loop, scraper->pipe[0]);
  close (scraper->pipe[0]);
  close (scraper->pipe[1]);
  pthread_cond_destroy (&scraper->is_asked_now);
  pthread_mutex_destroy (&scraper->lock);
  buf_done (&scraper->text);
  free (scraper->run_directory);
  free (scraper->where);
  free (scraper);
}

void
scraper_ask (struct scraper *scraper, struct http_request *request)
{
  struct http_answer answer;

  if (scraper->n_waiting == SCRAPER_MOST) {
    answer_problem (&answer, 503, "too many ask for the figures");
    answer_field (&answer, "Retry-After", "1");
    http_answer (request, &answer);
    return;
  }
  scraper->waiting[scraper->n_waiting++] = request;
  if (scraper->n_served == 0)
    scraper_begin (scraper);
}
