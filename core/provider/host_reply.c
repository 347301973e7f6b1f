/* host_reply.c - replies, as plugins read them.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/number.h"
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

int64_t
host_header_number (const struct herald_reply *shown, const char *name)
{
  const char *text = host_reply_header (shown, name);
  size_t len = strspn (text, "0123456789");
  int64_t number;

  if (len == 0)
    return -1;
  return number_read (text, len, 0, INT64_MAX, &number) == 0 ? number
                                                             : INT64_MAX;
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

  if (fmt == NULL)
    return "";
  if (strchr (fmt, '%') == NULL)
    return fmt;
  len = vsnprintf (path, MOST_PATH, fmt, args);
  return len >= 0 && len < MOST_PATH ? path : NULL;
}

/* reply and path of the four functions below. */
#define MAKE_PATH(reply, path, shown, fmt)                          \
  struct reply *reply = host_present_reply (shown);                 \
  char buffer[MOST_PATH];                                           \
  const char *path;                                                 \
  va_list args;                                                     \
                                                                    \
  va_start (args, fmt);                                             \
  path = make_path (buffer, fmt, args);                             \
  va_end (args)

int
host_json_kind (const struct herald_reply *shown, const char *fmt, ...)
{
  MAKE_PATH (reply, path, shown, fmt);

  return reply != NULL ? reply_json_kind (reply, path)
                       : HERALD_JSON_NONE;
}

const char *
host_json_text (const struct herald_reply *shown, const char *fmt, ...)
{
  MAKE_PATH (reply, path, shown, fmt);

  return reply != NULL ? reply_json_text (reply, path) : "";
}

int64_t
host_json_number (const struct herald_reply *shown, const char *fmt, ...)
{
  MAKE_PATH (reply, path, shown, fmt);

  return reply != NULL ? reply_json_number (reply, path) : 0;
}

size_t
host_json_count (const struct herald_reply *shown, const char *fmt, ...)
{
  MAKE_PATH (reply, path, shown, fmt);

  return reply != NULL ? reply_json_count (reply, path) : 0;
}
