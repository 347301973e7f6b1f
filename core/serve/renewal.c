/* renewal.c - what became of a reload, in a file for who asked for it.
 *
 * SPDX-License-Identifier: MIT
 */

#include "serve/renewal.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/redact.h"

enum {
  MAX_FILE = 1 << 20,
  MAX_LINES = 1000,             /* of changed and of kept */
  LINE_CHARS = 500
};

struct lines {
  unsigned n;
  char *texts[MAX_LINES];
};

struct renewal {
  char *path, *new_path;
  int64_t begun, done;
  const char *result;
  struct lines changed, kept;
};

static char *
path_in (const char *directory, const char *name)
{
  struct buf path = BUF_INIT (0);

  buf_printf (&path, "%s/%s", directory, name);
  return buf_steal (&path);
}

static void
lines_clear (struct lines *lines)
{
  for (unsigned i = 0; i < lines->n && i < MAX_LINES; i++)
    free (lines->texts[i]);
  lines->n = 0;
}

static void lines_add (struct lines *lines, const char *fmt, va_list args)
  __attribute__ ((__format__ (__printf__, 2, 0)));

static void
lines_add (struct lines *lines, const char *fmt, va_list args)
{
  struct buf text = BUF_INIT (0), clean = BUF_INIT (0);

  buf_vprintf (&text, fmt, args);
  redact_add (&clean, text.data, text.len, LINE_CHARS);
  if (lines->n < MAX_LINES)
    lines->texts[lines->n] = buf_steal (&clean);
  lines->n++;
  buf_done (&clean);
  buf_done (&text);
}

static struct json_doc *
lines_json (const struct lines *lines)
{
  struct json_doc *list = json_doc_array ();

  for (unsigned i = 0; i < lines->n && i < MAX_LINES; i++)
    json_doc_push (list, json_doc_text (lines->texts[i]));
  return list;
}

/* Under its name at once or not at all: somebody reads. */
static void
renewal_write (const struct renewal *renewal)
{
  struct json_doc *doc = json_doc_object ();
  char *text;
  size_t len;
  int fd = open (renewal->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
                                      | O_NOFOLLOW, 0600);

  json_doc_put (doc, "begun", json_doc_number (renewal->begun));
  json_doc_put (doc, "done", json_doc_number (renewal->done));
  json_doc_put (doc, "result", json_doc_text (renewal->result));
  json_doc_put (doc, "changed", lines_json (&renewal->changed));
  json_doc_put (doc, "kept", lines_json (&renewal->kept));
  text = json_doc_write (doc, false);
  json_doc_free (doc);
  len = strlen (text);
  if (fd < 0 || write (fd, text, len) != (ssize_t) len
      || rename (renewal->new_path, renewal->path) != 0)
    log_warning ("%s can't be written: %m", renewal->path);
  if (fd >= 0)
    close (fd);
  free (text);
}

struct renewal *
renewal_new (const char *run_directory)
{
  struct renewal *renewal = memory_zeroed (1, sizeof *renewal);
  struct json_doc *before = renewal_read (run_directory);
  int64_t begun = json_doc_as_number (json_doc_get (before, "begun"));

  renewal->path = path_in (run_directory, "reload.json");
  renewal->new_path = path_in (run_directory, "reload.json.new");
  renewal->begun = renewal->done = begun > 0 && begun < INT64_MAX ? begun + 1
                                                                  : 1;
  renewal->result = "done";
  json_doc_free (before);
  renewal_write (renewal);
  return renewal;
}

void
renewal_free (struct renewal *renewal)
{
  if (renewal == NULL)
    return;
  lines_clear (&renewal->changed);
  lines_clear (&renewal->kept);
  free (renewal->path);
  free (renewal->new_path);
  free (renewal);
}

void
renewal_begin (struct renewal *renewal)
{
  lines_clear (&renewal->changed);
  lines_clear (&renewal->kept);
  renewal->begun++;
  renewal->result = "running";
  renewal_write (renewal);
}

void
renewal_changed (struct renewal *renewal, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  lines_add (&renewal->changed, fmt, args);
  va_end (args);
}

void
renewal_kept (struct renewal *renewal, const char *fmt, ...)
{
  va_list args;

  va_start (args, fmt);
  lines_add (&renewal->kept, fmt, args);
  va_end (args);
}

void
renewal_end (struct renewal *renewal, bool is_failed)
{
  renewal->done = renewal->begun;
  renewal->result = is_failed ? "failed"
                    : renewal->kept.n > 0 ? "partly" : "done";
  renewal_write (renewal);
}

unsigned
renewal_n_changed (const struct renewal *renewal)
{
  return renewal->changed.n;
}

unsigned
renewal_n_kept (const struct renewal *renewal)
{
  return renewal->kept.n;
}

struct json_doc *
renewal_read (const char *run_directory)
{
  char *path = path_in (run_directory, "reload.json"), reason[160];
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct buf text = BUF_INIT (MAX_FILE);
  struct json_doc *doc = NULL;
  ssize_t n = -1;

  free (path);
  while (fd >= 0) {
    char *space = buf_reserve (&text, 4096);

    n = space != NULL ? read (fd, space, 4096) : -1;
    if (n <= 0)
      break;
    text.len += (size_t) n;
  }
  if (n == 0)
    doc = json_doc_read (text.data, text.len, reason);
  if (fd >= 0)
    close (fd);
  buf_done (&text);
  return doc;
}
