/* hostile.c - a case again, with values and replies meant to do harm.
 *
 * SPDX-License-Identifier: MIT
 */

#include "hostile.h"

#include <string.h>

#include "base/address.h"
#include "compare.h"
#include "run.h"
#include "shape.h"

#define TEN(text) text text text text text text text text text text

/* Values that harm who forgets to quote. */
static const char *const hostile_texts[] = {
  "\"quoted\" \\ back\\slash",
  "line\nbreak\r\nX-Injected: yes\r\n\r\nbody\ttab",
  "}],\"x\":[{",
  "\"}],\"x\":[{\"y\":\"",
  "\",\"x\":\"y",
  "\",\"x",
  "x\"},{\"x\":\"y\"},{\"z\":\"",
  "%s%n%d%%",
  "",
  "\xf0\x9f\x8e\x89 \xd8\xb3\xd9\x84\xd8\xa7\xd9\x85 \xe2\x80\xa8<b>&amp;",
  "&x=y;#?/../%00+ {{email}} ${x} {% x %} *|x|* [[x]] %recipient.x%",
  TEN (TEN (TEN ("long text, ")))
};

/* What services send on a bad day. */
static const char *const hostile_bodies[] = {
  "", "null", "[]", "{}", "true", "\"text\"", "0", "{\"a\":", "[[[[[[[[[[",
  "<html><body>It works!</body></html>", "\xff\xfe\x00",
  "{\"id\":null,\"results\":[null],\"errors\":{},\"messages\":\"\"}",
  "{\"id\":{\"id\":[]},\"results\":{\"0\":1},\"errors\":[[]],"
  "\"messages\":[{}],\"status\":[]}",
  "[{},{},null,[],1,\"\",{\"id\":-1,\"status\":null,\"email\":[]}]",
  "{\"id\":99999999999999999999999999,\"access_token\":\"\","
  "\"expires_in\":-1}"
};

static const int hostile_statuses[] = {
  200, 202, 204, 207, 302, 400, 401, 404, 413, 422, 429, 500, 503
};

static const int hostile_smtp_statuses[] = { 250, 421, 451, 535, 550, 554 };

/* ------------------------------------------------------------------ */

/* Addresses stay, or there would be no e-mail. */
static const char *
change_text (void *data, const char *text)
{
  struct buf address = BUF_INIT (0);
  const char *reason;
  int status = address_add (&address, text, strlen (text), &reason);

  buf_done (&address);
  return status == 0 ? NULL : data;
}

struct watch {
  const struct test_case *test;
  size_t next;                  /* exchange, for its reply */
  struct shape *shape;
  bool is_learning;
  bool is_good;
  struct buf *notes;
};

static bool
is_sound_url (const char *url)
{
  for (; *url != '\0'; url++)
    if ((unsigned char) *url <= ' ' || strchr ("\"<>\\^`{}", *url) != NULL)
      return false;
  return true;
}

static void
watch_json (struct watch *watch, const struct herald_request *made)
{
  char reason[160];
  struct json_doc *doc = json_doc_read (made->body.data, made->body.len,
                                        reason);

  if (doc == NULL) {
    buf_printf (watch->notes, "the body is no JSON (%s): a value was not"
                              " quoted\n", reason);
    watch->is_good = false;
  } else if (watch->is_learning)
    shape_learn (watch->shape, doc);
  else if (!shape_fits (watch->shape, doc, watch->notes))
    watch->is_good = false;
  json_doc_free (doc);
}

/* Look at a request, then answer as the case does, so that it goes on to
 * the requests that follow. */
static size_t
answer_watching (void *data, struct herald_request *const *open, size_t n,
                 const struct case_reply **ret_reply)
{
  static const struct case_reply success = { .kind = CASE_STATUS };
  struct watch *watch = data;
  const char *type = compare_header (open[0], "content-type");

  (void) n;
  if (open[0]->kind == REQUEST_JSON
      || (type != NULL && strncmp (type, "application/json", 16) == 0
          && open[0]->body.len > 0))
    watch_json (watch, open[0]);
  if (!is_sound_url (open[0]->url.data)) {
    buf_printf (watch->notes, "the URL has a character that must be"
                              " escaped: %s\n", open[0]->url.data);
    watch->is_good = false;
  }
  *ret_reply = &success;
  if (watch->next < watch->test->n_exchanges)
    *ret_reply = &watch->test->exchanges[watch->next++].reply;
  return 0;
}

static bool
has_token_step (const struct fixture *fixture)
{
  return fixture->integration->provider->plugin.token != NULL;
}

/* One pass; what becomes of the deliveries is no matter, what is done to
 * the requests is. */
static bool
run_watched (struct fixture *fixture, struct watch *watch, const char *value,
             struct buf *notes)
{
  struct run run = { .fixture = fixture, .answer = answer_watching,
                     .data = watch, .stays = true,
                     .has_token = has_token_step (fixture) };
  char reason[300];
  size_t before = notes->len;
  union { const char *from; void *to; } text = { value };

  if (fixture_read_events (fixture, value == NULL ? NULL : change_text,
                           text.to, reason, sizeof reason) == -1) {
    buf_printf (notes, "%s\n", reason);
    return false;
  }
  /* The case's first reply is the token's. */
  watch->next = run.has_token ? 1 : 0;
  run_all (&run);
  if (run.n_faults > 0) {
    buf_printf (notes, "the plugin is at fault:\n%s", run.faults.data);
    watch->is_good = false;
  }
  run_done (&run);
  if (notes->len > before) {
    buf_printf (notes, "... with the value \"%.30s\"\n",
                value == NULL ? "" : value);
  }
  return watch->is_good;
}

bool
hostile_values (struct fixture *fixture, struct buf *notes)
{
  struct watch watch = {
    .test = fixture->test, .shape = shape_new (), .is_learning = true,
    .is_good = true, .notes = notes
  };
  bool is_good;

  is_good = run_watched (fixture, &watch, NULL, notes)
            && run_watched (fixture, &watch, "harmless", notes);
  watch.is_learning = false;
  for (size_t k = 0; k < HERALD_COUNT (hostile_texts); k++) {
    watch.is_good = true;
    is_good &= run_watched (fixture, &watch, hostile_texts[k], notes);
  }
  shape_free (watch.shape);
  return is_good;
}

/* ------------------------------------------------------------------ */

struct storm {
  int status;
  const char *body;
  struct case_reply reply;
};

static size_t
answer_storming (void *data, struct herald_request *const *open, size_t n,
                 const struct case_reply **ret_reply)
{
  static struct case_header header = { "Retry-After", "soon" };
  struct storm *storm = data;

  (void) open;
  storm->reply.kind = CASE_STATUS;
  storm->reply.status = storm->status;
  storm->reply.body = storm->body;
  storm->reply.body_len = strlen (storm->body);
  storm->reply.headers = &header;
  storm->reply.n_headers = 1;
  *ret_reply = &storm->reply;
  /* The last first: order must not matter. */
  return n - 1;
}

static bool
run_storm (struct fixture *fixture, int status, const char *body,
           bool has_token, struct buf *notes)
{
  struct storm storm = { status, body, { 0 } };
  struct run run = { .fixture = fixture, .answer = answer_storming,
                     .data = &storm, .has_token = has_token };
  bool is_good;

  run_all (&run);
  is_good = run.n_faults == 0;
  if (!is_good)
    buf_printf (notes, "answered %d %s\nthe plugin is at fault:\n%s", status,
                body, run.faults.data);
  run_done (&run);
  return is_good;
}

bool
hostile_replies (struct fixture *fixture, struct buf *notes)
{
  static const char scheme[] = "MAIL";
  const struct test_case *test = fixture->test;
  bool is_smtp = false, is_good = true;
  const int *statuses = hostile_statuses;
  size_t n = HERALD_COUNT (hostile_statuses);
  char reason[300];

  if (fixture_read_events (fixture, NULL, NULL, reason, sizeof reason) == -1)
    return false;
  for (size_t k = 0; k < test->n_exchanges; k++)
    is_smtp |= test->exchanges[k].request != NULL
               && (strncmp (test->exchanges[k].request, scheme, 4) == 0
                   || strstr (test->exchanges[k].request, " smtp") != NULL);
  if (is_smtp) {
    statuses = hostile_smtp_statuses;
    n = HERALD_COUNT (hostile_smtp_statuses);
  }
  for (size_t k = 0; is_good && k < n; k++)
    for (size_t i = 0; is_good && i < HERALD_COUNT (hostile_bodies); i++) {
      is_good = run_storm (fixture, statuses[k], hostile_bodies[i], false,
                           notes);
      if (is_good && has_token_step (fixture))
        is_good = run_storm (fixture, statuses[k], hostile_bodies[i], true,
                             notes);
    }
  return is_good;
}
