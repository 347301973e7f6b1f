/* test-breaker.c - when an endpoint is left alone, how many it bears.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "delivery/breaker.h"
#include "delivery/cut.h"

static const int64_t second = 1000000;

static void
test_in_a_row (void **state)
{
  struct breaker breaker = { 0 };
  int64_t now = 1000 * second;

  (void) state;
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 4; i++)
      assert_false (breaker_failed (&breaker, now += 30 * second));
    breaker_succeeded (&breaker, now);
  }
  for (int i = 0; i < 4; i++)
    assert_false (breaker_failed (&breaker, now += 30 * second));
  assert_int_equal (breaker_state (&breaker, now), BREAKER_CLOSED);
  assert_true (breaker_failed (&breaker, now += 30 * second));
  assert_int_equal (breaker_state (&breaker, now), BREAKER_OPEN);
  assert_int_equal (breaker_state (&breaker, now + 4999999), BREAKER_OPEN);
  assert_int_equal (breaker_state (&breaker, now + 5500000), BREAKER_HALF);
  breaker_succeeded (&breaker, now + 5500000);
  assert_int_equal (breaker_state (&breaker, now), BREAKER_CLOSED);
}

/* Good and bad by turns: never five in a row. */
static bool
opens_after (int rounds, int good, int64_t between_us)
{
  struct breaker breaker = { 0 };
  int64_t now = 1000 * second;

  for (int i = 0; i < rounds; i++) {
    for (int k = 0; k < good; k++)
      breaker_succeeded (&breaker, now += between_us);
    for (int k = 0; k < 3; k++)
      if (breaker_failed (&breaker, now += between_us))
        return true;
  }
  return false;
}

static void
test_share (void **state)
{
  (void) state;
  assert_true (opens_after (10, 2, 1000));
  assert_false (opens_after (3, 2, 1000));      /* 15 say nothing yet */
  assert_false (opens_after (1000, 3, 1000));   /* half is not more */
  assert_false (opens_after (1000, 2, second)); /* never 20 in 10 s */
}

/* Each probe that fails doubles the time, and a success that does not last
 * does not begin from the start. */
static void
test_doubling (void **state)
{
  struct breaker breaker = { 0 };
  int64_t now = 1000 * second, was = 0;

  (void) state;
  for (int i = 0; i < 5; i++)
    breaker_failed (&breaker, now);
  for (int i = 0; i < 12; i++) {
    int64_t took = breaker.until_us - now;

    if (i < 6)
      assert_true (took >= (5 * second << i)
                   && took <= (5 * second << i) * 11 / 10);
    else
      assert_true (took >= 300 * second && took <= 330 * second);
    assert_true (took > was || i > 6);
    was = took;
    now = breaker.until_us;
    assert_int_equal (breaker_state (&breaker, now), BREAKER_HALF);
    assert_true (breaker_failed (&breaker, now));
  }
  now = breaker.until_us;
  breaker_succeeded (&breaker, now);
  for (int i = 0; i < 5; i++)
    breaker_failed (&breaker, now += second);
  assert_true (breaker.until_us - now >= 300 * second);
  now = breaker.until_us;
  breaker_succeeded (&breaker, now);
  now += 1000 * second;
  for (int i = 0; i < 5; i++)
    breaker_failed (&breaker, now);
  assert_true (breaker.until_us - now <= 6 * second);
  breaker_reset (&breaker);
  assert_int_equal (breaker_state (&breaker, now), BREAKER_CLOSED);
  assert_false (breaker_failed (&breaker, now));
}

static void
test_cut (void **state)
{
  struct cut cut;
  int n = 0;

  (void) state;
  cut_init (&cut, 32);
  cut_up (&cut);
  assert_true (cut.cap == 32);
  /* All 32 that were in flight meet the limit: one cut. */
  for (int i = 0; i < 32; i++)
    cut_down (&cut, 100 + i, 200 + i);
  assert_true (cut.cap == 16);
  cut_down (&cut, 201, 300);
  assert_true (cut.cap == 8);
  for (; cut.cap < 9; n++)
    cut_up (&cut);
  assert_in_range (n, 8, 9);
  for (int i = 0; i < 1000; i++)
    cut_up (&cut);
  assert_true (cut.cap == 32);
  for (int i = 0; i < 10; i++)
    cut_down (&cut, 1000 + 2 * i, 1001 + 2 * i);
  assert_true (cut.cap == 1);
  cut_up (&cut);
  assert_true (cut.cap == 2);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_in_a_row),
    cmocka_unit_test (test_share),
    cmocka_unit_test (test_doubling),
    cmocka_unit_test (test_cut),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
