/* fuzz-handlers.c - each provider's reply handlers, with any replies.
 *
 * The input: a line "PROVIDER/CASE" that names one of the plugin's golden
 * cases, whose deliveries are made; then replies as a case has them (a
 * status, header lines, a blank line, a body), with a line "---" between
 * two.  Each request made gets the next of them, round and round.
 *
 * Whatever a service answers, every delivery must get an outcome that is
 * the service's doing and not the plugin's fault.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "run.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

enum { MOST_REPLIES = 16, MOST_HEADERS = 16 };

struct replies {
  size_t n, next;
  struct case_reply list[MOST_REPLIES];
};

static const char *
directory (const char *variable, const char *built_in)
{
  const char *value = getenv (variable);

  return value != NULL ? value : built_in;
}

static void
ignore (void *data, enum log_level level, const char *line)
{
  (void) data;
  (void) level;
  (void) line;
}

/* One reply, cut out of text in place. */
static void
read_reply (struct arena *arena, char *text, size_t len,
            struct case_reply *reply)
{
  char *end = text + len, *line = text, *next, *body;
  int64_t status = 200;

  reply->kind = CASE_STATUS;
  reply->headers = arena_zeroed (arena, MOST_HEADERS,
                                 sizeof *reply->headers);
  for (bool is_first = true; line < end; line = next, is_first = false) {
    size_t n;
    char *colon;

    next = memchr (line, '\n', (size_t) (end - line));
    n = next != NULL ? (size_t) (next - line) : (size_t) (end - line);
    next = next != NULL ? next + 1 : end;
    if (is_first)
      number_read (line, n, 100, 599, &status);
    else if (n == 0)
      break;
    else if ((colon = memchr (line, ':', n)) != NULL
             && reply->n_headers < MOST_HEADERS) {
      struct case_header *header = &reply->headers[reply->n_headers++];

      header->name = arena_strndup (arena, line, (size_t) (colon - line));
      header->value = arena_strndup (arena, colon + 1,
                                     n - (size_t) (colon + 1 - line));
    }
  }
  reply->status = (int) status;
  next = line < end ? line + 1 : end;
  reply->body_len = (size_t) (end - next);
  body = arena_alloc (arena, reply->body_len + 1);
  memcpy (body, next, reply->body_len);
  body[reply->body_len] = '\0';
  reply->body = body;
}

static void
read_replies (struct arena *arena, char *text, size_t len,
              struct replies *replies)
{
  static const char between[] = "\n---\n";
  char *end = text + len;

  while (replies->n < MOST_REPLIES) {
    char *cut = memmem (text, (size_t) (end - text), between,
                        sizeof between - 1);

    read_reply (arena, text, (size_t) ((cut != NULL ? cut : end) - text),
                &replies->list[replies->n++]);
    if (cut == NULL)
      return;
    text = cut + sizeof between - 1;
  }
}

static size_t
answer (void *data, struct herald_request *const *open, size_t n,
        const struct case_reply **ret_reply)
{
  struct replies *replies = data;

  (void) open;
  *ret_reply = &replies->list[replies->next++ % replies->n];
  return replies->next % n;
}

/* NULL if the input names no case there is. */
static struct test_case *
open_case (const char *name, const struct provider **ret_provider,
           struct loader *loader)
{
  const char *slash = strchr (name, '/');
  char path[1000], reason[500];

  if (slash == NULL || strlen (name) > 200
      || name[strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-/")] != 0
      || strchr (slash + 1, '/') != NULL)
    return NULL;
  snprintf (path, sizeof path, "%s/%.*s.so",
            directory ("HERALD_PLUGINS", "plugins/.libs"),
            (int) (slash - name), name);
  *ret_provider = loader_open (loader, path, reason, sizeof reason);
  if (*ret_provider == NULL)
    return NULL;
  snprintf (path, sizeof path, "%s/plugins/%.*s/cases%s.case",
            directory ("top_srcdir", "."), (int) (slash - name), name,
            slash);
  return case_read (path, reason, sizeof reason);
}

static void
run_case (struct fixture *fixture, struct replies *replies)
{
  struct run run = { .fixture = fixture, .answer = answer, .data = replies,
                     .stays = true };
  char reason[500];

  if (fixture->integration == NULL
      || fixture_read_events (fixture, NULL, NULL, reason,
                              sizeof reason) != 0)
    return;
  run_all (&run);
  if (run.n_faults > 0) {
    fprintf (stderr, "fault of the plugin: %s", run.faults.data);
    abort ();
  }
  run_done (&run);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static struct loader *loader;
  const struct provider *provider;
  struct replies replies = { .n = 0 };
  struct fixture fixture;
  struct test_case *test;
  struct arena *arena;
  char *text, *rest;

  log_to (ignore, NULL);
  if (loader == NULL)
    loader = loader_new (NULL);
  arena = arena_new (0);
  text = arena_alloc (arena, size + 1); /* there may be NULs in it */
  if (size > 0)
    memcpy (text, data, size);
  text[size] = '\0';
  rest = memchr (text, '\n', size);
  if (rest != NULL) {
    *rest++ = '\0';
    test = open_case (text, &provider, loader);
    if (test != NULL) {
      read_replies (arena, rest, size - (size_t) (rest - text), &replies);
      fixture_open (&fixture, test, loader, provider);
      run_case (&fixture, &replies);
      fixture_close (&fixture);
      case_free (test);
    }
  }
  arena_free (arena);
  return 0;
}
