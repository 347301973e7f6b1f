/* curl-multi.c - the least that posts with libcurl: the yardstick.
 *
 * usage: curl-multi URL FILE IN-FLIGHT [CA-FILE]
 *
 * Posts the value of "data" of each line of FILE, which must be its last
 * member (tests/sandbox/events.py writes such lines).  One thread, one multi
 * handle, the socket interface over epoll, kept connections.  Nothing is
 * parsed, mapped, retried or checked but the status.
 *
 * epoll_ctl is deferred: libcurl's callback only notes what it wants, and
 * the difference is applied before waiting.  A socket stays registered for
 * reading until it is closed; most transfers then need no epoll_ctl at all.
 *
 * SPDX-License-Identifier: MIT
 */

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { MAX_IN_FLIGHT = 10000, MAX_FD = 65536, N_EVENTS = 256 };

struct slot {                   /* one transfer at a time */
  CURL *easy;
  char *line;
  size_t size;
};

struct watch {                  /* one descriptor, by its number */
  uint32_t wanted, applied;     /* epoll's masks */
  bool is_dirty, is_active;
};

struct bench {
  const char *url, *ca_file;
  FILE *file;
  CURLM *multi;
  struct curl_slist *headers;
  int epoll;
  struct watch *watches;
  int *dirty;
  size_t n_dirty;
  int64_t due_ms;               /* libcurl's timer; -1: none */
  size_t n_running;
  uint64_t n_sent, n_failed;
  char reason[200];
};

static int64_t
now_ms (void)
{
  struct timespec at;

  clock_gettime (CLOCK_MONOTONIC, &at);
  return (int64_t) at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static void
watch_want (struct bench *bench, int fd, uint32_t mask)
{
  struct watch *watch = &bench->watches[fd];

  watch->wanted = mask;
  if (!watch->is_dirty) {
    watch->is_dirty = true;
    bench->dirty[bench->n_dirty++] = fd;
  }
}

static int
on_socket (CURL *easy, curl_socket_t fd, int what, void *user, void *unused)
{
  struct bench *bench = user;

  (void) easy;
  (void) unused;
  if (fd < 0 || fd >= MAX_FD)
    return -1;
  bench->watches[fd].is_active = what != CURL_POLL_REMOVE;
  watch_want (bench, fd, what & CURL_POLL_OUT ? EPOLLIN | EPOLLOUT : EPOLLIN);
  return 0;
}

/* The kernel drops a closed descriptor from the epoll set by itself. */
static int
on_close (void *user, curl_socket_t fd)
{
  struct bench *bench = user;

  if (fd >= 0 && fd < MAX_FD) {
    bench->watches[fd].applied = 0;
    bench->watches[fd].wanted = 0;
    bench->watches[fd].is_active = false;
  }
  return close (fd);
}

static int
on_timer (CURLM *multi, long timeout_ms, void *user)
{
  struct bench *bench = user;

  (void) multi;
  bench->due_ms = timeout_ms < 0 ? -1 : now_ms () + timeout_ms;
  return 0;
}

static size_t
on_body (char *text, size_t size, size_t n, void *unused)
{
  (void) text;
  (void) unused;
  return size * n;
}

static void
watch_apply (struct bench *bench, int fd, uint32_t mask)
{
  struct watch *watch = &bench->watches[fd];
  struct epoll_event event = { .events = mask, .data.fd = fd };
  int what = !mask            ? EPOLL_CTL_DEL
             : watch->applied ? EPOLL_CTL_MOD
                              : EPOLL_CTL_ADD;

  if (mask != watch->applied
      && epoll_ctl (bench->epoll, what, fd, &event) != 0)
    perror ("epoll_ctl");
  watch->applied = mask;
}

static void
apply_dirty (struct bench *bench)
{
  for (size_t i = 0; i < bench->n_dirty; i++) {
    int fd = bench->dirty[i];

    bench->watches[fd].is_dirty = false;
    watch_apply (bench, fd, bench->watches[fd].wanted);
  }
  bench->n_dirty = 0;
}

/* The value of "data" in a line; NULL if it is no such line. */
static const char *
find_data (const char *line, size_t len, size_t *ret_len)
{
  static const char key[] = "\"data\":";
  const char *at = memmem (line, len, key, sizeof key - 1);

  while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
    len--;
  if (!at || len == 0 || line[len - 1] != '}')
    return NULL;
  at += sizeof key - 1;
  *ret_len = (size_t) (line + len - 1 - at);
  return at;
}

static void
set_options (struct bench *bench, struct slot *slot)
{
  CURL *easy = slot->easy;

  curl_easy_reset (easy);
  curl_easy_setopt (easy, CURLOPT_URL, bench->url);
  curl_easy_setopt (easy, CURLOPT_POST, 1L);
  curl_easy_setopt (easy, CURLOPT_HTTPHEADER, bench->headers);
  curl_easy_setopt (easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt (easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  curl_easy_setopt (easy, CURLOPT_CLOSESOCKETDATA, bench);
  curl_easy_setopt (easy, CURLOPT_PRIVATE, slot);
  if (bench->ca_file) {         /* a CApath turns the store's cache off */
    curl_easy_setopt (easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt (easy, CURLOPT_CAINFO, bench->ca_file);
  }
}

/* Post the next line; false at the end of the file. */
static bool
slot_start (struct bench *bench, struct slot *slot)
{
  const char *data = NULL;
  size_t data_len = 0;

  while (!data) {
    ssize_t len = getline (&slot->line, &slot->size, bench->file);

    if (len < 0)
      return false;
    data = find_data (slot->line, (size_t) len, &data_len);
  }
  set_options (bench, slot);
  curl_easy_setopt (slot->easy, CURLOPT_POSTFIELDS, data);
  curl_easy_setopt (slot->easy, CURLOPT_POSTFIELDSIZE, (long) data_len);
  bench->n_running++;
  return curl_multi_add_handle (bench->multi, slot->easy) == CURLM_OK;
}

static void
note_result (struct bench *bench, CURL *easy, CURLcode code)
{
  long status = 0;

  curl_easy_getinfo (easy, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK && status / 100 == 2) {
    bench->n_sent++;
    return;
  }
  if (bench->n_failed++ == 0)
    snprintf (bench->reason, sizeof bench->reason, "%s, status %ld",
              curl_easy_strerror (code), status);
}

static void
take_results (struct bench *bench)
{
  CURLMsg *message;
  int n;

  while ((message = curl_multi_info_read (bench->multi, &n))) {
    CURL *easy = message->easy_handle;
    struct slot *slot = NULL;

    curl_easy_getinfo (easy, CURLINFO_PRIVATE, (char **) &slot);
    note_result (bench, easy, message->data.result);
    curl_multi_remove_handle (bench->multi, easy);
    bench->n_running--;
    slot_start (bench, slot);
  }
}

static void
handle_event (struct bench *bench, const struct epoll_event *event)
{
  int fd = event->data.fd, n;
  int mask = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0)
             | (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
             | (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

  if (!bench->watches[fd].is_active)    /* an idle connection was closed */
    watch_apply (bench, fd, 0);
  else
    curl_multi_socket_action (bench->multi, fd, mask, &n);
}

static int
wait_ms (const struct bench *bench)
{
  int64_t left = bench->due_ms < 0 ? 1000 : bench->due_ms - now_ms ();

  return left < 0 ? 0 : left > 1000 ? 1000 : (int) left;
}

static void
run (struct bench *bench)
{
  struct epoll_event events[N_EVENTS];
  int n;

  while (bench->n_running > 0) {
    if (bench->due_ms >= 0 && bench->due_ms <= now_ms ()) {
      bench->due_ms = -1;
      curl_multi_socket_action (bench->multi, CURL_SOCKET_TIMEOUT, 0, &n);
      take_results (bench);
    }
    apply_dirty (bench);
    n = epoll_wait (bench->epoll, events, N_EVENTS, wait_ms (bench));
    for (int i = 0; i < n; i++)
      handle_event (bench, &events[i]);
    take_results (bench);
  }
}

static int
bench_init (struct bench *bench, long in_flight)
{
  bench->epoll = epoll_create1 (EPOLL_CLOEXEC);
  bench->watches = calloc (MAX_FD, sizeof *bench->watches);
  bench->dirty = calloc (MAX_FD, sizeof *bench->dirty);
  bench->multi = curl_multi_init ();
  bench->headers = curl_slist_append (NULL, "Content-Type: application/json");
  bench->headers = curl_slist_append (bench->headers, "Expect:");
  bench->due_ms = -1;
  if (bench->epoll < 0 || !bench->watches || !bench->dirty || !bench->multi)
    return -1;
  curl_multi_setopt (bench->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt (bench->multi, CURLMOPT_SOCKETDATA, bench);
  curl_multi_setopt (bench->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt (bench->multi, CURLMOPT_TIMERDATA, bench);
  curl_multi_setopt (bench->multi, CURLMOPT_MAXCONNECTS, in_flight);
  return 0;
}

static void
bench_done (struct bench *bench, struct slot *slots, long in_flight)
{
  for (long i = 0; i < in_flight; i++) {
    curl_easy_cleanup (slots[i].easy);
    free (slots[i].line);
  }
  free (slots);
  curl_multi_cleanup (bench->multi);
  curl_slist_free_all (bench->headers);
  free (bench->watches);
  free (bench->dirty);
  close (bench->epoll);
  fclose (bench->file);
}

int
main (int argc, char *argv[])
{
  struct bench bench = { 0 };
  struct slot *slots;
  long in_flight = argc > 3 ? strtol (argv[3], NULL, 10) : 0;

  if (argc < 4 || argc > 5 || in_flight < 1 || in_flight > MAX_IN_FLIGHT) {
    fprintf (stderr, "usage: curl-multi URL FILE IN-FLIGHT [CA-FILE]\n");
    return 2;
  }
  bench.url = argv[1];
  bench.ca_file = argc > 4 ? argv[4] : NULL;
  bench.file = fopen (argv[2], "r");
  slots = calloc ((size_t) in_flight, sizeof *slots);
  curl_global_init (CURL_GLOBAL_DEFAULT);
  if (!bench.file || !slots || bench_init (&bench, in_flight) != 0) {
    perror (argv[2]);
    return 1;
  }
  for (long i = 0; i < in_flight; i++) {
    slots[i].easy = curl_easy_init ();
    if (!slots[i].easy || !slot_start (&bench, &slots[i]))
      break;
  }
  run (&bench);
  printf ("{\"sent\": %llu, \"failed\": %llu, \"reason\": \"%s\"}\n",
          (unsigned long long) bench.n_sent,
          (unsigned long long) bench.n_failed, bench.reason);
  bench_done (&bench, slots, in_flight);
  curl_global_cleanup ();
  return bench.n_failed ? 1 : 0;
}
