/* claims.h - which deliveries this process has in its hands.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_CLAIMS_H
#define HERALD_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLAIM_FRESH = -1 };

struct claim {
  uint64_t seq;
  int64_t due_ms;               /* of the retry it is; CLAIM_FRESH */
  uint32_t lane;                /* 0: a free place */
  bool is_marked;               /* it has a row of crashes */
  bool is_shared;               /* the event has other deliveries */
};

struct claims;

struct claims *claims_new (void);
void claims_free (struct claims *claims);       /* NULL is fine */

/* What is found or put stays there until the next claims_put. */
struct claim *claims_find (struct claims *claims, uint32_t lane,
                           uint64_t seq);
struct claim *claims_put (struct claims *claims, uint32_t lane, uint64_t seq);
void claims_remove (struct claims *claims, struct claim *claim);
void claims_remove_lane (struct claims *claims, uint32_t lane);
size_t claims_count (const struct claims *claims);

#endif
