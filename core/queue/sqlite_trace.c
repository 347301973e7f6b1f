/* sqlite_trace.c - what became of the events of an id.
 *
 * No index helps: ids and history are read from end to end, so that what
 * every event would have to pay for is paid by whoever asks; in steps, so
 * that nobody else waits for it.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "queue/sqlite_store.h"

enum { TRACE_STEP = 20000 };    /* rows before the log may begin anew */

/* Of one event, copied before anyone is told. */
struct trace {
  struct queue_settlement *rows;
  size_t n;
  struct buf words;             /* reason, reference, via, of each */
};

static void
trace_add (struct trace *trace, struct db_query *query, uint64_t seq)
{
  struct queue_settlement *row;
  const char *text;
  size_t len;

  trace->rows = memory_resize (trace->rows, trace->n + 1,
                               sizeof *trace->rows);
  row = &trace->rows[trace->n++];
  *row = (struct queue_settlement) {
    .seq = seq, .lane = (uint32_t) db_value (query, 0),
    .at_ms = db_value (query, 1), .end = (enum queue_end) db_value (query, 2),
    .attempts = (uint32_t) db_value (query, 3),
    .status = (int32_t) db_value (query, 4) };
  for (int column = 5; column <= 7; column++) {
    text = db_text (query, column, &len);
    buf_add (&trace->words, text, len);
    buf_add_char (&trace->words, '\0');
  }
}

static bool
trace_tell (struct trace *trace, queue_history_fn *fn, void *data)
{
  const char *words = trace->words.data;

  for (size_t i = 0; i < trace->n; i++) {
    trace->rows[i].reason = words;
    words += strlen (words) + 1;
    trace->rows[i].reference = words;
    words += strlen (words) + 1;
    trace->rows[i].via = words;
    words += strlen (words) + 1;
    if (!fn (data, trace->rows[i].lane, &trace->rows[i]))
      return false;
  }
  return true;
}

static void
trace_ends (struct sqlite_store *store, enum sqlite_statement which,
            int64_t *ret_first, int64_t *ret_last)
{
  struct db_query *query = sqlite_query (store, which);

  *ret_first = 1;
  *ret_last = 0;
  while (db_next (query)) {
    *ret_first = db_value (query, 0);
    *ret_last = db_value (query, 1);
  }
}

/* Rows after that number, a step of them. */
static void
trace_bind (struct db_query *query, int64_t after, int64_t last)
{
  db_bind (query, 2, after);
  db_bind (query, 3, last - after < TRACE_STEP ? last : after + TRACE_STEP);
}

static enum queue_error
trace_event (struct sqlite_store *store, uint64_t seq, queue_history_fn *fn,
             void *data, bool *ret_goes_on)
{
  struct trace trace = { .words = BUF_INIT (0) };
  int64_t first, last;
  enum queue_error error;

  trace_ends (store, HISTORY_ENDS, &first, &last);
  for (int64_t after = first - 1; after < last; after += TRACE_STEP) {
    struct db_query *query = sqlite_query (store, TRACE_HISTORY);

    db_bind (query, 1, (int64_t) seq);
    trace_bind (query, after, last);
    while (db_next (query))
      trace_add (&trace, query, seq);
  }
  error = sqlite_checked (store);
  if (error == QUEUE_OK)
    *ret_goes_on = trace_tell (&trace, fn, data);
  free (trace.rows);
  buf_done (&trace.words);
  return error;
}

uint64_t *
sqlite_find_id (struct sqlite_store *store, const char *id, size_t *ret_n)
{
  uint64_t *seqs = NULL;
  int64_t first, last;

  *ret_n = 0;
  trace_ends (store, TRACE_ENDS, &first, &last);
  for (int64_t after = first - 1; after < last; after += TRACE_STEP) {
    struct db_query *query = sqlite_query (store, TRACE_EVENTS);

    db_bind_text (query, 1, id, strlen (id));
    trace_bind (query, after, last);
    while (db_next (query)) {
      seqs = memory_resize (seqs, *ret_n + 1, sizeof *seqs);
      seqs[(*ret_n)++] = (uint64_t) db_value (query, 0);
    }
  }
  return seqs;
}

enum queue_error
sqlite_trace (struct queue *queue, const char *id, queue_history_fn *fn,
              void *data, size_t *ret_n)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  size_t n;
  uint64_t *seqs = sqlite_find_id (store, id, &n);
  enum queue_error error = sqlite_checked (store);
  bool goes_on = true;

  for (size_t i = 0; i < n && goes_on && error == QUEUE_OK; i++)
    error = trace_event (store, seqs[i], fn, data, &goes_on);
  free (seqs);
  *ret_n = n;
  return error;
}
