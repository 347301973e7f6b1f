/* test-catalogue.c - event/catalogue knows 43 fields and what was meant.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "event/catalogue.h"

static void
test_built_in (void **state)
{
  static const char *const some[][2] = {
    { "address", "Postal Address" },  { "cp", "Postal Code" },
    { "dob", "Date of Birth" },       { "town", "City" },
    { "customText", "Custom Text Field" },
    { "optinNewsletter", "Newsletter Opt-In" },
    { "profil", "Profile" },          { "selectValue2", "Select Value 2" },
    { "updatedAtTimeStamp", "Updated At Timestamp" },
    { "website", "Website Address" },
  };
  struct catalogue *catalogue = catalogue_new ();

  (void) state;
  assert_int_equal (catalogue_count (catalogue), 43);
  for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
    const struct catalogue_field *field
      = catalogue_find (catalogue, some[i][0], strlen (some[i][0]));

    assert_non_null (field);
    assert_string_equal (field->label, some[i][1]);
  }
  assert_null (catalogue_at (catalogue, 43));
  catalogue_free (catalogue);
  catalogue_free (NULL);
}

/* Each key and each label is there once. */
static void
test_unique (void **state)
{
  struct catalogue *catalogue = catalogue_new ();

  (void) state;
  for (size_t i = 0; i < 43; i++)
    for (size_t k = 0; k < i; k++) {
      const struct catalogue_field *a = catalogue_at (catalogue, i);
      const struct catalogue_field *b = catalogue_at (catalogue, k);

      assert_string_not_equal (a->key, b->key);
      assert_string_not_equal (a->label, b->label);
    }
  catalogue_free (catalogue);
}

static void
test_find_is_exact (void **state)
{
  struct catalogue *catalogue = catalogue_new ();

  (void) state;
  assert_non_null (catalogue_find (catalogue, "emailXX", 5));
  assert_null (catalogue_find (catalogue, "emai", 4));
  assert_null (catalogue_find (catalogue, "Email", 5));
  assert_null (catalogue_find (catalogue, "email\0", 6));
  assert_null (catalogue_find (catalogue, "", 0));
  catalogue_free (catalogue);
}

static void
test_add (void **state)
{
  struct catalogue *catalogue = catalogue_new ();
  char key[66];
  const struct catalogue_field *field;

  (void) state;
  assert_int_equal (catalogue_add (catalogue, "shoeSize", "Shoe Size"), 0);
  field = catalogue_find (catalogue, "shoeSize", 8);
  assert_string_equal (field->label, "Shoe Size");
  assert_int_equal (catalogue_add (catalogue, "shoeSize", "x"), -1);
  assert_int_equal (catalogue_add (catalogue, "email", "x"), -1);
  assert_int_equal (catalogue_add (catalogue, "", "x"), -1);
  assert_int_equal (catalogue_add (catalogue, "1st", "x"), -1);
  assert_int_equal (catalogue_add (catalogue, "_a", "x"), -1);
  assert_int_equal (catalogue_add (catalogue, "a-b", "x"), -1);
  assert_int_equal (catalogue_add (catalogue, "a b", "x"), -1);
  assert_int_equal (catalogue_add (catalogue, "a.b", "x"), -1);
  assert_int_equal (catalogue_add (catalogue, "é", "x"), -1);
  memset (key, 'k', 65);
  key[65] = '\0';
  assert_int_equal (catalogue_add (catalogue, key, "x"), -1);
  key[64] = '\0';
  assert_int_equal (catalogue_add (catalogue, key, "x"), 0);
  for (int i = 0; i < 200; i++) {
    char name[] = { 'z', (char) ('A' + i % 26), (char) ('a' + i / 26), 0 };

    assert_int_equal (catalogue_add (catalogue, name, NULL), 0);
  }
  /* A field found before others came is still good. */
  assert_string_equal (field->key, "shoeSize");
  assert_int_equal (catalogue_count (catalogue), 43 + 2 + 200);
  catalogue_free (catalogue);
}

static void
test_nearest (void **state)
{
  static const char *const meant[][2] = {
    { "fistName", "firstName" },     { "firstname", "firstName" },
    { "first_name", "firstName" },   { "First Name", "firstName" },
    { "e-mail", "email" },           { "City", "town" },
    { "postal code", "cp" },         { "Date of birth", "dob" },
    { "lastNam", "lastName" },
  };
  struct catalogue *catalogue = catalogue_new ();

  (void) state;
  for (size_t i = 0; i < sizeof meant / sizeof meant[0]; i++)
    assert_string_equal (catalogue_nearest (catalogue, meant[i][0]),
                         meant[i][1]);
  assert_null (catalogue_nearest (catalogue, "quixoticZebra"));
  assert_null (catalogue_nearest (catalogue, ""));
  assert_null (catalogue_nearest (catalogue, "--"));
  catalogue_free (catalogue);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_built_in),
    cmocka_unit_test (test_unique),
    cmocka_unit_test (test_find_is_exact),
    cmocka_unit_test (test_add),
    cmocka_unit_test (test_nearest),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
