/* test-arena.c - base/arena aligns, counts and forgets.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"

static void
test_apart_and_aligned (void **state)
{
  struct arena *arena = arena_new (0);
  unsigned char *places[500];

  (void) state;
  for (size_t i = 0; i < 500; i++) {
    places[i] = arena_alloc (arena, i);
    assert_int_equal ((uintptr_t) places[i] % alignof (max_align_t), 0);
    memset (places[i], (int) (i & 255), i);
  }
  for (size_t i = 0; i < 500; i++)
    for (size_t k = 0; k < i; k++)
      assert_int_equal (places[i][k], i & 255);
  assert_ptr_not_equal (places[0], places[1]);
  arena_free (arena);
  arena_free (NULL);
}

static void
test_ceiling (void **state)
{
  struct arena *arena = arena_new (1000);
  char *text;

  (void) state;
  arena_alloc (arena, 900);
  assert_false (arena_is_over (arena));
  text = arena_alloc (arena, 100000);
  memset (text, 1, 100000);     /* still succeeds */
  assert_true (arena_is_over (arena));
  assert_true (arena_used (arena) >= 100900);
  arena_reset (arena);
  assert_false (arena_is_over (arena));
  assert_int_equal (arena_used (arena), 0);
  arena_free (arena);
}

/* A reused arena settles on one block that is large enough. */
static void
test_reset_keeps (void **state)
{
  struct arena *arena = arena_new (0);
  char *first = NULL, *again;

  (void) state;
  for (int turn = 0; turn < 10; turn++) {
    arena_reset (arena);
    first = arena_alloc (arena, 10);
    for (int i = 0; i < 100; i++)
      memset (arena_alloc (arena, 200), turn, 200);
  }
  arena_reset (arena);
  again = arena_alloc (arena, 10);
  assert_ptr_equal (again, first);
  arena_free (arena);
}

/* A large request does not waste the rest of the block in use. */
static void
test_large_has_its_own (void **state)
{
  struct arena *arena = arena_new (0);
  char *before = arena_alloc (arena, 16), *after;

  (void) state;
  memset (arena_alloc (arena, 1 << 20), 7, 1 << 20);
  after = arena_alloc (arena, 16);
  assert_ptr_equal (after, before + 16);
  arena_reset (arena);
  assert_ptr_equal (arena_alloc (arena, 1), before);
  arena_free (arena);
}

static void
test_zeroed (void **state)
{
  struct arena *arena = arena_new (0);
  unsigned char *p = arena_alloc (arena, 64);

  (void) state;
  memset (p, 255, 64);
  arena_reset (arena);
  p = arena_zeroed (arena, 8, 8);
  for (size_t i = 0; i < 64; i++)
    assert_int_equal (p[i], 0);
  assert_non_null (arena_zeroed (arena, 0, 8));
  arena_free (arena);
}

static void
test_text (void **state)
{
  struct arena *arena = arena_new (0);
  char longer[1000];

  (void) state;
  memset (longer, 'x', sizeof longer);
  longer[999] = '\0';
  assert_null (arena_strdup (arena, NULL));
  assert_null (arena_strndup (arena, NULL, 3));
  assert_string_equal (arena_strdup (arena, ""), "");
  assert_string_equal (arena_strdup (arena, "abc"), "abc");
  assert_string_equal (arena_strndup (arena, "abcdef", 3), "abc");
  assert_string_equal (arena_strndup (arena, "ab", 50), "ab");
  assert_string_equal (arena_strndup (arena, "ab", 0), "");
  assert_string_equal (arena_printf (arena, "%s-%d", "a", 5), "a-5");
  assert_string_equal (arena_printf (arena, "%s", ""), "");
  assert_string_equal (arena_printf (arena, "%s", longer), longer);
  longer[255] = '\0';
  assert_string_equal (arena_printf (arena, "%s", longer), longer);
  assert_string_equal (arena_printf (arena, "%sy", longer) + 254, "xy");
  arena_free (arena);
}

static void
test_overflow_ends (void **state)
{
  struct arena *arena = arena_new (0);
  pid_t child = fork ();
  int status;

  (void) state;
  if (child == 0) {
    close (STDERR_FILENO);
    arena_zeroed (arena, SIZE_MAX / 2, 4);
    _exit (0);
  }
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_int_equal (WEXITSTATUS (status), 71);
  arena_free (arena);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_apart_and_aligned),
    cmocka_unit_test (test_ceiling),
    cmocka_unit_test (test_reset_keeps),
    cmocka_unit_test (test_large_has_its_own),
    cmocka_unit_test (test_zeroed),
    cmocka_unit_test (test_text),
    cmocka_unit_test (test_overflow_ends),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
