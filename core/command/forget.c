/* forget.c - herald forget: erase what is kept of a participant.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/json_doc.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "event/event.h"
#include "options.h"
#include "output.h"
#include "store.h"

enum { FORGET_KEYS = 64, FORGET_ADDRESS = 1024 };

struct forget {
  struct event_reader *reader;
  const char *address;          /* as forget_spell () has it */
  size_t n_keys;
  const char *keys[FORGET_KEYS];
  bool is_dry;
  uint64_t n;                   /* events that are meant */
  uint64_t n_unread;
  struct buf value, spelt;
};

/* In place. */
static char *
forget_trim (char *text)
{
  size_t len;

  text += strspn (text, " \t\r\n");
  len = strlen (text);
  while (len > 0 && strchr (" \t\r\n", text[len - 1]) != NULL)
    len--;
  text[len] = '\0';
  text_fold (text);
  return text;
}

/* What is one mailbox is spelt one way: in lower case, the domain as DNS
 * has it.  What is no address stays as it is. */
static void
forget_spell (struct buf *out, char *text)
{
  const char *reason;

  text = forget_trim (text);
  buf_clear (out);
  if (address_add (out, text, strlen (text), &reason) == 0)
    return;
  buf_clear (out);
  buf_add_text (out, text);
}

static bool
forget_is_in (struct forget *forget, const struct event *event,
              const char *key)
{
  bool is_in;

  buf_clear (&forget->value);
  event_add_field_text (event, key, strlen (key), &forget->value);
  if (forget->value.len == 0)
    return false;
  forget_spell (&forget->spelt, forget->value.data);
  is_in = strcmp (forget->spelt.data, forget->address) == 0;
  memory_wipe (forget->value.data, forget->value.len);
  memory_wipe (forget->spelt.data, forget->spelt.len);
  return is_in;
}

static bool
forget_match (void *data, const char *body, size_t len)
{
  struct forget *forget = data;
  struct event_error error;
  struct event *event;
  bool is_match = false;

  if (event_reader_read (forget->reader, body, len, &event, &error) != 0) {
    forget->n_unread++;
    return false;
  }
  for (size_t i = 0; i < forget->n_keys && !is_match; i++)
    is_match = forget_is_in (forget, event, forget->keys[i]);
  event_release (event);
  forget->n += is_match;
  return is_match && !forget->is_dry;
}

/* Whatever is called an e-mail address. */
static bool
forget_is_address_key (const struct catalogue_field *field)
{
  char *key = memory_strdup (field->key), *label = memory_strdup (field->label);
  bool is_address;

  text_fold (key);
  text_fold (label);
  is_address = strstr (key, "email") != NULL || strstr (label, "email") != NULL
               || strstr (label, "e-mail") != NULL;
  free (key);
  free (label);
  return is_address;
}

/* Each key once.  -1: there are too many. */
static int
forget_add_key (struct forget *forget, const char *key)
{
  for (size_t i = 0; i < forget->n_keys; i++)
    if (strcmp (forget->keys[i], key) == 0)
      return 0;
  if (forget->n_keys == FORGET_KEYS)
    return -1;
  forget->keys[forget->n_keys++] = key;
  return 0;
}

/* names: "key,other-key", cut up in place. */
static int
forget_add_keys (struct forget *forget, const struct catalogue *catalogue,
                 char *names)
{
  int status = forget_add_key (forget, "email");

  for (size_t i = 0; i < catalogue_count (catalogue); i++) {
    const struct catalogue_field *field = catalogue_at (catalogue, i);

    if (forget_is_address_key (field))
      status |= forget_add_key (forget, field->key);
  }
  while (names != NULL && status == 0) {
    char *next = strchr (names, ',');

    if (next != NULL)
      *next++ = '\0';
    if (*names != '\0')
      status = forget_add_key (forget, names);
    names = next;
  }
  if (status != 0)
    log_error ("more than %d fields can't be looked at in one run",
               FORGET_KEYS);
  return status;
}

/* From standard input.  False: more than one stands there, and who gave
 * them means them all. */
static bool
forget_read_line (char *line, size_t size)
{
  int c = EOF;

  if (isatty (STDIN_FILENO))
    fprintf (stderr, "the e-mail address, and Enter: ");
  if (fgets (line, (int) size, stdin) == NULL)
    *line = '\0';
  else if (!isatty (STDIN_FILENO))
    while ((c = getchar ()) != EOF && strchr (" \t\r\n", c) != NULL)
      continue;
  return c == EOF;
}

/* False after saying why not.  In argv the address is overwritten, so that
 * it is seen there for a moment only. */
static bool
forget_read_address (char *argument, struct buf *out)
{
  char line[FORGET_ADDRESS];
  const char *problem = NULL;

  if (strcmp (argument, "-") != 0) {
    snprintf (line, sizeof line, "%s", argument);
    memset (argument, 'x', strlen (argument));
  } else if (!forget_read_line (line, sizeof line))
    problem = "one address at a time, and nothing behind it";
  forget_spell (out, line);
  memory_wipe (line, sizeof line);
  if (problem == NULL
      && (strchr (out->data, '@') == NULL || out->len >= sizeof line - 2))
    problem = "that is no e-mail address";
  if (problem != NULL)
    fprintf (stderr, "herald forget: %s\n", problem);
  return problem == NULL;
}

static void
forget_print (const struct forget *forget, bool is_json)
{
  const char *what = forget->is_dry ? "would be erased" : "erased";
  struct json_doc *doc;

  if (is_json) {
    doc = json_doc_object ();
    json_doc_put (doc, "events", json_doc_number ((int64_t) forget->n));
    json_doc_put (doc, "erased", json_doc_bool (!forget->is_dry));
    output_json (doc);
  } else
    printf ("%llu event%s %s\n", (unsigned long long) forget->n,
            forget->n == 1 ? "" : "s", what);
  if (forget->n_unread > 0)
    log_warning ("%llu events of the store could not be read, and were left "
                 "as they are", (unsigned long long) forget->n_unread);
}

static int
forget_run (struct store *store, struct forget *forget, char *fields,
            bool is_json)
{
  enum queue_error error = QUEUE_OK;
  uint64_t n = 0;

  if (forget_add_keys (forget, store->configuration->herald->catalogue,
                       fields) != 0)
    return EXIT_USAGE;
  if (store->queue == NULL)
    store_say_none (store);
  else
    error = queue_forget (store->queue, forget_match, forget, &n);
  if (error == QUEUE_BUSY && n > 0)
    log_error ("the events are gone, but their last traces are still in the "
               "store's files; run this again");
  if (error != QUEUE_OK)
    return store_failed (store);
  forget_print (forget, is_json);
  return EXIT_DONE;
}

static int
forget_open (const struct command_globals *globals, struct forget *forget,
             const char *fields, bool is_json)
{
  char *copy = fields != NULL ? memory_strdup (fields) : NULL;
  int status;
  struct store *store = store_open (globals, &status);

  if (store != NULL) {
    forget->reader = event_reader_new (NULL);
    status = forget_run (store, forget, copy, is_json);
    event_reader_free (forget->reader);
    store_close (store);
  }
  free (copy);
  return status;
}

int
command_forget (const struct command_globals *globals, int argc, char **argv)
{
  struct forget forget = { .value = BUF_INIT (0), .spelt = BUF_INIT (0) };
  struct buf address = BUF_INIT (0);
  const char *fields = NULL;
  bool is_json = false;
  const struct option_row rows[] = {
    { OPTION_TEXT, "field", 'f', "KEY[,KEY...]",
      "look into these fields as well", &fields },
    { OPTION_FLAG, "dry-run", 'n', NULL, "only count", &forget.is_dry },
    { OPTION_FLAG, "json", 0, NULL, "print JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "forget",
    .usage = "[options] EMAIL|-",
    .about = "Erase what is kept of a participant: every event one of whose "
             "e-mail fields is this address, with its deliveries and dead "
             "letters, and the words of its history.  Fields are email, those "
             "of herald.xml that are called e-mail or email, and --field; "
             "upper and lower case are the same, and so are a domain and its "
             "xn-- form.\n\nGive - and the address "
             "on standard input: arguments of a command can be seen by "
             "everybody on this host while it runs, and stay in the shell's "
             "history.\n\nThis may be done while the daemon runs.  What is "
             "on its way at that moment can't be called back; what a "
             "service has got already must be erased there.",
    .rows = rows,
    .min_operands = 1,
    .max_operands = 1,
    .notes = "exit codes: 0 done, also if there was nothing, 2 bad usage, 3 "
             "the configuration can't be used, 4 the store can't be used",
  };
  int n, status;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  if (!forget_read_address (argv[0], &address))
    status = EXIT_USAGE;
  else {
    forget.address = address.data;
    status = forget_open (globals, &forget, fields, is_json);
  }
  if (address.len > 0)
    memory_wipe (address.data, address.len);
  buf_done (&address);
  buf_done (&forget.value);
  buf_done (&forget.spelt);
  return status;
}
