/* dead.c - herald dead: deliveries that were given up.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/json_index.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/redact.h"
#include "options.h"
#include "output.h"
#include "store.h"
#include "table.h"

enum { DEAD_MOST = 1000 };      /* shown, unless asked for more */

/* Of an integration that nothing was ever kept for. */
static const uint32_t NO_LANE = UINT32_MAX;

struct dead {
  struct store *store;
  struct queue_filter filter;
  const char *event;            /* --event, or NULL */
  size_t n_seqs;                /* its dead letters */
  uint64_t *seqs;
  bool is_json, is_sure;
  int64_t most;                 /* 0: all */
  int64_t n;                    /* that match */
  struct table *table;
  struct json_doc *list;
  struct json_index index;      /* its memory is used again */
};

typedef enum queue_error dead_each_fn (struct dead *dead,
                                       const struct queue_filter *filter);

static bool
dead_seq (void *data, const struct queue_left *left)
{
  struct dead *dead = data;

  if (left->is_dead
      && (dead->n_seqs == 0 || dead->seqs[dead->n_seqs - 1] != left->seq)) {
    dead->seqs = memory_resize (dead->seqs, dead->n_seqs + 1,
                                sizeof *dead->seqs);
    dead->seqs[dead->n_seqs++] = left->seq;
  }
  return true;
}

/* fn for what the options chose: an event's id may stand for several. */
static enum queue_error
dead_for_all (struct dead *dead, dead_each_fn *fn)
{
  struct queue_filter filter = dead->filter;
  enum queue_error error;

  if (dead->event == NULL)
    return fn (dead, &filter);
  dead->n_seqs = 0;
  error = queue_left (dead->store->queue, dead->event, dead_seq, dead);
  for (size_t i = 0; i < dead->n_seqs && error == QUEUE_OK; i++) {
    if (dead->filter.seq != 0 && dead->filter.seq != dead->seqs[i])
      continue;
    filter.seq = dead->seqs[i];
    error = fn (dead, &filter);
  }
  return error;
}

/* ------------------------------------------------------------------ */

static const char *
dead_attribute (struct dead *dead, const struct queue_dead *one,
                const char *name, struct buf *out)
{
  uint32_t node;

  buf_clear (out);
  if (json_index_read (&dead->index, one->body, one->len, 64, 0,
                       &(struct json_error) { 0 }) == 0) {
    node = json_index_member (&dead->index, 0, name, strlen (name));
    if (node != 0)
      json_index_add_text (&dead->index, node, out);
  }
  return out->data;
}

static struct json_doc *
dead_json (struct dead *dead, const struct queue_dead *one)
{
  struct json_doc *row = json_doc_object ();
  struct buf text = BUF_INIT (0);

  json_doc_put (row, "seq", json_doc_number ((int64_t) one->seq));
  json_doc_put (row, "integration",
                json_doc_text (store_lane_name (dead->store, one->lane)));
  json_doc_put (row, "id",
                json_doc_text (dead_attribute (dead, one, "id", &text)));
  json_doc_put (row, "source",
                json_doc_text (dead_attribute (dead, one, "source", &text)));
  json_doc_put (row, "died", output_json_time (one->died_ms));
  json_doc_put (row, "attempts", json_doc_number (one->attempts));
  buf_clear (&text);
  redact_add (&text, one->reason, strlen (one->reason), 0);
  json_doc_put (row, "reason", json_doc_text (text.data));
  buf_done (&text);
  return row;
}

static bool
dead_list_one (void *data, const struct queue_dead *one)
{
  struct dead *dead = data;
  struct buf id = BUF_INIT (0);

  if (++dead->n > dead->most && dead->most > 0)
    return true;
  if (dead->is_json) {
    json_doc_push (dead->list, dead_json (dead, one));
    return true;
  }
  table_add (dead->table, "%llu", (unsigned long long) one->seq);
  table_add (dead->table, "%s", store_lane_name (dead->store, one->lane));
  table_add_text (dead->table, dead_attribute (dead, one, "id", &id));
  table_add_time (dead->table, one->died_ms);
  table_add (dead->table, "%u", (unsigned) one->attempts);
  table_add_text (dead->table, one->reason);
  buf_done (&id);
  return true;
}

/* The event as it is: that is what show was asked for. */
static bool
dead_show_one (void *data, const struct queue_dead *one)
{
  struct dead *dead = data;
  struct buf line = BUF_INIT (0);
  char reason[160];

  if (++dead->n > dead->most && dead->most > 0)
    return true;
  if (dead->is_json) {
    struct json_doc *row = dead_json (dead, one);

    json_doc_put (row, "event",
                  json_doc_read (one->body, one->len, reason));
    json_doc_push (dead->list, row);
    return true;
  }
  buf_printf (&line, "dead letter %llu of %s, died ",
              (unsigned long long) one->seq,
              store_lane_name (dead->store, one->lane));
  date_add_rfc3339 (&line, one->died_ms);
  buf_printf (&line, " after %u attempt%s: ", (unsigned) one->attempts,
              one->attempts == 1 ? "" : "s");
  redact_add (&line, one->reason, strlen (one->reason), 0);
  printf ("%s%s\n", dead->n > 1 ? "\n" : "", line.data);
  buf_done (&line);
  output_line (one->body, one->len);
  return true;
}

static enum queue_error
dead_list_each (struct dead *dead, const struct queue_filter *filter)
{
  return queue_dead_each (dead->store->queue, filter, dead_list_one, dead);
}

static enum queue_error
dead_show_each (struct dead *dead, const struct queue_filter *filter)
{
  return queue_dead_each (dead->store->queue, filter, dead_show_one, dead);
}

static enum queue_error
dead_replay_each (struct dead *dead, const struct queue_filter *filter)
{
  uint64_t n = 0;
  enum queue_error error = queue_dead_replay (dead->store->queue, filter, &n);

  dead->n += (int64_t) n;
  return error;
}

static enum queue_error
dead_purge_each (struct dead *dead, const struct queue_filter *filter)
{
  uint64_t n = 0;
  enum queue_error error = queue_dead_purge (dead->store->queue, filter, &n);

  dead->n += (int64_t) n;
  return error;
}

/* ------------------------------------------------------------------ */

static int
dead_print (struct dead *dead, dead_each_fn *fn)
{
  static const char *const titles[] = {
    "SEQ", "INTEGRATION", "EVENT", "DIED", ">ATTEMPTS", "REASON", NULL
  };
  enum queue_error error = QUEUE_OK;
  struct json_doc *doc = json_doc_object ();
  struct table *table = fn == dead_list_each ? table_new (titles) : NULL;

  dead->list = json_doc_array ();
  dead->table = table;
  if (dead->store->queue != NULL)
    error = dead_for_all (dead, fn);
  json_doc_put (doc, "total", json_doc_number (dead->n));
  json_doc_put (doc, "letters", dead->list);
  if (error == QUEUE_OK && dead->is_json)
    output_json (doc);
  else
    json_doc_free (doc);
  if (error == QUEUE_OK && !dead->is_json) {
    if (table != NULL)
      table_print (table);
    if (dead->n == 0 && dead->store->queue != NULL)
      printf ("no dead letter%s\n", dead->filter.lane != 0
                                    || dead->filter.seq != 0
                                    || dead->filter.reason != NULL
                                    || dead->filter.before_ms != 0
                                    || dead->event != NULL
                                    ? " is such" : "s");
    if (dead->most > 0 && dead->n > dead->most)
      printf ("and %lld more: choose by --integration, --reason or "
              "--older-than, or see them all with --most 0\n",
              (long long) (dead->n - dead->most));
  }
  table_free (table);
  return error == QUEUE_OK ? EXIT_DONE : store_failed (dead->store);
}

static int
dead_change (struct dead *dead, dead_each_fn *fn, const char *what)
{
  enum queue_error error = QUEUE_OK;
  struct json_doc *doc;

  if (dead->store->queue != NULL)
    error = dead_for_all (dead, fn);
  if (dead->is_json) {
    doc = json_doc_object ();
    json_doc_put (doc, what, json_doc_number (dead->n));
    output_json (doc);
  } else
    printf ("%s %lld dead letter%s\n", what, (long long) dead->n,
            dead->n == 1 ? "" : "s");
  return error == QUEUE_OK ? EXIT_DONE : store_failed (dead->store);
}

/* What nobody chose in any way goes only if that is meant. */
static bool
dead_may_purge (const struct dead *dead)
{
  const struct queue_filter *filter = &dead->filter;
  char answer[16] = "";
  uint64_t n = 0;

  if (dead->is_sure || dead->event != NULL || filter->lane != 0
      || filter->seq != 0 || filter->reason != NULL || filter->before_ms != 0)
    return true;
  if (dead->is_json || !isatty (STDIN_FILENO)) {
    fprintf (stderr, "herald dead: purge without --integration, --reason, "
             "--older-than, --event or --seq removes all dead letters; say "
             "--yes if that is meant\n");
    return false;
  }
  for (size_t i = 0; i < dead->store->n_lanes; i++)
    n += dead->store->lanes[i].state.dead;
  fprintf (stderr, "remove all %llu dead letters for good? [y/N] ",
           (unsigned long long) n);
  return fgets (answer, sizeof answer, stdin) != NULL
         && (strcmp (answer, "y\n") == 0 || strcmp (answer, "yes\n") == 0);
}

static int
dead_run (struct dead *dead, const char *action)
{
  if (strcmp (action, "list") == 0)
    return dead_print (dead, dead_list_each);
  if (strcmp (action, "show") == 0)
    return dead_print (dead, dead_show_each);
  if (strcmp (action, "replay") == 0)
    return dead_change (dead, dead_replay_each, "replayed");
  return dead_may_purge (dead)
           ? dead_change (dead, dead_purge_each, "purged") : EXIT_USAGE;
}

/* ------------------------------------------------------------------ */

struct dead_options {
  const char *integration, *reason, *event, *seq, *most;
  int64_t older_ms;
};

static int
dead_read_number (const char *name, const char *text, int64_t min,
                  int64_t *ret_value)
{
  if (text == NULL
      || number_read (text, strlen (text), min, INT64_MAX, ret_value) == 0)
    return 0;
  fprintf (stderr, "herald dead: no number after --%s: %s\n", name, text);
  return -1;
}

/* What a script left empty must not choose all of them, and what is not
 * looked at must not be thought to limit. */
static int
dead_check (const struct dead_options *chosen, const char *action)
{
  bool is_change = strcmp (action, "replay") == 0
                   || strcmp (action, "purge") == 0;

  if (chosen->reason != NULL && *chosen->reason == '\0')
    fprintf (stderr, "herald dead: no text after --reason\n");
  else if (chosen->most != NULL && is_change)
    fprintf (stderr, "herald dead: --most is how many are shown; %s goes by "
             "--integration, --reason, --older-than, --event and --seq\n",
             action);
  else
    return EXIT_DONE;
  return EXIT_USAGE;
}

static int
dead_choose (struct dead *dead, const struct dead_options *chosen)
{
  const struct store_lane *lane;
  int64_t seq = 0;

  dead->most = DEAD_MOST;
  if (dead_read_number ("seq", chosen->seq, 1, &seq) != 0
      || dead_read_number ("most", chosen->most, 0, &dead->most) != 0)
    return EXIT_USAGE;
  dead->filter.seq = (uint64_t) seq;
  dead->filter.reason = chosen->reason;
  if (chosen->older_ms > 0)
    dead->filter.before_ms = date_now_ms () - chosen->older_ms;
  dead->event = chosen->event;
  if (chosen->integration == NULL)
    return EXIT_DONE;
  lane = store_lane (dead->store, chosen->integration);
  if (lane != NULL
      || store_descriptor (dead->store, chosen->integration) != NULL) {
    dead->filter.lane = lane != NULL ? lane->lane : NO_LANE;
    return EXIT_DONE;
  }
  store_say_unknown (dead->store, chosen->integration);
  return EXIT_CONFIG;
}

static bool
dead_is_action (const char *text)
{
  return strcmp (text, "list") == 0 || strcmp (text, "show") == 0
         || strcmp (text, "replay") == 0 || strcmp (text, "purge") == 0;
}

static int
dead_begin (struct dead *dead, const struct dead_options *chosen,
            const char *action)
{
  int status;

  store_look (dead->store);
  if (dead->store->queue == NULL)
    store_say_none (dead->store);
  status = dead_choose (dead, chosen);
  if (status == EXIT_DONE)
    status = dead_run (dead, action);
  json_index_done (&dead->index);
  free (dead->seqs);
  return status;
}

int
command_dead (const struct command_globals *globals, int argc, char **argv)
{
  struct dead dead = { .is_json = false };
  struct dead_options chosen = { .older_ms = 0 };
  const struct option_row rows[] = {
    { OPTION_TEXT, "integration", 'i', "NAME", "only of this one",
      &chosen.integration },
    { OPTION_TEXT, "reason", 'r', "TEXT", "only with this in their reason",
      &chosen.reason },
    { OPTION_DURATION, "older-than", 0, "TIME",
      "only those given up longer ago than this, such as 7d",
      &chosen.older_ms },
    { OPTION_TEXT, "event", 'e', "ID", "only of events with this id",
      &chosen.event },
    { OPTION_TEXT, "seq", 0, "N", "only of this event, by its number",
      &chosen.seq },
    { OPTION_TEXT, "most", 0, "N",
      "list or show so many at most (default 1000; 0: all)", &chosen.most },
    { OPTION_FLAG, "yes", 'y', NULL, "purge all without asking",
      &dead.is_sure },
    { OPTION_FLAG, "json", 0, NULL, "print JSON", &dead.is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "dead",
    .usage = "[list|show|replay|purge] [options]",
    .about = "Look after dead letters: deliveries that were given up, kept "
             "with their event until somebody decides.\n\nlist shows which "
             "there are and why; show prints the events, too, with all that "
             "participants have written; replay puts them back into their "
             "lanes, to be tried as if for the first time; purge removes "
             "them for good.",
    .max_operands = 1,
    .rows = rows,
    .notes = "exit codes: 0 done, also if there was none, 2 bad usage, or "
             "not confirmed, 3 there is no such integration, or the "
             "configuration can't be used, 4 the store can't be used",
  };
  const char *action = "list";
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  if (n > 0)
    action = argv[0];
  if (!dead_is_action (action)) {
    fprintf (stderr, "herald dead: %s is none of list, show, replay and "
             "purge\n", action);
    return EXIT_USAGE;
  }
  status = dead_check (&chosen, action);
  if (status != EXIT_DONE)
    return status;
  dead.store = store_open (globals, &status);
  if (dead.store == NULL)
    return status;
  status = dead_begin (&dead, &chosen, action);
  store_close (dead.store);
  return status;
}
