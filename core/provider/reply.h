/* reply.h - one answer as a plugin reads it.  Hostile until proven.
 *
 * Readers never return NULL and never fail; the JSON index is made when
 * first asked for.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_REPLY_H
#define HERALD_REPLY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/json_index.h"
#include "herald-plugin.h"
#include "request.h"

struct reply {
  struct herald_reply shown;    /* first: what the plugin gets */
  struct herald_request *request;
  struct arena *arena;
  const struct request_header *headers;         /* names in lower case */
  size_t n_headers;
  bool is_indexed, is_json;
  struct json_index index;
};

struct job_answer;

void reply_init (struct reply *reply, struct herald_request *request,
                 struct arena *arena, const struct job_answer *answer);
void reply_done (struct reply *reply);
const char *reply_header (struct reply *reply, const char *name);
int reply_json_kind (struct reply *reply, const char *path);
const char *reply_json_text (struct reply *reply, const char *path);
int64_t reply_json_number (struct reply *reply, const char *path);
size_t reply_json_count (struct reply *reply, const char *path);

#endif
