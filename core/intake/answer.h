/* answer.h - what the intake says: problem documents (RFC 9457) and
 * plain texts.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_ANSWER_H
#define HERALD_ANSWER_H

#include "http.h"

/* application/problem+json, with the status's own title; fmt is one
 * sentence without a full stop, fit for whoever asked. */
void answer_problem (struct http_answer *ret_answer, unsigned status,
                     const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 3, 4)));
/* Another header field; text is not copied. */
void answer_field (struct http_answer *answer, const char *name,
                   const char *value);
/* text/plain: one line. */
void answer_text (struct http_answer *ret_answer, unsigned status,
                  const char *text);

/* The whole answer as it goes over a connection that is closed then. */
void answer_add_bytes (const struct http_answer *answer, const char *phrase,
                       struct buf *out);

/* "Content Too Large": of the statuses that the intake uses. */
const char *answer_title (unsigned status);

#endif
