/* test-guard.c - which addresses may be reached.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "transport/guard.h"

static int
check (const struct guard *guard, const char *text, char reason[200])
{
  struct sockaddr_in in = { .sin_family = AF_INET };
  struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

  reason[0] = '\0';
  if (inet_pton (AF_INET, text, &in.sin_addr) == 1)
    return guard_check (guard, (struct sockaddr *) &in, sizeof in, reason);
  assert_int_equal (inet_pton (AF_INET6, text, &in6.sin6_addr), 1);
  return guard_check (guard, (struct sockaddr *) &in6, sizeof in6, reason);
}

static void
test_refused (void **state)
{
  static const struct {
    const char *address, *what, *cidr;
  } cases[] = {
    { "0.0.0.0", "this network", "0.0.0.0/8" },
    { "0.1.2.3", "this network", "0.0.0.0/8" },
    { "10.255.255.255", "private", "10.0.0.0/8" },
    { "100.64.0.1", "carrier-grade", "100.64.0.0/10" },
    { "100.127.255.255", "carrier-grade", "100.64.0.0/10" },
    { "127.0.0.1", "loopback", "127.0.0.0/8" },
    { "127.255.0.1", "loopback", "127.0.0.0/8" },
    { "168.63.129.16", "metadata", "168.63.129.16/32" },
    { "169.254.169.254", "link-local", "169.254.0.0/16" },
    { "172.16.0.1", "private", "172.16.0.0/12" },
    { "172.31.255.255", "private", "172.16.0.0/12" },
    { "192.0.0.8", "reserved", "192.0.0.0/24" },
    { "192.0.2.1", "documentation", "192.0.2.0/24" },
    { "192.88.99.1", "reserved", "192.88.99.0/24" },
    { "192.168.1.1", "private", "192.168.0.0/16" },
    { "198.19.255.255", "benchmarking", "198.18.0.0/15" },
    { "198.51.100.1", "documentation", "198.51.100.0/24" },
    { "203.0.113.1", "documentation", "203.0.113.0/24" },
    { "224.0.0.1", "multicast", "224.0.0.0/4" },
    { "239.255.255.255", "multicast", "224.0.0.0/4" },
    { "240.0.0.1", "reserved", "240.0.0.0/4" },
    { "255.255.255.255", "broadcast", "255.255.255.255/32" },
    { "::", "this network", "::/128" },
    { "::1", "loopback", "::1/128" },
    { "100::1", "reserved", "100::/64" },
    { "2001:2::1", "benchmarking", "2001:2::/48" },
    { "2001:10::1", "reserved", "2001:10::/28" },
    { "2001:20::1", "reserved", "2001:20::/28" },
    { "2001:db8::1", "documentation", "2001:db8::/32" },
    { "3fff:fff::1", "documentation", "3fff::/20" },
    { "fc00::1", "unique local", "fc00::/7" },
    { "fd00:ec2::254", "unique local", "fc00::/7" },
    { "fe80::1", "link-local", "fe80::/10" },
    { "febf::1", "link-local", "fe80::/10" },
    { "fec0::1", "site-local", "fec0::/10" },
    { "ff02::1", "multicast", "ff00::/8" },
    { "4000::1", "reserved", "4000::1/128" },
    { "5f00::1", "reserved", "5f00::1/128" },
    { "::ffff:127.0.0.1", "loopback", "127.0.0.0/8" },
    { "::ffff:169.254.169.254", "link-local", "169.254.0.0/16" },
    { "::127.0.0.1", "loopback", "127.0.0.0/8" },
    { "::ffff:0:10.0.0.1", "private", "10.0.0.0/8" },
    { "64:ff9b::10.0.0.1", "private", "10.0.0.0/8" },
    { "64:ff9b:1::", "this network", "0.0.0.0/8" },
    { "64:ff9b:1::10.0.0.1", "private", "10.0.0.0/8" },
    { "64:ff9b:1:a00:0:100::", "private", "10.0.0.0/8" },
    { "2002:7f00:1::", "loopback", "127.0.0.0/8" },
    { "2002:a9fe:a9fe::1", "link-local", "169.254.0.0/16" },
    { "2001:0:808:808:0:0:80ff:fffe", "loopback", "127.0.0.0/8" },
    { "2001:0:a00:1:0:0:f7f7:f7f7", "private", "10.0.0.0/8" },
  };
  char reason[200], allow[80];
  struct guard *guard = guard_new (NULL, 0, reason);

  (void) state;
  assert_non_null (guard);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf (allow, sizeof allow, "<allow cidr=\"%s\"/>", cases[i].cidr);
    if (check (guard, cases[i].address, reason) == 0
        || !strstr (reason, cases[i].what) || !strstr (reason, allow))
      fail_msg ("%s: \"%s\"", cases[i].address, reason);
    assert_int_equal (guard_check_cidr (cases[i].cidr, reason), 0);
  }
  guard_free (guard);
}

static void
test_message (void **state)
{
  char reason[200];
  struct guard *guard = guard_new (NULL, 0, reason);

  (void) state;
  assert_int_equal (check (guard, "127.0.0.1", reason), -1);
  assert_string_equal (reason, "127.0.0.1 is a loopback address; allow it in "
                       "herald.xml: <allow cidr=\"127.0.0.0/8\"/>");
  assert_int_equal (check (guard, "::ffff:127.0.0.1", reason), -1);
  assert_string_equal (reason,
                       "::ffff:127.0.0.1 holds an IPv4 address: 127.0.0.1 is "
                       "a loopback address; allow it in herald.xml: "
                       "<allow cidr=\"127.0.0.0/8\"/>");
  guard_free (guard);
}

static void
test_public (void **state)
{
  static const char *const addresses[] = {
    "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.1", "169.253.255.255", "172.15.255.255",
    "172.32.0.0", "192.0.1.1", "192.167.255.255", "198.17.255.255",
    "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
    "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
    "64:ff9b:1::8.8.8.8", "64:ff9b:1:808:8:800::",
    "2002:808:808::1",
    "2001:0:808:808:0:0:f7f7:f7f7"
  };
  char reason[200];
  struct guard *guard = guard_new (NULL, 0, reason);

  (void) state;
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
    if (check (guard, addresses[i], reason) != 0)
      fail_msg ("%s: \"%s\"", addresses[i], reason);
  guard_free (guard);
}

static void
test_allowed (void **state)
{
  static const char *const allowed[] = { "10.1.0.0/16", "fd00::/8",
                                         "127.0.0.1/32", "4000::/3" };
  char reason[200];
  struct guard *guard = guard_new (allowed, 4, reason);

  (void) state;
  assert_non_null (guard);
  assert_int_equal (check (guard, "10.1.2.3", reason), 0);
  assert_int_equal (check (guard, "10.2.0.0", reason), -1);
  assert_int_equal (check (guard, "::ffff:10.1.2.3", reason), 0);
  assert_int_equal (check (guard, "64:ff9b::10.1.2.3", reason), 0);
  assert_int_equal (check (guard, "::ffff:10.2.2.3", reason), -1);
  assert_int_equal (check (guard, "127.0.0.1", reason), 0);
  assert_int_equal (check (guard, "127.0.0.2", reason), -1);
  assert_int_equal (check (guard, "::1", reason), -1);
  assert_int_equal (check (guard, "fd12::1", reason), 0);
  assert_int_equal (check (guard, "fc12::1", reason), -1);
  assert_int_equal (check (guard, "5f00::1", reason), 0);
  guard_free (guard);
}

static void
test_cidr (void **state)
{
  static const char *const good[] = { "0.0.0.0/0", "10.1.0.0/16", "::/0",
                                      "fd00::/8", "1.2.3.4/32", "::1/128",
                                      "10.128.0.0/9" };
  static const char *const bad[] = { "", "/", "10.0.0.0", "10.0.0.0/",
                                     "10.0.0.0/33", "10.0.0.0/-1",
                                     "10.0.0.0/8 ", "10.0.0/8", "::/129",
                                     "localhost/8", "10.0.0.0/+8",
                                     "10.0.0.0/8/8" };
  static const char *const allowed[] = { "10.0.0.0/8", "10.1.2.3/16" };
  char reason[200];

  (void) state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    if (guard_check_cidr (good[i], reason) < 0)
      fail_msg ("%s: %s", good[i], reason);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    if (guard_check_cidr (bad[i], reason) == 0)
      fail_msg ("%s is taken", bad[i]);
  assert_int_equal (guard_check_cidr ("10.1.2.3/16", reason), -1);
  assert_non_null (strstr (reason, "10.1.0.0/16"));
  assert_null (guard_new (allowed, 2, reason));
  assert_non_null (strstr (reason, "allowed network 2"));
  assert_non_null (strstr (reason, "10.1.0.0/16"));
}

static void
test_other_families (void **state)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  struct sockaddr_in in = { .sin_family = AF_INET };
  char reason[200];
  struct guard *guard = guard_new (NULL, 0, reason);

  (void) state;
  assert_int_equal (guard_check (guard, (struct sockaddr *) &address,
                                 sizeof address, reason), -1);
  assert_int_equal (inet_pton (AF_INET, "1.1.1.1", &in.sin_addr), 1);
  assert_int_equal (guard_check (guard, (struct sockaddr *) &in, 4, reason),
                    -1);
  guard_free (guard);
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_refused), cmocka_unit_test (test_message),
    cmocka_unit_test (test_public), cmocka_unit_test (test_allowed),
    cmocka_unit_test (test_cidr), cmocka_unit_test (test_other_families)
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
