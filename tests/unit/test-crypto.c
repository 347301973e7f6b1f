/* test-crypto.c - base/crypto agrees with the published vectors.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

static void
assert_hex (const void *bytes, size_t len, const char *expected)
{
  struct buf out = BUF_INIT (0);

  crypto_add_hex (&out, bytes, len);
  assert_string_equal (out.data, expected);
  buf_done (&out);
}

/* FIPS 180-2, appendix B. */
static void
test_sha256 (void **state)
{
  unsigned char hash[CRYPTO_SHA256_LEN];
  char *million = malloc (1000000);

  (void) state;
  crypto_sha256 ("", 0, hash);
  assert_hex (hash, 32, "e3b0c44298fc1c149afbf4c8996fb924"
                        "27ae41e4649b934ca495991b7852b855");
  crypto_sha256 ("abc", 3, hash);
  assert_hex (hash, 32, "ba7816bf8f01cfea414140de5dae2223"
                        "b00361a396177a9cb410ff61f20015ad");
  memset (million, 'a', 1000000);
  crypto_sha256 (million, 1000000, hash);
  assert_hex (hash, 32, "cdc76e5c9914fb9281a1c7e284d73e67"
                        "f1809a48a497200e046d39ccc7112cd0");
  free (million);
}

/* RFC 4231. */
static void
test_hmac (void **state)
{
  unsigned char mac[CRYPTO_SHA256_LEN], key[131];

  (void) state;
  memset (key, 0x0b, 20);
  crypto_hmac_sha256 (key, 20, "Hi There", 8, mac);
  assert_hex (mac, 32, "b0344c61d8db38535ca8afceaf0bf12b"
                       "881dc200c9833da726e9376c2e32cff7");
  crypto_hmac_sha256 ("Jefe", 4, "what do ya want for nothing?", 28, mac);
  assert_hex (mac, 32, "5bdcc146bf60754e6a042426089575c7"
                       "5a003f089d2739839dec58b964ec3843");
  memset (key, 0xaa, sizeof key);
  crypto_hmac_sha256 (key, sizeof key,
                      "Test Using Larger Than Block-Size Key - "
                      "Hash Key First", 54, mac);
  assert_hex (mac, 32, "60e431591ee0b67f0d8a26aacbf5b77f"
                       "8e0bc6213728c5140546040f0ee37f54");
  crypto_hmac_sha256 (NULL, 0, "", 0, mac);
  assert_hex (mac, 32, "b613679a0814d9ec772f95d778c35fc5"
                       "ff1697c493715653c6c712144292c5ad");
}

static void
test_random (void **state)
{
  unsigned char bytes[1000] = { 0 }, others[1000];
  size_t n_zero = 0;

  (void) state;
  crypto_random (bytes, sizeof bytes);
  crypto_random (others, sizeof others);
  assert_memory_not_equal (bytes, others, 16);
  assert_memory_not_equal (bytes + 984, others + 984, 16);
  for (size_t i = 0; i < sizeof bytes; i++)
    n_zero += bytes[i] == 0;
  assert_true (n_zero < 50);
  bytes[0] = 7;
  crypto_random (bytes, 0);
  assert_int_equal (bytes[0], 7);
}

/* RFC 4648, section 10. */
static void
test_base64 (void **state)
{
  static const char *const pairs[][2] = {
    { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xfe", "+//+" },
  };
  struct buf out = BUF_INIT (0);

  (void) state;
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    const char *bytes = pairs[i][0], *text = pairs[i][1];
    size_t len = strlen (text);

    buf_clear (&out);
    crypto_add_base64 (&out, bytes, strlen (bytes));
    assert_string_equal (out.data, text);
    buf_clear (&out);
    assert_int_equal (crypto_add_unbase64 (&out, text, len), 0);
    assert_string_equal (out.data, bytes);
    /* Without padding too. */
    while (len > 0 && text[len - 1] == '=')
      len--;
    buf_clear (&out);
    assert_int_equal (crypto_add_unbase64 (&out, text, len), 0);
    assert_string_equal (out.data, bytes);
    assert_int_equal (out.len, strlen (bytes));
  }
  buf_clear (&out);
  assert_int_equal (crypto_add_unbase64 (&out, "-__-", 4), 0);
  assert_string_equal (out.data, "\xfb\xff\xfe");
  buf_done (&out);
}

static void
test_not_base64 (void **state)
{
  static const char *const wrong[] = {
    "A", "AAAAA", "Zg=", "Zg===", "=", "==", "====", "Zg==Zg==", "Z=g=",
    "Zm9v=", "Zm9v====", "Zm 9", "Zm9v\n", "Zm.v", "+_AA", "-/AA",
    "Zh==", "Zm9=", "Zh", "\xc3\xa9==",
  };
  struct buf out = BUF_INIT (0);

  (void) state;
  buf_add_text (&out, "before");
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    if (crypto_add_unbase64 (&out, wrong[i], strlen (wrong[i])) != -1)
      fail_msg ("\"%s\" is read", wrong[i]);
  assert_string_equal (out.data, "before");
  buf_done (&out);
}

static void
test_encodings_meet_the_ceiling (void **state)
{
  struct buf out = BUF_INIT (7);

  (void) state;
  crypto_add_base64 (&out, "foobar", 6);
  assert_true (out.is_over);
  assert_string_equal (out.data, "");
  buf_clear (&out);
  crypto_add_hex (&out, "foob", 4);
  assert_true (out.is_over);
  buf_clear (&out);
  crypto_add_hex (&out, "foo", 3);
  assert_string_equal (out.data, "666f6f");
  buf_done (&out);
}

static void
test_uuids (void **state)
{
  static const char form[] = "xxxxxxxx-xxxx-8xxx-vxxx-xxxxxxxxxxxx";
  char uuid[CRYPTO_UUID_LEN + 1], same[CRYPTO_UUID_LEN + 1];

  (void) state;
  crypto_uuid_of ("event/crm", 9, uuid);
  crypto_uuid_of ("event/crm", 9, same);
  assert_string_equal (uuid, same);
  crypto_uuid_of ("event/crn", 9, same);
  assert_string_not_equal (uuid, same);
  for (size_t i = 0; i < CRYPTO_UUID_LEN; i++) {
    if (form[i] == 'x')
      assert_non_null (strchr ("0123456789abcdef", uuid[i]));
    else if (form[i] == 'v')
      assert_non_null (strchr ("89ab", uuid[i]));
    else
      assert_int_equal (uuid[i], form[i]);
  }
  assert_int_equal (uuid[CRYPTO_UUID_LEN], 0);
  /* Kept for good: idempotency keys are made of it. */
  crypto_uuid_of ("abc", 3, uuid);
  assert_string_equal (uuid, "ba7816bf-8f01-8fea-8141-40de5dae2223");
  crypto_uuid_random (uuid);
  crypto_uuid_random (same);
  assert_string_not_equal (uuid, same);
  assert_int_equal (uuid[14], '4');
  assert_non_null (strchr ("89ab", uuid[19]));
}

static void
test_equal (void **state)
{
  (void) state;
  assert_true (crypto_equal ("abc", "abd", 2));
  assert_false (crypto_equal ("abc", "abd", 3));
  assert_true (crypto_equal ("a", "b", 0));
}

enum { THREAD_TURNS = 20000 };

static void *
digest_often (void *data)
{
  const unsigned char *expected = data;
  unsigned char hash[CRYPTO_SHA256_LEN];
  size_t n_wrong = 0;

  for (int i = 0; i < THREAD_TURNS; i++) {
    crypto_sha256 ("abc", 3, hash);
    n_wrong += memcmp (hash, expected, sizeof hash) != 0;
  }
  return n_wrong == 0 ? data : NULL;
}

/* Of several threads at once each gets its own digest. */
static void
test_threads (void **state)
{
  unsigned char expected[CRYPTO_SHA256_LEN];
  pthread_t threads[3];
  void *result;

  (void) state;
  crypto_sha256 ("abc", 3, expected);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal (pthread_create (&threads[i], NULL, digest_often,
                                      expected), 0);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal (pthread_join (threads[i], &result), 0);
    assert_ptr_equal (result, expected);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_sha256),
    cmocka_unit_test (test_hmac),
    cmocka_unit_test (test_random),
    cmocka_unit_test (test_base64),
    cmocka_unit_test (test_not_base64),
    cmocka_unit_test (test_encodings_meet_the_ceiling),
    cmocka_unit_test (test_uuids),
    cmocka_unit_test (test_equal),
    cmocka_unit_test (test_threads),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
