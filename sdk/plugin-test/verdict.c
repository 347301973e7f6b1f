/* verdict.c - whether a case went as it says.
 *
 * SPDX-License-Identifier: MIT
 */

#include "verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "compare.h"
#include "run.h"

/* "api-key: must be longer": both parts stand in the complaint. */
static bool
is_complaint (const char *line, const char *text)
{
  const char *colon = strstr (line, ": ");
  char *name;
  bool is_there;

  if (strstr (text, line) != NULL)
    return true;
  if (colon == NULL || strstr (text, colon + 2) == NULL)
    return false;
  name = memory_strndup (line, (size_t) (colon - line));
  is_there = strstr (text, name) != NULL;
  free (name);
  return is_there;
}

bool
verdict_of_opening (const struct fixture *fixture, struct buf *notes)
{
  const struct case_list *expected = &fixture->test->complaints;
  size_t n = problems_count (fixture->problems), n_matched;
  bool is_good = (fixture->integration == NULL) == (expected->n > 0);

  if (expected->n > 0 && fixture->integration != NULL)
    buf_add_text (notes, "the settings were accepted\n");
  for (size_t p = 0; p < n; p++) {
    const struct problem *problem = problems_at (fixture->problems, p);

    n_matched = 0;
    for (size_t k = 0; k < expected->n; k++)
      n_matched += is_complaint (expected->lines[k], problem->text);
    if (n_matched == 0 && problem->severity == PROBLEM_ERROR) {
      buf_printf (notes, "%s:%u: %s\n", problem->file, problem->line,
                  problem->text);
      is_good = false;
    }
  }
  for (size_t k = 0; k < expected->n; k++) {
    n_matched = 0;
    for (size_t p = 0; p < n; p++)
      n_matched += is_complaint (expected->lines[k],
                                 problems_at (fixture->problems, p)->text);
    if (n_matched == 0) {
      buf_printf (notes, "nobody complained: %s\n", expected->lines[k]);
      is_good = false;
    }
  }
  return is_good;
}

/* ------------------------------------------------------------------ */

struct script {
  const struct test_case *test;
  bool *is_used;
  bool is_good;
  struct buf *notes;
};

static bool
matches_another (const struct script *script,
                 const struct herald_request *made)
{
  for (size_t k = 0; k < script->test->n_exchanges; k++)
    if (!script->is_used[k]
        && compare_request (&script->test->exchanges[k], made, NULL))
      return true;
  return false;
}

static void
note_surprise (struct script *script, const struct herald_request *made)
{
  struct buf text = BUF_INIT (4000);

  request_add_text (made, &text);
  buf_printf (script->notes, "a request that the case does not have:\n%s\n",
              text.data);
  buf_done (&text);
  script->is_good = false;
}

/* The case's next request, whichever of those open it is. */
static size_t
answer_by_case (void *data, struct herald_request *const *open, size_t n,
                const struct case_reply **ret_reply)
{
  static const struct case_reply success = { .kind = CASE_STATUS };
  struct script *script = data;
  const struct case_exchange *next;
  size_t k, i;

  for (k = 0; k < script->test->n_exchanges && script->is_used[k]; k++)
    ;
  if (k == script->test->n_exchanges) {
    note_surprise (script, open[0]);
    *ret_reply = &success;
    return 0;
  }
  next = &script->test->exchanges[k];
  *ret_reply = &next->reply;
  script->is_used[k] = true;
  for (i = 0; i < n; i++)
    if (compare_request (next, open[i], NULL))
      return i;

  /* None is.  Show the difference to one that nothing else expects. */
  for (i = 0; i + 1 < n && matches_another (script, open[i]); i++)
    ;
  buf_printf (script->notes, "%s:%u: the request is another\n",
              script->test->path, next->line);
  compare_request (next, open[i], script->notes);
  script->is_good = false;
  return i;
}

/* ------------------------------------------------------------------ */

static const char *
second_word (const char *line)
{
  line += strcspn (line, " ");
  return line + strspn (line, " ");
}

static bool
is_word (const char *line, const char *word)
{
  size_t len = strcspn (line, " ");

  return strlen (word) == len && memcmp (line, word, len) == 0;
}

/* "after 5000ms" and then a piece of the reason. */
static bool
is_retry (const char *rest, const struct outcome *outcome)
{
  if (is_word (rest, "after")) {
    char *text = memory_strndup (second_word (rest),
                                 strcspn (second_word (rest), " "));
    int64_t after_ms = -1;
    int status = number_read_duration (text, &after_ms);

    free (text);
    if (status == -1 || after_ms != outcome->after_ms)
      return false;
    rest = second_word (second_word (rest));
  }
  return strstr (outcome->reason, rest) != NULL;
}

static bool
is_outcome (const char *line, const struct outcome *outcome)
{
  const char *rest = second_word (line);
  const char *name = outcome_name (outcome->kind);

  if (outcome->kind == OUTCOME_AGAIN)
    return is_word (line, "split") || is_word (line, "again");
  if (!is_word (line, name))
    return false;
  if (outcome->kind == OUTCOME_DELIVERED)
    return *rest == '\0' || strcmp (outcome->reference, rest) == 0;
  if (outcome->kind == OUTCOME_RETRY)
    return is_retry (rest, outcome);
  return strstr (outcome->reason, rest) != NULL;
}

static bool
is_verdict (const char *line, const struct job_verdict *verdict)
{
  const char *text = verdict->text == NULL ? "" : verdict->text;

  if (verdict->how == HERALD_PROVEN)
    return is_word (line, "proven")
           && strstr (text, second_word (line)) != NULL;
  if (verdict->how == HERALD_UNPROVEN)
    return is_word (line, "unproven")
           && strstr (text, second_word (line)) != NULL;
  return is_outcome (line, &verdict->outcome);
}

static void
add_outcome (struct buf *out, const struct outcome *outcome)
{
  buf_add_text (out, outcome_name (outcome->kind));
  if (outcome->kind == OUTCOME_RETRY && outcome->after_ms > 0)
    buf_printf (out, " after %" PRId64 "ms", outcome->after_ms);
  buf_printf (out, " %s%s\n",
              outcome->reason == NULL ? "" : outcome->reason,
              outcome->reference == NULL ? "" : outcome->reference);
}

static bool
check_verdict (const struct run *run, struct buf *notes)
{
  const struct case_list *expected = &run->fixture->test->outcomes;
  const struct job_verdict *verdict = &run->verdict;

  if (expected->n == 0 || is_verdict (expected->lines[0], verdict))
    return true;
  buf_printf (notes, "verify: expected\n  %s\nbut it is\n  ",
              expected->lines[0]);
  if (verdict->how == HERALD_PROVEN || verdict->how == HERALD_UNPROVEN)
    buf_printf (notes, "%s %s\n",
                verdict->how == HERALD_PROVEN ? "proven" : "unproven",
                verdict->text == NULL ? "" : verdict->text);
  else
    add_outcome (notes, &verdict->outcome);
  return false;
}

static bool
check_outcomes (const struct run *run, struct buf *notes)
{
  const struct case_list *expected = &run->fixture->test->outcomes;
  bool is_good = true;

  if (run->fixture->test->is_verify)
    return check_verdict (run, notes);
  if (expected->n == 0)
    return true;
  for (size_t k = 0; k < run->fixture->n_events; k++) {
    if (k < expected->n && is_outcome (expected->lines[k],
                                       &run->outcomes[k]))
      continue;
    buf_printf (notes, "delivery %zu: expected\n  %s\nbut it is\n  ", k + 1,
                k < expected->n ? expected->lines[k] : "(no line)");
    add_outcome (notes, &run->outcomes[k]);
    is_good = false;
  }
  if (expected->n > run->fixture->n_events) {
    buf_printf (notes, "%zu outcomes are expected of %zu deliveries\n",
                expected->n, run->fixture->n_events);
    is_good = false;
  }
  return is_good;
}

static bool
check_lane (const struct run *run, struct buf *notes)
{
  const struct case_list *expected = &run->fixture->test->lane;
  bool is_good = true;
  char wait[40], rate[60];

  snprintf (wait, sizeof wait, "wait %" PRId64 "ms", run->wait_ms);
  snprintf (rate, sizeof rate, "rate %" PRIu32 "/%" PRIu32 "ms", run->rate,
            run->rate_ms);
  for (size_t k = 0; k < expected->n; k++) {
    const char *line = expected->lines[k];
    const char *made = *line == 'w' ? wait : rate;

    if (strcmp (line, made) != 0) {
      buf_printf (notes, "the lane: expected\n  %s\nbut it is\n  %s\n",
                  line, made);
      is_good = false;
    }
  }
  return is_good;
}

static bool
expects (const struct case_list *outcomes, const char *word)
{
  for (size_t k = 0; k < outcomes->n; k++)
    if (is_word (outcomes->lines[k], word))
      return true;
  return false;
}

static bool
check_faults (const struct run *run, struct buf *notes)
{
  if (run->n_faults == 0 || expects (&run->fixture->test->outcomes, "fault"))
    return true;
  buf_printf (notes, "the plugin is at fault:\n%s", run->faults.data);
  return false;
}

static bool
check_all_used (const struct script *script)
{
  bool is_good = true;

  for (size_t k = 0; k < script->test->n_exchanges; k++)
    if (!script->is_used[k]) {
      buf_printf (script->notes, "%s:%u: this request was not made\n",
                  script->test->path, script->test->exchanges[k].line);
      is_good = false;
    }
  return is_good;
}

bool
verdict_of_run (struct fixture *fixture, struct buf *notes)
{
  const struct test_case *test = fixture->test;
  struct script script = { test, NULL, true, notes };
  struct run run = { .fixture = fixture, .answer = answer_by_case,
                     .data = &script };
  char reason[300];
  bool is_good;

  if (!test->is_verify && test->events.n == 0) {
    buf_add_text (notes, "the case has neither an event nor verify\n");
    return false;
  }
  if (fixture_read_events (fixture, NULL, NULL, reason, sizeof reason)
      == -1) {
    buf_printf (notes, "%s\n", reason);
    return false;
  }
  run.stays = expects (&test->outcomes, "again")
              || expects (&test->outcomes, "split");
  script.is_used = memory_zeroed (test->n_exchanges + 1, sizeof (bool));
  run_all (&run);
  is_good = check_all_used (&script);
  is_good &= check_outcomes (&run, notes);
  is_good &= check_lane (&run, notes);
  is_good &= check_faults (&run, notes);
  free (script.is_used);
  run_done (&run);
  return is_good && script.is_good;
}
