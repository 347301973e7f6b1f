/* test-network.c - ranges and URLs: what is taken, what is refused.
 *
 * SPDX-License-Identifier: MIT
 */

#include "config-fixture.h"

#include "config/network.h"

struct row {
  const char *text;
  const char *reason;           /* NULL: taken */
};

#define NO_RANGE "is no range of addresses; write it like 10.1.0.0/16 or " \
                 "fd00::/8"

static const struct row ranges[] = {
  { "10.1.0.0/16", NULL }, { "127.0.0.1/32", NULL }, { "0.0.0.0/0", NULL },
  { "fd00::/8", NULL }, { "::1/128", NULL }, { "10.128.0.0/9", NULL },
  { "10.1.0.0", "has no prefix; for one address add /32" },
  { "::1", "has no prefix; for one address add /128" },
  { "10.1.2.3/16", "is an address in a range, not the range; write "
                   "10.1.0.0/16" },
  { "fd12::1/8", "is an address in a range, not the range; write fd00::/8" },
  { "10.192.0.0/9", "is an address in a range, not the range; write "
                    "10.128.0.0/9" },
  { "10.0.0.0/33", "has a prefix that is not between 0 and 32" },
  { "fd00::/129", "has a prefix that is not between 0 and 128" },
  { "10.0.0.0/", "has a prefix that is not between 0 and 32" },
  { "10.0.0.0/8x", "has a prefix that is not between 0 and 32" },
  { "10.0/8", NO_RANGE }, { "example.com/8", NO_RANGE }, { "/8", NO_RANGE },
  { "00000000000000000000000000000000000000000000000000000000001/8",
    "is no range of addresses" }
};

static void
test_ranges (void **state)
{
  (void) state;
  for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++) {
    char reason[200] = "";

    assert_int_equal (network_check_range (ranges[k].text, reason),
                      ranges[k].reason == NULL ? 0 : -1);
    assert_string_equal (reason, ranges[k].reason != NULL ? ranges[k].reason
                                                          : "");
  }
}

#define BAD_HOST "has a character in its host that no host name has"
#define NEEDS_HTTPS "must start with https://; plain http goes to this host " \
                    "(localhost, 127.0.0.1, [::1]) only"

/* With http allowed. */
static const struct row urls[] = {
  { "https://api.example", NULL }, { "HTTPS://api.example/x?y#z", NULL },
  { "https://[2001:db8::1]:8443/", NULL }, { "http://localhost:80/a", NULL },
  { "http://127.9.9.9", NULL }, { "http://[::1]:1", NULL },
  { "http://LOCALHOST", NULL }, { "https://b\xc3\xbc" "cher.example/", NULL },
  { "https://api.example/a@b", NULL },
  { "", "must start with https://" }, { "ftp://x", "must start with https://" },
  { "api.example", "must start with https://" },
  { "https:/api.example", "must start with https://" },
  { "https://", "has no host" }, { "https:///x", "has no host" },
  { "https://:80", "has no host" }, { "https://[]/", "has no host" },
  { "https://u:p@api.example", "must not hold a user or password; there are "
                               "settings for them" },
  { "https://api.example:0", "has a port that is not between 1 and 65535" },
  { "https://api.example:", "has a port that is not between 1 and 65535" },
  { "https://api.example:65536/",
    "has a port that is not between 1 and 65535" },
  { "https://[::1", "has a [ without ]" },
  { "https://[::1]x", "has something between ] and the port" },
  { "https://[fe80::1%25lo]/", "has no IPv6 address between [ and ]" },
  { "https://a%2eb/", BAD_HOST }, { "https://a{b}/", BAD_HOST },
  { "https://a b", "has a space, control character or \\ in it" },
  { "https://a\\@b", "has a space, control character or \\ in it" },
  { "https://a\r\nb", "has a space, control character or \\ in it" },
  { "http://api.example", NEEDS_HTTPS }, { "http://10.0.0.1", NEEDS_HTTPS },
  { "http://127.1", NEEDS_HTTPS }, { "http://128.0.0.1", NEEDS_HTTPS },
  { "http://localhost.example", NEEDS_HTTPS }, { "http://[::2]", NEEDS_HTTPS }
};

static void
test_urls (void **state)
{
  (void) state;
  for (size_t k = 0; k < sizeof urls / sizeof *urls; k++) {
    char reason[200] = "";

    assert_int_equal (network_check_url (urls[k].text, false, true, reason),
                      urls[k].reason == NULL ? 0 : -1);
    assert_string_equal (reason, urls[k].reason != NULL ? urls[k].reason
                                                        : "");
  }
}

static void
test_url_kinds (void **state)
{
  char reason[200];

  (void) state;
  assert_int_equal (network_check_url ("http://localhost", false, false,
                                       reason), -1);
  assert_string_equal (reason, "must start with https://, or herald.xml must "
                               "have <allow-http/> in <network>");
  assert_int_equal (network_check_url ("https://a.example/x", true, false,
                                       reason), 0);
  assert_int_equal (network_check_url ("https://a.example/x?y", true, false,
                                       reason), -1);
  assert_string_equal (reason, "must not have a query or fragment (? or #)");
  assert_int_equal (network_check_url ("https://a.example#y", true, false,
                                       reason), -1);
}

#define NO_ADDRESS "is no address and port; write it like 127.0.0.1:8414 or " \
                   "[::1]:8414"
#define BAD_PORT "has a port that is not between 1 and 65535"

static const struct row bad_addresses[] = {
  { "127.0.0.1", NO_ADDRESS }, { ":8414", NO_ADDRESS }, { "", NO_ADDRESS },
  { "localhost:8414", NO_ADDRESS }, { "127.1:8414", NO_ADDRESS },
  { "[::1]", NO_ADDRESS }, { "[::1]8414", NO_ADDRESS },
  { "[127.0.0.1]:8414", NO_ADDRESS }, { "[::1", NO_ADDRESS },
  { "[]:1", NO_ADDRESS }, { "[fe80::1%lo]:8414", NO_ADDRESS },
  { "0000000000000000000000000000000000000000000000000:1", NO_ADDRESS },
  { "127.0.0.1:", BAD_PORT }, { "127.0.0.1:0", BAD_PORT },
  { "127.0.0.1:65536", BAD_PORT }, { "127.0.0.1:http", BAD_PORT },
  { "::1:8414", NO_ADDRESS }
};

static void
test_bad_addresses (void **state)
{
  struct network_address address;

  (void) state;
  for (size_t k = 0; k < sizeof bad_addresses / sizeof *bad_addresses; k++) {
    char reason[200] = "";

    assert_int_equal (network_read_address (bad_addresses[k].text, &address,
                                            reason), -1);
    assert_string_equal (reason, bad_addresses[k].reason);
  }
}

static void
test_addresses (void **state)
{
  struct network_address address;
  char reason[200];

  (void) state;
  assert_int_equal (network_read_address ("127.3.0.1:8414", &address,
                                          reason), 0);
  assert_string_equal (address.text, "127.3.0.1:8414");
  assert_true (address.is_loopback);
  assert_int_equal (address.len, sizeof address.socket.v4);
  assert_int_equal (address.socket.any.sa_family, AF_INET);
  assert_int_equal (ntohs (address.socket.v4.sin_port), 8414);
  assert_int_equal (ntohl (address.socket.v4.sin_addr.s_addr), 0x7f030001);
  assert_int_equal (network_read_address ("[0:0::1]:65535", &address,
                                          reason), 0);
  assert_string_equal (address.text, "[::1]:65535");
  assert_true (address.is_loopback);
  assert_int_equal (address.len, sizeof address.socket.v6);
  assert_int_equal (address.socket.any.sa_family, AF_INET6);
  assert_int_equal (ntohs (address.socket.v6.sin6_port), 65535);
  assert_int_equal (network_read_address ("0.0.0.0:1", &address, reason), 0);
  assert_false (address.is_loopback);
  assert_int_equal (network_read_address ("[::]:1", &address, reason), 0);
  assert_false (address.is_loopback);
  assert_string_equal (address.text, "[::]:1");
}

static void
test_long_url (void **state)
{
  char url[2100], reason[200];

  (void) state;
  memset (url, 'x', sizeof url);
  memcpy (url, "https://a.example/", 18);
  url[2048] = '\0';
  assert_int_equal (network_check_url (url, false, false, reason), 0);
  url[2048] = 'x';
  url[2049] = '\0';
  assert_int_equal (network_check_url (url, false, false, reason), -1);
  assert_string_equal (reason, "is longer than 2048 bytes");
  url[300] = '\0';
  memset (url + 8, 'x', 292);
  assert_int_equal (network_check_url (url, false, false, reason), -1);
  assert_string_equal (reason, "has a host of more than 253 bytes");
}

static const struct row proxies[] = {
  { "http://proxy:3128", NULL }, { "https://proxy/", NULL },
  { "socks5://10.0.0.1:1080", NULL }, { "socks5h://[::1]:1080", NULL },
  { "proxy:3128", "must start with http://, https://, socks5:// or "
                  "socks5h://" },
  { "http://proxy/path", "must end after host and port" },
  { "http://u:p@proxy", "must not hold a user or password; there are "
                        "settings for them" },
  { "http://", "has no host" }, { "http://a,b", BAD_HOST }
};

static void
test_proxies (void **state)
{
  (void) state;
  for (size_t k = 0; k < sizeof proxies / sizeof *proxies; k++) {
    char reason[200] = "";

    assert_int_equal (network_check_proxy (proxies[k].text, reason),
                      proxies[k].reason == NULL ? 0 : -1);
    assert_string_equal (reason, proxies[k].reason != NULL
                                 ? proxies[k].reason : "");
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_ranges), cmocka_unit_test (test_urls),
    cmocka_unit_test (test_url_kinds), cmocka_unit_test (test_long_url),
    cmocka_unit_test (test_bad_addresses),
    cmocka_unit_test (test_addresses),
    cmocka_unit_test (test_proxies),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
