/* test-gate.c - few start at once, and nobody is kept out for long.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transport/gate.h"

enum { N = 200 };

static struct gate_place places[N];
static char bodies[N];

static void
fill (struct gate *gate)
{
  for (int i = 0; i < N; i++) {
    places[i] = (struct gate_place) { 0 };
    places[i].transfer = (struct transfer *) (void *) &bodies[i];
    gate_wait (gate, &places[i]);
  }
}

static int
admit_all (struct gate *gate, int64_t now_us)
{
  int n = 0;

  while (gate_admit (gate, now_us))
    n++;
  return n;
}

static void
test_order (void **state)
{
  struct gate gate = { 0 };
  int first;

  (void) state;
  fill (&gate);
  assert_false (gate_is_empty (&gate));
  assert_ptr_equal (gate_admit (&gate, 0), &bodies[0]);
  first = 1 + admit_all (&gate, 0);
  assert_true (first > 1 && first < N);
  /* One that has connected makes room for one. */
  gate_leave (&places[3]);
  gate_leave (&places[3]);
  assert_ptr_equal (gate_admit (&gate, 0), &bodies[first]);
  assert_null (gate_admit (&gate, 0));
  /* One that is cancelled while it waits never starts. */
  gate_leave (&places[first + 1]);
  gate_leave (&places[0]);
  assert_ptr_equal (gate_admit (&gate, 0), &bodies[first + 2]);
}

static void
test_silent_hosts (void **state)
{
  struct gate gate = { 0 };
  int64_t now_us = 1000000;
  int n;

  (void) state;
  fill (&gate);
  n = admit_all (&gate, now_us);
  while (!gate_is_empty (&gate)) {
    int64_t opens_us = gate_opens_us (&gate);

    assert_true (opens_us > now_us);
    assert_int_equal (admit_all (&gate, opens_us - 1), 0);
    now_us = opens_us;
    n += admit_all (&gate, now_us);
  }
  assert_int_equal (n, N);
  assert_true (now_us < 1500000);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_order), cmocka_unit_test (test_silent_hosts)
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
