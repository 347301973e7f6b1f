/* rejects.c - lines that are no events: told, and kept.
 *
 * SPDX-License-Identifier: MIT
 */

#include "rejects.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

enum { REJECTS_TOLD = 20 };     /* after that many the log says no more */

struct rejects {
  struct outfile *outfile;
  uint64_t n;
  struct buf line;
  /* Base64 goes in threes: what is left over of the piece before. */
  unsigned char rest[3];
  size_t rest_len;
};

struct rejects *
rejects_new (struct outfile *outfile)
{
  struct rejects *rejects = memory_zeroed (1, sizeof *rejects);

  rejects->outfile = outfile;
  buf_init (&rejects->line, 0);
  return rejects;
}

void
rejects_free (struct rejects *rejects)
{
  if (rejects == NULL)
    return;
  buf_done (&rejects->line);
  free (rejects);
}

uint64_t
rejects_count (const struct rejects *rejects)
{
  return rejects->n;
}

static void
rejects_tell (struct rejects *rejects, const char *file, uint64_t line,
              const char *reason)
{
  rejects->n++;
  if (rejects->n <= REJECTS_TOLD)
    log_warning ("%s:%llu: %s", file, (unsigned long long) line, reason);
  if (rejects->n == REJECTS_TOLD)
    log_warning ("further bad lines are counted, but not told%s",
                 rejects->outfile == NULL ? "; --rejects FILE keeps them"
                                          : "");
}

static void
rejects_begin (struct rejects *rejects, const char *file, uint64_t line,
               const char *reason)
{
  buf_clear (&rejects->line);
  buf_add_text (&rejects->line, "{\"file\":");
  if (text_is_utf8 (file, strlen (file)))
    text_add_json (&rejects->line, file, strlen (file));
  else
    buf_add_text (&rejects->line, "null");
  buf_printf (&rejects->line, ",\"line\":%llu,\"reason\":",
              (unsigned long long) line);
  text_add_json (&rejects->line, reason, strlen (reason));
}

static void
rejects_add_base64 (struct rejects *rejects, const char *text, size_t len,
                    bool is_last)
{
  while (rejects->rest_len > 0 && rejects->rest_len < 3 && len > 0) {
    rejects->rest[rejects->rest_len++] = (unsigned char) *text++;
    len--;
  }
  if (rejects->rest_len == 3 || (is_last && len == 0)) {
    crypto_add_base64 (&rejects->line, rejects->rest, rejects->rest_len);
    rejects->rest_len = 0;
  }
  if (rejects->rest_len > 0)
    return;
  if (!is_last) {
    rejects->rest_len = len % 3;
    len -= rejects->rest_len;
    memcpy (rejects->rest, text + len, rejects->rest_len);
  }
  crypto_add_base64 (&rejects->line, text, len);
}

void
rejects_add (struct rejects *rejects, const char *file,
             const struct stream_item *item)
{
  struct buf *line = &rejects->line;

  if (item->is_first)
    rejects_tell (rejects, file, item->line, item->reason);
  if (rejects->outfile == NULL)
    return;
  if (item->is_first)
    rejects_begin (rejects, file, item->line, item->reason);
  else
    buf_clear (line);
  if (item->is_first && item->is_last
      && text_is_utf8 (item->text, item->len)) {
    buf_add_text (line, ",\"text\":");
    text_add_json (line, item->text, item->len);
    buf_add_text (line, "}\n");
  } else {
    if (item->is_first)
      buf_add_text (line, ",\"base64\":\"");
    rejects_add_base64 (rejects, item->text, item->len, item->is_last);
    if (item->is_last)
      buf_add_text (line, "\"}\n");
  }
  outfile_add (rejects->outfile, line->data, line->len);
}

void
rejects_add_event (struct rejects *rejects, const char *file,
                   uint64_t line, const char *reason,
                   const struct event *event)
{
  struct buf text;

  rejects_tell (rejects, file, line, reason);
  if (rejects->outfile == NULL)
    return;
  buf_init (&text, 0);
  event_add_json (event, NULL, &text);
  rejects_begin (rejects, file, line, reason);
  buf_add_text (&rejects->line, ",\"text\":");
  text_add_json (&rejects->line, text.data, text.len);
  buf_add_text (&rejects->line, "}\n");
  outfile_add (rejects->outfile, rejects->line.data, rejects->line.len);
  buf_done (&text);
}
