/* fuzz-intake.c - any bytes as the body of a request to the intake, in all
 * content modes, gzipped or not, in pieces of any size.
 *
 * The first byte says the mode, whether it is gzip, and how it is cut; of
 * the binary mode lines of header fields come before the body.  How it was
 * cut changes nothing that comes out, and each event reads back as itself.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "intake/binary.h"
#include "intake/body.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

enum { MAX_BODY = 64 << 10, MAX_EVENT = 8 << 10, MAX_EVENTS = 50 };

static void
must (bool holds)
{
  if (!holds)
    abort ();
}

struct outcome {
  struct buf text;              /* events and reasons, in order */
  size_t n;
  enum body_fault fault;
};

static bool
take_event (void *data, struct event *event)
{
  struct outcome *outcome = data;
  struct event_reader *reader = event_reader_new (NULL);
  struct event_error error;
  struct event *again;
  const char *line, *line_again;
  size_t len, len_again;

  line = event_line (event, &len);
  must (line != NULL && memchr (line, '\n', len) == NULL
        && memchr (line, '\r', len) == NULL);
  must (event_reader_read (reader, line, len, &again, &error) == 0);
  line_again = event_line (again, &len_again);
  must (len == len_again && memcmp (line, line_again, len) == 0);
  must (strcmp (event_id (event), event_id (again)) == 0);
  must (strcmp (event_source (event), event_source (again)) == 0);
  must (strcmp (event_workspace (event), event_workspace (again)) == 0);
  buf_add (&outcome->text, line, len);
  buf_add_char (&outcome->text, '\n');
  outcome->n++;
  event_release (again);
  event_release (event);
  event_reader_free (reader);
  return true;
}

static bool
take_bad (void *data, const char *reason)
{
  struct outcome *outcome = data;

  must (*reason != '\0' && text_is_one_line (reason, strlen (reason)));
  buf_printf (&outcome->text, "bad: %s\n", reason);
  outcome->n++;
  return true;
}

static void
run (struct body_config config, const char *bytes, size_t len, size_t piece,
     struct outcome *ret_outcome)
{
  struct event_reader *reader = event_reader_new (NULL);
  struct outcome outcome = { .text = BUF_INIT (0) };
  struct body *body;

  config.reader = reader;
  config.data = &outcome;
  body = body_new (&config);
  for (size_t at = 0; at < len && outcome.fault == BODY_FINE; at += piece)
    outcome.fault = body_feed (body, bytes + at,
                               len - at < piece ? len - at : piece);
  if (outcome.fault == BODY_FINE)
    outcome.fault = body_finish (body);
  must (outcome.fault == BODY_FINE || *body_reason (body) != '\0');
  must (outcome.n <= MAX_EVENTS);
  must (outcome.fault != BODY_STOPPED);
  body_free (body);
  event_reader_free (reader);
  *ret_outcome = outcome;
}

/* Header fields up to an empty line; what is left is the body.  False:
 * they are refused. */
static bool
read_fields (struct buf *head, const char **bytes, size_t *len)
{
  const char *at = *bytes, *end = at + *len;
  char line[300], *colon, reason[200];
  bool is_good = true;

  buf_add_char (head, '{');
  while (at < end && *at != '\n' && is_good) {
    const char *stop = memchr (at, '\n', (size_t) (end - at));
    size_t n = (size_t) ((stop != NULL ? stop : end) - at);

    if (n >= sizeof line || memchr (at, '\0', n) != NULL)
      return false;
    memcpy (line, at, n);
    line[n] = '\0';
    colon = strchr (line, ':');
    if (colon != NULL) {
      *colon = '\0';
      is_good = !binary_is_attribute (line)
                || binary_add (head, line, colon + 1, reason) == 0;
    }
    at += n + (stop != NULL);
  }
  binary_add_data (head);
  at += at < end;
  *len = (size_t) (end - at);
  *bytes = at;
  return is_good;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct body_config config = {
    .expected = -1, .max_body = MAX_BODY, .max_event = MAX_EVENT,
    .max_events = MAX_EVENTS, .event = take_event, .bad = take_bad,
  };
  struct buf head = BUF_INIT (0);
  struct outcome whole, at_once, cut;
  const char *bytes;
  size_t len;

  if (size == 0)
    return 0;
  config.mode = (enum body_mode) (data[0] % 5);
  config.is_gzip = (data[0] & 0x08) != 0;
  config.workspace = (data[0] & 0x10) != 0 ? "lent" : NULL;
  bytes = (const char *) data + 1;
  len = size - 1;
  if (config.mode != BODY_BINARY || read_fields (&head, &bytes, &len)) {
    config.head = head.data;
    config.head_len = head.len;
    run (config, bytes, len, len > 0 ? len : 1, &whole);
    run (config, bytes, len, 1 + (size_t) (data[0] >> 5) * 3, &cut);
    config.expected = (int64_t) len;
    run (config, bytes, len, len > 0 ? len : 1, &at_once);
    must (whole.fault == at_once.fault);
    must ((whole.fault == BODY_FINE) == (cut.fault == BODY_FINE));
    if (whole.fault == BODY_FINE) {
      must (strcmp (whole.text.data, cut.text.data) == 0);
      must (strcmp (whole.text.data, at_once.text.data) == 0);
    }
    buf_done (&whole.text);
    buf_done (&cut.text);
    buf_done (&at_once.text);
  }
  buf_done (&head);
  return 0;
}
