/* case.c - one golden case: a text file of sections.
 *
 * SPDX-License-Identifier: MIT
 */

#include "case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/memory.h"
#include "base/number.h"

#define CASE_DEFAULT_NOW "2026-01-01T00:00:00Z"

/* A section under way. */
struct section {
  const char *name;
  const char *argument;         /* behind the name, "" if none */
  char *text;
  unsigned line;
};

struct reading {
  struct test_case *test;
  char *reason;
  size_t size;
};

static int fail (const struct reading *reading, unsigned line,
                 const char *fmt, ...)
  __attribute__ ((__format__ (__printf__, 3, 4)));

static int
fail (const struct reading *reading, unsigned line, const char *fmt, ...)
{
  char why[300];
  va_list args;

  va_start (args, fmt);
  vsnprintf (why, sizeof why, fmt, args);
  va_end (args);
  snprintf (reading->reason, reading->size, "%s:%u: %s",
            reading->test->path, line, why);
  return -1;
}

char *
case_next_line (char **text)
{
  char *line = *text, *end;

  if (line == NULL || *line == '\0')
    return NULL;
  end = strchr (line, '\n');
  if (end == NULL)
    *text = NULL;
  else {
    *end = '\0';
    *text = end + 1;
    if (end > line && end[-1] == '\r')
      end[-1] = '\0';
  }
  return line;
}

static char *
trim (char *text)
{
  size_t len;

  text += strspn (text, " \t");
  for (len = strlen (text); len > 0 && strchr (" \t\r", text[len - 1]);)
    text[--len] = '\0';
  return text;
}

static void
list_add (struct test_case *test, struct case_list *list, const char *line)
{
  if (list->lines == NULL)
    list->lines = arena_alloc (test->arena,
                               CASE_MAX_LIST * sizeof *list->lines);
  if (list->n < CASE_MAX_LIST)
    list->lines[list->n++] = line;
}

/* Lines that say something: not empty, no comment. */
static char *
next_item (char **text, unsigned *line_number)
{
  char *line;

  while ((line = case_next_line (text)) != NULL) {
    ++*line_number;
    line = trim (line);
    if (*line != '\0' && *line != '#')
      return line;
  }
  return NULL;
}

static int
read_set (const struct reading *reading, struct section *section)
{
  struct test_case *test = reading->test;
  unsigned number = section->line;
  char *text = section->text, *line;

  while ((line = next_item (&text, &number)) != NULL) {
    char *equals = strchr (line, '=');
    struct case_setting *setting;

    if (equals == NULL)
      return fail (reading, number, "no \"name = value\"");
    if (test->n_settings == CASE_MAX_LIST)
      return fail (reading, number, "too many settings");
    *equals = '\0';
    setting = &test->settings[test->n_settings++];
    setting->name = trim (line);
    setting->value = trim (equals + 1);
    setting->line = number;
  }
  return 0;
}

/* Headers to the first empty line; *text is what follows, NULL if there
 * was no empty line.  "!Name" has no value. */
static int
read_headers (const struct reading *reading, unsigned line, char **text,
              struct case_header **ret_headers, size_t *ret_n)
{
  struct case_header *headers;
  size_t n = 0;
  char *header;

  headers = arena_zeroed (reading->test->arena, 100, sizeof *headers);
  while ((header = case_next_line (text)) != NULL && *header != '\0') {
    char *colon = strchr (header, ':');

    if (n == 100)
      return fail (reading, line, "too many headers");
    if (*header == '!')
      headers[n].name = trim (header + 1);
    else if (colon == NULL)
      return fail (reading, line, "\"%s\" is no header: \"Name: value\" or"
                                  " \"!Name\"", header);
    else {
      *colon = '\0';
      headers[n].name = trim (header);
      headers[n].value = trim (colon + 1);
    }
    n++;
  }
  if (header == NULL)
    *text = NULL;
  *ret_headers = headers;
  *ret_n = n;
  return 0;
}

static struct case_exchange *
exchange_add (struct test_case *test, unsigned line)
{
  struct case_exchange *exchange;

  if (test->n_exchanges == CASE_MAX_LIST)
    return NULL;
  exchange = &test->exchanges[test->n_exchanges++];
  exchange->line = line;
  return exchange;
}

static int
read_request (const struct reading *reading, struct section *section)
{
  struct case_exchange *exchange = exchange_add (reading->test,
                                                 section->line);
  char *text = section->text, *line = case_next_line (&text);

  if (exchange == NULL || line == NULL || strchr (line, ' ') == NULL)
    return fail (reading, section->line, "a request begins with its method"
                                         " and URL");
  exchange->request = trim (line);
  if (read_headers (reading, section->line, &text, &exchange->headers,
                    &exchange->n_headers) == -1)
    return -1;
  exchange->body = text;
  return 0;
}

/* "@repeat N TEXT" stands for a body too long to write down. */
static int
read_body (const struct reading *reading, unsigned line, char *text,
           struct case_reply *reply)
{
  static const char repeat[] = "@repeat ";
  struct buf body = BUF_INIT (CASE_MAX_REPEAT);
  char *count, *space;
  int64_t n;

  reply->body = text == NULL ? "" : text;
  reply->body_len = strlen (reply->body);
  if (strncmp (reply->body, repeat, sizeof repeat - 1) != 0)
    return 0;
  count = text + sizeof repeat - 1;
  space = strchr (count, ' ');
  if (space == NULL
      || number_read (count, (size_t) (space - count), 1, CASE_MAX_REPEAT,
                      &n) == -1)
    return fail (reading, line, "\"@repeat N TEXT\" was meant");
  for (; n > 0 && !body.is_over; n--)
    buf_add_text (&body, space + 1);
  reply->body_len = body.len;
  reply->body = arena_strndup (reading->test->arena, body.data, body.len);
  buf_done (&body);
  return 0;
}

/* A reply belongs to the request before it, or answers any. */
static int
read_reply (const struct reading *reading, struct section *section)
{
  struct test_case *test = reading->test;
  struct case_exchange *exchange = NULL;
  struct case_reply *reply;
  char *text = section->text, *line = case_next_line (&text);
  int64_t status;

  if (test->n_exchanges > 0)
    exchange = &test->exchanges[test->n_exchanges - 1];
  if (exchange == NULL || exchange->reply.body != NULL)
    exchange = exchange_add (test, section->line);
  if (exchange == NULL || line == NULL)
    return fail (reading, section->line, "a reply begins with its status");
  reply = &exchange->reply;
  line = trim (line);
  if (strncmp (line, "no-answer", 9) == 0
      || strncmp (line, "refused", 7) == 0) {
    bool is_refused = *line == 'r';

    reply->kind = is_refused ? CASE_REFUSED : CASE_NO_ANSWER;
    reply->body = trim (line + (is_refused ? 7 : 9));
    return 0;
  }
  if (number_read (line, strcspn (line, " "), 100, 999, &status) == -1)
    return fail (reading, section->line, "\"%s\" is no status", line);
  reply->status = (int) status;
  if (read_headers (reading, section->line, &text, &reply->headers,
                    &reply->n_headers) == -1)
    return -1;
  return read_body (reading, section->line, text, reply);
}

static int
read_outcome (const struct reading *reading, struct section *section)
{
  struct test_case *test = reading->test;
  unsigned number = section->line;
  char *text = section->text, *line;

  while ((line = next_item (&text, &number)) != NULL) {
    bool is_lane = strncmp (line, "wait ", 5) == 0
                   || strncmp (line, "rate ", 5) == 0;

    list_add (test, is_lane ? &test->lane : &test->outcomes, line);
  }
  return 0;
}

static int
read_lines (struct test_case *test, struct section *section,
            struct case_list *list)
{
  unsigned number = section->line;
  char *text = section->text, *line;

  while ((line = next_item (&text, &number)) != NULL)
    list_add (test, list, line);
  return 0;
}

static int
read_now (const struct reading *reading, struct section *section)
{
  const char *text = *section->argument != '\0' ? section->argument
                                                : section->text;
  int64_t now_ms = date_read_rfc3339 (text, strlen (text));

  if (now_ms < 0)
    return fail (reading, section->line, "\"%s\" is no time of the form"
                                         " 2026-01-02T03:04:05Z", text);
  reading->test->now_ms = now_ms;
  return 0;
}

static int
read_section (const struct reading *reading, struct section *section)
{
  struct test_case *test = reading->test;
  const char *name = section->name;

  if (strcmp (name, "integration") == 0)
    test->integration = section->text;
  else if (strcmp (name, "set") == 0)
    return read_set (reading, section);
  else if (strcmp (name, "delivery") == 0)
    test->delivery = section->text;
  else if (strcmp (name, "now") == 0)
    return read_now (reading, section);
  else if (strcmp (name, "event") == 0)
    list_add (test, &test->events, section->text);
  else if (strcmp (name, "verify") == 0)
    test->is_verify = true;
  else if (strcmp (name, "open-fails") == 0)
    return read_lines (test, section, &test->complaints);
  else if (strcmp (name, "request") == 0)
    return read_request (reading, section);
  else if (strcmp (name, "html") == 0 && test->n_exchanges > 0)
    test->exchanges[test->n_exchanges - 1].html = section->text;
  else if (strcmp (name, "reply") == 0)
    return read_reply (reading, section);
  else if (strcmp (name, "outcome") == 0)
    return read_outcome (reading, section);
  else
    return fail (reading, section->line, "no section \"--- %s\" is known",
                 name);
  return 0;
}

/* Where the next heading begins, or the end of the text; *line counts
 * what is passed. */
static char *
find_heading (char *text, unsigned *line)
{
  while (*text != '\0' && strncmp (text, "--- ", 4) != 0) {
    text += strcspn (text, "\n");
    if (*text == '\n') {
      text++;
      ++*line;
    }
  }
  return text;
}

static int
read_sections (const struct reading *reading, char *text, unsigned line)
{
  struct arena *arena = reading->test->arena;

  while (*text != '\0') {
    struct section section = { 0 };
    char *heading, *start, *space;
    size_t len;

    section.line = ++line;
    heading = trim (case_next_line (&text) + 4);
    space = strchr (heading, ' ');
    section.argument = space == NULL ? "" : trim (space + 1);
    if (space != NULL)
      *space = '\0';
    section.name = heading;
    if (text == NULL)
      text = heading + strlen (heading);
    start = text;
    text = find_heading (start, &line);
    len = (size_t) (text - start);
    while (len > 0 && strchr ("\r\n", start[len - 1]) != NULL)
      len--;
    section.text = arena_strndup (arena, start, len);
    if (read_section (reading, &section) == -1)
      return -1;
  }
  return 0;
}

/* Comments before the first section: the first is the description. */
static int
read_top (const struct reading *reading, char *text)
{
  struct test_case *test = reading->test;
  unsigned number = 0;

  test->description = "";
  while (text != NULL && *text != '\0' && strncmp (text, "--- ", 4) != 0) {
    char *line = trim (case_next_line (&text));

    number++;
    if (*line == '#' && *test->description == '\0')
      test->description = trim (line + 1);
    else if (*line != '#' && *line != '\0')
      return fail (reading, number, "text before the first \"--- section\""
                                    " must be a comment");
  }
  if (text == NULL || *text == '\0')
    return fail (reading, number, "there is no \"--- section\"");
  return read_sections (reading, text, number);
}

static char *
read_whole (struct arena *arena, const char *path)
{
  FILE *file = fopen (path, "re");
  char *text;
  size_t len;

  if (file == NULL)
    return NULL;
  text = arena_alloc (arena, CASE_MAX_LEN + 1);
  len = fread (text, 1, CASE_MAX_LEN + 1, file);
  if (ferror (file) != 0 || len > CASE_MAX_LEN) {
    errno = ferror (file) != 0 ? errno : EFBIG;
    fclose (file);
    return NULL;
  }
  fclose (file);
  text[len] = '\0';
  return text;
}

/* What lies beside the case serves all that have none of their own. */
static void
read_integration (struct test_case *test)
{
  const char *slash = strrchr (test->path, '/');
  int len = slash == NULL ? 0 : (int) (slash + 1 - test->path);

  if (test->integration == NULL)
    test->integration
      = read_whole (test->arena, arena_printf (test->arena,
                                               "%.*sintegration.xml", len,
                                               test->path));
}

struct test_case *
case_read (const char *path, char *ret_reason, size_t size)
{
  struct arena *arena = arena_new (0);
  struct test_case *test = arena_zeroed (arena, 1, sizeof *test);
  struct reading reading = { test, ret_reason, size };
  char *text = read_whole (arena, path);

  test->arena = arena;
  test->path = arena_strdup (arena, path);
  test->now_ms = date_read_rfc3339 (CASE_DEFAULT_NOW,
                                    strlen (CASE_DEFAULT_NOW));
  test->settings = arena_zeroed (arena, CASE_MAX_LIST,
                                 sizeof *test->settings);
  test->exchanges = arena_zeroed (arena, CASE_MAX_LIST,
                                  sizeof *test->exchanges);
  if (text == NULL)
    snprintf (ret_reason, size, "can't read %s: %s", path,
              strerror (errno));
  else if (read_top (&reading, text) == 0) {
    read_integration (test);
    if (test->integration != NULL)
      return test;
    fail (&reading, 1, "there is neither \"--- integration\" nor an"
                       " integration.xml beside it");
  }
  case_free (test);
  return NULL;
}

void
case_free (struct test_case *test)
{
  if (test != NULL)
    arena_free (test->arena);
}
