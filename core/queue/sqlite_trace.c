/* sqlite_trace.c - what became of the events of an id.
 *
 * No index helps: ids and history are read from end to end, so that what
 * every event would have to pay for is paid by whoever asks.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "queue/sqlite_store.h"

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

static enum queue_error
trace_event (struct sqlite_store *store, uint64_t seq, queue_history_fn *fn,
             void *data, bool *ret_goes_on)
{
  struct db_query *query = sqlite_query (store, TRACE_HISTORY);
  struct trace trace = { .words = BUF_INIT (0) };
  enum queue_error error;

  db_bind (query, 1, (int64_t) seq);
  while (db_next (query))
    trace_add (&trace, query, seq);
  error = sqlite_checked (store);
  if (error == QUEUE_OK)
    *ret_goes_on = trace_tell (&trace, fn, data);
  free (trace.rows);
  buf_done (&trace.words);
  return error;
}

enum queue_error
sqlite_trace (struct queue *queue, const char *id, queue_history_fn *fn,
              void *data, size_t *ret_n)
{
  struct sqlite_store *store = sqlite_store_of (queue);
  struct db_query *query = sqlite_query (store, TRACE_EVENTS);
  uint64_t *seqs = NULL;
  size_t n = 0;
  bool goes_on = true;
  enum queue_error error;

  db_bind_text (query, 1, id, strlen (id));
  while (db_next (query)) {
    seqs = memory_resize (seqs, n + 1, sizeof *seqs);
    seqs[n++] = (uint64_t) db_value (query, 0);
  }
  error = sqlite_checked (store);
  for (size_t i = 0; i < n && goes_on && error == QUEUE_OK; i++)
    error = trace_event (store, seqs[i], fn, data, &goes_on);
  free (seqs);
  *ret_n = n;
  return error;
}
