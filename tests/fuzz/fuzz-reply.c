/* fuzz-reply.c - the readers of replies, with any body, header and path.
 *
 * The input: up to three lines (a path, a header's value, a status), then
 * the body.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/number.h"
#include "base/text.h"
#include "provider/job.h"
#include "provider/reply.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The next line, NUL-terminated; *text goes behind it. */
static const char *
take_line (struct arena *arena, const char **text, size_t *size)
{
  const char *start = *text;
  const char *end = *size > 0 ? memchr (start, '\n', *size) : NULL;
  size_t len = end != NULL ? (size_t) (end - start) : *size;

  *text += end != NULL ? len + 1 : len;
  *size -= end != NULL ? len + 1 : len;
  return arena_strndup (arena, start, len);
}

static void
check (struct reply *reply, const char *path)
{
  int kind = reply_json_kind (reply, path);
  const char *text = reply_json_text (reply, path);
  size_t count = reply_json_count (reply, path);

  if (kind < HERALD_JSON_NONE || kind > HERALD_JSON_OBJECT
      || !text_is_utf8 (text, strlen (text)))
    abort ();
  if (kind != HERALD_JSON_ARRAY && kind != HERALD_JSON_OBJECT && count != 0)
    abort ();
  if ((kind == HERALD_JSON_NONE || kind == HERALD_JSON_NULL)
      && (*text != '\0' || reply_json_number (reply, path) != 0))
    abort ();
  reply_json_number (reply, path);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct arena *arena = arena_new (0);
  const char *text = (const char *) data;
  const char *path = take_line (arena, &text, &size);
  const char *value = take_line (arena, &text, &size);
  const char *status = take_line (arena, &text, &size);
  struct request_header header = { "retry-after", value };
  struct job_answer answer = { .headers = &header, .n_headers = 1 };
  int64_t number = 0;
  struct reply reply;
  char *body;

  number_read (status, strlen (status), -1000, 1000, &number);
  /* The transport ends a body with a NUL; exactly so long, that a read
   * past it is seen. */
  body = malloc (size + 1);
  if (body == NULL)
    abort ();
  if (size > 0)
    memcpy (body, text, size);
  body[size] = '\0';
  answer.status = (int) number;
  answer.body = body;
  answer.body_len = size;
  date_set_now (1764000000000);
  reply_init (&reply, NULL, arena, &answer);
  if (reply.shown.retry_after_ms < -1)
    abort ();
  check (&reply, path);
  check (&reply, "");
  if (*reply_header (&reply, "Retry-After") != *value)
    abort ();
  reply_done (&reply);
  free (body);
  arena_free (arena);
  return 0;
}
