/* test-crowd.c - who must go when all seats are taken.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "intake/crowd.h"

enum { MOST = 8 };

static const unsigned char a[PEER_KEY_LEN] = { 1 }, b[PEER_KEY_LEN] = { 2 },
                           c[PEER_KEY_LEN] = { 3 };

struct room {
  struct crowd *crowd;
  struct seat seats[MOST];
};

static int
setup (void **state)
{
  static struct room room;

  room.crowd = crowd_new (MOST);
  *state = &room;
  return 0;
}

static int
teardown (void **state)
{
  struct room *room = *state;

  while (crowd_first (room->crowd) != NULL)
    crowd_leave (room->crowd, crowd_first (room->crowd));
  assert_int_equal (crowd_count (room->crowd), 0);
  crowd_free (room->crowd);
  return 0;
}

static void
enter (struct room *room, size_t from, size_t to, const unsigned char *key)
{
  for (size_t i = from; i < to; i++)
    crowd_enter (room->crowd, &room->seats[i], key);
}

static void
test_share (void **state)
{
  struct room *room = *state;
  bool is_full;

  enter (room, 0, 5, a);
  assert_null (crowd_victim (room->crowd, a, &is_full));
  enter (room, 5, 6, a);
  /* Three quarters: from here on it makes room for itself. */
  assert_ptr_equal (crowd_victim (room->crowd, a, &is_full), &room->seats[0]);
  assert_false (is_full);
  assert_null (crowd_victim (room->crowd, b, &is_full));
  assert_false (is_full);
}

static void
test_greediest (void **state)
{
  struct room *room = *state;
  bool is_full;

  enter (room, 0, 3, b);
  enter (room, 3, 8, a);
  /* b was first, but a has more. */
  assert_ptr_equal (crowd_victim (room->crowd, c, &is_full), &room->seats[3]);
  assert_ptr_equal (crowd_victim (room->crowd, b, &is_full), &room->seats[3]);
  crowd_touch (room->crowd, &room->seats[3]);
  assert_ptr_equal (crowd_victim (room->crowd, c, &is_full), &room->seats[4]);
  crowd_leave (room->crowd, &room->seats[4]);
  assert_null (crowd_victim (room->crowd, c, &is_full));
  enter (room, 4, 5, c);
  assert_ptr_equal (crowd_victim (room->crowd, c, &is_full), &room->seats[5]);
  assert_int_equal (crowd_count (room->crowd), MOST);
}

/* Who waits for a commit is never sent away. */
static void
test_held (void **state)
{
  struct room *room = *state;
  bool is_full;

  enter (room, 0, 4, a);
  enter (room, 4, 8, b);
  for (size_t i = 0; i < 4; i++)
    room->seats[i].is_held = true;
  assert_ptr_equal (crowd_victim (room->crowd, c, &is_full), &room->seats[4]);
  for (size_t i = 4; i < 8; i++)
    room->seats[i].is_held = true;
  assert_null (crowd_victim (room->crowd, c, &is_full));
  assert_true (is_full);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_share, setup, teardown),
    cmocka_unit_test_setup_teardown (test_greediest, setup, teardown),
    cmocka_unit_test_setup_teardown (test_held, setup, teardown),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
