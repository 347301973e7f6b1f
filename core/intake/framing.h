/* framing.h - whether a request's head says only one thing about where
 * its body ends.
 *
 * What two servers in a row could read in two ways lets one request hide
 * in another (RFC 9112, 11.2), so it is refused.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_FRAMING_H
#define HERALD_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct framing {                /* { 0 } at first */
  unsigned n_lengths, n_encodings, n_hosts, n_authorizations;
  unsigned n_types, n_codings;
  const char *length, *encoding, *expect;       /* the last of each */
  bool is_malformed;
  bool is_folded;               /* by the caller's word: a field goes on in
                                   the next line (RFC 9112, 5.2) */
};

/* A field of the head; its strings live on. */
void framing_take (struct framing *framing, const char *name,
                   const char *value);
/* Behind the last: 0 with the length of the body (-1: not told
 * beforehand), or the status of a refusal, with a word about it. */
unsigned framing_judge (const struct framing *framing, bool is_http_1_1,
                        int64_t *ret_body_len, const char **ret_detail);

/* A value's bytes without the blanks behind it, which libmicrohttpd leaves
 * there (RFC 9112, 5.1). */
size_t framing_value_len (const char *value);

#endif
