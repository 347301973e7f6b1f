/* test-queue-tables.c - the tables of claims and of ids seen, at random.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "queue/claims.h"
#include "queue/seen.h"

enum { LANES = 4, SEQS = 700, STEPS = 100000 };

static size_t
pick (size_t n)
{
  return (size_t) random () % n;
}

static void
test_claims (void **state)
{
  struct claims *claims = claims_new ();
  static bool is_there[LANES + 1][SEQS];
  size_t n = 0;

  (void) state;
  for (size_t i = 0; i < STEPS; i++) {
    uint32_t lane = (uint32_t) (1 + pick (LANES));
    uint64_t seq = pick (SEQS);
    struct claim *claim = claims_find (claims, lane, seq);

    assert_int_equal (claim != NULL, is_there[lane][seq]);
    if (claim != NULL) {
      assert_int_equal (claim->due_ms, lane * 1000 + seq);
      claims_remove (claims, claim);
      n--;
    } else {
      claims_put (claims, lane, seq)->due_ms = (int64_t) (lane * 1000 + seq);
      n++;
    }
    is_there[lane][seq] = claim == NULL;
    if (pick (5000) == 0) {
      claims_remove_lane (claims, lane);
      for (seq = 0; seq < SEQS; seq++) {
        n -= is_there[lane][seq];
        is_there[lane][seq] = false;
      }
    }
    assert_int_equal (claims_count (claims), n);
  }
  claims_free (claims);
  claims_free (NULL);
}

/* Few hashes, so that places collide; and enough numbers for their lower
 * halves to begin anew. */
static uint64_t
hash_of (size_t k)
{
  return (uint64_t) k % 3 + ((uint64_t) k / 3 << 9);
}

static bool
has_seen (const struct seen *seen, uint64_t hash, uint64_t seq)
{
  uint64_t one;

  for (size_t k = 0; (one = seen_at (seen, hash, k)) != 0; k++)
    if (one == seq)
      return true;
  return false;
}

static void
test_seen (void **state)
{
  struct seen *seen = seen_new ();
  enum { KEPT = 2000 };
  static struct { uint64_t hash, seq; bool is_there; } ring[KEPT];
  uint64_t seq = UINT32_MAX - STEPS / 2;
  size_t bytes = 0;

  (void) state;
  for (size_t i = 0; i < STEPS; i++, seq++) {
    size_t k = pick (KEPT);

    ring[i % KEPT].hash = hash_of (pick (900));
    ring[i % KEPT].seq = seq;
    ring[i % KEPT].is_there = true;
    seen_add (seen, ring[i % KEPT].hash, seq);
    if (i < KEPT)
      continue;
    seen_forget_before (seen, seq - KEPT + 1);
    assert_int_equal (has_seen (seen, ring[k].hash, ring[k].seq),
                      ring[k].is_there);
    if (pick (4) == 0) {
      seen_remove (seen, ring[k].hash, ring[k].seq);
      ring[k].is_there = false;
    }
    assert_false (has_seen (seen, ring[k].hash, seq - KEPT));
    if (i == STEPS / 2)
      bytes = seen_bytes (seen);
  }
  /* What is forgotten makes room. */
  assert_true (seen_bytes (seen) <= bytes * 3 / 2);
  seen_free (seen);
  seen_free (NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_claims),
    cmocka_unit_test (test_seen),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
