/* test-smtp-dialogue.c - commands and replies become step, status, text.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport/smtp_dialogue.h"

static int
setup (void **state)
{
  static struct smtp_dialogue dialogue;

  memset (&dialogue, 0, sizeof dialogue);
  smtp_dialogue_clear (&dialogue);
  *state = &dialogue;
  return 0;
}

static int
teardown (void **state)
{
  smtp_dialogue_done (*state);
  return 0;
}

/* "C: ..." is a command, "S: ..." a line of a reply. */
static void
play (struct smtp_dialogue *dialogue, const char *const *lines)
{
  for (; *lines; lines++) {
    const char *line = *lines + 3;

    if (**lines == 'C')
      smtp_dialogue_command (dialogue, line, strlen (line));
    else
      smtp_dialogue_reply (dialogue, line, strlen (line));
  }
}

static void
test_accepted (void **state)
{
  struct smtp_dialogue *dialogue = *state;
  static const char *const lines[] = {
    "S: 220 mx ESMTP\r\n", "C: EHLO me\r\n", "S: 250-mx\r\n",
    "S: 250-starttls\r\n", "S: 250 SMTPUTF8\r\n", "C: MAIL FROM:<a@b>\r\n",
    "S: 250 ok\r\n", "C: RCPT TO:<c@d>\r\n", "S: 250 ok\r\n", "C: DATA\r\n",
    "S: 354 go\r\n", "S: 250 2.0.0 queued\r\n", NULL
  };

  play (dialogue, lines);
  assert_int_equal (dialogue->status, 250);
  assert_int_equal (dialogue->stage, TRANSPORT_STAGE_MESSAGE);
  assert_string_equal (dialogue->text.data, "2.0.0 queued");
  assert_true (dialogue->has_message);
  assert_false (smtp_dialogue_is_refused (dialogue));
}

static void
test_refused_recipient (void **state)
{
  struct smtp_dialogue *dialogue = *state;
  static const char *const lines[] = {
    "C: MAIL FROM:<a@b>", "S: 250 ok", "C: RCPT TO:<c@d>", "S: 250 ok",
    "C: RCPT TO:<e@f>", "S: 550-5.1.1 no such", "S: 550 5.1.1 user",
    "C: QUIT", "S: 221 bye", NULL
  };

  play (dialogue, lines);
  assert_true (smtp_dialogue_is_refused (dialogue));
  assert_int_equal (dialogue->status, 550);
  assert_int_equal (dialogue->stage, TRANSPORT_STAGE_RECIPIENT);
  assert_int_equal (dialogue->recipient, 1);
  assert_string_equal (dialogue->text.data, "5.1.1 no such\n5.1.1 user");
  assert_true (dialogue->is_over);
}

/* What follows 334 may read like any command. */
static void
test_login (void **state)
{
  struct smtp_dialogue *dialogue = *state;
  static const char *const lines[] = {
    "C: AUTH LOGIN", "S: 334 VXNlcg==", "C: MAIL", "S: 334 UGFzcw==",
    "C: QUIT", "S: 535 5.7.8 bad", NULL
  };

  play (dialogue, lines);
  assert_int_equal (dialogue->status, 535);
  assert_int_equal (dialogue->stage, TRANSPORT_STAGE_LOGIN);
  assert_string_equal (dialogue->text.data, "5.7.8 bad");
  assert_false (dialogue->is_over);
}

/* A refused EHLO followed by HELO is no refusal. */
static void
test_pending_command (void **state)
{
  struct smtp_dialogue *dialogue = *state;
  static const char *const lines[] = {
    "S: 220 mx", "C: EHLO me", "S: 502 what", "C: HELO me", NULL
  };

  play (dialogue, lines);
  assert_false (smtp_dialogue_is_refused (dialogue));
  assert_int_equal (dialogue->status, 0);
  assert_int_equal (dialogue->stage, TRANSPORT_STAGE_CONNECT);
}

static void
test_greeting_refused (void **state)
{
  struct smtp_dialogue *dialogue = *state;
  static const char *const lines[] = { "S: 554 go away", NULL };

  play (dialogue, lines);
  assert_true (smtp_dialogue_is_refused (dialogue));
  assert_int_equal (dialogue->stage, TRANSPORT_STAGE_CONNECT);
}

/* libcurl closes another connection just before this one is used. */
static void
test_foreign_quit (void **state)
{
  struct smtp_dialogue *dialogue = *state;
  static const char *const lines[] = {
    "C: QUIT", "C: MAIL FROM:<a@b>", "S: 550 no", NULL
  };

  play (dialogue, lines);
  assert_int_equal (dialogue->status, 550);
  assert_int_equal (dialogue->stage, TRANSPORT_STAGE_SENDER);
}

static void
test_hostile_lines (void **state)
{
  struct smtp_dialogue *dialogue = *state;
  char long_line[2000];

  memset (long_line, 'x', sizeof long_line);
  memcpy (long_line, "250-", 4);
  for (int i = 0; i < 100; i++)
    smtp_dialogue_reply (dialogue, long_line, sizeof long_line);
  assert_true (dialogue->text.len <= 4096);
  smtp_dialogue_reply (dialogue, "2", 1);
  smtp_dialogue_reply (dialogue, "", 0);
  smtp_dialogue_reply (dialogue, "abc def", 7);
  assert_int_equal (dialogue->status, 0);
  smtp_dialogue_reply (dialogue, "250", 3);
  assert_int_equal (dialogue->status, 250);
}

static void
test_utf8 (void **state)
{
  struct smtp_dialogue *dialogue = *state;
  static const char with[] = "MAIL FROM:<a@b> SMTPUTF8 SIZE=10\r\n";
  static const char without[] = "MAIL FROM:<a@b> SIZE=10\r\n";

  smtp_dialogue_command (dialogue, with, sizeof with - 1);
  assert_true (dialogue->has_utf8);
  smtp_dialogue_command (dialogue, without, sizeof without - 1);
  assert_false (dialogue->has_utf8);
}

/* Asked after the last line. */
static void
test_lacks_login (void **state)
{
  struct smtp_dialogue *dialogue = *state;
  static const struct {
    const char *lines[8];
    bool always, if_offered, never;
  } cases[] = {
    { { "C: EHLO me", "S: 250-mx", "S: 250 AUTH PLAIN", NULL }, 0, 0, 0 },
    { { "C: EHLO me", "S: 250-AUTH", "S: 250 SIZE", NULL }, 0, 1, 1 },
    { { "C: EHLO me", "S: 250-AUTH PLAIN", "S: 250 mx", NULL }, 0, 0, 0 },
    { { "C: EHLO me", "S: 250-mx", NULL }, 0, 0, 0 },
    { { "C: EHLO me", "S: 250 mx", NULL }, 0, 1, 1 },
    { { "C: EHLO me", "S: 250-mx", "S: 250 STARTTLS", NULL }, 0, 0, 1 },
    { { "C: EHLO me", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go",
        "C: EHLO me", "S: 250 mx", NULL }, 1, 1, 1 },
    { { "C: EHLO me", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go",
        "C: EHLO me", "S: 250 AUTH PLAIN", NULL }, 0, 0, 0 },
    /* What is said before TLS is not believed after it. */
    { { "C: EHLO me", "S: 250-AUTH PLAIN", "S: 250 STARTTLS", "C: STARTTLS",
        "S: 220 go", "C: EHLO me", "S: 250 mx", NULL }, 1, 1, 1 },
    { { "C: EHLO me", "S: 250 STARTTLS", "C: STARTTLS", "S: 454 no", NULL },
      0, 1, 0 },
    { { "C: EHLO me", "S: 502 what", NULL }, 0, 0, 0 },
    { { "C: EHLO me", "S: 502 what", "C: HELO me", "S: 250 mx", NULL },
      1, 1, 1 },
    { { "C: MAIL FROM:<a@b>", "S: 250 ok", NULL }, 0, 0, 0 },
    { { "S: 220 mx", NULL }, 0, 0, 0 },
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    smtp_dialogue_clear (dialogue);
    play (dialogue, cases[i].lines);
    if (smtp_dialogue_lacks_login (dialogue, TRANSPORT_TLS_ALWAYS)
          != cases[i].always
        || smtp_dialogue_lacks_login (dialogue, TRANSPORT_TLS_IF_OFFERED)
             != cases[i].if_offered
        || smtp_dialogue_lacks_login (dialogue, TRANSPORT_TLS_NEVER)
             != cases[i].never)
      fail_msg ("case %zu", i);
  }
}

int
main (void)
{
  static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (test_accepted, setup, teardown),
    cmocka_unit_test_setup_teardown (test_refused_recipient, setup, teardown),
    cmocka_unit_test_setup_teardown (test_login, setup, teardown),
    cmocka_unit_test_setup_teardown (test_pending_command, setup, teardown),
    cmocka_unit_test_setup_teardown (test_greeting_refused, setup, teardown),
    cmocka_unit_test_setup_teardown (test_foreign_quit, setup, teardown),
    cmocka_unit_test_setup_teardown (test_hostile_lines, setup, teardown),
    cmocka_unit_test_setup_teardown (test_utf8, setup, teardown),
    cmocka_unit_test_setup_teardown (test_lacks_login, setup, teardown)
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
