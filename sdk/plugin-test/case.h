/* case.h - one golden case: a text file of sections.
 *
 * herald-plugin-test(1) describes the format.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef PLUGIN_TEST_CASE_H
#define PLUGIN_TEST_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum {
  CASE_MAX_LEN = 4 << 20,       /* of a file */
  CASE_MAX_LIST = 1000,         /* of sections or lines of a kind */
  CASE_MAX_REPEAT = 64 << 20    /* bytes, of @repeat */
};

enum case_reply_kind { CASE_STATUS, CASE_NO_ANSWER, CASE_REFUSED };

struct case_header {
  const char *name, *value;
};

struct case_reply {
  enum case_reply_kind kind;
  int status;                   /* 0: whatever means success */
  size_t n_headers;
  struct case_header *headers;
  const char *body;             /* or why there is no answer */
  size_t body_len;
};

struct case_exchange {
  unsigned line;                /* of the section, for messages */
  const char *request;          /* "POST https://..."; NULL: any */
  size_t n_headers;
  struct case_header *headers;  /* value NULL: must be absent */
  const char *body;             /* NULL: any */
  const char *html;             /* of an e-mail; NULL: any */
  struct case_reply reply;
};

struct case_list {
  size_t n;
  const char **lines;
};

struct case_setting {
  const char *name, *value;
  unsigned line;
};

struct test_case {
  struct arena *arena;
  const char *path;
  const char *description;
  const char *integration;      /* XML; NULL: of integration.xml */
  const char *delivery;         /* XML; NULL: as there */
  size_t n_settings;
  struct case_setting *settings;
  int64_t now_ms;
  struct case_list events;      /* JSON */
  bool is_verify;
  struct case_list complaints;  /* expected of .open; n 0: it must open */
  size_t n_exchanges;
  struct case_exchange *exchanges;
  struct case_list outcomes;    /* one a delivery */
  struct case_list lane;        /* "wait 5000ms", "rate 10/1000ms" */
};

/* NULL with a reason that names file and line. */
struct test_case *case_read (const char *path, char *ret_reason,
                             size_t size);
void case_free (struct test_case *test);

/* Cut text into lines, in place; the last need not end in one.  NULL at
 * the end. */
char *case_next_line (char **text);

#endif
