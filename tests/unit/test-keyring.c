/* test-keyring.c - who of a key may go, and who waits where.
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

#include "delivery/keyring.h"
#include "delivery/waiting.h"

enum { A = 77, B = 78, NOW = 1000000 };

static struct delivery deliveries[64];
static struct keyring_next next;
static int64_t due_ms;

/* deliveries[k] has number k. */
static struct keyring *
begin (void)
{
  for (size_t i = 0; i < 64; i++)
    deliveries[i] = (struct delivery) { .seq = i, .order_hash = A };
  due_ms = 0;
  return keyring_new ();
}

static void
assert_held (struct keyring *keyring, size_t k, enum keyring_answer answer)
{
  assert_int_equal (keyring_hold (keyring, &deliveries[k], NOW, &due_ms),
                    answer);
}

/* It ended, and now this one holds the key; 0: none does. */
static void
assert_next (struct keyring *keyring, size_t k, size_t after)
{
  keyring_release (keyring, &deliveries[k], NOW, &next);
  assert_null (next.later);
  assert_null (next.back);
  if (after == 0)
    assert_null (next.next);
  else
    assert_ptr_equal (next.next, &deliveries[after]);
}

static void
assert_list (const struct delivery *list, size_t n, const size_t *numbers)
{
  for (size_t i = 0; i < n; i++, list = list->next) {
    assert_non_null (list);
    assert_int_equal (list->seq, numbers[i]);
  }
  assert_null (list);
}

static void
test_line (void **state)
{
  struct keyring *keyring = begin ();

  (void) state;
  deliveries[4].order_hash = B;
  assert_held (keyring, 1, KEYRING_GO);
  assert_held (keyring, 3, KEYRING_WAIT);
  assert_held (keyring, 5, KEYRING_WAIT);
  assert_held (keyring, 2, KEYRING_WAIT);       /* to the front */
  assert_held (keyring, 4, KEYRING_GO);
  assert_next (keyring, 1, 2);
  assert_next (keyring, 4, 0);
  assert_next (keyring, 2, 3);
  assert_next (keyring, 3, 5);
  assert_next (keyring, 5, 0);
  assert_held (keyring, 1, KEYRING_GO);
  assert_next (keyring, 1, 0);
  keyring_free (keyring);
}

/* The first waits for its time: all behind it do, and come back behind
 * it; those that come meanwhile as well. */
static void
test_later (void **state)
{
  struct keyring *keyring = begin ();

  (void) state;
  assert_held (keyring, 1, KEYRING_GO);
  assert_held (keyring, 2, KEYRING_WAIT);
  assert_held (keyring, 3, KEYRING_WAIT);
  keyring_release_later (keyring, &deliveries[1], NOW + 500, &next);
  assert_null (next.next);
  assert_null (next.back);
  assert_int_equal (next.due_ms, NOW + 500);
  assert_list (next.later, 2, (size_t[]) { 2, 3 });
  assert_held (keyring, 4, KEYRING_LATER);
  assert_int_equal (due_ms, NOW + 500);
  assert_held (keyring, 1, KEYRING_GO);
  assert_held (keyring, 2, KEYRING_WAIT);
  /* 3 and 4 are not here yet, and 2 is before them. */
  assert_next (keyring, 1, 2);
  assert_held (keyring, 4, KEYRING_WAIT);
  assert_held (keyring, 3, KEYRING_WAIT);
  assert_next (keyring, 2, 3);
  assert_next (keyring, 3, 4);
  assert_next (keyring, 4, 0);
  keyring_free (keyring);
}

/* The next is in the store, the one after it here: it must not pass. */
static void
test_gap (void **state)
{
  struct keyring *keyring = begin ();

  (void) state;
  keyring_expect (keyring, 2, A, NOW + 900);
  assert_held (keyring, 1, KEYRING_GO);
  assert_held (keyring, 3, KEYRING_WAIT);
  keyring_release (keyring, &deliveries[1], NOW, &next);
  assert_null (next.next);
  assert_null (next.back);
  assert_int_equal (next.due_ms, NOW + 900);
  assert_list (next.later, 1, (size_t[]) { 3 });
  assert_held (keyring, 2, KEYRING_GO);
  assert_held (keyring, 3, KEYRING_WAIT);
  assert_next (keyring, 2, 3);
  assert_next (keyring, 3, 0);
  keyring_free (keyring);
}

static void
test_back (void **state)
{
  struct keyring *keyring = begin ();

  (void) state;
  assert_held (keyring, 1, KEYRING_GO);
  assert_held (keyring, 2, KEYRING_WAIT);
  assert_held (keyring, 3, KEYRING_WAIT);
  /* 1 is in flight, those behind it leave. */
  assert_list (keyring_drain (keyring), 2, (size_t[]) { 2, 3 });
  assert_next (keyring, 1, 0);
  /* 3 was on its way before 2 was back in the store. */
  assert_held (keyring, 3, KEYRING_BACK);
  assert_held (keyring, 2, KEYRING_GO);
  assert_held (keyring, 3, KEYRING_WAIT);
  keyring_release_back (keyring, &deliveries[2], &next);
  assert_null (next.later);
  assert_list (next.back, 1, (size_t[]) { 3 });
  assert_held (keyring, 2, KEYRING_GO);
  assert_next (keyring, 2, 0);
  assert_held (keyring, 3, KEYRING_GO);
  assert_next (keyring, 3, 0);
  keyring_free (keyring);
}

/* One that was given back has no time: what comes behind it must not get
 * one, though the first of all has. */
static void
test_back_in_between (void **state)
{
  struct keyring *keyring = begin ();

  (void) state;
  assert_held (keyring, 2, KEYRING_GO);
  keyring_release_back (keyring, &deliveries[2], &next);
  keyring_expect (keyring, 1, A, NOW + 500);
  assert_held (keyring, 3, KEYRING_BACK);
  assert_held (keyring, 1, KEYRING_GO);
  assert_held (keyring, 3, KEYRING_WAIT);
  assert_held (keyring, 4, KEYRING_WAIT);
  keyring_release_later (keyring, &deliveries[1], NOW + 900, &next);
  assert_null (next.later);
  assert_list (next.back, 2, (size_t[]) { 3, 4 });
  /* Now it has one. */
  assert_held (keyring, 2, KEYRING_LATER);
  assert_held (keyring, 3, KEYRING_LATER);
  assert_int_equal (due_ms, NOW + 900);
  assert_held (keyring, 1, KEYRING_GO);
  assert_held (keyring, 4, KEYRING_WAIT);
  keyring_release_later (keyring, &deliveries[1], NOW + 950, &next);
  assert_null (next.back);
  assert_list (next.later, 1, (size_t[]) { 4 });
  keyring_free (keyring);
}

/* One that had a time has it still when it is given back, so what comes
 * behind it gets a later one. */
static void
test_back_with_a_time (void **state)
{
  struct keyring *keyring = begin ();

  (void) state;
  keyring_expect (keyring, 1, A, NOW - 5);
  keyring_expect (keyring, 2, A, NOW - 5);
  assert_held (keyring, 1, KEYRING_GO);
  assert_held (keyring, 2, KEYRING_WAIT);
  keyring_release_back (keyring, &deliveries[1], &next);
  assert_list (next.back, 1, (size_t[]) { 2 });
  assert_held (keyring, 3, KEYRING_LATER);
  assert_int_equal (due_ms, NOW + 1000);
  assert_held (keyring, 1, KEYRING_GO);
  assert_next (keyring, 1, 0);
  assert_held (keyring, 3, KEYRING_LATER);
  assert_held (keyring, 2, KEYRING_GO);
  assert_held (keyring, 3, KEYRING_WAIT);
  assert_next (keyring, 2, 3);
  assert_next (keyring, 3, 0);
  keyring_free (keyring);
}

/* What was forgotten or purged is not waited for for ever. */
static void
test_lost (void **state)
{
  struct keyring *keyring = begin ();
  int64_t now_ms = NOW;
  int rounds = 0;

  (void) state;
  keyring_expect (keyring, 1, A, NOW - 5);
  while (keyring_hold (keyring, &deliveries[2], now_ms, &due_ms)
         == KEYRING_LATER) {
    assert_true (due_ms > now_ms);
    now_ms = due_ms;
    rounds++;
  }
  assert_true (rounds > 2 && now_ms - NOW > 10000 && now_ms - NOW < 100000);
  keyring_release (keyring, &deliveries[2], now_ms, &next);
  keyring_free (keyring);
  /* The same of one that was given back. */
  keyring = begin ();
  assert_held (keyring, 1, KEYRING_GO);
  keyring_release_back (keyring, &deliveries[1], &next);
  now_ms = NOW + 24 * 3600 * 1000;
  for (rounds = 0; keyring_hold (keyring, &deliveries[2], now_ms, &due_ms)
                   == KEYRING_BACK; rounds++)
    now_ms += 400;
  assert_in_range (rounds, 20, 30);
  keyring_release (keyring, &deliveries[2], now_ms, &next);
  keyring_free (keyring);
}

static void
test_hash (void **state)
{
  (void) state;
  /* FNV-1a's own vector: it is kept in stores, so it must never change. */
  assert_true (keyring_hash ("foobar") == 0x85944171f73967e8u);
  assert_true (keyring_hash ("") != 0);
}

/* Against an array that is searched from end to end. */
static void
test_waiting (void **state)
{
  enum { HASHES = 7, SEQS = 60 };
  struct waiting *waiting = waiting_new ();
  int64_t model[HASHES][SEQS] = { { 0 } };
  size_t n = 0;

  (void) state;
  srand (2);
  for (int round = 0; round < 100000; round++) {
    unsigned hash = (unsigned) rand () % HASHES;
    unsigned seq = (unsigned) rand () % SEQS, least = 0, before;
    struct wait *first;
    int64_t was_ms = 0;

    if (rand () % 1000 < (round / 5000 % 2 == 0 ? 600 : 400)) {
      n += model[hash][seq] == 0;
      model[hash][seq] = 1 + rand () % 1000;
      waiting_put (waiting, hash, seq, model[hash][seq]);
    } else {
      assert_int_equal (waiting_remove (waiting, hash, seq, &was_ms),
                        model[hash][seq] != 0);
      assert_int_equal (was_ms, model[hash][seq]);
      n -= model[hash][seq] != 0;
      model[hash][seq] = 0;
    }
    assert_int_equal (waiting_count (waiting), n);
    while (least < SEQS && model[hash][least] == 0)
      least++;
    before = seq;
    while (before > 0 && model[hash][before - 1] == 0)
      before--;
    if (before == 0)
      assert_null (waiting_before (waiting, hash, seq));
    else
      assert_int_equal (waiting_before (waiting, hash, seq)->seq, before - 1);
    first = waiting_first (waiting, hash);
    if (least == SEQS) {
      assert_null (first);
      continue;
    }
    assert_int_equal (first->seq, least);
    assert_int_equal (first->due_ms, model[hash][least]);
  }
  waiting_free (waiting);
  assert_true (sizeof (struct wait) <= 32);     /* a million: 32 MB */
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_line),  cmocka_unit_test (test_later),
    cmocka_unit_test (test_gap),   cmocka_unit_test (test_back),
    cmocka_unit_test (test_back_in_between),
    cmocka_unit_test (test_back_with_a_time),
    cmocka_unit_test (test_lost),  cmocka_unit_test (test_hash),
    cmocka_unit_test (test_waiting),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
