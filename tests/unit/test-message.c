/* test-message.c - the envelope and headers of a mail.
 *
 * SPDX-License-Identifier: MIT
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "provider/message.h"

static struct arena *arena;

static const struct herald_header own[]
  = { { "List-Unsubscribe", "<https://a.example/u>" },
      { "BCC", "spy@x.example" },
      { "subject", "other" } };

static const struct herald_mail mail
  = { .from = { "Acme, Games", "play@acme.example" },
      .to = { "J\xc3\xb6rg", "joerg@x.example" },
      .reply_to = { NULL, "hello@acme.example" },
      .bcc = { NULL, "audit@acme.example" },
      .subject = "Gl\xc3\xbc"
                 "ckwunsch",
      .text = "hi",
      .n_headers = 3,
      .headers = own };

static int
setup (void **state)
{
  (void) state;
  arena = arena_new (0);
  return 0;
}

static int
teardown (void **state)
{
  (void) state;
  arena_free (arena);
  return 0;
}

static const char *
header (const struct message *message, const char *name)
{
  const char *value = NULL;

  for (size_t k = 0; k < message->n_headers; k++)
    if (text_equal_fold (message->headers[k].name, name)) {
      assert_null (value);
      value = message->headers[k].value;
    }
  return value;
}

static void
test_whole (void **state)
{
  const struct message *message
    = message_new (arena, &mail, NULL, "id-1", 784111777000);

  (void) state;
  assert_non_null (message);
  assert_string_equal (message->from, "play@acme.example");
  assert_int_equal (message->n_to, 2);
  assert_string_equal (message->to[0], "joerg@x.example");
  assert_string_equal (message->to[1], "audit@acme.example");
  assert_string_equal (header (message, "From"),
                       "\"Acme, Games\" <play@acme.example>");
  assert_non_null (strstr (header (message, "To"), "=?UTF-8?"));
  assert_non_null (strstr (header (message, "To"), "<joerg@x.example>"));
  assert_string_equal (header (message, "Reply-To"), "hello@acme.example");
  assert_non_null (strstr (header (message, "Subject"), "=?UTF-8?"));
  assert_string_equal (header (message, "Date"),
                       "Sun, 06 Nov 1994 08:49:37 +0000");
  assert_string_equal (header (message, "Message-ID"), "<id-1@acme.example>");
  assert_string_equal (header (message, "List-Unsubscribe"), own[0].value);
  assert_null (header (message, "Bcc"));
  assert_string_equal (message->text, "hi");
  assert_null (message->html);
}

static void
test_other_sender (void **state)
{
  const struct herald_mailbox from = { NULL, "other@b.example" };
  const struct message *message = message_new (arena, &mail, &from, "id-2", 0);

  (void) state;
  assert_string_equal (message->from, "other@b.example");
  assert_string_equal (header (message, "From"), "other@b.example");
  assert_string_equal (header (message, "Message-ID"), "<id-2@b.example>");
}

static void
test_lacking (void **state)
{
  struct herald_mail other = mail;

  (void) state;
  other.text = NULL;
  assert_null (message_new (arena, &other, NULL, "id", 0));
  other.html = "<p>";
  assert_non_null (message_new (arena, &other, NULL, "id", 0));
  other.from.address = NULL;
  assert_null (message_new (arena, &other, NULL, "id", 0));
}

int
main (void)
{
#define TEST(f) cmocka_unit_test_setup_teardown (f, setup, teardown)
  const struct CMUnitTest tests[]
    = { TEST (test_whole), TEST (test_other_sender), TEST (test_lacking) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
