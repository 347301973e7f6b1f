/* list.c - herald list: the integrations of this host.
 *
 * SPDX-License-Identifier: MIT
 */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/json_doc.h"
#include "base/log.h"
#include "command.h"
#include "metrics/figures.h"
#include "options.h"
#include "output.h"
#include "owner.h"
#include "session.h"
#include "status_view.h"
#include "store.h"
#include "table.h"

/* What one row says of a descriptor; integration is NULL if broken. */
struct list_row {
  const struct descriptor *descriptor;
  const struct integration *integration;
  const char *category;
  const char *verified;
  const char *state;
  const char *lane;             /* as "herald status" calls it */
  const char *why;
  uint64_t dead;                /* letters */
};

/* What else is known where there is a store; NULL: nothing. */
struct list_lanes {
  struct store *store;
  struct figures *figures;
};

static void
list_add_lane (struct list_row *row, const struct list_lanes *lanes)
{
  const char *name = row->descriptor->name;
  const struct store_lane *lane = store_lane (lanes->store, name);

  row->lane = status_lane_state (lanes->store, lanes->figures, name,
                                 &row->why);
  if (lane != NULL)
    row->dead = lane->state.dead;
}

/* Also of what can't be opened: whoever looks for it must find it. */
static const char *
list_category (const struct session *session,
               const struct descriptor *descriptor)
{
  const struct provider *provider;
  char reason[1024];

  provider = loader_find (session->loader, descriptor->provider, reason,
                          sizeof reason);
  if (provider == NULL)
    return "unknown";
  return provider->plugin.category == HERALD_MAILER ? "mailer" : "webhook";
}

static struct list_row
list_row (const struct session *session, const struct list_lanes *lanes,
          size_t k)
{
  struct list_row row = {
    .descriptor = session->configuration->descriptors[k],
    .integration = session->integrations[k],
    .verified = "-",
  };

  row.category = list_category (session, row.descriptor);
  if (row.integration != NULL && row.integration->is_mailer)
    row.verified = !owner_is_me (session->state_directory) ? "unknown"
                   : session_is_untested (session, row.integration) ? "no"
                                                                    : "yes";
  if (row.integration == NULL)
    row.state = session->is_elsewhere[k] ? "unchecked" : "broken";
  else if (!row.descriptor->is_enabled)
    row.state = "disabled";
  else if (strcmp (row.verified, "no") == 0)
    row.state = "needs test";
  else if (strcmp (row.verified, "unknown") == 0)
    row.state = "unchecked";
  else
    row.state = "ready";
  if (lanes != NULL)
    list_add_lane (&row, lanes);
  return row;
}

/* "parked: the token was refused; 3 dead letters". */
static void
list_print_lane (struct table *table, const struct list_row *row)
{
  struct buf text = BUF_INIT (0);

  buf_add_text (&text, strcmp (row->lane, "disabled") != 0 ? row->lane : "-");
  if (*row->why != '\0')
    buf_printf (&text, ": %s", row->why);
  if (row->dead > 0)
    buf_printf (&text, "; %llu dead letter%s", (unsigned long long) row->dead,
                row->dead == 1 ? "" : "s");
  table_add_text (table, text.data);
  buf_done (&text);
}

static void
list_add_workspaces (char *text, size_t size,
                     const struct descriptor *descriptor)
{
  size_t len = 0;

  snprintf (text, size, "%s", descriptor->all_workspaces ? "all" : "");
  for (size_t i = 0; i < descriptor->n_workspaces && len + 1 < size; i++) {
    snprintf (text + len, size - len, "%s%s", i > 0 ? " " : "",
              descriptor->workspaces[i]);
    len = strlen (text);
  }
}

static struct json_doc *
list_row_json (const struct list_row *row)
{
  struct json_doc *doc = json_doc_object ();
  struct json_doc *workspaces = json_doc_array ();
  const struct descriptor *descriptor = row->descriptor;

  for (size_t i = 0; i < descriptor->n_workspaces; i++)
    json_doc_push (workspaces, json_doc_text (descriptor->workspaces[i]));
  json_doc_put (doc, "name", json_doc_text (descriptor->name));
  json_doc_put (doc, "provider", json_doc_text (descriptor->provider));
  json_doc_put (doc, "category", json_doc_text (row->category));
  json_doc_put (doc, "label",
                json_doc_text (row->integration != NULL
                                 ? row->integration->label
                                 : descriptor->label));
  json_doc_put (doc, "allWorkspaces",
                json_doc_bool (descriptor->all_workspaces));
  json_doc_put (doc, "workspaces", workspaces);
  json_doc_put (doc, "enabled", json_doc_bool (descriptor->is_enabled));
  json_doc_put (doc, "verified", json_doc_text (row->verified));
  json_doc_put (doc, "state", json_doc_text (row->state));
  json_doc_put (doc, "file", json_doc_text (descriptor->path));
  if (row->lane == NULL)
    return doc;
  json_doc_put (doc, "lane", json_doc_text (row->lane));
  json_doc_put (doc, "laneReason", json_doc_text (row->why));
  json_doc_put (doc, "deadLetters", json_doc_number ((int64_t) row->dead));
  return doc;
}

static void
list_print (const struct session *session, const struct list_lanes *lanes,
            const char *category, bool is_json)
{
  const char *const titles[] = {
    "NAME", "PROVIDER", "CATEGORY", "WORKSPACES", "ENABLED", "VERIFIED",
    "STATE", lanes != NULL ? "LANE" : NULL, NULL
  };
  struct table *table = table_new (titles);
  struct json_doc *doc = json_doc_array ();

  for (size_t i = 0; i < session->n_integrations; i++) {
    struct list_row row = list_row (session, lanes, i);
    char workspaces[200];

    if (category != NULL && strcmp (category, row.category) != 0)
      continue;
    json_doc_push (doc, list_row_json (&row));
    list_add_workspaces (workspaces, sizeof workspaces, row.descriptor);
    table_add (table, "%s", row.descriptor->name);
    table_add (table, "%s", row.descriptor->provider);
    table_add (table, "%s", row.category);
    table_add (table, "%s", workspaces);
    table_add (table, "%s", row.descriptor->is_enabled ? "yes" : "no");
    table_add (table, "%s", row.verified);
    table_add (table, "%s", row.state);
    if (lanes != NULL)
      list_print_lane (table, &row);
  }
  if (is_json)
    output_json (doc);
  else {
    table_print (table);
    json_doc_free (doc);
  }
  table_free (table);
}

/* With what the store and the daemon say, if they can be seen. */
static void
list_run (const struct session *session, const char *category, bool is_json)
{
  struct list_lanes lanes = { NULL, NULL };

  lanes.store = store_peek (session->configuration, session->state_directory);
  if (lanes.store != NULL)
    lanes.figures = figures_read (lanes.store->run_directory,
                                  date_now_ms ());
  list_print (session, lanes.store != NULL ? &lanes : NULL, category,
              is_json);
  figures_free (lanes.figures);
  store_close (lanes.store);
}

int
command_list (const struct command_globals *globals, int argc, char **argv)
{
  const char *category = NULL;
  bool is_json = false;
  const struct option_row rows[] = {
    { OPTION_TEXT, "category", 'c', "NAME", "only webhook or mailer",
      &category },
    { OPTION_FLAG, "json", 0, NULL, "print JSON", &is_json },
    { .kind = OPTION_END },
  };
  const struct options options = {
    .command = "list",
    .usage = "[options]",
    .about = "Show the integrations of conf.d.  States: ready; disabled; "
             "needs test (a mailer whose test e-mail was not accepted with "
             "its present settings, see \"herald test\"); broken (see "
             "\"herald check\"); unchecked (only the service has its "
             "secrets, or may know whether it was tested).  Where there is a "
             "store, LANE is what "
             "\"herald status\" calls the lane's state, why, and how many "
             "dead letters there are.",
    .rows = rows,
  };
  struct session *session;
  int n, status = EXIT_DONE;

  if (!options_read (&options, argc, argv, &n, &status))
    return status;
  if (category != NULL && strcmp (category, "webhook") != 0
      && strcmp (category, "mailer") != 0) {
    fprintf (stderr, "herald list: --category is webhook or mailer\n");
    return EXIT_USAGE;
  }
  session = session_open (globals, SECRETS_ELSEWHERE);
  if (session->configuration == NULL) {
    session_report (session);
    status = EXIT_CONFIG;
  } else {
    list_run (session, category, is_json);
    if (problems_errors (session->problems) > 0)
      log_warning ("some of conf.d has errors; \"herald check\" names them");
    if (!owner_is_me (session->state_directory))
      log_warning ("%s is another user's, so which mailers were tested, and "
                   "what lanes do, can't be told", session->state_directory);
  }
  session_close (session);
  return status;
}
