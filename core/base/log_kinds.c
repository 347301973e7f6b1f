/* log_kinds.c - lines of one kind, counted.
 *
 * SPDX-License-Identifier: MIT
 */

#include "base/log_kinds.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"

enum {
  KINDS = 128,
  LAST_CHARS = 1500             /* kept of the last line held back */
};

/* Kinds that meet in a place take turns: the later one has it. */
static struct kind {
  const char *fmt;              /* NULL: nobody's place */
  uint32_t hash;
  enum log_level level;
  int64_t since_us;
  unsigned n;
  unsigned held;                /* of them */
  char *last, *integration;     /* of those held back */
} kinds[KINDS];

/* FNV-1a. */
static uint32_t
hash_add (uint32_t hash, const void *data, size_t len)
{
  const unsigned char *bytes = data;

  for (size_t i = 0; i < len; i++)
    hash = (hash ^ bytes[i]) * UINT32_C (16777619);
  return hash;
}

/* "%s: %s" says nothing of what kind a line is; its text does. */
static bool
has_words (const char *fmt)
{
  for (; *fmt != '\0'; fmt++) {
    if (*fmt == '%' && fmt[1] != '\0')
      fmt++;
    else if ((*fmt >= 'a' && *fmt <= 'z') || (*fmt >= 'A' && *fmt <= 'Z'))
      return true;
  }
  return false;
}

/* Tell what was held back, and forget what was counted. */
static void
kind_settle (struct kind *kind, int64_t now_us, log_kinds_fn *tell)
{
  struct buf text = BUF_INIT (0);

  if (kind->held > 0) {
    buf_add (&text, kind->last,
             text_clip (kind->last, strlen (kind->last), LAST_CHARS));
    if (kind->held > 1) {
      buf_printf (&text, " (and %u more like this in ", kind->held - 1);
      number_add_duration (&text, (now_us - kind->since_us) / 1000);
      buf_add_char (&text, ')');
    }
    tell (kind->level, kind->integration, text.data, text.len);
  }
  buf_done (&text);
  free (kind->last);
  free (kind->integration);
  *kind = (struct kind) { .fmt = NULL };
}

void
log_kinds_settle (int64_t within_us, log_kinds_fn *tell)
{
  int64_t now_us = date_monotonic_us ();

  for (size_t i = 0; i < KINDS; i++)
    if (kinds[i].fmt != NULL && now_us - kinds[i].since_us >= within_us)
      kind_settle (&kinds[i], now_us, tell);
}

bool
log_kinds_hold (const struct log_kinds_line *line, unsigned burst,
                log_kinds_fn *tell)
{
  uint32_t hash = hash_add (UINT32_C (2166136261), &line->fmt,
                            sizeof line->fmt);
  struct kind *kind;

  if (line->integration != NULL)
    hash = hash_add (hash, line->integration, strlen (line->integration));
  if (!has_words (line->fmt))
    hash = hash_add (hash, line->text, strlen (line->text));
  kind = &kinds[hash % KINDS];
  if (kind->fmt != line->fmt || kind->hash != hash
      || kind->level != line->level) {
    int64_t now_us = date_monotonic_us ();

    kind_settle (kind, now_us, tell);
    *kind = (struct kind) { .fmt = line->fmt, .hash = hash,
                            .level = line->level, .since_us = now_us };
  }
  if (kind->n++ < burst)
    return false;
  kind->held++;
  free (kind->last);
  kind->last = memory_strdup (line->text);
  if (kind->integration == NULL && line->integration != NULL)
    kind->integration = memory_strdup (line->integration);
  return true;
}
