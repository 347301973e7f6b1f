/* condition.c - which events an integration wants: <when source=.../>.
 *
 * SPDX-License-Identifier: MIT
 */

#include "condition.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

enum { CONDITION_REASON = 200 };

enum condition_op {
  CONDITION_IS, CONDITION_NOT, CONDITION_PRESENT, CONDITION_ONE_OF,
  CONDITION_ABOVE, CONDITION_AT_LEAST, CONDITION_BELOW, CONDITION_AT_MOST,
  CONDITION_N_OPS
};

const char *const condition_test_names[] = {
  [CONDITION_IS] = "is",
  [CONDITION_NOT] = "not",
  [CONDITION_PRESENT] = "present",
  [CONDITION_ONE_OF] = "one-of",
  [CONDITION_ABOVE] = "above",
  [CONDITION_AT_LEAST] = "at-least",
  [CONDITION_BELOW] = "below",
  [CONDITION_AT_MOST] = "at-most",
  [CONDITION_N_OPS] = NULL
};

static const char *const condition_words[CONDITION_N_OPS] = {
  [CONDITION_IS] = "is ",
  [CONDITION_NOT] = "is not ",
  [CONDITION_PRESENT] = "is ",
  [CONDITION_ONE_OF] = "is one of ",
  [CONDITION_ABOVE] = "is above ",
  [CONDITION_AT_LEAST] = "is at least ",
  [CONDITION_BELOW] = "is below ",
  [CONDITION_AT_MOST] = "is at most ",
};

struct condition_check {
  enum condition_op op;
  const char *text;             /* of one-of: choices with | between them */
  size_t len;
  double number;                /* of the comparisons */
  bool is_present;
};

struct condition {
  const char *source;
  size_t source_len;
  size_t n;
  struct condition_check *checks;
};

static int
condition_read_op (const char *name, enum condition_op *ret_op,
                   char *ret_reason)
{
  const char *nearest;

  for (unsigned k = 0; k < CONDITION_N_OPS; k++)
    if (strcmp (name, condition_test_names[k]) == 0) {
      *ret_op = (enum condition_op) k;
      return 0;
    }
  nearest = text_nearest (name, condition_test_names);
  snprintf (ret_reason, CONDITION_REASON, "unknown test %.60s%s%s%s", name,
            nearest != NULL ? "; did you mean " : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
  return -1;
}

static int
condition_read_check (struct arena *arena, const struct condition_test *test,
                      struct condition_check *ret_check, char *ret_reason)
{
  struct condition_check check = { .len = strlen (test->value) };

  if (condition_read_op (test->name, &check.op, ret_reason) != 0)
    return -1;
  check.text = arena_strdup (arena, test->value);
  if (check.op == CONDITION_PRESENT) {
    check.is_present = strcmp (test->value, "true") == 0;
    if (!check.is_present && strcmp (test->value, "false") != 0) {
      snprintf (ret_reason, CONDITION_REASON,
                "present must be true or false");
      return -1;
    }
  } else if (check.op >= CONDITION_ABOVE
           && number_read_real (check.text, check.len, &check.number) != 0) {
    snprintf (ret_reason, CONDITION_REASON, "%s must be a number",
              test->name);
    return -1;
  }
  *ret_check = check;
  return 0;
}

struct condition *
condition_new (struct arena *arena, const char *source,
               const struct condition_test *tests, size_t n_tests,
               const struct catalogue *catalogue, char ret_reason[200])
{
  struct condition *condition = arena_zeroed (arena, 1, sizeof *condition);

  condition->source_len = strlen (source);
  if (catalogue_find (catalogue, source, condition->source_len) == NULL) {
    const char *nearest = catalogue_nearest (catalogue, source);

    snprintf (ret_reason, CONDITION_REASON,
              "unknown source field %.64s%s%s%s", source,
              nearest != NULL ? "; did you mean " : "",
              nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    return NULL;
  }
  if (n_tests == 0) {
    snprintf (ret_reason, CONDITION_REASON,
              "%.64s has no test: give is, not, present, one-of, above, "
              "at-least, below or at-most", source);
    return NULL;
  }
  condition->source = arena_strdup (arena, source);
  condition->checks = arena_zeroed (arena, n_tests,
                                    sizeof *condition->checks);
  condition->n = n_tests;
  for (size_t i = 0; i < n_tests; i++)
    if (condition_read_check (arena, &tests[i], &condition->checks[i],
                              ret_reason) != 0)
      return NULL;
  return condition;
}

static bool
condition_equals (const char *choice, size_t choice_len, const char *text,
                  size_t len)
{
  return choice_len == len && memcmp (choice, text, len) == 0;
}

static bool
condition_is_one_of (const struct condition_check *check, const char *text,
                     size_t len)
{
  const char *choice = check->text;

  for (;;) {
    size_t choice_len = strcspn (choice, "|");

    if (condition_equals (choice, choice_len, text, len))
      return true;
    if (choice[choice_len] == '\0')
      return false;
    choice += choice_len + 1;
  }
}

static bool
condition_compares (const struct condition_check *check, const char *text,
                    size_t len)
{
  double number;

  if (number_read_real (text, len, &number) != 0)
    return false;
  switch (check->op) {
  case CONDITION_ABOVE:
    return number > check->number;
  case CONDITION_AT_LEAST:
    return number >= check->number;
  case CONDITION_BELOW:
    return number < check->number;
  default:
    return number <= check->number;
  }
}

/* text NULL: the field is missing. */
static bool
condition_passes (const struct condition_check *check, const char *text,
                  size_t len)
{
  if (check->op == CONDITION_PRESENT)
    return check->is_present == (text != NULL && len > 0);
  if (text == NULL)
    return check->op == CONDITION_NOT;
  switch (check->op) {
  case CONDITION_IS:
    return condition_equals (check->text, check->len, text, len);
  case CONDITION_NOT:
    return !condition_equals (check->text, check->len, text, len);
  case CONDITION_ONE_OF:
    return condition_is_one_of (check, text, len);
  default:
    return condition_compares (check, text, len);
  }
}

static bool
condition_all_pass (const struct condition *condition, const char *text,
                    size_t len)
{
  for (size_t i = 0; i < condition->n; i++)
    if (!condition_passes (&condition->checks[i], text, len))
      return false;
  return true;
}

bool
condition_holds (const struct condition *condition,
                 const struct event *event)
{
  const struct event_value *value
    = event_field (event, condition->source, condition->source_len);
  struct buf text;
  bool holds;

  if (value == NULL || value->kind == JSON_NULL)
    return condition_all_pass (condition, NULL, 0);
  if (!value->has_escapes)
    return condition_all_pass (condition, value->text, value->len);
  buf_init (&text, 0);
  json_unescape (value->text, value->len, &text);
  holds = condition_all_pass (condition, text.data, text.len);
  buf_done (&text);
  return holds;
}

static void
condition_add_choices (const char *choices, struct buf *out)
{
  for (; *choices != '\0'; choices++)
    if (*choices == '|')
      buf_add_text (out, ", ");
    else
      buf_add_char (out, *choices);
}

void
condition_add_text (const struct condition *condition, struct buf *out)
{
  buf_add_text (out, condition->source);
  for (size_t i = 0; i < condition->n; i++) {
    const struct condition_check *check = &condition->checks[i];

    buf_add_text (out, i == 0 ? " " : " and ");
    buf_add_text (out, condition_words[check->op]);
    if (check->op == CONDITION_PRESENT)
      buf_add_text (out, check->is_present ? "present" : "not present");
    else if (check->op == CONDITION_ONE_OF)
      condition_add_choices (check->text, out);
    else if (check->len == 0)
      buf_add_text (out, "empty");
    else
      buf_add (out, check->text, check->len);
  }
}
