/* breaker.h - leave an endpoint alone that does not answer.
 *
 * Closed, requests go.  After 5 failures in a row, or when of 20 and more
 * within 10 s over half failed, it opens: nothing goes for 5 s, the next
 * time 10 s, and so on to 5 minutes (and up to a tenth more by chance).
 * Then it is half open: one request goes, and what becomes of it closes
 * the breaker or opens it again.
 *
 * Failures are those of the endpoint: no answer, or one like 503.
 *
 * SPDX-License-Identifier: MIT
 */

#ifndef HERALD_BREAKER_H
#define HERALD_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF };

enum { BREAKER_SECONDS = 10 };

struct breaker {                /* { 0 } at first */
  bool is_open;
  uint32_t in_a_row;
  int64_t open_ms;              /* how long it was open last; 0: never */
  int64_t until_us;             /* of open: when it is half open */
  int64_t closed_us;            /* when it closed */
  struct {
    int64_t second;             /* which */
    uint32_t n, failed;
  } seconds[BREAKER_SECONDS];
};

enum breaker_state breaker_state (const struct breaker *breaker,
                                  int64_t now_us);
/* Of a request that went while it was closed or as the probe; true: this
 * opened it. */
bool breaker_failed (struct breaker *breaker, int64_t now_us);
void breaker_succeeded (struct breaker *breaker, int64_t now_us);
/* Somebody has mended it: as if nothing had been. */
void breaker_reset (struct breaker *breaker);

#endif
