/* test-shelf.c - who may share a job, who waits behind whom.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "delivery/retries.h"
#include "delivery/shelf.h"

enum { WAIT_US = 1000 };

static struct delivery deliveries[64];

static void
clear (void)
{
  for (size_t i = 0; i < 64; i++)
    deliveries[i] = (struct delivery) { 0 };
}

/* How many come at now_us, and whether the first is deliveries[k]. */
static size_t
take (struct shelf *shelf, int64_t now_us, size_t k)
{
  size_t n = 0;
  struct delivery *list = shelf_take (shelf, now_us, &n);

  if (list == NULL)
    return 0;
  assert_ptr_equal (list, &deliveries[k]);
  return n;
}

static void
test_one_by_one (void **state)
{
  struct shelf *shelf = shelf_new (1, WAIT_US);

  (void) state;
  clear ();
  assert_int_equal (shelf_ready_us (shelf), -1);
  for (size_t i = 0; i < 3; i++)
    shelf_put (shelf, &deliveries[i], 5);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal (take (shelf, 5, i), 1);
  assert_int_equal (take (shelf, 5, 0), 0);
  assert_int_equal (shelf_count (shelf), 0);
  shelf_free (shelf);
}

static void
test_batches_wait (void **state)
{
  struct shelf *shelf = shelf_new (3, WAIT_US);

  (void) state;
  clear ();
  shelf_put (shelf, &deliveries[0], 100);
  shelf_put (shelf, &deliveries[1], 200);
  assert_int_equal (take (shelf, 300, 0), 0);
  assert_int_equal (shelf_ready_us (shelf), 100 + WAIT_US);
  shelf_put (shelf, &deliveries[2], 300);
  shelf_put (shelf, &deliveries[3], 300);
  assert_int_equal (shelf_ready_us (shelf), 0);
  assert_int_equal (take (shelf, 300, 0), 3);
  /* What is left waits for company anew. */
  assert_int_equal (take (shelf, 301, 3), 0);
  assert_int_equal (take (shelf, 300 + WAIT_US, 3), 1);
  shelf_put (shelf, &deliveries[4], 5000);
  shelf_flush (shelf);
  assert_int_equal (take (shelf, 5000, 4), 1);
  shelf_free (shelf);
}

static void
test_alike_only (void **state)
{
  struct shelf *shelf = shelf_new (10, WAIT_US);

  (void) state;
  clear ();
  for (size_t i = 0; i < 12; i++) {
    deliveries[i].alike = i % 3;
    shelf_put (shelf, &deliveries[i], (int64_t) i + 1);
  }
  for (size_t i = 0; i < 3; i++)
    assert_int_equal (take (shelf, 10 + WAIT_US, i), 4);
  assert_int_equal (shelf_count (shelf), 0);
  shelf_free (shelf);
}

static void
test_same_address (void **state)
{
  struct shelf *shelf = shelf_new (10, WAIT_US);

  (void) state;
  clear ();
  for (size_t i = 0; i < 4; i++) {
    deliveries[i].to_hash = i < 3 ? 7 : 8;
    shelf_put (shelf, &deliveries[i], 1);
  }
  shelf_flush (shelf);
  assert_int_equal (take (shelf, 1, 0), 2);     /* 0 and 3 */
  assert_int_equal (take (shelf, 1, 1), 1);
  assert_int_equal (take (shelf, 1, 2), 1);
  shelf_free (shelf);
}

static void
test_faulty_alone (void **state)
{
  struct shelf *shelf = shelf_new (10, WAIT_US);

  (void) state;
  clear ();
  shelf_put (shelf, &deliveries[0], 1);
  shelf_put (shelf, &deliveries[1], 1);
  deliveries[2].n_faults = 1;
  shelf_put_back (shelf, &deliveries[2]);
  assert_int_equal (take (shelf, 1, 2), 1);
  shelf_flush (shelf);
  assert_int_equal (take (shelf, 1, 0), 2);
  assert_int_equal (shelf_count (shelf), 0);
  shelf_free (shelf);
}

static void
test_put_back_first (void **state)
{
  struct shelf *shelf = shelf_new (10, WAIT_US);

  (void) state;
  clear ();
  deliveries[1].alike = 1;
  shelf_put (shelf, &deliveries[0], 1);
  shelf_put_back (shelf, &deliveries[1]);
  assert_int_equal (take (shelf, 1, 1), 1);
  assert_int_equal (take (shelf, 1, 0), 0);
  assert_ptr_equal (shelf_take_any (shelf), &deliveries[0]);
  assert_null (shelf_take_any (shelf));
  shelf_free (shelf);
}

/* However much comes of one kind, what is of another gets its turn. */
static void
test_nobody_is_passed_for_ever (void **state)
{
  struct shelf *shelf = shelf_new (2, WAIT_US);
  size_t turns[3] = { 0 }, n = 0;

  (void) state;
  clear ();
  for (size_t i = 0; i < 24; i++)
    deliveries[i].alike = i < 20 ? 0 : i < 23 ? 1 : 2;
  shelf_put (shelf, &deliveries[23], 1);        /* alone */
  for (size_t i = 20; i < 23; i++)
    shelf_put (shelf, &deliveries[i], 1);
  for (size_t i = 0; i < 20; i++)
    shelf_put (shelf, &deliveries[i], 2);
  for (size_t turn = 1; turn <= 12; turn++) {
    struct delivery *list = shelf_take (shelf, 2 + WAIT_US, &n);

    assert_non_null (list);
    if (turns[list->alike] == 0)
      turns[list->alike] = turn;
  }
  assert_int_equal (shelf_count (shelf), 1);    /* its company has gone */
  assert_in_range (turns[0], 1, 3);
  assert_in_range (turns[1], 1, 3);
  assert_in_range (turns[2], 1, 3);
  assert_non_null (shelf_take_any (shelf));
  shelf_free (shelf);
}

static void
test_retries (void **state)
{
  struct retries retries = { 0 };
  int64_t last_us = 0;

  (void) state;
  clear ();
  assert_int_equal (retries_next_us (&retries), -1);
  srand (1);
  for (size_t i = 0; i < 64; i++) {
    deliveries[i].due_us = 1 + rand () % 50;
    retries_add (&retries, &deliveries[i]);
  }
  assert_null (retries_take (&retries, 0));
  for (size_t i = 0; i < 64; i++) {
    struct delivery *delivery = retries_take (&retries, 100);

    assert_non_null (delivery);
    assert_true (delivery->due_us >= last_us);
    last_us = delivery->due_us;
  }
  assert_null (retries_take (&retries, 100));
  retries_done (&retries);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_one_by_one),
    cmocka_unit_test (test_batches_wait),
    cmocka_unit_test (test_alike_only),
    cmocka_unit_test (test_same_address),
    cmocka_unit_test (test_faulty_alone),
    cmocka_unit_test (test_put_back_first),
    cmocka_unit_test (test_nobody_is_passed_for_ever),
    cmocka_unit_test (test_retries),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
