/* host_reply.c - replies, as plugins read them.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "host_table.h"
#include "job_state.h"
#include "reply.h"

enum { MOST_PATH = 1000 };

size_t
host_covered (const struct herald_reply *shown, size_t k)
{
  const struct reply *reply = host_present_reply (shown);
  const struct herald_request *request;

  if (reply == NULL)
    return HERALD_END;
  request = reply->request;
  if (request == NULL || request->job == NULL
      || request->job->kind != JOB_DELIVER || k >= request->n_covers)
    return HERALD_END;
  return request->covers[k];
}

const char *
host_reply_header (const struct herald_reply *shown, const char *name)
{
  struct reply *reply = host_present_reply (shown);

  return reply != NULL ? reply_header (reply, name) : "";
}

/* The path a format makes; NULL if it is longer than any that could be
 * found. */
static const char *make_path (char path[MOST_PATH], const char *fmt,
                              va_list args)
  __attribute__ ((__format__ (__printf__, 2, 0)));

static const char *
make_path (char path[MOST_PATH], const char *fmt, va_list args)
{
  int len;

  if (fmt == NULL || strchr (fmt, '%') == NULL)
    return fmt;
  len = vsnprintf (path, MOST_PATH, fmt, args);
  return len >= 0 && len < MOST_PATH ? path : NULL;
}

int
host_json_kind (const struct herald_reply *shown, const char *fmt, ...)
{
  struct reply *reply = host_present_reply (shown);
  char buffer[MOST_PATH];
  const char *path;
  va_list args;

  va_start (args, fmt);
  path = make_path (buffer, fmt, args);
  va_end (args);
  return reply != NULL ? reply_json_kind (reply, path)
                       : HERALD_JSON_NONE;
}

const char *
host_json_text (const struct herald_reply *shown, const char *fmt, ...)
{
  struct reply *reply = host_present_reply (shown);
  char buffer[MOST_PATH];
  const char *path;
  va_list args;

  va_start (args, fmt);
  path = make_path (buffer, fmt, args);
  va_end (args);
  return reply != NULL ? reply_json_text (reply, path) : "";
}

int64_t
host_json_number (const struct herald_reply *shown, const char *fmt, ...)
{
  struct reply *reply = host_present_reply (shown);
  char buffer[MOST_PATH];
  const char *path;
  va_list args;

  va_start (args, fmt);
  path = make_path (buffer, fmt, args);
  va_end (args);
  return reply != NULL ? reply_json_number (reply, path) : 0;
}

size_t
host_json_count (const struct herald_reply *shown, const char *fmt, ...)
{
  struct reply *reply = host_present_reply (shown);
  char buffer[MOST_PATH];
  const char *path;
  va_list args;

  va_start (args, fmt);
  path = make_path (buffer, fmt, args);
  va_end (args);
  return reply != NULL ? reply_json_count (reply, path) : 0;
}
