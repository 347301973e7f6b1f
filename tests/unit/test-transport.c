/* test-transport.c - requests out, replies in, against servers on
 * loopback that behave and that don't.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/date.h"
#include "loopback.h"
#include "transport/transport.h"

enum { MAX_REPLY = 4096 };

static int http_port, smtp_port;

struct world {
  struct loop *loop;
  struct guard *guard;
  struct transport *transport;
};

/* What came back, copied, as a reply lives only in its callback. */
struct answer {
  int n;                        /* how often done was called */
  struct transport_reply reply;
  char body[MAX_REPLY + 1];
  char error[600];
  char retry_after[50];
  struct world *world;          /* to act in the callback */
  struct transport_request *again;
  struct answer *again_answer;
  struct transfer *victim;
};

static void
note (void *data, const struct transport_reply *reply)
{
  struct answer *answer = data;

  answer->n++;
  answer->reply = *reply;
  assert_int_equal (strlen (reply->body), reply->body_len);
  assert_true (reply->body_len <= MAX_REPLY);
  memcpy (answer->body, reply->body, reply->body_len + 1);
  snprintf (answer->error, sizeof answer->error, "%s", reply->error);
  for (size_t i = 0; i < reply->n_headers; i++)
    if (!strcmp (reply->headers[i].name, "retry-after"))
      snprintf (answer->retry_after, sizeof answer->retry_after, "%s",
                reply->headers[i].value);
  if (answer->again)
    transport_send (answer->world->transport, answer->again, note,
                    answer->again_answer);
  if (answer->victim)
    transport_cancel (answer->world->transport, answer->victim);
}

static void
world_open (struct world *world, const char *allowed, const char *proxy)
{
  struct transport_config config = { .max_reply = MAX_REPLY,
                                     .max_connections = 400,
                                     .proxy = proxy };
  char reason[200];

  world->loop = loop_new ();
  world->guard = guard_new (&allowed, allowed ? 1 : 0, reason);
  config.guard = world->guard;
  world->transport = transport_new (world->loop, &config, reason);
  if (!world->transport)
    fail_msg ("%s", reason);
}

static void
world_close (struct world *world)
{
  transport_free (world->transport);
  guard_free (world->guard);
  loop_free (world->loop);
}

static int
setup (void **state)
{
  static struct world world;

  world_open (&world, "127.0.0.0/8", NULL);
  *state = &world;
  return 0;
}

static int
teardown (void **state)
{
  world_close (*state);
  return 0;
}

static void
world_run (struct world *world)
{
  int64_t end_us = date_monotonic_us () + 20000000;

  while (transport_in_flight (world->transport) > 0) {
    loop_turn (world->loop, 100);
    if (date_monotonic_us () > end_us)
      fail_msg ("still on its way after 20 s");
  }
}

static const char *
url_of (int port, const char *scheme, const char *path)
{
  static char urls[8][200];
  static int next;
  char *url = urls[next++ % 8];

  snprintf (url, sizeof urls[0], "%s://127.0.0.1:%d%s", scheme, port, path);
  return url;
}

static struct answer
get (struct world *world, const char *path)
{
  struct answer answer = { 0 };
  struct transport_request request = {
    .method = "GET", .url = url_of (http_port, "http", path), .total_ms = 300
  };

  transport_send (world->transport, &request, note, &answer);
  assert_int_equal (answer.n, 0);
  world_run (world);
  assert_int_equal (answer.n, 1);
  return answer;
}

static void
test_post (void **state)
{
  static const struct transport_header headers[] = {
    { "Content-Type", "application/json" }, { "X-Empty", "" },
    { "X-Folded", "a b" }, { "Content-Length", "999" },
    { "user-agent", "other/1" }
  };
  struct world *world = *state;
  struct answer answer = { 0 };
  struct transport_request request = {
    .method = "POST", .url = url_of (http_port, "http", "/a/../b?x=1"),
    .headers = headers, .n_headers = 4, .body = "{\"a\":1}", .body_len = 7
  };
  int connections = loopback_connections;

  for (int i = 0; i < 20; i++) {
    transport_send (world->transport, &request, note, &answer);
    assert_int_equal (transport_in_flight (world->transport), 1);
    world_run (world);
  }
  assert_int_equal (answer.n, 20);
  assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
  assert_int_equal (answer.reply.status, 200);
  assert_int_equal (answer.reply.stage, TRANSPORT_STAGE_DONE);
  assert_string_equal (answer.error, "");
  assert_int_equal (loopback_connections - connections, 1);
  assert_non_null (strstr (answer.body, "POST /a/../b?x=1 HTTP/1.1\r\n"));
  assert_non_null (strstr (answer.body, "\r\nX-Empty:"));
  assert_non_null (strstr (answer.body, "\r\nContent-Length: 7\r\n"));
  assert_non_null (strstr (answer.body, "\r\nUser-Agent: herald/"));
  assert_non_null (strstr (answer.body, "\r\n\r\n{\"a\":1}"));
  assert_null (strstr (answer.body, "Accept-Encoding"));

  request.n_headers = 5;
  transport_send (world->transport, &request, note, &answer);
  world_run (world);
  assert_non_null (strstr (answer.body, "\r\nuser-agent: other/1\r\n"));
  assert_null (strstr (answer.body, "herald/"));
}

/* The same handle serves each method in turn: nothing sticks. */
static void
test_methods (void **state)
{
  static const struct {
    const char *method, *body, *expected, *unexpected;
  } cases[] = {
    { "GET", NULL, "GET /", "Content-Length" },
    { "POST", NULL, "\r\nContent-Length: 0\r\n", "Content-Type" },
    { "PUT", "x", "PUT / HTTP/1.1", "Content-Type" },
    { "GET", NULL, "GET /", "Content-Length" },
    { "PATCH", NULL, "\r\nContent-Length: 0\r\n", "Expect" },
    { "DELETE", NULL, "DELETE /", "Content-Length" },
    { "HEAD", NULL, "", "x" },
    { "POST", "yy", "\r\n\r\nyy", "Expect" },
    { "DELETE", "z", "\r\nContent-Length: 1\r\n", "Expect" },
    { "HEAD", NULL, "", "x" },
    { "GET", NULL, "GET /", "Content-Length" },
  };
  struct world *world = *state;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct answer answer = { 0 };
    struct transport_request request = {
      .method = cases[i].method, .url = url_of (http_port, "http", "/"),
      .body = cases[i].body,
      .body_len = cases[i].body ? strlen (cases[i].body) : 0
    };

    transport_send (world->transport, &request, note, &answer);
    world_run (world);
    assert_int_equal (answer.reply.status, 200);
    if (!strstr (answer.body, cases[i].expected)
        || strstr (answer.body, cases[i].unexpected))
      fail_msg ("%s (%zu): %s", cases[i].method, i, answer.body);
  }
}

static void
test_large_body (void **state)
{
  struct world *world = *state;
  struct answer answer = { 0 };
  struct transport_request request = {
    .method = "POST", .url = url_of (http_port, "http", "/"),
    .body_len = 60000
  };
  char *body = malloc (request.body_len);

  memset (body, 'b', request.body_len);
  request.body = body;
  transport_send (world->transport, &request, note, &answer);
  world_run (world);
  assert_int_equal (answer.reply.status, 200);
  assert_null (strstr (answer.body, "Expect"));
  assert_int_equal (strlen (strstr (loopback_last, "\r\n\r\n")), 60004);
  free (body);
}

static void
test_broken (void **state)
{
  struct world *world = *state;
  struct answer answer = get (world, "/half");

  assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
  assert_int_equal (answer.reply.status, 200);
  assert_true (answer.reply.is_truncated);
  assert_string_equal (answer.body, "half");

  answer = get (world, "/halfhead");
  assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
  assert_int_equal (answer.reply.status, 503);
  assert_true (answer.reply.is_truncated);

  answer = get (world, "/stall");
  assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
  assert_int_equal (answer.reply.status, 200);
  assert_true (answer.reply.is_truncated);

  answer = get (world, "/reset");
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_int_equal (answer.reply.status, 0);
  assert_true (answer.reply.is_maybe_sent);
  assert_non_null (strstr (answer.error, "closed the connection"));

  answer = get (world, "/garbage");
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
}

static void
test_slow (void **state)
{
  struct answer answer = get (*state, "/slow?token=hidden");

  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_true (answer.reply.is_maybe_sent);
  assert_true (answer.reply.elapsed_us > 250000);
  assert_non_null (strstr (answer.error, "no answer from 127.0.0.1:"));
  assert_non_null (strstr (answer.error, "in 300 ms"));
  assert_null (strstr (answer.error, "hidden"));
}

static void
test_huge (void **state)
{
  struct world *world = *state;
  struct answer answer = get (world, "/huge");

  assert_int_equal (answer.reply.status, 200);
  assert_true (answer.reply.is_truncated);
  assert_int_equal (answer.reply.body_len, MAX_REPLY);
  assert_int_equal (strlen (answer.body), MAX_REPLY);

  answer = get (world, "/many");
  assert_int_equal (answer.reply.status, 200);
  assert_int_equal (answer.reply.n_headers, 100);

  answer = get (world, "/endless");
  assert_int_equal (answer.reply.status, 200);
  assert_true (answer.reply.is_truncated);
}

static void
test_headers (void **state)
{
  struct world *world = *state;
  struct answer answer = get (world, "/hints");

  assert_int_equal (answer.reply.status, 429);
  assert_string_equal (answer.retry_after, "7");
  assert_int_equal (answer.reply.n_headers, 3);
  assert_string_equal (answer.body, "no");

  answer = get (world, "/trailers");
  assert_string_equal (answer.body, "hi");
  assert_int_equal (answer.reply.n_headers, 1);

  answer = get (world, "/redirect");
  assert_int_equal (answer.reply.status, 302);
  assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
}

/* A server that closes a kept connection costs no request. */
static void
test_closed_while_idle (void **state)
{
  struct world *world = *state;

  for (int i = 0; i < 3; i++) {
    struct answer answer = get (world, "/goodbye");
    int64_t end_us = date_monotonic_us () + 30000;

    assert_int_equal (answer.reply.status, 200);
    while (date_monotonic_us () < end_us)
      loop_turn (world->loop, 5);
  }
}

static void
test_nobody_there (void **state)
{
  struct world *world = *state;
  struct answer answer = { 0 };
  struct transport_request request = {
    .method = "GET",
    .url = url_of (loopback_dead_port (), "http", "/secret")
  };

  transport_send (world->transport, &request, note, &answer);
  world_run (world);
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_false (answer.reply.is_maybe_sent);
  assert_non_null (strstr (answer.error, "nothing listens at 127.0.0.1:"));

  request.url = "http://no-such-host.invalid/secret";
  transport_send (world->transport, &request, note, &answer);
  world_run (world);
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_string_equal (answer.error,
                       "could not resolve host no-such-host.invalid");
}

static void
test_bad_requests (void **state)
{
  static const struct transport_header split[] = { { "X", "a\r\nY: b" } };
  static const char *const urls[] = { "http://", "gopher://127.0.0.1/",
                                      "http://user:pass@127.0.0.1/" };
  struct world *world = *state;
  struct transport_request request = {
    .method = "GET", .url = url_of (http_port, "http", "/"),
    .headers = split, .n_headers = 1
  };
  struct answer answer = { 0 };
  int requests = loopback_requests;

  transport_send (world->transport, &request, note, &answer);
  assert_int_equal (answer.n, 0);
  world_run (world);
  assert_int_equal (answer.n, 1);
  assert_int_equal (answer.reply.result, TRANSPORT_REFUSED);
  assert_non_null (strstr (answer.error, "line end"));
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    struct transport_request bad = { .method = "GET", .url = urls[i] };

    transport_send (world->transport, &bad, note, &answer);
    world_run (world);
    if (answer.reply.result != TRANSPORT_REFUSED
        || strstr (answer.error, "pass"))
      fail_msg ("%s: %s", urls[i], answer.error);
  }
  assert_int_equal (loopback_requests, requests);
}

static void
test_guard (void **state)
{
  struct world world;
  struct answer answer;
  char proxy[100];

  (void) state;
  world_open (&world, NULL, NULL);
  answer = get (&world, "/");
  assert_int_equal (answer.reply.result, TRANSPORT_REFUSED);
  assert_false (answer.reply.is_maybe_sent);
  assert_string_equal (answer.error, "127.0.0.1 may not be reached: 127.0.0.1 "
                       "is a loopback address; allow it in herald.xml: "
                       "<allow cidr=\"127.0.0.0/8\"/>");
  world_close (&world);

  /* The proxy itself may be anywhere. */
  snprintf (proxy, sizeof proxy, "http://127.0.0.1:%d", http_port);
  world_open (&world, NULL, proxy);
  answer = get (&world, "/proxied");
  assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
  assert_non_null (strstr (answer.body, "GET http://127.0.0.1:"));
  world_close (&world);
}

static void
test_proxy_refuses (void **state)
{
  struct world world;
  struct answer answer = { 0 };
  struct transport_request request = {
    .method = "GET", .url = "https://no.example/secret"
  };
  char proxy[100];

  (void) state;
  snprintf (proxy, sizeof proxy, "http://me:hidden@127.0.0.1:%d", http_port);
  world_open (&world, NULL, proxy);
  transport_send (world.transport, &request, note, &answer);
  world_run (&world);
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_int_equal (answer.reply.status, 0);
  assert_false (answer.reply.is_maybe_sent);
  assert_string_equal (answer.error, "the proxy does not connect to "
                       "no.example:443: it answers with status 403");
  request.url = "https://login.example/secret";
  transport_send (world.transport, &request, note, &answer);
  world_run (&world);
  assert_int_equal (answer.reply.result, TRANSPORT_REFUSED);
  assert_non_null (strstr (answer.error, "asks for a login"));
  assert_null (strstr (answer.error, "hidden"));
  world_close (&world);
}

static void
test_environment (void **state)
{
  struct answer answer;

  setenv ("http_proxy", "http://127.0.0.1:1", 1);
  answer = get (*state, "/");
  unsetenv ("http_proxy");
  assert_int_equal (answer.reply.status, 200);
}

static void
test_cancel (void **state)
{
  struct world *world = *state;
  struct answer answer = { 0 };
  struct transport_request request = {
    .method = "GET", .url = url_of (http_port, "http", "/slow")
  };
  struct transfer *transfer;

  for (int turns = 0; turns < 4; turns++) {
    answer.n = 0;
    transfer = transport_send (world->transport, &request, note, &answer);
    for (int i = 0; i < turns; i++)
      loop_turn (world->loop, 10);
    assert_int_equal (answer.n, 0);
    transport_cancel (world->transport, transfer);
    assert_int_equal (answer.n, 1);
    assert_int_equal (answer.reply.result, TRANSPORT_CANCELLED);
    assert_int_equal (transport_in_flight (world->transport), 0);
  }
  answer = get (world, "/");
  assert_int_equal (answer.reply.status, 200);
}

static void
test_act_in_callback (void **state)
{
  struct world *world = *state;
  struct answer first = { 0 }, second = { 0 }, slow = { 0 };
  struct transport_request request = {
    .method = "GET", .url = url_of (http_port, "http", "/")
  };
  struct transport_request waiting = {
    .method = "GET", .url = url_of (http_port, "http", "/slow")
  };

  first.world = world;
  first.again = &request;
  first.again_answer = &second;
  transport_send (world->transport, &request, note, &first);
  world_run (world);
  assert_int_equal (first.n, 1);
  assert_int_equal (second.n, 1);
  assert_int_equal (second.reply.status, 200);

  first = (struct answer) { .world = world };
  first.victim = transport_send (world->transport, &waiting, note, &slow);
  transport_send (world->transport, &request, note, &first);
  world_run (world);
  assert_int_equal (first.reply.status, 200);
  assert_int_equal (slow.n, 1);
  assert_int_equal (slow.reply.result, TRANSPORT_CANCELLED);
}

static void
test_free_while_busy (void **state)
{
  struct answer answers[3] = { 0 };
  struct transport_request request = {
    .method = "GET", .url = url_of (http_port, "http", "/slow")
  };
  struct world world;

  (void) state;
  world_open (&world, "127.0.0.0/8", NULL);
  for (int i = 0; i < 3; i++)
    transport_send (world.transport, &request, note, &answers[i]);
  loop_turn (world.loop, 20);
  world_close (&world);
  for (int i = 0; i < 3; i++) {
    assert_int_equal (answers[i].n, 1);
    assert_int_equal (answers[i].reply.result, TRANSPORT_CANCELLED);
  }
}

/* How many connections the server knows of, this world's new one to it
 * included: those of earlier tests come before it. */
static int
connections_by_now (struct world *world)
{
  struct answer answer = get (world, "/");

  assert_int_equal (answer.reply.status, 200);
  return loopback_connections;
}

static void
test_many (void **state)
{
  enum { N = 300 };
  struct world *world = *state;
  struct answer *answers = calloc (N, sizeof *answers);
  struct transport_request request = {
    .method = "POST", .url = url_of (http_port, "http", "/later"),
    .body = "x", .body_len = 1
  };
  int connections = connections_by_now (world);

  for (int round = 1; round <= 3; round++) {
    for (int i = 0; i < N; i++)
      transport_send (world->transport, &request, note, &answers[i]);
    assert_int_equal (transport_in_flight (world->transport), N);
    world_run (world);
    for (int i = 0; i < N; i++) {
      assert_int_equal (answers[i].n, round);
      assert_int_equal (answers[i].reply.status, 200);
    }
  }
  assert_true (loopback_connections - connections < N);
  free (answers);
}

/* SMTP. */

static struct answer
mail (struct world *world, const char *from, const char *to1,
      const char *to2, const char *subject)
{
  const struct transport_header headers[] = {
    { "Subject", subject }, { "X-Long", "one\r\n two\r\n three" }
  };
  const char *const to[] = { to1, to2 };
  struct transport_mail letter = {
    .from = from, .to = to, .n_to = to2 ? 2 : 1, .headers = headers,
    .n_headers = 2, .text = "line\n.\nlast\rend \xc3\xa9",
    .html = "<p>hi</p>"
  };
  struct transport_request request = {
    .method = "MAIL", .url = url_of (smtp_port, "smtp", "/me.example"),
    .mail = &letter, .tls = TRANSPORT_TLS_NEVER, .total_ms = 1000
  };
  struct answer answer = { 0 };

  transport_send (world->transport, &request, note, &answer);
  world_run (world);
  assert_int_equal (answer.n, 1);
  return answer;
}

static void
test_mail (void **state)
{
  struct world *world = *state;
  struct answer answer;
  int connections = loopback_connections;

  for (int i = 0; i < 5; i++) {
    answer = mail (world, "a@b.example", "c@d.example", "e@f.example", "hi");
    assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
    assert_int_equal (answer.reply.status, 250);
    assert_int_equal (answer.reply.stage, TRANSPORT_STAGE_DONE);
    assert_string_equal (answer.body, "2.0.0 queued");
  }
  assert_int_equal (loopback_connections - connections, 1);
  assert_non_null (strstr (loopback_last, "RCPT TO:<c@d.example>\r\n"
                                          "RCPT TO:<e@f.example>\r\n"));
  assert_non_null (strstr (loopback_last,
                           "\r\nX-Long: one\r\n two\r\n three\r\n"));
  assert_non_null (strstr (loopback_last,
                           "\r\nContent-Type: multipart/alternative;\r\n "
                           "bound"));
  assert_non_null (strstr (loopback_last,
                           "\r\nline\r\n..\r\nlast\r\nend =C3=A9\r\n"));
  assert_null (strstr (loopback_last, "multipart/mixed"));
}

static void
test_mail_refused (void **state)
{
  struct world *world = *state;
  struct answer answer
    = mail (world, "a@b.example", "c@d.example", "no@d.example", "hi");

  assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
  assert_int_equal (answer.reply.status, 550);
  assert_int_equal (answer.reply.stage, TRANSPORT_STAGE_RECIPIENT);
  assert_int_equal (answer.reply.recipient, 1);
  assert_string_equal (answer.body, "5.1.1 no such\n5.1.1 user");
  /* The server answers QUIT late; nobody waits for it. */
  assert_true (answer.reply.elapsed_us < 500000);

  answer = mail (world, "a@b.example", "later@d.example", NULL, "hi");
  assert_int_equal (answer.reply.status, 451);
  assert_int_equal (answer.reply.recipient, 0);
  answer = mail (world, "never@b.example", "c@d.example", NULL, "hi");
  assert_int_equal (answer.reply.status, 550);
  assert_int_equal (answer.reply.stage, TRANSPORT_STAGE_SENDER);
  answer = mail (world, "a@b.example", "c@d.example", NULL, "spam");
  assert_int_equal (answer.reply.status, 554);
  assert_int_equal (answer.reply.stage, TRANSPORT_STAGE_MESSAGE);
  answer = mail (world, "a@b.example", "c@d.example", NULL, "fine");
  assert_int_equal (answer.reply.status, 250);
}

static void
test_mail_lost (void **state)
{
  struct world *world = *state;
  struct answer answer
    = mail (world, "a@b.example", "c@d.example", NULL, "drop");

  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_true (answer.reply.is_maybe_sent);
  answer = mail (world, "a@b.example", "gone@d.example", NULL, "hi");
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_false (answer.reply.is_maybe_sent);
  answer = mail (world, "hang@b.example", "c@d.example", NULL, "hi");
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_false (answer.reply.is_maybe_sent);
  assert_non_null (strstr (answer.error, "in 1 s"));
}

/* A kept connection that the server has given up costs no mail. */
static void
test_mail_idle (void **state)
{
  struct world *world = *state;

  for (int i = 0; i < 3; i++) {
    struct answer answer
      = mail (world, "a@b.example", "c@d.example", NULL, "bye");
    int64_t end_us = date_monotonic_us () + 30000;

    assert_int_equal (answer.reply.status, 250);
    while (date_monotonic_us () < end_us)
      loop_turn (world->loop, 5);
  }
}

/* The same, but nobody looks at the connection before it is used. */
static void
test_mail_idle_unseen (void **state)
{
  for (int i = 0; i < 3; i++) {
    struct answer answer
      = mail (*state, "a@b.example", "c@d.example", NULL, "bye");

    assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
    usleep (30000);
  }
}

/* A mail goes over a second connection once, and never after RCPT. */
static void
test_mail_again (void **state)
{
  struct world *world = *state;
  int connections = loopback_connections, requests = loopback_requests;
  struct answer answer;

  answer = mail (world, "dies-late@b.example", "c@d.example", NULL, "hi");
  assert_int_equal (answer.reply.status, 250);
  assert_int_equal (loopback_connections - connections, 1);
  answer = mail (world, "dies-late@b.example", "c@d.example", NULL, "hi");
  assert_int_equal (answer.reply.status, 250);
  assert_int_equal (loopback_connections - connections, 2);
  assert_int_equal (loopback_requests - requests, 2);

  answer = mail (world, "dies@b.example", "c@d.example", NULL, "hi");
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_false (answer.reply.is_maybe_sent);
  assert_int_equal (loopback_connections - connections, 3);
  answer = mail (world, "dies@b.example", "c@d.example", NULL, "hi");
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_int_equal (loopback_connections - connections, 4);

  answer = mail (world, "a@b.example", "c@d.example", NULL, "hi");
  assert_int_equal (answer.reply.status, 250);
  answer = mail (world, "a@b.example", "gone@d.example", NULL, "hi");
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_int_equal (loopback_connections - connections, 5);
  answer = mail (world, "a@b.example", "c@d.example", NULL, "hi");
  assert_int_equal (answer.reply.status, 250);
  answer = mail (world, "a@b.example", "c@d.example", NULL, "drop");
  assert_int_equal (answer.reply.result, TRANSPORT_NO_ANSWER);
  assert_true (answer.reply.is_maybe_sent);
  assert_int_equal (loopback_connections - connections, 6);
  assert_int_equal (loopback_requests - requests, 5);
}

static void
test_mail_hostile (void **state)
{
  struct world *world = *state;
  struct answer answer
    = mail (world, "a@b.example", "c@d.example", NULL, "hi\r\nBcc: x@y");

  assert_int_equal (answer.reply.result, TRANSPORT_REFUSED);
  answer = mail (world, "a@b.example", "c@d>\r\nRSET", NULL, "hi");
  assert_int_equal (answer.reply.result, TRANSPORT_REFUSED);
  answer = mail (world, "a@b.example", "c@d.example", "\xc3\xa9@d.example",
                 "hi");
  assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
  assert_int_equal (answer.reply.status, 553);
  assert_int_equal (answer.reply.stage, TRANSPORT_STAGE_RECIPIENT);
  assert_int_equal (answer.reply.recipient, 1);
  assert_non_null (strstr (answer.body, "SMTPUTF8"));
}

static struct answer
noop (struct world *world, const char *path, const char *password,
      enum transport_tls tls)
{
  struct answer answer = { 0 };
  struct transport_request request = {
    .method = "NOOP", .url = url_of (smtp_port, "smtp", path), .tls = tls,
    .user = password ? "user" : NULL, .password = password, .total_ms = 1000
  };

  transport_send (world->transport, &request, note, &answer);
  world_run (world);
  assert_int_equal (answer.n, 1);
  return answer;
}

static void
test_login (void **state)
{
  struct world *world = *state;
  struct answer answer = noop (world, "/me", NULL, TRANSPORT_TLS_NEVER);

  assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
  assert_int_equal (answer.reply.status, 250);
  answer = noop (world, "/me", "good", TRANSPORT_TLS_IF_OFFERED);
  assert_int_equal (answer.reply.status, 250);
  answer = noop (world, "/me", "wrong", TRANSPORT_TLS_NEVER);
  assert_int_equal (answer.reply.result, TRANSPORT_ANSWERED);
  assert_int_equal (answer.reply.status, 535);
  assert_int_equal (answer.reply.stage, TRANSPORT_STAGE_LOGIN);
  assert_string_equal (answer.body, "5.7.8 no");
  answer = noop (world, "/nosize", "good", TRANSPORT_TLS_NEVER);
  assert_int_equal (answer.reply.result, TRANSPORT_REFUSED);
  assert_non_null (strstr (answer.error, "offers no login (AUTH)"));
  answer = noop (world, "/me", "good", TRANSPORT_TLS_ALWAYS);
  assert_int_equal (answer.reply.result, TRANSPORT_REFUSED);
  assert_non_null (strstr (answer.error, "does not offer STARTTLS"));
}

/* No mail goes out without the login that was asked for. */
static void
test_login_not_offered (void **state)
{
  static const struct {
    const char *path, *user;
    enum transport_tls tls;
    bool is_refused;
  } cases[] = {
    { "/nosize", "user", TRANSPORT_TLS_NEVER, true },
    { "/nosize", "user", TRANSPORT_TLS_IF_OFFERED, true },
    { "/nosize", NULL, TRANSPORT_TLS_NEVER, false },
    { "/old", "user", TRANSPORT_TLS_IF_OFFERED, true },
    { "/old", NULL, TRANSPORT_TLS_IF_OFFERED, false },
    { "/notls", "user", TRANSPORT_TLS_IF_OFFERED, true },
    { "/notls", NULL, TRANSPORT_TLS_IF_OFFERED, false },
    { "/me", "user", TRANSPORT_TLS_NEVER, false },
    { "/me", "user", TRANSPORT_TLS_IF_OFFERED, false },
  };
  const char *const to[] = { "c@d.example" };
  struct transport_mail letter = {
    .from = "a@b.example", .to = to, .n_to = 1, .text = "hi"
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct world world;
    struct answer answer = { 0 };
    struct transport_request request = {
      .method = "MAIL", .url = url_of (smtp_port, "smtp", cases[i].path),
      .mail = &letter, .tls = cases[i].tls, .total_ms = 1000,
      .user = cases[i].user, .password = cases[i].user ? "good" : NULL
    };

    (void) state;
    world_open (&world, "127.0.0.0/8", NULL);
    transport_send (world.transport, &request, note, &answer);
    world_run (&world);
    if (answer.reply.result
        != (cases[i].is_refused ? TRANSPORT_REFUSED : TRANSPORT_ANSWERED))
      fail_msg ("%zu: %s", i, answer.error);
    assert_int_equal (answer.reply.status, cases[i].is_refused ? 0 : 250);
    assert_int_equal (!strstr (loopback_last, "MAIL"), cases[i].is_refused);
    if (cases[i].is_refused)
      assert_non_null (strstr (answer.error, " offers no login (AUTH): "));
    /* The server does not answer QUIT; nobody waits for it. */
    assert_true (answer.reply.elapsed_us < 500000);
    world_close (&world);
  }
}

static void
test_ca_file (void **state)
{
  struct transport_config config = { .ca_file = "/nonexistent/ca.pem" };
  struct world *world = *state;
  char reason[200];

  assert_null (transport_new (world->loop, &config, reason));
  assert_non_null (strstr (reason, "/nonexistent/ca.pem"));
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    TEST (test_post), TEST (test_methods), TEST (test_large_body),
    TEST (test_broken), TEST (test_slow), TEST (test_huge),
    TEST (test_headers), TEST (test_closed_while_idle),
    TEST (test_nobody_there), TEST (test_bad_requests), TEST (test_guard),
    TEST (test_proxy_refuses),
    TEST (test_environment), TEST (test_cancel),
    TEST (test_act_in_callback), TEST (test_free_while_busy),
    TEST (test_many), TEST (test_mail), TEST (test_mail_refused),
    TEST (test_mail_lost), TEST (test_mail_idle),
    TEST (test_mail_idle_unseen), TEST (test_mail_again),
    TEST (test_mail_hostile), TEST (test_login),
    TEST (test_login_not_offered), TEST (test_ca_file)
  };

  http_port = loopback_start_http ();
  smtp_port = loopback_start_smtp ();
  return cmocka_run_group_tests (tests, NULL, NULL);
}
